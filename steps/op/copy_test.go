package op

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

const program = "\x7fELF a program\n"

func copySituations() []situation {
	c := func(change func(*Copy)) *Copy {
		o := &Copy{Source: "/srv/app", SHA256: digest([]byte(program)), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.RootOwner, Reason: why}
		if change != nil {
			change(o)
		}
		return o
	}
	source := func(w *world) {
		w.write("/srv/app", program, 0o600)
		w.mkdir("/usr/local/bin")
		w.mkdir("/var/lib/goxin")
	}
	over := func(content string, mode os.FileMode) func(*world) {
		return func(w *world) { source(w); w.write("/usr/local/bin/app", content, mode) }
	}
	const ok, nothing = engine.Applied, engine.OutcomeKind("")
	return []situation{
		{"a program to copy", c(nil), source, ok},
		{"a program to copy, to its owner", c(func(o *Copy) { o.Owner = machine.Owner{UID: 12, GID: 34} }), source, ok},
		{"a program to copy, to whoever copies", c(func(o *Copy) { o.Owner = machine.Keep }), source, ok},
		{"a program that replaces another", c(nil), func(w *world) { over("old\n", 0o4750)(w); w.chown("/usr/local/bin/app", 5, 6) }, ok},
		{"a program that replaces another and keeps its owner", c(func(o *Copy) { o.Owner = machine.Keep }), func(w *world) { over("old\n", 0o700)(w); w.chown("/usr/local/bin/app", 5, 6) }, ok},
		{"a program that nobody may run", c(nil), over(program, 0o644), ok},
		{"a program that is there", c(nil), over(program, 0o755), nothing},
		{"a program that a running unit runs", c(func(o *Copy) { o.Restart = "app.service" }), func(w *world) {
			over("old\n", 0o755)(w)
			w.systemd()
			w.units["app.service"] = &fakeUnit{load: "loaded", file: "enabled", active: "active"}
			w.tools = map[string]tool{"sha256sum": func(w *world, c machine.Command, say func(string)) error {
				name := c.Argv[len(c.Argv)-1]
				say(digest([]byte(w.read(name))) + "  " + name)
				return nil
			}}
		}, ok},
	}
}

func TestWhatIsNotWhatWasPlannedIsNotCopied(t *testing.T) {
	w := newWorld(t)
	w.write("/srv/app", program+"and more", 0o755)
	w.write("/usr/local/bin/app", "old\n", 0o755)
	w.mkdir("/var/lib/goxin")
	start := w.sum()
	o := &Copy{Source: "/srv/app", SHA256: digest([]byte(program)), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.Keep}
	before := observe(t, o, w)
	_, err := o.Do(context.Background(), w, nil)
	var no engine.Refusal
	if !errors.As(err, &no) {
		t.Errorf("%v", err)
	}
	if err := undo(context.Background(), o, w, before, before); err != nil || w.sum() != start {
		t.Errorf("as it was: %v, %v", w.sum() == start, err)
	}
}

func TestAProgramComesFromAnotherMachine(t *testing.T) {
	here, there := newWorld(t), newWorld(t)
	here.write("/srv/app", program, 0o755)
	there.mkdir("/usr/local/bin")
	o := &Copy{From: "local", Source: "/srv/app", SHA256: digest([]byte(program)), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.Keep}
	if _, err := o.Do(context.Background(), there, nil); err == nil {
		t.Error("copied from a machine that is not in the run")
	}
	ctx := engine.WithMachines(context.Background(), map[machine.ID]machine.Machine{"local": here})
	if _, err := o.Do(ctx, there, nil); err != nil || there.read("/usr/local/bin/app") != program {
		t.Errorf("%v", err)
	}
}

func TestACopyLeavesLinksAndOthersFilesAlone(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.write("/srv/app", program, 0o755)
	w.link("/opt/app", "/usr/local/bin/app")
	o := &Copy{Source: "/srv/app", SHA256: digest([]byte(program)), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.Keep}
	if _, err := o.Observe(ctx, w); err == nil || !strings.Contains(err.Error(), "it is a link") {
		t.Errorf("%v", err)
	}
	must(os.Remove(filepath.Join(w.dir, "/usr/local/bin/app")))
	before := observe(t, o, w)
	if _, err := o.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	after := observe(t, o, w)
	w.write("/usr/local/bin/app", "somebody's\n", 0o755)
	if err := o.Undo(ctx, w, before, after); !errors.Is(err, engine.ErrNotOurs) || w.read("/usr/local/bin/app") != "somebody's\n" {
		t.Errorf("%v", err)
	}
}

func TestForgettingACopyDestroysWhatItReplaced(t *testing.T) {
	w := newWorld(t)
	w.write("/srv/app", program, 0o755)
	w.write("/usr/local/bin/app", "old\n", 0o755)
	w.mkdir("/var/lib/goxin")
	ctx := context.Background()
	o := &Copy{Source: "/srv/app", SHA256: digest([]byte(program)), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.Keep}
	before := observe(t, o, w)
	if _, err := o.Do(ctx, w, nil); err != nil {
		t.Fatal(err)
	}
	kept := o.keep(digest([]byte("old\n"))) + "/" + theFile
	older := engine.NewState(copyState{Exists: true, SHA256: digest([]byte("older\n"))}, nil)
	fresh := engine.NewState(copyState{}, nil)
	for name, c := range map[string]struct {
		before engine.State
		needed []engine.State
	}{"another run's": {older, nil}, "needed by another": {before, []engine.State{older, before}}, "of a run that found nothing": {fresh, nil}} {
		if err := o.Forget(ctx, w, c.before, c.needed); err != nil || w.read(kept) != "old\n" {
			t.Errorf("%s: %v, kept %q", name, err, w.read(kept))
		}
	}
	for range 2 {
		if err := o.Forget(ctx, w, before, []engine.State{older, fresh}); err != nil {
			t.Error(err)
		}
		if _, err := w.Lstat(keptDir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("left there: %v", err)
		}
	}
	if w.read("/usr/local/bin/app") != program {
		t.Error("what it put there is gone")
	}
}

// copying is a step that copies /srv/app as it is.
type copying struct{ m machine.Machine }

func (copying) ID() string { return "copying" }

func (copying) Title() lang.Text { return lang.Text{} }

func (copying) Fields() []engine.Field { return nil }

func (copying) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question { return nil }

func (c copying) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) {
	b, err := c.m.ReadFile("/srv/app")
	return []engine.Item{{On: c.m.ID(), Op: &Copy{Source: "/srv/app", SHA256: digest(b), Path: "/usr/bin/app", Mode: 0o755, Owner: machine.Keep, Reason: why}}}, err
}

// A service was brought to its third version and taken back twice: the second undo said
// that the first version was not kept any more. Every copy keeps what it replaced, also
// where two of them replaced the same.
func TestSeveralVersionsOfAProgramAreUndoneOneAfterAnother(t *testing.T) {
	for _, versions := range [][]string{{"one", "two", "three"}, {"one", "two", "one", "two", "one"}} {
		t.Run(strings.Join(versions, " "), func(t *testing.T) {
			m := machine.Root(t.TempDir())
			for _, dir := range []string{"/srv", "/usr", "/usr/bin", "/var", "/var/lib"} {
				must(m.Mkdir(dir, 0o755, machine.Keep))
			}
			e := engine.New(engine.Config{
				Machines: []machine.Machine{m}, Steps: []engine.Step{copying{m}}, Kinds: Kinds(),
				Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
			})
			var runs []engine.RunID
			for _, v := range versions {
				must(m.WriteFile("/srv/app", []byte(v), 0o755, machine.Keep))
				r, err := e.Start(t.Context(), engine.RunOptions{})
				must(err)
				_, err = r.Step(t.Context(), copying{m}, nil, nil)
				must(err)
				_, err = r.End(t.Context())
				must(err)
				runs = append(runs, r.ID())
			}
			for i := len(versions) - 1; i >= 0; i-- {
				if got, err := m.ReadFile("/usr/bin/app"); string(got) != versions[i] {
					t.Fatalf("version %d is %q, %v", i+1, got, err)
				}
				if _, err := e.Undo(t.Context(), runs[i], ""); err != nil {
					t.Fatalf("version %d: %v", i+1, err)
				}
			}
			for _, name := range []string{"/usr/bin/app", keptDir} {
				if _, err := m.Lstat(name); !errors.Is(err, os.ErrNotExist) {
					t.Errorf("%s is left: %v", name, err)
				}
			}
		})
	}
}

// A setuid program of a service's user was setuid root for a moment, where everybody could
// run it.
func TestNothingIsSetuidRootThatIsToBeSomebodyElses(t *testing.T) {
	w := newWorld(t)
	w.mkdir("/var/lib/goxin")
	w.write("/srv/A", "A", 0o755)
	w.write("/usr/local/bin/app", "original", 0o4755)
	w.chown("/usr/local/bin/app", 5, 6)
	must(os.Chmod(w.dir+"/usr/local/bin/app", 0o755|os.ModeSetuid))
	w.Machine = machine.Root(w.dir, machine.WithEffects(func(kind, name string) error {
		if i, err := os.Stat(w.dir + "/usr/local/bin/.app.goxin-copy/file"); err == nil && i.Mode()&os.ModeSetuid != 0 {
			if st, ok := i.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
				t.Errorf("before %s %s: %v of root", kind, name, i.Mode())
			}
		}
		return nil
	}))
	o := &Copy{Source: "/srv/A", SHA256: digest([]byte("A")), Path: "/usr/local/bin/app", Mode: 0o755, Owner: machine.Keep, Reason: why}
	before, after := did(t, o, w)
	if err := o.Undo(context.Background(), w, before, after); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(w.dir + "/usr/local/bin/app"); err != nil || i.Mode()&os.ModeSetuid == 0 {
		t.Errorf("%v %v", i.Mode(), err)
	}
}
