package tui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// keyPick is the one question of a choosePage.
const keyPick = "pick"

// choosePage asks one thing, before there is a machine to ask about.
type choosePage struct {
	questionnaire
	title   lang.Text
	options []engine.Option
	value   string // what was chosen; "": nothing yet
}

func (p *choosePage) Enter() tea.Cmd {
	q := engine.Question{Field: engine.Field{Key: keyPick, Kind: engine.Choice, Title: p.title, Options: p.options}, Default: p.options[0].Value}
	p.pose([]engine.Question{q}, engine.Values{})
	return nil
}

func (p *choosePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	p.edit(msg)
	return stay, nil
}

func (p *choosePage) Refresh() tea.Cmd {
	p.build()
	return nil
}

func (p *choosePage) Keys() []binding {
	bs, _ := p.fieldKeys()
	return append(bs,
		binding{keys: []string{"enter"}, desc: lang.T("choose", "选定"), must: true, do: func() (nav, tea.Cmd) {
			p.value, _ = p.answered()[keyPick].(string)
			return leave, nil
		}},
		binding{keys: []string{"esc", "q"}, desc: lang.T("leave", "离开"), must: true, do: goes(leave)})
}

func (p *choosePage) View(w, h int) string { return p.asking(w, h, p.say("Choose", "选择")) }

// Pick has one of options chosen, in the frame of the wizard; "" where the person
// left. Of c only the terminal, the language and the mark count.
func Pick(ctx context.Context, c Config, title lang.Text, options []engine.Option) (string, error) {
	c.Session, c.Steps, c.Purposes = nil, nil, nil
	var p *choosePage
	_, err := run(ctx, c, func(a *App) {
		p = &choosePage{questionnaire: questionnaire{App: a, titles: true}, title: title, options: options}
		a.first = p
	})
	if p == nil {
		return "", err
	}
	return p.value, err
}
