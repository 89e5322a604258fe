package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// navigate goes where a page asked to go.
func (a *App) navigate(n nav) tea.Cmd {
	switch n {
	case next:
		return a.enter(a.after(a.place))
	case back:
		return a.enter(a.before(a.place))
	case skip:
		i, id := a.place.step, a.step().ID()
		delete(a.answers, id)
		switch a.progress[i] {
		case failed: // what failed is not as asked, whoever goes on
		case done: // what it wrote stands, whatever was thought of since
			if p := a.outcomes[i].plan; p != nil {
				a.answers[id] = copyValues(p.Values)
			}
		default:
			a.progress[i] = skipped
		}
		return tea.Batch(a.saveAnswers(), a.enter(a.onward(a.place.step+1)))
	case again:
		return a.enter(a.firstOf(a.place.step))
	case undo:
		return a.enter(place{stage: atUndo, step: a.place.step})
	case home:
		a.progress = make([]progress, len(a.steps))
		a.outcome, a.outcomes, a.wrote, a.begun, a.found = outcome{}, nil, false, nil, nil
		a.tally.again()
		return a.enter(place{stage: atMachine})
	case leave:
		return a.quit()
	}
	return nil
}

// after is the place that follows p.
func (a *App) after(p place) place {
	switch p.stage {
	case atMachine, atPending:
		if len(a.purposes) > 0 && !a.review {
			return place{stage: atPurpose}
		}
		return a.firstOf(0)
	case atPurpose:
		return a.onward(0)
	case atAsk, atDiff, atWrite:
		if p.stage == atDiff && !a.wantsWriting() {
			return a.onward(p.step + 1)
		}
		return place{p.stage + 1, p.step}
	case atResult, atFinished:
		return a.onward(p.step + 1)
	}
	return place{stage: atDone}
}

// onward is the next place from step i on, past what is done already.
func (a *App) onward(i int) place {
	for ; i < len(a.steps); i++ {
		if a.progress[i] != done && a.passes(i) {
			return a.firstOf(i)
		}
	}
	return place{stage: atDone}
}

// before is the place Esc goes back to. What has been written is not gone back
// on: it is shown, and only its undo puts it back.
func (a *App) before(p place) place {
	switch p.stage {
	case atDiff:
		if !a.review && asks(a.steps[p.step]) {
			return place{atAsk, p.step}
		}
	case atResult:
		return place{atDiff, p.step}
	case atAsk, atFinished:
	case atPurpose:
		if a.wrote {
			return p // looking at the machine anew would find the run under way
		}
		return place{stage: atMachine}
	default:
		return p
	}
	for i := p.step - 1; i >= 0; i-- {
		switch became := a.progress[i]; {
		case became == unasked || became == skipped && a.review || !a.picks(i):
		case became == done || became == failed || became == undone:
			return place{atFinished, i}
		default:
			return a.firstOf(i)
		}
	}
	switch {
	case len(a.purposes) > 0 && !a.review:
		return place{stage: atPurpose}
	case a.wrote:
		return p
	}
	return place{stage: atMachine}
}

// firstOf is where step i begins, or the end.
func (a *App) firstOf(i int) place {
	for ; i < len(a.steps); i++ {
		if !a.passes(i) {
			continue
		}
		if a.review || !asks(a.steps[i]) {
			return place{atDiff, i}
		}
		return place{atAsk, i}
	}
	return place{stage: atDone}
}

// passes reports whether the wizard goes through step i, and notes where it does
// not.
func (a *App) passes(i int) bool {
	_, asked := a.answers[a.steps[i].ID()]
	if a.picks(i) && (asked || !a.review) {
		return true
	}
	if became := a.progress[i]; became == open || became == skipped {
		a.progress[i] = unasked
	}
	return false
}

// asks reports whether a step has anything to ask at all.
func asks(s engine.Step) bool { return len(s.Fields()) > 0 }

// wantsWriting reports whether the reviewed plan is to be handed to a run.
func (a *App) wantsWriting() bool {
	return a.outcome.plan != nil && (a.outcome.plan.Changes() > 0 || a.outcome.plan.Proves || a.unproved())
}

// unproved reports whether the step at hand has failed and is yet to be proved,
// even where nothing is left to change.
func (a *App) unproved() bool { return a.run != nil && a.progress[a.place.step] == failed }

// enter makes p the current place.
func (a *App) enter(p place) tea.Cmd {
	if a.page != nil && p == a.place {
		return nil
	}
	if a.pageStop != nil {
		a.pageStop()
	}
	a.epoch++
	a.pageCtx, a.pageStop = context.WithCancel(a.ctx)
	a.place = p
	a.overlays = nil
	a.hush = nil
	if p.stage == atPending || p.stage == atResult && (a.outcome.err != nil || a.awaited != nil) {
		a.quietly()
	}
	a.page = a.open(p)
	return a.page.Enter()
}

func (a *App) open(p place) page {
	switch p.stage {
	case atPending:
		return &pendingPage{App: a}
	case atPurpose:
		return &purposePage{questionnaire: questionnaire{App: a, titles: true}}
	case atAsk:
		return &askPage{questionnaire: questionnaire{App: a}}
	case atDiff:
		return &diffPage{App: a}
	case atWrite:
		return &writePage{App: a}
	case atResult:
		return &resultPage{App: a}
	case atFinished:
		return &finishedPage{App: a}
	case atDone:
		return &donePage{App: a}
	case atUndo:
		return &undoPage{App: a}
	}
	if a.first != nil {
		return a.first
	}
	return &machinePage{App: a}
}

// busy reports whether a machine is being written to.
func (a *App) busy() bool {
	b, ok := a.page.(interface{ Busy() bool })
	return ok && b.Busy()
}

func (a *App) quit() tea.Cmd {
	a.quitting = true
	return tea.Quit
}

// askLeave leaves at once where nothing is lost by it, and asks elsewhere.
func (a *App) askLeave() (nav, tea.Cmd) {
	if !a.wrote && (a.place.stage == atMachine || a.place.stage == atPending) || a.place.stage == atDone || a.place.stage == atUndo {
		return leave, nil
	}
	text := []lang.Text{lang.T("Nothing has been written. Your answers are saved.", "尚未写入任何内容。您的应答已保存。")}
	if len(a.begun) > 0 {
		text = []lang.Text{lang.F("What has been written stays; %s puts it back.", "已写入的内容会保留；可用 %s 撤销。", a.goxin("undo"))}
	}
	if a.awaited != nil || a.run != nil && a.run.confirm > 0 {
		text = []lang.Text{lang.F("What has been written is taken back by itself unless %s comes first.", "已写入的内容将自动撤回，除非先执行 %s。", a.goxin("confirm"))}
	}
	return a.ask(&confirmOverlay{
		title: lang.T("Leave goxin?", "离开 goxin？"), text: text,
		yes: lang.T("leave", "离开"), keys: []string{"enter", "y", "ctrl+c"},
		do: goes(leave),
	})
}
