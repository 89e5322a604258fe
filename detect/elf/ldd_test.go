package elf_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/detect/elf"
	"goxin/detect/machine"
)

// installed gives about n programs and shared objects of this machine, spread
// over its /usr.
func installed(tb testing.TB, n int) []string {
	tb.Helper()
	var all []string
	m := machine.Local()
	for _, top := range []string{"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/libexec", "/usr/local"} {
		_ = filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() || filepath.Ext(name) != "" && !strings.Contains(filepath.Base(name), ".so") {
				return nil
			}
			if o, err := elf.Read(m, name); err == nil && o.Dynamic() {
				all = append(all, name)
			}
			return nil
		})
	}
	if len(all) < 50 {
		tb.Fatalf("only %d programs and libraries on this machine", len(all))
	}
	var out []string
	for i := 0; i < len(all); i += max(1, len(all)/n) {
		out = append(out, all[i])
	}
	return out
}

// ldd gives what ldd(1) prints of name: library → path or "not found".
func ldd(name string) map[string]string {
	c := exec.Command("ldd", name)
	c.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	out, _ := c.Output() // it fails on what it refuses, and prints no arrow
	got := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if lib, at, ok := strings.Cut(strings.TrimSpace(line), " => "); ok {
			at, _, _ = strings.Cut(at, " (0x")
			got[lib] = at
		}
	}
	return got
}

func TestEveryLibraryIsTheOneLddNames(t *testing.T) {
	names := installed(t, 200)
	want := make([]map[string]string, len(names))
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				want[i] = ldd(names[i])
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wg.Wait()

	r := elf.NewResolver(machine.Local())
	compared := 0
	for i, name := range names {
		c, err := r.Resolve(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := map[string]elf.Lib{}
		for _, l := range c.Libs {
			if _, ok := got[l.Name]; !ok {
				got[l.Name] = l
			}
		}
		for lib, at := range want[i] {
			compared++
			l, needed := got[lib]
			if at == "not found" {
				if !needed || l.Problem == "" {
					t.Errorf("%s: %s is at %s, ldd does not find it", name, lib, l.Path)
				}
				continue
			}
			a, err1 := os.Stat(at)
			b, err2 := os.Stat(l.Path)
			if err1 != nil || err2 != nil || !os.SameFile(a, b) {
				t.Errorf("%s: %s is at %q (%s), for ldd at %s", name, lib, l.Path, l.Problem, at)
			}
		}
	}
	if compared < 100 {
		t.Errorf("only %d libraries compared", compared)
	}
	t.Logf("%d libraries of %d objects", compared, len(names))
}

// BenchmarkBesideLdd tells how many times faster than a loop of ldd over 200
// objects it is, both measured in this run; the resolver begins with nothing
// read each time.
func BenchmarkBesideLdd(b *testing.B) {
	names := installed(b, 200)
	start := time.Now()
	for _, name := range names {
		ldd(name)
	}
	loop := time.Since(start)
	for b.Loop() {
		if _, err := elf.NewResolver(machine.Local()).Check(context.Background(), names...); err != nil {
			b.Fatal(err)
		}
	}
	each := b.Elapsed() / time.Duration(b.N)
	b.ReportMetric(float64(loop)/float64(each), "times-ldd")
	b.ReportMetric(float64(len(names)), "objects")
}
