package tui

import (
	"errors"
	"maps"
	"slices"

	"goxin/detect/machine"
	"goxin/steps/engine"
)

// tally is what this wizard has written and what became of it: for the last
// page and for the exit code.
type tally struct {
	entries  []entry
	failures map[int]failure // by step
	undoErr  error           // an undo that was asked for and did not end well
	endErr   error           // a run could not be ended: its journal says that it was interrupted
	undone   *failure        // something was written and put back; why, if it had failed
	left     []engine.Left   // what an undo left alone
}

// ofPending stands for a step's index where a run from before was finished.
const ofPending = -1

// entry is what one Apply did.
type entry struct {
	step   int
	run    engine.RunID
	result engine.StepResult
}

type failure struct {
	err    error
	undone bool // nothing of it stands
}

func (t *tally) add(step int, run engine.RunID, r engine.StepResult) {
	t.entries = append(t.entries, entry{step, run, r})
}

// fail says how a step ended last; nil: well.
func (t *tally) fail(step int, err error) {
	if err == nil {
		delete(t.failures, step)
		return
	}
	if t.failures == nil {
		t.failures = make(map[int]failure)
	}
	t.failures[step] = failure{err: err}
}

// takenBack forgets what run has written; err is why it was put back. It returns
// the steps that were in it.
func (t *tally) takenBack(run engine.RunID, err error) []int {
	var steps []int
	for _, e := range t.entries {
		if e.run == run && !slices.Contains(steps, e.step) {
			steps = append(steps, e.step)
		}
	}
	t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return e.run == run })
	for _, s := range steps {
		t.fail(s, err)
		t.failures[s] = failure{err: err, undone: true}
	}
	return steps
}

// stepUndone forgets what a step has written: it was put back.
func (t *tally) stepUndone(step int) {
	if t.undone == nil {
		t.undone = &failure{err: t.failures[step].err}
	}
	t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return e.step == step })
	t.fail(step, nil)
}

// keep notes what an undo left alone; what it leaves again is counted once.
func (t *tally) keep(left []engine.Left) {
	for _, l := range left {
		if !slices.ContainsFunc(t.left, func(o engine.Left) bool {
			return o.Run == l.Run && o.On == l.On && o.Kind == l.Kind && o.Target == l.Target
		}) {
			t.left = append(t.left, l)
		}
	}
}

// allUndone is after an undo of everything that was asked for.
func (t *tally) allUndone() {
	t.undone = &failure{err: t.failed()}
	t.entries, t.failures, t.undoErr, t.endErr = nil, nil, nil, nil
}

// again starts a new walk: what was settled before it is not forgotten.
func (t *tally) again() {
	for s := range t.failures {
		if s != ofPending {
			delete(t.failures, s)
		}
	}
	t.entries = slices.DeleteFunc(t.entries, func(e entry) bool { return e.step != ofPending })
}

// changes counts those of the steps from from on.
func (t *tally) changes(from int) int {
	n := 0
	for _, e := range t.entries {
		if e.step >= from {
			n += e.result.Applied
		}
	}
	return n
}

// deviations counts targets: one that deviates again when it is tried again is
// one.
func (t *tally) deviations(from int) int {
	type target struct {
		on           machine.ID
		kind, target string
	}
	seen := make(map[target]bool)
	for _, e := range t.entries {
		if e.step < from {
			continue
		}
		for _, d := range e.result.Deviations {
			seen[target{d.On, d.Kind, d.Target}] = true
		}
	}
	return len(seen)
}

// failed is the first failure of a step there is.
func (t *tally) failed() error {
	for _, s := range slices.Sorted(maps.Keys(t.failures)) {
		return t.failures[s].err
	}
	return nil
}

// what sums up, but for what is still to be settled.
func (t *tally) what() What {
	stands := t.undoErr != nil || t.endErr != nil || len(t.failures) > 0 && t.changes(ofPending) > 0
	for _, f := range t.failures {
		stands = stands || !f.undone
	}
	switch {
	case stands:
		return Failed
	case t.deviations(ofPending) > 0:
		return Deviations
	case t.changes(ofPending) > 0:
		return Applied
	case t.undone != nil || len(t.failures) > 0:
		return Undone
	}
	return Nothing
}

// failure is that of a step, of an undo, and of the end of a run.
func (t *tally) failure() error {
	err := t.failed()
	if err == nil && t.undone != nil && t.what() == Undone {
		err = t.undone.err
	}
	var all []error
	for _, err := range []error{err, t.undoErr, t.endErr} {
		if err != nil {
			all = append(all, err)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}
