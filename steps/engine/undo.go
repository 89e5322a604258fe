package engine

import (
	"context"
	"errors"
	"slices"

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
	if r.ended {
		return UndoResult{Run: r.ID()}, errEnded
	}
	r.undone = true
	return r.undo(context.WithoutCancel(ctx), "")
}

func (r *Run) undo(ctx context.Context, only string) (UndoResult, error) {
	res := UndoResult{Run: r.ID()}
	r.e.forgetSurveys()
	over, err := r.e.laterThan(r.ID())
	if err != nil {
		return res, err
	}
	var errs []error
	lost := make(map[machine.ID]bool)
	for _, o := range slices.Backward(r.h.ops()) {
		// What was left alone before may be ours again by now.
		if !o.live() && o.status != opLeft || only != "" && o.step != only {
			continue
		}
		ev := Event{Run: r.ID(), Step: o.step, On: o.on, Kind: o.op.Kind(), Target: o.op.Target()}
		ev.What = Undoing
		r.e.notify(ev)
		if by, ok := over[targetOf(o)]; ok {
			// It stays ours: once the later run is undone, this one can be.
			reason := lang.F("run %d changed it after that; undo run %d first", "运行 %d 在其后改动过它；请先撤销运行 %d", by, by)
			res.Left = append(res.Left, Left{r.ID(), o.step, o.on, o.op.Kind(), o.op.Target(), reason})
			ev.What, ev.Error = LeftAlone, reason
			r.e.notify(ev)
			continue
		}
		if r.alone && r.twinned(o.on) {
			reason := lang.F("%s takes it back itself", "由 %s 自行撤销", o.on)
			errs = append(errs, r.h.write(r.e.kinds, record{What: "left", S: o.s, N: o.n, Error: &reason}))
			continue
		}
		if r.tookBack(o) {
			res.Undone++
			errs = append(errs, r.h.write(r.e.kinds, record{What: "undone", S: o.s, N: o.n}))
			ev.What = Undone
			r.e.notify(ev)
			continue
		}
		if lost[o.on] {
			continue // told already; it takes its part back itself, or the next undo does
		}
		err := r.undoOp(ctx, o)
		lost[o.on] = machine.Lost(err)
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
			res.Left = append(res.Left, Left{r.ID(), o.step, o.on, o.op.Kind(), o.op.Target(), reason})
		} else {
			if !lang.Told(err) {
				err = lang.Errorf(err, "cannot undo %s", "无法撤销 %s", o.op.Target())
			}
			errs = append(errs, err)
		}
		ev.What, ev.Error = LeftAlone, reason
		r.e.notify(ev)
	}
	return res, errors.Join(errs...)
}

type target struct {
	on   machine.ID
	kind string
	name string
}

func targetOf(o *opHistory) target { return target{o.on, o.op.Kind(), o.op.Target()} }

// laterThan are the targets that runs after id have changed, and which run last.
func (e *Engine) laterThan(id RunID) (map[target]RunID, error) {
	ids, err := e.ids()
	if err != nil {
		return nil, err
	}
	later := make(map[target]RunID)
	for _, newer := range ids {
		if newer <= id {
			continue // a damaged journal of an older run need not be read
		}
		h, err := e.one(newer)
		if err != nil {
			return nil, err
		}
		if h == nil || h.forgotten {
			continue
		}
		for _, o := range h.ops() {
			if o.live() {
				later[targetOf(o)] = h.header.ID
			}
		}
	}
	return later, nil
}

func (r *Run) undoOp(ctx context.Context, o *opHistory) error {
	m := r.e.machine(o.on)
	if m == nil {
		return lang.Errorf(nil, "machine %q is not here", "机器 %q 不在此处", o.on)
	}
	before, err := r.h.journal.load(o.before)
	if err != nil {
		return err
	}
	if err := o.op.Undo(r.e.within(ctx, Event{Run: r.ID(), Step: o.step, On: o.on}), m, before, o.after); err != nil {
		return err
	}
	return r.dropKept(ctx, o, before)
}

// How a run is opened that has a part on another machine.
const (
	joining = false // with that part
	alone   = true  // the guard does: every machine takes its own part back
)

// open takes up a run that exists: under the locks, with its journals mended.
func (e *Engine) open(ctx context.Context, id RunID, alone bool) (*Run, error) {
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
	r := &Run{
		e: e, h: h, release: release, failed: map[string]error{}, alone: alone,
		opts: RunOptions{Answers: h.header.Answers, Strict: h.header.Strict, Confirm: h.confirm},
	}
	if !alone {
		if err := r.reopenTwins(ctx); err != nil {
			return nil, errors.Join(err, r.letGo())
		}
	}
	return r, nil
}

// Undo puts back what run id changed (0: the newest run of which something
// stands), or only one step of it. What somebody changed since is left alone and
// listed.
func (e *Engine) Undo(ctx context.Context, id RunID, only string) (UndoResult, error) {
	if known, err := e.find(id); err != nil || known == nil {
		return UndoResult{}, err // nothing is locked, and no lock file made, for nothing
	}
	r, err := e.open(ctx, id, joining)
	if err != nil || r == nil {
		return UndoResult{}, err
	}
	if r.h.forgotten {
		return UndoResult{}, errors.Join(lang.Errorf(nil, "cannot undo run %d: what it would be undone from was destroyed (goxin forget)", "无法撤销运行 %d：还原内容已被销毁（goxin forget）", r.ID()).
			WithHint("what it changed has to be put back by hand", "其改动只能手工还原"), r.letGo())
	}
	if only != "" && !slices.ContainsFunc(r.h.steps, func(s *stepHistory) bool { return s.id == only }) {
		return UndoResult{}, errors.Join(lang.Errorf(nil, "cannot undo %q: run %d has no such step", "无法撤销 %q：运行 %d 中没有这个步骤", only, r.ID()).
			WithHint("see `goxin runs`", "用 `goxin runs` 查看"), r.letGo())
	}
	return r.undoAndEnd(ctx, only)
}

// undoAndEnd undoes and, where all went well, ends the run: after an error it
// stays as it was, so that the next undo, or the guard's next try, goes on.
func (r *Run) undoAndEnd(ctx context.Context, only string) (UndoResult, error) {
	ctx = context.WithoutCancel(ctx)
	res, err := r.undo(ctx, only)
	r.ended, r.undone = true, true
	if err == nil {
		switch {
		case r.h.standing() == 0:
			err = errors.Join(r.closeTwins(ctx, StatusUndone), r.journal(record{What: "end", Status: StatusUndone}))
		case only == "" && (r.h.status == StatusInterrupted || r.h.status == StatusAwaiting):
			err = errors.Join(r.closeTwins(ctx, StatusFailed), r.journal(record{What: "end", Status: StatusFailed}))
		}
		if s := r.h.status; r.h.confirm > 0 && s != StatusAwaiting && s != StatusInterrupted {
			err = errors.Join(err, r.e.removeGuard(ctx, r.ID()))
		}
	}
	err = errors.Join(err, r.letGo())
	r.e.notify(Event{What: RunEnded, Run: r.ID(), N: r.h.standing(), Text: r.h.status.Text()})
	return res, err
}
