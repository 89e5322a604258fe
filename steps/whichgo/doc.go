// Package whichgo works out which Go the go command would run in a directory, and
// who decided that: PATH, the environment, the file of `go env -w`, go.env in a
// GOROOT, go.work or go.mod. Look reads what there is; Decide is pure.
//
// The rules are those of https://go.dev/doc/toolchain and of cmd/go 1.26
// (internal/toolchain, internal/cfg, internal/modload). The package runs nothing,
// downloads nothing, and does not follow a program that is not Go's own: what a
// shim of another version manager would start, it does not guess.
package whichgo
