package whichgo

import (
	"go/version"
	"strings"
)

// first is the first Go that reads go.mod's toolchain line and GOTOOLCHAIN.
const first = "go1.21"

// versionOf is the Go version in a toolchain's name: "go1.26.8-acme" and
// "go1.26.8 X:foo" are go1.26.8. "" where it is no such name.
func versionOf(name string) string {
	if strings.ContainsAny(name, `/\`) {
		return ""
	}
	if i := strings.IndexAny(name, " \t-"); i >= 0 {
		name = name[:i]
	}
	if !version.IsValid(name) {
		return ""
	}
	return name
}

// Newer says whether toolchain or version a is newer than b. What is no version is
// older than all.
func Newer(a, b string) bool { return version.Compare(versionOf(a), versionOf(b)) > 0 }

// Release is the toolchain that a go line asks for: "1.26" means go1.26.0, the
// first release of that language version, and no other (golang/go#62278). Before
// 1.21 the first release had no ".0".
func Release(goLine string) string {
	v := versionOf("go" + goLine)
	if v != "" && version.Lang(v) == v && version.Compare(v, first) >= 0 {
		v += ".0"
	}
	return v
}
