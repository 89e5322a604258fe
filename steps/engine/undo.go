package engine

import (
	"context"
	"errors"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Left is an op that was not undone.
type Left struct {
	Run    RunID      `json:"run"`
	Step   string     `json:"step"`
	On     machine.ID `json:"on"`
	Kind   string     `json:"kind"`
	Target string     `json:"target"`
	Reason lang.Text  `json:"reason"`
}

// UndoResult is what an undo did.
type UndoResult struct {
	Run    RunID  `json:"run"` // 0: there was nothing to undo
	Undone int    `json:"undone"`
	Left   []Left `json:"left,omitempty"`
}

// Undo puts back what this run changed, newest first, the failed op included,
// and goes on past what it has to leave alone. It does so even where ctx has
// been cancelled: half undone is worse than either.
func (r *Run) Undo(ctx context.Context) (UndoResult, error) {
	r.undone = true
	return r.undo(context.WithoutCancel(ctx), "")
}

func (r *Run) undo(ctx context.Context, only string) (UndoResult, error) {
	res := UndoResult{Run: r.ID()}
	var errs []error
	ops := r.h.ops()
	for i := len(ops) - 1; i >= 0; i-- {
		o := ops[i]
		if !o.live() || only != "" && o.step != only {
			continue
		}
		ev := Event{Run: r.ID(), Step: o.step, On: o.on, Kind: o.op.Kind(), Target: o.op.Target()}
		ev.What = Undoing
		r.e.notify(ev)
		err := r.undoOp(ctx, o)
		if err == nil {
			res.Undone++
			// Where the journal cannot be written, the next undo finds the op
			// live and its target as it was before: undoing twice is harmless.
			errs = append(errs, r.journal(record{What: "undone", S: o.s, N: o.n}))
			ev.What = Undone
			r.e.notify(ev)
			continue
		}
		reason := lang.F("%s", "%s", err)
		if errors.Is(err, ErrNotOurs) {
			reason = lang.T("changed by somebody since, so it was left alone", "之后被他人改动过，因此保持原样")
			var le *lang.Error
			if errors.As(err, &le) {
				reason = lang.F("%s", "%s", le.Text)
			}
			errs = append(errs, r.journal(record{What: "left", S: o.s, N: o.n, Error: &reason}))
		} else {
			errs = append(errs, lang.Errorf(err, "cannot undo %s", "无法撤销 %s", o.op.Target()))
		}
		res.Left = append(res.Left, Left{r.ID(), o.step, o.on, o.op.Kind(), o.op.Target(), reason})
		ev.What, ev.Error = LeftAlone, reason
		r.e.notify(ev)
	}
	return res, errors.Join(errs...)
}

func (r *Run) undoOp(ctx context.Context, o *opHistory) error {
	m, ok := r.e.machines[o.on]
	if !ok {
		return lang.Errorf(nil, "machine %q is not here", "机器 %q 不在此处", o.on)
	}
	before, err := r.h.journal.load(o.before)
	if err != nil {
		return err
	}
	return o.op.Undo(ctx, m, before, o.after)
}

// open takes up a run that exists: under the lock, with its journal mended.
func (e *Engine) open(id RunID) (*Run, error) {
	release, err := e.lock()
	if err != nil {
		return nil, err
	}
	h, err := e.find(id)
	if err == nil && h != nil {
		var torn int
		if _, torn, err = h.journal.read(); err == nil {
			err = h.journal.mend(torn)
		}
	}
	if err != nil || h == nil {
		return nil, errors.Join(err, release())
	}
	return &Run{e: e, h: h, release: release, opts: RunOptions{Answers: h.header.Answers, Strict: h.header.Strict}}, nil
}

// Undo puts back what run id changed (0: the newest run of which something
// stands), or only one step of it. What somebody changed since is left alone and
// listed.
func (e *Engine) Undo(ctx context.Context, id RunID, only string) (UndoResult, error) {
	r, err := e.open(id)
	if err != nil || r == nil {
		return UndoResult{}, err
	}
	return r.undoAndEnd(ctx, only)
}

func (r *Run) undoAndEnd(ctx context.Context, only string) (UndoResult, error) {
	ctx = context.WithoutCancel(ctx)
	res, err := r.undo(ctx, only)
	switch {
	case r.h.standing() == 0:
		err = errors.Join(err, r.journal(record{What: "end", Status: StatusUndone}))
	case r.h.status == StatusInterrupted || r.h.status == StatusAwaiting && only == "":
		err = errors.Join(err, r.journal(record{What: "end", Status: StatusFailed}))
	}
	if r.h.confirm > 0 && r.h.status != StatusAwaiting {
		err = errors.Join(err, r.e.removeGuard(ctx, r.ID()))
	}
	err = errors.Join(err, r.release())
	r.e.notify(Event{What: RunEnded, Run: r.ID(), N: r.h.standing(), Text: lang.Same(string(r.h.status))})
	return res, err
}
