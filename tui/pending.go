package tui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// pendingPage stands before everything else when a run was interrupted, or
// waits for its confirmation: nothing new starts until that is settled.
type pendingPage struct {
	*App
	info    *engine.RunInfo
	working bool
	err     error
	ended   bool // finishing it failed and ended it: what stands can only be undone
	atWork  bool // it is no interrupted run: its process is there
	outcome []engine.Deviation
	scroll  scroll
}

func (a *App) openPending(info *engine.RunInfo) tea.Cmd {
	cmd := a.enter(place{stage: atPending})
	if p, ok := a.page.(*pendingPage); ok {
		p.info = info
	}
	return cmd
}

// settled is what became of the run.
type settled struct {
	how    lang.Text
	err    error
	result engine.StepResult // of finishing it
	undone bool
	kept   bool
	left   []engine.Left
	sum    engine.Summary // it was ended; ID 0: it was not
	midway bool           // it was left where it stood
}

func (p *pendingPage) Enter() tea.Cmd   { return nil }
func (p *pendingPage) Refresh() tea.Cmd { return nil }
func (p *pendingPage) Busy() bool       { return p.working }

func (p *pendingPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case settled:
		return p.settled(msg)
	case broken:
		p.working, p.err = false, msg.err
		p.tally.fail(ofPending, msg.err)
	}
	return stay, nil
}

func (p *pendingPage) settled(m settled) (nav, tea.Cmd) {
	p.working, p.err = false, m.err
	if m.result.Applied > 0 {
		p.tally.add(ofPending, p.info.ID, m.result)
	}
	p.tally.keep(m.left)
	p.midway = m.midway
	p.ended = p.ended || m.sum.ID != 0
	p.awaits(m.sum)
	var busy *engine.BusyError
	p.atWork = errors.As(m.err, &busy) && busy.Due == 0 && busy.Interrupted == 0
	switch {
	case m.err != nil && m.sum.ID != 0:
		p.tally.fail(ofPending, m.err)
	case m.undone:
		p.awaited = nil
		p.tally.allUndone()
	case m.kept:
		p.awaited = nil
	}
	switch {
	case m.err != nil:
		return stay, nil
	case len(m.left) > 0:
		p.err = lang.Errorf(nil, "cannot undo everything: %d changes were left alone", "未能全部撤销：%d 项保持不动", len(m.left)).
			WithHint("the log (l) names them", "日志（l）中有明细")
		return stay, nil
	case len(m.result.Deviations) > 0:
		p.outcome = m.result.Deviations
		return stay, nil
	}
	p.notice = m.how
	return home, nil
}

func (p *pendingPage) waits() bool { return p.info != nil && p.info.Status == engine.StatusAwaiting }

func (p *pendingPage) Keys() []binding {
	if p.working || p.info == nil {
		return []binding{{keys: []string{"ctrl+c"}, desc: lang.T("wait", "请等待"), do: goes(stay)}}
	}
	log := binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}
	again := binding{keys: []string{"r"}, desc: lang.T("look again", "重新检测"), must: p.err != nil, rare: p.err == nil, do: goes(home)}
	leaving := binding{keys: []string{"q"}, desc: lang.T("leave", "离开"), do: goes(leave)}
	undoing := binding{keys: []string{"u"}, desc: lang.T("undo it", "撤销"), must: true, do: p.askUndo}
	switch {
	case p.outcome != nil:
		return append(p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) }),
			binding{keys: []string{"enter"}, desc: lang.T("go on", "继续"), must: true, do: goes(home)}, undoing, log, leaving)
	case p.atWork:
		return []binding{again, log, leaving}
	case p.ended:
		return []binding{undoing, again, log, leaving}
	case p.waits():
		return []binding{
			{keys: []string{"k"}, desc: lang.T("keep the changes", "保留改动"), must: true, do: p.keepIt},
			undoing, again, log, leaving,
		}
	}
	return []binding{
		{keys: []string{"f"}, desc: lang.T("finish it", "继续完成"), must: true, do: p.finishIt},
		undoing, again, log, leaving,
	}
}

func (p *pendingPage) finishIt() (nav, tea.Cmd) {
	s, id := p.session, p.info.ID
	return p.work(func(ctx context.Context) settled {
		m := settled{how: lang.F("Run %s is finished.", "运行 %s 已完成。", id)}
		run, results, err := s.Resume(ctx)
		for _, r := range results {
			m.result.Applied += r.Applied
			m.result.Skipped += r.Skipped
			m.result.Deviations = append(m.result.Deviations, r.Deviations...)
		}
		m.err = refused(err, "cannot finish run %s", "无法完成运行 %s", id)
		var stale *engine.StaleError
		switch {
		case run == nil && err == nil:
			m.err = lang.Errorf(nil, "cannot finish run %s: there is nothing to finish any more", "无法完成运行 %s：已没有可以继续的内容", id).
				WithHint("look again (r)", "请重新检测（r）")
		case run == nil:
		case err != nil && (ctx.Err() != nil || errors.As(err, &stale)):
			m.midway = ctx.Err() != nil // it can be taken up again, or undone
			m.err = errors.Join(m.err, run.Leave())
		default:
			sum, e := run.End(context.WithoutCancel(ctx))
			sum.ID = id
			m.sum, m.err = sum, errors.Join(m.err, e)
		}
		return m
	})
}

func (p *pendingPage) keepIt() (nav, tea.Cmd) {
	s, id := p.session, p.info.ID
	return p.work(func(ctx context.Context) settled {
		err := s.Confirm(ctx, id)
		return settled{
			how: lang.F("The changes of run %s are kept.", "运行 %s 的改动已保留。", id), kept: err == nil,
			err: refused(err, "cannot keep the changes of run %s", "无法保留运行 %s 的改动", id),
		}
	})
}

func (p *pendingPage) askUndo() (nav, tea.Cmd) {
	return p.ask(&confirmOverlay{
		title: lang.F("Undo run %s?", "撤销运行 %s？", p.info.ID),
		text:  []lang.Text{lang.T("What it changed is put back; what somebody changed since is left alone.", "将其改动恢复原状；此后被他人改过的内容保持不动。")},
		yes:   lang.T("undo", "撤销"), danger: true,
		do: func() (nav, tea.Cmd) {
			s, id := p.session, p.info.ID
			return p.work(func(ctx context.Context) settled {
				res, err := s.Undo(ctx, id, "")
				return settled{
					how: lang.F("Run %s is undone.", "运行 %s 已撤销。", id), undone: err == nil, left: res.Left,
					err: refused(err, "cannot undo run %s", "无法撤销运行 %s", id),
				}
			})
		},
	})
}

func (p *pendingPage) work(fn func(context.Context) settled) (nav, tea.Cmd) {
	p.working, p.err, p.outcome = true, nil, nil
	return stay, p.job(func(ctx context.Context) (tea.Msg, error) { return fn(ctx), nil })
}

func (p *pendingPage) View(w, h int) string {
	title, state := p.say("A run was interrupted", "上次运行被中断"), ""
	switch {
	case p.outcome != nil:
		title, state = p.say("The run is finished", "上次运行已完成"), p.say("not all as asked", "部分与要求不同")
	case p.atWork:
		title = p.say("A run is at work", "有一次运行正在进行")
	case p.ended:
		title = p.say("A run could not be finished", "上次运行未能完成")
	case p.waits():
		title = p.say("A run waits to be confirmed", "有一次运行等待确认")
	}
	if p.working {
		state = p.say("working", "处理中")
	}
	return p.pane(w, h, p.head(w, title, state, ""), p.body(w-2), p.scroll, -1)
}

func (p *pendingPage) body(w int) []string {
	i := p.info
	if p.working {
		return p.tail(w)
	}
	if i == nil {
		return nil
	}
	var body []string
	add := func(ls ...lang.Text) {
		for _, l := range ls {
			body = append(body, wrap(p.s(l), w)...)
		}
	}
	add(lang.F("Run %s of %s by %s: %s", "运行 %s，%s，发起者 %s：%s", i.ID, i.Time.Local().Format(time.DateTime), i.Owner, strings.Join(i.Steps, ", ")))
	switch {
	case p.outcome != nil:
		body = append(body, "")
		for _, d := range p.outcome {
			body = append(body, p.marked(p.theme.Warn.Render(p.theme.Note), lang.F("%s: %s", "%s：%s", p.onText(d.On, d.Target), outcomeText(d.Outcome)), w)...)
		}
	case p.atWork, p.ended:
	case p.waits():
		add(standing(i), lang.Text{}, lang.T("Unless it is kept, it is undone by itself at its deadline.", "若不确认保留，到期后会自动撤销。"))
	default:
		add(standing(i), lang.Text{},
			lang.T("Finishing takes up where it stopped, as it was reviewed.", "继续完成：按当时审阅过的计划从中断处接着做。"),
			lang.T("Undoing puts everything back as it was before.", "撤销：全部恢复到此前的状态。"))
	}
	if p.err != nil {
		body = append(append(body, ""), p.errorLines(p.err, w)...)
	}
	return body
}

func standing(i *engine.RunInfo) lang.Text {
	return lang.F("%d of its changes stand.", "其中 %d 项改动仍然有效。", i.Changes)
}
