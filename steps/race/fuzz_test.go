package race

import (
	"bytes"
	"io"
	"testing"
	"time"
)

func FuzzRepomd(f *testing.F) {
	f.Add(rpmOf{arch: "aarch64", published: bubble}.build()["repodata/repomd.xml"])
	f.Add([]byte(`<repomd><data type="primary"><location href="../../x"/></data></repomd>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		idx, err := readRepomd(b)
		if (idx == nil) == (err == nil) {
			t.Fatal(idx, err)
		}
		for i := 0; idx != nil && i < len(idx.lists); i++ {
			if !sound(idx.lists[i]) {
				t.Errorf("%q leaves the repository", idx.lists[i])
			}
		}
	})
}

func FuzzRelease(f *testing.F) {
	target := Target{Format: "deb", Suite: "stable", Components: []string{"main"}, Arch: "arm64"}
	f.Add([]byte("Suite: stable\nDate: Sat, 10 Jun 2023 08:53:33 UTC\nArchitectures: arm64\nComponents: main\nSHA256:\n 0 1 main/binary-arm64/Packages.gz\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		idx, err := readRelease(b, target)
		if (idx == nil) == (err == nil) || idx != nil && len(idx.lists) == 0 {
			t.Fatal(idx, err)
		}
	})
}

func fuzzList(f *testing.F, name string, read func(io.Reader, string) (listing, error)) {
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, err := unpack(bytes.NewReader(b))
		if err != nil {
			return
		}
		defer plain.Close()
		l, err := read(plain, "aarch64")
		if err == nil && l.best.path != "" && (!sound(l.best.path) || l.best.arch != "aarch64") {
			t.Errorf("%s: %+v", name, l.best)
		}
	})
}

func FuzzPrimary(f *testing.F) {
	for _, suffix := range []string{".gz", ".xz", ".zst"} {
		f.Add(rpmOf{arch: "aarch64", published: bubble, suffix: suffix}.build()["repodata/primary.xml"+suffix])
	}
	f.Add([]byte(`<metadata><package><arch>aarch64</arch><size package="9"/><location href="../x"/></package></metadata>`))
	fuzzList(f, "primary", readPrimary)
}

func FuzzPackages(f *testing.F) {
	f.Add([]byte("Package: a\nArchitecture: aarch64\nFilename: ./pool/a.deb\nSize: 7000000\n\n"))
	f.Add(squeeze(".xz", []byte("Package: a\nArchitecture: all\nFilename: pool/a.deb\nSize: 7\n")))
	fuzzList(f, "Packages", readPackages)
}

func TestDatesOfReleaseFilesAreRead(t *testing.T) {
	want := time.Date(2023, 6, 3, 8, 53, 33, 0, time.UTC)
	for _, s := range []string{"Sat, 03 Jun 2023 08:53:33 UTC", "Sat, 3 Jun 2023 08:53:33 UTC", "Sat, 03 Jun 2023 08:53:33 GMT", "Sat, 03 Jun 2023 08:53:33 +0000", "Sat, 03 Jun 2023 16:53:33 +0800"} {
		if got := releaseTime(s); !got.Equal(want) {
			t.Errorf("%s: %v", s, got)
		}
	}
	if !releaseTime("yesterday").IsZero() {
		t.Error("yesterday is a date")
	}
}
