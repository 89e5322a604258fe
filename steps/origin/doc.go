// Package origin says what a Go tree, an archive of Go or any signed file is, and what
// proves it: Go's transparency log, an OpenPGP signature, a SHA-256 that was known
// beforehand. Where something differs from the release it claims to be, it names the
// files.
//
// It believes no server: a proof is checked with the log's key, a module that is read
// to find the changed files must itself have the proved hash, and what lies beside a
// tree (its manifest, its evidence) counts only as far as the proof covers it. Where the
// log has no record, as of linux/loong64 or of what was built here, the record that
// this machine's root made at installation is a verdict of its own (Recorded), as long
// as nobody else could have changed it. The package changes nothing and keeps nothing,
// and it never says "verified" without saying by what.
package origin
