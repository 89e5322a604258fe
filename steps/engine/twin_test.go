package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// named is a machine under another name.
type named struct {
	machine.Machine
	id machine.ID
}

func (n named) ID() machine.ID { return n.id }

// joins is a step that brings the other machine into the run.
type joins struct {
	step
	other func() (machine.Machine, error)
}

func (j joins) Join(context.Context, machine.Machine, engine.Values, func(engine.Progress)) (machine.Machine, error) {
	return j.other()
}

// onBoth is a step whose ops are done on both machines, the other one first.
type onBoth struct{ step }

func (onBoth) Paired() bool { return true }

func (s onBoth) Ops(h engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	var items []engine.Item
	for i := len(h.Order) - 1; i >= 0; i-- {
		its, err := s.step.Ops(engine.Hosts{Order: h.Order[i : i+1], Facts: h.Facts}, sv, v)
		if err != nil {
			return nil, err
		}
		items = append(items, its...)
	}
	return items, nil
}

const peerID machine.ID = "peer:b"

// twins are two trees and an engine on the first that joins the second.
type twins struct {
	a, b *world
	line error // what the line to b answers; nil: it works
}

func newTwins(t *testing.T) *twins {
	return &twins{a: newWorld(t, "a=0", "c=old"), b: newWorld(t, "a=0", "c=older")}
}

// engine dies on both machines by options.
func (w *twins) engine(opts ...machine.Option) *engine.Engine {
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.a.dir, opts...)},
		Steps: []engine.Step{
			joins{step("peer"), func() (machine.Machine, error) {
				if w.line != nil {
					return nil, w.line
				}
				return named{machine.Root(w.b.dir, opts...), peerID}, nil
			}},
			onBoth{step("both")},
			step("two"),
		},
		Kinds: kinds(),
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) {
			return &detect.Facts{}, nil
		},
		Owner: "test", Version: "test",
	})
}

// alone is the engine of the second machine itself.
func (w *twins) alone() *engine.Engine { return w.b.engine() }

var twinAnswers = engine.Answers{"peer": {"ops": ""}, "both": {"ops": "a=1 b,c=2 a=3"}, "two": {"ops": "d=4"}}

func (w *twins) hashes() [2]string { return [2]string{w.a.hash(), w.b.hash()} }

func TestARunOverTwoMachinesCanBeTakenBackOnEach(t *testing.T) {
	w := newTwins(t)
	before := w.hashes()
	_, err := w.a.apply(w.engine(), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	if a, b := w.a.read("b")+w.a.read("d"), w.b.read("b")+w.b.read("d"); a != "24" || b != "2-" {
		t.Fatalf("the paired step is done on both, the other here alone: %q, %q", a, b)
	}
	rs, err := w.alone().Runs()
	ok(t, err)
	if len(rs) != 1 || rs[0].Status != engine.StatusApplied || rs[0].Changes != 3 || rs[0].Owner != "peer" {
		t.Fatalf("the other machine's own list of runs: %+v", rs)
	}
	res, err := w.alone().Undo(context.Background(), 0, "")
	ok(t, err)
	if res.Undone != 3 || w.b.hash() != before[1] {
		t.Fatalf("taken back there: %+v", res)
	}
	_, err = w.engine().Undo(context.Background(), 0, "")
	ok(t, err)
	if w.hashes() != before {
		t.Fatal("not as it was")
	}
	if p, err := w.engine().Runs(); err != nil || p[0].Status != engine.StatusUndone {
		t.Fatalf("%+v, %v", p, err)
	}
}

// What another machine took back by itself is done with: whatever became of it since is
// no more the run's, and nothing to tell of.
func TestWhatTheOtherMachineTookBackItselfIsNotTakenBackAgain(t *testing.T) {
	w := newTwins(t)
	before := w.hashes()
	_, err := w.a.apply(w.engine(), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	_, err = w.alone().Undo(context.Background(), 0, "")
	ok(t, err)
	w.b.write("b", "somebody's")
	res, err := w.engine().Undo(context.Background(), 0, "")
	ok(t, err)
	if len(res.Left) > 0 || w.b.read("b") != "somebody's" || w.hashes()[0] != before[0] {
		t.Fatalf("%+v, there is %q", res, w.b.read("b"))
	}
	if rs, err := w.engine().Runs(); err != nil || rs[0].Status != engine.StatusUndone {
		t.Fatalf("%+v, %v", rs, err)
	}
}

func TestNothingIsTakenBackHereWhileTheOtherMachineCannotBeReached(t *testing.T) {
	w := newTwins(t)
	_, err := w.a.apply(w.engine(), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	after := w.hashes()
	w.line = errors.New("no route to host")
	if _, err := w.engine().Undo(context.Background(), 0, ""); !errors.Is(err, w.line) {
		t.Fatalf("undo without the other machine: %v", err)
	}
	if w.hashes() != after {
		t.Fatal("half of the pair was taken back")
	}
	w.line = nil
	_, err = w.engine().Undo(context.Background(), 0, "")
	ok(t, err)
}

func TestAPairIsBusyWhereTheOtherMachineIs(t *testing.T) {
	w := newTwins(t)
	seen := 0
	_, _ = w.b.apply(w.b.engine(dies(60, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
	before := w.hashes()
	_, err := w.a.apply(w.engine(), engine.RunOptions{Answers: twinAnswers}, false)
	if err == nil {
		t.Fatal("it began beside a run that was interrupted there")
	}
	var busy *engine.BusyError
	if !errors.As(err, &busy) || busy.Interrupted != 1 {
		t.Fatalf("%v", err)
	}
	if w.hashes() != before {
		t.Fatal("something was changed")
	}
}

// TestDyingAtEveryEffectOfAPair is TestDyingAtEveryEffect over two machines: the process
// that leads dies, and another one takes the run up on both.
func TestDyingAtEveryEffectOfAPair(t *testing.T) {
	w := newTwins(t)
	before, total := w.hashes(), 0
	_, err := w.a.apply(w.engine(dies(0, &total)), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	after := w.hashes()
	for n := 1; n <= total; n++ {
		for _, take := range []string{"resume", "undo"} {
			w, seen := newTwins(t), 0
			_, _ = w.a.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: twinAnswers}, false)
			want, err := before, error(nil)
			if take == "undo" {
				_, err = w.engine().Undo(context.Background(), 0, "")
			} else {
				want, err = after, w.resume()
			}
			if err != nil {
				t.Fatalf("died at effect %d of %d, %s: %v", n, total, take, err)
			}
			if w.hashes() != want {
				t.Fatalf("died at effect %d of %d, %s: a=%s b=%s c=%s d=%s, there a=%s b=%s c=%s", n, total, take,
					w.a.read("a"), w.a.read("b"), w.a.read("c"), w.a.read("d"), w.b.read("a"), w.b.read("b"), w.b.read("c"))
			}
			for _, e := range []*engine.Engine{w.engine(), w.alone()} {
				if p, err := e.Pending(); p != nil || err != nil {
					t.Fatalf("died at effect %d of %d, %s: still pending: %+v %v", n, total, take, p, err)
				}
			}
		}
	}
	t.Logf("%d effects, 2 ways on from each", total)
}

func (w *twins) resume() error {
	e := w.engine()
	run, _, err := e.Resume(context.Background())
	if run == nil && err == nil {
		if rs, err := e.Runs(); err == nil && (len(rs) == 0 || rs[0].Status == engine.StatusUndone) {
			_, err := w.a.apply(e, engine.RunOptions{Answers: twinAnswers}, false)
			return err
		}
	}
	if run != nil {
		_, endErr := run.End(context.Background())
		return errors.Join(err, endErr)
	}
	return err
}

// TestACutLineAtEveryEffectOfTheOtherMachine has the other machine fall silent for good
// at each of its effects. Its guard takes its part back there; here the run is undone,
// and what is known of the other one is put right by the next undo.
func TestACutLineAtEveryEffectOfTheOtherMachine(t *testing.T) {
	count := newTwins(t)
	count.bootable(t)
	before, total := count.hashes(), 0
	_, err := count.a.apply(count.cut(0, &total), engine.RunOptions{Answers: twinAnswers}, true)
	ok(t, err)
	for n := 1; n <= total; n++ {
		w, seen := newTwins(t), 0
		w.bootable(t)
		_, err := w.a.apply(w.cut(n, &seen), engine.RunOptions{Answers: twinAnswers}, true)
		if err == nil && n < total { // the last is that it lets go of its lock
			t.Fatalf("cut at effect %d of %d: nobody noticed", n, total)
		}
		e := w.alone()
		rs, err := e.Runs()
		ok(t, err)
		for _, r := range rs {
			if r.Status == engine.StatusInterrupted {
				ok(t, os.MkdirAll(w.b.dir+"/var/lib/goxin/guard/1", 0o700))
				_ = e.Guard(context.Background(), r.ID) // there is no service manager here to take its unit from
			}
		}
		if w.hashes()[1] != before[1] {
			rs, _ := w.alone().Runs()
			// It was told of the end and stands, and only its answer was lost.
			if len(rs) != 1 || rs[0].Status == engine.StatusInterrupted || rs[0].Status == engine.StatusUndone {
				t.Fatalf("cut at effect %d of %d: the other machine was left half done: %+v", n, total, rs)
			}
		}
		if _, err := w.engine().Undo(context.Background(), 0, ""); err != nil {
			t.Fatalf("cut at effect %d of %d: undo: %v", n, total, err)
		}
		if w.hashes() != before {
			t.Fatalf("cut at effect %d of %d: not as it was", n, total)
		}
	}
	t.Logf("%d effects", total)
}

// cut is an engine whose line to the other machine is cut at its n-th effect.
func (w *twins) cut(n int, seen *int) *engine.Engine {
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.a.dir)},
		Steps: []engine.Step{
			joins{step("peer"), func() (machine.Machine, error) {
				return named{machine.Root(w.b.dir, dies(n, seen)), peerID}, nil
			}},
			onBoth{step("both")},
			step("two"),
		},
		Kinds: kinds(),
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) {
			return &detect.Facts{}, nil
		},
		Owner: "test", Version: "test",
	})
}

// bootable gives the tree what tells which boot it is.
func (w *twins) bootable(t *testing.T) {
	t.Helper()
	for name, text := range map[string]string{
		"proc/sys/kernel/random/boot_id": "b\n",
		"proc/1/stat":                    "1 (systemd) S " + strings.Repeat("0 ", 20),
		"proc/uptime":                    "100.0 1.0\n",
	} {
		p := filepath.Join(w.b.dir, name)
		ok(t, os.MkdirAll(filepath.Dir(p), 0o755))
		ok(t, os.WriteFile(p, []byte(text), 0o644))
	}
}

func TestAPartThatWasTakenBackIsNotGoneOnWith(t *testing.T) {
	total := 0
	_, err := newTwins(t).a.apply(newTwins(t).engine(dies(0, &total)), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	refused := 0
	for n := total / 4; n < total; n += 7 {
		w, seen := newTwins(t), 0
		before := w.hashes()
		_, _ = w.a.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: twinAnswers}, false)
		if _, err := w.alone().Undo(context.Background(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if rs, _ := w.alone().Runs(); len(rs) == 0 || rs[0].Status != engine.StatusUndone {
			continue
		}
		refused++
		if err := w.resume(); err == nil || !strings.Contains(err.Error(), "taken its part back") {
			t.Fatalf("died at %d: resume: %v", n, err)
		}
		_, err = w.engine().Undo(context.Background(), 0, "")
		ok(t, err)
		if w.hashes() != before {
			t.Fatalf("died at %d: not as it was", n)
		}
	}
	if refused == 0 {
		t.Fatal("no run had a part to be taken back")
	}
}

func TestWhatAnOpTellsIsAnEvent(t *testing.T) {
	var got []string
	ctx := engine.HearTold(context.Background(), func(e engine.Event) { got = append(got, e.Kind+" "+string(e.Data)) })
	engine.Tell(ctx, "drill", 3)
	engine.Tell(context.Background(), "drill", 4)
	if strings.Join(got, ",") != "drill 3" {
		t.Fatalf("%q", got)
	}
}

func TestDriftIsFoundOnBothMachinesOfAPair(t *testing.T) {
	w := newTwins(t)
	_, err := w.a.apply(w.engine(), engine.RunOptions{Answers: twinAnswers}, false)
	ok(t, err)
	w.a.write("a", "x")
	w.b.write("b", "y")
	ds, err := w.engine().Check(context.Background())
	ok(t, err)
	if len(ds) != 2 || ds[0].On != string(peerID) && ds[1].On != string(peerID) {
		t.Fatalf("%+v", ds)
	}
	w.line = errors.New("no route to host")
	ds, err = w.engine().Check(context.Background())
	if !errors.Is(err, w.line) || len(ds) != 1 || ds[0].Target != "a" {
		t.Fatalf("with the other machine away: %+v, %v", ds, err)
	}
}

// TestAPairIsTakenBackWhereTheRunWasNotToldWhoNamedTheOtherMachine: a wizard plans the
// step that joins before its run begins, and gives the run the answers of later ones.
func TestAPairIsTakenBackWhereTheRunWasNotToldWhoNamedTheOtherMachine(t *testing.T) {
	w := newTwins(t)
	before := w.hashes()
	e := w.engine()
	_, err := e.Plan(context.Background(), e.Step("peer"), nil, twinAnswers["peer"])
	ok(t, err)
	_, err = w.a.apply(e, engine.RunOptions{Answers: engine.Answers{"both": twinAnswers["both"]}}, false)
	ok(t, err)
	_, err = w.engine().Undo(context.Background(), 0, "")
	ok(t, err)
	if w.hashes() != before {
		t.Fatal("not as it was")
	}
}
