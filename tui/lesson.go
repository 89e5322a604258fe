package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// teach stands before a commit in lesson mode: what is about to happen, why, what
// could go wrong, and the commands by hand. Then write goes on.
func (p *diffPage) teach(write func() (nav, tea.Cmd)) (nav, tea.Cmd) {
	o := &lessonOverlay{textOverlay: textOverlay{App: p.App, title: lang.T("Lesson", "讲解"), state: p.step().Title()}, write: write}
	o.body = p.lessonLines
	return p.push(o)
}

// lessonOverlay is a text that ends in going on.
type lessonOverlay struct {
	textOverlay
	write func() (nav, tea.Cmd)
}

func (o *lessonOverlay) Keys() []binding {
	return append(o.scrollKeys(&o.scroll, func(w int) int { return len(o.body(w)) }),
		binding{keys: []string{"enter", "w"}, desc: lang.T("go on to writing", "继续写入"), must: true, do: func() (nav, tea.Cmd) {
			o.pop()
			return o.write()
		}},
		binding{keys: []string{"esc", "q"}, desc: lang.T("back", "返回"), must: true, do: func() (nav, tea.Cmd) {
			o.pop()
			return stay, nil
		}})
}

func (p *diffPage) lessonLines(w int) []string {
	w = min(w, 100)
	var out []string
	chapter := func(en, zh string) {
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, p.theme.Title.Render(p.say(en, zh)))
	}
	changing := func(yield func(engine.Planned) bool) {
		for _, it := range p.plan.Items {
			if it.Diff.Action != engine.None && it.Unknown == "" && !yield(it) {
				return
			}
		}
	}

	chapter("What is about to happen", "将要发生什么")
	for it := range changing {
		out = append(out, p.marked(p.actionMark(it.Diff.Action), lang.F("%s %s", "%s %s", verb(it.Diff.Action), p.onText(it.On, clean(it.Target))), w)...)
	}

	chapter("Why", "为什么")
	said := make(map[lang.Text]bool) // sixty parameters may share a reason
	for it := range changing {
		if it.Why.Empty() || said[it.Why] {
			continue
		}
		said[it.Why] = true
		out = append(out, p.marked(p.bullet(), lang.F("%s: %s", "%s：%s", clean(it.Target), it.Why), w)...)
	}

	chapter("What could go wrong", "可能出什么问题")
	for _, n := range p.plan.Notes {
		if n.Warn {
			out = append(out, p.marked(p.theme.Warn.Render(p.theme.Note), n.Text, w)...)
		}
	}
	if t := forGood(p.plan.Items); !t.Empty() {
		out = append(out, p.marked(p.theme.Warn.Render(p.theme.Note), t, w)...)
	} else {
		out = append(out, p.marked(p.bullet(), lang.T("Each change is read back once it is written. One that fails stops the step: you choose between trying again, going on without it, and undoing everything.",
			"每项改动写入后都会回读核对。任何一项失败都会停下，由您选择重试、跳过或全部撤销。"), w)...)
		out = append(out, p.marked(p.bullet(), lang.T("All of it can be undone: what was there before is kept before anything is touched.", "全部可以撤销：改动之前会先保存原有内容。"), w)...)
	}
	out = append(out, p.marked(p.bullet(), lang.T("If the power fails half-way, the next start offers to finish or to undo.", "若中途断电，下次启动会提示继续完成或撤销。"), w)...)

	chapter("By hand it would be", "手工操作的命令")
	for it := range changing {
		out = append(out, p.commands(it, w)...)
	}
	return out
}

func verb(a engine.Action) lang.Text {
	switch a {
	case engine.Create:
		return lang.T("make", "创建")
	case engine.Delete:
		return lang.T("remove", "删除")
	}
	return lang.T("change", "修改")
}
