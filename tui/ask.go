package tui

import (
	"context"
	"reflect"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/huh"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// askPage asks a step's questions: a huh form of one group, rebuilt whenever
// size, language, theme or the questions themselves change, for a huh form
// follows none of them. The answers live in fields, which outlive the form.
type askPage struct {
	*App
	survey engine.Survey
	ready  bool
	said   lang.Text
	err    error

	questions []engine.Question
	fields    map[string]*field
	form      *huh.Form
	focus     string // key of the question at hand
	refused   bool   // its answer is not possible
}

type surveyed struct {
	hosts  engine.Hosts
	survey engine.Survey
}

// lookAgain learns the facts anew where a step before may have changed them.
func (a *App) lookAgain() func(context.Context) (engine.Hosts, error) {
	s, hosts, moved := a.session, a.hosts, a.wrote
	return func(ctx context.Context) (engine.Hosts, error) {
		if !moved {
			return hosts, nil
		}
		return s.Detect(ctx)
	}
}

func (p *askPage) Enter() tea.Cmd {
	p.outcome = outcome{}
	s, step, v := p.session, p.step(), copyValues(p.answers[p.step().ID()])
	say, look := p.surveySay(), p.lookAgain()
	return p.job(func(ctx context.Context) (tea.Msg, error) {
		hosts, err := look(ctx)
		if err != nil {
			return nil, err
		}
		sv, err := s.Survey(ctx, step, v, say)
		return surveyed{hosts, sv}, err
	})
}

// surveySay passes on what a survey reports.
func (a *App) surveySay() func(engine.Progress) {
	f, id := a.feed, a.step().ID()
	return func(p engine.Progress) {
		f.notify(engine.Event{What: engine.Surveying, Step: id, Text: p.Text, Table: p.Table})
	}
}

func (p *askPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case surveyed:
		p.hosts, p.survey, p.ready = msg.hosts, msg.survey, true
		p.fields = make(map[string]*field)
		p.questions = p.current(p.values())
		if len(p.questions) == 0 {
			return next, nil
		}
		p.build()
		return stay, nil
	case broken:
		p.err = msg.err
		return stay, nil
	case engine.Event:
		if msg.What == engine.Surveying {
			p.said = msg.Text
		}
		return stay, nil
	}
	if p.form != nil {
		if _, key := msg.(tea.KeyMsg); key && p.refused {
			p.refused = false
			p.build()
		}
		p.form.Update(msg) // edits the field; its commands only make the cursor blink
	}
	return stay, nil
}

// advance takes the answer at hand over and goes to the next question, or on.
func (p *askPage) advance() (nav, tea.Cmd) {
	if _, err := p.fields[p.focus].value(p.lang); err != nil {
		p.refused = true
		p.build()
		return stay, nil
	}
	at := p.index()
	save := p.commit()
	if at+1 >= len(p.questions) {
		return next, save
	}
	p.turn(p.questions[at+1].Key)
	return stay, save
}

func (p *askPage) previous() (nav, tea.Cmd) {
	save := p.commit()
	if at := p.index(); at > 0 {
		p.turn(p.questions[at-1].Key)
	}
	return stay, save
}

func (p *askPage) turn(key string) {
	p.focus, p.refused = key, false
	p.build()
}

// index is that of the question at hand.
func (p *askPage) index() int {
	for i, q := range p.questions {
		if q.Key == p.focus {
			return i
		}
	}
	return 0
}

func (p *askPage) current(v engine.Values) []engine.Question {
	return p.step().Questions(p.hosts, p.survey, v)
}

// values are the answers so far: what is in the fields over what was given.
func (p *askPage) values() engine.Values {
	v := copyValues(p.answers[p.step().ID()])
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

// commit takes the answers over and saves them. They may lead to other
// questions.
func (p *askPage) commit() tea.Cmd {
	v := p.values()
	p.questions = p.current(v)
	for _, q := range p.questions {
		if p.fields[q.Key] == nil {
			p.fields[q.Key] = newField(q, v[q.Key])
		}
	}
	id := p.step().ID()
	if old, had := p.answers[id]; had && reflect.DeepEqual(old, v) {
		return nil
	}
	p.answers[id] = v
	return p.saveAnswers()
}

func (p *askPage) Refresh() tea.Cmd {
	if p.form != nil {
		p.build()
	}
	return nil
}

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
	w, h := p.formSize()
	p.focus = p.questions[p.index()].Key
	var fs []huh.Field
	for _, q := range p.questions {
		f := p.fields[q.Key]
		if f == nil {
			f = newField(q, p.answers[p.step().ID()][q.Key])
			p.fields[q.Key] = f
		}
		f.question = q
		fs = append(fs, f.huh(p.App, w, q.Key == p.focus))
	}
	p.form = huh.NewForm(huh.NewGroup(fs...)).WithTheme(p.theme.formTheme()).WithKeyMap(formKeys()).
		WithShowHelp(false).WithShowErrors(false).WithWidth(w).WithHeight(h)
	p.form.Init() // its commands ask for the size and make the cursor blink
	for range p.index() {
		p.form.NextField()
	}
}

func (p *askPage) Keys() []binding {
	esc := p.escKey()
	if p.err != nil {
		return []binding{{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: func() (nav, tea.Cmd) {
			p.err = nil
			return stay, p.Enter()
		}}, {keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog}, esc}
	}
	if p.form == nil {
		return []binding{esc}
	}
	var bs []binding
	enter := binding{keys: []string{"enter", "tab"}, desc: lang.T("next", "下一项"), must: true, do: p.advance}
	prev := binding{keys: []string{"shift+tab"}, desc: lang.T("previous", "上一项"), do: p.previous}
	switch p.questions[p.index()].Kind {
	case engine.Choice:
		bs = append(bs, binding{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")})
	case engine.Many:
		bs = append(bs, binding{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")},
			binding{keys: []string{"space"}, desc: lang.T("mark", "勾选"), must: true})
	case engine.Confirm:
		bs = append(bs, binding{keys: []string{"left", "right"}, show: p.theme.LeftRight, desc: lang.T("choose", "选择")})
	default:
		enter.keys, prev.keys = append(enter.keys, "down"), append(prev.keys, "up")
	}
	bs = append(bs, enter)
	if p.index() > 0 {
		bs = append(bs, prev)
	}
	return append(bs, esc)
}

func (p *askPage) View(w, h int) string {
	title := p.s(p.step().Title())
	switch {
	case p.err != nil:
		return p.pane(w, h, p.head(w, title, "", ""), p.errorLines(p.err, w-2), scroll{}, -1)
	case p.form == nil:
		return p.pane(w, h, p.head(w, title, p.say("looking, nothing is changed", "正在了解现状，不做任何改动"), ""), []string{p.s(p.said)}, scroll{}, -1)
	}
	fw, fh := p.formSize()
	form := strings.Split(p.form.View(), "\n")
	if len(form) > fh {
		form = form[:fh]
	}
	for len(form) > 0 && strings.Trim(form[0], " ") == "" {
		form = form[1:]
	}
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
