package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/golang"
	"goxin/detect/machine"
	"goxin/steps/op"
	"goxin/steps/origin"
	"goxin/steps/verify"
)

// goPairs is how often two installations are measured, turn and turn about.
const goPairs = 7

// benchGo measures how goxin installs and verifies Go beside what a person would
// type, all from one server on this machine.
func benchGo(ctx context.Context, l *Lab, _ []string) error {
	dir, err := l.Releases(ctx)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b := goBench{self: self, archive: filepath.Join(dir, "archives", labToolchains[0].Archive())}
	if err := b.serve(); err != nil {
		return err
	}
	for _, place := range []struct{ what, dir, sync string }{{"tmpfs", "/dev/shm", ""}, {"disk", "/var/tmp", " && sync"}} {
		if err := b.in(ctx, place.what, place.dir, place.sync); err != nil {
			return err
		}
	}
	fmt.Printf("\n  %-38s %10.1f MB   goal at most 40 MB\n", "peak memory of an installation", float64(b.memory)/1e6)
	return b.slow(ctx)
}

type goBench struct {
	self, archive, url string
	memory             int64
}

// serve serves the archive, its digest and a signature on loopback.
func (b *goBench) serve() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(listener, http.FileServer(http.Dir(filepath.Dir(b.archive)))) }()
	b.url = "http://" + listener.Addr().String() + "/" + filepath.Base(b.archive)
	return nil
}

// in measures in one place.
func (b *goBench) in(ctx context.Context, what, place, sync string) error {
	dir, err := os.MkdirTemp(place, "goxin-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	home, err := signed(ctx, dir, b.archive)
	if err != nil {
		return err
	}
	var tar, careful, verified, summed []float64 // ratios to goxin's own
	var own []time.Duration
	one := func(into *[]float64, by time.Duration, script string) error {
		took, _, err := timed("sh", "-ec", script)
		*into = append(*into, float64(took)/float64(by))
		return err
	}
	for range goPairs {
		tree := filepath.Join(dir, "tree")
		took, memory, err := timed(b.self, "install-go", b.url, tree)
		if err != nil {
			return err
		}
		own, b.memory = append(own, took), max(b.memory, memory)
		begin := time.Now()
		if err := quietly(ctx, "", nil, b.self, "verify-go", tree); err != nil {
			return err
		}
		looked := time.Since(begin)
		verified = append(verified, looked.Seconds())
		for _, err := range []error{
			one(&summed, looked, "cd "+tree+" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum"),
			one(&tar, took, "mkdir "+dir+"/t && cd "+dir+"/t && curl -sf "+b.url+" | tar xz"+sync),
			one(&careful, took, "mkdir "+dir+"/c && cd "+dir+"/c && wget -q "+b.url+" && sha256sum -c --quiet ../sum && "+
				"gpg --homedir "+home+" --batch -q --verify ../sig "+filepath.Base(b.archive)+" 2>/dev/null && tar xzf "+filepath.Base(b.archive)+sync),
			quietly(ctx, dir, nil, "rm", "-rf", "tree", "tree.manifest", "tree.evidence", "t", "c"),
		} {
			if err != nil {
				return err
			}
		}
		if sync != "" { // what the next one has to write is its own
			_ = exec.Command("sync").Run()
		}
	}
	goal := map[string]string{"": "1.4", " && sync": "1.1"}[sync]
	fmt.Printf("\n%s, medians of %d pairs\n\n", what, goPairs)
	fmt.Printf("  %-50s %8.2f s\n", "goxin installs Go, proved by the log", median(own).Seconds())
	fmt.Printf("  %-50s %8.2f ×  goal at most %s\n", "beside curl | tar xz"+sync+", which proves nothing", 1/median(tar), goal)
	fmt.Printf("  %-50s %8.2f ×  goal at least 1.5\n", "faster than wget; sha256sum; gpg --verify; tar", median(careful))
	fmt.Printf("  %-50s %8.2f s\n", "goxin verifies a GOROOT", median(verified))
	fmt.Printf("  %-50s %8.2f ×  goal at least 1.5\n", "faster than find … | sha256sum", median(summed))
	return nil
}

// signed puts a digest and a signature of a throw-away key in dir, for the one who
// does it by hand; it gives the keyring's directory.
func signed(ctx context.Context, dir, archive string) (home string, err error) {
	s, err := newSigner(ctx)
	if err != nil {
		return "", err
	}
	sum, err := fileSum(archive)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "sum"), []byte(fmt.Sprintf("%x  %s\n", sum, filepath.Base(archive))), 0o644)
	}
	if err == nil {
		err = s.detached(ctx, labKey, archive, filepath.Join(dir, "sig"))
	}
	return s.home, err
}

// slow has three servers of 20 MB/s, of which the first dies half-way.
func (b *goBench) slow(ctx context.Context) error {
	fi, err := os.Stat(b.archive)
	if err != nil {
		return err
	}
	var urls []string
	var served [3]atomic.Int64
	for i := range served {
		dies := int64(-1)
		if i == 0 {
			dies = fi.Size() / 2
		}
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		h := http.FileServer(http.Dir(filepath.Dir(b.archive)))
		go func() {
			_ = http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				h.ServeHTTP(&slowly{ResponseWriter: w, sent: &served[i], dies: dies, start: time.Now()}, r)
			}))
		}()
		urls = append(urls, "http://"+listener.Addr().String()+"/"+filepath.Base(b.archive))
	}
	dir, err := os.MkdirTemp("/dev/shm", "goxin-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	took, _, err := timed(b.self, "install-go", strings.Join(urls, ","), filepath.Join(dir, "tree"))
	if err != nil {
		return err
	}
	fmt.Printf("\n  three servers of 20 MB/s, one dies half-way: proved and installed in %.1f s (%.1f MB at 20 MB/s alone are %.1f s); they gave %.1f, %.1f and %.1f MB\n",
		took.Seconds(), float64(fi.Size())/1e6, float64(fi.Size())/20e6,
		float64(served[0].Load())/1e6, float64(served[1].Load())/1e6, float64(served[2].Load())/1e6)
	return nil
}

// slowly is an answer at 20 MB/s, cut once so much has been sent.
type slowly struct {
	http.ResponseWriter
	sent  *atomic.Int64
	dies  int64
	mine  int64
	start time.Time
}

func (s *slowly) Write(p []byte) (int, error) {
	if s.dies >= 0 && s.sent.Load() >= s.dies {
		panic(http.ErrAbortHandler)
	}
	n, err := s.ResponseWriter.Write(p)
	s.sent.Add(int64(n))
	s.mine += int64(n)
	time.Sleep(time.Until(s.start.Add(time.Duration(float64(s.mine) / 20e6 * float64(time.Second)))))
	return n, err
}

// ReadFrom would be the kernel's own way, which keeps to no rate.
func (s *slowly) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{s}, r)
}

// installGo is the part of benchGo that is measured, in a process of its own.
func installGo(ctx context.Context, urls, dir string) error {
	t := labToolchains[0]
	c, err := golang.Load()
	if err != nil {
		return err
	}
	f, ok := c.Find(t.Version, t.OS, t.Arch)
	if !ok {
		return fmt.Errorf("the catalogue does not have %s", t)
	}
	o := &op.Tree{
		Dir:     dir,
		Archive: &op.Archive{Sources: strings.Split(urls, ","), Format: "tar.gz"},
		Want:    &op.Want{Toolchain: t, H1: f.H1, Proof: f.Proof},
	}
	_, err = o.Do(ctx, machine.Local(), nil)
	return err
}

// partsOfBenchGo are its commands that are measured in processes of their own.
func partsOfBenchGo() []*cobra.Command {
	return []*cobra.Command{
		{
			Use: "install-go URLS DIR", Hidden: true, Args: cobra.ExactArgs(2),
			RunE: func(c *cobra.Command, args []string) error { return installGo(c.Context(), args[0], args[1]) },
		},
		{
			Use: "verify-go DIR", Hidden: true, Args: cobra.ExactArgs(1),
			RunE: func(c *cobra.Command, args []string) error { return verifyGo(c.Context(), args[0]) },
		},
	}
}

// verifyGo fails unless a tree is what the checksum database says, by the proof that
// the catalogue carries.
func verifyGo(ctx context.Context, dir string) error {
	c, err := golang.Load()
	if err != nil {
		return err
	}
	f, err := origin.Tree(ctx, machine.Local(), dir, origin.Options{
		Now: time.Now(),
		Lookup: func(_ context.Context, t verify.Toolchain) (*verify.Proof, error) {
			f, _ := c.Find(t.Version, t.OS, t.Arch)
			return verify.ParseProof([]byte(f.Proof))
		},
	})
	if err == nil && f.Verdict != origin.Authentic {
		err = fmt.Errorf("%s is %s", dir, f.Verdict)
	}
	return err
}
