package op

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/overlay"
	"goxin/steps/steptest"
)

// withRuntime is goFiles with what the overlay looks at, as the release has it.
func withRuntime(t *testing.T) map[string]string {
	t.Helper()
	dir := steptest.Goroot(t, goRelease.Version)
	files := maps.Clone(goFiles)
	for _, p := range overlay.Pins(goRelease.Version) {
		if b, err := os.ReadFile(filepath.Join(dir, p.Name)); err == nil {
			files[p.Name] = string(b)
		}
	}
	return files
}

// overlaid is the op that builds them with the overlay, in a world whose compiler sees to
// it that the overlay is there before it is asked to build.
func overlaid(t *testing.T, files map[string]string) (*world, *Tree) {
	t.Helper()
	w := newWorld(t)
	trees(w)
	archive := goTar(files)
	w.write(shelf, string(archive), 0o644)
	w.tools = map[string]tool{"mkgo": func(w *world, c machine.Command, say func(string)) error {
		if err := mkgo(w, c, say); err != nil {
			return err
		}
		for _, p := range overlay.Pins(goRelease.Version) {
			b, err := os.ReadFile(filepath.Join(w.dir, filepath.Dir(c.Dir), p.Name))
			if err != nil || hexSum(b) != p.After {
				t.Errorf("when it is built %s is not the overlay's: %v", p.Name, err)
			}
		}
		return nil
	}}
	return w, goTree(func(o *Tree) {
		o.Want.SHA256 = hexSum(archive)
		o.Make = &Make{Argv: []string{"mkgo"}, Dir: "src", Env: []string{"GOCACHE={tree}/pkg/obj/first"}, Overlay: overlay.Number}
	})
}

func TestAGoIsBuiltWithTheOverlayInItsSource(t *testing.T) {
	w, o := overlaid(t, withRuntime(t))
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	r, err := goroot.ReadRecord(w, goDir)
	if err != nil || r.Overlay != overlay.Number || len(r.Made) == 0 {
		t.Errorf("its record: %+v, %v", r, err)
	}
	if s, err := o.Observe(context.Background(), w); err != nil || o.Diff(s).Action != engine.None {
		t.Errorf("it is not what was wanted: %+v, %v", s, err)
	}
	plain := *o
	plain.Make = &Make{Argv: o.Make.Argv, Dir: o.Make.Dir, Env: o.Make.Env}
	if s, err := plain.Observe(context.Background(), w); err != nil || plain.Diff(s).Action == engine.None {
		t.Errorf("it passes for one without the overlay: %+v, %v", s, err)
	}
	if text := strings.Join(o.ByHand(), "\n"); !strings.Contains(text, "goxin's overlay 1 goes into") {
		t.Errorf("by hand: %s", text)
	}
}

func TestASourceThatTheOverlayDoesNotKnowLeavesNothing(t *testing.T) {
	files := withRuntime(t)
	for name, c := range map[string]struct {
		change func(map[string]string, *Tree)
		want   string
	}{
		"a file of the runtime was changed": {func(f map[string]string, _ *Tree) { f["src/runtime/os_linux.go"] += "\n" }, "src/runtime/os_linux.go: its SHA-256 is"},
		"one is missing":                    {func(f map[string]string, _ *Tree) { delete(f, "src/runtime/sys_linux_loong64.s") }, "sys_linux_loong64.s"},
		"another goxin's overlay":           {func(_ map[string]string, o *Tree) { o.Make.Overlay = 2 }, "cannot apply overlay 2: this goxin has overlay 1"},
	} {
		t.Run(name, func(t *testing.T) {
			changed := maps.Clone(files)
			_, o := overlaid(t, files)
			c.change(changed, o)
			w, _ := overlaid(t, changed)
			o.Want.SHA256 = hexSum(goTar(changed))
			start := w.sum()
			if _, err := o.Do(context.Background(), w, nil); err == nil || !strings.Contains(err.Error(), c.want) || w.sum() != start {
				t.Errorf("error %v, want %q; nothing left: %v", err, c.want, w.sum() == start)
			}
		})
	}
}
