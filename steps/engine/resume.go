package engine

import (
	"context"
	"errors"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Resume finishes the run that was interrupted: the step it died in as it was
// reviewed and journalled, then the steps of its answers that had not begun,
// each planned afresh. Without such a run it returns nil and no error.
func (e *Engine) Resume(ctx context.Context) (*Run, []StepResult, error) {
	p, err := e.pending()
	if err != nil || p == nil {
		return nil, nil, err
	}
	if p.Status == StatusAwaiting {
		return nil, nil, &BusyError{Due: p.ID}
	}
	r, err := e.open(ctx, p.ID, joining)
	if err != nil || r == nil {
		return nil, nil, err
	}
	if r.h.status != StatusInterrupted { // it was at work, and has ended meanwhile
		return nil, nil, r.letGo()
	}
	if l := r.h.header.Lead; l != nil {
		return nil, nil, errors.Join(lang.Errorf(nil, "cannot resume run %d: it is part of run %d of %s", "无法继续运行 %d：它是 %[3]s 上运行 %[2]d 的一部分", r.ID(), l.Run, l.From).
			WithHint("`goxin resume` there, or take its part back with `goxin undo` here", "在该机上执行 `goxin resume`，或在本机用 `goxin undo` 撤销这一部分"), r.letGo())
	}
	err = r.e.rejoin(ctx, r.h)
	if err == nil {
		err = r.together()
	}
	if err != nil {
		return nil, nil, errors.Join(err, r.letGo())
	}
	if r.h.confirm > 0 { // the guard may not have been in place yet
		if err := e.installGuard(ctx, r.ID()); err != nil {
			return nil, nil, errors.Join(err, r.letGo())
		}
	}
	for _, t := range r.twins { // they were dismissed where the run was left: see park
		if t.h.status == StatusInterrupted && t.canGuard() == nil {
			if err := t.installGuard(ctx, t.id); err != nil {
				return nil, nil, errors.Join(err, r.letGo())
			}
		}
	}
	r.resumed = true
	res, err := r.finish(ctx)
	return r, res, err
}

func (r *Run) finish(ctx context.Context) ([]StepResult, error) {
	var all []StepResult
	last := make(map[string]int) // a step that was reviewed again supersedes itself
	for i, s := range r.h.steps {
		last[s.id] = i
	}
	for i, s := range slices.Clone(r.h.steps) {
		if s.done || last[s.id] != i {
			all = append(all, s.result())
			continue
		}
		var proofs []Proof
		if p, ok := r.e.Step(s.id).(Prover); ok {
			h, err := r.e.hostsKnown(ctx)
			if err != nil {
				return all, err
			}
			proofs = p.Proofs(HostsOf(r.e.Step(s.id), h), s.survey, s.values)
		}
		res, err := r.finishStep(ctx, i+1, proofs)
		all = append(all, res)
		r.failed[s.id] = err
		if err != nil {
			return all, err
		}
	}
	r.resumed = false // what follows is planned afresh
	for _, s := range r.e.steps {
		v, asked := r.opts.Answers[s.ID()]
		if _, begun := last[s.ID()]; !asked || begun {
			continue
		}
		res, err := r.Step(ctx, s, v, nil)
		all = append(all, res)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// Step surveys, plans and applies one step; review, when it is not nil, sees the
// plan first and can refuse it.
func (r *Run) Step(ctx context.Context, s Step, v Values, review func(*StepPlan) error) (StepResult, error) {
	if r.ended {
		return StepResult{}, errEnded
	}
	res, err := r.step(ctx, s, v, review)
	r.failed[s.ID()] = err
	return res, err
}

func (r *Run) step(ctx context.Context, s Step, v Values, review func(*StepPlan) error) (StepResult, error) {
	if _, err := r.e.Detect(ctx); err != nil { // the steps before may have changed the machine
		return StepResult{}, err
	}
	sv, ok := r.e.recall(s, v)
	var err error
	if !ok {
		sv, err = r.e.Survey(ctx, s, v, nil)
	}
	if err != nil {
		if !lang.Told(err) {
			err = lang.Errorf(err, "cannot survey for %s", "无法为「%s」收集信息", s.Title())
		}
		return StepResult{}, err
	}
	p, err := r.e.Plan(ctx, s, sv, v)
	if err == nil && review != nil {
		err = review(p)
	}
	if err != nil {
		return StepResult{}, err
	}
	return r.Apply(ctx, p)
}

// Drift is a live op whose target is no longer as goxin left it.
type Drift struct {
	Run    RunID  `json:"run"`
	Step   string `json:"step"`
	On     string `json:"on"`
	Kind   string `json:"kind"`
	Target string `json:"target"`
	Diff   Diff   `json:"diff"`
}

// Drifter is an op that sees drift where Diff sees none: what holds now, but
// will not after the next boot.
type Drifter interface {
	// Drift compares what goxin left with what is there now; None: as it was.
	Drift(after, now State) Diff
}

// Check compares the newest live op of each target, over all runs, with the
// machine. It changes nothing and takes no lock.
func (e *Engine) Check(ctx context.Context) ([]Drift, error) {
	hs, err := e.histories()
	if err != nil {
		return nil, err
	}
	newest := make(map[target]*opHistory)
	run := make(map[*opHistory]*history)
	var order []target
	for _, h := range hs {
		for _, st := range h.steps {
			gone := st.undone()
			for _, o := range st.ops {
				// A skip says only that it was already so: it counts while its step
				// stands, and must not hide a deviation that was accepted before.
				if o.status != opDone && (o.status != opSkipped || gone || h.status == StatusUndone) {
					continue
				}
				t := targetOf(o)
				p := newest[t]
				if p == nil {
					order = append(order, t)
				}
				if p == nil || o.status == opDone || !p.outcome.Deviates() {
					newest[t] = o
					run[o] = h
				}
			}
		}
	}
	var ds []Drift
	var errs []error
	away := make(map[machine.ID]bool)
	for _, t := range order {
		o := newest[t]
		if away[t.on] {
			continue
		}
		if e.machine(t.on) == nil {
			if err := e.rejoin(ctx, run[o]); err != nil { // told once: what is here is compared all the same
				away[t.on] = true
				errs = append(errs, lang.Errorf(err, "cannot check %s", "无法核对 %s", t.on))
				continue
			}
		}
		now, err := e.observe(ctx, o.on, o.op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if d := drift(o, now); d.Action != None {
			ds = append(ds, Drift{run[o].header.ID, o.step, string(t.on), t.kind, t.name, d})
		}
	}
	return ds, errors.Join(errs...)
}

func drift(o *opHistory, now State) Diff {
	if o.outcome.Deviates() && now.Equal(o.after) {
		return Diff{Action: None}
	}
	if d, ok := o.op.(Drifter); ok {
		return d.Drift(o.after, now)
	}
	return o.op.Diff(now)
}
