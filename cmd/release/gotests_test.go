//go:build e2e

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// ofGo are those of Go's own tests that feel a kernel's signal ABI.
var ofGo = []struct{ pkg, run, skip string }{
	{pkg: "os/signal"},
	{pkg: "internal/poll"},
	{pkg: "os/exec"},
	{pkg: "syscall"},
	// The programs that these build and run, some to their death, have the overlay too.
	{
		pkg:  "runtime",
		run:  "Signal|Preempt|Panic|Recover|GC|Stack|Prof|Fault|Nil|Defer|Goexit|LockOSThread|Callers",
		skip: "TestTracebackSystem|TestGoroutineLeakProfile|TestLockRank", // emulated they take minutes, and feel no signal
	},
}

// exceptions are the tests that do not pass in both worlds, and why not.
var exceptions = map[string]struct{ old, new, why string }{
	"os/exec.TestFindExecutableVsNoexec": {"SKIP", "PASS", "it wants faccessat2, which is newer than 4.19"},
	"syscall.TestPidFD":                  {"SKIP", "FAIL", "pidfd_open is newer than 4.19; QEMU 7.2 has it, and then refuses CLONE_PIDFD"},
	"syscall.TestSetuidEtc":              {"FAIL", "FAIL", "the namespace in which the tests run has one user"},
	"syscall.TestExecPtrace":             {"FAIL", "FAIL", "user-mode QEMU has no ptrace"},
}

func TestGosOwnTestsSayTheSameInBothWorlds(t *testing.T) {
	release, err := pinned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, list := goOf(t, release)
	env := []string{"GOROOT=" + root, "GOTOOLCHAIN=local", "GOFLAGS=-overlay=" + list, "CGO_ENABLED=0", "GOOS=linux", "GOARCH=loong64", "PATH=" + filepath.Join(root, "bin") + ":" + os.Getenv("PATH")}
	both := worlds(t)
	if len(both) < 2 {
		t.Fatal("this takes both worlds")
	}
	for _, p := range ofGo {
		t.Run(p.pkg, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "tests")
			c := exec.Command(filepath.Join(root, "bin/go"), "test", "-c", "-o", program, p.pkg)
			c.Dir, c.Env = filepath.Join(root, "src", p.pkg), append(os.Environ(), env...)
			if out, err := c.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			var said [2]map[string]string
			var logs [2]string
			for i, w := range both {
				begin := time.Now()
				c := w.command(t, program, "-test.v", "-test.short", "-test.timeout=30m", "-test.run="+p.run, "-test.skip="+p.skip)
				c.Dir, c.Env = filepath.Join(root, "src", p.pkg), append(append(c.Env, env...), "TMPDIR="+t.TempDir())
				out, err := c.CombinedOutput()
				said[i], logs[i] = verdicts(string(out)), string(out)
				t.Logf("%s: %s, %.0f s, %v", w.name, count(said[i]), time.Since(begin).Seconds(), err)
			}
			compare(t, p.pkg, said, logs)
		})
	}
}

var (
	began = regexp.MustCompile(`=== RUN +(\S+)\n`)
	ended = regexp.MustCompile(`--- (PASS|FAIL|SKIP): (\S+) \(`)
)

// verdicts are of the tests, not of their parts. One that began and never ended took its
// program with it.
func verdicts(out string) map[string]string {
	v := map[string]string{}
	for _, m := range began.FindAllStringSubmatch(out, -1) {
		if !strings.Contains(m[1], "/") {
			v[m[1]] = "DIED"
		}
	}
	for _, m := range ended.FindAllStringSubmatch(out, -1) {
		if _, ours := v[m[2]]; ours || strings.HasPrefix(m[2], "Example") {
			v[m[2]] = m[1]
		}
	}
	return v
}

func count(said map[string]string) string {
	n := map[string]int{}
	for _, v := range said {
		n[v]++
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped, %d died", n["PASS"], n["FAIL"], n["SKIP"], n["DIED"])
}

// compare wants the same of both worlds, and no failure, but for what is known.
func compare(t *testing.T, pkg string, said [2]map[string]string, logs [2]string) {
	t.Helper()
	all := map[string]bool{}
	passed := 0
	for _, s := range said {
		for name := range s {
			all[name] = true
		}
	}
	for name := range all {
		old, now := said[0][name], said[1][name]
		known, ok := exceptions[pkg+"."+name]
		switch {
		case old == now && (old == "PASS" || old == "SKIP"):
			if old == "PASS" {
				passed++
			}
		case ok && (old == known.old || old == "PASS") && (now == known.new || now == "PASS"):
			t.Logf("known: %s: %s in the old world, %s in the new: %s", name, old, now, known.why)
		default:
			t.Errorf("%s: %q in the old world, %q in the new\n--- old\n%s\n--- new\n%s", name, old, now, of(logs[0], name), of(logs[1], name))
		}
	}
	if passed == 0 {
		t.Errorf("no test passed\n%.2000s", slices.Max(logs[:]))
	}
}

// of is what a program of tests said from a test's begin to its end.
func of(log, test string) string {
	_, after, _ := strings.Cut(log, "=== RUN   "+test+"\n")
	text, _, _ := strings.Cut(after, "\n=== RUN ")
	return text[:min(len(text), 2000)]
}
