package unpack

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"io"
	"io/fs"
	"strings"
	"testing"

	"goxin/steps/verify"
)

// entry is one entry of an archive to be built. A name that ends in "/" is a
// directory.
type entry struct {
	name string
	data string
	mode int64  // 0: 0644
	kind byte   // of a tar; 0: by the name
	to   string // of a link
}

func files(names ...string) (out []entry) {
	for _, n := range names {
		e := entry{name: n, data: "of " + n}
		if strings.HasSuffix(n, "/") {
			e.data = ""
		}
		out = append(out, e)
	}
	return out
}

// rawTar is a tar, not compressed.
func rawTar(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if err := w.WriteHeader(e.header()); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (e entry) header() *tar.Header {
	h := &tar.Header{Name: e.name, Mode: e.mode, Typeflag: e.kind, Linkname: e.to, Size: int64(len(e.data))}
	if h.Mode == 0 {
		h.Mode = 0o644
	}
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
		if strings.HasSuffix(e.name, "/") {
			h.Typeflag = tar.TypeDir
		}
	}
	return h
}

func gz(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func tarGz(t testing.TB, entries ...entry) []byte { return gz(t, rawTar(t, entries...)) }

// zipOf is a zip as cmd/distpack writes it.
func zipOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	return zipWith(t, nil, entries...)
}

// zipWith lets change alter the headers.
func zipWith(t testing.TB, change func(*zip.FileHeader), entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(out, flate.BestCompression)
	})
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(fs.FileMode(e.header().Mode))
		if strings.HasSuffix(e.name, "/") {
			h.SetMode(fs.ModeDir | 0o755)
		}
		if change != nil {
			change(h)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var toolchain = verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: "amd64"}

// small are options with limits that a test can reach.
func small(format string) Options {
	return Options{Format: format, Limits: Limits{Entries: 100, File: 1 << 20, Total: 4 << 20, Depth: 4}}
}
