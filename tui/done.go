package tui

import (
	"context"
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// donePage is the end: what holds now, where the answers are, what to type next.
type donePage struct {
	*App
	ending bool
	err    error
	report reported
	scroll scroll
}

type ended struct {
	sum engine.Summary
	err error
}

func (p *donePage) Busy() bool       { return p.ending || p.awaited != nil && p.awaited.keeping }
func (p *donePage) Refresh() tea.Cmd { return nil }

// Enter lets go of the run.
func (p *donePage) Enter() tea.Cmd {
	if p.run == nil {
		return tea.Batch(p.watch(), p.writeReport())
	}
	p.ending = true
	run := p.run
	return p.job(func(ctx context.Context) (tea.Msg, error) {
		sum, err := run.End(context.WithoutCancel(ctx))
		return ended{sum, err}, nil
	})
}

func (p *donePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case ended:
		p.ending, p.err, p.tally.endErr = false, msg.err, msg.err
		p.dropEnded()
		if p.awaits(msg.sum); p.awaited != nil {
			p.quietly()
		}
		return stay, tea.Batch(p.watch(), p.writeReport())
	case reported:
		p.report, p.reportPath = msg, msg.path
	case tick:
		return stay, p.watch()
	case fated:
		p.fated(msg)
	case broken:
		if p.awaited != nil {
			p.awaited.broke(msg.err)
			break
		}
		p.ending, p.err, p.tally.endErr = false, msg.err, msg.err
		p.dropEnded()
	}
	return stay, nil
}

func (p *donePage) Keys() []binding {
	if p.Busy() {
		return nil
	}
	bs := append(p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) }),
		binding{keys: []string{"enter", "q"}, desc: lang.T("finish", "结束"), must: true, do: goes(leave)})
	if p.awaited != nil && p.left() > 0 {
		for i := range bs { // k keeps the changes here
			bs[i].keys = slices.DeleteFunc(bs[i].keys, func(k string) bool { return k == "k" })
		}
		bs = append(bs, p.keepKey())
	}
	if len(p.runs) > 0 {
		bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo everything", "全部撤销"), must: true, do: p.askUndo})
	}
	return append(bs, binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog})
}

func (p *donePage) View(w, h int) string {
	return p.pane(w, h, p.head(w, p.say("Done", "完成"), p.state(), ""), p.body(w-2), p.scroll, -1)
}

// state is what can be said of all steps at once.
func (p *donePage) state() string {
	became := make(map[progress]bool)
	for _, s := range p.App.progress {
		became[s] = true
	}
	changes, deviations := p.tally.changes(0), p.tally.deviations(0)
	switch {
	case p.awaited != nil && p.left() > 0:
		return p.say("written, waits for you", "已写入，等待确认")
	case became[failed], p.err != nil:
		return p.say("not everything is as you asked", "部分内容未按要求完成")
	case became[undone]:
		return p.say("not everything stands", "部分改动已撤回")
	case became[skipped] && changes == 0:
		return p.say("nothing was changed", "未做任何改动")
	case became[skipped]:
		return p.say("done, but for what was skipped", "已完成，跳过的步骤除外")
	case deviations > 0:
		return p.say("%s is as you asked, but for %d", "%s 已就绪，但有 %d 项与要求不同", p.hostname(), deviations)
	case changes > 0:
		return p.say("%s is as you asked", "%s 已按要求就绪", p.hostname())
	}
	return p.say("nothing had to be changed", "无需任何改动")
}

func (p *donePage) body(w int) []string {
	var out []string
	if p.err != nil {
		out = append(p.errorLines(p.err, w), "")
	}
	out = append(out, p.awaitLines(w)...)
	for i, s := range p.steps {
		if p.progress[i] == unasked && !p.review {
			continue // the purpose has no use for it
		}
		mark, what := p.theme.Good.Render(p.theme.Done), p.say("holds", "已符合要求")
		switch p.progress[i] {
		case skipped:
			mark, what = p.theme.Dim.Render(p.theme.Skipped), p.say("skipped", "已跳过")
		case failed:
			mark, what = p.theme.Bad.Render(p.theme.Failed), p.say("failed", "失败")
		case undone:
			mark, what = p.theme.Warn.Render(p.theme.Undone), p.say("put back", "已撤销")
			if p.tally.failures[i].undone {
				what = p.say("not confirmed in time: taken back", "未及时确认：已撤回")
			}
		case unasked:
			mark, what = p.theme.Dim.Render(p.theme.Skipped), p.say("not in the answers", "应答文件中没有")
		case open:
			mark, what = p.theme.Dim.Render(p.theme.Open), p.say("not done", "未执行")
		}
		out = append(out, mark+" "+pad(p.s(s.Title()), 14)+" "+p.theme.Dim.Render(what))
	}
	parts := []string{p.say("%d changes", "%d 项改动", p.tally.changes(0)), p.say("%d not as asked", "%d 项与要求不同", p.tally.deviations(0))}
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
	if p.report.path != "" {
		out = append(out, p.labelled(p.say("report", "验收报告"), p.raw(p.report.path), w)...)
	}
	if p.report.err != nil {
		out = append(out, p.errorLines(p.report.err, w)...)
	}
	out = append(out, "")
	if answers != "" {
		then := p.say("the same on the next machine", "在下一台机器上照做")
		if p.several() {
			then = p.say("the same on another pair, with its addresses in the file", "填入另一组双机的地址后，在该组上照做")
		}
		out = append(out, p.command(p.raw(p.goxin("apply -f "+p.savedTo)), then, w)...)
	}
	out = append(out, p.command(p.raw(p.goxin("check")), p.say("still so tomorrow?", "以后是否依然如此"), w)...)
	if p.awaited != nil {
		out = append(out, p.command(p.raw(p.goxin("confirm")), p.say("keep the changes", "保留改动"), w)...)
	}
	if len(p.runs) > 0 {
		out = append(out, p.command(p.raw(p.goxin("undo")), p.say("as it was before", "恢复原状"), w)...)
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
