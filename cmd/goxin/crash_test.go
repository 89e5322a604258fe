package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// goxin runs this test binary as goxin; die is the effect at which it is killed,
// 0 for none. It returns the exit code, -1 for one that was killed.
func goxin(t *testing.T, die int, args ...string) (int, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Args[0] = "goxin"
	c.Env = append(os.Environ(), "LANG=C", "GOXIN_DIE_AT="+strconv.Itoa(die))
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// treeHash is everything in dir but goxin's own state.
func treeHash(t *testing.T, dir string) string {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(p, dir)
		if rel == "/var/lib/goxin" {
			return filepath.SkipDir
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		st := fi.Sys().(*syscall.Stat_t)
		fmt.Fprintln(h, rel, fi.Mode(), st.Uid, st.Gid)
		switch {
		case fi.Mode().IsRegular():
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintf(h, "%d %s\n", len(b), b)
		case fi.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(p)
			if err != nil {
				return err
			}
			fmt.Fprintln(h, to)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// TestKilledAtEveryEffectOfARealRun kills the program with SIGKILL at its first
// effect on a Kylin tree, its second, and so on; resume ends where an
// uninterrupted run ends, undo where it began.
func TestKilledAtEveryEffectOfARealRun(t *testing.T) {
	tmp := t.TempDir()
	// Every effect is synced; in memory that costs nothing, and a killed process
	// loses nothing there either.
	if dir, err := os.MkdirTemp("/dev/shm", "goxin"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		tmp = dir
	}
	base := tmp + "/base"
	if err := layTree("kylin-v10-sp3-kunpeng920", base); err != nil {
		t.Fatal(err)
	}
	fresh := func(name string) string {
		dir := filepath.Join(tmp, name)
		if out, err := exec.Command("cp", "-a", base, dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return dir
	}
	apply := func(dir string, die int) (int, string) {
		return goxin(t, die, "apply", "--root", dir, "--yes", "--set", "kernel.profile=web")
	}
	uninterrupted := fresh("whole")
	before := treeHash(t, uninterrupted)
	if code, out := apply(uninterrupted, 0); code != 0 {
		t.Fatalf("exit %d: %s", code, out)
	}
	after := treeHash(t, uninterrupted)
	if before == after {
		t.Fatal("the run changed nothing")
	}
	step := 1
	if testing.Short() {
		step = 9
	}
	n := step
	for ; ; n += step {
		dir := fresh("killed")
		if code, _ := apply(dir, n); code != -1 {
			break
		}
		other := fresh("other")
		if out, err := exec.Command("sh", "-c", "rm -rf "+other+" && cp -a "+dir+" "+other).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		code, out := goxin(t, 0, "resume", "--root", dir)
		if code == 0 && strings.Contains(out, "nothing to resume") {
			if c, _ := goxin(t, 0, "plan", "--root", dir, "--set", "kernel.profile=web"); c == 3 {
				code, out = apply(dir, 0) // it died before its header was durable
			}
		}
		if code != 0 || treeHash(t, dir) != after {
			t.Fatalf("killed at effect %d, resumed: exit %d, tree as after a whole run: %v\n%s", n, code, treeHash(t, dir) == after, out)
		}
		if code, out := goxin(t, 0, "undo", "--root", other); code != 0 || treeHash(t, other) != before {
			t.Fatalf("killed at effect %d, undone: exit %d, tree as before: %v\n%s", n, code, treeHash(t, other) == before, out)
		}
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(other)); err != nil {
			t.Fatal(err)
		}
	}
	if n < 40 {
		t.Fatalf("a run of only %d effects proves little", n)
	}
	t.Logf("killed at each of %d effects", n-step)
}
