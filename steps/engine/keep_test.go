package engine_test

import (
	"context"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// keeps is a step whose proof keeps what it found.
type keeps struct {
	step
	data any
}

func (s keeps) Proofs(h engine.Hosts, _ engine.Survey, _ engine.Values) []engine.Proof {
	id, _ := h.First()
	return []engine.Proof{{On: id, Title: lang.Same("keeps"), Prove: func(ctx context.Context, _ machine.Machine) (lang.Text, error) {
		if err := engine.Keep(ctx, "found", "too early"); err != nil {
			return lang.Text{}, err
		}
		return lang.Same("yes"), engine.Keep(ctx, "found", s.data)
	}}}
}

func TestWhatAProofFoundIsKeptForTheReport(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.with([]engine.Step{keeps{"one", map[string]int{"gap": 12}}}, nil)
	_, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "")}, false)
	ok(t, err)
	r, err := e.Record(0)
	ok(t, err)
	if got := r.Steps[0].Kept; len(got) != 1 || got[0].Kind != "found" || string(got[0].Data) != `{"gap":12}` {
		t.Fatalf("kept %q", got)
	}
	ok(t, engine.Keep(context.Background(), "found", "nobody keeps it"))
}

func TestAJournalDoesNotKeepWithoutEnd(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.with([]engine.Step{keeps{"one", strings.Repeat("x", 1<<20)}}, nil)
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1", "")}, true); err == nil || !strings.Contains(err.Error(), "too much to keep") {
		t.Fatal(err)
	}
}
