//go:build e2e

package main

import (
	"bufio"
	"fmt"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// refused are the calls that an old-world kernel lacks and a run asks for all the same,
// with what becomes of it.
var refused = map[string]string{
	"pidfd_open": "os: the probe for pidfds; ENOSYS means pids",
}

// The calls of a whole run, written down by the emulator (of the old world, where it is):
// all of them are 4.19's, and none gives a signal set of another size than the kernel has; only a question may.
func TestAWholeRunMakesOnlyCallsThatAnOldWorldKernelHas(t *testing.T) {
	goxin := released(t)
	archive, err := filepath.Abs("assets/machines/" + machineOfTheOldWorld + ".tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	w := worlds(t)[0]
	logs := t.TempDir()
	w.env = append(w.env, "QEMU_STRACE=1")
	n := 0
	traced := func() world {
		n++
		w := w
		w.env = append(slices.Clone(w.env), fmt.Sprintf("QEMU_LOG_FILENAME=%s/run%d-%%d", logs, n))
		return w
	}
	root := tree(t, archive)
	traced().does(t, goxin, "detect", "--json")
	if _, code := traced().run(t, goxin, "--root", root, "plan", "--set", "kernel.profile=web"); code != 3 {
		t.Errorf("plan: exit code %d, want 3: something would change", code)
	}
	traced().does(t, goxin, "--root", root, "apply", "--yes", "--set", "kernel.profile=web")
	traced().does(t, goxin, "--root", root, "undo")
	demo(t, traced(), goxin)

	files, err := filepath.Glob(filepath.Join(logs, "*"))
	if err != nil || len(files) < n {
		t.Fatalf("%d records of %d programs, %v", len(files), n, err)
	}
	had := calls419(t)
	made := map[string]int{}
	for _, name := range files {
		c := read(t, name)
		for call, times := range c.made {
			made[call] += times
			if !had[call] && refused[call] == "" {
				t.Errorf("%s: %s (%d times) is newer than 4.19", filepath.Base(name), call, times)
			}
		}
		if w.old && len(c.refused) == 0 {
			t.Errorf("%s: it did not ask by the new world's size", filepath.Base(name))
		}
		for _, call := range c.refused { // by the runtime at its start, and by detect
			if !strings.HasPrefix(call, "rt_sigaction(SIGHUP,NULL,") {
				t.Errorf("%s: refused, and no mere question: %s", filepath.Base(name), call)
			}
		}
		for _, s := range c.sizes {
			if s != w.sigset {
				t.Errorf("%s: a signal set of %s bytes", filepath.Base(name), s)
			}
		}
		if w.old && len(c.sizes) == 0 { // QEMU 7.2 does not write them down
			t.Errorf("%s: no signal set at all: it was not read aright", filepath.Base(name))
		}
	}
	var list strings.Builder
	for _, call := range slices.Sorted(maps.Keys(made)) {
		fmt.Fprintf(&list, "%s %d, ", call, made[call])
	}
	t.Logf("%d calls: %s", len(made), strings.TrimSuffix(list.String(), ", "))
	for _, call := range []string{"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "statx", "epoll_pwait", "clone", "flock", "renameat2"} {
		if made[call] == 0 {
			t.Errorf("%s was never made: this was no whole run, or it was not read aright", call)
		}
	}
}

// record is what the emulator wrote down of a program.
type record struct {
	made    map[string]int // by the call's name
	sizes   []string       // of signal sets, in bytes
	refused []string       // calls about signals, whole
}

// Threads write at the same time, so a call may stand anywhere in a line.
var (
	aCall  = regexp.MustCompile(`\b[0-9]+ ([a-z][a-z0-9_]*|Unknown syscall [0-9]+)\b[( ]?`)
	aSize  = regexp.MustCompile(`\brt_sigprocmask\([^()]*,([0-9]+)\) =`)
	refuse = regexp.MustCompile(`\b(rt_sig[a-z]+|signalfd4?|pselect6|ppoll|epoll_pwait2?)\([^()]*\) = -1 errno=22\b`)
)

func read(t *testing.T, name string) record {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := record{made: map[string]int{}}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		for _, m := range aCall.FindAllStringSubmatch(s.Text(), -1) {
			if strings.HasSuffix(m[0], "(") || strings.HasPrefix(m[1], "Unknown") {
				r.made[m[1]]++
			}
		}
		for _, m := range aSize.FindAllStringSubmatch(s.Text(), -1) {
			r.sizes = append(r.sizes, m[1])
		}
		r.refused = append(r.refused, refuse.FindAllString(s.Text(), -1)...)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return r
}

// calls419 are the calls of LoongArch's kernel 4.19 by name, from the list of all.
func calls419(t *testing.T) map[string]bool {
	t.Helper()
	all := packages(t)
	at := slices.IndexFunc(all, func(p pkg) bool { return p.ImportPath == unixPackage })
	if at < 0 {
		t.Fatalf("%s is not among the %d packages", unixPackage, len(all))
	}
	had := map[string]bool{}
	for name, n := range numbers(all[at].parse(t, token.NewFileSet())) {
		if n <= newest {
			had[strings.ToLower(strings.TrimPrefix(name, "SYS_"))] = true
		}
	}
	for _, name := range []string{"getrlimit", "setrlimit"} { // the old world alone
		had[name] = true
	}
	return had
}
