package tui

import (
	"context"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// donePage is the end: what holds now, where the answers are, what to type next.
type donePage struct {
	*App
	ending bool
	err    error
	scroll scroll
}

type ended struct{}

func (p *donePage) Busy() bool       { return p.ending }
func (p *donePage) Refresh() tea.Cmd { return nil }

// Enter lets go of the run.
func (p *donePage) Enter() tea.Cmd {
	if p.run == nil {
		return nil
	}
	p.ending = true
	run := p.run
	return p.job(func(ctx context.Context) (tea.Msg, error) {
		_, err := run.End(context.WithoutCancel(ctx))
		return ended{}, err
	})
}

func (p *donePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case ended:
		p.ending, p.App.run = false, nil
	case broken:
		p.ending, p.err = false, msg.err
	}
	return stay, nil
}

func (p *donePage) Keys() []binding {
	if p.ending {
		return nil
	}
	bs := append(p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) }),
		binding{keys: []string{"enter", "q"}, desc: lang.T("finish", "结束"), must: true, do: goes(leave)})
	if p.tally.changes > 0 {
		bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo everything", "全部撤销"), must: true, do: p.askUndo})
	}
	return append(bs, binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog})
}

func (p *donePage) View(w, h int) string {
	state := p.say("nothing had to be changed", "无需任何改动")
	if p.tally.changes > 0 {
		state = p.say("%s is as you asked", "%s 已按要求就绪", p.hostname())
	}
	if p.tally.deviations > 0 {
		state = p.say("%s is as you asked, but for %d", "%s 已就绪，但有 %d 项与要求不同", p.hostname(), p.tally.deviations)
	}
	return p.pane(w, h, p.head(w, p.say("Done", "完成"), state, ""), p.body(w-2), p.scroll, -1)
}

func (p *donePage) body(w int) []string {
	var out []string
	if p.err != nil {
		out = append(p.errorLines(p.err, w), "")
	}
	for i, s := range p.steps {
		mark, what := p.theme.Good.Render(p.theme.Done), p.say("holds", "已符合要求")
		switch p.progress[i] {
		case skipped:
			mark, what = p.theme.Dim.Render(p.theme.Skipped), p.say("skipped", "已跳过")
		case failed:
			mark, what = p.theme.Bad.Render(p.theme.Failed), p.say("failed", "失败")
		case open:
			mark, what = p.theme.Dim.Render(p.theme.Open), p.say("not done", "未执行")
		}
		out = append(out, mark+" "+pad(p.s(s.Title()), 14)+" "+p.theme.Dim.Render(what))
	}
	parts := []string{p.say("%d changes", "%d 项改动", p.tally.changes), p.say("%d not as asked", "%d 项与要求不同", p.tally.deviations)}
	out = append(out, "", p.join(parts...), "")
	if len(p.runs) > 0 {
		out = append(out, p.labelled(p.say("run", "运行编号"), fmt.Sprint(p.runs[len(p.runs)-1]), w)...)
	}
	answers := p.savedTo
	if p.saveErr != nil {
		answers = ""
		out = append(out, p.errorLines(p.saveErr, w)...)
	}
	if answers != "" {
		out = append(out, p.labelled(p.say("answers", "应答文件"), p.raw(answers), w)...)
	}
	out = append(out, "")
	if answers != "" {
		out = append(out, p.command("goxin apply -f "+answers, p.say("the same on the next machine", "在下一台机器上照做"), w)...)
	}
	out = append(out, p.command("goxin check", p.say("still so tomorrow?", "以后是否依然如此"), w)...)
	if p.tally.changes > 0 {
		out = append(out, p.command("goxin undo", p.say("as it was before", "恢复原状"), w)...)
	}
	return out
}

func (p *donePage) labelled(label, text string, w int) []string {
	var out []string
	for i, l := range hardWrap(text, w-10) {
		if i > 0 {
			label = ""
		}
		out = append(out, p.theme.Dim.Render(pad(label, 10))+l)
	}
	return out
}

func (p *donePage) command(cmd, what string, w int) []string {
	if width(cmd)+3+width(what) <= w {
		return []string{p.theme.Title.Render(pad(cmd, min(30, w-3-width(what)))) + "   " + p.theme.Dim.Render(what)}
	}
	var out []string
	for _, l := range hang(cmd, w, 2) {
		out = append(out, p.theme.Title.Render(l))
	}
	return append(out, "  "+p.theme.Dim.Render(what))
}

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
	err    error
}

func (p *undoPage) Busy() bool       { return !p.over }
func (p *undoPage) Refresh() tea.Cmd { return nil }

func (p *undoPage) Enter() tea.Cmd {
	p.began = p.now()
	s, run, runs := p.session, p.run, append([]engine.RunID(nil), p.runs...)
	return tea.Batch(p.tickLater(), p.job(func(ctx context.Context) (tea.Msg, error) {
		ctx = context.WithoutCancel(ctx) // half undone is worse than either
		var m undoneAll
		add := func(r engine.UndoResult, err error) {
			m.result.Undone += r.Undone
			m.result.Left = append(m.result.Left, r.Left...)
			if m.err == nil {
				m.err = err
			}
		}
		if run != nil {
			add(run.Undo(ctx))
			if _, err := run.End(ctx); m.err == nil {
				m.err = err
			}
			runs = runs[:len(runs)-1]
		}
		for i := len(runs) - 1; i >= 0; i-- {
			add(s.Undo(ctx, runs[i], ""))
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
		p.over, p.result, p.err = true, msg.result, msg.err
		p.App.run, p.runs = nil, nil
		for i, s := range p.App.progress {
			if s == done || s == failed {
				p.App.progress[i] = undone
			}
		}
		p.tally.kept += len(msg.result.Left)
		p.undone = true
		p.due = time.Time{}
	case broken:
		p.over, p.err = true, msg.err
	}
	return stay, nil
}

func (p *undoPage) Keys() []binding {
	log := binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}
	if !p.over {
		return []binding{log}
	}
	bs := p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) })
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
		for i, t := range wrap(p.s(lang.F("%s: %s", "%s：%s", l.Target, l.Reason)), w-2) {
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
