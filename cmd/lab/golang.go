package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"goxin/steps/verify"
)

// labToolchains are the releases that the lab's module proxy has.
var labToolchains = []verify.Toolchain{
	{Version: "go1.26.11", OS: "linux", Arch: "amd64"},
	{Version: "go1.25.14", OS: "linux", Arch: "amd64"},
	{Version: "go1.26.11", OS: "linux", Arch: "arm64"},
}

type releasesRecipe struct {
	Toolchains []verify.Toolchain
	Version    int // of how they are laid out
}

// Releases gives the directory of a few releases of Go as sites serve them, fetched
// once from the module proxy that this machine's Go uses:
//
//	proxy/golang.org/toolchain/@v/    a module proxy
//	proxy/sumdb/sum.golang.org/       what the checksum database says of them
//	archives/                         an ordinary archive of the first one's files
//
// An archive here lacks the four directories that a module lacks, and is told from
// the Go project's own by its SHA-256, though not by its h1.
func (l *Lab) Releases(ctx context.Context) (string, error) {
	return l.cache.once("releases", key(releasesRecipe{labToolchains, 1}), func(tmp string) error {
		proxy, err := moduleProxy(ctx)
		if err != nil {
			return err
		}
		l.say("fetching %d releases of Go from the module proxy, 70 MB each", len(labToolchains))
		r := recorder{proxy, filepath.Join(tmp, "proxy")}
		versions := &strings.Builder{}
		for _, t := range labToolchains {
			if err := r.release(ctx, t); err != nil {
				return err
			}
			fmt.Fprintln(versions, t.ModuleVersion())
		}
		one := labToolchains[0]
		module := filepath.Join(r.dir, "golang.org/toolchain/@v", one.ModuleVersion()+".zip")
		if err := ordinary(module, one, filepath.Join(tmp, "archives", one.Archive())); err != nil {
			return err
		}
		if err := r.write("/golang.org/toolchain/@v/list", strings.NewReader(versions.String())); err != nil {
			return err
		}
		return r.write("/sumdb/sum.golang.org/supported", strings.NewReader(""))
	})
}

// moduleProxy is the first proxy of GOPROXY as this machine's Go has it.
func moduleProxy(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOPROXY").Output()
	if err != nil {
		return "", err
	}
	for _, p := range strings.FieldsFunc(string(out), func(r rune) bool { return strings.ContainsRune(",| \n", r) }) {
		if strings.HasPrefix(p, "http") {
			return strings.TrimSuffix(p, "/"), nil
		}
	}
	return "", fmt.Errorf("GOPROXY has no module proxy: %q", out)
}

// recorder keeps what a module proxy answers where a file server would look for it.
type recorder struct{ proxy, dir string }

func (r recorder) release(ctx context.Context, t verify.Toolchain) error {
	at := "/golang.org/toolchain/@v/" + t.ModuleVersion()
	for _, kind := range []string{".info", ".mod", ".zip"} {
		if err := r.keep(ctx, at+kind); err != nil {
			return err
		}
	}
	_, _, err := verify.Prove(ctx, func(ctx context.Context, path string) ([]byte, error) {
		path = "/sumdb/sum.golang.org" + path
		if err := r.keep(ctx, path); err != nil {
			return nil, err
		}
		return os.ReadFile(r.dir + path)
	}, verify.LogKey, t, nil)
	if err == nil {
		err = r.keep(ctx, "/sumdb/sum.golang.org/latest")
	}
	return err
}

func (r recorder) keep(ctx context.Context, path string) error {
	if _, err := os.Stat(r.dir + path); err == nil {
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.proxy+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, resp.Status)
	}
	return r.write(path, resp.Body)
}

func (r recorder) write(path string, content io.Reader) error {
	name := r.dir + path
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, content); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// ordinary makes an archive as go.dev has them of a module's files.
func ordinary(module string, t verify.Toolchain, to string) (err error) {
	z, err := zip.OpenReader(module)
	if err != nil {
		return err
	}
	defer z.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	gz := gzip.NewWriter(f)
	w := tar.NewWriter(gz)
	top := verify.ToolchainModule + "@" + t.ModuleVersion() + "/"
	for _, e := range z.File {
		name := strings.TrimPrefix(e.Name, top)
		if base := filepath.Base(name); base == "_go.mod" {
			name = filepath.Join(filepath.Dir(name), "go.mod")
		}
		mode := int64(0o644)
		if strings.HasPrefix(name, "bin/") || strings.HasPrefix(name, "pkg/tool/") {
			mode = 0o755
		}
		h := &tar.Header{Typeflag: tar.TypeReg, Name: "go/" + name, Mode: mode, Size: int64(e.UncompressedSize64), ModTime: time.Unix(0, 0)}
		if err := w.WriteHeader(h); err != nil {
			return err
		}
		in, err := e.Open()
		if err != nil {
			return err
		}
		_, err = io.Copy(w, in)
		in.Close()
		if err != nil {
			return err
		}
	}
	for _, c := range []io.Closer{w, gz} {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}
