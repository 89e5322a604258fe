package tui

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// undoPage puts back what this wizard has written, newest first.
type undoPage struct {
	*App
	began  time.Time
	over   bool
	err    error
	result engine.UndoResult
	scroll scroll
}

type undoneAll struct {
	result engine.UndoResult
	rest   []engine.RunID // whose undo did not end well, oldest first
	err    error
}

func (p *undoPage) Busy() bool       { return !p.over }
func (p *undoPage) Refresh() tea.Cmd { return nil }

func (p *undoPage) Enter() tea.Cmd {
	p.began, p.over, p.err = p.now(), false, nil
	s, run, runs := p.session, p.run, slices.Clone(p.runs)
	return tea.Batch(p.tickLater(), p.job(func(ctx context.Context) (tea.Msg, error) {
		ctx = context.WithoutCancel(ctx) // half undone is worse than either
		var m undoneAll
		for _, id := range slices.Backward(runs) {
			var r engine.UndoResult
			var err error
			if run != nil && run.ID() == id {
				r, err = run.Undo(ctx)
				_, e := run.End(ctx)
				err = errors.Join(err, e)
			} else {
				r, err = s.Undo(ctx, id, "")
			}
			m.result.Undone += r.Undone
			m.result.Left = append(m.result.Left, r.Left...)
			if err != nil {
				m.rest = slices.Insert(m.rest, 0, id)
				m.err = errors.Join(m.err, refused(err, "cannot undo run %s", "无法撤销运行 %s", id))
			}
		}
		return m, nil
	}))
}

func (p *undoPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		if !p.over {
			return stay, p.tickLater()
		}
	case undoneAll:
		p.result.Undone += msg.result.Undone
		p.result.Left = append(p.result.Left, msg.result.Left...)
		p.tally.keep(msg.result.Left)
		p.runs = msg.rest
		p.ends(msg.err)
	case broken:
		p.ends(msg.err)
	}
	return stay, nil
}

// ends says how the undo ended; what it did not get to may be tried again.
func (p *undoPage) ends(err error) {
	p.over, p.err = true, err
	p.dropEnded()
	became := undone
	if err != nil {
		became, p.tally.undoErr = failed, err
	} else {
		p.awaited = nil
		p.tally.allUndone()
	}
	for i, s := range p.App.progress {
		if s == done || s == failed {
			p.App.progress[i] = became
		}
	}
}

func (p *undoPage) Keys() []binding {
	log := binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}
	if !p.over {
		return []binding{log}
	}
	bs := p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) })
	if p.err != nil {
		bs = append(bs, binding{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: func() (nav, tea.Cmd) { return stay, p.Enter() }})
	}
	return append(bs, binding{keys: []string{"enter", "q"}, desc: lang.T("finish", "结束"), must: true, do: goes(leave)},
		binding{keys: []string{"m"}, desc: lang.T("start again", "重新开始"), do: goes(home)}, log)
}

func (p *undoPage) View(w, h int) string {
	state, right := p.say("putting back, newest first", "正在恢复，从最近的改动开始"), clock(p.now().Sub(p.began))
	if p.over {
		state, right = p.say("as it was before", "已恢复原状"), ""
		if len(p.result.Left) > 0 || p.err != nil {
			state = p.say("not everything is as it was", "部分内容未恢复")
		}
	}
	return p.pane(w, h, p.head(w, p.say("Undo", "撤销"), state, right), p.body(w-2), p.scroll, -1)
}

func (p *undoPage) body(w int) []string {
	if !p.over {
		return p.tail(w)
	}
	var out []string
	if p.result.Undone > 0 || p.err == nil {
		t := p.say("%d changes put back", "已恢复 %d 项改动", p.result.Undone)
		if p.result.Undone == 1 {
			t = p.say("1 change put back", "已恢复 1 项改动")
		}
		out = append(out, p.theme.Good.Render(p.theme.Done)+" "+t)
	}
	for _, l := range p.result.Left {
		for i, t := range wrap(p.s(lang.F("%s: %s", "%s：%s", p.onText(l.On, l.Target), l.Reason)), w-2) {
			mark := " "
			if i == 0 {
				mark = p.theme.Warn.Render(p.theme.Note)
			}
			out = append(out, mark+" "+t)
		}
	}
	if p.err != nil {
		out = append(append(out, ""), p.errorLines(p.err, w)...)
	}
	return out
}
