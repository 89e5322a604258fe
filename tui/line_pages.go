package tui

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Pages that have a text of their own in line mode; all others are read as they
// draw themselves.

// pageText is the text of a page that has one of its own; nil: its View.
func (d *liner) pageText() []string {
	if p, ok := d.page.(interface{ atHand() *questionnaire }); ok {
		if q := p.atHand(); q != nil {
			return d.questionText(q)
		}
	}
	switch p := d.page.(type) {
	case *diffPage:
		if p.plan != nil && p.err == nil {
			return d.diffText(p)
		}
	case *machinePage:
		if p.looked && p.err == nil { // no header says which machine it is
			ls := viewLines(p.View(lineWidth, lineHeight))
			ls[0] = d.lineHead(d.say("This machine", "本机"), d.raw(strings.ReplaceAll(d.header(d.facts()).In(d.lang), " · ", d.theme.Dot)), "")
			return ls
		}
	}
	return nil
}

// lineChange is one entry of a plan as it is numbered: a change, or neighbours
// of one table.
type lineChange struct {
	title string
	items []engine.Planned
}

// changes are the entries of a plan, and how many things are as wanted already.
func (p *diffPage) changes() (out []lineChange, same int) {
	all := p.plan.Changes() == 0
	items := p.plan.Items
	for i := 0; i < len(items); {
		it := items[i]
		if hidden(it, all) {
			same++
			i++
			continue
		}
		if it.Diff.Table.Empty() {
			out = append(out, lineChange{p.changeTitle(it), items[i : i+1]})
			i++
			continue
		}
		var group []engine.Planned
		for ; i < len(items) && items[i].Diff.Table == it.Diff.Table && items[i].On == it.On; i++ {
			if hidden(items[i], all) {
				same++
				continue
			}
			group = append(group, items[i])
		}
		out = append(out, lineChange{p.groupTitle(it.Diff.Table, group), group})
	}
	return out, same
}

// hidden reports whether there is nothing to say of it.
func hidden(it engine.Planned, all bool) bool {
	return it.Unknown == "" && it.Diff.Action == engine.None && !all && noted(it.Diff).Empty()
}

func (p *diffPage) changeTitle(it engine.Planned) string {
	target := p.onOf(it.On, cut(p.raw(it.Target), 2*lineWidth, p.theme.Ellipsis))
	if it.Unknown != "" {
		return p.say("%s, known after %s", "%s，待 %s 完成后确定", target, p.stepTitle(it.Unknown))
	}
	what := it.Diff.Note
	if what.Empty() {
		what = actionText(it.Diff.Action)
	} else if it.Diff.Action == engine.CannotUndo {
		what = lang.F("%s, %s", "%s，%s", what, actionText(it.Diff.Action))
	}
	return p.say("%s: %s", "%s：%s", target, what)
}

func (p *diffPage) groupTitle(title lang.Text, group []engine.Planned) string {
	values, kept := 0, 0
	for _, it := range group {
		for _, r := range it.Diff.Rows {
			if r.Action == engine.None {
				kept++
			} else {
				values++
			}
		}
	}
	s := p.onOf(group[0].On, p.s(title))
	switch values {
	case 0:
		return s + p.say(": %d kept", "：保留 %d 项", kept)
	case 1:
		s += p.say(": 1 value", "：1 项")
	default:
		s += p.say(": %d values", "：%d 项", values)
	}
	if kept > 0 {
		s += p.say(", %d kept", "，保留 %d 项", kept)
	}
	return s
}

// actionText is an action as a word.
func actionText(a engine.Action) lang.Text {
	switch a {
	case engine.Create:
		return lang.T("new", "新建")
	case engine.Update:
		return lang.T("changed", "修改")
	case engine.Delete:
		return lang.T("removed", "移除")
	case engine.CannotUndo:
		return lang.T("cannot be undone", "无法撤销")
	}
	return lang.T("already as wanted", "已符合要求")
}

// diffText is the plan: how it stands, what is warned of, its changes with their
// numbers, and what else there is to know.
func (d *liner) diffText(p *diffPage) []string {
	written := d.say("Nothing is written yet.", "尚未写入任何内容。")
	switch {
	case p.App.progress[p.place.step] == failed && p.begun[p.place.step]:
		written = d.say("Part of it is written.", "部分已写入。")
	case p.plan.Changes() == 0:
		written = ""
	}
	out := []string{d.stationOf(d.s(p.step().Title())) + d.say(". ", "。") + upper(p.state()) + d.say(". ", "。") + written}
	for _, n := range p.plan.Notes {
		if n.Warn {
			out = append(out, d.say("Warning: %s", "警告：%s", n.Text))
		}
	}
	cs, same := p.changes()
	for i, c := range cs {
		l := fmt.Sprintf("%d. %s", i+1, c.title)
		if i == 0 {
			l += d.say(". Type 1 to read it.", "。输入 1 阅读。")
		}
		out = append(out, l)
	}
	if same > 0 {
		out = append(out, d.say("%d more already as wanted.", "另有 %d 项已符合要求。", same))
	}
	for _, n := range p.plan.Notes {
		if !n.Warn {
			out = append(out, d.say("Note: %s", "说明：%s", n.Text))
		}
	}
	return out
}

// readingKeys are for the prompt: the numbers there are.
func (d *liner) readingKeys(p *diffPage) []string {
	switch cs, _ := p.changes(); len(cs) {
	case 0:
		return nil
	case 1:
		return []string{d.say("1 to read the change", "1 阅读改动")}
	default:
		return []string{d.say("1 to %d to read a change", "1 至 %d 阅读一项改动", len(cs))}
	}
}

func (d *liner) diffHelp(p *diffPage) []helped {
	if p.plan == nil {
		return nil
	}
	cs, _ := p.changes()
	var out []helped
	for i, c := range cs {
		out = append(out, helped{strconv.Itoa(i + 1), lang.Same(c.title)})
	}
	if len(cs) > 0 {
		out = append(out, helped{"?", lang.T("the reason of each change", "每项改动的原因")})
	}
	return out
}

// answerDiff reads a change, or the reasons of all.
func (d *liner) answerDiff(p *diffPage, s string) bool {
	if p.plan == nil || p.err != nil {
		return false
	}
	cs, _ := p.changes()
	if s == "?" && len(cs) > 0 {
		d.put(d.reasons(cs)...)
		return true
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return false
	}
	if n < 1 || n > len(cs) {
		d.put(d.say("There is no change %d.", "没有第 %d 项改动。", n))
		return true
	}
	d.put(d.changeText(p, n, cs[n-1])...)
	return true
}

// changeText is a change in full.
func (d *liner) changeText(p *diffPage, n int, c lineChange) []string {
	out := []string{"", fmt.Sprintf("%d. %s", n, c.title)}
	whys := make(map[string]bool)
	var reasons []string
	for _, it := range c.items {
		for _, r := range it.Diff.Rows {
			if r.Note.Empty() && !it.Diff.Table.Empty() {
				r.Note = it.Diff.Note
			}
			out = append(out, d.valueLine(r))
		}
		for i, h := range it.Diff.Hunks {
			if i > 0 {
				out = append(out, d.say("Further down:", "后文："))
			}
			out = append(out, d.hunkText(h)...)
		}
		if why := d.s(it.Why); why != "" && !whys[why] {
			whys[why] = true
			reasons = append(reasons, d.say("Why: %s", "原因：%s", why))
		}
	}
	return append(out, reasons...)
}

// valueLine is what comes of a value, in words.
func (d *liner) valueLine(r engine.Row) string {
	name, now, then := d.raw(r.Name), d.value(r.Now), d.value(r.Then)
	var s string
	switch {
	case r.Action == engine.None:
		s = d.say("%s stays %s", "%s 保持 %s", name, cmp.Or(now, then))
	case now != "" && then != "":
		s = d.say("%s: now %s, then %s", "%s：现在 %s，之后 %s", name, now, then)
	default:
		s = d.say("%s: %s %s", "%s：%s %s", name, actionText(r.Action), now+then)
	}
	s = strings.TrimRight(s, " ")
	if !r.Note.Empty() {
		s += d.say(", ", "，") + d.s(r.Note)
	}
	return "  " + s
}

// hunkText is lines of a file, each with what becomes of it; where that is the
// same for all, it is said once.
func (d *liner) hunkText(h engine.Hunk) []string {
	word := func(a engine.Action) string {
		switch a {
		case engine.Create:
			return d.say("added", "新增")
		case engine.Delete:
			return d.say("removed", "删除")
		}
		return d.say("as it is", "不变")
	}
	alike := true
	for _, l := range h.Lines {
		alike = alike && l.Action == h.Lines[0].Action
	}
	var out []string
	if alike && len(h.Lines) > 0 {
		out = append(out, d.say("Lines %s:", "以下各行%s：", word(h.Lines[0].Action)))
	}
	for _, l := range h.Lines {
		n := l.New
		if n == 0 {
			n = l.Old
		}
		s := strings.TrimRight(d.raw(l.Text), " ")
		if !alike {
			s = d.say("%s, line %d: ", "%[1]s，第 %[2]d 行：", word(l.Action), n) + s
		} else if n > 0 {
			s = strconv.Itoa(n) + d.say(": ", "：") + s
		}
		out = append(out, "  "+s)
	}
	return out
}

// reasons are why each change is there.
func (d *liner) reasons(cs []lineChange) []string {
	out := []string{"", d.say("Reasons:", "原因：")}
	for i, c := range cs {
		for _, it := range c.items {
			why := d.s(it.Why)
			if why == "" {
				why = d.say("no reason is given", "未给出原因")
			}
			out = append(out, fmt.Sprintf("%d. %s", i+1, d.on(it.On, cut(d.raw(it.Target), lineWidth, "...")))+d.say(": ", "：")+why)
		}
	}
	return out
}
