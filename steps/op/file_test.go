package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// draw shows a diff as a person would see it.
func draw(d engine.Diff) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%c %s\n", d.Action, d.Note.EN)
	for _, h := range d.Hunks {
		b.WriteString("@\n")
		for _, l := range h.Lines {
			fmt.Fprintf(&b, "%d %d %c %s\n", l.Old, l.New, l.Action, l.Text)
		}
	}
	for _, r := range d.Rows {
		fmt.Fprintf(&b, "%c %s | %s | %s | %s\n", r.Action, r.Name, r.Now, r.Then, r.Note.EN)
	}
	return b.String()
}

func TestFileDiff(t *testing.T) {
	numbered := func(from, to int, change map[int]string) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			if s, ok := change[i]; ok {
				b.WriteString(s)
			} else {
				fmt.Fprintf(&b, "line %d\n", i)
			}
		}
		return b.String()
	}
	for _, c := range []struct {
		name, was, want string
		is              fileState
		shown           string
	}{
		{"new", "", "a\nb\n", fileState{}, "+ new, 0644 root, 4 B\n@\n0 1 + a\n0 2 + b\n"},
		{"new and empty", "", "", fileState{}, "+ new, 0644 root, 0 B\n"},
		{"the same", "a\n", "a\n", fileState{Exists: true, inode: inode{Mode: 0o644}}, "= \n"},
		{"mode and owner", "a\n", "a\n", fileState{Exists: true, inode: inode{Mode: 0o600, UID: 12, GID: 34}}, "~ mode 0600 → 0644, owner 12:34 → root\n"},
		{"emptied", "a\n", "", fileState{Exists: true, inode: inode{Mode: 0o644}}, "~ \n@\n1 0 - a\n"},
		{
			"two hunks, numbers go on", numbered(1, 20, nil), numbered(1, 20, map[int]string{3: "", 15: "x\ny\n"}),
			fileState{Exists: true, inode: inode{Mode: 0o644}},
			"~ \n@\n1 1 = line 1\n2 2 = line 2\n3 0 - line 3\n4 3 = line 4\n5 4 = line 5\n6 5 = line 6\n" +
				"@\n12 11 = line 12\n13 12 = line 13\n14 13 = line 14\n15 0 - line 15\n0 14 + x\n0 15 + y\n16 16 = line 16\n17 17 = line 17\n18 18 = line 18\n",
		},
		{
			"one hunk where the context meets", numbered(1, 9, nil), numbered(1, 9, map[int]string{2: "x\n", 8: "y\n"}),
			fileState{Exists: true, inode: inode{Mode: 0o644}},
			"~ \n@\n1 1 = line 1\n2 0 - line 2\n0 2 + x\n3 3 = line 3\n4 4 = line 4\n5 5 = line 5\n6 6 = line 6\n7 7 = line 7\n8 0 - line 8\n0 8 + y\n9 9 = line 9\n",
		},
		{"line ends", "a\r\nb\r\n", "a\nb\r\n", fileState{Exists: true, inode: inode{Mode: 0o644}}, "~ \n@\n1 0 - a\n0 1 + a\n2 2 = b\n"},
		{"all line ends", "a\r\n", "a\n", fileState{Exists: true, inode: inode{Mode: 0o644}}, "~ \n@\n1 0 - a^M\n0 1 + a\n"},
		{"no last newline", "a", "a\n", fileState{Exists: true, inode: inode{Mode: 0o644}}, "~ \n@\n1 0 - a\n0 0 = \\ no newline at end of file\n0 1 + a\n"},
		{"not text", "\x00\x01", "a\n", fileState{Exists: true, inode: inode{Mode: 0o644}}, "~ 2 B → 2 B, not shown\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &File{Path: "/etc/x", Content: c.want, Mode: 0o644, Owner: machine.RootOwner}
			if got := draw(f.Diff(engine.NewState(c.is, []byte(c.was)))); got != c.shown {
				t.Errorf("got\n%swant\n%s", got, c.shown)
			}
		})
	}
}

func TestUndoLeavesAloneWhatSomebodyChanged(t *testing.T) {
	const path = "/etc/x.conf"
	file := &File{Path: path, Content: "ours\n", Mode: 0o644, Owner: machine.RootOwner}
	old := func(w *world) { w.write(path, "old\n", 0o600) }
	none := func(*world) {}
	dir := &Dir{Path: "/etc/x.d", Mode: 0o755, Owner: machine.RootOwner, Reason: why}
	comment := &Comment{path, "a=1", why}
	lines := func(w *world) { w.write(path, "a=1\nb\na=1\n", 0o644) }
	key := &Sysctl{"vm.swappiness", "1", false, false, why}
	value := func(w *world) { w.write("/proc/sys/vm/swappiness", "60\n", 0o644) }
	unit := &Unit{"a.service", "yes", "", "", why}
	disabled := func(w *world) {
		w.systemd()
		w.units["a.service"] = &fakeUnit{load: "loaded", file: "disabled", active: "inactive"}
	}
	for _, c := range []struct {
		name     string
		op       engine.Op
		world    func(*world)
		meddle   func(*world)
		leftover string // what is left of file path; "": not looked at
		undone   bool   // it is none of our business what changed
	}{
		{"content", file, old, func(w *world) { w.write(path, "theirs\n", 0o644) }, "theirs\n", false},
		{"content of a new file", file, none, func(w *world) { w.write(path, "theirs\n", 0o644) }, "theirs\n", false},
		{"mode", file, old, func(w *world) { w.write(path, "ours\n", 0o640) }, "ours\n", false},
		{"owner", file, none, func(w *world) { w.chown(path, 5, 5) }, "ours\n", false},
		{"removed", file, old, func(w *world) { must(w.Remove(path)) }, "", false},
		{"made a link", file, old, func(w *world) { must(w.Remove(path)); w.write("/etc/y", "ours\n", 0o644); w.link("y", path) }, "ours\n", false},
		{"put back by hand", file, old, func(w *world) { w.write(path, "old\n", 0o600) }, "old\n", true},
		{"a new file removed by hand", file, none, func(w *world) { must(w.Remove(path)) }, "", true},

		{"something in our directory", dir, none, func(w *world) { w.write("/etc/x.d/y", "", 0o644) }, "", false},
		{"mode of our directory", dir, none, func(w *world) { must(os.Chmod(filepath.Join(w.dir, "etc/x.d"), 0o700)) }, "", false},
		{"our directory removed", dir, none, func(w *world) { must(w.Remove("/etc/x.d")) }, "", true},

		{"our comment edited", comment, lines, func(w *world) { w.write(path, "# goxin: a=1\nb\n# goxin: a=2\n", 0o644) }, "# goxin: a=1\nb\n# goxin: a=2\n", false},
		{"one of our comments removed", comment, lines, func(w *world) { w.write(path, "# goxin: a=1\nb\n", 0o644) }, "# goxin: a=1\nb\n", false},
		{"the file around our comments", comment, lines, func(w *world) { w.write(path, "0\n# goxin: a=1\nc\n# goxin: a=1", 0o600) }, "0\na=1\nc\na=1", true},
		{"the file of our comments removed", comment, lines, func(w *world) { must(w.Remove(path)) }, "", false},

		{"a parameter", key, value, func(w *world) { w.write("/proc/sys/vm/swappiness", "30\n", 0o644) }, "", false},
		{"a parameter put back by hand", key, value, func(w *world) { w.write("/proc/sys/vm/swappiness", "60\n", 0o644) }, "", true},
		{"a unit masked", unit, disabled, func(w *world) { w.units["a.service"].etc = true }, "", false},
		{"a unit disabled by hand", unit, disabled, func(w *world) { w.units["a.service"].file = "disabled" }, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			c.world(w)
			before := observe(t, c.op, w)
			if _, err := c.op.Do(context.Background(), w, nil); err != nil {
				t.Fatal(err)
			}
			after := observe(t, c.op, w)
			c.meddle(w)
			theirs := w.sum()
			for _, after := range []engine.State{after, {}} {
				err := c.op.Undo(context.Background(), w, before, after)
				if c.undone {
					if err != nil {
						t.Errorf("Undo: %v", err)
					}
				} else {
					var text *lang.Error
					if !errors.Is(err, engine.ErrNotOurs) || !errors.As(err, &text) || text.Text.ZH == "" || w.sum() != theirs {
						t.Errorf("Undo: %v, left alone: %v", err, w.sum() == theirs)
					}
				}
				if c.leftover != "" && w.read(path) != c.leftover {
					t.Errorf("left %q, want %q", w.read(path), c.leftover)
				}
			}
		})
	}
}

func TestFileRefusesWhatIsNoFile(t *testing.T) {
	w := newWorld(t)
	w.mkdir("/etc/d")
	w.link("/dev/null", "/etc/masked")
	w.mkdir("/dev")
	must(exec.Command("mkfifo", filepath.Join(w.dir, "dev/null")).Run())
	w.link("loop", "/etc/loop")
	w.write("/etc/f", "", 0o644)
	for _, o := range []engine.Op{
		&File{Path: "/etc/d"}, &File{Path: "/etc/masked"}, &File{Path: "/etc/loop"}, &File{Path: "/etc/f/x"},
		&Dir{Path: "/etc/f"}, &Dir{Path: "/etc/masked"}, &Comment{Path: "/etc/d", Line: "x"}, &Comment{Path: "/etc/f", Line: "a\nb"}, &Comment{Path: "/etc/f"},
		&Sysctl{Key: "vm/../../etc/passwd"}, &Sysctl{Key: "vm.*"},
	} {
		_, err := o.Observe(context.Background(), w)
		if err == nil {
			t.Errorf("%s %s was observed", o.Kind(), o.Target())
		}
		if _, err := o.Do(context.Background(), w, nil); err == nil {
			t.Errorf("%s %s was done", o.Kind(), o.Target())
		}
	}
}

func TestFileUndoNeedsTheOldContent(t *testing.T) {
	w := newWorld(t)
	w.write("/etc/x", "old\n", 0o644)
	f := &File{Path: "/etc/x", Content: "new\n", Mode: 0o644}
	before := observe(t, f, w)
	if _, err := f.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, f, w)
	before.Blob, after.Blob = nil, nil // the journal's store was pruned
	if err := f.Undo(context.Background(), w, before, after); err == nil || errors.Is(err, engine.ErrNotOurs) || w.read("/etc/x") != "new\n" {
		t.Errorf("Undo: %v, left %q", err, w.read("/etc/x"))
	}
}

func TestByHandDoesTheSame(t *testing.T) {
	for _, content := range []string{"a\nEOF\nb\n", "", "it's\n$HOME `x` \\", "a\n"} {
		path := filepath.Join(t.TempDir(), "it's here")
		f := &File{Path: path, Content: content, Mode: 0o640, Owner: machine.Keep}
		if out, err := exec.Command("sh", "-c", strings.Join(f.ByHand(), "\n")).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, err := os.ReadFile(path)
		if fi, _ := os.Stat(path); err != nil || string(got) != content || fi.Mode() != 0o640 {
			t.Errorf("%q: got %q, %v, %v", content, got, fi, err)
		}
	}
	path := filepath.Join(t.TempDir(), "f")
	for line, want := range map[string]string{
		"vm.x = 1 *[a-z]$ ^ \\ | '": "# goxin: vm.x = 1 *[a-z]$ ^ \\ | '\nvmxx = 1\n",
		"vmxx = 1":                  "vm.x = 1 *[a-z]$ ^ \\ | '\n# goxin: vmxx = 1\n",
	} {
		must(os.WriteFile(path, []byte("vm.x = 1 *[a-z]$ ^ \\ | '\nvmxx = 1\n"), 0o644))
		c := &Comment{Path: path, Line: line}
		if out, err := exec.Command("sh", "-c", c.ByHand()[0]).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got, _ := os.ReadFile(path); string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestModeIsOctal(t *testing.T) {
	for _, s := range []string{"0644", "4755", "2750", "1777", "0000", "7777"} {
		var m Mode
		if err := m.UnmarshalText([]byte(s)); err != nil || m.String() != s {
			t.Errorf("%s came back as %s, %v", s, m, err)
		}
	}
	var f File
	for _, bad := range []string{`"0x1"`, `"99"`, `"77777"`, `420`, `"-1"`} {
		if json.Unmarshal([]byte(`{"mode":`+bad+`}`), &f) == nil {
			t.Errorf("mode %s was read", bad)
		}
	}
}

func TestTheFileOfAUnitThatIsGoneRestartsNothing(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.systemd()
	o := &File{Path: "/etc/app.env", Content: "A=b\n", Mode: 0o600, Owner: machine.RootOwner, Restart: "app.service"}
	before := observe(t, o, w)
	if _, err := o.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	w.ran = nil
	if err := o.Undo(ctx, w, before, observe(t, o, w)); err != nil || len(w.ran) > 0 {
		t.Errorf("%v, ran %q", err, w.ran)
	}
}
