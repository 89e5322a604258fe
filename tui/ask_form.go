package tui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"
)

// whyLines is the most room below the form for the reasons of what is asked.
const whyLines = 4

// whyRoom is the room they take for the question at hand: the most that any of
// its options needs, so that the form does not move with the cursor.
func (p *askPage) whyRoom(w int) int {
	if p.refused {
		return min(len(wrap(p.refusal(), w-4)), whyLines)
	}
	q := p.questions[p.index()]
	help, why := 0, 0
	for _, o := range q.Options {
		if !o.Help.Empty() {
			help = max(help, len(wrap(p.s(o.Help), w-4)))
		}
	}
	if !q.Why.Empty() {
		why = len(wrap(p.s(q.Why), w-4))
	}
	return min(help+why, whyLines)
}

func (p *askPage) formSize() (w, h int) {
	w, h = p.bodySize()
	w, h = min(w-2, 100), h-2
	if room := p.whyRoom(w); h >= 12 && room > 0 {
		h -= room + 3
	}
	return w, h
}

func (p *askPage) build() {
	w, _ := p.formSize()
	p.focus = p.questions[p.index()].Key
	var fs []huh.Field
	for _, q := range p.questions {
		f := p.fields[q.Key]
		if f == nil {
			f = newField(q, p.answers[p.step().ID()][q.Key])
			p.fields[q.Key] = f
		}
		f.ask(q)
		fs = append(fs, f.huh(p.App, w, q.Key == p.focus))
	}
	p.form = huh.NewForm(huh.NewGroup(fs...)).WithTheme(p.theme.formTheme()).WithKeyMap(formKeys()).
		WithShowHelp(false).WithShowErrors(false).WithWidth(w)
	p.form.Init() // its commands ask for the size and make the cursor blink
	for range p.index() {
		p.form.NextField()
	}
}

// formLines are the form as far as h lines go. huh would show the field at hand
// from its title on; a list that is longer than that is followed to its cursor.
func (p *askPage) formLines(h int) []string {
	all := strings.Split(p.form.View(), "\n")
	for len(all) > 0 && strings.Trim(all[len(all)-1], " ") == "" {
		all = all[:len(all)-1]
	}
	if len(all) <= h {
		return all
	}
	top := 0
	for _, q := range p.questions[:p.index()] {
		top += lipgloss.Height(p.fields[q.Key].widget.View()) + 1
	}
	f := p.fields[p.focus]
	at := top + lipgloss.Height(f.widget.View()) - 1
	if n, i := f.cursor(); n > 0 {
		at += i + 1 - n
	}
	sc := scroll{top: top}
	sc.show(at, h-1) // the last line says what is hidden
	sc.clamp(len(all), h)
	out := slices.Clone(all[sc.top : sc.top+h])
	if hidden := len(all) - sc.top - h; hidden > 0 {
		out[h-1] = p.theme.Dim.Render(p.say("↓ %d more lines", "↓ 还有 %d 行", hidden+1))
	}
	return out
}

func (p *askPage) View(w, h int) string {
	title := p.s(p.step().Title())
	switch {
	case p.err != nil:
		return p.pane(w, h, p.head(w, title, "", ""), p.errorLines(p.err, w-2), scroll{}, -1)
	case p.form == nil:
		return p.lookingView(w, h, p.say("looking, nothing is changed", "正在了解现状，不做任何改动"), p.say("looking", "正在了解"), &p.look)
	}
	fw, fh := p.formSize()
	form := p.formLines(fh)
	right := ""
	if p.savedTo != "" {
		right = p.say("answers saved", "应答已保存")
	}
	if p.saveErr != nil {
		right = p.say("answers not saved", "应答未能保存")
	}
	if h-2 > fh {
		for len(form) > 0 && strings.Trim(form[len(form)-1], " ") == "" {
			form = form[:len(form)-1] // the box follows what is asked, not the bottom of the screen
		}
		form = append(append(form, ""), p.whyBox(fw)...)
	} else if p.refused && len(form) > 0 {
		form[len(form)-1] = p.theme.Bad.Render(p.theme.Note + " " + p.refusal())
	}
	return p.pane(w, h, p.head(w, title, p.questionCount(), right), form, scroll{}, -1)
}

func (p *askPage) questionCount() string {
	if len(p.questions) == 1 {
		return ""
	}
	return p.say("question %d of %d", "第 %d 问，共 %d 问", p.index()+1, len(p.questions))
}

// refusal says what is wrong with the answer at hand.
func (p *askPage) refusal() string {
	if _, err := p.fields[p.focus].value(p.lang); err != nil {
		return p.raw(err.Error())
	}
	return ""
}

// whyBox says what is wrong with an answer, or else what the option under the
// cursor does and why the default is what it is.
func (p *askPage) whyBox(w int) []string {
	var ls []string
	title := p.say("why", "原因")
	q := p.questions[p.index()]
	if p.refused {
		title = p.say("not possible", "无法接受")
		ls = wrap(p.refusal(), w-4)
	} else {
		for _, o := range q.Options {
			if o.Value == p.fields[q.Key].hovered() && !o.Help.Empty() {
				ls = append(ls, wrap(p.s(o.Help), w-4)...)
			}
		}
		if !q.Why.Empty() {
			ls = append(ls, wrap(p.s(q.Why), w-4)...)
		}
	}
	if len(ls) > whyLines {
		ls = ls[:whyLines]
		ls[whyLines-1] = cut(ls[whyLines-1], w-8, "") + p.theme.Ellipsis
	}
	for len(ls) < p.whyRoom(w) {
		ls = append(ls, "")
	}
	return p.box(w, title, ls)
}
