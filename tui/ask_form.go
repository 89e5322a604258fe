package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// questionnaire is questions being answered: a huh form of one group, rebuilt
// whenever size, language, theme or the questions themselves change, for a huh
// form follows none of them. The answers live in fields, which outlive the form.
type questionnaire struct {
	*App
	given     engine.Values // what the fields begin with
	questions []engine.Question
	fields    map[string]*field
	form      *huh.Form // nil: nothing is asked yet
	focus     string    // key of the question at hand
	refused   bool      // its answer is not possible
	objection lang.Text // why, where the field itself cannot tell
	titles    bool      // options are shown by their titles alone: their values stand in no file
}

// pose asks qs from the first.
func (p *questionnaire) pose(qs []engine.Question, given engine.Values) {
	p.given, p.questions, p.fields, p.focus = given, qs, make(map[string]*field), ""
	p.build()
}

// put asks qs instead, which the answers so far have led to.
func (p *questionnaire) put(qs []engine.Question) {
	p.questions = qs
	for _, q := range qs {
		if p.fields[q.Key] == nil {
			p.fields[q.Key] = newField(q, p.given[q.Key])
		}
	}
}

// edit hands a key to the field at hand.
func (p *questionnaire) edit(msg tea.Msg) {
	if _, key := msg.(tea.KeyMsg); key && p.refused {
		p.refused, p.objection = false, lang.Text{}
		p.build()
	}
	p.form.Update(msg) // its commands only make the cursor blink
	p.fields[p.focus].follow()
}

// accept reports whether the answer at hand is one; else it says why not, or
// opens the line to write it on.
func (p *questionnaire) accept() bool {
	f := p.fields[p.focus]
	if f.picking() && f.text == elsewhere {
		f.typing = true
		p.turn(p.focus)
		return false
	}
	if _, err := f.value(p.lang); err != nil {
		p.refused = true
		p.build()
		return false
	}
	return true
}

func (p *questionnaire) turn(key string) {
	p.focus, p.refused, p.objection = key, false, lang.Text{}
	p.build()
}

// index is that of the question at hand.
func (p *questionnaire) index() int {
	for i, q := range p.questions {
		if q.Key == p.focus {
			return i
		}
	}
	return 0
}

// answered are the answers so far: what is in the fields over what was given.
func (p *questionnaire) answered() engine.Values {
	v := copyValues(p.given)
	for _, q := range p.questions {
		f := p.fields[q.Key]
		if f == nil {
			continue
		}
		if got, err := f.value(p.lang); err == nil {
			if got == nil {
				delete(v, q.Key)
			} else {
				v[q.Key] = got
			}
		}
	}
	return v
}

// fieldKeys are what the field at hand understands; typing reports whether
// letters are part of its answer.
func (p *questionnaire) fieldKeys() (bs []binding, typing bool) {
	f := p.fields[p.focus]
	switch kind := p.questions[p.index()].Kind; {
	case kind == engine.Choice, f.picking():
		return []binding{{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")}}, false
	case kind == engine.Many:
		return []binding{
			{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")},
			{keys: []string{"space"}, desc: lang.T("mark", "勾选"), must: true},
		}, false
	case kind == engine.Confirm:
		return []binding{{keys: []string{"left", "right"}, show: p.theme.LeftRight, desc: lang.T("choose", "选择")}}, false
	}
	return nil, true
}

// whyLines is the most room below the form for the reasons of what is asked.
const whyLines = 4

// helpFrom is the room a form needs for its questions to explain themselves. Where
// there is less, the question and its options come first, and ? tells the rest.
const helpFrom = 12

// explain tells all there is to say of the question at hand.
func (p *questionnaire) explain() (nav, tea.Cmd) {
	q := p.questions[p.index()]
	return p.push(&textOverlay{App: p.App, title: lang.T("About the question", "问题说明"), body: func(w int) []string {
		w = min(w, 100)
		out := p.styled(p.theme.Title, wrap(p.s(q.Title), w))
		add := func(t lang.Text) {
			if !t.Empty() {
				out = append(out, wrap(p.s(t), w)...)
			}
		}
		add(q.Help)
		add(how(q.Kind, cleared()))
		if !q.Why.Empty() {
			out = append(out, "")
			add(q.Why)
		}
		for _, o := range q.Options {
			title := p.s(o.Title)
			if title == "" || !p.titles && q.Kind != engine.Text {
				title = p.join(o.Value, title)
			}
			out = append(out, "")
			out = append(out, p.styled(p.theme.Title, wrap(title, w))...)
			add(o.Help)
		}
		return out
	}})
}

func (a *App) styled(s lipgloss.Style, lines []string) []string {
	for i := range lines {
		lines[i] = s.Render(lines[i])
	}
	return lines
}

// explainKey is ?, which is a letter where one types.
func (p *questionnaire) explainKey() binding {
	b := binding{keys: []string{"?", "f3"}, desc: lang.T("explain", "说明"), rare: p.width < 60, do: p.explain}
	if _, typing := p.fieldKeys(); typing {
		b.keys = b.keys[1:]
		b.show, b.rare = "F3", true
	}
	return b
}

// whyRoom is the room they take for the question at hand: the most that any of
// its options needs, so that the form does not move with the cursor.
func (p *questionnaire) whyRoom(w int) int {
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

func (p *questionnaire) formSize() (w, h int) {
	w, h = p.bodySize()
	w, h = min(w-2, 100), h-2
	if room := p.whyRoom(w); h >= 12 && room > 0 {
		h -= room + 3
	}
	return w, h
}

func (p *questionnaire) build() {
	w, h := p.formSize()
	p.focus = p.questions[p.index()].Key
	var fs []huh.Field
	for _, q := range p.questions {
		f := p.fields[q.Key]
		if f == nil {
			f = newField(q, p.given[q.Key])
			p.fields[q.Key] = f
		}
		f.ask(q)
		fs = append(fs, f.huh(p.App, w, q.Key == p.focus && h >= helpFrom, p.titles))
	}
	p.form = huh.NewForm(huh.NewGroup(fs...)).WithTheme(p.theme.formTheme()).WithKeyMap(formKeys()).
		WithShowHelp(false).WithShowErrors(false).WithWidth(w)
	p.form.Init() // its commands ask for the size and make the cursor blink
	for range p.index() {
		p.form.NextField()
	}
}

// formLines are the form as far as h lines go: the field at hand from its title
// on; a list that is longer than that is followed to its cursor. huh's own view of
// the form counts no line that it breaks, and so hides as many at its top.
func (p *questionnaire) formLines(h int) []string {
	w, _ := p.formSize()
	var all []string
	top := 0
	for i, q := range p.questions {
		if i > 0 {
			all = append(all, "")
		}
		if q.Key == p.focus {
			top = len(all)
		}
		for _, l := range strings.Split(p.fields[q.Key].widget.View(), "\n") {
			all = append(all, cut(l, w, "")) // its border makes it wider than the form
		}
	}
	for len(all) > 0 && strings.Trim(all[len(all)-1], " ") == "" {
		all = all[:len(all)-1]
	}
	if len(all) <= h {
		return all
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

// asking draws the form under a title, and the reasons of what is asked below it.
func (p *questionnaire) asking(w, h int, title string) string {
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

func (p *questionnaire) questionCount() string {
	if len(p.questions) == 1 {
		return ""
	}
	return p.say("question %d of %d", "第 %d 问，共 %d 问", p.index()+1, len(p.questions))
}

// refusal says what is wrong with the answer at hand.
func (p *questionnaire) refusal() string {
	if !p.objection.Empty() {
		return p.s(p.objection)
	}
	if _, err := p.fields[p.focus].value(p.lang); err != nil {
		return p.raw(err.Error())
	}
	return ""
}

// whyBox says what is wrong with an answer, or else what the option under the
// cursor does and why the default is what it is.
func (p *questionnaire) whyBox(w int) []string {
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
		more := " (?)"
		if _, typing := p.fieldKeys(); typing {
			more = " (F3)"
		}
		ls[whyLines-1] = cut(ls[whyLines-1], w-12, "") + p.theme.Ellipsis + more
	}
	for len(ls) < p.whyRoom(w) {
		ls = append(ls, "")
	}
	return p.box(w, title, ls)
}
