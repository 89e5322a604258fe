package engine_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

var errDead = errors.New("the machine is dead")

// dies lets the machine die at its n-th effect: neither that one nor any after
// it happens. seen counts the effects.
func dies(n int, seen *int) machine.Option {
	return machine.WithEffects(func(string, string) error {
		*seen++
		if n > 0 && *seen >= n {
			return errDead
		}
		return nil
	})
}

var crashAnswers = answers("a=1 b,c=2 a=3", "d=4")

func crashWorld(t *testing.T) *world { return newWorld(t, "a=0", "c=old") }

// TestDyingAtEveryEffect lets a run die at its first effect, its second, and so
// on to its last, and each time takes it up again: finishing it ends where an
// uninterrupted run ends, undoing it where it began.
func TestDyingAtEveryEffect(t *testing.T) {
	w := crashWorld(t)
	before := w.hash()
	total := 0
	if _, err := w.apply(w.engine(dies(0, &total)), engine.RunOptions{Answers: crashAnswers}, false); err != nil {
		t.Fatal(err)
	}
	after := w.hash()
	if total < 30 {
		t.Fatalf("a run of only %d effects proves little", total)
	}
	for n := 1; n <= total; n++ {
		for _, take := range []string{"resume", "undo", "resume dies", "undo dies"} {
			w, seen := crashWorld(t), 0
			_, err := w.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
			if seen < n {
				t.Fatalf("effect %d was not reached: %v", n, err)
			}
			if err := takeUp(w, take); err != nil {
				t.Fatalf("died at effect %d of %d, %s: %v", n, total, take, err)
			}
			want := before
			if take[0] == 'r' {
				want = after
			}
			if w.hash() != want {
				t.Fatalf("died at effect %d of %d, %s: the tree is neither as it was nor as it should be (a=%s b=%s c=%s d=%s)",
					n, total, take, w.read("a"), w.read("b"), w.read("c"), w.read("d"))
			}
		}
	}
	t.Logf("%d effects, 4 ways on from each", total)
}

// takeUp finishes or undoes what died. "dies" lets that die too, at each of its
// own effects in turn, before it is let through.
func takeUp(w *world, take string) error {
	ctx := context.Background()
	once := func(opts ...machine.Option) error {
		e := w.engine(opts...)
		if take[0] == 'u' {
			_, err := e.Undo(ctx, 0, "")
			return err
		}
		run, _, err := e.Resume(ctx)
		if run == nil && err == nil {
			// It died before its header, or after its end, was durable.
			if rs, err := e.Runs(); err == nil && len(rs) == 0 {
				_, err := w.apply(e, engine.RunOptions{Answers: crashAnswers}, false)
				return err
			}
		}
		if run != nil {
			_, endErr := run.End(ctx)
			return errors.Join(err, endErr)
		}
		return err
	}
	if len(take) > len("resume") {
		for n := 1; n < 12; n += 3 {
			seen := 0
			if err := once(dies(n, &seen)); err == nil {
				return nil
			}
		}
	}
	return once()
}

func TestDyingWhileUndoingAfterAFailure(t *testing.T) {
	a := answers("a=1 b,c=2 d!=4", "")
	w := crashWorld(t)
	before, total := w.hash(), 0
	if _, err := w.apply(w.engine(dies(0, &total)), engine.RunOptions{Answers: a}, true); err == nil {
		t.Fatal("d! did not fail")
	}
	for n := 1; n <= total; n++ {
		w, seen := crashWorld(t), 0
		_, _ = w.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: a}, true)
		if _, err := w.engine().Undo(context.Background(), 0, ""); err != nil {
			t.Fatalf("died at effect %d of %d: %v", n, total, err)
		}
		if w.hash() != before {
			t.Fatalf("died at effect %d of %d: not as it was", n, total)
		}
	}
}

func TestAnInterruptedRunComesFirst(t *testing.T) {
	w, seen := crashWorld(t), 0
	_, _ = w.apply(w.engine(dies(60, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
	e := w.engine()
	p, err := e.Pending()
	if err != nil || p == nil || p.Status != engine.StatusInterrupted {
		t.Fatalf("pending %+v, %v", p, err)
	}
	_, err = e.Start(context.Background(), engine.RunOptions{})
	var busy *engine.BusyError
	if !errors.As(err, &busy) || busy.Interrupted != 1 {
		t.Fatalf("a new run beside it: %v", err)
	}
}

func TestResumingDoesNotUndoWhatSomebodyChangedMeanwhile(t *testing.T) {
	w, seen := crashWorld(t), 0
	_, _ = w.apply(w.engine(dies(1000, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
	w = crashWorld(t)
	// It dies in the middle of the run; then a finished op's target is changed.
	n := seen / 2
	seen = 0
	_, _ = w.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: crashAnswers}, false)
	e := w.engine()
	run, _, err := e.Resume(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.End(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.write("d", "theirs")
	res, err := e.Undo(context.Background(), 0, "")
	if err != nil {
		t.Fatal(err)
	}
	if w.read("d") != "theirs" || len(res.Left) != 1 {
		t.Errorf("d holds %q; left %v", w.read("d"), res.Left)
	}
	if got := fmt.Sprint(w.read("a"), w.read("b"), w.read("c")); got != "0-old" {
		t.Errorf("a, b, c hold %q", got)
	}
}

// A failed op keeps being ours however often its run is taken up and stopped.
func TestAFailedOpThatFailsAgainIsStillUndone(t *testing.T) {
	w := newWorld(t, "a=0")
	run, err := w.engine().Start(context.Background(), engine.RunOptions{Answers: answers("a!=1", "")})
	if err != nil {
		t.Fatal(err)
	}
	e := w.engine()
	if _, err := run.Apply(context.Background(), w.plan(e, "one", "a!=1")); err == nil {
		t.Fatal("a! did not fail")
	}
	ok(t, run.Leave())
	w.write("a", "0") // somebody puts it back; the resumed op does it again
	again, _, err := e.Resume(context.Background())
	if err == nil {
		t.Fatal("a! did not fail again")
	}
	ok(t, again.Leave())
	if res, err := e.Undo(context.Background(), 0, ""); err != nil || w.read("a") != "0" {
		t.Errorf("%+v, %v, a holds %q", res, err, w.read("a"))
	}
}

func TestResumeFinishesTheNewestPlanOfAStep(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	run, err := e.Start(context.Background(), engine.RunOptions{Answers: answers("a=web", "")})
	if err != nil {
		t.Fatal(err)
	}
	for _, ops := range []string{"a=web b!=web c=web", "a=db c=db"} { // the first fails, the answers are edited
		_, _ = run.Apply(context.Background(), w.plan(e, "one", ops))
	}
	ok(t, run.Leave())
	again, _, err := e.Resume(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.End(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := w.read("a") + " " + w.read("c"); got != "db db" {
		t.Errorf("a, c hold %s", got)
	}
}

func TestResumeRefusesWhatChangedSinceTheReview(t *testing.T) {
	w := newWorld(t, "b=0")
	total, seen := 0, 0
	a := answers("a=1 b=2", "")
	_, _ = w.apply(w.engine(dies(0, &total)), engine.RunOptions{Answers: a}, false)
	for n := 1; n < total; n++ {
		w := newWorld(t, "b=0")
		seen = 0
		_, _ = w.apply(w.engine(dies(n, &seen)), engine.RunOptions{Answers: a}, false)
		if w.read("a") != "1" || w.read("b") != "0" {
			continue
		}
		w.write("b", "theirs")
		e := w.engine()
		run, _, err := e.Resume(context.Background())
		var stale *engine.StaleError
		if run == nil {
			continue
		}
		ok(t, run.Leave())
		if w.read("b") != "theirs" && !errors.As(err, &stale) {
			// The op had begun: it is finished, and what was there is in the store.
			continue
		}
		if !errors.As(err, &stale) || w.read("b") != "theirs" {
			t.Fatalf("died at effect %d: %v, b holds %q", n, err, w.read("b"))
		}
		return
	}
	t.Fatal("it never died between a and b")
}

func TestResumeKeepsTheDeviationsOfWhatWasDone(t *testing.T) {
	w := newWorld(t)
	run, err := w.engine().Start(context.Background(), engine.RunOptions{Answers: answers("a^=1", "b=1")})
	if err != nil {
		t.Fatal(err)
	}
	e := w.engine()
	if _, err := run.Apply(context.Background(), w.plan(e, "one", "a^=1")); err != nil {
		t.Fatal(err)
	}
	ok(t, run.Leave())
	again, res, err := e.Resume(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	ok(t, again.Leave())
	if len(res) != 2 || len(res[0].Deviations) != 1 || w.read("b") != "1" {
		t.Errorf("%+v, b holds %q", res, w.read("b"))
	}
}
