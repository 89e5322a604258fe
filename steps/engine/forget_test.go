package engine_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// hoard is a put that keeps what it replaces on the machine, under the file's name.
type hoard struct{ put }

func (o *hoard) Kind() string { return "hoard" }
func (o *hoard) kept() string { return "/t/kept-" + o.Name }

func (o *hoard) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	if b, err := m.ReadFile(o.path()); err == nil {
		if err := m.WriteFile(o.kept(), b, 0o600, machine.Keep); err != nil {
			return engine.Outcome{}, err
		}
	}
	return o.put.Do(ctx, m, say)
}

func (o *hoard) Forget(_ context.Context, m machine.Machine, before engine.State, needed []engine.State) error {
	b, err := m.ReadFile(o.kept())
	if err != nil {
		return nil //nolint:nilerr // it is gone
	}
	sum := sha256.Sum256(b)
	if before.Ref != hex.EncodeToString(sum[:]) {
		return nil
	}
	for _, n := range needed {
		if n.Ref == before.Ref {
			return nil
		}
	}
	return m.Remove(o.kept())
}

// hoards is a step of such ops, on every machine of the run.
type hoards struct{ step }

func (hoards) Paired() bool { return true }

func (hoards) Ops(h engine.Hosts, _ engine.Survey, v engine.Values) ([]engine.Item, error) {
	var items []engine.Item
	for _, id := range h.Order {
		for _, w := range strings.Fields(v.Text("ops", "")) {
			name, want, _ := strings.Cut(w, "=")
			items = append(items, engine.Item{On: id, Op: &hoard{put{Name: name, Want: want}}})
		}
	}
	return items, nil
}

// hoarding is an engine with that step, on the first of two machines.
func (w *twins) hoarding() *engine.Engine {
	ks := kinds()
	ks["hoard"] = func() engine.Op { return &hoard{} }
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.a.dir)},
		Steps: []engine.Step{joins{step("peer"), func() (machine.Machine, error) {
			if w.line != nil {
				return nil, w.line
			}
			return named{machine.Root(w.b.dir), peerID}, nil
		}}, hoards{step("hoards")}},
		Kinds: ks,
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) {
			return &detect.Facts{}, nil
		},
	})
}

func (w *twins) keptThere() string { return w.a.read("kept-a") + " " + w.b.read("kept-a") }

func TestForgettingARunDestroysWhatItsOpsKeptOnBothMachines(t *testing.T) {
	w := newTwins(t)
	w.a.write("a", "secret")
	w.b.write("a", "other")
	_, err := w.a.apply(w.hoarding(), engine.RunOptions{Answers: engine.Answers{"peer": {"ops": ""}, "hoards": {"ops": "a=1"}}}, false)
	ok(t, err)
	if got := w.keptThere(); got != "secret other" {
		t.Fatalf("kept %q", got)
	}
	w.line = errors.New("no route to host")
	if err := w.hoarding().Forget(t.Context(), 1); !errors.Is(err, w.line) {
		t.Errorf("forgotten without the other machine: %v", err)
	}
	if rs, err := w.hoarding().Runs(); err != nil || rs[0].Forgotten || w.keptThere() != "secret other" {
		t.Errorf("half forgotten: %+v, %v; kept %q", rs, err, w.keptThere())
	}
	w.line = nil
	for range 2 { // twice is as once
		ok(t, w.hoarding().Forget(t.Context(), 1))
		if got := w.keptThere(); got != "- -" {
			t.Errorf("still kept: %q", got)
		}
	}
	for _, dir := range []string{w.a.dir, w.b.dir} {
		if left, err := os.ReadDir(dir + "/var/lib/goxin/runs/0001/blobs"); err != nil || len(left) > 0 {
			t.Errorf("%s: %v, %v", dir, left, err)
		}
	}
}

func TestWhatAnotherRunNeedsIsNotForgotten(t *testing.T) {
	w := newTwins(t)
	w.a.write("a", "old")
	apply := func(want string) {
		t.Helper()
		_, err := w.a.apply(w.hoarding(), engine.RunOptions{Answers: engine.Answers{"hoards": {"ops": "a=" + want}}}, false)
		ok(t, err)
	}
	forget := func(id engine.RunID, kept string) {
		t.Helper()
		ok(t, w.hoarding().Forget(t.Context(), id))
		if got := w.a.read("kept-a"); got != kept {
			t.Errorf("after run %d was forgotten there is kept %q, not %q", id, got, kept)
		}
	}
	apply("1")
	w.a.write("a", "old") // somebody put it back
	apply("1")
	apply("2")
	forget(1, "1") // the third run's
	forget(2, "1")
	forget(3, "-")

	w.a.write("a", "old")
	apply("1")
	w.a.write("a", "old")
	apply("1")
	forget(5, "old") // the fourth would be undone from it
	forget(4, "-")
}
