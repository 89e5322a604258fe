package tui

import (
	"fmt"
	"strings"
	"time"

	"goxin/steps/engine"
)

func (p *writePage) View(w, h int) (view string) {
	if p.drilling && p.drill != nil {
		state := p.drillState(p.drill)
		if p.stopped {
			state = p.say("stopping, everything is put back", "正在停止并恢复原状")
		}
		return p.pane(w, h, p.head(w, p.say("Failover drill", "故障切换演练"), state, clock(p.now().Sub(p.began))), p.drillBody(p.drill, w-2, h-2), scroll{}, -1)
	}
	body, at := p.body(w - 2)
	tail := p.journalBox(&p.journal, min(w-2, 100), min(12, h-2-len(body)-1))
	if len(body) > h/2 && len(p.journal.lines) > 0 { // it keeps some room beside many changes
		tail = p.journalBox(&p.journal, min(w-2, 100), min(7, h/3))
	}
	var sc scroll
	if len(tail) > 0 {
		h -= len(tail) + 1
		defer func() { view = p.under(view, h, tail) }()
	}
	sc.show(at, paneRoom(len(body), h))
	return p.pane(w, h, p.head(w, p.s(p.step().Title()), p.state(), clock(p.now().Sub(p.began))), body, sc, -1)
}

// under sets a box under a page that is to be h lines high.
func (p *writePage) under(view string, h int, box []string) string {
	rows := strings.Split(view, "\n")
	for len(rows) < h {
		rows = append(rows, "")
	}
	rows = append(rows[:h], "")
	for _, l := range box {
		rows = append(rows, " "+l)
	}
	return strings.Join(rows, "\n")
}

func (p *writePage) state() string {
	n := 0
	for _, i := range p.items {
		if i.state != open {
			n++
		}
	}
	trying := len(p.trials) > 0 && !p.trials[len(p.trials)-1].done
	switch {
	case p.outcome.plan.Changes() == 0:
		return p.say("trying it out, nothing is changed", "正在验证，不做任何改动")
	case p.stopped:
		return p.say("stopping after the operation under way", "当前操作结束后停止")
	case trying && n == 0:
		return p.say("trying it out, nothing is changed yet", "先行验证，尚未改动")
	case trying:
		return p.say("written, now proving it", "已写入，正在验证")
	}
	return p.say("writing, %d of %d", "正在写入，%d / %d", n, len(p.items))
}

// body lists what is tried first, what is changed, and what is proved then; at
// is the last line of it that has begun.
func (p *writePage) body(w int) (out []string, at int) {
	trials := func(first bool) {
		for _, t := range p.trials {
			if t.first == first {
				out = append(out, p.trialLine(t, w))
				at = len(out) - 1
			}
		}
	}
	trials(true)
	for _, i := range p.items {
		out = append(out, p.itemLine(i, w))
		if i.doing {
			out = append(out, p.outputLine(w)...)
		}
		if i.doing || i.state != open {
			at = len(out) - 1
		}
	}
	trials(false)
	return out, at
}

// Nothing that is quick shows a clock, and what is silent for quietFor says so:
// a package manager may wait minutes for a lock without a word.
const (
	slowFrom = 2 * time.Second
	quietFor = 10 * time.Second
)

func (p *writePage) elapsed(since time.Time) string {
	d := p.now().Sub(since)
	if d < slowFrom {
		return ""
	}
	return clock(d)
}

func (p *writePage) trialLine(t trial, w int) string {
	if t.done {
		return p.theme.Good.Render(p.theme.Done) + " " + cut(p.raw(t.text.In(p.lang)), w-2, p.theme.Ellipsis)
	}
	return p.theme.Accent.Render(p.theme.Here) + " " + between(p.raw(t.text.In(p.lang)), p.theme.Dim.Render(p.elapsed(t.began)), w-2, p.theme.Ellipsis)
}

// outputLine is the last line of the program at work, and for how long there was
// none.
func (p *writePage) outputLine(w int) []string {
	silent := ""
	if d := p.now().Sub(p.heard); d >= quietFor {
		silent = p.say("silent for %s", "已 %s 无输出", clock(d))
	}
	if a := p.amount; a != nil && a.Total > 0 {
		return []string{"  " + p.theme.Dim.Render(p.theme.Side) + " " + p.amountLine(*a, silent, w-4)}
	}
	if p.output.Empty() && silent == "" {
		return nil
	}
	return []string{p.theme.Dim.Render("  " + p.theme.Side + " " + between(p.raw(p.output.In(p.lang)), silent, w-4, p.theme.Ellipsis))}
}

// amountLine is a bar, how much of how much, how fast, and how long the rest takes:
// the bar gives way where there is no room.
func (p *writePage) amountLine(a engine.Amount, silent string, w int) string {
	const least, most = 8, 32
	said := p.say("%s of %s", "%s / %s", fmt.Sprintf("%.1f", float64(a.Done)/1e6), fmt.Sprintf("%.1f MB", float64(a.Total)/1e6))
	rate, rest := "", ""
	if a.Rate > 0 {
		rate = fmt.Sprintf("%.1f MB/s", a.Rate/1e6)
	}
	if d, ok := a.Rest(); ok {
		rest = p.say("%s left", "剩余 %s", clock(d))
	}
	if silent != "" {
		rate, rest = silent, "" // what was measured before it fell silent is no longer so
	}
	said = p.join(said, rate, rest)
	room := min(w-width(said)-2, most)
	if room < least {
		return cut(said, w, p.theme.Ellipsis)
	}
	full := int(int64(room) * min(a.Done, a.Total) / a.Total)
	return p.theme.Accent.Render(strings.Repeat(p.theme.Full, full)) + p.theme.Dim.Render(strings.Repeat(p.theme.Empty, room-full)) + "  " + said
}

func (p *writePage) itemLine(i written, w int) string {
	target := p.on(i.item.On, p.raw(i.item.Target))
	right := ""
	var mark string
	switch {
	case i.state == failed:
		mark, right = p.theme.Bad.Render(p.theme.Failed), p.say("failed", "失败")
	case i.outcome.Deviates():
		mark, right = p.theme.Warn.Render(p.theme.Note), p.s(outcomeText(i.outcome))
	case i.state == done:
		mark, right = p.theme.Good.Render(p.theme.Done), p.became(i.item)
	case i.doing:
		mark, right = p.theme.Accent.Render(p.theme.Here), p.elapsed(i.began)
	default:
		mark, target = p.theme.Dim.Render(p.theme.Open), p.theme.Dim.Render(target)
	}
	room := w - 2
	if width(right) > room/2 {
		right = cut(right, room/2, p.theme.Ellipsis)
	}
	return mark + " " + between(target, p.theme.Dim.Render(right), room, p.theme.Ellipsis)
}

// became is what a change that is done has come to: the new value, or a word.
func (a *App) became(it engine.Planned) string {
	if rows := it.Diff.Rows; len(rows) == 1 && rows[0].Then != "" {
		return a.value(rows[0].Then)
	}
	switch it.Diff.Action {
	case engine.Create:
		return a.say("made", "已创建")
	case engine.Delete:
		return a.say("removed", "已移除")
	}
	return a.say("changed", "已修改")
}
