package engine_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"goxin/steps/engine"
)

// Each case is a whole run on one line: the files there are, the ops asked for
// (name=text; a,b=text is one op on two files; "!" fails, "^" is clamped, "/" is
// refused) and what the engine did, in order.
func TestWhatARunDoesInWhichOrder(t *testing.T) {
	for _, c := range []struct {
		files, ops, did string
		status          engine.Status
		strict          bool
	}{
		{"", "a=1 b=2", "done:a done:b", engine.StatusApplied, false},
		{"a=1", "a=1 b=2", "skipped:a done:b", engine.StatusApplied, false},
		{"a=0", "a=1 b!=2 c=3", "done:a failed:b! undone:b! undone:a", engine.StatusUndone, false},
		{"", "a!=1", "failed:a! undone:a!", engine.StatusUndone, false},
		{"", "a,b=1 c!=3", "done:a+b failed:c! undone:c! undone:a+b", engine.StatusUndone, false},
		{"", "a^=1 b=2", "done:a^ done:b", engine.StatusApplied, false},
		{"", "a/=1 b=2", "done:a/ done:b", engine.StatusApplied, false},
		{"", "b=2 a^=1 c=3", "done:b failed:a^ undone:a^ undone:b", engine.StatusUndone, true},
		{"a=1", "a=1 b!=2", "skipped:a failed:b! undone:b!", engine.StatusUndone, false},
	} {
		t.Run(c.ops, func(t *testing.T) {
			w := newWorld(t, strings.Fields(c.files)...)
			before := w.hash()
			sum, err := w.apply(w.engine(), engine.RunOptions{Answers: answers(c.ops, ""), Strict: c.strict}, true)
			if did := strings.Join(w.events, " "); did != c.did {
				t.Errorf("did  %s\nwant %s", did, c.did)
			}
			if sum.Status != c.status {
				t.Errorf("status %s, want %s", sum.Status, c.status)
			}
			if (err != nil) != (c.status == engine.StatusUndone) {
				t.Errorf("error %v", err)
			}
			if c.status == engine.StatusUndone && w.hash() != before {
				t.Error("the tree is not as it was")
			}
		})
	}
}

func TestAConvergedMachineHasAnEmptyPlanAndTheSameWantedDigest(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	first := w.plan(e, "one", "a=1 b=2")
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1 b=2", "")}, false); err != nil {
		t.Fatal(err)
	}
	second := w.plan(e, "one", "a=1 b=2")
	if n := second.Changes(); n != 0 {
		t.Errorf("%d changes on a converged machine", n)
	}
	if first.Wanted != second.Wanted {
		t.Error("what is wanted has another digest once it is so")
	}
	if first.Reviewed == second.Reviewed {
		t.Error("two different diffs have the same digest")
	}
	fresh := newWorld(t)
	if p := fresh.plan(fresh.engine(), "one", "a=1 b=2"); p.Wanted != first.Wanted {
		t.Error("what is wanted has another digest on another machine")
	}
	if _, err := e.Undo(context.Background(), 0, ""); err != nil {
		t.Fatal(err)
	}
	if p := w.plan(e, "one", "a=1 b=2"); p.Reviewed != first.Reviewed {
		t.Error("after undo the plan is not the first one again")
	}
}

func TestAStalePlanIsRefusedAndNothingIsWritten(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	run, err := e.Start(context.Background(), engine.RunOptions{Answers: answers("a=1 b=2", "")})
	if err != nil {
		t.Fatal(err)
	}
	p := w.plan(e, "one", "a=1 b=2")
	w.write("b", "somebody was quicker")
	before := w.hash()
	_, err = run.Apply(context.Background(), p)
	var stale *engine.StaleError
	if !errors.As(err, &stale) || len(stale.Targets) != 1 || stale.Targets[0] != "b" {
		t.Fatalf("error %v", err)
	}
	if w.hash() != before {
		t.Error("something was written")
	}
	if _, err := run.End(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestOneRunAtATime(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	run, err := e.Start(context.Background(), engine.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.engine().Start(context.Background(), engine.RunOptions{})
	var busy *engine.BusyError
	if !errors.As(err, &busy) || busy.Holder.PID != os.Getpid() || busy.Holder.Since.IsZero() {
		t.Fatalf("second run: %v", err)
	}
	if _, err := w.engine().Undo(context.Background(), 0, ""); !errors.As(err, &busy) {
		t.Errorf("undo beside a run: %v", err)
	}
	if _, err := run.End(context.Background()); err != nil {
		t.Fatal(err)
	}
	run, err = w.engine().Start(context.Background(), engine.RunOptions{})
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	if run.ID() != 2 {
		t.Errorf("run %d, want 2", run.ID())
	}
	if _, err := run.End(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestUndoLeavesAloneWhatSomebodyChangedSince(t *testing.T) {
	w := newWorld(t, "a=0", "b=0")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1 b=1 c=1", "")}, false); err != nil {
		t.Fatal(err)
	}
	w.write("b", "theirs")
	res, err := e.Undo(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if res.Undone != 2 || len(res.Left) != 1 || res.Left[0].Target != "b" {
		t.Errorf("%+v", res)
	}
	if got := w.read("a") + w.read("b") + w.read("c"); got != "0theirs-" {
		t.Errorf("a, b, c hold %q", got)
	}
	if res, err := e.Undo(context.Background(), 0, ""); err != nil || res.Run != 0 {
		t.Errorf("undoing again: %+v, %v", res, err)
	}
}

func TestUndoOfOneStepLeavesTheOther(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "b=2")}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Undo(context.Background(), 1, "one"); err != nil {
		t.Fatal(err)
	}
	if got := w.read("a") + w.read("b"); got != "-2" {
		t.Errorf("a, b hold %q", got)
	}
	if rs, _ := e.Runs(); len(rs) != 1 || rs[0].Status != engine.StatusApplied || rs[0].Changes != 1 {
		t.Errorf("%+v", rs)
	}
}

func TestRunsUndoneInEitherOrderDoNotUndoEachOther(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	for _, v := range []string{"a=1", "a=2"} {
		if _, err := w.apply(e, engine.RunOptions{Answers: answers(v, "")}, false); err != nil {
			t.Fatal(err)
		}
	}
	if res, err := e.Undo(context.Background(), 1, ""); err != nil || len(res.Left) != 1 {
		t.Fatalf("undo of the older run: %+v, %v", res, err)
	}
	if got := w.read("a"); got != "2" {
		t.Errorf("a holds %q, want what the newer run set", got)
	}
	if _, err := e.Undo(context.Background(), 2, ""); err != nil {
		t.Fatal(err)
	}
	if got := w.read("a"); got != "1" {
		t.Errorf("a holds %q, want what was there before the newer run", got)
	}
}

func TestCheckNamesWhatDriftedAndAcceptsWhatWasClamped(t *testing.T) {
	w := newWorld(t, "s=1")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1 b^=1 c/=1 s=1", "")}, false); err != nil {
		t.Fatal(err)
	}
	drifted := func() string {
		ds, err := e.Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, d := range ds {
			names = append(names, d.Target)
		}
		return strings.Join(names, " ")
	}
	if got := drifted(); got != "" {
		t.Errorf("drift right after apply: %s", got)
	}
	w.write("a", "2")
	w.write("b", "raised")
	w.write("s", "2")
	if got := drifted(); got != "a b^ s" {
		t.Errorf("drift %q, want what was changed, what was clamped and then changed, and what was already so", got)
	}
	if _, err := e.Undo(context.Background(), 0, ""); err != nil {
		t.Fatal(err)
	}
	if got := drifted(); got != "a b^ s" && got != "" {
		t.Errorf("drift %q after undo", got)
	}
}

func TestACancelledRunStartsNothingNew(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	ctx, cancel := context.WithCancel(context.Background())
	e.Listen(func(ev engine.Event) {
		if ev.What == engine.Done && ev.Target == "a" {
			cancel()
		}
	})
	run, err := e.Start(ctx, engine.RunOptions{Answers: answers("a=1 b=2", "")})
	if err != nil {
		t.Fatal(err)
	}
	_, err = run.Apply(ctx, w.plan(e, "one", "a=1 b=2"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if got := w.read("a") + w.read("b"); got != "1-" {
		t.Errorf("a, b hold %q", got)
	}
	if res, err := run.Undo(ctx); err != nil || res.Undone != 1 {
		t.Errorf("undo under a cancelled context: %+v, %v", res, err)
	}
	if sum, err := run.End(ctx); err != nil || sum.Status != engine.StatusUndone {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestForgettingARunDestroysWhatWasKept(t *testing.T) {
	w := newWorld(t, "a=the old secret")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "")}, false); err != nil {
		t.Fatal(err)
	}
	if err := e.Forget(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(w.dir + "/var/lib/goxin/runs/0001/blobs"); err != nil || len(left) > 0 {
		t.Errorf("kept: %v, %v", left, err)
	}
	if _, err := e.Undo(context.Background(), 1, ""); err == nil || w.read("a") != "1" {
		t.Errorf("undo of a forgotten run: %v, a holds %q", err, w.read("a"))
	}
	w.write("a", "drifted")
	if ds, err := e.Check(context.Background()); err != nil || len(ds) != 1 {
		t.Errorf("a forgotten run is checked still: %+v, %v", ds, err)
	}
	if sum, err := w.apply(e, engine.RunOptions{Answers: answers("b=1", "")}, false); err != nil || sum.ID != 2 {
		t.Errorf("the next run is %d, %v", sum.ID, err)
	}
}

func TestAnOlderRunUnderANewerOneIsUndoneAfterIt(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	for _, v := range []string{"a=1", "a=2"} {
		if _, err := w.apply(e, engine.RunOptions{Answers: answers(v, "")}, false); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range []struct {
		run  engine.RunID
		left int
		a    string
	}{{1, 1, "2"}, {2, 0, "1"}, {1, 0, "0"}} {
		res, err := e.Undo(context.Background(), c.run, "")
		if err != nil || len(res.Left) != c.left || w.read("a") != c.a {
			t.Fatalf("undo %d (%d.): left %+v, %v, a holds %q", c.run, i+1, res.Left, err, w.read("a"))
		}
	}
}

func TestWhatWasLeftAloneCanBeUndoneOnceItIsOursAgain(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "")}, false); err != nil {
		t.Fatal(err)
	}
	w.write("a", "theirs")
	if res, err := e.Undo(context.Background(), 1, ""); err != nil || len(res.Left) != 1 {
		t.Fatalf("%+v, %v", res, err)
	}
	w.write("a", "1") // they put it back
	if res, err := e.Undo(context.Background(), 1, ""); err != nil || res.Undone != 1 || w.read("a") != "0" {
		t.Errorf("%+v, %v, a holds %q", res, err, w.read("a"))
	}
}

func TestUndoOfAStepTheRunDoesNotHaveChangesNothing(t *testing.T) {
	w, seen := crashWorld(t), 0
	_, _ = w.apply(w.engine(dies(70, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
	e := w.engine()
	if _, err := e.Undo(context.Background(), 0, "oen"); err == nil {
		t.Error("no error")
	}
	if p, err := e.Pending(); err != nil || p == nil || p.Status != engine.StatusInterrupted {
		t.Errorf("the run can no longer be resumed: %+v, %v", p, err)
	}
}

func TestUndoOfOneStepOfAnInterruptedRunLeavesItInterrupted(t *testing.T) {
	w := newWorld(t)
	run, err := w.engine().Start(context.Background(), engine.RunOptions{Answers: answers("a=1", "b=2")})
	if err != nil {
		t.Fatal(err)
	}
	e := w.engine()
	for _, id := range []string{"one", "two"} {
		if _, err := run.Apply(context.Background(), w.plan(e, id, map[string]string{"one": "a=1", "two": "b=2"}[id])); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, run.Leave())
	if _, err := e.Undo(context.Background(), 0, "one"); err != nil {
		t.Fatal(err)
	}
	if p, err := e.Pending(); err != nil || p == nil || p.Changes != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAfterUndoingAStepItsSkipsAreNoDrift(t *testing.T) {
	w := newWorld(t, "s=1")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("s=1 a=1", "b=1")}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Undo(context.Background(), 1, "one"); err != nil {
		t.Fatal(err)
	}
	w.write("s", "2")
	if ds, err := e.Check(context.Background()); err != nil || len(ds) != 0 {
		t.Errorf("%+v, %v", ds, err)
	}
}

func TestARunThatHasEndedIsNotWrittenTo(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	run, err := e.Start(context.Background(), engine.RunOptions{Answers: answers("a=1", "")})
	if err != nil {
		t.Fatal(err)
	}
	p := w.plan(e, "one", "a=1")
	if _, err := run.End(context.Background()); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Apply(context.Background(), p); err == nil || w.read("a") != "-" {
		t.Errorf("%v, a holds %q", err, w.read("a"))
	}
	if _, err := run.Undo(context.Background()); err == nil {
		t.Error("undone after its end")
	}
	if _, err := run.End(context.Background()); err == nil {
		t.Error("ended twice")
	}
}

func TestAJournalThatCannotBeReadHidesNoOtherRun(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	for _, v := range []string{"a=1", "b=1"} {
		if _, err := w.apply(e, engine.RunOptions{Answers: answers(v, "")}, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(w.dir+"/var/lib/goxin/runs/0001/journal.jsonl", []byte("rubbish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rs, err := e.Runs()
	if err != nil || len(rs) != 2 || rs[0].Status != engine.StatusUnreadable || rs[1].Status != engine.StatusApplied {
		t.Errorf("%+v, %v", rs, err)
	}
	if _, err := e.Start(context.Background(), engine.RunOptions{}); err == nil {
		t.Error("a new run beside a history that cannot be read")
	}
}

// One flipped bit in the record of an old run, and no later one could be undone: not even
// by the guard of a change that had cut the machine off.
func TestADamagedJournalOfAnOlderRunDoesNotKeepANewerOneFromBeingUndone(t *testing.T) {
	w := newWorld(t, "a=0")
	for _, ops := range []string{"a=1", "a=2"} {
		_, err := w.apply(w.engine(), engine.RunOptions{Answers: answers(ops, "")}, false)
		ok(t, err)
	}
	j := w.dir + "/var/lib/goxin/runs/0001/journal.jsonl"
	b, err := os.ReadFile(j)
	ok(t, err)
	b[len(b)/2] ^= 1
	ok(t, os.WriteFile(j, b, 0o600))
	if _, err := w.engine().Undo(context.Background(), 2, ""); err != nil || w.read("a") != "1" {
		t.Errorf("%v, a=%s", err, w.read("a"))
	}
}
