package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
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

// put is the smallest op: a file that holds a text. What its name ends in makes
// it behave: "!" fails in Do after writing, "^" is clamped to another value,
// "/" refuses without writing.
type put struct {
	Name, Want string
	Reason     lang.Text `json:"reason"`
}

func (p *put) Kind() string     { return "put" }
func (p *put) Target() string   { return p.Name }
func (p *put) Why() lang.Text   { return p.Reason }
func (p *put) ByHand() []string { return nil }
func (p *put) path() string     { return "/t/" + strings.TrimRight(p.Name, "!^/") }

func (p *put) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	b, err := m.ReadFile(p.path())
	if errors.Is(err, fs.ErrNotExist) {
		return engine.NewState(false, nil), nil
	}
	return engine.NewState(true, b), err
}

func (p *put) Diff(s engine.State) engine.Diff {
	var exists bool
	_ = s.Decode(&exists)
	switch {
	case !exists:
		return engine.Diff{Action: engine.Create}
	case s.Equal(engine.NewState(true, []byte(p.Want))):
		return engine.Diff{Action: engine.None}
	}
	return engine.Diff{Action: engine.Update, Rows: []engine.Row{{Action: engine.Update, Name: p.Name, Now: string(s.Blob), Then: p.Want}}}
}

func (p *put) Do(_ context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	want, out := p.Want, engine.OK
	switch p.Name[len(p.Name)-1] {
	case '/':
		return engine.Outcome{Kind: engine.Refused, By: lang.Same("nobody may")}, nil
	case '^':
		want, out = "clamped", engine.Outcome{Kind: engine.Clamped, By: lang.Same("the roof"), Got: "clamped"}
	}
	if err := m.WriteFile(p.path(), []byte(want), 0o640, machine.Keep); err != nil {
		return engine.Outcome{}, err
	}
	if p.Name[len(p.Name)-1] == '!' {
		return engine.Outcome{}, errors.New("it broke")
	}
	return out, nil
}

func (p *put) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	now, err := p.Observe(context.Background(), m)
	if err != nil {
		return err
	}
	if err := m.Clean(p.path()); err != nil {
		return err
	}
	switch {
	case now.Equal(before):
		return nil
	case after.Meta == nil && now.Equal(engine.NewState(true, []byte(p.Want))):
	case !now.Equal(after):
		return engine.ErrNotOurs
	}
	var existed bool
	_ = before.Decode(&existed)
	if !existed {
		return m.Remove(p.path())
	}
	return m.WriteFile(p.path(), before.Blob, 0o640, machine.Keep)
}

// pair is an op of two effects, so that it can be caught between them.
type pair struct{ A, B put }

func (p *pair) Kind() string     { return "pair" }
func (p *pair) Target() string   { return p.A.Name + "+" + p.B.Name }
func (p *pair) Why() lang.Text   { return lang.Text{} }
func (p *pair) ByHand() []string { return nil }

type both struct{ A, B *string }

func (p *pair) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	read := func(q put) *string {
		b, err := m.ReadFile(q.path())
		if err != nil {
			return nil
		}
		s := string(b)
		return &s
	}
	return engine.NewState(both{read(p.A), read(p.B)}, nil), nil
}

func (p *pair) Diff(s engine.State) engine.Diff {
	if s.Equal(engine.NewState(both{&p.A.Want, &p.B.Want}, nil)) {
		return engine.Diff{Action: engine.None}
	}
	return engine.Diff{Action: engine.Update}
}

func (p *pair) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if _, err := p.A.Do(ctx, m, say); err != nil {
		return engine.Outcome{}, err
	}
	return p.B.Do(ctx, m, say)
}

func (p *pair) Undo(_ context.Context, m machine.Machine, before, _ engine.State) error {
	var was both
	if err := before.Decode(&was); err != nil {
		return err
	}
	for _, x := range []struct {
		q   put
		was *string
	}{{p.B, was.B}, {p.A, was.A}} {
		if err := m.Clean(x.q.path()); err != nil {
			return err
		}
		if x.was == nil {
			if err := m.Remove(x.q.path()); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			continue
		}
		if err := m.WriteFile(x.q.path(), []byte(*x.was), 0o640, machine.Keep); err != nil {
			return err
		}
	}
	return nil
}

func kinds() engine.Kinds {
	return engine.Kinds{"put": func() engine.Op { return &put{} }, "pair": func() engine.Op { return &pair{} }}
}

// step is a step whose ops are written in its values: "a=1 b=2 c,d=3".
type step string

func (s step) ID() string             { return string(s) }
func (s step) Title() lang.Text       { return lang.Same(string(s)) }
func (s step) Fields() []engine.Field { return []engine.Field{{Key: "ops", Kind: engine.Text}} }
func (s step) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	return nil
}

func (s step) Ops(h engine.Hosts, _ engine.Survey, v engine.Values) ([]engine.Item, error) {
	id, _ := h.First()
	var items []engine.Item
	for _, w := range strings.Fields(v.Text("ops", "")) {
		name, want, _ := strings.Cut(w, "=")
		if a, b, two := strings.Cut(name, ","); two {
			items = append(items, engine.Item{On: id, Op: &pair{put{Name: a, Want: want}, put{Name: b, Want: want}}})
			continue
		}
		items = append(items, engine.Item{On: id, Op: &put{Name: name, Want: want}})
	}
	return items, nil
}

// world is a tree with an engine on it.
type world struct {
	t      *testing.T
	dir    string
	events []string
}

func newWorld(t *testing.T, files ...string) *world {
	w := &world{t: t, dir: t.TempDir()}
	// Every effect is synced; in memory that costs nothing.
	if dir, err := os.MkdirTemp("/dev/shm", "goxin"); err == nil {
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		w.dir = dir
	}
	if err := os.MkdirAll(w.dir+"/t", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, text, _ := strings.Cut(f, "=")
		w.write(name, text)
	}
	return w
}

func (w *world) write(name, text string) {
	if err := os.WriteFile(w.dir+"/t/"+name, []byte(text), 0o640); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(name string) string {
	b, err := os.ReadFile(w.dir + "/t/" + name)
	if err != nil {
		return "-"
	}
	return string(b)
}

func (w *world) engine(opts ...machine.Option) *engine.Engine {
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.dir, opts...)},
		Steps:    []engine.Step{step("one"), step("two")},
		Kinds:    kinds(),
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) {
			return &detect.Facts{}, nil
		},
		Notify: func(e engine.Event) {
			switch e.What {
			case engine.Done, engine.Skipped, engine.Failed, engine.Undone, engine.LeftAlone:
				w.events = append(w.events, fmt.Sprintf("%s:%s", e.What, e.Target))
			}
		},
		Owner: "test", Version: "test",
	})
}

func (w *world) plan(e *engine.Engine, id, ops string) *engine.StepPlan {
	p, err := e.Plan(context.Background(), e.Step(id), nil, engine.Values{"ops": ops})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// apply runs the answers from start to end, and undoes on failure if asked.
func (w *world) apply(e *engine.Engine, o engine.RunOptions, undo bool) (engine.Summary, error) {
	ctx := context.Background()
	run, err := e.Start(ctx, o)
	if err != nil {
		return engine.Summary{}, err
	}
	for _, s := range e.Steps() {
		if v, ok := o.Answers[s.ID()]; ok && err == nil {
			_, err = run.Step(ctx, s, v, nil)
		}
	}
	if err != nil && undo {
		_, uerr := run.Undo(ctx)
		err = errors.Join(err, uerr)
	}
	sum, endErr := run.End(ctx)
	return sum, errors.Join(err, endErr)
}

func answers(one, two string) engine.Answers {
	a := engine.Answers{"one": {"ops": one}}
	if two != "" {
		a["two"] = engine.Values{"ops": two}
	}
	return a
}

// hash is everything about the tree but goxin's own state: names, types, modes,
// owners, contents, link targets.
func (w *world) hash() string {
	h := sha256.New()
	err := filepath.WalkDir(w.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(p, w.dir)
		if rel == "/var" {
			return filepath.SkipDir
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		st := fi.Sys().(*syscall.Stat_t)
		fmt.Fprintln(h, rel, fi.Mode(), st.Uid, st.Gid)
		if fi.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			fmt.Fprintln(h, len(b), string(b))
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
