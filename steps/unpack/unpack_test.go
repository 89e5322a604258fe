package unpack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"testing/synctest"

	"golang.org/x/mod/sumdb/dirhash"

	"goxin/detect/machine"
	"goxin/steps/verify"
)

// release is a small Go, as its archive has it and as its module does.
func release(t testing.TB) (archive, module []byte) {
	list := []entry{
		{name: "VERSION", data: "go1.26.8\ntime 2026-11-03T00:00:00Z\n"},
		{name: "api/go1.txt", data: "pkg bufio\n"},
		{name: "bin/go", data: strings.Repeat("\x7fELF", 200_000), mode: 0o755},
		{name: "lib/wasm/go_js_wasm_exec", data: "#!/usr/bin/env bash\n", mode: 0o755},
		{name: "pkg/tool/linux_amd64/compile", data: "\x7fELF compile", mode: 0o755},
		{name: "src/all.bash", data: "#!/usr/bin/env bash\n", mode: 0o755},
		{name: "src/cmd/go.mod", data: "module cmd\n"},
		{name: "src/empty.go"},
		{name: "src/go.mod", data: "module std\n"},
		{name: "test/fixedbugs/issue27836.dir/Þfoo.go", data: "package Þfoo\n"},
	}
	var tarred, zipped []entry
	for _, e := range list {
		at := e
		at.name = "go/" + e.name
		tarred = append(tarred, at)
		if verify.InModule(e.name) {
			at = e
			at.mode = 0
			at.name = "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64/" + strings.ReplaceAll(e.name, "go.mod", "_go.mod")
			zipped = append(zipped, at)
		}
	}
	return tarGz(t, append([]entry{{name: "go/"}, {name: "go/misc/"}}, tarred...)...), zipOf(t, zipped...)
}

func TestAnArchiveAndAModuleGiveTheSameTreeAndTheModulesOwnHash(t *testing.T) {
	archive, module := release(t)
	zipFile := filepath.Join(t.TempDir(), "module.zip")
	if err := os.WriteFile(zipFile, module, 0o600); err != nil {
		t.Fatal(err)
	}
	h1, err := dirhash.HashZip(zipFile, dirhash.Hash1)
	if err != nil {
		t.Fatal(err)
	}
	onlyModule := GoTar()
	onlyModule.Skip = func(name string) bool { return !verify.InModule(name) }
	manifests := map[string]string{}
	for name, c := range map[string]struct {
		b []byte
		o Options
	}{"archive": {archive, GoTar()}, "archive without the rest": {archive, onlyModule}, "module": {module, GoZip(toolchain)}} {
		m := machine.Root(t.TempDir())
		st, err := m.Stage("/go")
		if err != nil {
			t.Fatal(err)
		}
		res, err := Into(t.Context(), iotest.HalfReader(bytes.NewReader(c.b)), st, c.o)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := st.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := res.Manifest.H1(toolchain); got != h1 {
			t.Errorf("%s: %s, and the module has %s", name, got, h1)
		}
		if res.SHA256 != sha256.Sum256(c.b) || res.Bytes != int64(len(c.b)) {
			t.Errorf("%s: %x, %d bytes", name, res.SHA256, res.Bytes)
		}
		stands(t, m, res)
		var text bytes.Buffer
		if _, err := res.Manifest.WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		manifests[name] = text.String()
		read, err := Read(t.Context(), bytes.NewReader(c.b), c.o)
		if err != nil || read.Manifest.H1(toolchain) != h1 || read.SHA256 != res.SHA256 || len(read.Manifest.Files) != len(res.Manifest.Files) {
			t.Errorf("%s: Read says %+v, %v", name, read, err)
		}
	}
	if manifests["module"] != manifests["archive without the rest"] || strings.Count(manifests["archive"], "\n") != 10 {
		t.Errorf("%s\n%s", manifests["archive"], manifests["module"])
	}
}

// stands compares a manifest with what is in the machine's /go: both have the same
// files and no directory without one.
func stands(t *testing.T, m machine.Machine, res *Result) {
	t.Helper()
	want := map[string]verify.ManifestFile{}
	for _, f := range res.Manifest.Files {
		want[f.Name] = f
	}
	var walk func(dir string) int
	walk = func(dir string) (n int) {
		names, err := m.ReadDir("/go/" + dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			name = strings.TrimPrefix(dir+"/"+name, "/")
			info, err := m.Lstat("/go/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode.IsDir() {
				if info.Mode.Perm() != 0o755 || walk(name) == 0 {
					t.Errorf("%s: %v, or empty", name, info.Mode)
				}
				n++
				continue
			}
			b, err := m.ReadFile("/go/" + name)
			f, ok := want[name]
			if !ok || err != nil || info.Mode != f.Mode || info.Size != f.Size || sha256.Sum256(b) != f.SHA256 {
				t.Errorf("%s: %v, %v", name, info, err)
			}
			delete(want, name)
			n++
		}
		return n
	}
	walk("")
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
}

func TestAModuleMayNotHaveWhatItsHashDoesNotCover(t *testing.T) {
	top := "golang.org/toolchain@v0.0.1-go1.26.8.linux-amd64/"
	for _, name := range []string{"test/evil.go", "misc/x", "doc/x.html", "api/x", "src/go.mod", "go.mod"} {
		b := zipOf(t, files(top+"VERSION", top+name)...)
		refused(t, bytes.NewReader(b), bytes.NewReader(b), GoZip(toolchain), top+name, whyForeign)
	}
	other := zipOf(t, files("golang.org/toolchain@v0.0.1-go1.26.7.linux-amd64/VERSION")...)
	refused(t, bytes.NewReader(other), nil, GoZip(toolchain), "golang.org/toolchain@v0.0.1-go1.26.7.linux-amd64/VERSION", whyOutside)
}

func TestModesAreTwoAndNothingElseIsKept(t *testing.T) {
	b := tarGz(t, entry{name: "suid", mode: 0o4755, data: "x"}, entry{name: "world", mode: 0o666, data: "x"},
		entry{name: "secret", mode: 0o400, data: "x"}, entry{name: "group", mode: 0o654, data: "x"})
	m := machine.Root(t.TempDir())
	st, err := m.Stage("/go")
	if err != nil {
		t.Fatal(err)
	}
	res, err := Into(t.Context(), bytes.NewReader(b), st, small(TarGz))
	if err != nil {
		t.Fatal(err)
	}
	if err := st.Commit(); err != nil {
		t.Fatal(err)
	}
	stands(t, m, res)
	want := map[string]fs.FileMode{"suid": 0o755, "world": 0o644, "secret": 0o644, "group": 0o644}
	for _, f := range res.Manifest.Files {
		if f.Mode != want[f.Name] {
			t.Errorf("%s: %v", f.Name, f.Mode)
		}
	}
}

var errCable = errors.New("the cable was pulled")

func TestAReadersOwnErrorSaysNothingAboutTheArchive(t *testing.T) {
	for _, format := range []string{TarGz, Zip} {
		b := map[string][]byte{TarGz: tarGz(t, files("a", "b")...), Zip: zipOf(t, files("a", "b")...)}[format]
		for n := range b {
			for _, cause := range []error{errCable, io.ErrUnexpectedEOF} {
				_, err := Read(t.Context(), io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(cause)), small(format))
				if err != cause { //nolint:errorlint // as it is, says the documentation
					t.Fatalf("%s, after %d bytes: %v", format, n, err)
				}
			}
		}
	}
}

func TestACancelEndsItWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		r, w := io.Pipe()
		go func() {
			w.Write(tarGz(t, files("a", "b")...)[:40]) //nolint:errcheck // the reader may be gone
			cancel(errCable)
			w.CloseWithError(context.Canceled)
		}()
		if _, err := Read(ctx, r, small(TarGz)); !errors.Is(err, errCable) {
			t.Error(err)
		}
	})
}

// full is a stage on a disk with no room after so many files.
type full struct {
	machine.Stage
	left int
	open int
}

func (f *full) Create(name string, mode fs.FileMode) (io.WriteCloser, error) {
	if f.left--; f.left < 0 {
		return nil, &fs.PathError{Op: "create", Path: name, Err: syscall.ENOSPC}
	}
	f.open++
	return f, nil
}

func (f *full) Write(p []byte) (int, error) {
	if f.left == 0 {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

func (f *full) Close() error {
	f.open--
	return nil
}

func (f *full) Mkdir(string, fs.FileMode) error { return nil }

func TestAFullDiskIsNoRefusal(t *testing.T) {
	large := []entry{{name: "a", data: "a"}, {name: "b", data: strings.Repeat("0123456789", 100_000)}, {name: "c", data: strings.Repeat("x", 1<<20)}, {name: "d", data: strings.Repeat("x", 1<<20)}}
	for format, b := range map[string][]byte{TarGz: tarGz(t, large...), Zip: zipOf(t, large...)} {
		for room := range 4 {
			synctest.Test(t, func(t *testing.T) {
				st := &full{left: room}
				_, err := Into(t.Context(), bytes.NewReader(b), st, small(format))
				if !errors.Is(err, syscall.ENOSPC) || st.open != 0 {
					t.Errorf("%s, room for %d: %v, %d files open", format, room, err, st.open)
				}
			})
		}
	}
}

func TestAnUnknownFormatIsAnError(t *testing.T) {
	if _, err := Read(t.Context(), strings.NewReader(""), Options{Format: "rar"}); err == nil {
		t.Error("it was read")
	}
}
