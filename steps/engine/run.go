package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// RunOptions are what a run is asked to do.
type RunOptions struct {
	Answers Answers
	Strict  bool          // a deviation is a failure
	Confirm time.Duration // undo the run unless it is confirmed within this time; 0: it stands
}

// Run is a run under way: it holds the lock until End.
type Run struct {
	e       *Engine
	h       *history
	opts    RunOptions
	release func() error
	resumed bool
	failed  map[string]error // by step: how its last attempt ended
	undone  bool
	ended   bool
	twins   map[machine.ID]*twin
	alone   bool // what was done on other machines is left to them
}

var errEnded = lang.Errorf(nil, "cannot go on with a run that has ended", "该运行已经结束，无法继续")

// Deviation is an op that did not come out as asked and was accepted.
type Deviation struct {
	On      machine.ID `json:"on"`
	Kind    string     `json:"kind"`
	Target  string     `json:"target"`
	Outcome Outcome    `json:"outcome"`
}

// StepResult is what applying a step did.
type StepResult struct {
	Applied    int         `json:"applied"`
	Skipped    int         `json:"skipped"`
	Deviations []Deviation `json:"deviations,omitempty"`
}

// Start begins a run: one at a time, and its header is durable before anything
// else. A run that was interrupted or awaits its confirmation comes first.
func (e *Engine) Start(ctx context.Context, o RunOptions) (*Run, error) {
	if o.Confirm > 0 {
		if err := e.canConfirm(); err != nil {
			return nil, err
		}
	}
	release, err := e.lock()
	if err != nil {
		return nil, err
	}
	r, err := e.start(ctx, o, release)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	e.notify(Event{What: RunStarted, Run: r.ID()})
	return r, nil
}

func (e *Engine) start(ctx context.Context, o RunOptions, release func() error) (*Run, error) {
	hs, err := e.histories()
	if err != nil {
		return nil, err
	}
	id, err := e.nextID()
	if err != nil {
		return nil, err
	}
	for _, h := range hs {
		switch h.status {
		case StatusInterrupted:
			return nil, &BusyError{Interrupted: h.header.ID}
		case StatusAwaiting:
			return nil, &BusyError{Due: h.header.ID}
		}
	}
	hosts, err := e.Detect(ctx)
	if err != nil {
		return nil, err
	}
	rec := record{What: "run", V: journalVersion, ID: id, Owner: e.owner, Goxin: e.version, Answers: o.Answers, Strict: o.Strict, Machines: hosts.Order, Facts: factsOf(hosts)}
	if o.Confirm > 0 {
		rec.Confirm = o.Confirm.String()
		boot, up, err := e.boot()
		if err != nil {
			return nil, err
		}
		rec.Boot, rec.Deadline = boot, up+o.Confirm.Seconds()
	}
	j := journal{e.home, fmt.Sprintf("%s/runs/%04d", e.dir, id)}
	if err := e.mkdirs(j.dir + "/blobs"); err != nil {
		return nil, err
	}
	// What a run that died before its header became durable left is no history.
	if recs, torn, err := j.read(); err == nil && len(recs) == 0 && torn >= 0 {
		if err := j.mend(torn); err != nil {
			return nil, err
		}
	}
	if err := j.append(rec); err != nil {
		return nil, err
	}
	rec.Time = e.home.Now()
	r := &Run{e: e, opts: o, release: release, failed: map[string]error{}, h: &history{journal: j, header: rec, first: e.first, status: StatusInterrupted, confirm: o.Confirm}}
	if o.Confirm > 0 {
		err = e.installGuard(ctx, id)
	}
	for _, id := range hosts.Order { // whoever is busy there says so before anything is changed here
		if err == nil && r.twinned(id) {
			_, err = r.twin(ctx, id)
		}
	}
	if err != nil {
		errs := []error{err, r.closeTwins(ctx, StatusUndone), j.append(record{What: "end", Status: StatusUndone})}
		for _, t := range r.twins {
			errs = append(errs, t.release())
		}
		if o.Confirm > 0 {
			errs = append(errs, e.removeGuard(context.WithoutCancel(ctx), id))
		}
		return nil, errors.Join(errs...)
	}
	return r, nil
}

// ID is the run's number.
func (r *Run) ID() RunID { return r.h.header.ID }

// journal appends a record and brings the history in memory up to it.
func (r *Run) journal(rec record) error {
	if err := r.mirror(context.Background(), rec); err != nil {
		return err
	}
	return r.h.write(r.e.kinds, rec)
}

// Apply makes a reviewed plan true. It first observes everything again and
// refuses with a *StaleError when anything moved since the review. A failed op
// ends it with an error and leaves what was done standing: Undo, or a new Apply
// of a new plan, is the caller's choice. A cancelled ctx starts nothing new.
func (r *Run) Apply(ctx context.Context, p *StepPlan) (StepResult, error) {
	if r.ended {
		return StepResult{}, errEnded
	}
	res, err := r.apply(ctx, p)
	r.failed[p.Step] = err
	return res, err
}

func (r *Run) apply(ctx context.Context, p *StepPlan) (StepResult, error) {
	if err := r.fresh(ctx, p); err != nil {
		return StepResult{}, err
	}
	rec := record{What: "step", Step: p.Step, Survey: p.Survey, Values: p.Values, Wanted: p.Wanted, Reviewed: p.Reviewed, Notes: p.Notes}
	for _, it := range p.Items {
		b, err := json.Marshal(it.Op)
		if err != nil {
			return StepResult{}, err
		}
		if r.twinned(it.On) {
			if _, err := r.twin(ctx, it.On); err != nil {
				return StepResult{}, err
			}
		}
		if it.Diff.Action != None { // what was reviewed can be shown again, wherever the step ends
			if err := r.keep(it.On, it.Before); err != nil {
				return StepResult{}, err
			}
		}
		rec.Ops = append(rec.Ops, recordedOp{it.On, it.Kind, b, diffDigest(it.Diff), &it.Before})
	}
	if err := r.journal(rec); err != nil {
		return StepResult{}, err
	}
	return r.finishStep(ctx, len(r.h.steps), p.proofs)
}

// fresh observes every item again.
func (r *Run) fresh(ctx context.Context, p *StepPlan) error {
	var moved []string
	for _, it := range p.Items {
		if it.Unknown != "" {
			return lang.Errorf(nil, "cannot apply %s: part of its plan is known only after %s", "无法执行 %s：其计划有一部分要等 %s 完成后才能确定", r.e.title(p.Step), r.e.title(it.Unknown)).
				WithHint("have that step done first: in an answers file, add %s: {}", "请先完成该步骤：应答文件中请加入 %s: {}", it.Unknown)
		}
		now, err := r.e.observe(ctx, it.On, it.Op)
		if err != nil {
			return err
		}
		if !now.Equal(it.Before) {
			moved = append(moved, it.Target)
		}
	}
	if moved == nil {
		return nil
	}
	return lang.Errorf(&StaleError{moved}, "cannot apply %s", "无法执行 %s", p.Step).
		WithHint("nothing was written; look at the plan again", "尚未写入任何内容；请重新查看计划")
}

// finishStep does what is left of step s (from 1): all of it in a new run, the
// rest of it in a resumed one.
func (r *Run) finishStep(ctx context.Context, s int, proofs []Proof) (StepResult, error) {
	step := r.h.steps[s-1]
	r.e.notify(Event{What: StepStarted, Run: r.ID(), Step: step.id, Of: len(step.ops)})
	// A resumed step that had begun to change the machine passed its trials then.
	if !step.begun() {
		if err := r.prove(ctx, s, proofs, true); err != nil {
			return step.result(), err
		}
	}
	for _, o := range step.ops {
		if o.status == opSkipped || o.status == opDone || o.status == opLeft {
			continue
		}
		if err := ctx.Err(); err != nil {
			return step.result(), lang.Errorf(context.Cause(ctx), "stopped before %s", "在 %s 之前停止", o.op.Target())
		}
		// An operation that has begun is not cut off: each has limits of its own.
		if err := r.do(Uncut(ctx), o); err != nil {
			return step.result(), err
		}
	}
	if err := r.prove(ctx, s, proofs, false); err != nil {
		return step.result(), err
	}
	if err := r.journal(record{What: "step-done", S: s}); err != nil {
		return step.result(), err
	}
	r.e.notify(Event{What: StepDone, Run: r.ID(), Step: step.id})
	return step.result(), nil
}

// prove holds the proofs that come before the first change of step s, or those
// that come after its last.
func (r *Run) prove(ctx context.Context, s int, proofs []Proof, first bool) error {
	for _, p := range proofs {
		if p.First != first {
			continue
		}
		ev := Event{What: Proving, Run: r.ID(), Step: r.h.steps[s-1].id, On: p.On, Text: p.Title}
		r.e.notify(ev)
		within := r.e.within(ctx, Event{Run: r.ID(), Step: ev.Step, On: p.On})
		seen, err := p.Prove(context.WithValue(within, keepKey{}, func(kind string, data json.RawMessage) error {
			return r.journal(record{What: "kept", S: s, On: p.On, Kind: kind, Data: data})
		}), r.e.machine(p.On))
		if err != nil {
			return cannotProve(p, err)
		}
		ev.What, ev.Text = Proved, lang.F("%s: %s", "%s：%s", p.Title, seen)
		if err := r.journal(record{What: "proved", S: s, Text: &ev.Text}); err != nil {
			return err
		}
		r.e.notify(ev)
	}
	return nil
}

// do carries one op out. What the journal says before it, and what it says
// after, is all that a later process has.
func (r *Run) do(ctx context.Context, o *opHistory) error {
	m, ev := r.e.machine(o.on), Event{Run: r.ID(), Step: o.step, On: o.on, Kind: o.op.Kind(), Target: o.op.Target(), N: o.n, Of: len(r.h.steps[o.s-1].ops)}
	say := func(w What, f func(*Event)) {
		e := ev
		e.What = w
		if f != nil {
			f(&e)
		}
		r.e.notify(e)
	}
	var said []lang.Text
	fail := func(err error) error {
		if !lang.Told(err) {
			err = lang.Errorf(err, "cannot apply %s", "无法完成 %s", o.op.Target())
		}
		t := lang.F("%s", "%s", err)
		if o.status == opDoing {
			rec := record{What: "failed", S: o.s, N: o.n, Error: &t, Hint: hintOf(err), Output: said}
			if left, err := o.op.Observe(ctx, m); err == nil {
				rec.State = &left
			}
			// The journal may be what failed; the op is standing either way.
			_ = r.journal(rec)
		}
		say(Failed, func(e *Event) {
			e.Error, e.Hint = t, lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH))
		})
		return err
	}
	now, err := r.e.observe(ctx, o.on, o.op)
	if err != nil {
		return fail(err)
	}
	before := now
	switch o.status {
	case opDoing, opFailed:
		// Resumed: what it was before is in the journal. It is done again even
		// where nothing differs any more, since only Do tells whether it was
		// clamped; whatever stands there now can still be found in the store.
		before = o.before
	default:
		d := o.op.Diff(now)
		if d.Action == None {
			if err := r.journal(record{What: "skip", S: o.s, N: o.n, State: &now}); err != nil {
				return fail(err)
			}
			say(Skipped, nil)
			return nil
		}
		if r.resumed && diffDigest(d) != o.reviewed && !r.h.touched(o) {
			return lang.Errorf(&StaleError{[]string{o.op.Target()}}, "cannot resume run %d", "无法继续运行 %d", r.ID()).
				WithHint("`goxin undo` undoes what it had done; then look at a new plan", "`goxin undo` 撤销已完成的部分；然后查看新的计划")
		}
	}
	if err := r.keep(o.on, now); err != nil {
		return fail(err)
	}
	if err := r.journal(record{What: "doing", S: o.s, N: o.n, State: &before}); err != nil {
		return fail(err)
	}
	r.e.forgetSurveys()
	say(Doing, nil)
	moving := hearAmounts(r.e.within(ctx, ev), func(a Amount) { say(Moving, func(e *Event) { e.Amount = &a }) })
	out, err := o.op.Do(moving, m, func(t lang.Text) {
		said = lastOf(said, t)
		say(Output, func(e *Event) { e.Text = t })
	})
	if err != nil {
		return fail(err)
	}
	after, err := r.e.observe(ctx, o.on, o.op)
	if err != nil {
		return fail(err)
	}
	if !out.Deviates() && o.op.Diff(after).Action != None {
		return fail(lang.Because(nil, "it was done, and yet it does not hold", "已执行，但没有生效"))
	}
	if out.Deviates() && r.opts.Strict {
		return fail(&DeviationError{o.op.Target(), out})
	}
	return r.settle(o, after, out, say)
}

func (r *Run) settle(o *opHistory, after State, out Outcome, say func(What, func(*Event))) error {
	if err := r.journal(record{What: "done", S: o.s, N: o.n, State: &after, Outcome: &out}); err != nil {
		return err
	}
	say(Done, func(e *Event) { e.Outcome = &out })
	return nil
}

// why is what the run failed of, in the order of the steps' names, and what to do
// about it; nil for nothing.
func (r *Run) why() (why, hint *lang.Text) {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(r.failed)) {
		errs = append(errs, r.failed[id])
	}
	err := errors.Join(errs...)
	if err == nil {
		return nil, nil
	}
	t := lang.F("%s", "%s", err)
	return &t, hintOf(err)
}

// hintOf is an error's hint; nil where it has none.
func hintOf(err error) *lang.Text {
	t := lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH))
	if t.Empty() {
		return nil
	}
	return &t
}

// What a journal keeps of the output of an operation that failed.
const (
	mostOutput = 20  // lines, the last
	mostLine   = 400 // bytes of one, the first
)

// lastOf is said with t at its end, without what is too long ago.
func lastOf(said []lang.Text, t lang.Text) []lang.Text {
	t = lang.T(brief(t.EN), brief(t.ZH))
	if len(said) == mostOutput {
		said = slices.Delete(said, 0, 1)
	}
	return append(said, t)
}

func brief(s string) string {
	if len(s) > mostLine {
		s = s[:mostLine]
	}
	return strings.ToValidUTF8(s, "")
}

// Leave lets go of the lock without an end: the run is interrupted, to be resumed
// or undone.
func (r *Run) Leave() error {
	r.ended = true
	r.park()
	return r.letGo()
}

// Summary is a run that has ended.
type Summary struct {
	RunInfo
	Deadline time.Duration `json:"deadline,omitempty"` // until it is undone, when it awaits its confirmation
}

// End says what became of the run and lets go of the lock. A run to be confirmed
// that changed something awaits that from now on.
func (r *Run) End(ctx context.Context) (Summary, error) {
	if r.ended {
		return Summary{RunInfo: r.h.info()}, errEnded
	}
	r.ended = true
	status := StatusApplied
	why, hint := r.why()
	switch {
	case r.undone && r.h.standing() == 0:
		status = StatusUndone
	case r.undone || why != nil:
		status = StatusFailed
	}
	its := status
	if r.h.confirm > 0 && r.h.standing() > 0 {
		its = StatusAwaiting
	}
	err := r.closeTwins(ctx, its)
	if err != nil && why == nil && status == StatusApplied {
		status = StatusFailed // it takes its part back
		t := lang.F("%s", "%s", err)
		why, hint = &t, hintOf(err)
	}
	var due time.Duration
	// A failed run that was to be confirmed is undone at its deadline all the
	// same: half of a change may cut a person off as well as the whole.
	if r.h.confirm > 0 && r.h.standing() > 0 {
		err = errors.Join(err, r.await(why, hint))
		due = r.h.confirm
	} else {
		err = errors.Join(err, r.journal(record{What: "end", Status: status, Error: why, Hint: hint}))
		if r.h.confirm > 0 {
			err = errors.Join(err, r.e.removeGuard(context.WithoutCancel(ctx), r.ID()))
		}
	}
	err = errors.Join(err, r.letGo())
	sum := Summary{RunInfo: r.h.info(), Deadline: due}
	what := RunEnded
	if sum.Status == StatusAwaiting {
		what = Awaiting
	}
	r.e.notify(Event{What: what, Run: r.ID(), N: sum.Changes, Text: sum.Status.Text()})
	return sum, err
}
