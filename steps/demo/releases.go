package demo

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/steps/overlay"
	"goxin/steps/verify"
)

// releases are those of Go that the simulated network has: a handful of files each, with
// a go command that only the simulated machine can run, and padding, so that a download
// takes its time.
type releases struct {
	arch     string
	versions []string       // newest first
	vendor   *golang.Vendor // Loongson's own, on LoongArch: the real one's name and place; nil elsewhere
	sources  []golang.Source
	log      *sumlog
	weight   int // bytes of padding

	mu       sync.Mutex
	archives map[string][]byte
}

// goSites carry Go: the project's own under their real names, and invented ones.
var goSites = []struct {
	id, kind, url string
	name          lang.Text
	official      bool
	trip          time.Duration
	rate          float64
	pause         time.Duration
}{
	{"go.dev", "archive", "https://go.dev/dl", lang.T("go.dev", "Go 官网"), true, 127 * time.Millisecond, 0.9e6, 400 * time.Millisecond},
	{"google-cn", "archive", "https://golang.google.cn/dl", lang.T("golang.google.cn", "Go 官网中国站"), true, 21 * time.Millisecond, 2.6e6, 300 * time.Millisecond},
	{"mirror-a", "archive", "https://a.mirrors.example/golang", lang.T("mirror A", "镜像甲"), false, 0, 0, 0},
	{"mirror-d", "archive", "https://d.mirrors.example/golang", lang.T("mirror D", "镜像丁"), false, 0, 0, 0},
	{"proxy.golang.org", "goproxy", "https://proxy.golang.org", lang.T("proxy.golang.org", "Go 官方模块代理"), true, 131 * time.Millisecond, 1.1e6, 600 * time.Millisecond},
	{"proxy-a", "goproxy", "https://goproxy.example", lang.T("GOPROXY A", "GOPROXY 甲"), false, 14 * time.Millisecond, 5.2e6, 350 * time.Millisecond},
}

func newReleases(n *network) (*releases, error) {
	real, err := golang.Load()
	if err != nil {
		return nil, err
	}
	r := &releases{arch: n.sim.facts.Arch.GOARCH.Value, archives: map[string][]byte{}, weight: 1 << 20}
	if n.sim.clock.pace > 0 {
		r.weight = 16 << 20
	}
	for _, rel := range real.Releases { // the newest of three lines
		line := strings.Join(strings.SplitN(rel.Version, ".", 3)[:2], ".")
		if !slices.ContainsFunc(r.versions, func(v string) bool { return strings.HasPrefix(v, line+".") }) && len(r.versions) < 3 {
			r.versions = append(r.versions, rel.Version)
		}
	}
	if r.arch == overlay.Arch && len(real.Vendor) > 0 {
		r.vendor = &real.Vendor[0]
		if u, err := url.Parse(r.vendor.URL); err == nil {
			n.sites[u.Hostname()] = &site{trip: 24 * time.Millisecond, rate: 1.8e6, pause: 300 * time.Millisecond, answer: r.answerVendor}
		}
	}
	if r.log, err = newSumlog(r); err != nil {
		return nil, err
	}
	for _, s := range goSites {
		r.sources = append(r.sources, golang.Source{ID: s.id, Name: s.name, Kind: s.kind, URL: s.url, Official: s.official, From: "the demo"})
		u, err := url.Parse(s.url)
		if err != nil || s.rate == 0 {
			continue
		}
		n.sites[u.Hostname()] = &site{trip: s.trip, rate: s.rate, pause: s.pause, answer: r.answer}
	}
	return r, nil
}

func (r *releases) toolchain(v string) verify.Toolchain {
	return verify.Toolchain{Version: v, OS: "linux", Arch: r.arch}
}

// catalogue is what goxin would carry if these were the releases. Their records are for
// the log to tell.
func (r *releases) catalogue() (*golang.Catalogue, error) {
	c := &golang.Catalogue{Sources: r.sources}
	for _, v := range r.versions {
		t := r.toolchain(v)
		sum := sha256.Sum256(r.tarball(v))
		c.Releases = append(c.Releases, golang.Release{Version: v, Files: []golang.File{{
			OS: "linux", Arch: r.arch, SHA256: hex.EncodeToString(sum[:]), From: lang.T("the demo's own list", "演示自带的列表"),
			H1: r.h1(t), Module: int64(len(r.module(v))),
		}}})
	}
	if r.vendor != nil {
		v, sum := *r.vendor, sha256.Sum256(r.tarball(r.vendor.Version))
		v.SHA256, v.From = hex.EncodeToString(sum[:]), lang.T("the demo's own list", "演示自带的列表")
		c.Vendor = append(c.Vendor, v)
	}
	return c, nil
}

// answerVendor is that of Loongson's site.
func (r *releases) answerVendor(p string) answer {
	if !strings.HasSuffix(r.vendor.URL, "/"+p) {
		return answer{}
	}
	return file(r.tarball(r.vendor.Version))
}

// answer is that of a site of the Go project, or of a proxy.
func (r *releases) answer(p string) answer {
	switch {
	case strings.HasPrefix(p, "sumdb/"):
		if p = strings.TrimPrefix(p, "sumdb/"+logName+"/"); p == "supported" {
			return text("text/plain", "")
		}
		return r.log.answer("/" + p)
	case p == verify.ToolchainModule+"/@v/list":
		var b strings.Builder
		for _, v := range r.versions {
			fmt.Fprintln(&b, r.toolchain(v).ModuleVersion())
		}
		return text("text/plain", b.String())
	}
	return r.archive(strings.TrimPrefix(p, "dl/"))
}

// archive is a release's archive or module by its file name.
func (r *releases) archive(name string) answer {
	for _, v := range r.versions {
		switch t := r.toolchain(v); name {
		case t.Archive():
			return file(r.tarball(v))
		case verify.ToolchainModule + "/@v/" + t.ModuleVersion() + ".zip":
			return file(r.module(v))
		}
	}
	return answer{}
}

// files are a release's, as far as anybody looks.
func (r *releases) files(v string) map[string][]byte {
	program := func(name string) []byte { return stub{Tool: name, Version: v}.encode(r.arch) }
	out := map[string][]byte{
		"VERSION":          []byte(v + "\ntime 2026-11-01T00:00:00Z\n"),
		"LICENSE":          []byte("A simulated release: see the demo.\n"),
		"go.env":           []byte("GOPROXY=https://proxy.golang.org,direct\nGOSUMDB=sum.golang.org\nGOTOOLCHAIN=auto\n"),
		"bin/go":           program("go"),
		"bin/gofmt":        program("gofmt"),
		"src/go.mod":       []byte("module std\n"),
		"src/fmt/print.go": []byte("package fmt\n"),
	}
	for _, t := range []string{"asm", "cgo", "compile", "cover", "link", "preprofile", "vet"} {
		out["pkg/tool/linux_"+r.arch+"/"+t] = program(t)
	}
	weight := r.weight
	if v != r.versions[0] {
		weight /= 8
	}
	for i := range 40 { // of noise, which does not get smaller in an archive
		b := make([]byte, weight/40)
		seed := sha256.Sum256([]byte(v))
		seed[0] = byte(i)
		rand.NewChaCha8(seed).Read(b) //nolint:errcheck // it cannot fail
		out[fmt.Sprintf("src/cmd/part%02d/data.go", i)] = b
	}
	return out
}

func (r *releases) once(key string, build func() []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.archives[key] == nil {
		r.archives[key] = build()
	}
	return r.archives[key]
}

func (r *releases) tarball(v string) []byte {
	return r.once(v+".tar.gz", func() []byte {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.NoCompression) // a level that there is
		w := tar.NewWriter(z)
		files := r.files(v)
		for _, n := range slices.Sorted(maps.Keys(files)) {
			mode := int64(0o644)
			if strings.HasPrefix(n, "bin/") || strings.HasPrefix(n, "pkg/tool/") {
				mode = 0o755
			}
			_ = w.WriteHeader(&tar.Header{Name: "go/" + n, Mode: mode, Size: int64(len(files[n])), Typeflag: tar.TypeReg}) // into memory
			_, _ = w.Write(files[n])
		}
		_ = w.Close()
		_ = z.Close()
		return b.Bytes()
	})
}

func (r *releases) module(v string) []byte {
	return r.once(v+".zip", func() []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		w.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) {
			return flate.NewWriter(to, flate.NoCompression)
		})
		files, t := r.files(v), r.toolchain(v)
		for _, n := range slices.Sorted(maps.Keys(files)) {
			name := n
			if path.Base(n) == "go.mod" {
				name = strings.TrimSuffix(n, "go.mod") + "_go.mod"
			}
			f, err := w.CreateHeader(&zip.FileHeader{Name: verify.ToolchainModule + "@" + t.ModuleVersion() + "/" + name, Method: zip.Deflate})
			if err == nil {
				_, _ = f.Write(files[n]) // into memory
			}
		}
		_ = w.Close()
		return b.Bytes()
	})
}

func (r *releases) h1(t verify.Toolchain) string {
	return string(r.once(t.String(), func() []byte {
		var m verify.Manifest
		for n, b := range r.files(t.Version) {
			m.Files = append(m.Files, verify.ManifestFile{Name: n, Size: int64(len(b)), SHA256: sha256.Sum256(b)})
		}
		return []byte(m.H1(t))
	}))
}

// logName is what the transparency log of the simulated network is called.
const logName = "sum.demo.example"

// sumlog is that log.
type sumlog struct {
	key  string
	http http.Handler
}

// newSumlog makes its key of its name, so that the evidence reads the same every time:
// whoever trusts this log is in a demo.
func newSumlog(r *releases) (*sumlog, error) {
	seed := sha256.Sum256([]byte(logName))
	private := ed25519.NewKeyFromSeed(seed[:])
	public := append([]byte{1}, private[ed25519.PublicKeySize:]...) // algorithm 1 of package note
	sum := sha256.Sum256(append([]byte(logName+"\n"), public...))
	id := fmt.Sprintf("%s+%x+", logName, sum[:4])
	s := sumdb.NewTestServer("PRIVATE+KEY+"+id+base64.StdEncoding.EncodeToString(append([]byte{1}, seed[:]...)), func(module, vers string) ([]byte, error) {
		for _, v := range r.versions {
			if t := r.toolchain(v); module == verify.ToolchainModule && vers == t.ModuleVersion() {
				return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaAA=\n", module, vers, r.h1(t), module, vers), nil
			}
		}
		return nil, fs.ErrNotExist
	})
	l := &sumlog{key: id + base64.StdEncoding.EncodeToString(public), http: sumdb.NewServer(s)}
	return l, nil
}

// answer is the log's.
func (l *sumlog) answer(p string) answer {
	w := &answerWriter{status: http.StatusOK, header: http.Header{}}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, p, nil)
	if err != nil {
		return answer{}
	}
	l.http.ServeHTTP(w, req)
	if w.status != http.StatusOK {
		return answer{}
	}
	return text("text/plain; charset=UTF-8", w.body.String())
}

// answerWriter keeps what a handler writes.
type answerWriter struct {
	status int
	header http.Header
	body   bytes.Buffer
}

func (w *answerWriter) Header() http.Header         { return w.header }
func (w *answerWriter) WriteHeader(status int)      { w.status = status }
func (w *answerWriter) Write(b []byte) (int, error) { return w.body.Write(b) }
