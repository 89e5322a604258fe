package tui

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// askPage asks a step's questions, once its survey is there.
type askPage struct {
	questionnaire
	look   looking
	survey engine.Survey
	err    error
}

func (p *askPage) Enter() tea.Cmd {
	p.outcome = outcome{}
	return tea.Batch(p.begin(&p.look), p.lookUp())
}

func (p *askPage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case tick:
		return stay, p.ticked(&p.look, p.form == nil && p.err == nil)
	case looked:
		p.keepLooked(msg)
		p.survey = msg.survey
		given := p.begins(p.step().ID())
		qs := p.current(given)
		if len(qs) == 0 {
			return next, nil
		}
		p.pose(qs, given)
		if key := p.doubt; key != "" && slices.ContainsFunc(qs, func(q engine.Question) bool { return q.Key == key }) {
			p.turn(key)
		}
		p.doubt = ""
		return stay, nil
	case broken:
		p.err = msg.err
		return stay, nil
	case engine.Event:
		p.look.hear(msg, p.step().ID())
		return stay, nil
	}
	if p.form != nil {
		p.edit(msg)
	}
	return stay, nil
}

// measure surveys anew, whatever was found before.
func (p *askPage) measure() (nav, tea.Cmd) {
	var save tea.Cmd
	if p.form != nil {
		save = p.commit()
	}
	delete(p.found, p.step().ID())
	p.form, p.err = nil, nil
	return stay, tea.Batch(save, p.Enter())
}

// advance takes the answer at hand over and goes to the next question, or on.
func (p *askPage) advance() (nav, tea.Cmd) {
	if !p.accept() {
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

func (p *askPage) current(v engine.Values) []engine.Question {
	return p.step().Questions(engine.HostsOf(p.step(), p.hosts), p.survey, v)
}

// commit takes the answers over and saves them. They may lead to other
// questions.
func (p *askPage) commit() tea.Cmd {
	v := p.answered()
	p.put(p.current(v))
	id := p.step().ID()
	if old, had := p.answers[id]; had && same(old, v) && p.version > 0 {
		return nil // it is saved; what was given beforehand is not, until it has been seen
	}
	p.answers[id] = v
	p.given = v
	return p.saveAnswers()
}

func (p *askPage) Refresh() tea.Cmd {
	if p.form != nil {
		p.build()
	}
	return nil
}

func (p *askPage) Keys() []binding {
	esc := p.escKey()
	if p.err != nil {
		return []binding{
			{keys: []string{"r"}, desc: lang.T("try again", "重试"), must: true, do: p.measure},
			{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog},
			{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), do: goes(skip)},
			esc,
		}
	}
	if p.form == nil {
		return p.lookingKeys(&p.look)
	}
	enter := binding{keys: []string{"enter", "tab"}, desc: lang.T("next", "下一项"), must: true, do: p.advance}
	prev := binding{keys: []string{"shift+tab"}, desc: lang.T("previous", "上一项"), do: p.previous}
	measure := binding{keys: []string{"r", "ctrl+r"}, desc: lang.T("measure again", "重新检查"), do: p.measure}
	out := binding{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), do: goes(skip)}
	bs, typing := p.fieldKeys()
	if typing {
		measure.keys, out.keys = measure.keys[1:], out.keys[1:] // an r and an s are letters of the answer
		enter.keys, prev.keys = append(enter.keys, "down"), append(prev.keys, "up")
	}
	bs = append(bs, enter)
	if p.index() > 0 {
		bs = append(bs, prev)
	}
	if _, looks := p.step().(engine.Surveyor); looks {
		bs = append(bs, measure)
	}
	bs = append(bs, out)
	if f := p.fields[p.focus]; f.typing {
		esc = binding{keys: []string{"esc"}, desc: lang.T("back to the list", "返回列表"), must: true, do: func() (nav, tea.Cmd) {
			f.typing = false
			p.turn(p.focus)
			return stay, nil
		}}
	}
	return append(bs, p.explainKey(), esc)
}

func (p *askPage) View(w, h int) string {
	title := p.s(p.step().Title())
	switch {
	case p.err != nil:
		return p.pane(w, h, p.head(w, title, "", ""), p.errorLines(p.err, w-2), scroll{}, -1)
	case p.form == nil:
		return p.lookingView(w, h, p.say("looking, nothing is changed", "正在了解现状，不做任何改动"), p.say("looking", "正在了解"), &p.look)
	}
	return p.asking(w, h, title)
}
