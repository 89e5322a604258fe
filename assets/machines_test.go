package assets_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/assets/machines/archive"
)

// unzip is the tar inside: compressors differ between versions of Go, tars do not.
func unzip(t *testing.T, r io.Reader) []byte {
	t.Helper()
	gz, err := gzip.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestArchivesAreBuiltFromTheirSources(t *testing.T) {
	src := os.DirFS("machines/src")
	for _, name := range assets.Machines() {
		a, err := archive.Build(src, name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := a.Write(&b); err != nil {
			t.Fatal(err)
		}
		r, err := assets.OpenMachine(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(unzip(t, &b), unzip(t, r)) {
			t.Errorf("%s.tar.gz is not what its source makes: go generate ./assets", name)
		}
		r.Close()
	}
}

func TestEverySourceIsBuilt(t *testing.T) {
	files, err := os.ReadDir("machines/src")
	if err != nil {
		t.Fatal(err)
	}
	built := strings.Join(assets.Machines(), " ") + " "
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".txtar")
		if !strings.HasPrefix(name, "with-") && !strings.Contains(built, name+" ") {
			t.Errorf("%s is not built: go generate ./assets", name)
		}
	}
}

// TestEveryPartSaysWhereItIsFrom reads provenance.txt of each archive.
func TestEveryPartSaysWhereItIsFrom(t *testing.T) {
	for _, name := range assets.Machines() {
		r, err := assets.OpenMachine(name)
		if err != nil {
			t.Fatal(err)
		}
		origins, parts := "", []string{}
		for tr := tar.NewReader(bytes.NewReader(unzip(t, r))); ; {
			h, err := tr.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Name == archive.Provenance {
				b, err := io.ReadAll(tr)
				if err != nil {
					t.Fatal(err)
				}
				origins = string(b)
			} else {
				parts = append(parts, strings.TrimSuffix(strings.TrimPrefix(h.Name, "root"), "/"))
			}
		}
		r.Close()
		if !strings.Contains(origins, "\ncaptured: ") || !strings.Contains(origins, "\ncomposed: ") {
			t.Errorf("%s: its provenance tells nothing apart:\n%s", name, origins)
		}
		for _, p := range parts {
			if strings.HasPrefix(p, "/proc/sys/") || strings.HasPrefix(p, "/sys/devices/system/cpu/") {
				continue
			}
			if !strings.Contains(origins, "\n  "+p+"\n") {
				t.Errorf("%s: provenance.txt says nothing of %s", name, p)
			}
		}
	}
}

func TestTheSetStaysSmall(t *testing.T) {
	total := 0
	for _, name := range assets.Machines() {
		r, err := assets.OpenMachine(name)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		total += len(b)
	}
	if total > 300_000 {
		t.Errorf("%d bytes of captured machines, more than 300,000", total)
	}
}

func TestAMachineThatIsNotThere(t *testing.T) {
	for _, name := range []string{"", "nope", "../machines", "src/with-rpm"} {
		if r, err := assets.OpenMachine(name); err == nil {
			r.Close()
			t.Errorf("opened %q", name)
		}
	}
}
