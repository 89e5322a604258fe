// Package keys is the public keys that goxin carries. It holds bytes only: which of
// them may sign what, and by which fingerprint, is said where they are used.
package keys

import _ "embed"

//go:embed google.asc
var google string

// Google is the key with which Google signs Go's releases (and its Linux packages),
// armoured: fingerprint EB4C1BFD4F042F6DDDCCEC917721F63BD38B4796, with subkeys up to
// the one of 2024-01-30. It is google_chrome.asc of Debian's package
// extrepo-offline-data 1.0.3+deb12u1, which Debian's own archive signature covers.
func Google() []byte { return []byte(google) }
