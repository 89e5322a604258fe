// Package goroot is where goxin keeps toolchains and how their directories are
// called, for the steps that install them and the steps that use them. It reads, and
// changes nothing.
//
//	/usr/local/goxin/go/1.26.8-linux-amd64-ZOmGe1On/            one release, never changed
//	/usr/local/goxin/go/1.26.8-linux-amd64-ZOmGe1On.manifest    its files, as they were unpacked
//	/usr/local/goxin/go/1.26.8-linux-amd64-ZOmGe1On.evidence    what its origin rests on
//	/usr/local/goxin/go/1.26.8-linux-arm64-sYL_O6Mq-built/      the same, built from the source that has this hash
//	/usr/local/goxin/go/current                                 link to the release in use
//	/usr/local/goxin/bin/go1.26.8                               link: what GOTOOLCHAIN=path looks for
//	/usr/local/goxin/removed/                                   what `goxin toolchain remove` moved away
package goroot

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"goxin/detect/machine"
	"goxin/steps/verify"
)

// Where things are.
const (
	Top     = "/usr/local/goxin"
	Base    = Top + "/go"
	Current = Base + "/current"
	Bin     = Top + "/bin"
	Removed = Top + "/removed"
)

// Prefix is the part of a hash that a directory's name carries, so that two trees of
// one release never meet: "h1:ZOmGe1OnfRE…" gives "ZOmGe1On", a SHA-256 its first
// digits. Characters of base64 that mean something in paths are replaced.
func Prefix(hash string) string {
	s := strings.TrimPrefix(hash, "h1:")
	return strings.NewReplacer("/", "_", "+", "-").Replace(s[:min(8, len(s))])
}

// Dir is the directory of a toolchain whose module has the hash h1, or, where the log
// does not know it, whose archive has the SHA-256 in hexadecimal.
func Dir(t verify.Toolchain, hash string) string {
	return path.Join(Base, strings.TrimPrefix(t.Version, "go")+"-"+t.OS+"-"+t.Arch+"-"+Prefix(hash))
}

// Built is the directory of a toolchain that was built here, from source that has the
// hash.
func Built(t verify.Toolchain, hash string) string { return Dir(t, hash) + built }

// IsBuilt says whether a directory's name is of those that Built gives.
func IsBuilt(dir string) bool {
	m := dirName.FindStringSubmatch(path.Base(dir))
	return m != nil && m[4] != ""
}

const built = "-built"

// Link is the file of Bin by which a version is called: "go1.26.8".
func Link(version string) string { return path.Join(Bin, version) }

// Inside says whether a directory is one of Base's.
func Inside(dir string) bool { return path.Dir(dir) == Base }

// Manifest is the file beside dir that tells its files.
func Manifest(dir string) string { return dir + ".manifest" }

// Evidence is the file beside dir that tells what its origin rests on.
func Evidence(dir string) string { return dir + ".evidence" }

// Installed is one toolchain that is there.
type Installed struct {
	Dir       string
	Toolchain verify.Toolchain
	Current   bool // Current leads to it
}

var dirName = regexp.MustCompile(`^([0-9][0-9a-z.]*)-([a-z0-9]+)-([a-z0-9]+)-[A-Za-z0-9_-]{8}(-built)?$`)

// Parse reads a directory's name.
func Parse(dir string) (verify.Toolchain, bool) {
	m := dirName.FindStringSubmatch(path.Base(dir))
	if m == nil {
		return verify.Toolchain{}, false
	}
	t := verify.Toolchain{Version: "go" + m[1], OS: m[2], Arch: m[3]}
	return t, t.Check() == nil
}

// List is what is there, by name.
func List(m machine.Machine) ([]Installed, error) {
	names, err := m.ReadDir(Base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	to, _ := m.Readlink(Current)
	var out []Installed
	for _, n := range names {
		t, ok := Parse(n)
		if !ok {
			continue
		}
		if info, err := m.Lstat(path.Join(Base, n)); err != nil || !info.Mode.IsDir() {
			continue
		}
		out = append(out, Installed{Dir: path.Join(Base, n), Toolchain: t, Current: path.Base(to) == n})
	}
	return out, nil
}
