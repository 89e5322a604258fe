package tui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
)

// facts are those of the machine the wizard is about; nil before they are known.
func (a *App) facts() *detect.Facts {
	if len(a.hosts.Order) == 0 {
		return nil
	}
	_, f := a.hosts.First()
	return f
}

// detected is what the first look at the machine found.
type detected struct {
	hosts   engine.Hosts
	pending *engine.RunInfo
	fated   fated // of the run that awaited its confirmation, if one did
}

// machinePage shows what the machine is and what to know before starting.
type machinePage struct {
	*App
	err    error
	looked bool
	scroll scroll
}

func (p *machinePage) Enter() tea.Cmd {
	s, w := p.session, p.awaited
	return p.job(func(ctx context.Context) (tea.Msg, error) {
		hosts, err := s.Detect(ctx)
		if err != nil {
			return nil, err
		}
		pending, err := s.Pending()
		d := detected{hosts: hosts, pending: pending}
		if w != nil {
			d.fated = fated{run: w.run, status: statusOf(s, w.run)}
		}
		return d, err
	})
}

func (p *machinePage) Update(msg tea.Msg) (nav, tea.Cmd) {
	switch msg := msg.(type) {
	case detected:
		p.hosts, p.looked, p.err = msg.hosts, true, nil
		p.fated(msg.fated)
		if msg.pending != nil {
			return stay, p.openPending(msg.pending)
		}
	case broken:
		p.err = msg.err
	}
	return stay, nil
}

func (p *machinePage) Refresh() tea.Cmd { return nil }

func (p *machinePage) Keys() []binding {
	quit := binding{keys: []string{"q"}, desc: lang.T("leave (nothing changed)", "离开（未做任何改动）"), do: goes(leave)}
	if p.err != nil {
		return []binding{
			{keys: []string{"r"}, desc: lang.T("look again", "重新检测"), must: true, do: p.again},
			{keys: []string{"l"}, desc: lang.T("log", "日志"), do: p.showLog},
			quit,
		}
	}
	if !p.looked {
		return []binding{quit}
	}
	return append(p.scrollKeys(&p.scroll, func(w int) int { return len(p.lines(w)) }),
		binding{keys: []string{"?"}, desc: lang.T("how found", "依据"), must: true, do: p.howFound},
		binding{keys: []string{"enter"}, desc: lang.T("go on", "继续"), must: true, do: goes(next)},
		quit)
}

func (p *machinePage) again() (nav, tea.Cmd) {
	p.err = nil
	return stay, p.Enter()
}

func (p *machinePage) View(w, h int) string {
	title := p.say("This machine", "本机")
	switch {
	case p.err != nil:
		return p.pane(w, h, p.head(w, title, "", ""), p.errorLines(p.err, w-2), p.scroll, -1)
	case !p.looked:
		return p.pane(w, h, p.head(w, title, p.say("looking, nothing is changed", "正在检测，不做任何改动"), ""), nil, p.scroll, -1)
	}
	return p.pane(w, h, p.head(w, title, "", ""), p.lines(w-2), p.scroll, -1)
}

func (p *machinePage) lines(w int) []string {
	var out []string
	label := 12
	if !p.notice.Empty() {
		out = append(out, p.theme.Good.Render(p.theme.Done)+" "+p.s(p.notice), "")
	}
	for _, r := range p.factRows(p.facts()) {
		for i, v := range r.values {
			name := ""
			if i == 0 {
				name = p.s(r.label)
			}
			for j, l := range wrap(v, w-label) {
				if j > 0 {
					name = ""
				}
				out = append(out, p.theme.Dim.Render(pad(name, label))+l)
			}
		}
	}
	if ws := p.warnings(); len(ws) > 0 {
		out = append(out, "", p.theme.Title.Render(p.say("To know before we start", "开始之前须知")))
		for _, t := range ws {
			for i, l := range wrap(p.s(t), w-2) {
				mark := "  "
				if i == 0 {
					mark = p.theme.Warn.Render(p.theme.Note) + " "
				}
				out = append(out, mark+l)
			}
		}
	}
	return out
}

func (p *machinePage) warnings() []lang.Text {
	var out []lang.Text
	for _, k := range p.facts().Warnings {
		if t := p.warning(k, p.facts()); !t.Empty() {
			out = append(out, t)
		}
	}
	return out
}

func (p *machinePage) howFound() (nav, tea.Cmd) {
	return p.push(&textOverlay{App: p.App, title: lang.T("How each line was found", "每一项的依据"), body: func(w int) []string {
		var out []string
		for _, r := range p.factRows(p.facts()) {
			for i, f := range r.from {
				name := ""
				if i == 0 {
					name = p.s(r.label)
				}
				for j, l := range wrap(p.s(f), w-14) {
					if j > 0 {
						name, l = "", "  "+l
					}
					out = append(out, pad(name, 12)+l)
				}
			}
		}
		return out
	}})
}

// errorLines says what failed, its cause, and what to do next.
func (a *App) errorLines(err error, w int) []string {
	var out []string
	for i, l := range wrap(a.raw(lang.Message(err, a.lang)), w-2) {
		mark := "  "
		if i == 0 {
			mark = a.theme.Bad.Render(a.theme.Failed) + " "
		}
		out = append(out, mark+l)
	}
	if hint := a.raw(strings.ReplaceAll(lang.Hint(err, a.lang), "`goxin ", "`"+a.goxin(""))); hint != "" {
		out = append(out, "")
		for _, l := range wrap(a.say("Next: %s", "建议：%s", hint), w-2) {
			out = append(out, "  "+l)
		}
	}
	return out
}

// join puts the parts that are there in a row.
func (a *App) join(parts ...string) string {
	var there []string
	for _, p := range parts {
		if p != "" {
			there = append(there, p)
		}
	}
	return strings.Join(there, a.theme.Dot)
}
