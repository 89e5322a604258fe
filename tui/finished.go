package tui

import (
	"context"
	"errors"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// finishedPage is a step that was gone through before, come back to: what it did,
// and its undo.
type finishedPage struct {
	*App
	undoing bool
	err     error
	left    []engine.Left
	scroll  scroll
}

// putBack is what the undo of one step came to.
type putBack struct {
	result engine.UndoResult
	err    error
	sum    engine.Summary // of the run that was ended for it
	endErr error
}

func (p *finishedPage) Enter() tea.Cmd   { return p.watch() }
func (p *finishedPage) Refresh() tea.Cmd { return nil }
func (p *finishedPage) Busy() bool       { return p.undoing }

func (p *finishedPage) was() outcome { return p.outcomes[p.place.step] }

// stands reports whether the step has changed anything that is not put back.
func (p *finishedPage) stands() bool {
	return p.was().run != 0 && p.was().begun && p.App.progress[p.place.step] != undone
}

func (p *finishedPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case putBack:
		p.undoing, p.err, p.left = false, msg.err, msg.result.Left
		p.dropEnded()
		p.awaits(msg.sum)
		p.tally.keep(msg.result.Left)
		p.found = nil
		if msg.endErr != nil {
			p.err, p.tally.endErr = msg.endErr, msg.endErr
			break
		}
		if msg.err == nil {
			p.App.progress[p.place.step] = undone
			p.tally.stepUndone(p.place.step)
		}
	case tick:
		return stay, p.watch()
	case fated:
		p.fated(msg)
	case broken:
		p.undoing, p.err = false, msg.err
		p.dropEnded()
	}
	return stay, nil
}

func (p *finishedPage) Keys() []binding {
	log := binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}
	if p.undoing {
		return []binding{log}
	}
	bs := p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) })
	bs = append(bs, binding{keys: []string{"enter"}, desc: lang.T("go on", "继续"), must: true, do: goes(next)})
	switch {
	case p.awaited != nil: // all of it goes back together, or nothing
		bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo", "撤销"), do: p.askUndo})
	case p.stands():
		bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo this step", "撤销此步骤"), must: true, do: p.askStepUndo})
	}
	return append(bs,
		binding{keys: []string{"e", "r"}, desc: lang.T("plan it again", "重新规划"), do: goes(again)},
		log, p.escKey())
}

func (p *finishedPage) askStepUndo() (nav, tea.Cmd) {
	return p.ask(&confirmOverlay{
		title: lang.F("Undo %s?", "撤销「%s」？", p.step().Title()),
		text: []lang.Text{
			lang.T("What this step changed is put back; the other steps stand.", "本步骤的改动恢复原状，其他步骤保留。"),
			lang.T("What somebody changed since is left alone and listed.", "此后被他人改过的内容保持不动并列出。"),
		},
		yes: lang.T("undo", "撤销"), danger: true, do: p.putBack,
	})
}

// putBack undoes the step. The run that it may be part of ends first: an undo of
// a part of it needs the lock.
func (p *finishedPage) putBack() (nav, tea.Cmd) {
	p.undoing, p.err, p.left = true, nil, nil
	s, run, was, id := p.session, p.run, p.was(), p.step().ID()
	return stay, p.job(func(ctx context.Context) (tea.Msg, error) {
		ctx = context.WithoutCancel(ctx) // half undone is worse than either
		var m putBack
		if run != nil {
			if m.sum, m.endErr = run.End(ctx); m.endErr != nil {
				return m, nil
			}
		}
		ended := time.Now()
		for _, of := range append([]engine.RunID{was.run}, was.earlier...) {
			r, err := s.Undo(ctx, of, id)
			m.result.Undone += r.Undone
			m.result.Left = append(m.result.Left, r.Left...)
			m.err = errors.Join(m.err, err)
		}
		if m.sum.Status == engine.StatusAwaiting { // unless this was all there was of it
			m.sum.Status, m.sum.Deadline = statusOf(s, m.sum.ID), m.sum.Deadline-time.Since(ended)
		}
		return m, nil
	})
}

func (p *finishedPage) View(w, h int) string {
	state := p.say("was gone through before", "此前已完成")
	switch {
	case p.undoing:
		state = p.say("putting back", "正在恢复")
	case p.err != nil, len(p.left) > 0:
		state = p.say("not everything is as it was", "部分内容未恢复")
	case p.App.progress[p.place.step] == undone:
		state = p.say("as it was before", "已恢复原状")
	case p.App.progress[p.place.step] == failed:
		state = p.say("failed", "失败")
	}
	return p.pane(w, h, p.head(w, p.s(p.step().Title()), state, ""), p.body(w-2), p.scroll, -1)
}

func (p *finishedPage) body(w int) []string {
	if p.undoing {
		return p.tail(w)
	}
	var out []string
	if p.err != nil {
		out = append(p.errorLines(p.err, w), "")
	}
	for _, l := range p.left {
		out = append(out, p.marked(p.theme.Warn.Render(p.theme.Note), lang.F("%s: %s", "%s：%s", p.onText(l.On, l.Target), l.Reason), w)...)
	}
	if p.App.progress[p.place.step] == undone {
		return append(out, p.marked(p.theme.Warn.Render(p.theme.Undone), lang.T("its changes are put back", "其改动已恢复原状"), w)...)
	}
	if o := p.was(); o.err != nil {
		return append(out, p.errorLines(o.err, w)...)
	}
	out = append(out, p.heldLines(p.was(), w)...)
	out = append(out, p.drilled(p.was(), w)...)
	if p.was().plan == nil || p.was().run == 0 {
		return out
	}
	out = append(out, "")
	for _, it := range p.was().plan.Items {
		if it.Unknown == "" && it.Diff.Action != engine.None {
			out = append(out, p.actionMark(it.Diff.Action)+" "+between(p.on(it.On, p.raw(it.Target)), p.theme.Dim.Render(p.became(it)), w-2, p.theme.Ellipsis))
		}
	}
	return out
}
