package replay

import (
	"context"
	"slices"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Options are how a run is shown again.
type Options struct {
	// Pace is how long what took time takes now, as a factor: 1 as it was, though
	// never longer than a few seconds for one change; 0 no waiting at all.
	Pace float64
	// Known are the steps of this goxin, in their order: for those that the run was
	// asked for and did not come to.
	Known []engine.Step
}

// Session is a recorded run as the wizard works with it: all that tui.Session asks
// for. Its events carry the times that were recorded.
type Session struct {
	rec   *engine.RunRecord
	steps []step
	pace  float64

	mu      sync.Mutex
	listen  func(engine.Event)
	attempt map[string]int // by step: which of its records comes next
}

// New makes a session of a record that Read gave.
func New(r *engine.RunRecord, o Options) *Session {
	return &Session{rec: r, steps: stepsOf(r, o.Known), pace: o.Pace, attempt: map[string]int{}}
}

// Mark is what every screen of a replay says.
var Mark = lang.T("REPLAY", "回放")

// Steps are those the run began, in their order, and the one it failed of before
// that began.
func (s *Session) Steps() []engine.Step {
	var out []engine.Step
	for _, st := range s.steps {
		out = append(out, st)
	}
	return out
}

// Answers are those that were given for Steps.
func (s *Session) Answers() engine.Answers {
	out := engine.Answers{}
	for _, st := range s.steps {
		out[st.id] = engine.Values{}
		if v := s.rec.Answers[st.id]; v != nil {
			out[st.id] = v
		}
		for _, r := range s.records(st.id) {
			if r.Values != nil {
				out[st.id] = r.Values
			}
		}
	}
	return out
}

// records are the attempts at a step, in their order.
func (s *Session) records(id string) []*engine.StepRecord {
	var out []*engine.StepRecord
	for i := range s.rec.Steps {
		if s.rec.Steps[i].Step == id {
			out = append(out, &s.rec.Steps[i])
		}
	}
	return out
}

// current is the attempt at a step that is shown next; nil where it never began.
func (s *Session) current(id string) *engine.StepRecord {
	all := s.records(id)
	if len(all) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return all[min(s.attempt[id], len(all)-1)]
}

// Listen takes who hears of events; nil: nobody.
func (s *Session) Listen(f func(engine.Event)) {
	s.mu.Lock()
	s.listen = f
	s.mu.Unlock()
}

func (s *Session) notify(ev engine.Event) {
	ev.Version = 1
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listen != nil {
		s.listen(ev)
	}
}

// Pending is nothing: what is replayed waits for nobody.
func (s *Session) Pending() (*engine.RunInfo, error) { return nil, nil }

// Runs are none: nothing was done here.
func (s *Session) Runs() ([]engine.RunInfo, error) { return nil, nil }

// Detect gives the facts as they were when the run began.
func (s *Session) Detect(context.Context) (engine.Hosts, error) {
	h := engine.Hosts{Order: s.rec.Order, Facts: make(map[machine.ID]*detect.Facts)}
	for _, id := range h.Order {
		if h.Facts[id] = s.rec.Facts[id]; h.Facts[id] == nil {
			h.Facts[id] = &detect.Facts{}
		}
	}
	return h, nil
}

// Survey gives what was found then.
func (s *Session) Survey(_ context.Context, of engine.Step, _ engine.Values, _ func(engine.Progress)) (engine.Survey, error) {
	r := s.current(of.ID())
	if r == nil {
		return nil, s.failure()
	}
	return r.Survey, nil
}

// failure is what the run failed of.
func (s *Session) failure() error {
	if s.rec.Error.Empty() {
		return lang.Errorf(nil, "cannot replay any further: goxin, or the machine, stopped here", "无法继续回放：goxin 或机器在此处停止").
			WithHint("what is known of the run ends here", "该次运行的记录到此为止")
	}
	return &lang.Error{Text: s.rec.Error, Hint: s.rec.Hint}
}

// Plan gives the plan that was reviewed.
func (s *Session) Plan(_ context.Context, of engine.Step, _ engine.Survey, _ engine.Values) (*engine.StepPlan, error) {
	r := s.current(of.ID())
	if r == nil {
		return nil, s.failure()
	}
	p := &engine.StepPlan{Step: r.Step, Values: r.Values, Survey: r.Survey, Notes: r.Notes, Wanted: r.Wanted, Reviewed: r.Reviewed}
	for _, c := range r.Changes {
		p.Items = append(p.Items, engine.Planned{On: c.On, Kind: c.Kind, Target: c.Target, Diff: reviewed(c), Why: c.Why, ByHand: c.ByHand})
	}
	p.Proves = p.Changes() == 0 && (len(r.Proved) > 0 || !r.Done)
	s.notify(engine.Event{What: engine.PlanReady, Time: r.Began, Step: r.Step, N: p.Changes(), Of: len(p.Items)})
	return p, nil
}

// reviewed is the diff of a change; older journals do not have that of one that the
// run did not come to.
func reviewed(c engine.ChangeRecord) engine.Diff {
	if c.Diff.Action == 0 {
		return engine.Diff{Action: engine.Update, Note: lang.T("what it was to change is not known: the run did not come to it", "具体改动未知：该次运行未进行到这里")}
	}
	return c.Diff
}

// Prove shows what was proved of a step that changed nothing.
func (s *Session) Prove(ctx context.Context, p *engine.StepPlan) error {
	r := s.current(p.Step)
	if r == nil {
		return s.failure()
	}
	s.proved(r)
	if !r.Done {
		return s.failure()
	}
	return nil
}

func (s *Session) proved(r *engine.StepRecord) {
	for _, t := range r.Proved {
		ev := engine.Event{What: engine.Proving, Time: r.Ended, Run: s.rec.Info.ID, Step: r.Step, Text: t}
		s.notify(ev)
		ev.What = engine.Proved
		s.notify(ev)
	}
}

// Start begins the run again.
func (s *Session) Start(context.Context, engine.RunOptions) (*Run, error) {
	s.notify(engine.Event{What: engine.RunStarted, Time: s.rec.Info.Time, Run: s.rec.Info.ID})
	return &Run{s}, nil
}

// Undo shows what was undone: of one step, or of all.
func (s *Session) Undo(_ context.Context, _ engine.RunID, only string) (engine.UndoResult, error) {
	res := engine.UndoResult{Run: s.rec.Info.ID}
	for _, st := range slices.Backward(s.rec.Steps) {
		if only != "" && st.Step != only {
			continue
		}
		for _, c := range slices.Backward(st.Changes) {
			ev := engine.Event{Time: c.Back, Run: res.Run, Step: st.Step, On: c.On, Kind: c.Kind, Target: c.Target}
			switch c.Status {
			case statusUndone:
				res.Undone++
				ev.What = engine.Undone
			case statusLeft:
				res.Left = append(res.Left, engine.Left{Run: res.Run, Step: st.Step, On: c.On, Kind: c.Kind, Target: c.Target, Reason: c.Error})
				ev.What, ev.Error = engine.LeftAlone, c.Error
			default:
				continue
			}
			end := ev
			ev.What, ev.Error = engine.Undoing, lang.Text{}
			s.notify(ev)
			s.notify(end)
		}
	}
	if res.Undone+len(res.Left) == 0 {
		return res, lang.Errorf(nil, "cannot replay an undo: nothing of this was undone", "无法回放撤销：这些改动当时没有撤销").
			WithHint("on the machine itself `goxin undo %d` does it", "在那台机器上可用 `goxin undo %d` 撤销", res.Run)
	}
	return res, nil
}

// Confirm changes nothing.
func (s *Session) Confirm(context.Context, engine.RunID) error { return nil }

// wait is as long as what took d takes now.
func (s *Session) wait(ctx context.Context, d time.Duration) {
	const longest = 5 * time.Second
	d = time.Duration(float64(min(max(d, 0), longest)) * s.pace)
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
