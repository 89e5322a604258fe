package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

var errDied = errors.New("died here")

// failAt dies at the n-th effect, and at each one after: a dead process has no more.
func failAt(n int) func(string, string) error {
	i := 0
	return func(string, string) error {
		if i++; i >= n {
			return errDied
		}
		return nil
	}
}

// dieEverywhere runs do, dying at its first effect, then at its second, and so
// on until it gets through; it returns how many effects there were. After each
// death check sees the tree, which setup made afresh.
func dieEverywhere(t *testing.T, setup func(dir string), do func(m Machine) error, check func(n int, dir string)) int {
	t.Helper()
	for n := 1; ; n++ {
		if n > 100 {
			t.Fatal("there is no end to the effects")
		}
		dir := t.TempDir()
		setup(dir)
		err := do(Root(dir, WithEffects(failAt(n))))
		if err != nil && !errors.Is(err, errDied) {
			t.Fatalf("effect %d: %v", n, err)
		}
		check(n, dir)
		if err == nil {
			return n - 1
		}
	}
}

func TestAWriteCutShortAnywhereLeavesTheOldOrTheNew(t *testing.T) {
	for _, c := range []struct {
		name  string
		plant []string
		old   string // "" for none
		least int
	}{
		{"new", nil, "", 7},
		{"there", []string{"f f " + oldData}, oldData, 7},
		{"link", []string{"f f " + oldData, "l l f"}, oldData, 7},
		{"stale temporary", []string{"f f " + oldData, "f .f.goxin-new half"}, oldData, 8},
		{"stale directory", []string{"f f " + oldData, "d .f.goxin-new/d"}, oldData, 8},
	} {
		name, seen := "/f", map[string]bool{}
		if c.name == "link" {
			name = "/l"
		}
		total := dieEverywhere(t,
			func(dir string) { plant(t, dir, c.plant...) },
			func(m Machine) error { return m.WriteFile(name, []byte(newData), 0o600, Keep) },
			func(n int, dir string) {
				b, err := os.ReadFile(filepath.Join(dir, "f"))
				now := string(b)
				seen[now] = true
				if err != nil && (c.old != "" || !errors.Is(err, fs.ErrNotExist)) || now != newData && now != c.old {
					t.Errorf("%s, effect %d: %q, %v", c.name, n, now, err)
				}
				if now == newData {
					if fi, err := os.Stat(filepath.Join(dir, "f")); err != nil || fi.Mode() != 0o600 {
						t.Errorf("%s, effect %d: the new data has mode %v, %v", c.name, n, fi.Mode(), err)
					}
				}
				m := Root(dir)
				if err := m.Clean(name); err != nil {
					t.Errorf("%s, effect %d: Clean: %v", c.name, n, err)
				}
				for _, left := range []string{".f.goxin-new", ".l.goxin-new"} {
					if _, err := os.Lstat(filepath.Join(dir, left)); err == nil {
						t.Errorf("%s, effect %d: Clean left %s", c.name, n, left)
					}
				}
				if err := m.WriteFile(name, []byte(newData), 0o600, Keep); err != nil || content(t, filepath.Join(dir, "f")) != newData {
					t.Errorf("%s, effect %d: again: %v", c.name, n, err)
				}
			})
		if total < c.least || !seen[c.old] || !seen[newData] {
			t.Errorf("%s: %d effects, saw %v", c.name, total, seen)
		}
	}
}

func TestAnAbandonedWriteIsNotCleaned(t *testing.T) {
	dir := t.TempDir()
	m := Root(dir, WithEffects(func(effect, name string) error {
		if name != "/f" {
			t.Errorf("%s of %q", effect, name)
		}
		if effect == "write-half" {
			return errDied
		}
		return nil
	}))
	if err := m.WriteFile("/f", []byte("abcdef"), 0o600, Keep); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, ".f.goxin-new")); got != "abc" {
		t.Errorf("half is %q", got)
	}
}

func TestAKilledWriterLeavesTheOldOrTheNew(t *testing.T) {
	for n := 1; ; n++ {
		dir := t.TempDir()
		plant(t, dir, "f f "+oldData)
		out, err := play(t, "die", dir, strconv.Itoa(n)).CombinedOutput()
		if len(out) > 0 {
			t.Fatalf("%s", out)
		}
		if got := content(t, filepath.Join(dir, "f")); got != oldData && got != newData {
			t.Errorf("effect %d: %q", n, got)
		}
		if e := Root(dir).Clean("/f"); e != nil || names(t, dir) != "f" {
			t.Errorf("effect %d: %v, left %s", n, e, names(t, dir))
		}
		if err == nil {
			if n < 7 {
				t.Errorf("only %d effects", n-1)
			}
			return
		}
	}
}

func TestAnAppendCutShortAnywhereLeavesAPrefix(t *testing.T) {
	dieEverywhere(t,
		func(dir string) { plant(t, dir, "f f "+oldData) },
		func(m Machine) error { return m.Append("/f", []byte("abcdef"), 0o600) },
		func(n int, dir string) {
			switch got := content(t, filepath.Join(dir, "f")); got {
			case oldData, oldData + "abc", oldData + "abcdef":
			default:
				t.Errorf("effect %d: %q", n, got)
			}
		})
	dieEverywhere(t,
		func(string) {},
		func(m Machine) error { return m.Append("/f", []byte("abcdef"), 0o600) },
		func(n int, dir string) {
			if got := names(t, dir); got != "" && got != "f" {
				t.Errorf("effect %d: left %s", n, got)
			}
		})
}

func TestALinkCutShortAnywhereIsTheOldOrTheNew(t *testing.T) {
	seen := map[string]bool{}
	dieEverywhere(t,
		func(dir string) { plant(t, dir, "l l old") },
		func(m Machine) error { return m.Symlink("new", "/l") },
		func(n int, dir string) {
			got, err := os.Readlink(filepath.Join(dir, "l"))
			if err != nil {
				t.Errorf("effect %d: %v", n, err)
			}
			seen[got] = true
			if err := Root(dir).Clean("/l"); err != nil || names(t, dir) != "l" {
				t.Errorf("effect %d: %v, left %s", n, err, names(t, dir))
			}
		})
	if len(seen) != 2 || !seen["old"] || !seen["new"] {
		t.Errorf("saw %v", seen)
	}
}

func TestAStageCutShortAnywhereIsNotThereOrWhole(t *testing.T) {
	whole := 0
	total := dieEverywhere(t,
		func(string) {},
		fillStage,
		func(n int, dir string) {
			m := Root(dir)
			if _, err := m.Stat("/go"); err == nil {
				whole++
				if got := content(t, filepath.Join(dir, "go/bin/go")); got != "program" {
					t.Errorf("effect %d: %q", n, got)
				}
			}
			if err := m.Clean("/go"); err != nil || names(t, dir) != "" && names(t, dir) != "go" {
				t.Errorf("effect %d: %v, left %s", n, err, names(t, dir))
			}
		})
	if whole == 0 || whole >= total {
		t.Errorf("whole %d times of %d", whole, total)
	}
}

func TestEveryOtherChangeCanBeCutShortAndDoneAgain(t *testing.T) {
	for name, do := range map[string]func(Machine) error{
		"mkdir": func(m Machine) error {
			if err := m.Mkdir("/d", 0o750, Keep); !errors.Is(err, fs.ErrExist) {
				return err
			}
			return m.Chmod("/d", 0o750)
		},
		"remove": func(m Machine) error {
			if err := m.Remove("/f"); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			return nil
		},
		"chmod": func(m Machine) error { return m.Chmod("/f", 0o600) },
		"chown": func(m Machine) error { return m.Chown("/f", Owner{os.Geteuid(), os.Getegid()}) },
		"lock": func(m Machine) error {
			release, err := m.Lock("/lock", []byte("me"))
			if err != nil {
				return err
			}
			return release()
		},
	} {
		n := dieEverywhere(t,
			func(dir string) { plant(t, dir, "f f x") },
			do,
			func(n int, dir string) {
				if err := do(Root(dir)); err != nil {
					t.Errorf("%s, effect %d: again: %v", name, n, err)
				}
			})
		if n < 2 {
			t.Errorf("%s has %d effects", name, n)
		}
	}
}

func TestATreeRemovedHalfwayIsWholeOrGone(t *testing.T) {
	whole := 0
	total := dieEverywhere(t,
		func(dir string) { plant(t, dir, "f go/bin/go x", "f go/VERSION y") },
		func(m Machine) error { return m.RemoveAll("/go") },
		func(n int, dir string) {
			m := Root(dir)
			if err := m.Clean("/go"); err != nil {
				t.Errorf("effect %d: Clean: %v", n, err)
			}
			switch names(t, dir) {
			case "":
			case "go":
				whole++
				if got := names(t, dir+"/go") + "; " + names(t, dir+"/go/bin"); got != "VERSION bin; go" {
					t.Errorf("effect %d: half of it: %s", n, got)
				}
			default:
				t.Errorf("effect %d: left %s", n, names(t, dir))
			}
		})
	if whole != 1 || total != 3 {
		t.Errorf("whole %d times of %d", whole, total)
	}
}
