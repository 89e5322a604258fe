package demo

import (
	"context"
	"fmt"
	"io/fs"
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

// started is the engine of a demo.
func started(d *Demo) *engine.Engine {
	return engine.New(engine.Config{Machines: []machine.Machine{d.Machine}, Steps: d.Steps, Kinds: op.Kinds(), Detect: detect.Detect})
}

// tree is every file of the machine: its mode, and content or target. The journal is
// left out.
func tree(t *testing.T, d *Demo) map[string]string {
	t.Helper()
	root := d.Machine.(machine.Rooted).HostPath("/")
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

// walk applies every step with its defaults and gives what was seen on the way.
func walk(t *testing.T, d *Demo) (e *engine.Engine, seen string) {
	t.Helper()
	ctx := context.Background()
	e = started(d)
	var b strings.Builder
	answers := engine.Answers{}
	for _, s := range d.Steps {
		answers[s.ID()] = engine.Values{}
	}
	if _, err := e.Detect(ctx); err != nil {
		t.Fatal(err)
	}
	run, err := e.Start(ctx, engine.RunOptions{Answers: answers})
	if err != nil {
		t.Fatal(err)
	}
	e.Listen(func(ev engine.Event) {
		if ev.What == engine.Proved || ev.What == engine.Output || ev.What == engine.Failed {
			fmt.Fprintf(&b, "%s %s %s: %s %s\n", ev.Time.Format("15:04:05"), ev.What, ev.Step, ev.Text.EN, ev.Error.EN)
		}
	})
	for _, s := range d.Steps {
		h, err := e.Detect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sv, err := e.Survey(ctx, s, engine.Values{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", s.ID(), err)
		}
		for _, q := range s.Questions(h, sv, engine.Values{}) {
			fmt.Fprintf(&b, "? %s: %s\n", q.Key, q.Why.EN)
			for _, o := range q.Options {
				fmt.Fprintf(&b, "  %s\n", o.Title.EN)
			}
		}
		p, err := e.Plan(ctx, s, sv, engine.Values{})
		if _, f := h.First(); s.ID() == "toolchain" && f.Kernel.World.Value == "old" {
			if err == nil || !strings.Contains(err.Error(), "old world") {
				t.Fatalf("a release of Go on a kernel of LoongArch's old world: %v", err)
			}
			fmt.Fprintf(&b, "%v\n", err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %s", s.ID(), lang.Message(err, lang.EN))
		}
		fmt.Fprintf(&b, "== %s: %d changes\n", s.ID(), p.Changes())
		for _, it := range p.Items {
			if it.Diff.Action != engine.None {
				fmt.Fprintf(&b, "%c %s %s %s\n", rune(it.Diff.Action), it.Kind, it.Target, it.Diff.Note.EN)
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
		t.Fatal(err)
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
			before := tree(t, d)
			e, seen := walk(t, d)
			if slices.Contains(twice, name) {
				if _, again := walk(t, opened(t, name)); again != seen {
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
			after := tree(t, d)
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
