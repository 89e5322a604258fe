package verify

import (
	"fmt"
	"go/version"
	"regexp"
	"strings"
)

// Toolchain is one build of Go: what a release is to one kind of machine.
type Toolchain struct {
	Version string `json:"version"` // "go1.26.8"
	OS      string `json:"os"`      // "linux"
	Arch    string `json:"arch"`    // as GOARCH has it: "arm64"
}

// ToolchainModule is the path of the module that holds every release of Go
// (cmd/go/internal/gover, cmd/go/internal/toolchain).
const ToolchainModule = "golang.org/toolchain"

var platform = regexp.MustCompile(`^[a-z0-9]+$`)

// Check says whether the parts are what they should be: they become part of paths,
// addresses and of a log's record.
func (t Toolchain) Check() error {
	if !version.IsValid(t.Version) || strings.ContainsAny(t.Version, "-+/ ") {
		return malformed("%q is no version of Go", "%q 不是 Go 的版本", t.Version)
	}
	if !platform.MatchString(t.OS) || !platform.MatchString(t.Arch) {
		return malformed("%q is no platform of Go", "%q 不是 Go 的平台", t.OS+"/"+t.Arch)
	}
	return nil
}

// ModuleVersion is the version of ToolchainModule that t is: "v0.0.1-go1.26.8.linux-arm64".
func (t Toolchain) ModuleVersion() string {
	return fmt.Sprintf("v0.0.1-%s.%s-%s", t.Version, t.OS, t.Arch)
}

// Archive is the name of the ordinary archive of t: "go1.26.8.linux-arm64.tar.gz".
func (t Toolchain) Archive() string {
	return fmt.Sprintf("%s.%s-%s.tar.gz", t.Version, t.OS, t.Arch)
}

func (t Toolchain) String() string { return t.Version + " " + t.OS + "/" + t.Arch }
