package tui

import (
	"context"
	"reflect"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// looked is what a step's survey has found. A race of mirrors costs seconds and
// megabytes, so what one page has found serves the next, for as long as it holds.
type looked struct {
	hosts  engine.Hosts
	survey engine.Survey
	with   engine.Values // the answers it was made with
	holds  engine.Values // others that it is known to hold for
}

func (l looked) holdsFor(s engine.Step, v engine.Values) bool {
	if same(l.with, v) || same(l.holds, v) {
		return true
	}
	r, ok := s.(engine.Resurveyor)
	return ok && !r.Resurvey(l.with, v)
}

// same compares answers; an empty list is one that was not given.
func same(a, b engine.Values) bool { return reflect.DeepEqual(copyValues(a), copyValues(b)) }

// lookUp surveys for the step at hand; its reply is a looked. What was found
// before is used again while it holds: until the answers ask for more, or
// something is written.
func (a *App) lookUp() tea.Cmd {
	s, step, v := a.session, a.step(), copyValues(a.answers[a.step().ID()])
	if l, ok := a.found[step.ID()]; ok && l.holdsFor(step, v) {
		return a.job(func(context.Context) (tea.Msg, error) { return l, nil })
	}
	// A form offers all there is to choose from, not only what was chosen.
	if r, ok := step.(engine.Resurveyor); ok && a.place.stage == atAsk && !r.Resurvey(nil, v) {
		v = nil
	}
	hosts, moved := a.hosts, a.wrote // a step before may have changed the facts
	return a.job(func(ctx context.Context) (tea.Msg, error) {
		if moved {
			var err error
			if hosts, err = s.Detect(ctx); err != nil {
				return nil, err
			}
		}
		sv, err := s.Survey(ctx, step, v, nil) // the engine tells its listener how far it is
		return looked{hosts, sv, v, v}, err
	})
}

// keepLooked takes over what a survey has found.
func (a *App) keepLooked(l looked) {
	a.hosts = l.hosts
	if a.found == nil {
		a.found = make(map[string]looked)
	}
	a.found[a.step().ID()] = l
}

// recalled takes over the answers as a plan left them: what "fastest" gave is
// written beside it, for the file to tell.
func (a *App) recalled(v engine.Values) tea.Cmd {
	id := a.step().ID()
	if v == nil || same(a.answers[id], v) {
		return nil
	}
	a.answers[id] = copyValues(v)
	if l, ok := a.found[id]; ok {
		l.holds = a.answers[id]
		a.found[id] = l
	}
	return a.saveAnswers()
}

// looking is a survey or a plan being made, as the page that waits for it shows
// it.
type looking struct {
	began   time.Time
	ticking bool
	said    lang.Text
	table   *engine.Table
	scroll  scroll
}

// begin starts the clock.
func (a *App) begin(l *looking) tea.Cmd {
	ticked := l.ticking
	*l = looking{began: a.now(), ticking: true}
	if ticked {
		return nil
	}
	return a.tickLater()
}

// ticked redraws the clock for as long as there is something to wait for.
func (a *App) ticked(l *looking, waiting bool) tea.Cmd {
	l.ticking = waiting
	if !waiting {
		return nil
	}
	return a.tickLater()
}

// hear takes what the survey of step says.
func (l *looking) hear(ev engine.Event, step string) {
	if ev.What == engine.Surveying && ev.Step == step {
		l.said, l.table = ev.Text, ev.Table
	}
}

// lookingKeys work while there is nothing to do but wait.
func (a *App) lookingKeys(l *looking) []binding {
	bs := a.scrollKeys(&l.scroll, func(w int) int {
		_, h := a.bodySize()
		above, rows := a.lookingLines(l, w, h)
		return len(above) + len(rows)
	})
	return append(bs,
		binding{keys: []string{"s", "ctrl+n"}, desc: lang.T("skip this step", "跳过此步骤"), rare: true, do: goes(skip)},
		a.escKey())
}

// lookingView draws the sentence and the table that fills, under a clock.
func (a *App) lookingView(w, h int, state, short string, l *looking) string {
	elapsed := clock(a.now().Sub(l.began))
	if title := a.s(a.step().Title()); width(title)+width(state)+width(elapsed)+11 > w {
		state = short // the clock is what shows that something moves
	}
	head := a.head(w, a.s(a.step().Title()), state, elapsed)
	above, rows := a.lookingLines(l, w-2, h)
	if len(rows) == 0 {
		return a.pane(w, h, head, above, scroll{}, -1)
	}
	lines := strings.Split(a.pane(w, h-len(above), head, rows, l.scroll, -1), "\n")
	out := append([]string{}, lines[:2]...)
	for _, s := range above {
		out = append(out, " "+cut(s, w-2, a.theme.Ellipsis))
	}
	return strings.Join(append(out, lines[2:]...), "\n")
}

// lookingLines are what stands still above the rows, and the rows.
func (a *App) lookingLines(l *looking, w, h int) (above, rows []string) {
	if !l.said.Empty() {
		above = wrap(a.s(l.said), w)
	}
	if l.table == nil || len(l.table.Columns) == 0 {
		return above, nil
	}
	roomy := h >= 14
	most := 1
	if roomy {
		most = 2
	}
	if len(above) > most {
		above = append(above[:most-1], cut(strings.Join(above[most-1:], " "), w, a.theme.Ellipsis))
	}
	if roomy && len(above) > 0 {
		above = append(above, "")
	}
	head, rows := a.tableLines(l.table, w)
	return append(above, a.theme.Dim.Render(head)), rows
}
