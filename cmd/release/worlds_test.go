//go:build e2e

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"goxin/assets"
	"goxin/cmd/lab/screen"
	"goxin/steps/overlay"
	"goxin/steps/selftest"
)

// older is of the older line that the overlay is pinned for.
const older = "go1.25.14"

// machineOfTheOldWorld is a captured one, by its name.
const machineOfTheOldWorld = "loongnix-20"

// released is goxin's binary for loong64, made as every release is.
func released(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir("../..")
	if err := build(t.Context(), dir, "worlds", []string{"linux/loong64"}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "goxin-loong64")
}

// goOf is a release's GOROOT and the overlay for it.
func goOf(t *testing.T, release string) (root, list string) {
	t.Helper()
	root, err := goroot(t.Context(), release)
	if err != nil {
		t.Fatal(err)
	}
	list, err = writeOverlay(root, overlay.Arch, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return root, list
}

// compiled is a program of one file, made by the Go in root; list is "" for Go as it is.
func compiled(t *testing.T, root, list, source string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "main.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(filepath.Join(root, "bin/go"), "build", "-trimpath", "-overlay="+list, "-o", filepath.Join(dir, "program"), file)
	c.Dir = dir // in goxin's module an older Go would have to be a newer one
	c.Env = append(os.Environ(), "GOROOT="+root, "GOTOOLCHAIN=local", "GOFLAGS=", "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+overlay.Arch)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "program")
}

const hello = `package main

func main() { println("hello"); p() }

func p() {
	defer func() { recover() }()
	var x *int
	*x = 1
}
`

// As a release of Go makes it, a program dies in the old world before it says anything.
func TestWithoutTheOverlayAProgramDiesInTheOldWorldAlone(t *testing.T) {
	release, err := pinned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, _ := goOf(t, release)
	program := compiled(t, root, "", hello)
	if err := guard(program, overlay.Arch); err == nil || !strings.Contains(err.Error(), "does not ask which of LoongArch's worlds it is in") {
		t.Errorf("it could be released: %v", err)
	}
	inEach(t, func(t *testing.T, w world) {
		if !w.old {
			w.does(t, program)
		} else if out, code := w.run(t, program); code != 139 || out != "" {
			t.Errorf("exit code %d, want 139 (SIGSEGV); it said %q", code, out)
		}
	})
}

// Both lines that are pinned make programs that run in both worlds.
func TestWithTheOverlayTheSelfTestHoldsInBothWorlds(t *testing.T) {
	text, names := assets.SelfTest(), selftest.Names()
	if !slices.Contains(names, "exec") || !slices.Contains(names, "recovered-faults") {
		t.Fatalf("checks %v", names)
	}
	newest, err := pinned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, release := range []string{newest, older} {
		t.Run(release, func(t *testing.T) {
			root, list := goOf(t, release)
			greets, tests := compiled(t, root, list, hello), compiled(t, root, list, string(text))
			for _, p := range []string{greets, tests} {
				if err := guard(p, overlay.Arch); err != nil {
					t.Error(err)
				}
			}
			inEach(t, func(t *testing.T, w world) {
				w.does(t, greets)
				held(t, names, w.does(t, tests))
			})
		})
	}
}

func held(t *testing.T, names []string, out string) {
	t.Helper()
	var held []string
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
		var c struct {
			Check, Said string
			OK          bool
			MS          int
		}
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatalf("%v: %s", err, s.Bytes())
		}
		t.Logf("%-17s %6d ms  %s", c.Check, c.MS, c.Said)
		if c.OK {
			held = append(held, c.Check)
		}
	}
	if !slices.Equal(held, names) {
		t.Errorf("held %v, want %v", held, names)
	}
}

// The very file that is released does in both worlds what a person does first.
func TestTheReleasedBinaryWorksInBothWorlds(t *testing.T) {
	goxin := released(t)
	archive, err := filepath.Abs("assets/machines/" + machineOfTheOldWorld + ".tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	inEach(t, func(t *testing.T, w world) {
		t.Run("version", func(t *testing.T) {
			if out := w.does(t, goxin, "--version"); out != "goxin worlds\n" {
				t.Errorf("%q", out)
			}
		})
		t.Run("a hundred starts", func(t *testing.T) {
			const hundred = `i=0; while [ $i -lt 100 ]; do "$0" --version || echo failed with $?; i=$((i+1)); done`
			if out := w.does(t, "sh", "-c", hundred, goxin); out != strings.Repeat("goxin worlds\n", 100) {
				t.Errorf("not a hundred times the same:\n%s", out)
			}
		})
		t.Run("detect", func(t *testing.T) {
			facts(t, w.does(t, goxin, "detect", "--json"))
		})
		t.Run("a tree", func(t *testing.T) {
			root := tree(t, archive)
			facts(t, w.does(t, goxin, "--root", root, "detect", "--json"))
			goxin := []string{goxin, "--root", root}
			web := []string{"--set", "kernel.profile=web"}
			before := sums(t, root)
			if _, code := w.run(t, slices.Concat(goxin, []string{"plan"}, web)...); code != 3 {
				t.Errorf("plan: exit code %d, want 3: something would change", code)
			}
			same(t, before, sums(t, root), true)
			w.does(t, slices.Concat(goxin, []string{"apply", "--yes"}, web)...)
			same(t, before, sums(t, root), false)
			if _, code := w.run(t, slices.Concat(goxin, []string{"plan"}, web)...); code != 0 {
				t.Errorf("plan after apply: exit code %d, want 0: nothing is to be changed", code)
			}
			w.does(t, slices.Concat(goxin, []string{"undo"})...)
			same(t, before, sums(t, root), true)
		})
		t.Run("demo", func(t *testing.T) { demo(t, w, goxin) })
		t.Run("capture", func(t *testing.T) { captured(t, w, goxin) })
	})
}

// facts has to be what detect says of a machine in JSON.
func facts(t *testing.T, out string) {
	t.Helper()
	var f map[string]any
	if err := json.Unmarshal([]byte(out), &f); err != nil {
		t.Fatalf("%v: %.1000s", err, out)
	}
	for _, k := range []string{"version", "cpu", "kernel"} {
		if f[k] == nil {
			t.Errorf("facts without %s: %.1000s", k, out)
		}
	}
}

// captured has goxin capture what a report of the old world needs: the runtime that it was
// built with holds, and the kernel itself has said what world this is.
func captured(t *testing.T, w world, goxin string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "machine.tar.gz")
	w.does(t, goxin, "capture", "--oldworld", "-o", out)
	text, err := exec.Command("tar", "-xzOf", out, "oldworld.json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Overlay int
		Kernel  struct {
			Hostname string
			Sizes    []int `json:"sigset_sizes"`
		}
		World struct{ Value string }
		Test  struct{ Checks []struct{ OK bool } } `json:"self_test"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, c := range r.Test.Checks {
		if c.OK {
			held++
		}
	}
	if r.Overlay != overlay.Number || fmt.Sprint(r.Kernel.Sizes) != "["+w.sigset+"]" || r.World.Value+" world" != w.name || held != len(selftest.Names()) || r.Kernel.Hostname != "" {
		t.Errorf("%s", text)
	}
}

// demo opens the wizard on a simulated machine, goes to its first page, and leaves.
func demo(t *testing.T, w world, goxin string) {
	t.Helper()
	c := w.command(t, goxin, "demo", machineOfTheOldWorld, "--fast", "--lang", "en")
	c.Env = append(c.Env, "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8")
	f, err := pty.StartWithSize(c, &pty.Winsize{Cols: 80, Rows: 24})
	if err != nil {
		t.Fatal(err)
	}
	x := screen.New(line{f}, 80, 24, screen.Answers)
	defer x.Close()
	for _, step := range []struct {
		sees []string
		key  string
	}{
		{[]string{"SIMULATED", "Loongson 3A5000", "enter go on"}, "enter"},
		{[]string{"SIMULATED", "What shall this machine become?"}, "ctrl+c"},
		{[]string{"SIMULATED", "Leave goxin?"}, "enter"},
	} {
		if err := x.WaitFor(limit(t), step.sees...); err != nil {
			t.Fatal(err)
		}
		time.Sleep(600 * time.Millisecond) // not waiting for anything: what pops up wants a quiet keyboard
		if err := x.Key(step.key); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.WaitEnd(limit(t)); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v\n%s", err, x.Screen())
	}
	if !strings.Contains(x.Screen(), "the simulated machine is gone") {
		t.Errorf("it left with\n%s", x.Screen())
	}
}

// line is a program on a terminal of this machine.
type line struct{ *os.File }

func (l line) Resize(cols, rows int) error {
	return pty.Setsize(l.File, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
}

// tree is a captured machine's, unpacked.
func tree(t *testing.T, archive string) string {
	t.Helper()
	dir := t.TempDir()
	if out, err := exec.Command("tar", "-xzf", archive, "-C", dir, "--no-same-owner", "root").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "root")
}

// sums says of each file of a tree what it is; goxin's own state is left out.
func sums(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == filepath.Join(root, "var/lib/goxin") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		what := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			what += fmt.Sprintf(" %x", sha256.Sum256(data))
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(name)
			if err != nil {
				return err
			}
			what += " " + to
		}
		all[strings.TrimPrefix(name, root)] = what
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same compares two states of a tree.
func same(t *testing.T, before, after map[string]string, want bool) {
	t.Helper()
	var differ []string
	for name, what := range after {
		if before[name] != what {
			differ = append(differ, name+": "+before[name]+" → "+what)
		}
	}
	for name := range before {
		if after[name] == "" {
			differ = append(differ, name+" is gone")
		}
	}
	if slices.Sort(differ); (len(differ) == 0) != want {
		t.Errorf("same as before: %v, want %v\n%s", !want, want, strings.Join(differ, "\n"))
	}
}
