package elf_test

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/detect/elf"
	"goxin/detect/machine"
)

// installed gives the programs and shared objects of this machine's /usr, sorted.
func installed(tb testing.TB) []string {
	tb.Helper()
	all := walkUsr()
	if len(all) < 50 {
		tb.Fatalf("only %d programs and libraries on this machine", len(all))
	}
	return all
}

var walkUsr = sync.OnceValue(func() (all []string) {
	m := machine.Local()
	_ = filepath.WalkDir("/usr", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if o, err := elf.Read(m, name); err == nil && o.Dynamic() {
			all = append(all, name)
		}
		return nil
	})
	return all
})

// spread gives about n of names.
func spread(names []string, n int) []string {
	var out []string
	for i := 0; i < len(names); i += max(1, len(names)/n) {
		out = append(out, names[i])
	}
	return out
}

// ldd gives what ldd(1) prints of each of names: library → path or "not found".
func ldd(names ...string) map[string]map[string]string {
	c := exec.Command("ldd", names...)
	c.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	out, _ := c.Output() // it fails on what it refuses, and prints no arrow
	all := map[string]map[string]string{}
	got := map[string]string{}
	all[names[0]] = got // of a single file it prints no name
	for line := range strings.Lines(string(out)) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutSuffix(line, ":"); ok && strings.HasPrefix(name, "/") {
			got = map[string]string{}
			all[name] = got
		}
		if lib, at, ok := strings.Cut(strings.TrimSpace(line), " => "); ok {
			at, _, _ = strings.Cut(at, " (0x")
			got[lib] = at
		}
	}
	return all
}

// lddAll is ldd of many files, on every CPU at once.
func lddAll(names []string) map[string]map[string]string {
	var mu sync.Mutex
	var wg sync.WaitGroup
	all := map[string]map[string]string{}
	next := make(chan []string)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for batch := range next {
				got := ldd(batch...)
				mu.Lock()
				maps.Copy(all, got)
				mu.Unlock()
			}
		})
	}
	for batch := range slices.Chunk(names, 50) {
		next <- batch
	}
	close(next)
	wg.Wait()
	return all
}

func TestEveryLibraryOfThisMachinesUsrIsTheOneLddNames(t *testing.T) {
	names := installed(t)
	want := lddAll(names)
	unmet := map[string]bool{} // what ldd does not find
	t.Run("each is where the loader finds it", func(t *testing.T) {
		r := elf.NewResolver(machine.Local())
		compared := 0
		for _, name := range names {
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
			for lib, at := range want[name] {
				compared++
				l, needed := got[lib]
				if at == "not found" {
					unmet[lib] = true
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
	})
	t.Run("missing is only what nothing beside provides", func(t *testing.T) {
		rep, err := elf.NewResolver(machine.Local()).Check(context.Background(), "/usr")
		if err != nil {
			t.Fatal(err)
		}
		told := map[string]bool{}
		for _, f := range rep.Missing {
			told[f.Library] = true
			if f.Problem != elf.NotFound {
				continue
			}
			if !unmet[f.Library] {
				t.Errorf("%s is missing for %v, ldd finds it for everyone", f.Library, f.By)
			}
			for _, by := range f.By {
				if at := besideOf(names, by, f.Library); at != "" {
					t.Errorf("%s is missing for %s, and at %s", f.Library, by, at)
				}
			}
		}
		for _, f := range rep.Beside {
			told[f.Library] = true
			if o, err := elf.Read(machine.Local(), f.Beside); err != nil || o.Kind != elf.Library {
				t.Errorf("%s is said to be at %q: %v", f.Library, f.Beside, err)
			}
		}
		for lib := range unmet {
			if !told[lib] {
				t.Errorf("ldd does not find %s, and nothing is said of it", lib)
			}
		}
		t.Logf("%d objects: ldd does not find %d libraries; %d findings missing, %d beside", rep.Objects, len(unmet), len(rep.Missing), len(rep.Beside))
	})
}

// besideOf looks in the directories of by, up to three levels above it and short of
// those that all installations share, for a library.
func besideOf(names []string, by, lib string) string {
	d := filepath.Dir(by)
	for range 3 {
		if strings.Count(d, "/") < 3 || strings.HasSuffix(d, "-linux-gnu") || strings.HasPrefix(d, "/usr/local/") && strings.Count(d, "/") < 4 {
			return ""
		}
		for _, n := range names {
			if filepath.Base(n) == lib && strings.HasPrefix(n, d+"/") {
				return n
			}
		}
		d = filepath.Dir(d)
	}
	return ""
}

// BenchmarkBesideLdd tells how many times faster than a loop of ldd over 200
// objects it is, both measured in this run; the resolver begins with nothing
// read each time. The goal is 20.
func BenchmarkBesideLdd(b *testing.B) {
	names := spread(installed(b), 200)
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
