// Package toolchain is the step that installs Go: of every release that is asked for
// one tree that is never changed again, with what proves that it is the Go project's,
// from whichever site, stick or neighbour is quickest, since none of them is trusted.
// A link says which of them is in use; switching it breaks no build that runs.
//
// It refuses to install what nothing proves, to replace a Go that somebody else
// installed, to remove the one in use, and to begin what the disk has no room for.
package toolchain
