package engine

import (
	"context"
	"errors"

	"goxin/assets/lang"
)

// Resume finishes the run that was interrupted: the step it died in as it was
// reviewed and journalled, then the steps of its answers that had not begun,
// each planned afresh. Without such a run it returns nil and no error.
func (e *Engine) Resume(ctx context.Context) (*Run, []StepResult, error) {
	p, err := e.Pending()
	if err != nil || p == nil {
		return nil, nil, err
	}
	if p.Status == StatusAwaiting {
		return nil, nil, &BusyError{Due: p.ID}
	}
	r, err := e.open(p.ID)
	if err != nil || r == nil {
		return nil, nil, err
	}
	res, err := r.finish(ctx)
	r.failed = err != nil
	return r, res, err
}

func (r *Run) finish(ctx context.Context) ([]StepResult, error) {
	var all []StepResult
	begun := make(map[string]bool)
	for i, s := range r.h.steps {
		begun[s.id] = true
		if s.done {
			continue
		}
		var proofs []Proof
		if p, ok := r.e.Step(s.id).(Prover); ok {
			h, err := r.e.hostsKnown(ctx)
			if err != nil {
				return all, err
			}
			proofs = p.Proofs(h, s.survey, s.values)
		}
		res, err := r.finishStep(ctx, i+1, proofs)
		all = append(all, res)
		if err != nil {
			return all, err
		}
	}
	for _, s := range r.e.steps {
		v, asked := r.opts.Answers[s.ID()]
		if !asked || begun[s.ID()] {
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
	if _, err := r.e.Detect(ctx); err != nil { // the steps before may have changed the machine
		return StepResult{}, err
	}
	sv, err := r.e.Survey(ctx, s, v, nil)
	if err != nil {
		r.failed = true
		return StepResult{}, lang.Errorf(err, "cannot survey for %s", "无法为「%s」收集信息", s.Title())
	}
	p, err := r.e.Plan(ctx, s, sv, v)
	if err == nil && review != nil {
		err = review(p)
	}
	if err != nil {
		r.failed = true
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
	type target struct{ on, kind, name string }
	newest := make(map[target]*opHistory)
	run := make(map[*opHistory]RunID)
	var order []target
	for _, h := range hs {
		for _, o := range h.ops() {
			t := target{string(o.on), o.op.Kind(), o.op.Target()}
			if o.status == opSkipped && h.status != StatusUndone || o.status == opDone {
				if newest[t] == nil {
					order = append(order, t)
				}
				// A skip says only that it was already so: it must not hide a
				// deviation that was accepted before.
				if p := newest[t]; p == nil || o.status == opDone || !p.outcome.Deviates() {
					newest[t] = o
					run[o] = h.header.ID
				}
			}
		}
	}
	var ds []Drift
	var errs []error
	for _, t := range order {
		o := newest[t]
		now, err := e.observe(ctx, o.on, o.op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if d := drift(o, now); d.Action != None {
			ds = append(ds, Drift{run[o], o.step, t.on, t.kind, t.name, d})
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
