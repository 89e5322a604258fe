package tui

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/drill"
	"goxin/steps/engine"
)

// outcome is what became of the step at hand, from its reviewed plan on.
type outcome struct {
	plan    *engine.StepPlan
	confirm time.Duration // it stands for so long unless confirmed
	result  engine.StepResult
	proved  []lang.Text
	err     error
	stopped bool // the person stopped it
	begun   bool // a change was begun; else nothing of this step was changed
	took    time.Duration
	run     engine.RunID   // 0: none was started for it
	earlier []engine.RunID // in which the step was begun before, newest first
	drill   *drillView     // nil: there was none
}

// writePage shows a run at work. What the engine reports fills in the list of
// changes; nothing here is estimated.
type writePage struct {
	*App
	began    time.Time
	items    []written
	trials   []trial
	output   lang.Text      // the last line of a program that is running
	heard    time.Time      // when it came
	amount   *engine.Amount // of the operation at work; nil: it does not tell
	cancel   context.CancelFunc
	stopped  bool
	drill    *drillView     // nil: there is none
	drilling bool           // it is under way
	held     []drill.Sample // told, and not shown yet
	journal  journalTail
}

// written is one change on its way.
type written struct {
	item    engine.Planned
	state   progress
	doing   bool
	began   time.Time // of doing
	outcome engine.Outcome
}

// trial is a proof on its way: of what is about to be written, or of what was.
type trial struct {
	text  lang.Text
	first bool
	done  bool
	began time.Time
}

type started struct{ run *held }

type applied struct {
	result engine.StepResult
	err    error
	sum    engine.Summary // once a run that awaits its confirmation has ended
}

// tick redraws the clock of a page that is at work.
type tick struct{}

func (a *App) tickLater() tea.Cmd {
	e := a.epoch
	return a.timer(time.Second, reply{epoch: e, msg: tick{}})
}

func (p *writePage) Busy() bool       { return true }
func (p *writePage) Refresh() tea.Cmd { return nil }

func (p *writePage) Enter() tea.Cmd {
	p.began = p.now()
	for _, it := range p.outcome.plan.Items {
		if it.Unknown != "" || it.Diff.Action != engine.None {
			p.items = append(p.items, written{item: it})
		}
	}
	s, run, id, plan := p.session, p.run, p.step().ID(), p.outcome.plan
	if run == nil && plan.Changes() == 0 { // nothing that a run would have to keep
		ctx, cancel := context.WithCancel(p.pageCtx)
		p.cancel = cancel
		return tea.Batch(p.tickLater(), p.job(func(context.Context) (tea.Msg, error) {
			defer cancel()
			return applied{err: s.Prove(ctx, plan)}, nil
		}))
	}
	// Only what is being reviewed: a run that is taken up again writes its answers
	// without asking anybody.
	opts := engine.RunOptions{Answers: engine.Answers{id: copyValues(p.answers[id])}, Confirm: p.outcome.confirm}
	return tea.Batch(p.tickLater(), p.job(func(ctx context.Context) (tea.Msg, error) {
		if run != nil && opts.Confirm > 0 && run.confirm == 0 { // what was written before is not taken back with it
			if _, err := run.End(ctx); err != nil {
				return nil, err
			}
			run = nil
		}
		if run == nil {
			r, err := s.Start(ctx, opts)
			if err != nil {
				return nil, refused(err, "cannot start", "无法开始")
			}
			run = &held{RunUnderWay: r, confirm: opts.Confirm}
		}
		return started{run}, nil
	}))
}

// refused says what another run stands in the way of.
func refused(err error, en, zh string, args ...any) error {
	var busy *engine.BusyError
	if !errors.As(err, &busy) {
		return err
	}
	return lang.Errorf(err, en, zh, args...)
}

func (p *writePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		p.showTold()
		return stay, p.tickLater()
	case started:
		return stay, p.apply(msg.run)
	case applied:
		p.outcome.result, p.outcome.err = msg.result, msg.err
		p.awaits(msg.sum)
		return p.over()
	case broken:
		p.outcome.err = msg.err
		return p.over()
	case engine.Event:
		p.event(msg)
	}
	return stay, nil
}

// apply hands the reviewed plan to the run.
func (p *writePage) apply(run *held) tea.Cmd {
	p.App.run, p.outcome.run = run, run.ID()
	if n := len(p.runs); n == 0 || p.runs[n-1] != run.ID() {
		p.runs = append(p.runs, run.ID())
	}
	p.wrote, p.found = true, nil // what was found before it may no longer be so
	ctx, cancel := context.WithCancel(p.pageCtx)
	p.cancel = cancel
	if p.stopped {
		cancel()
	}
	plan := p.outcome.plan
	return p.job(func(context.Context) (tea.Msg, error) {
		defer cancel()
		var m applied
		m.result, m.err = run.Apply(ctx, plan)
		if m.err == nil && run.confirm > 0 {
			m.sum, m.err = run.End(context.WithoutCancel(ctx))
		}
		return m, nil
	})
}

func (p *writePage) over() (nav, tea.Cmd) {
	p.showTold()
	o := &p.outcome
	o.drill = p.drill
	o.took = p.now().Sub(p.began)
	o.stopped = p.stopped && errors.Is(o.err, context.Canceled)
	p.dropEnded()
	if o.run != 0 {
		p.tally.add(p.place.step, o.run, o.result)
	}
	p.tally.fail(p.place.step, o.err)
	p.App.progress[p.place.step] = done
	if o.err != nil {
		p.found = nil // another run may be what stood in the way
		p.App.progress[p.place.step] = failed
	}
	p.keepOutcome()
	return next, nil
}

// keepOutcome remembers what became of the step, for whoever comes back to it.
func (a *App) keepOutcome() {
	if a.outcomes == nil {
		a.outcomes = make(map[int]outcome)
	}
	was := a.outcomes[a.place.step]
	o := a.outcome
	o.begun = o.begun || was.begun
	o.earlier = was.earlier
	switch {
	case o.run == 0: // nothing was left to write: what stands is from before
		o.run, o.result = was.run, was.result
	case was.run != 0 && was.run != o.run && was.begun:
		o.earlier = append([]engine.RunID{was.run}, was.earlier...)
	}
	a.outcomes[a.place.step] = o
}

func (p *writePage) event(ev engine.Event) {
	switch ev.What {
	case engine.Telling:
		p.told(ev)
		return
	case engine.Output:
		p.output, p.heard, p.amount = ev.Text, p.now(), nil
		return
	case engine.Moving:
		p.amount, p.heard = ev.Amount, p.now()
		return
	case engine.Proving:
		p.trials = append(p.trials, trial{text: ev.Text, first: !p.some(), began: p.now()})
		return
	case engine.Proved:
		p.outcome.proved = append(p.outcome.proved, ev.Text)
		if n := len(p.trials); n > 0 {
			p.trials[n-1].text, p.trials[n-1].done = ev.Text, true
		}
		p.drilling = false
		return
	case engine.Doing:
		p.outcome.begun = true
		if p.begun == nil {
			p.begun = make(map[int]bool)
		}
		p.begun[p.place.step] = true
	}
	for i := range p.items {
		w := &p.items[i]
		if w.item.Kind != ev.Kind || w.item.Target != ev.Target || w.item.On != ev.On {
			continue
		}
		switch ev.What {
		case engine.Doing:
			w.doing, w.began = true, p.now()
			p.output, p.heard, p.amount = lang.Text{}, w.began, nil
		case engine.Done, engine.Skipped:
			w.doing, w.state = false, done
			if ev.Outcome != nil {
				w.outcome = *ev.Outcome
			}
		case engine.Failed:
			w.doing, w.state = false, failed
		}
	}
}

// told takes over what a proof or an operation tells of itself.
func (p *writePage) told(ev engine.Event) {
	if s, ok := sampleOf(ev); ok {
		p.held, p.drilling = append(p.held, s), true
	}
	if l, ok := p.journalLine(ev); ok {
		p.journal.hear(l)
		p.heard = p.now()
	}
	if p.theme.Tier.framed() || p.drilling && p.drill == nil { // on a wire, what comes is shown once a second
		p.showTold()
	}
}

// showTold shows what was told.
func (p *writePage) showTold() {
	p.journal.show()
	for _, s := range p.held {
		if p.drill == nil {
			p.drill = &drillView{}
		}
		p.drill.hear(s)
	}
	p.held = p.held[:0]
}

// Wide reports whether the page takes the rail's room as well.
func (p *writePage) Wide() bool { return p.drilling }

// Headline is who owns the address, while a drill moves it.
func (p *writePage) Headline() lang.Text {
	if !p.drilling || p.drill == nil {
		return lang.Text{}
	}
	return p.ownerTitle(p.drill)
}

// some reports whether any of the changes has been taken in hand.
func (p *writePage) some() bool {
	return slices.ContainsFunc(p.items, func(w written) bool { return w.doing || w.state != open })
}

func (p *writePage) Keys() []binding {
	if p.stopped {
		return []binding{{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}}
	}
	stop := binding{keys: []string{"x", "ctrl+c"}, desc: lang.T("stop", "停止"), must: true, do: p.askStop}
	if p.drilling {
		stop.keys, stop.desc = []string{"x", " ", "ctrl+c"}, lang.T("stop and put back", "停止并恢复")
	}
	return []binding{
		stop,
		{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog},
	}
}

func (p *writePage) askStop() (nav, tea.Cmd) {
	if p.stopped {
		return stay, nil
	}
	title, text := lang.T("Stop writing?", "停止写入？"), lang.T("The operation under way ends, nothing new begins.", "正在进行的操作会结束，之后不再开始新的操作。")
	if p.drilling {
		title, text = lang.T("Stop the drill?", "停止演练？"), lang.T("The fault under way is put back at once, no other begins.", "立即恢复正在进行的故障，不再开始下一项。")
	}
	return p.ask(&confirmOverlay{
		title: title,
		text:  []lang.Text{text, lang.T("Then you choose: go on, or undo.", "随后由您选择：继续，或撤销。")},
		yes:   lang.T("stop", "停止"), danger: true,
		do: func() (nav, tea.Cmd) {
			p.stopped = true
			if p.cancel != nil {
				p.cancel()
			}
			return stay, nil
		},
	})
}
