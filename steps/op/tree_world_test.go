package op

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// tool is a program of a world. It counts its own effects.
type tool func(w *world, c machine.Command, say func(string)) error

// once is a listener with one connection.
type once struct {
	conn chan net.Conn
	over chan struct{}
}

func (l *once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}
func (l *once) Close() error   { return nil }
func (l *once) Addr() net.Addr { return &net.TCPAddr{} }

// ending is a connection that ends its listener.
type ending struct {
	net.Conn
	end func()
}

func (c ending) Close() error { c.end(); return c.Conn.Close() }

// serve is a connection to a web server.
func serve(h http.Handler) net.Conn {
	here, there := net.Pipe()
	l := &once{make(chan net.Conn, 1), make(chan struct{})}
	l.conn <- ending{there, sync.OnceFunc(func() { close(l.over) })}
	go func() { _ = (&http.Server{Handler: h}).Serve(l) }()
	return here
}

// goFiles is a small release of Go. Names that end in ! can be run.
var goFiles = map[string]string{
	"VERSION":        "go1.26.8\ntime 2026-08-04T18:00:00Z\n",
	"bin/go!":        "\x7fELF go",
	"src/go.mod":     "module std\n",
	"doc/README.md":  "not in the module\n",
	"pkg/tool/link!": strings.Repeat("link\n", 100),
}

var goRelease = verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: "amd64"}

// goTar is them as go.dev/dl has them.
func goTar(files map[string]string) []byte {
	var out bytes.Buffer
	gz := gzip.NewWriter(&out)
	w := tar.NewWriter(gz)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		content := files[name]
		name, ok := strings.CutSuffix(name, "!")
		if ok {
			mode = 0o755
		}
		must(w.WriteHeader(&tar.Header{Name: "go/" + name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(content))}))
		_, err := w.Write([]byte(content))
		must(err)
	}
	must(w.Close())
	must(gz.Close())
	return out.Bytes()
}

// goZip is them as a module proxy has them.
func goZip(files map[string]string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := files[name]
		name = strings.TrimSuffix(name, "!")
		if !verify.InModule(name) {
			continue
		}
		dir, base := path.Split(name)
		if base == "go.mod" {
			base = "_go.mod"
		}
		f, err := w.Create(unpack.GoZip(goRelease).Top + dir + base)
		must(err)
		_, err = f.Write([]byte(content))
		must(err)
	}
	must(w.Close())
	return out.Bytes()
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func h1Of(files map[string]string) string {
	var m verify.Manifest
	for name, content := range files {
		m.Files = append(m.Files, verify.ManifestFile{Name: strings.TrimSuffix(name, "!"), SHA256: sha256.Sum256([]byte(content))})
	}
	return m.H1(goRelease)
}

// testLog is a transparency log of one record, with a key of its own: what it says of
// goRelease is proved by proof.
type testLog struct{ key, proof string }

func newTestLog(h1 string) testLog {
	secret, public, err := note.GenerateKey(nil, "log.example")
	must(err)
	signer, err := note.NewSigner(secret)
	must(err)
	text := verify.ToolchainModule + " " + goRelease.ModuleVersion() + " " + h1 + "\n" +
		verify.ToolchainModule + " " + goRelease.ModuleVersion() + "/go.mod h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
	hash := tlog.RecordHash([]byte(text))
	head, err := note.Sign(&note.Note{Text: string(tlog.FormatTree(tlog.Tree{N: 1, Hash: hash}))}, signer)
	must(err)
	record, err := tlog.FormatRecord(0, []byte(text))
	must(err)
	p, _, err := verify.Prove(context.Background(), func(_ context.Context, name string) ([]byte, error) {
		switch {
		case strings.HasPrefix(name, "/lookup/"):
			return append(record, head...), nil
		case strings.HasPrefix(name, "/tile/8/0/000.p/1"):
			return hash[:], nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}, public, goRelease, nil)
	must(err)
	return testLog{public, string(p.Text())}
}

const (
	goBase  = "/usr/local/goxin/go"
	goTrash = "/usr/local/goxin/removed"
	goDir   = goBase + "/1.26.8-linux-amd64-ZOmGe1On"
	shelf   = "/srv/go1.26.8.linux-amd64.tar.gz"
	goSite  = "http://mirror.example/go1.26.8.linux-amd64.tar.gz"
)

// trees is where toolchains are kept, with an archive on a shelf.
func trees(w *world) {
	w.mkdir(goBase)
	w.mkdir(goTrash)
	w.write(shelf, string(goTar(goFiles)), 0o644)
}

// site serves an archive.
func (w *world) site(address string, archive []byte) {
	if w.sites == nil {
		w.sites = make(map[string]http.Handler)
	}
	w.sites[address] = http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("ETag", `"`+hexSum(archive)[:16]+`"`)
		http.ServeContent(out, r, "", time.Time{}, bytes.NewReader(archive))
	})
}

// goTree is the op that makes goDir of the archive on the shelf.
func goTree(change func(*Tree)) *Tree {
	o := &Tree{
		Dir:     goDir,
		Archive: &Archive{Sources: []string{shelf}, Format: unpack.TarGz},
		Want:    &Want{Toolchain: goRelease, SHA256: hexSum(goTar(goFiles))},
		Reason:  why,
	}
	if change != nil {
		change(o)
	}
	return o
}

// installed is a world where goTree was done.
func installed(w *world) {
	trees(w)
	_, err := goTree(nil).Do(context.Background(), w, nil)
	must(err)
	w.effects = 0
}

// mkgo stands for make.bash: it writes into the directory it runs in.
func mkgo(w *world, c machine.Command, say func(string)) error {
	if err := w.effect("run", "mkgo"); err != nil {
		return err
	}
	say("Building Go cmd/dist using /usr/lib/go.\x1b[2J")
	top := filepath.Dir(filepath.Join(w.dir, c.Dir))
	if got, want := strings.Join(c.Env, " "), "GOCACHE="+strings.TrimPrefix(top, w.dir)+"/pkg/obj/first"; got != want {
		return fmt.Errorf("%s is in the environment, and not %s", got, want)
	}
	for name, content := range map[string]string{"bin/go": "\x7fELF built", "pkg/obj/cache": "big"} {
		must(os.MkdirAll(filepath.Dir(filepath.Join(top, name)), 0o755))
		must(os.WriteFile(filepath.Join(top, name), []byte(content), 0o755))
	}
	return nil
}

func treeSituations() []situation {
	const ok, nothing = engine.Applied, engine.OutcomeKind("")
	log := newTestLog(h1Of(goFiles))
	proved := func(o *Tree) {
		o.Want = &Want{Toolchain: goRelease, H1: h1Of(goFiles), Proof: log.proof, LogKey: log.key}
	}
	gone := &Tree{Dir: goDir, Absent: true, Reason: why}
	damaged := func(w *world) { installed(w); w.write(goDir+"/go.env", "GOTOOLCHAIN=local\n", 0o644) }
	return []situation{
		{"a tree from a shelf, by its SHA-256", goTree(nil), trees, ok},
		{"a tree that is there", goTree(nil), installed, nothing},
		{"a tree from a shelf, by the log's proof", goTree(proved), trees, ok},
		{"a module from a web server, by the log's proof", goTree(func(o *Tree) {
			proved(o)
			o.Archive = &Archive{Sources: []string{"http://proxy.example/v.zip"}, Format: unpack.Zip}
		}), func(w *world) { trees(w); w.site("proxy.example:80", goZip(goFiles)) }, ok},
		{"a tree whose first sources are missing and wrong", goTree(func(o *Tree) {
			o.Archive.Sources = []string{"/mnt/usb/go.tar.gz", goSite, shelf}
		}), func(w *world) {
			trees(w)
			w.site("mirror.example:80", goTar(map[string]string{"VERSION": "go1.26.8\n"}))
		}, ok},
		{"a damaged tree", goTree(nil), damaged, ok},
		{"a damaged tree, where one was damaged before", goTree(nil), func(w *world) { damaged(w); w.write(goTrash+"/1.26.8-linux-amd64-ZOmGe1On/x", "older", 0o644) }, ok},
		{"a tree that somebody unpacked by hand", goTree(nil), func(w *world) {
			installed(w)
			must(w.Remove(goDir + ".manifest"))
			w.effects = 0
		}, ok},
		{"a tree of another release", goTree(func(o *Tree) { o.Want.SHA256 = hexSum(goTar(goFiles)) }), func(w *world) {
			trees(w)
			other := goTar(map[string]string{"VERSION": "go1.26.7\n", "bin/go!": "older"})
			w.write("/srv/other.tar.gz", string(other), 0o644)
			_, err := goTree(func(o *Tree) {
				o.Archive.Sources, o.Want.SHA256 = []string{"/srv/other.tar.gz"}, hexSum(other)
			}).Do(context.Background(), w, nil)
			must(err)
			w.effects = 0
		}, ok},
		{"a tree with what is left of another beside it", goTree(nil), func(w *world) {
			trees(w)
			w.write(goDir+".manifest", "half", 0o644)
			w.write(goDir+".evidence", "", 0o600)
			w.write(goBase+"/.1.26.8-linux-amd64-ZOmGe1On.goxin-new/bin/go", "half", 0o755)
			must(w.Clean(goDir)) // as the start of a situation it is not to be kept
			must(os.Chmod(filepath.Join(w.dir, goDir+".evidence"), 0o644))
			w.effects = 0
		}, ok},
		{"a tree that is built", goTree(func(o *Tree) {
			o.Make = &Make{Argv: []string{"mkgo"}, Dir: "src", Env: []string{"GOCACHE={tree}/pkg/obj/first"}, Clear: []string{"bin", "pkg/tool"}, Drop: []string{"pkg/obj", "none"}}
		}), func(w *world) { trees(w); w.tools = map[string]tool{"mkgo": mkgo} }, ok},
		{"a tree to remove", gone, installed, ok},
		{"a damaged tree to remove, where one was removed before", gone, func(w *world) { damaged(w); w.write(goTrash+"/1.26.8-linux-amd64-ZOmGe1On/x", "older", 0o644) }, ok},
		{"what is left of a tree, to remove", gone, func(w *world) { trees(w); w.write(goDir+".manifest", "x", 0o644) }, ok},
		{"a tree to remove that is not there", gone, trees, nothing},
	}
}
