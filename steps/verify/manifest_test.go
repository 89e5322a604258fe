package verify

import "testing"

// A module has no go.mod, so that the hash of one with _go.mod is that of a tree with
// go.mod. A tree that has _go.mod itself would pass for the release without a single
// go.mod in it.
func TestATreeWhoseGoModIsCalledAsInTheModuleIsNotTheRelease(t *testing.T) {
	tool := Toolchain{Version: "go1.26.8", OS: "linux", Arch: "amd64"}
	tree := func(names ...string) string {
		m := new(Manifest)
		for _, n := range names {
			m.Files = append(m.Files, ManifestFile{Name: n, Size: 3, SHA256: [32]byte{1}})
		}
		return m.H1(tool)
	}
	release := tree("VERSION", "src/go.mod", "go.mod")
	for name, other := range map[string]string{
		"below": tree("VERSION", "src/_go.mod", "go.mod"),
		"above": tree("VERSION", "src/go.mod", "_go.mod"),
		"both":  tree("VERSION", "src/_go.mod", "src/go.mod", "go.mod"),
	} {
		if other == release {
			t.Errorf("%s: %s", name, other)
		}
	}
}
