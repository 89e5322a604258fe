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
