package tui

import (
	"context"
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
}

func (a *App) openPending(info *engine.RunInfo) tea.Cmd {
	cmd := a.enter(place{stage: atPending})
	if p, ok := a.page.(*pendingPage); ok {
		p.info = info
	}
	return cmd
}

// settled says what became of the run.
type settled struct{ how lang.Text }

func (p *pendingPage) Enter() tea.Cmd   { return nil }
func (p *pendingPage) Refresh() tea.Cmd { return nil }
func (p *pendingPage) Busy() bool       { return p.working }

func (p *pendingPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case settled:
		p.notice = msg.how
		return home, nil
	case broken:
		p.working, p.err = false, msg.err
	}
	return stay, nil
}

func (p *pendingPage) awaiting() bool { return p.info != nil && p.info.Status == engine.StatusAwaiting }

func (p *pendingPage) Keys() []binding {
	if p.working || p.info == nil {
		return []binding{{keys: []string{"ctrl+c"}, desc: lang.T("wait", "请等待"), do: goes(stay)}}
	}
	finish := binding{keys: []string{"f"}, desc: lang.T("finish it", "继续完成"), must: true, do: p.finish}
	if p.awaiting() {
		finish = binding{keys: []string{"k"}, desc: lang.T("keep the changes", "保留改动"), must: true, do: p.keep}
	}
	return []binding{
		finish,
		{keys: []string{"u"}, desc: lang.T("undo it", "撤销"), must: true, do: p.askUndo},
		{keys: []string{"r"}, desc: lang.T("look again", "重新检测"), rare: p.err == nil, do: goes(home)},
		{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog},
		{keys: []string{"q"}, desc: lang.T("leave", "离开"), do: goes(leave)},
	}
}

func (p *pendingPage) finish() (nav, tea.Cmd) {
	s := p.session
	return p.work(lang.F("Run %s is finished.", "运行 %s 已完成。", p.info.ID), func(ctx context.Context) error {
		r, _, err := s.Resume(ctx)
		if r != nil && ctx.Err() == nil { // stopped again, it can be taken up again
			if _, e := r.End(context.WithoutCancel(ctx)); err == nil {
				err = e
			}
		}
		return err
	})
}

func (p *pendingPage) keep() (nav, tea.Cmd) {
	s, id := p.session, p.info.ID
	return p.work(lang.F("The changes of run %s are kept.", "运行 %s 的改动已保留。", id), func(ctx context.Context) error { return s.Confirm(ctx, id) })
}

func (p *pendingPage) askUndo() (nav, tea.Cmd) {
	return p.ask(&confirmOverlay{
		title: lang.F("Undo run %s?", "撤销运行 %s？", p.info.ID),
		text:  []lang.Text{lang.T("What it changed is put back; what somebody changed since is left alone.", "将其改动恢复原状；此后被他人改过的内容保持不动。")},
		yes:   lang.T("undo", "撤销"), danger: true,
		do: func() (nav, tea.Cmd) {
			s, id := p.session, p.info.ID
			return p.work(lang.F("Run %s is undone.", "运行 %s 已撤销。", id), func(ctx context.Context) error {
				res, err := s.Undo(ctx, id, "")
				if n := len(res.Left); n > 0 && err == nil {
					err = lang.Errorf(nil, "%d changes were left alone: somebody changed them since", "%d 项保持不动：此后被他人改过", n).
						WithHint("the log (l) names them", "日志（l）中有明细")
				}
				return err
			})
		},
	})
}

func (p *pendingPage) work(how lang.Text, fn func(context.Context) error) (nav, tea.Cmd) {
	p.working, p.err = true, nil
	return stay, p.job(func(ctx context.Context) (tea.Msg, error) { return settled{how}, fn(ctx) })
}

func (p *pendingPage) View(w, h int) string {
	title := p.say("A run was interrupted", "上次运行被中断")
	state := ""
	if p.awaiting() {
		title = p.say("A run waits to be confirmed", "有一次运行等待确认")
	}
	if p.working {
		state = p.say("working", "处理中")
	}
	var body []string
	if i := p.info; i != nil {
		for _, l := range []lang.Text{
			lang.F("Run %s of %s by %s: %s", "运行 %s，%s，发起者 %s：%s", i.ID, i.Time.Local().Format(time.DateTime), i.Owner, strings.Join(i.Steps, ", ")),
			lang.F("%d of its changes stand.", "其中 %d 项改动仍然有效。", i.Changes),
		} {
			body = append(body, wrap(p.s(l), w-2)...)
		}
		body = append(body, "")
		what := []lang.Text{
			lang.T("Finishing takes up where it stopped, as it was reviewed.", "继续完成：按当时审阅过的计划从中断处接着做。"),
			lang.T("Undoing puts everything back as it was before.", "撤销：全部恢复到此前的状态。"),
		}
		if p.awaiting() {
			what = []lang.Text{
				lang.T("Unless it is kept, it is undone by itself at its deadline.", "若不确认保留，到期后会自动撤销。"),
			}
		}
		for _, l := range what {
			body = append(body, wrap(p.s(l), w-2)...)
		}
	}
	if p.working {
		body = p.tail(w - 2)
	}
	if p.err != nil {
		body = append(append(body, ""), p.errorLines(p.err, w-2)...)
	}
	return p.pane(w, h, p.head(w, title, state, ""), body, scroll{}, -1)
}
