package op

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

func (w *world) Xattr(name, attr string) ([]byte, error) {
	if _, err := w.Stat(name); err != nil {
		return nil, err
	}
	if w.noAttrs {
		return nil, pathErr("getxattr", name, syscall.ENOTSUP)
	}
	v, ok := w.marks[name][attr]
	if !ok {
		return nil, pathErr("getxattr", name, syscall.ENODATA)
	}
	return []byte(v), nil
}

func (w *world) SetXattr(name, attr string, value []byte) error {
	if _, err := w.Stat(name); err != nil {
		return err
	}
	if err := w.effect("setxattr", name); err != nil {
		return err
	}
	if value == nil {
		delete(w.marks[name], attr)
	} else {
		w.mark(name, attr, string(value))
	}
	return nil
}

func (w *world) mark(name, attr, value string) {
	if w.marks == nil {
		w.marks = make(map[string]map[string]string)
	}
	if w.marks[name] == nil {
		w.marks[name] = make(map[string]string)
	}
	w.marks[name][attr] = value
}

// kysecSet is kysec_set -n exectl -v verified FILE.
func kysecSet(w *world, c machine.Command, _ func(string)) error {
	if err := w.effect("run", "kysec_set"); err != nil {
		return err
	}
	if len(c.Argv) != 6 || strings.Join(c.Argv[1:5], " ") != "-n exectl -v verified" {
		return &machine.ExitError{Argv: c.Argv, Code: 1, Stderr: "usage\n"}
	}
	w.mark(c.Argv[5], kysecMark, "none:none:verified")
	return nil
}

// restorecon gives whatever lies in a directory called bin the type bin_t, and dies in
// the midst of it.
func restorecon(old bool) tool {
	return func(w *world, c machine.Command, say func(string)) error {
		dry := slices.Contains(c.Argv, "-n")
		top := c.Argv[len(c.Argv)-1]
		return filepath.WalkDir(filepath.Join(w.dir, top), func(p string, d fs.DirEntry, err error) error {
			name := strings.TrimPrefix(p, w.dir)
			want := "system_u:object_r:usr_t:s0"
			if strings.Contains(name, "/bin") {
				want = "system_u:object_r:bin_t:s0"
			}
			now := strings.TrimSuffix(w.marks[name][selinuxMark], "\x00")
			if err != nil || now == want {
				return err
			}
			switch {
			case !dry:
				if err := w.effect("run", "restorecon"); err != nil {
					return err
				}
				w.mark(name, selinuxMark, want+"\x00")
			case old:
				say("restorecon reset " + name + " context " + now + "->" + want)
			default:
				say("Would relabel " + name + " from " + now + " to " + want)
			}
			return nil
		})
	}
}

// guarded is a world with KYSEC and SELinux, and a tree that neither has marked.
func guarded(old bool) func(*world) {
	return func(w *world) {
		for _, n := range []string{"bin/go", "bin/gofmt", "pkg/tool/compile", "src/a.go"} {
			w.write("/usr/local/goxin/go/x/"+n, n, 0o755)
		}
		w.tools = map[string]tool{"kysec_set": kysecSet, "restorecon": restorecon(old)}
		must(filepath.WalkDir(filepath.Join(w.dir, "/usr/local/goxin/go/x"), func(p string, _ fs.DirEntry, err error) error {
			w.mark(strings.TrimPrefix(p, w.dir), selinuxMark, "unconfined_u:object_r:usr_t:s0\x00")
			return err
		}))
		w.mark("/usr/local/goxin/go/x/bin/gofmt", kysecMark, "none:none:unknown")
		w.mark("/usr/local/goxin/go/x/pkg/tool/compile", kysecMark, "none:none:trusted\x00")
	}
}

func labelSituations() []situation {
	o := func(kysec, selinux bool) *Label {
		return &Label{Dir: "/usr/local/goxin/go/x", Names: []string{"bin/go", "bin/gofmt", "pkg/tool/compile"}, KYSEC: kysec, SELinux: selinux, Reason: why}
	}
	return []situation{
		{"marks for KYSEC", o(true, false), guarded(false), engine.Applied},
		{"contexts for SELinux", o(false, true), guarded(false), engine.Applied},
		{"contexts for SELinux, as an old restorecon tells them", o(false, true), guarded(true), engine.Applied},
		{"marks for both", o(true, true), guarded(false), engine.Applied},
		{"marks that are there", o(true, true), func(w *world) {
			guarded(false)(w)
			_, err := o(true, true).Do(context.Background(), w, nil)
			must(err)
			w.effects = 0
		}, ""},
		{"marks that nothing can set", o(true, false), func(w *world) { guarded(false)(w); delete(w.tools, "kysec_set") }, engine.Refused},
		{"contexts where nothing tells them", o(false, true), func(w *world) { guarded(false)(w); delete(w.tools, "restorecon") }, ""},
		{"marks that KYSEC does not take", o(true, false), func(w *world) {
			guarded(false)(w)
			w.tools["kysec_set"] = func(w *world, _ machine.Command, _ func(string)) error { return w.effect("run", "kysec_set") }
		}, engine.Refused},
		{"marks on a file system without any", o(true, false), func(w *world) {
			guarded(false)(w)
			w.noAttrs, w.marks = true, nil
			w.tools["kysec_set"] = func(w *world, _ machine.Command, _ func(string)) error { return w.effect("run", "kysec_set") }
		}, engine.Refused},
	}
}

func TestMarksArePlannedBeforeTheirFilesAreThere(t *testing.T) {
	w := newWorld(t)
	o := &Label{Dir: "/usr/local/goxin/go/x", Names: []string{"bin/go", "bin/gofmt"}, KYSEC: true}
	s := observe(t, o, w)
	if d := o.Diff(s); d.Action != engine.Update || d.Note.EN != "2 files marked as verified for KYSEC" {
		t.Errorf("%s", draw(d))
	}
	if _, err := o.Do(context.Background(), w, nil); err == nil || err.Error() != "cannot mark /usr/local/goxin/go/x: it is not there" {
		t.Errorf("%v", err)
	}
	tree := machine.Root(w.dir)
	s, err := o.Observe(context.Background(), tree)
	if err != nil {
		t.Fatal(err)
	}
	if d := o.Diff(s); d.Action != engine.None || d.Note.EN != "once it runs" {
		t.Errorf("in a tree: %s", draw(d))
	}
}

func TestAReplacedFileLosesItsMarkAndGetsItAgain(t *testing.T) {
	w := newWorld(t)
	guarded(false)(w)
	o := &Label{Dir: "/usr/local/goxin/go/x", Names: []string{"bin/go"}, KYSEC: true}
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	if d := o.Diff(observe(t, o, w)); d.Action != engine.None {
		t.Fatalf("%s", draw(d))
	}
	delete(w.marks, "/usr/local/goxin/go/x/bin/go")
	if d := o.Diff(observe(t, o, w)); d.Action != engine.Update || d.Note.EN != "1 files marked as verified for KYSEC" {
		t.Errorf("%s", draw(d))
	}
}

func TestAnUndoLeavesMarksThatSomebodyChanged(t *testing.T) {
	const dir = "/usr/local/goxin/go/x"
	for _, c := range []struct {
		name   string
		meddle func(*world)
		want   string
	}{
		{"KYSEC's", func(w *world) { w.mark(dir+"/bin/go", kysecMark, "none:none:unknown") }, "the mark of bin/go was changed since"},
		{"SELinux's", func(w *world) { w.mark(dir+"/bin", selinuxMark, "theirs\x00") }, "the context of " + dir + "/bin was changed since"},
		{"a file is gone", func(w *world) { must(os.RemoveAll(filepath.Join(w.dir, dir))) }, ""},
	} {
		for _, seen := range []bool{true, false} {
			w := newWorld(t)
			guarded(false)(w)
			o := &Label{Dir: dir, Names: []string{"bin/go"}, KYSEC: true, SELinux: true}
			before := observe(t, o, w)
			if _, err := o.Do(context.Background(), w, nil); err != nil {
				t.Fatal(err)
			}
			after := engine.State{}
			if seen {
				after = observe(t, o, w)
			}
			c.meddle(w)
			theirs := w.sum()
			err := o.Undo(context.Background(), w, before, after)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, engine.ErrNotOurs) || err.Error() != c.want || w.sum() != theirs) {
				t.Errorf("%s, seen %v: %v, left alone: %v", c.name, seen, err, w.sum() == theirs)
			}
		}
	}
}
