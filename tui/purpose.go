package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// purposePage asks what the machine shall become, which picks the steps that the
// wizard goes through. A start that was cut short is offered to be gone on with.
type purposePage struct {
	questionnaire
	stepsOf string // the purpose whose steps are on offer
}

// The keys and the answers that are the page's own.
const (
	keyPurpose = "purpose"
	keySteps   = "steps"

	goOn    = "go-on"    // with what an earlier start has saved
	asGiven = "given"    // the steps of the answers file given
	picked  = "let-pick" // a person picks the steps
)

func (p *purposePage) Enter() tea.Cmd {
	given := engine.Values{}
	if p.purpose != "" {
		given[keyPurpose], given[keySteps] = p.purpose, p.chosenIDs()
	}
	p.pose(p.asked(given), given)
	return nil
}

// asked are the questions: the purpose, and, where that leaves it open, the steps.
func (p *purposePage) asked(v engine.Values) []engine.Question {
	q := engine.Question{Field: engine.Field{
		Key: keyPurpose, Kind: engine.Choice, Title: lang.T("What shall this machine become?", "这台机器将用作什么？"),
		Help: lang.T("It picks the steps and what is offered in them; you decide each.", "据此选定步骤和推荐值，每一步仍由您决定。"),
	}}
	add := func(value string, title, help lang.Text) {
		q.Options = append(q.Options, engine.Option{Value: value, Title: title, Help: help})
	}
	if len(p.prefilled) > 0 {
		add(asGiven, lang.T("As in the answers file", "按应答文件"), lang.F("Its steps: %s.", "其中的步骤：%s。", p.titles(p.prefilled)))
	}
	if len(p.earlier) > 0 {
		add(goOn, lang.T("Go on from last time", "接着上次继续"), lang.F("With the answers saved then: %s.", "沿用上次保存的应答：%s。", p.titles(p.earlier)))
	}
	for _, o := range p.purposes {
		add(o.ID, o.Title, o.Help)
	}
	add(picked, lang.T("Let me pick", "自行选择"), lang.T("Any of the steps.", "任选步骤。"))
	q.Default = q.Options[0].Value
	qs := []engine.Question{q}
	if v[keyPurpose] == picked || v[keyPurpose] == goOn {
		pick := engine.Question{Field: engine.Field{
			Key: keySteps, Kind: engine.Many, Title: lang.T("Which steps?", "选择哪些步骤？"),
			Help: lang.T("They are done in this order.", "按此顺序执行。"),
		}}
		var all []string
		for _, s := range p.steps {
			pick.Options = append(pick.Options, engine.Option{Value: s.ID(), Title: s.Title()})
			all = append(all, s.ID())
		}
		pick.Default = all
		if v[keyPurpose] == goOn { // the file tells what was decided, not what was to come
			pick.Default = p.stepsLeft()
		}
		qs = append(qs, pick)
	}
	return qs
}

// titles are those of the steps in as, in their order.
func (p *purposePage) titles(as engine.Answers) lang.Text {
	var en, zh []string
	for _, s := range p.steps {
		if _, there := as[s.ID()]; there {
			en, zh = append(en, s.Title().EN), append(zh, s.Title().ZH)
		}
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "、"))
}

func (p *purposePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	p.edit(msg)
	return stay, nil
}

func (p *purposePage) Refresh() tea.Cmd {
	p.build()
	return nil
}

func (p *purposePage) advance() (nav, tea.Cmd) {
	if !p.accept() {
		return stay, nil
	}
	v := p.answered()
	at := p.index()
	if at == 0 && v[keyPurpose] != p.stepsOf {
		p.stepsOf, _ = v[keyPurpose].(string)
		delete(p.fields, keySteps) // another purpose offers others
		if p.stepsOf != p.purpose {
			delete(p.given, keySteps)
		}
	}
	p.put(p.asked(v))
	if at+1 < len(p.questions) {
		p.turn(p.questions[at+1].Key)
		return stay, nil
	}
	steps, _ := v[keySteps].([]string)
	if len(p.questions) > 1 && len(steps) == 0 {
		p.refused, p.objection = true, lang.T("nothing is picked: mark a step with the space bar", "尚未选择：用空格键勾选步骤")
		return stay, nil
	}
	p.become(v[keyPurpose].(string), steps)
	return next, nil
}

func (p *purposePage) previous() (nav, tea.Cmd) {
	if at := p.index(); at > 0 {
		p.turn(p.questions[at-1].Key)
	}
	return stay, nil
}

// become takes the purpose over: which steps are gone through, and with what they
// begin.
func (a *App) become(purpose string, steps []string) {
	if purpose != a.purpose {
		a.suggested = nil
	}
	a.purpose = purpose
	switch purpose {
	case goOn:
		for id, v := range a.earlier { // answers, not suggestions: the next save must not lose them
			if _, answered := a.answers[id]; !answered {
				a.answers[id] = copyValues(v)
			}
		}
	case asGiven:
		steps = nil
		for id := range a.prefilled {
			steps = append(steps, id)
		}
	case picked:
	default:
		i := slices.IndexFunc(a.purposes, func(p engine.Purpose) bool { return p.ID == purpose })
		steps = a.purposes[i].Steps
		for id, v := range a.purposes[i].Answers {
			a.suggest(id, v)
		}
	}
	a.chosen = make(map[string]bool)
	for _, id := range steps {
		a.chosen[id] = true
	}
	for i, s := range a.steps {
		id := s.ID()
		switch {
		case a.chosen[id] && a.progress[i] == unasked:
			a.progress[i] = open
			if v, was := a.shelved[id]; was {
				a.answers[id] = v
			}
		case !a.chosen[id] && a.progress[i] != done && a.progress[i] != failed:
			a.progress[i] = unasked
			if v, answered := a.answers[id]; answered {
				if a.shelved == nil {
					a.shelved = make(engine.Answers)
				}
				a.shelved[id] = v
				delete(a.answers, id)
			}
		}
	}
}

// suggest is what the form of a step begins with while nothing is answered.
func (a *App) suggest(id string, v engine.Values) {
	if a.suggested == nil {
		a.suggested = make(engine.Answers)
	}
	a.suggested[id] = copyValues(v)
}

// begins are the answers a step's form begins with.
func (a *App) begins(id string) engine.Values {
	if v, answered := a.answers[id]; answered {
		return v
	}
	return a.suggested[id]
}

// stepsLeft are the steps of the purpose that what was left fits into.
func (a *App) stepsLeft() []string {
	for _, p := range a.purposes {
		fits := true
		for id := range a.earlier {
			fits = fits && slices.Contains(p.Steps, id)
		}
		if fits {
			return p.Steps
		}
	}
	var all []string
	for _, s := range a.steps {
		all = append(all, s.ID())
	}
	return all
}

// picks reports whether the wizard goes through step i.
func (a *App) picks(i int) bool { return a.chosen == nil || a.chosen[a.steps[i].ID()] }

func (a *App) chosenIDs() []string {
	var ids []string
	for i, s := range a.steps {
		if a.picks(i) {
			ids = append(ids, s.ID())
		}
	}
	return ids
}

func (p *purposePage) Keys() []binding {
	bs, _ := p.fieldKeys()
	bs = append(bs, binding{keys: []string{"enter", "tab"}, desc: lang.T("go on", "继续"), must: true, do: p.advance})
	if p.index() > 0 {
		bs = append(bs, binding{keys: []string{"shift+tab"}, desc: lang.T("previous", "上一项"), do: p.previous})
	}
	return append(bs, p.explainKey(), p.escKey())
}

func (p *purposePage) View(w, h int) string {
	return p.asking(w, h, p.say("Purpose", "用途"))
}
