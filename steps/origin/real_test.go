//go:build e2e

package origin

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"goxin/assets/golang"
	"goxin/assets/keys"
	"goxin/detect/machine"
	"goxin/steps/fetch"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// These tests ask the real log, a real module proxy and a real Debian mirror. Where
// they cannot, they fail.

// output runs a program and gives what it prints.
func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Dir = dir
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.Bytes())
	}
	return strings.TrimSpace(string(out))
}

// realRemote asks the first module proxy of `go env GOPROXY` and the real log.
func realRemote(t *testing.T) *Remote {
	t.Helper()
	proxies := Proxies(output(t, "", "go", "env", "GOPROXY"))
	if len(proxies) == 0 {
		t.Fatal("GOPROXY has no module proxy")
	}
	c := fetch.New(machine.Local(), fetch.Options{FirstByte: 30 * time.Second, PerHost: 4})
	t.Cleanup(c.Close)
	return Online(c, proxies[:1], verify.LogKey)
}

// These are known from elsewhere: go1.26.8's records as they were read in 2026.
var known = map[string]string{
	"amd64": "h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=",
	"arm64": "h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=",
}

func TestRealTheLogProvesGo1268(t *testing.T) {
	catalogue, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	r := realRemote(t)
	r.Know(Heads(catalogue)...) // and so it must go on from what it showed when that was made
	for arch, want := range known {
		p, err := r.Lookup(t.Context(), verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: arch})
		if err != nil {
			t.Fatal(err)
		}
		again, err := verify.ParseProof(p.Text())
		if err != nil {
			t.Fatal(err)
		}
		h1, ev, err := again.H1(verify.LogKey, verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: arch})
		if h1 != want || err != nil {
			t.Errorf("%s: %s, %v", arch, h1, err)
		}
		t.Logf("%s: %s, a proof of %d bytes", arch, ev.Note.EN, len(p.Text()))
	}
	missing := verify.Toolchain{Version: "go1.26.99", OS: "linux", Arch: "amd64"}
	if p, err := r.Lookup(t.Context(), missing); err == nil {
		t.Errorf("%s: %s", missing, p.Text())
	}
}

func TestRealModulesAreWhatTheLogSays(t *testing.T) {
	r := realRemote(t)
	for arch, want := range known {
		tool := verify.Toolchain{Version: "go1.26.8", OS: "linux", Arch: arch}
		z, err := r.Module(t.Context(), tool)
		if err != nil {
			t.Fatal(err)
		}
		res, err := unpack.Read(t.Context(), z, unpack.GoZip(tool))
		z.Close()
		if err != nil {
			t.Fatal(err)
		}
		if h1 := res.Manifest.H1(tool); h1 != want {
			t.Errorf("%s: %s", tool, h1)
		}
		t.Logf("%s: %d files, %d bytes", tool, len(res.Manifest.Files), res.Bytes)
	}
}

// thisGo is the Go that runs the test, and whether its go.env was edited.
func thisGo(t *testing.T) (root string, tool verify.Toolchain, edited bool) {
	t.Helper()
	root = output(t, "", "go", "env", "GOROOT")
	env, err := os.ReadFile(root + "/go.env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return root, verify.Toolchain{Version: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}, sha256.Sum256(env) != goEnv.SHA256
}

func TestRealTheGoOfThisMachineIsIdentified(t *testing.T) {
	root, tool, edited := thisGo(t)
	r := realRemote(t)
	catalogue, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"by the catalogue alone": Options{}.With(catalogue),
		"by asking the log":      {Lookup: r.Lookup, Module: r.Module},
	} {
		f, err := Tree(t.Context(), machine.Local(), root, o)
		if err != nil {
			t.Fatal(err)
		}
		want, verdict := "authentic "+tool.String(), Authentic
		if edited {
			want, verdict = want+" except go.env", Except
		}
		if f.Text().EN != want || f.Verdict != verdict {
			t.Errorf("%s: %s: %s, differs: %s", name, f.Verdict, f.Text().EN, differs(f))
		}
		t.Logf("%s: %s; %s", name, f.Text().EN, f.Evidence[0].Note.EN)
	}
}

func TestRealOtherFilesThatWereTouchedAreNamed(t *testing.T) {
	root, _, edited := thisGo(t)
	r := realRemote(t)
	top := filepath.Join(t.TempDir(), "go")
	output(t, "", "cp", "-a", root, top)
	if err := os.WriteFile(top+"/src/fmt/print.go", []byte("package fmt\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(top + "/src/go.mod"); err != nil {
		t.Fatal(err)
	}
	f, err := Tree(t.Context(), machine.Local(), top, Options{Lookup: r.Lookup, Module: r.Module})
	if err != nil {
		t.Fatal(err)
	}
	want := "changed src/fmt/print.go, missing src/go.mod"
	if edited {
		want = "changed go.env, " + want
	}
	if differs(f) != want || f.Verdict != Except {
		t.Errorf("%s: %s, differs: %s", f.Verdict, f.Text().EN, differs(f))
	}
}

// pack makes an ordinary archive of a GOROOT, with go.env as it was released.
func pack(t *testing.T, root, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if rel == "go.env" {
			content = bytes.Replace(content, []byte("GOTOOLCHAIN=local"), []byte("GOTOOLCHAIN=auto"), 1)
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "go/" + filepath.ToSlash(rel), Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	for _, end := range []error{err, w.Close(), z.Close(), out.Close()} {
		if end != nil {
			t.Fatal(end)
		}
	}
}

func TestRealAnArchiveMadeOfThisGoIsProvedByTheLog(t *testing.T) {
	root, tool, _ := thisGo(t)
	file := filepath.Join(t.TempDir(), tool.Archive())
	pack(t, root, file)
	r := realRemote(t)
	catalogue, err := golang.Load()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{}.With(catalogue)
	o.Lookup, o.Now = r.Lookup, time.Now()
	f, err := File(t.Context(), machine.Local(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	if f.Verdict != Authentic || f.What != GoArchive || f.Toolchain != tool || f.Evidence[0].Kind != verify.Log {
		t.Errorf("%s: %+v", f.Text().EN, f)
	}
	for _, e := range f.Evidence {
		t.Logf("%s %s: %s", e.Verdict, e.Kind, e.Note.EN)
	}
	flip(t, file, file+".changed", 1<<20)
	if f, err = File(t.Context(), machine.Local(), file+".changed", o); err != nil || f.Verdict == Authentic {
		t.Errorf("with one bit changed: %+v, %v", f, err)
	}
}

// flip copies a file with one bit of one byte changed.
func flip(t *testing.T, from, to string, at int) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 1
	if err := os.WriteFile(to, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// sources1198 fetches Go 1.19.8's own source archive, with Google's own signature, as
// Debian 12 keeps it, through this machine's apt, which checks Debian's signature. It is
// kept in the user's cache.
func sources1198(t *testing.T) string {
	t.Helper()
	const base = "golang-1.19_1.19.8.orig.tar.gz"
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "goxin-test", "go1.19.8")
	file := filepath.Join(dir, base)
	if _, err := os.Stat(file + ".asc"); err == nil {
		return file
	}
	for _, d := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var site string // the first mirror of Debian's that this machine uses
	for _, s := range strings.Fields(output(t, "", "apt-get", "indextargets", "--format", "$(SITE)")) {
		if strings.HasSuffix(strings.TrimSuffix(s, "/"), "/debian") {
			site = s
			break
		}
	}
	if site == "" {
		t.Fatal("this machine's apt knows no mirror of Debian")
	}
	list := filepath.Join(dir, "sources.list")
	line := fmt.Sprintf("deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s bookworm main\n", site)
	if err := os.WriteFile(list, []byte(line), 0o644); err != nil {
		t.Fatal(err)
	}
	apt := func(args ...string) {
		output(t, dir, "apt-get", append([]string{
			"-q", "-o", "Dir::Etc::SourceList=" + list, "-o", "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::State::Lists=" + dir + "/lists",
			"-o", "Dir::Cache=" + dir, "-o", "Dir::Cache::Archives=" + dir + "/archives", "-o", "APT::Sandbox::User=root",
		}, args...)...)
	}
	apt("update")
	apt("source", "--download-only", "golang-1.19")
	return file
}

func TestRealGo1198sSourcesHoldWithGooglesSignature(t *testing.T) {
	file := sources1198(t)
	o := Options{Now: time.Now()}
	f, err := File(t.Context(), machine.Local(), file, o)
	if err != nil {
		t.Fatal(err)
	}
	const sum = "1d7a67929dccafeaf8a29e55985bc2b789e0499cb1a17100039f084e3238da2f" // go.dev/dl
	if f.Verdict != Authentic || f.What != GoSource || f.Toolchain.Version != "go1.19.8" || f.SHA256 != sum || len(f.Evidence) != 1 {
		t.Fatalf("%s: %+v", f.Text().EN, f)
	}
	e := f.Evidence[0]
	if e.Key != verify.GoogleKey || e.Signed.UTC().Format(time.DateOnly) != "2023-03-30" {
		t.Errorf("%+v", e)
	}
	t.Logf("%s: %s, signed %s", f.Text().EN, e.RestsOn.EN, e.Signed.UTC().Format(time.DateOnly))

	sig, err := os.ReadFile(file + ".asc")
	if err != nil {
		t.Fatal(err)
	}
	ring, err := verify.ReadKeys(keys.Google())
	if err != nil {
		t.Fatal(err)
	}
	for name, p := range map[string]verify.Policy{
		"with a clock of 1970": {Fingerprints: []string{verify.GoogleKey}, Now: time.Unix(0, 0)},
		"in time":              {Fingerprints: []string{verify.GoogleKey}, Now: time.Now(), Released: time.Date(2023, 4, 4, 0, 0, 0, 0, time.UTC)},
	} {
		r, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Release(r, sig, p); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		r.Close()
	}

	changed := filepath.Join(t.TempDir(), "changed.tar.gz")
	if err := os.WriteFile(changed+".asc", sig, 0o644); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{9, int(info.Size()) / 2, int(info.Size()) - 1} { // 9: the byte of gzip's header that nothing depends on
		flip(t, file, changed, at)
		if f, err := File(t.Context(), machine.Local(), changed, o); err != nil || f.Verdict != Refused {
			t.Errorf("byte %d changed: %+v, %v", at, f, err)
		} else {
			t.Logf("byte %d changed: %s", at, f.Text().EN)
		}
		r, err := os.Open(changed)
		if err != nil {
			t.Fatal(err)
		}
		var bad *verify.BadSignatureError
		if _, err := ring.Release(r, sig, verify.Policy{Fingerprints: []string{verify.GoogleKey}, Now: time.Now()}); !errors.As(err, &bad) {
			t.Errorf("byte %d changed: %v", at, err)
		}
		r.Close()
	}
	r, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := ring.Release(io.MultiReader(r, strings.NewReader("x")), sig, verify.Policy{Now: time.Now()}); err == nil {
		t.Error("with a byte more it holds")
	}
}
