package replay

import (
	"context"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// What became of a change, as engine.ChangeRecord.Status has it.
const (
	statusPlanned = "planned" // not reached
	statusSkipped = "skipped"
	statusDoing   = "doing" // never finished
	statusDone    = "done"
	statusFailed  = "failed"
	statusUndone  = "undone"
	statusLeft    = "left" // not undone
)

var statuses = []string{statusPlanned, statusSkipped, statusDoing, statusDone, statusFailed, statusUndone, statusLeft}

// Run is the run being shown again.
type Run struct{ s *Session }

// ID is its number on the machine it was on.
func (r *Run) ID() engine.RunID { return r.s.rec.Info.ID }

// Apply shows what applying the step came to: it fails where that failed, of the
// same. A step that was tried several times is shown so, one try after the other.
func (r *Run) Apply(ctx context.Context, p *engine.StepPlan) (engine.StepResult, error) {
	st := r.s.current(p.Step)
	if st == nil {
		return engine.StepResult{}, r.s.failure()
	}
	res, err := r.apply(ctx, st)
	r.s.mu.Lock()
	if n := r.s.attempt[p.Step] + 1; n < len(r.s.records(p.Step)) {
		r.s.attempt[p.Step] = n
	}
	r.s.mu.Unlock()
	return res, err
}

func (r *Run) apply(ctx context.Context, st *engine.StepRecord) (engine.StepResult, error) {
	s := r.s
	ev := engine.Event{What: engine.StepStarted, Time: st.Began, Run: r.ID(), Step: st.Step, Of: len(st.Changes)}
	s.notify(ev)
	var res engine.StepResult
	for i, c := range st.Changes {
		if c.Status == statusPlanned {
			return res, r.ends(st)
		}
		if ctx.Err() != nil {
			return res, lang.Errorf(context.Cause(ctx), "stopped before %s", "在 %s 之前停止", c.Target)
		}
		ev := engine.Event{Time: c.Began, Run: r.ID(), Step: st.Step, On: c.On, Kind: c.Kind, Target: c.Target, N: i + 1, Of: len(st.Changes)}
		if c.Status == statusSkipped {
			res.Skipped++
			ev.What = engine.Skipped
			s.notify(ev)
			continue
		}
		ev.What = engine.Doing
		s.notify(ev)
		s.wait(ctx, c.Ended.Sub(c.Began))
		ev.Time = c.Ended
		for _, t := range c.Output {
			said := ev
			said.What, said.Text = engine.Output, t
			s.notify(said)
		}
		if c.Outcome.Kind == "" { // it was never done
			err := r.broke(st, c)
			ev.What, ev.Error, ev.Hint = engine.Failed, lang.F("%s", "%s", err), c.Hint
			s.notify(ev)
			return res, err
		}
		res.Applied++
		out := c.Outcome
		if out.Deviates() {
			res.Deviations = append(res.Deviations, engine.Deviation{On: c.On, Kind: c.Kind, Target: c.Target, Outcome: out})
		}
		ev.What, ev.Outcome = engine.Done, &out
		s.notify(ev)
	}
	s.proved(st)
	if !st.Done {
		return res, r.ends(st)
	}
	ev.What, ev.Time, ev.Of = engine.StepDone, st.Ended, 0
	s.notify(ev)
	return res, nil
}

// broke is why a change that was begun was not done.
func (r *Run) broke(st *engine.StepRecord, c engine.ChangeRecord) error {
	if c.Error.Empty() || c.Status == statusLeft { // there the record tells why it was not undone
		return r.ends(st)
	}
	return &lang.Error{Text: c.Error, Hint: c.Hint}
}

// ends is why a step came no further, where none of its changes tells.
func (r *Run) ends(st *engine.StepRecord) error {
	all := r.s.records(st.Step)
	if all[len(all)-1] != st {
		return lang.Errorf(nil, "cannot say why this try ended here", "无法得知这次尝试为何在此结束").
			WithHint("press r: it was tried again", "按 r：当时又试了一次")
	}
	return r.s.failure()
}

// Undo shows what was undone.
func (r *Run) Undo(ctx context.Context) (engine.UndoResult, error) { return r.s.Undo(ctx, r.ID(), "") }

// End ends as the run ended.
func (r *Run) End(context.Context) (engine.Summary, error) {
	i := r.s.rec.Info
	r.s.notify(engine.Event{What: engine.RunEnded, Time: r.s.rec.Ended, Run: i.ID, N: i.Changes, Text: i.Status.Text()})
	if i.Status == engine.StatusAwaiting { // here nothing is taken back
		i.Status = engine.StatusApplied
	}
	return engine.Summary{RunInfo: i}, nil
}

// Leave lets go of nothing.
func (r *Run) Leave() error { return nil }
