package toolchain

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/origin"
	"goxin/steps/race"
	"goxin/steps/stock"
	"goxin/steps/verify"
)

// The key of a checksum database made for these tests, and its signer.
const (
	testKey    = "sum.example.com+6f703e6b+Aa43biyX8RMOd7uwRFFS504vrOifQX5r48pIQgMks4+c"
	testSigner = "PRIVATE+KEY+sum.example.com+6f703e6b+AR5bKJuCUthtrB+ad2TsyNS92xnOEX4qU8mzYRTgmIXi"
)

// goFiles is a toolchain made by hand: its bin/go is a script that says what the real
// one would.
func goFiles(t verify.Toolchain) map[string]string {
	return map[string]string{
		"VERSION":            t.Version + "\ntime 2026-09-01T00:00:00Z\n",
		"go.env":             "GOTOOLCHAIN=auto\n",
		"bin/go":             "#!/bin/sh\necho go version " + t.Version + " " + t.OS + "/" + t.Arch + "\n",
		"bin/gofmt":          "#!/bin/sh\n",
		"src/go.mod":         "module std\n",
		"src/make.bash":      "mkdir -p ../bin && cp \"$GOROOT_BOOTSTRAP/bin/go\" ../bin/go && echo built\n",
		"src/fmt/print.go":   "package fmt\n",
		"pkg/tool/x/compile": "#!/bin/sh\n",
		"api/go1.txt":        "pkg fmt\n",
		"test/a.go":          "package main\n",
	}
}

func inModule(files map[string]string) map[string]string {
	out := map[string]string{}
	for n, c := range files {
		if verify.InModule(n) {
			out[n] = c
		}
	}
	return out
}

func h1(t verify.Toolchain) string {
	var m verify.Manifest
	for n, c := range goFiles(t) {
		m.Files = append(m.Files, verify.ManifestFile{Name: n, Size: int64(len(c)), SHA256: sha256.Sum256([]byte(c))})
	}
	return m.H1(t)
}

func executable(n string) bool {
	return strings.HasPrefix(n, "bin/") || strings.HasPrefix(n, "pkg/tool/")
}

// archive is what go.dev/dl would serve.
func archive(files map[string]string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, n := range slices.Sorted(maps.Keys(files)) {
		mode := int64(0o644)
		if executable(n) {
			mode = 0o755
		}
		must(w.WriteHeader(&tar.Header{Name: "go/" + n, Mode: mode, Size: int64(len(files[n])), Typeflag: tar.TypeReg}))
		_, err := w.Write([]byte(files[n]))
		must(err)
	}
	must(w.Close())
	must(z.Close())
	return b.Bytes()
}

// module is what a GOPROXY would.
func module(t verify.Toolchain, files map[string]string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for n, c := range inModule(files) {
		if n == "go.mod" || strings.HasSuffix(n, "/go.mod") {
			n = strings.TrimSuffix(n, "go.mod") + "_go.mod"
		}
		f, err := w.Create(verify.ToolchainModule + "@" + t.ModuleVersion() + "/" + n)
		must(err)
		_, err = f.Write([]byte(c))
		must(err)
	}
	must(w.Close())
	return b.Bytes()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func linux(v, arch string) verify.Toolchain {
	return verify.Toolchain{Version: v, OS: "linux", Arch: arch}
}

func hexSum(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }

var arches = []string{"amd64", "arm64", "loong64", "mips64le", "riscv64"}

// logged are the releases that the log knows.
var logged = []string{"go1.24.2", "go1.25.10", "go1.25.14", "go1.26.8", "go1.26.9"}

// checksums is the checksum database, the same for all and in the same order: a server
// of the log's own protocol.
var checksums = sync.OnceValue(func() http.Handler {
	s := newChecksums()
	for _, v := range logged {
		for _, a := range arches {
			_, err := asked(s)(context.Background(), "/lookup/"+verify.ToolchainModule+"@"+linux(v, a).ModuleVersion())
			must(err)
		}
	}
	return s
})

// newChecksums is one with a history of its own.
func newChecksums() http.Handler {
	s := sumdb.NewTestServer(testSigner, func(path, vers string) ([]byte, error) {
		for _, v := range logged {
			for _, a := range arches {
				if t := linux(v, a); path == verify.ToolchainModule && vers == t.ModuleVersion() {
					return fmt.Appendf(nil, "%s %s %s\n%s %s/go.mod h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA=\n", path, vers, h1(t), path, vers), nil
				}
			}
		}
		return nil, fs.ErrNotExist
	})
	return sumdb.NewServer(s)
}

// asked asks a handler without a network.
func asked(h http.Handler) verify.Get {
	return func(ctx context.Context, path string) ([]byte, error) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		switch w.Code {
		case 200:
			return w.Body.Bytes(), nil
		case 404, 410:
			return nil, fs.ErrNotExist
		}
		return nil, fmt.Errorf("status %d", w.Code)
	}
}

// catalogue knows two releases; of one the proof too. It is as of a day before
// go1.26.9 came.
func catalogue() (*golang.Catalogue, error) {
	c := &golang.Catalogue{Sources: []golang.Source{
		{ID: "upstream", Name: lang.T("upstream", "上游"), Kind: kindArchive, URL: "https://dl.example.com/go", Official: true},
		{ID: "mirror", Name: lang.T("a mirror", "镜像站"), Kind: kindArchive, URL: "http://mirror.example.cn/golang"},
		{ID: "proxy", Name: lang.T("upstream's proxy", "上游代理"), Kind: kindProxy, URL: "https://proxy.example.com", Official: true},
		{ID: "cnproxy", Name: lang.T("a proxy", "代理"), Kind: kindProxy, URL: "http://proxy.example.cn"},
	}}
	for _, v := range []string{"go1.26.8", "go1.25.14"} {
		r := golang.Release{Version: v, Date: time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)}
		for _, a := range arches {
			t := linux(v, a)
			f := golang.File{OS: "linux", Arch: a, SHA256: hexSum(archive(goFiles(t))), From: lang.T("a list kept by hand", "人工维护的列表")}
			if a == "arm64" {
				p, _, err := verify.Prove(context.Background(), asked(checksums()), testKey, t, nil)
				must(err)
				f.H1, f.Proof, f.Module = h1(t), string(p.Text()), int64(len(module(t, goFiles(t))))
			}
			r.Files = append(r.Files, f)
		}
		r.Files = append(r.Files, golang.File{Source: true, SHA256: hexSum(archive(sourceFiles(v))), From: lang.T("a list kept by hand", "人工维护的列表")})
		c.Releases = append(c.Releases, r)
	}
	c.Vendor = []golang.Vendor{{
		Version: "go1.26.4", URL: "http://vendor.example.cn/abi1.0/go1.26.4.linux-loong64.tar.gz",
		SHA256: hexSum(archive(goFiles(linux("go1.26.4", "loong64")))), From: lang.T("the vendor's own images", "厂商自己的镜像"),
	}}
	return c, nil
}

// sourceFiles are those of a release's source archive.
func sourceFiles(v string) map[string]string {
	files := goFiles(linux(v, "amd64"))
	for n := range files {
		if executable(n) {
			delete(files, n)
		}
	}
	return files
}

var errOffline = errors.New("no route to host")

// world is whom the survey asks, made by hand.
type world struct {
	offline  bool                   // a network that answers nothing
	tree     bool                   // no network at all
	sites    map[string]race.Result // by ID, best first in order
	order    []string
	found    map[string]*origin.Finding // by directory
	packages map[string]string
}

func (w world) step() Step {
	a := Real()
	a.Catalogue, a.Key = catalogue, testKey
	a.Network = func(context.Context, machine.Machine) (bool, error) { return !w.tree, nil }
	a.Prove = func(ctx context.Context, _ machine.Machine, _ []string, key string, t verify.Toolchain, known []byte) (*verify.Proof, error) {
		if w.offline {
			return nil, errOffline
		}
		p, _, err := verify.Prove(ctx, asked(checksums()), key, t, known)
		return p, err
	}
	a.Get = func(_ context.Context, _ machine.Machine, url string, _ int64) ([]byte, error) {
		switch {
		case w.offline:
			return nil, errOffline
		case strings.HasSuffix(url, "/list"):
			var b bytes.Buffer
			for _, v := range append([]string{"go1.27rc1"}, logged...) {
				for _, arch := range arches {
					fmt.Fprintln(&b, linux(v, arch).ModuleVersion())
				}
			}
			return b.Bytes(), nil
		}
		return nil, fs.ErrNotExist
	}
	a.Race = func(_ context.Context, _ machine.Machine, all []race.Object, _ race.Limits, _ func([]race.Result)) (race.Report, error) {
		var rep race.Report
		for _, id := range w.order {
			if slices.ContainsFunc(all, func(o race.Object) bool { return o.ID == id }) {
				r := w.sites[id]
				r.ID = id
				rep.Results = append(rep.Results, r)
			}
		}
		for _, o := range all {
			if _, told := w.sites[o.ID]; !told {
				rep.Results = append(rep.Results, race.Result{ID: o.ID, Why: race.Dead})
			}
		}
		rep.Took, rep.Bytes = 2100*time.Millisecond, 5<<20
		return rep, nil
	}
	a.Tree = func(_ context.Context, _ machine.Machine, dir string, _ origin.Options) (*origin.Finding, error) {
		if f := w.found[dir]; f != nil {
			return f, nil
		}
		return nil, errors.New("not read here")
	}
	a.Packages = stock.Ask{
		Installed: func(context.Context, machine.Machine, string, ...string) (map[string]string, error) {
			return map[string]string{}, nil
		},
		Available: func(context.Context, machine.Machine, string, ...string) (map[string]string, error) {
			return w.packages, nil
		},
	}
	return Step{&a}
}

// online is a world where all is well: a near mirror is quickest.
func online() world {
	return world{
		order: []string{"mirror", "cnproxy", "upstream", "proxy"},
		sites: map[string]race.Result{
			"mirror":   {Usable: true, Rate: 11.2e6, FirstByte: 30 * time.Millisecond},
			"cnproxy":  {Usable: true, Rate: 8.1e6, FirstByte: 41 * time.Millisecond, Why: race.Slow},
			"upstream": {Usable: true, Rate: 0.4e6, FirstByte: 380 * time.Millisecond, Why: race.Slow},
			"proxy":    {Why: race.Dead},
		},
	}
}
