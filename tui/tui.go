// Package tui is the wizard: the front end for a person at a terminal. It shows
// what the engine found, asks a step's questions, shows the diff, and has
// written what was reviewed. It decides nothing about machines, knows no kind of
// operation, prints nothing after it has returned and never exits: package main
// turns its Result into words and an exit code.
//
// There is one tea.Model, App; its pages are plain structs that it calls. What
// the engine does happens in goroutines, never in Update.
package tui

import (
	"context"
	"errors"
	"os"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-runewidth"
	"github.com/muesli/termenv"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
)

// Config is what the wizard works with.
type Config struct {
	Session Session // Live(engine)
	Steps   []engine.Step
	Answers engine.Answers // given beforehand; may be nil
	Review  bool           // walk Answers without asking, only their steps
	// Purposes are what the machine may become; one is asked for first. None: the
	// wizard goes through all steps.
	Purposes []engine.Purpose
	Earlier  engine.Answers // saved by an earlier start, offered to be gone on with

	// ConfirmWithin is how long a run written with W stands unless it is confirmed;
	// 0: two minutes. Negative: it cannot be promised, and is not offered.
	ConfirmWithin time.Duration

	Lang lang.Lang
	Tier Tier
	Han  bool   // the terminal can show Chinese, so F2 may switch to it
	Term string // $TERM: what a plain line understands depends on it
	// NoHan says why Chinese cannot be shown, and how to get it; for F2. See NoHan.
	NoHan lang.Text

	// Flags stand between goxin and its command in the commands that are shown:
	// " --root /mnt" where the wizard is about a tree. Empty, or with a space first.
	Flags string

	// Mark is shown on every screen: that what one sees is simulated, or replayed.
	// Empty: it is real.
	Mark lang.Text
	// Lesson pauses before each commit: what is about to happen, why, what could go
	// wrong, and the commands by hand.
	Lesson bool

	In, Out *os.File // the terminal
	// Watch sees every byte that goes to the terminal, and Resized every size it
	// takes; for a recording. Nil: nobody watches.
	Watch   func([]byte)
	Resized func(width, height int)

	// Shell is a shell on the machine, for who wants to look at what failed; nil: none
	// is offered. The terminal is its own until it ends.
	Shell func() tea.ExecCommand

	// Report writes the acceptance report of a run and returns where; nil: none is
	// offered.
	Report func(ctx context.Context, run engine.RunID, l lang.Lang) (path string, err error)
	// Save writes the answers so far and returns where; called after each answer,
	// never twice at a time. Nil: they are not written.
	Save func(engine.Answers) (path string, err error)
}

// What is what happened, for the exit code.
type What int

// The ends of a wizard.
const (
	Nothing     What = iota // nothing was written
	Applied                 // everything as asked
	Deviations              // done, but something was clamped, refused or overridden
	Failed                  // stopped at a failure, or an undo was; what stands, stands
	Undone                  // written, and put back but for what was Kept
	Awaiting                // a confirmation is due
	Interrupted             // stopped from outside in the middle of a step; to be finished or undone
)

// Result is the end of a wizard. What is about everything that was written: of a
// run that is Awaiting, Failure and Deviations tell how it went until then.
type Result struct {
	What       What
	Failure    error     // of the first step that failed, even when it was undone afterwards, and of an undo; also of a run not confirmed in time
	Deviations int       // targets that stand otherwise than asked
	Kept       int       // changes an undo had to leave alone: with Undone, not all is as it was
	Answers    string    // the file they were saved to
	Report     string    // of the last run; "": none was written
	Lang       lang.Lang // of the screen at the end, for what is said after it
}

// ErrHangup is the cause when the terminal went away.
var ErrHangup = lang.Errorf(nil, "the terminal is gone", "终端已断开")

// Run shows the wizard until the person leaves it. When ctx is cancelled the
// operation in flight ends, nothing new starts, and Run returns ctx's cause; a
// run stopped that way is offered for finishing or undoing at the next start.
func Run(ctx context.Context, c Config) (Result, error) { return run(ctx, c, func(*App) {}) }

func run(ctx context.Context, c Config, prepare func(*App)) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	setRulers(c)
	a := newApp(ctx, c)
	prepare(a)
	w, h, typed := sizeOf(c.In, c.Out, os.Getenv)
	a.width, a.height = w, h
	out := newOutput(c.Out, charset{c.Tier, a.han}, c.Term, w, h, c.Watch)
	a.shows = func(t Tier) { out.shows(charset{t, a.han}) }
	p := tea.NewProgram(a, programOptions(ctx, cancel, c, out)...)
	go func() {
		for _, k := range typedKeys(typed) {
			p.Send(k)
		}
	}()
	stopFeed := a.pump(p, c.Tier)
	err := show(ctx, p, c.In)
	interrupted := ctx.Err() != nil
	if err != nil {
		cancel(err) // the program broke: let the operation in flight end
	}
	a.crew.close()
	stopFeed()
	return a.finish(ctx, interrupted, err)
}

// drain is how long a cancelled program may take to restore the terminal.
const drain = time.Second

// show runs the program. One whose terminal takes no more bytes (a serial line
// that was told to wait) cannot be stopped, so it is left behind when ctx ends.
func show(ctx context.Context, p *tea.Program, in *os.File) error {
	before, err := term.GetState(in.Fd())
	if err != nil {
		return lang.Errorf(err, "cannot read the state of the terminal", "无法读取终端状态")
	}
	over := make(chan error, 1)
	go func() {
		_, err := p.Run()
		over <- err
	}()
	select {
	case err := <-over:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-over:
		return err
	case <-time.After(drain):
		_ = term.Restore(in.Fd(), before)
		return context.Cause(ctx)
	}
}

func newApp(ctx context.Context, c Config) *App {
	a := &App{
		session: c.Session, steps: c.Steps, answers: copyAnswers(c.Answers), review: c.Review, confirmWithin: c.ConfirmWithin,
		purposes: c.Purposes, earlier: c.Earlier, prefilled: c.Answers, mark: c.Mark, lesson: c.Lesson, reporter: c.Report, shell: c.Shell, exec: tea.Exec,
		saver: &saver{save: c.Save}, feed: newFeed(), crew: &crew{}, now: time.Now, timer: timer, pause: time.Sleep, flags: c.Flags,
		header: (*detect.Facts).Title, warning: detect.Warn, shows: func(Tier) {}, tiers: tiersOf(c), noHan: c.NoHan,
		lang: c.Lang, han: c.Han || c.Lang == lang.ZH, theme: newTheme(c.Tier),
		width: unknownWidth, height: unknownHeight, ctx: ctx,
		progress: make([]progress, len(c.Steps)),
	}
	if a.confirmWithin == 0 {
		a.confirmWithin = confirmWithin
	}
	a.ctx = engine.WithAsker(ctx, a.askSecret)
	a.crash = a.crashLog
	if c.Session != nil {
		c.Session.Listen(a.feed.notify)
	}
	return a
}

func timer(d time.Duration, msg tea.Msg) tea.Cmd {
	return tea.Tick(d, func(time.Time) tea.Msg { return msg })
}

// setRulers makes every library measure alike and know the terminal's colours.
// go-runewidth would count lines and dots as two cells in a Chinese locale, in
// which lipgloss counts one.
func setRulers(c Config) {
	runewidth.DefaultCondition.EastAsianWidth = false
	if c.Tier != Rich && monoTerm(c.Term) {
		lipgloss.SetColorProfile(termenv.ANSI) // bold and reverse, which the ASCII profile strips
	} else {
		lipgloss.SetColorProfile(termenv.NewOutput(c.Out).EnvColorProfile())
	}
	lipgloss.SetHasDarkBackground(true) // never ask
}

func programOptions(ctx context.Context, hangup context.CancelCauseFunc, c Config, out *output) []tea.ProgramOption {
	opts := []tea.ProgramOption{
		tea.WithContext(ctx),
		tea.WithoutSignalHandler(), // main's; bubbletea's swallows SIGTERM
		tea.WithInput(inFile{c.In, func() { hangup(ErrHangup) }}),
		tea.WithOutput(out),
		tea.WithFilter(out.sized(out.want.w, out.want.h, c.Resized)),
	}
	if c.Tier == Rich { // a key waits for the next frame: 8 ms at most
		return append(opts, tea.WithAltScreen(), tea.WithFPS(120))
	}
	return append(opts, tea.WithoutBracketedPaste(), tea.WithFPS(30))
}

// pump wakes the program when the engine has reported something, at most so
// often that a slow line keeps up.
func (a *App) pump(p *tea.Program, t Tier) (stop func()) {
	every := 100 * time.Millisecond
	if t == Plain {
		every = 500 * time.Millisecond
	}
	quit := make(chan struct{})
	go func() {
		for {
			select {
			case <-quit:
				return
			case <-a.feed.ready:
			}
			p.Send(wake{})
			select {
			case <-quit:
				return
			case <-time.After(every):
			}
		}
	}()
	return func() { close(quit) }
}

// finish lets go of a run that is still held and says what happened. A run that
// was stopped from outside in the middle of a step is not ended: the next start
// finds it and offers to finish or undo it.
func (a *App) finish(ctx context.Context, interrupted bool, err error) (Result, error) {
	for _, r := range a.crew.unreceived() { // what ended after the program had
		if r.epoch == a.epoch {
			a.page.Update(r.msg)
		}
	}
	a.dropEnded()
	switch {
	case a.run == nil:
	case interrupted && a.cutShort(context.Cause(ctx)):
		a.midway = true
		_ = a.run.Leave() // the lock ends with the process at the latest
	default:
		sum, e := a.run.End(context.WithoutCancel(ctx))
		if e != nil && err == nil {
			err = e
		}
		a.awaits(sum)
	}
	if a.awaited != nil {
		a.settle(!interrupted)
	}
	r := Result{What: a.what(), Failure: a.tally.failure(), Deviations: a.tally.deviations(ofPending), Kept: len(a.tally.left), Answers: a.saver.path, Report: a.reportPath, Lang: a.lang}
	if interrupted {
		err = context.Cause(ctx)
	}
	return r, err
}

// cutShort reports whether a step was stopped from outside, which its page may or
// may not have heard of yet.
func (a *App) cutShort(cause error) bool {
	o := a.outcome
	switch {
	case o.err == nil:
		return false
	case a.place.stage == atWrite:
		return true
	}
	return a.place.stage == atResult && !o.stopped && (errors.Is(o.err, context.Canceled) || errors.Is(o.err, cause))
}

func (a *App) what() What {
	switch {
	case a.midway:
		return Interrupted
	case a.awaited != nil:
		return Awaiting
	}
	return a.tally.what()
}
