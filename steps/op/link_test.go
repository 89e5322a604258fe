package op

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

const current = "/usr/local/goxin/go/current"

func linkSituations() []situation {
	o := &Link{current, "1.26.8-linux-amd64-ZOmGe1On", why}
	return []situation{
		{"a new link", o, func(w *world) { w.mkdir(goBase) }, engine.Applied},
		{"a link that leads elsewhere", o, func(w *world) { w.link("1.25.14-linux-amd64-AAAAAAAA", current) }, engine.Applied},
		{"a link that leads there already", o, func(w *world) { w.link("1.26.8-linux-amd64-ZOmGe1On", current) }, ""},
		{"a link to remove", &Link{Path: current, Reason: why}, func(w *world) { w.link("1.25.14-linux-amd64-AAAAAAAA", current) }, engine.Applied},
		{"a link to remove that is not there", &Link{Path: current, Reason: why}, func(*world) {}, ""},
		{"a link that is to go", &Link{current, "", why}, func(w *world) { w.link("1.25.14-linux-amd64-AAAAAAAA", current) }, engine.Applied},
		{"a link that is gone already", &Link{current, "", why}, func(w *world) { w.mkdir(goBase) }, ""},
	}
}

func TestALinkIsNotPutInPlaceOfAFile(t *testing.T) {
	for _, there := range []func(*world){
		func(w *world) { w.write(current, "x", 0o644) },
		func(w *world) { w.mkdir(current) },
	} {
		w := newWorld(t)
		there(w)
		start := w.sum()
		o := &Link{current, "x", why}
		if _, err := o.Observe(context.Background(), w); err == nil || err.Error() != "cannot read "+current+": it is not a symbolic link" {
			t.Errorf("Observe: %v", err)
		}
		if _, err := o.Do(context.Background(), w, nil); err == nil || w.sum() != start {
			t.Errorf("Do: %v, nothing changed: %v", err, w.sum() == start)
		}
	}
}

func TestAnUndoLeavesALinkThatSomebodySwitched(t *testing.T) {
	for _, c := range []struct {
		name   string
		meddle func(*world)
		want   string // "": it is undone
	}{
		{"elsewhere", func(w *world) { must(w.Symlink("third", current)) }, "somebody has it lead to third since"},
		{"back, by hand", func(w *world) { must(w.Symlink("old", current)) }, ""},
		{"gone", func(w *world) { must(w.Remove(current)) }, "somebody removed it since"},
		{"a file", func(w *world) { must(w.Remove(current)); w.write(current, "x", 0o644) }, "something that is no link was put in its place since"},
	} {
		for _, seen := range []bool{true, false} {
			w := newWorld(t)
			w.link("old", current)
			o := &Link{current, "new", why}
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
				t.Errorf("%s, seen %v: %v", c.name, seen, err)
			}
		}
	}
}

func TestALinkThatSomebodyMadeAgainStays(t *testing.T) {
	w := newWorld(t)
	w.link("old", current)
	o := &Link{Path: current}
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	w.link("theirs", current)
	if err := o.Undo(context.Background(), w, before, engine.State{}); !errors.Is(err, engine.ErrNotOurs) || err.Error() != "somebody made it again since" {
		t.Errorf("%v", err)
	}
	if to, err := w.Readlink(current); err != nil || to != "theirs" {
		t.Errorf("%q, %v", to, err)
	}
}

// Whoever follows the link while it is switched finds one target or the other.
func TestALinkIsNeverMissingWhileItIsSwitched(t *testing.T) {
	w := newWorld(t)
	w.link("old", current)
	seen := map[string]bool{}
	m := machine.Root(w.dir, machine.WithEffects(func(string, string) error {
		to, err := machine.Root(w.dir).Readlink(current)
		if err != nil {
			t.Error(err)
		}
		seen[to] = true
		return nil
	}))
	if _, err := (&Link{current, "new", why}).Do(context.Background(), m, nil); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 {
		t.Errorf("saw %v", seen)
	}
	if got := strings.Join((&Link{current, "new", why}).ByHand(), ""); !strings.Contains(got, "mv -T") {
		t.Errorf("by hand: %s", got)
	}
}

// The target of a link in GBK came back with replacement characters.
func TestALinkOfAnotherEncodingComesBack(t *testing.T) {
	w := newWorld(t)
	w.link("\xd6\xd0\xce\xc4", current)
	o := &Link{current, "new", why}
	before, after := did(t, o, w)
	err := o.Undo(context.Background(), w, before, after)
	if to, _ := os.Readlink(filepath.Join(w.dir, current)); to != "\xd6\xd0\xce\xc4" {
		t.Errorf("%v: %q", err, to)
	}
}

// A file behind such a link could not be undone: somebody had replaced the link, it said.
func TestAFileThroughALinkOfAnotherEncodingIsUndone(t *testing.T) {
	w := newWorld(t)
	w.write("/etc/\xd6\xd0.conf", "old\n", 0o644)
	w.link("\xd6\xd0.conf", "/etc/a.conf")
	o := &File{Path: "/etc/a.conf", Content: "new\n", Mode: 0o644, Owner: machine.Keep, Reason: why}
	before, after := did(t, o, w)
	if err := o.Undo(context.Background(), w, before, after); err != nil || w.read("/etc/a.conf") != "old\n" {
		t.Errorf("%v: %q", err, w.read("/etc/a.conf"))
	}
}
