package tui

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"goxin/steps/engine"
)

// Session is what the wizard needs of an engine. Its methods are called from
// goroutines, one at a time but for Confirm and Undo after a run has ended.
type Session interface {
	Listen(func(engine.Event))
	Pending() (*engine.RunInfo, error)
	Runs() ([]engine.RunInfo, error)
	Detect(context.Context) (engine.Hosts, error)
	Survey(ctx context.Context, s engine.Step, v engine.Values, say func(engine.Progress)) (engine.Survey, error)
	Plan(ctx context.Context, s engine.Step, sv engine.Survey, v engine.Values) (*engine.StepPlan, error)
	// Prove holds the proofs that are held even where nothing changes.
	Prove(context.Context, *engine.StepPlan) error
	Start(context.Context, engine.RunOptions) (RunUnderWay, error)
	Resume(context.Context) (RunUnderWay, []engine.StepResult, error)
	Undo(ctx context.Context, id engine.RunID, onlyStep string) (engine.UndoResult, error)
	Confirm(context.Context, engine.RunID) error
}

// RunUnderWay is a run that holds the lock: *engine.Run.
type RunUnderWay interface {
	ID() engine.RunID
	Apply(context.Context, *engine.StepPlan) (engine.StepResult, error)
	Undo(context.Context) (engine.UndoResult, error)
	End(context.Context) (engine.Summary, error)
	Leave() error // it stays interrupted, to be finished or undone
}

// held is a run that is ended once, whoever asks how often.
type held struct {
	RunUnderWay
	confirm time.Duration // it is taken back after so long unless confirmed; 0: it stands
	once    sync.Once
	ended   atomic.Bool // End was called, and whatever came of it, nothing is written to it any more
	sum     engine.Summary
	err     error
}

func (h *held) End(ctx context.Context) (engine.Summary, error) {
	h.once.Do(func() {
		h.ended.Store(true)
		h.sum, h.err = h.RunUnderWay.End(ctx)
	})
	return h.sum, h.err
}

// Live is the session of a real engine.
func Live(e *engine.Engine) Session { return live{e} }

type live struct{ *engine.Engine }

// A nil *engine.Run must not become an interface that is not nil.
func (l live) Start(ctx context.Context, o engine.RunOptions) (RunUnderWay, error) {
	r, err := l.Engine.Start(ctx, o)
	if r == nil {
		return nil, err
	}
	return r, err
}

func (l live) Resume(ctx context.Context) (RunUnderWay, []engine.StepResult, error) {
	r, res, err := l.Engine.Resume(ctx)
	if r == nil {
		return nil, res, err
	}
	return r, res, err
}

func (l live) Confirm(ctx context.Context, id engine.RunID) error {
	_, err := l.Engine.Confirm(ctx, id)
	return err
}

var _ RunUnderWay = (*engine.Run)(nil)
