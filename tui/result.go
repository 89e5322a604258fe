package tui

import (
	"maps"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// resultPage says what came of writing a step: what holds, what deviates and by
// what, what failed and what can be done about it.
type resultPage struct {
	*App
	scroll scroll
	fate   engine.Status // of the run that was to be confirmed; "": not known yet
}

func (p *resultPage) Busy() bool       { return p.awaited != nil && p.awaited.keeping }
func (p *resultPage) Refresh() tea.Cmd { return nil }
func (p *resultPage) Enter() tea.Cmd   { return p.watch() }

func (p *resultPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		return stay, p.watch()
	case fated:
		p.fated(msg)
		if p.awaited == nil {
			p.fate = msg.status
		}
	case broken:
		if p.awaited != nil {
			p.awaited.broke(msg.err)
		}
	}
	return stay, nil
}

// lapsed reports whether the run was taken back, or was to be.
func (p *resultPage) lapsed() bool {
	return p.fate == engine.StatusUndone || p.fate == engine.StatusFailed
}

func (p *resultPage) Keys() []binding {
	log := binding{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}
	switch {
	case p.Busy():
		return []binding{log}
	case p.outcome.err != nil:
		bs := []binding{{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: goes(back)}}
		if p.outcome.drill != nil { // its table stands below the rest
			bs = append(p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) }), bs...)
		}
		if len(p.begun) > 0 {
			bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo", "撤销"), must: true, do: p.askUndo})
		}
		bs = append(bs, log, binding{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), rare: p.width < 100, do: goes(skip)})
		if p.shell != nil {
			bs = append(bs, binding{keys: []string{"!"}, desc: lang.T("open a shell", "打开 shell"), rare: p.width < 100, do: p.openShell})
		}
		return append(bs, binding{keys: []string{"q"}, desc: lang.T("leave", "离开"), do: p.askLeave})
	case p.awaited != nil:
		bs := []binding{p.keepKey()}
		if p.left() <= 0 {
			bs = nil
		}
		return append(bs, binding{keys: []string{"u"}, desc: lang.T("undo now", "立即撤销"), do: p.askUndo}, log,
			binding{keys: []string{"q"}, desc: lang.T("leave", "离开"), do: p.askLeave})
	}
	bs := p.scrollKeys(&p.scroll, func(w int) int { return len(p.body(w)) })
	if p.lapsed() {
		bs = append(bs, binding{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: goes(back)})
	}
	bs = append(bs, binding{keys: []string{"enter"}, desc: lang.T("go on", "继续"), must: true, do: goes(next)}, log)
	if len(p.runs) > 0 {
		bs = append(bs, binding{keys: []string{"u"}, desc: lang.T("undo", "撤销"), do: p.askUndo})
	}
	return bs
}

// askUndo offers to put back everything this wizard has written.
func (a *App) askUndo() (nav, tea.Cmd) {
	return a.ask(&confirmOverlay{
		title: lang.F("Undo what was written to %s?", "撤销对 %s 的全部写入？", a.hostname()),
		text: []lang.Text{
			lang.T("Newest first, each exactly as it was.", "从最近的开始，逐项恢复原状。"),
			lang.T("What somebody changed since is left alone and listed.", "此后被他人改过的内容保持不动并列出。"),
		},
		yes: lang.T("undo", "撤销"), danger: true, do: goes(undo),
	})
}

func (p *resultPage) View(w, h int) string {
	title := p.s(p.step().Title())
	o := p.outcome
	var state, right string
	switch {
	case o.stopped && o.begun:
		state = p.say("stopped", "已停止")
	case o.stopped:
		state = p.say("stopped, nothing was changed", "已停止，未做任何改动")
	case o.err != nil && o.run == 0:
		state = p.say("nothing written", "尚未写入")
	case o.err != nil && !o.begun:
		state = p.say("nothing was changed", "未做任何改动")
	case o.err != nil:
		state = p.say("not written completely", "未能全部写入")
	case p.fate == engine.StatusUndone:
		state = p.say("not confirmed in time: taken back", "未及时确认：已撤回")
	case p.fate == engine.StatusFailed:
		state = p.say("not confirmed in time, not all taken back", "未及时确认，未能全部撤回")
	case p.awaited != nil && p.left() <= 0:
		state = p.say("not confirmed in time", "未及时确认")
	case p.awaited != nil:
		state = p.say("written, waits for you", "已写入，等待确认")
		right = clock(p.left())
	case len(o.result.Deviations) > 0:
		state = p.say("written, not all as asked", "已写入，部分与要求不同")
	case o.result.Applied == 0 && len(o.proved) > 0:
		state = p.say("proved", "已验证")
	default:
		state = p.say("written and read back", "已写入并回读核对")
	}
	if right == "" {
		right = clock(o.took)
	}
	return p.pane(w, h, p.head(w, title, state, right), p.body(w-2), p.scroll, -1)
}

func (p *resultPage) body(w int) []string {
	o := p.outcome
	var out []string
	if o.err != nil {
		return append(append(p.errorLines(o.err, w), p.failureLines(w)...), p.drilled(o, w)...)
	}
	switch {
	case p.fate == engine.StatusUndone:
		return p.marked(p.theme.Warn.Render(p.theme.Note), lang.F("Run %s was not confirmed in time, and the machine has taken it back.", "运行 %s 未及时确认，已自动撤回。", o.run), w)
	case p.lapsed():
		return append(out, p.errorLines(p.tally.failures[p.place.step].err, w)...)
	}
	out = append(out, p.awaitLines(w)...)
	if p.awaited != nil && p.left() <= 0 {
		return out
	}
	return append(append(out, p.heldLines(o, w)...), p.drilled(o, w)...)
}

// drilled is what the drill of a step has shown.
func (a *App) drilled(o outcome, w int) []string {
	if o.drill == nil {
		return nil
	}
	if a.theme.Tier == Line {
		var out []string
		for _, n := range slices.Sorted(maps.Keys(o.drill.rows)) {
			out = append(out, a.s(a.rowText(o.drill.rows[n])))
		}
		return out
	}
	rows, _ := a.drillTable(o.drill, w, true)
	return append([]string{""}, rows...)
}

// heldLines say what holds of a step that ended well, and what deviates.
func (a *App) heldLines(o outcome, w int) []string {
	var out []string
	para := func(mark string, t lang.Text) { out = append(out, a.marked(mark, t, w)...) }
	good, warn := a.theme.Good.Render(a.theme.Done), a.theme.Warn.Render(a.theme.Note)
	if o.result.Applied == 0 && len(o.proved) == 0 {
		para(good, lang.T("nothing was left to change", "没有余下的改动"))
	}
	applied := o.result.Applied
	if o.plan != nil && o.plan.Changes() > 0 {
		applied = min(applied, o.plan.Changes()) // a service that a change stops is started by the next, which changes nothing
	}
	asAsked := applied - len(o.result.Deviations)
	if asAsked == 1 {
		para(good, lang.T("1 change holds as asked", "1 项改动已按要求生效"))
	} else if asAsked > 1 {
		para(good, lang.F("%d changes hold as asked", "%d 项改动已按要求生效", asAsked))
	}
	for _, t := range o.proved {
		para(good, t)
	}
	if n := len(o.result.Deviations); n > 0 {
		out = append(out, "")
		for _, d := range o.result.Deviations {
			para(warn, lang.F("%s: %s", "%s：%s", a.onText(d.On, d.Target), outcomeText(d.Outcome)))
		}
		out = append(out, "")
		para(" ", lang.F("These are recorded; %s compares with what is in force.", "以上已记录在案；%s 将以实际生效的值为准。", a.goxin("check")))
	}
	return out
}

// failureLines say what stands and what can be done.
func (p *resultPage) failureLines(w int) []string {
	o := p.outcome
	label := func(en, zh string) string { return p.theme.Dim.Render(pad(p.say(en, zh), 11)) }
	add := func(out []string, l, text string) []string {
		for i, t := range wrap(text, w-11) {
			if i > 0 {
				l = pad("", 11)
			}
			out = append(out, l+t)
		}
		return out
	}
	var out []string
	var stand []string
	switch n := o.result.Applied; {
	case n == 1:
		stand = append(stand, p.say("1 change of this step", "本步骤的 1 项改动"))
	case n > 1:
		stand = append(stand, p.say("%d changes of this step", "本步骤的 %d 项改动", n))
	}
	for i, s := range p.steps {
		if p.App.progress[i] == done {
			stand = append(stand, p.s(s.Title()))
		}
	}
	stands := strings.Join(stand, p.say(", ", "、"))
	if stands == "" {
		stands = p.say("nothing", "无")
	}
	out = append(out, "")
	out = add(out, label("Stands", "仍然有效"), stands)
	undone := p.say("nothing is undone unless you ask for it", "除非您要求，否则不会撤销")
	if d := p.heldConfirm(); d > 0 {
		undone = p.say("all of run %s by itself, %d s after you leave, unless it is confirmed", "若离开后 %[2]d 秒内未确认，将自动撤销运行 %[1]s 的全部改动", o.run, int(d.Seconds()))
	}
	switch {
	case len(p.runs) == 0:
		undone = p.say("nothing was written, nothing to undo", "尚未写入，无需撤销")
	case len(p.begun) == 0:
		undone = p.say("nothing was changed, nothing to undo", "未做任何改动，无需撤销")
	case !o.begun && !p.begun[p.place.step]:
		undone = p.say("this step changed nothing; ", "本步骤未做改动；") + undone
	}
	out = add(out, label("Undone", "已撤销"), undone)
	out = append(out, "")
	menu := [][2]string{{"r", p.say("plan again and look at what is left", "重新制定计划，查看余下的改动")}}
	if len(p.begun) > 0 {
		menu = append(menu, [2]string{"u", p.say("undo the whole run", "撤销整次运行")})
	}
	menu = append(menu, [2]string{"s", p.say("skip this step, go on with the next", "跳过此步骤，继续下一步")})
	if p.shell != nil {
		menu = append(menu, [2]string{"!", p.say("open a shell and look; exit comes back here", "打开 shell 查看；exit 返回此处")})
	}
	menu = append(menu, [2]string{"l", p.say("log (%d entries)", "日志（%d 条）", len(p.log))})
	for _, m := range menu {
		out = append(out, "  "+p.theme.Key.Render(m[0])+"  "+m[1])
	}
	return out
}
