// Package overlay gives Go's runtime for linux/loong64 the few lines by which a program
// asks the kernel, at its start, which of LoongArch's two signal ABIs it speaks: one
// static binary then runs in both worlds, where a release of Go dies on an old-world
// kernel with a bare segmentation fault (golang/go#68867).
//
// Overlay 1 edits three files of the runtime and adds one. What differs between the
// worlds is the size of a signal set (8 or 16 bytes) in the calls that check it, and
// where the machine context begins in a handler's frame (176 or 64 bytes); the sources
// are the descriptions of both kernels at areweloongyet.com and the la32r-Linux headers.
//
// The package refuses a runtime of which it does not know every byte that matters: each
// file it edits or relies on is pinned by SHA-256 for each release, and what comes out
// of it too. It writes nothing and builds nothing; programs that use cgo are out of its
// reach, for the C library has two worlds of its own.
package overlay
