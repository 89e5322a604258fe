package demo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/detect/machine/peer"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

// noon is when demos of tests take place.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func opened(t *testing.T, name string) *Demo {
	t.Helper()
	d, err := Open(name, filepath.Join(steptest.Dir(t), "demo"), Options{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// started is the engine of a demo. What it leaves to a guard, another one does.
func started(t *testing.T, d *Demo) *engine.Engine {
	t.Helper()
	ctx, over := context.WithCancel(context.Background())
	d.GuardWith(ctx, func(ctx context.Context, m machine.Machine, id engine.RunID) error { return on(d, m).Guard(ctx, id) })
	e := on(d, d.Machine)
	t.Cleanup(func() {
		over()
		if err := errors.Join(e.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	})
	return e
}

func on(d *Demo, m machine.Machine) *engine.Engine {
	return engine.New(engine.Config{Machines: []machine.Machine{m}, Steps: d.Steps, Kinds: op.Kinds(), Detect: detect.Detect})
}

// given are the answers of a walk through all steps: the demo's own, with the second
// machine's key pinned, and nothing more.
func given(t *testing.T, d *Demo, drill string) engine.Answers {
	t.Helper()
	key, _, known, err := peer.HostKey(t.Context(), d.Machine, peer.Target{Host: Address().String()})
	if err != nil || known {
		t.Fatalf("the second machine's key: known %v, %s", known, lang.Message(err, lang.EN))
	}
	a := d.Answers()
	for _, s := range d.Steps {
		if a[s.ID()] == nil {
			a[s.ID()] = engine.Values{}
		}
	}
	a["peer"]["host_key"], a["ha"]["drill"] = key, drill
	return a
}

// trees are those of both machines.
func trees(t *testing.T, d *Demo) map[string]string {
	t.Helper()
	second, err := d.pair.other()
	if err != nil {
		t.Fatal(err)
	}
	out := tree(t, d.Machine)
	for name, content := range tree(t, second) {
		out["second: "+name] = content
	}
	return out
}

// tree is every file of a machine: its mode, and content or target. The journal is left
// out.
func tree(t *testing.T, m machine.Machine) map[string]string {
	t.Helper()
	root := m.(machine.Rooted).HostPath("/")
	out := map[string]string{}
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(name, root)
		if err != nil || rel == "/var/lib/goxin" || rel == "var/lib/goxin" {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			content, err = os.Readlink(name)
		case info.Mode().IsRegular():
			var b []byte
			b, err = os.ReadFile(name)
			content = string(b)
		}
		out[rel] = info.Mode().String() + " " + content
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// walk applies every step that is answered and gives what was seen on the way.
func walk(t *testing.T, d *Demo, answers engine.Answers, hear ...func(engine.Event)) (e *engine.Engine, seen string) {
	t.Helper()
	ctx := context.Background()
	e = started(t, d)
	var b strings.Builder
	if _, err := e.Detect(ctx); err != nil {
		t.Fatal(err)
	}
	run, err := e.Start(ctx, engine.RunOptions{Answers: answers})
	if err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	e.Listen(func(ev engine.Event) {
		for _, f := range hear {
			f(ev)
		}
		if ev.What == engine.Proved || ev.What == engine.Output || ev.What == engine.Failed {
			// When it is told is not compared: the link to the second machine is real, and
			// how often is asked over it whether a guard is ready moves the simulated clock.
			fmt.Fprintf(&b, "%s %s %s: %s %s\n", ev.What, ev.Step, ev.On, ev.Text.EN, ev.Error.EN)
		}
	})
	for _, s := range d.Steps {
		v, asked := answers[s.ID()]
		if !asked {
			continue
		}
		h, err := e.Detect(ctx)
		if err != nil {
			t.Fatal(lang.Message(err, lang.EN))
		}
		sv, err := e.Survey(ctx, s, v, nil)
		if err != nil {
			t.Fatalf("%s: %s", s.ID(), lang.Message(err, lang.EN))
		}
		if s.ID() == "peer" { // the second machine has come along
			if h, err = e.Detect(ctx); err != nil {
				t.Fatal(lang.Message(err, lang.EN))
			}
		}
		h = engine.HostsOf(s, h)
		for _, q := range s.Questions(h, sv, v) {
			fmt.Fprintf(&b, "? %s: %s\n", q.Key, q.Why.EN)
			for _, o := range q.Options {
				fmt.Fprintf(&b, "  %s\n", o.Title.EN)
			}
		}
		p, err := e.Plan(ctx, s, sv, v)
		if _, f := h.First(); s.ID() == "toolchain" && f.Kernel.World.Value == "old" {
			if err == nil || !strings.Contains(err.Error(), "old world") {
				t.Fatalf("a release of Go on a kernel of LoongArch's old world: %v", err)
			}
			fmt.Fprintf(&b, "%v\n", err)
			v = maps.Clone(v)
			v["how"] = "vendor"
			if sv, err = e.Survey(ctx, s, v, nil); err == nil {
				p, err = e.Plan(ctx, s, sv, v)
			}
		}
		if err != nil {
			t.Fatalf("%s: %s\n%s", s.ID(), lang.Message(err, lang.EN), b.String())
		}
		fmt.Fprintf(&b, "== %s: %d changes\n", s.ID(), p.Changes())
		for _, it := range p.Items {
			if it.Diff.Action != engine.None {
				fmt.Fprintf(&b, "%c %s %s %s %s\n", rune(it.Diff.Action), it.On, it.Kind, it.Target, it.Diff.Note.EN)
			}
			if it.Unknown != "" {
				t.Fatalf("%s knows something only after %s", s.ID(), it.Unknown)
			}
		}
		for _, n := range p.Notes {
			fmt.Fprintf(&b, "- %s\n", n.Text.EN)
		}
		if _, err := run.Apply(ctx, p); err != nil {
			t.Fatalf("%s: %s\n%s", s.ID(), lang.Message(err, lang.EN), b.String())
		}
	}
	if _, err := run.End(ctx); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	return e, b.String()
}

// twice are walked through again, to see that the same is told: one of each package
// manager, with TLS and without.
var twice = []string{"kylin-v10-sp3-kunpeng920", "debian-12"}

func TestEveryStepIsDoneProvedCheckedAndUndoneToTheByte(t *testing.T) {
	for _, name := range assets.Machines() {
		t.Run(name, func(t *testing.T) {
			d := opened(t, name)
			before := trees(t, d)
			e, seen := walk(t, d, given(t, d, "none"))
			if slices.Contains(twice, name) {
				other := opened(t, name)
				if _, again := walk(t, other, given(t, other, "none")); again != seen {
					t.Errorf("another time another thing is told: %s", firstDifference(seen, again))
				}
			}
			drifts, err := e.Check(context.Background())
			if err != nil || len(drifts) > 0 {
				t.Fatalf("drifts: %+v %v", drifts, err)
			}
			u, err := e.Undo(context.Background(), 0, "")
			if err != nil {
				t.Fatal(lang.Message(err, lang.EN))
			}
			if len(u.Left) > 0 {
				t.Errorf("left: %+v", u.Left)
			}
			after := trees(t, d)
			for n, c := range before {
				if after[n] != c {
					t.Errorf("%s was %.80q and is %.80q", n, c, after[n])
				}
			}
			for n, c := range after {
				if _, there := before[n]; !there {
					t.Errorf("%s is left: %.80q", n, c)
				}
			}
		})
	}
}

// firstDifference is the first line that differs.
func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("%q, then %q", x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, then %d", len(x), len(y))
}
