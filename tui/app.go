package tui

import (
	"context"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
)

// App is the wizard: the one tea.Model. It owns size, language, theme, the line
// of pages and the stack of overlays; it routes what comes (overlay, then global
// keys, then the page) and does no IO itself.
type App struct {
	session Session
	steps   []engine.Step
	answers engine.Answers
	review  bool

	purposes  []engine.Purpose
	earlier   engine.Answers  // saved by an earlier start
	prefilled engine.Answers  // given beforehand
	purpose   string          // what the machine shall become; "": not asked
	chosen    map[string]bool // the steps gone through; nil: all
	suggested engine.Answers  // what forms begin with, where nothing is answered
	shelved   engine.Answers  // for steps that the purpose at hand leaves out

	mark     lang.Text // on every screen: what one sees is not real
	lesson   bool
	shell    func() tea.ExecCommand // opens one on the machine; nil: there is none
	exec     func(tea.ExecCommand, tea.ExecCallback) tea.Cmd
	reporter func(context.Context, engine.RunID, lang.Lang) (string, error)

	confirmWithin time.Duration
	saver         *saver
	feed          *feed
	wants         wants
	crew          *crew
	crash         func(recovered any, stack []byte)
	now           func() time.Time
	timer         func(time.Duration, tea.Msg) tea.Cmd
	pause         func(time.Duration)
	flags         string // between goxin and its command, where one is shown
	header        func(*detect.Facts) lang.Text
	warning       func(string, *detect.Facts) lang.Text
	shows         func(Tier) // tells the output which tier is drawn
	tiers         tierPair   // F4 changes between
	noHan         lang.Text  // why Chinese is not offered

	lang   lang.Lang
	han    bool // the terminal can show Chinese
	theme  Theme
	width  int
	height int

	ctx      context.Context // of the whole wizard
	pageCtx  context.Context
	pageStop context.CancelFunc
	epoch    int // counts pages, to know stale replies

	place    place
	page     page
	first    page // instead of the machine; nil in a wizard
	overlays []overlay
	hush     *hush // the page has come unasked and asks something

	hosts      engine.Hosts
	found      map[string]looked // by step: surveys that still hold
	progress   []progress
	run        *held          // holds the lock; nil once it has ended
	runs       []engine.RunID // of this wizard, in their order
	doubt      string         // a question that a survey has raised, to be asked next
	wrote      bool           // something may have been written to a machine
	begun      map[int]bool   // by step: a change was begun
	midway     bool           // a run was left where it stood
	awaited    *awaited       // a run that is taken back unless it is confirmed
	notice     lang.Text      // what became of a run that was pending
	outcome    outcome
	outcomes   map[int]outcome // by step: of those gone through
	tally      tally
	log        []logLine
	version    int // of the answers, for saving
	savedTo    string
	reportPath string
	saveErr    error
	quitting   bool
}

var _ tea.Model = (*App)(nil)

// Init enters the first page.
func (a *App) Init() tea.Cmd { return a.enter(place{stage: atMachine}) }

// Update routes.
func (a *App) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if a.quitting {
		return a, nil
	}
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		if msg.Width == a.width && msg.Height == a.height {
			return a, nil
		}
		a.width, a.height = msg.Width, msg.Height
		return a, a.refresh()
	case tea.KeyMsg:
		if msg.Paste && len(a.overlays) > 0 {
			return a, nil // what is pasted never answers a question
		}
		return a, a.key(msg)
	case reply:
		a.crew.received(msg.id)
		events := a.events()
		if msg.epoch != a.epoch {
			return a, events
		}
		n, cmd := a.page.Update(msg.msg)
		return a, tea.Batch(events, cmd, a.navigate(n))
	case wake:
		return a, a.events()
	case shellOver:
		if msg.err != nil {
			err := lang.Errorf(msg.err, "cannot open a shell", "无法打开 shell")
			a.push(&textOverlay{App: a, title: lang.Same("shell"), body: func(w int) []string { return a.errorLines(err, w) }})
		}
		return a, nil
	case saved:
		if msg.err != nil {
			a.saveErr = msg.err
		} else {
			a.savedTo, a.saveErr = msg.path, nil
		}
		return a, nil
	}
	n, cmd := a.page.Update(msg)
	return a, tea.Batch(cmd, a.navigate(n))
}

func (a *App) key(msg tea.KeyMsg) tea.Cmd {
	if a.tooSmall() && msg.String() != "ctrl+c" {
		return nil // nobody should press keys on what they cannot see
	}
	if n := len(a.overlays); n > 0 {
		return a.overlayKey(a.overlays[n-1], msg)
	}
	if a.hush != nil && msg.String() != "ctrl+c" {
		if a.hush.typed(a.now()) {
			return nil
		}
		a.hush = nil
	}
	if b, ok := find(a.globalKeys(), msg); ok {
		n, cmd := b.do()
		return tea.Batch(cmd, a.navigate(n))
	}
	if b, ok := find(a.page.Keys(), msg); ok {
		n, cmd := b.do()
		return tea.Batch(cmd, a.navigate(n))
	}
	n, cmd := a.page.Update(msg)
	return tea.Batch(cmd, a.navigate(n))
}

func (a *App) overlayKey(o overlay, msg tea.KeyMsg) tea.Cmd {
	for _, b := range a.globalKeys() {
		if b.matches(msg) && (msg.String() != "ctrl+c") && b.do != nil {
			n, cmd := b.do()
			return tea.Batch(cmd, a.navigate(n))
		}
	}
	if b, ok := find(o.Keys(), msg); ok {
		n, cmd := b.do()
		return tea.Batch(cmd, a.navigate(n))
	}
	o.Update(msg)
	return nil
}

// wake says that the feed holds events.
type wake struct{}

// events hands what came from the engine to the log and the page.
func (a *App) events() tea.Cmd {
	cmds := []tea.Cmd{a.asked()}
	for _, ev := range a.feed.take() {
		a.note(ev)
		n, cmd := a.page.Update(ev)
		cmds = append(cmds, cmd, a.navigate(n))
	}
	return tea.Batch(cmds...)
}

// refresh tells the page that size, language or theme have changed.
func (a *App) refresh() tea.Cmd {
	for _, o := range a.overlays {
		o.Refresh()
	}
	if a.page == nil {
		return nil
	}
	return a.page.Refresh()
}

// push opens an overlay.
func (a *App) push(o overlay) (nav, tea.Cmd) {
	a.overlays = append(a.overlays, o)
	return stay, nil
}

// pop closes the top overlay.
func (a *App) pop() {
	if n := len(a.overlays); n > 0 {
		a.overlays = a.overlays[:n-1]
	}
}

// s is text in the language and the characters at hand.
func (a *App) s(t lang.Text) string { return a.theme.fold(cleanText(t.In(a.lang))) }

// say is s for text written where it is used.
func (a *App) say(en, zh string, args ...any) string {
	if len(args) == 0 {
		return a.s(lang.T(en, zh))
	}
	return a.s(lang.F(en, zh, args...))
}

// raw is foreign text, made safe.
func (a *App) raw(s string) string { return a.theme.fold(clean(s)) }

// dropEnded lets go of a run that End was called on: nothing is written to it
// any more, whatever End came back with.
func (a *App) dropEnded() {
	if a.run != nil && a.run.ended.Load() {
		a.run = nil
	}
}

// goxin is a command as it is typed.
func (a *App) goxin(command string) string { return "goxin" + a.flags + " " + command }

func (a *App) step() engine.Step { return a.steps[a.place.step] }
