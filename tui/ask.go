package tui

import (
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
	look   looking
	survey engine.Survey
	err    error

	questions []engine.Question
	fields    map[string]*field
	form      *huh.Form
	focus     string // key of the question at hand
	refused   bool   // its answer is not possible
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
		p.look.hear(msg, p.step().ID())
		return stay, nil
	}
	if p.form != nil {
		if _, key := msg.(tea.KeyMsg); key && p.refused {
			p.refused = false
			p.build()
		}
		p.form.Update(msg) // edits the field; its commands only make the cursor blink
		p.fields[p.focus].follow()
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
	f := p.fields[p.focus]
	if f.picking() && f.text == elsewhere {
		f.typing = true
		p.turn(p.focus)
		return stay, nil
	}
	if _, err := f.value(p.lang); err != nil {
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
	if old, had := p.answers[id]; had && same(old, v) {
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
	var bs []binding
	enter := binding{keys: []string{"enter", "tab"}, desc: lang.T("next", "下一项"), must: true, do: p.advance}
	prev := binding{keys: []string{"shift+tab"}, desc: lang.T("previous", "上一项"), do: p.previous}
	measure := binding{keys: []string{"r", "ctrl+r"}, desc: lang.T("measure again", "重新检查"), do: p.measure}
	out := binding{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), do: goes(skip)}
	f := p.fields[p.focus]
	switch kind := p.questions[p.index()].Kind; {
	case kind == engine.Choice, f.picking():
		bs = append(bs, binding{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")})
	case kind == engine.Many:
		bs = append(bs, binding{keys: []string{"up", "down"}, show: p.theme.UpDown, desc: lang.T("choose", "选择")},
			binding{keys: []string{"space"}, desc: lang.T("mark", "勾选"), must: true})
	case kind == engine.Confirm:
		bs = append(bs, binding{keys: []string{"left", "right"}, show: p.theme.LeftRight, desc: lang.T("choose", "选择")})
	default:
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
	if f.typing {
		esc = binding{keys: []string{"esc"}, desc: lang.T("back to the list", "返回列表"), must: true, do: func() (nav, tea.Cmd) {
			f.typing = false
			p.turn(p.focus)
			return stay, nil
		}}
	}
	return append(bs, esc)
}
