// Package environment is the step that lets every shell find Go: PATH, and the
// defaults of GOPROXY, GOSUMDB, GOTOOLCHAIN and GOPRIVATE, in one file for the POSIX
// shells and one for fish, and a few lines where a shell would not read them by
// itself.
//
// What it writes is a default: a value that the environment has, or that somebody
// wrote with `go env -w`, stays. It refuses to write into people's homes, to put a
// password into a file that everybody may read, and to change go.env in a GOROOT,
// which would no longer be what was released.
package environment
