package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// tried is a step with a trial before its first change and a proof after its last.
type tried struct {
	step
	told  *[]string
	fails bool
}

func (s tried) Proofs(h engine.Hosts, _ engine.Survey, _ engine.Values) []engine.Proof {
	id, _ := h.First()
	proof := func(name string, first, fails bool) engine.Proof {
		return engine.Proof{On: id, Title: lang.Same(name), First: first, Prove: func(context.Context, machine.Machine) (lang.Text, error) {
			*s.told = append(*s.told, name)
			if fails {
				return lang.Text{}, errors.New("no")
			}
			return lang.Same("yes"), nil
		}}
	}
	return []engine.Proof{proof("proof", false, false), proof("trial", true, s.fails)}
}

// shown is a step whose proof is what it is for.
type shown struct {
	step
	err error
}

func (s shown) Proofs(h engine.Hosts, _ engine.Survey, _ engine.Values) []engine.Proof {
	id, _ := h.First()
	prove := func(context.Context, machine.Machine) (lang.Text, error) { return lang.Same("yes"), s.err }
	return []engine.Proof{{On: id, Title: lang.Same("of a change"), Prove: prove}, {On: id, Title: lang.Same("in any case"), Always: true, Prove: prove}}
}

func TestAProofThatIsWhatAStepIsForIsHeldWithoutAChangeAndWithoutARun(t *testing.T) {
	for _, failure := range []error{nil, errors.New("no")} {
		w := newWorld(t, "a=1")
		before := w.hash()
		var told []string
		s := shown{step: "one", err: failure}
		e := w.with([]engine.Step{s}, func(ev engine.Event) {
			if ev.What == engine.Proving || ev.What == engine.Proved {
				told = append(told, ev.Text.EN)
			}
		})
		p, err := e.Plan(context.Background(), s, nil, engine.Values{"a": "1"})
		if err != nil || p.Changes() != 0 || !p.Proves {
			t.Fatalf("%+v, %v", p, err)
		}
		err = e.Prove(context.Background(), p)
		want := "[in any case in any case: yes]"
		if failure != nil {
			want = "[in any case]"
		}
		if !errors.Is(err, failure) || fmt.Sprint(told) != want || w.hash() != before {
			t.Errorf("%v: %v, %v", failure, told, err)
		}
	}
}

// asked counts its surveys.
type asked struct {
	step
	times *int
}

func (s asked) Survey(context.Context, map[machine.ID]machine.Machine, engine.Hosts, engine.Values, func(engine.Progress)) (engine.Survey, error) {
	*s.times++
	return engine.Survey(fmt.Sprint(*s.times)), nil
}

func (w *world) with(steps []engine.Step, notify func(engine.Event)) *engine.Engine {
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.dir)}, Steps: steps, Kinds: kinds(), Notify: notify, Owner: "test", Version: "test",
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
	})
}

func TestATrialComesBeforeTheFirstChangeAndAFailedOneLeavesTheMachineAsItWas(t *testing.T) {
	for _, fails := range []bool{false, true} {
		w := newWorld(t, "a=0")
		before := w.hash()
		var told []string
		e := w.with([]engine.Step{tried{"one", &told, fails}}, func(ev engine.Event) {
			if ev.What == engine.Doing {
				told = append(told, "change")
			}
		})
		sum, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "")}, false)
		want := "[trial change proof]"
		if fails {
			want = "[trial]"
		}
		if (err != nil) != fails || fmt.Sprint(told) != want {
			t.Errorf("fails %v: %v, %v", fails, told, err)
		}
		if fails && (w.hash() != before || sum.Changes != 0) {
			t.Errorf("a failed trial left %d changes, a is %s", sum.Changes, w.read("a"))
		}
	}
}

func TestAPlanAndTheRunThatAppliesItAskOnceButNotAfterAChange(t *testing.T) {
	w := newWorld(t)
	one, two := 0, 0
	e := w.with([]engine.Step{asked{"one", &one}, asked{"two", &two}}, nil)
	ans := answers("a=1", "b=2")
	for _, s := range e.Steps() {
		if _, err := e.Survey(context.Background(), s, ans[s.ID()], nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.apply(e, engine.RunOptions{Answers: ans}, false); err != nil {
		t.Fatal(err)
	}
	if one != 1 || two != 2 {
		t.Errorf("the first step was surveyed %d times, want 1; the second, after a change, %d, want 2", one, two)
	}
}

// patient is a put that waits for somebody else before it writes.
type patient struct {
	put
	waits func()
}

func (p *patient) Kind() string { return "patient" }

func (p *patient) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	p.waits()
	select {
	case <-engine.Stopping(ctx):
		return engine.Outcome{}, errors.New("stopped while waiting")
	case <-ctx.Done():
		return engine.Outcome{}, errors.New("cut off")
	}
}

// waiting is a step with one.
type waiting struct {
	step
	waits func()
}

func (s waiting) Ops(h engine.Hosts, _ engine.Survey, _ engine.Values) ([]engine.Item, error) {
	id, _ := h.First()
	return []engine.Item{{On: id, Op: &patient{put{Name: "a", Want: "1"}, s.waits}}}, nil
}

func TestAnOperationThatOnlyWaitsCanBeStopped(t *testing.T) {
	w := newWorld(t, "a=0")
	before := w.hash()
	ctx, cancel := context.WithCancel(context.Background())
	s := waiting{"one", cancel}
	k := kinds()
	k["patient"] = func() engine.Op { return &patient{waits: cancel} }
	e := engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.dir)}, Steps: []engine.Step{s}, Kinds: k, Owner: "test", Version: "test",
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
	})
	run, err := e.Start(ctx, engine.RunOptions{Answers: answers("x", "")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Step(ctx, s, nil, nil); err == nil || !strings.Contains(err.Error(), "stopped while waiting") {
		t.Errorf("got %v", err)
	}
	if _, err := run.Undo(ctx); err != nil {
		t.Error(err)
	}
	if _, err := run.End(ctx); err != nil || w.hash() != before {
		t.Errorf("%v, as it was: %v", err, w.hash() == before)
	}
}
