package origin

import (
	"encoding/hex"
	"strings"
	"testing"

	"goxin/steps/overlay"
	"goxin/steps/verify"
)

// overlaidFiles are the manifest of a release with goxin's overlay in it, and without.
func overlaidFiles(t *testing.T, release string) (with, without *verify.Manifest) {
	t.Helper()
	file := func(name, sum string) (f verify.ManifestFile) {
		f.Name = name
		if _, err := hex.Decode(f.SHA256[:], []byte(sum)); err != nil {
			t.Fatal(err)
		}
		return f
	}
	other := file("src/fmt/print.go", strings.Repeat("00", 32))
	with, without = &verify.Manifest{Files: []verify.ManifestFile{other}}, &verify.Manifest{Files: []verify.ManifestFile{other}}
	for _, p := range overlay.Pins(release) {
		with.Files = append(with.Files, file(p.Name, p.After))
		if p.Before != "" {
			without.Files = append(without.Files, file(p.Name, p.Before))
		}
	}
	with.Sort()
	without.Sort()
	return with, without
}

func TestATreeWithTheOverlayIsTheReleaseWithoutIt(t *testing.T) {
	for _, release := range overlay.Releases() {
		tool := verify.Toolchain{Version: release, OS: "linux", Arch: "amd64"}
		with, without := overlaidFiles(t, release)
		f := &Finding{Toolchain: tool, Manifest: with}
		got := f.without()
		if got == nil || got.H1(tool) != without.H1(tool) {
			t.Errorf("%s: %+v", release, got)
		}
		if with.H1(tool) == without.H1(tool) {
			t.Errorf("%s: the manifest itself was changed", release)
		}
	}
}

func TestATreeWithHalfAnOverlayIsNone(t *testing.T) {
	const release = "go1.26.8"
	tool := verify.Toolchain{Version: release, OS: "linux", Arch: "amd64"}
	with, without := overlaidFiles(t, release)
	if f := (&Finding{Toolchain: tool, Manifest: without}); f.without() != nil {
		t.Error("a release is taken for an overlaid one")
	}
	for i := range with.Files {
		if with.Files[i].Name == "src/fmt/print.go" {
			continue
		}
		changed := &verify.Manifest{Files: append([]verify.ManifestFile(nil), with.Files...)}
		changed.Files[i].SHA256[0] ^= 1
		if f := (&Finding{Toolchain: tool, Manifest: changed}); f.without() != nil {
			t.Errorf("%s was changed, and it passes", changed.Files[i].Name)
		}
	}
	if f := (&Finding{Toolchain: verify.Toolchain{Version: "go1.24.6"}, Manifest: with}); f.without() != nil {
		t.Error("a release without an overlay is taken for an overlaid one")
	}
}
