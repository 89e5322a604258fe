package unpack

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"
)

// memory is a stage that remembers.
type memory struct {
	t     testing.TB
	dirs  map[string]bool
	files map[string]*bytes.Buffer
}

func (m *memory) parent(name string) {
	if !fs.ValidPath(name) || name == "." {
		m.t.Fatalf("%q is no name", name)
	}
	if dir := path.Dir(name); dir != "." && !m.dirs[dir] {
		m.t.Fatalf("%q has no directory", name)
	}
	if m.dirs[name] || m.files[name] != nil {
		m.t.Fatalf("%q is made twice", name)
	}
}

func (m *memory) Mkdir(name string, _ fs.FileMode) error {
	m.parent(name)
	m.dirs[name] = true
	return nil
}

func (m *memory) Create(name string, _ fs.FileMode) (io.WriteCloser, error) {
	m.parent(name)
	m.files[name] = new(bytes.Buffer)
	return closing{m.files[name]}, nil
}

func (m *memory) Symlink(string, string) error { return errors.ErrUnsupported }
func (m *memory) Commit() error                { return errors.ErrUnsupported }
func (m *memory) Discard() error               { return nil }
func (m *memory) Path() string                 { return "/" }

type closing struct{ *bytes.Buffer }

func (closing) Close() error { return nil }

// holds demands what is true of everything that is taken.
func holds(t *testing.T, b []byte, o Options) *memory {
	m := &memory{t: t, dirs: map[string]bool{}, files: map[string]*bytes.Buffer{}}
	res, err := Into(t.Context(), bytes.NewReader(b), m, o)
	if err != nil {
		var unsafe *UnsafeError
		if !errors.As(err, &unsafe) || res != nil {
			t.Fatalf("%v (%T)", err, err)
		}
		return nil
	}
	if res.SHA256 != sha256.Sum256(b) || res.Bytes != int64(len(b)) || len(res.Manifest.Files) != len(m.files) {
		t.Fatalf("%+v of %d bytes, %d files", res, len(b), len(m.files))
	}
	seen := map[string]bool{}
	for _, f := range res.Manifest.Files {
		if got := m.files[f.Name].Bytes(); f.Size != int64(len(got)) || f.SHA256 != sha256.Sum256(got) {
			t.Errorf("%+v, and %d bytes were written", f, len(got))
		}
		if key := strings.ToUpper(f.Name); seen[key] || strings.ContainsAny(f.Name, "\x00\n\\") {
			t.Errorf("%q", f.Name)
		} else {
			seen[key] = true
		}
	}
	return m
}

func FuzzTar(f *testing.F) {
	f.Add(rawTar(f, files("a/", "a/b", "c")...))
	f.Add(rawTar(f, files(strings.Repeat("long/", 40)+"name")...))
	f.Add(rawTar(f, entry{name: "l", kind: '2', to: "/etc"}))
	f.Fuzz(func(t *testing.T, b []byte) { holds(t, gz(t, b), small(TarGz)) })
}

func FuzzGzip(f *testing.F) {
	archive, _ := release(f)
	f.Add(archive)
	f.Add(tarGz(f, files("a", "b/c")...))
	f.Fuzz(func(t *testing.T, b []byte) { holds(t, b, small(TarGz)) })
}

// FuzzZip also compares with archive/zip, which begins at the other end.
func FuzzZip(f *testing.F) {
	_, module := release(f)
	f.Add(module)
	f.Add(zipOf(f, files("a/", "a/b", "c")...))
	f.Add(zipWith(f, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink) }, entry{name: "a", data: "/etc"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := holds(t, b, small(Zip))
		if m == nil {
			return
		}
		r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal("archive/zip does not read it: ", err)
		}
		n := 0
		for _, file := range r.File {
			if strings.HasSuffix(file.Name, "/") {
				continue
			}
			n++
			in, err := file.Open()
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(in)
			if ours := m.files[file.Name]; err != nil || ours == nil || !bytes.Equal(ours.Bytes(), got) {
				t.Errorf("%q: %v", file.Name, err)
			}
		}
		if n != len(m.files) {
			t.Errorf("archive/zip has %d files, not %d", n, len(m.files))
		}
	})
}
