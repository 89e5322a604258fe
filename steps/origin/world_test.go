package origin

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"

	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/verify"
)

var (
	tool = verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: "arm64"}
	now  = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
)

// program is the beginning of an ELF program for 64-bit ARM, and something of its own.
func program(own string) string {
	return "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00" + own
}

// release is the files of a little go1.26.8.
func release1268() map[string]string {
	return map[string]string{
		"VERSION":                      "go1.26.8\ntime 2026-08-28T16:20:06Z\n",
		"go.env":                       "GOTOOLCHAIN=auto\n",
		"bin/go":                       program("go"),
		"bin/gofmt":                    program("gofmt"),
		"pkg/tool/linux_arm64/compile": program(strings.Repeat("compile", 160_000)), // a file of its own for a hasher
		"pkg/tool/linux_arm64/link":    program("link"),
		"src/go.mod":                   "module std\n",
		"src/fmt/print.go":             "package fmt\n",
		"src/fmt/doc.go":               "package fmt\n",
		"lib/time/zoneinfo.zip":        "zip",
		"doc/README.md":                "not part of the module",
	}
}

// manifest is what a Manifest of these files would be.
func manifest(files map[string]string) *verify.Manifest {
	m := new(verify.Manifest)
	for name, content := range files {
		m.Files = append(m.Files, verify.ManifestFile{Name: name, Mode: 0o644, Size: int64(len(content)), SHA256: sha256.Sum256([]byte(content))})
	}
	m.Sort()
	return m
}

// world is a machine, a log and a module proxy.
type world struct {
	machine.Machine
	t      *testing.T
	root   string
	key    string
	secret string                      // the log's secret key
	h1     map[verify.Toolchain]string // what the log has
	zips   map[string][]byte           // what the proxy serves, by path
	extra  http.HandlerFunc            // asked first; nil: nobody

	mu    sync.Mutex
	asked []string
	to    string
}

// newWorld has go1.26.8 in the log and at the proxy.
func newWorld(t *testing.T) *world {
	t.Helper()
	secret, key, err := note.GenerateKey(nil, "log.example")
	if err != nil {
		t.Fatal(err)
	}
	return worldOf(t, secret, key)
}

// forkOf is a world whose log has the key of w's and a history of its own.
func forkOf(t *testing.T, w *world) *world { return worldOf(t, w.secret, w.key) }

func worldOf(t *testing.T, secret, key string) *world {
	t.Helper()
	root := t.TempDir()
	w := &world{
		Machine: machine.Root(root), t: t, root: root, key: key, secret: secret,
		h1:   map[verify.Toolchain]string{tool: manifest(release1268()).H1(tool)},
		zips: map[string][]byte{},
	}
	w.zips["/"+verify.ToolchainModule+"/@v/"+tool.ModuleVersion()+".zip"] = moduleZip(t, tool, release1268())
	db := sumdb.NewServer(sumdb.NewTestServer(secret, func(path, version string) ([]byte, error) {
		for tool, h1 := range w.h1 {
			if path == verify.ToolchainModule && version == tool.ModuleVersion() {
				return fmt.Appendf(nil, "%[1]s %[2]s %[3]s\n%[1]s %[2]s/go.mod %[3]s\n", path, version, h1), nil
			}
		}
		return nil, os.ErrNotExist
	}))
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, r.Host+r.URL.Path)
		w.mu.Unlock()
		if w.extra != nil {
			if w.extra(rw, r); rw.Header().Get("X-Done") != "" {
				return
			}
		}
		path, ofLog := strings.CutPrefix(r.URL.Path, "/sumdb/log.example")
		switch {
		case ofLog && path == "/supported":
		case ofLog:
			r.URL.Path = path
			db.ServeHTTP(rw, r)
		case w.zips[r.URL.Path] != nil:
			_, _ = rw.Write(w.zips[r.URL.Path])
		default:
			http.NotFound(rw, r)
		}
	}))
	t.Cleanup(s.Close)
	w.to = s.Listener.Addr().String()
	return w
}

func (w *world) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, w.to)
}

// remote asks the world's proxy and nobody else.
func (w *world) remote(proxies ...string) *Remote {
	if proxies == nil {
		proxies = []string{"http://proxy.example"}
	}
	c := fetch.New(w, fetch.Options{})
	w.t.Cleanup(c.Close)
	r := Online(c, proxies, w.key)
	r.servers = nil
	return r
}

// online are options that ask the world's log and proxy.
func (w *world) online() Options {
	r := w.remote()
	return Options{Lookup: r.Lookup, Module: r.Module, LogKey: w.key, Now: now}
}

// put writes files below a directory of the machine.
func (w *world) put(dir string, files map[string]string) {
	w.t.Helper()
	for name, content := range files {
		host := filepath.Join(w.root, dir, name)
		if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(host, []byte(content), 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
}

// entry is a file of an archive.
type entry struct{ name, content string }

func entries(top string, files map[string]string) (out []entry) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out = append(out, entry{top + name, files[name]})
	}
	return out
}

func tarGz(t testing.TB, files []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: 0o644, Size: int64(len(f.content)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, f.content); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	z.Close()
	return b.Bytes()
}

// moduleZip is a toolchain as a module proxy serves it.
func moduleZip(t testing.TB, tool verify.Toolchain, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range entries("", files) {
		if !verify.InModule(f.name) {
			continue
		}
		if filepath.Base(f.name) == "go.mod" {
			f.name = strings.TrimSuffix(f.name, "go.mod") + "_go.mod"
		}
		to, err := w.Create(verify.ToolchainModule + "@" + tool.ModuleVersion() + "/" + f.name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(to, f.content); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return b.Bytes()
}
