package assets

import (
	"bytes"
	_ "embed"
)

//go:embed selftest/program.go
var selfTest []byte

// SelfTest is the self-test of a Go runtime as a program of one file.
func SelfTest() []byte {
	return append(bytes.Replace(selfTest, []byte("\npackage selftest\n"), []byte("\npackage main\n"), 1), "\nfunc main() { os.Exit(Run(os.Args[:1], os.Args[1:])) }\n"...)
}
