package tui

import (
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-runewidth"
	"github.com/muesli/termenv"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// The line tier is the same App, driven without a screen: for screen readers,
// dumb terminals and pipes. It prints a page as text, asks for one line, and
// takes that for a key of the page. Nothing it prints moves a cursor.

// errInput is the end of a talk of which one side has gone. The end of the input
// is never an answer, least of all a yes.
func errInput(cause error) error {
	if errors.Is(cause, io.EOF) {
		cause = nil
	}
	return lang.Errorf(cause, "cannot go on: the input has ended", "无法继续：输入已结束").
		WithHint("each prompt takes one whole line; to answer beforehand use `goxin apply -f ANSWERS --yes`", "每个提示需要完整的一行；若要事先给出应答，请用 `goxin apply -f 应答文件 --yes`")
}

// RunLine is Run without a terminal to draw on: a talk in lines over in and out,
// at most 80 cells wide, ASCII in English, in Chinese UTF-8. Where c.In, or else
// in, is a terminal, a person is taken to be there; c.Out is not used. Once it has
// returned, the goroutine that reads in may still wait in a Read.
//
// An end of in where an answer is due ends as a hang-up does. Lines that are
// there before they are asked for are answers, but only "yes" says yes to what
// writes.
func RunLine(ctx context.Context, c Config, in io.Reader, out io.Writer) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	runewidth.DefaultCondition.EastAsianWidth = false
	lipgloss.SetColorProfile(termenv.Ascii)
	d := newLiner(ctx, c, in, out)
	return d.ends(ctx, cancel, d.talk(ctx))
}

// The box that pages lay themselves out in: one column of margin at each side,
// and as high as anything gets, so that nothing is hidden.
const (
	lineWidth  = 78
	lineHeight = 1 << 20
)

// liner drives an App in lines. What it does is done by one goroutine, that of
// talk; commands run in goroutines of their own and send what they come to.
//
// It asks only when the App has settled, and counts the commands in flight to
// know that. The crew knows only the jobs that are inside, neither a command that
// is none nor a reply that has left its job and is still to be received, so its
// count would let a question out a moment too early. Every way the App has of
// waiting is a command, but for its timers, which come back at once as an alarm
// and go off later without being counted: who waits for a person waits for a
// clock as well, and a clock is nothing to hold a question back for.
type liner struct {
	*App
	in     *lineReader
	out    *lineWriter
	person bool // at the other end, not a file or a program: what is typed too early answers nothing
	every  time.Duration

	came     chan arrival
	over     chan struct{} // nobody receives any more
	inFlight int
	left     bool // the App has quit

	heard *feed // the engine's events once more, to tell them as lines
	progression

	shown    string // the page as it was printed last
	asked    string // the prompt that is open
	prompted bool
	column   int // of the open prompt's last line, in cells
	noMore   error
	away     bool // a shell has the terminal
}

// arrival is a message of a command, or of a timer.
type arrival struct {
	msg  tea.Msg
	last bool // the command has come to its end
}

// alarm asks for a message later.
type alarm struct {
	after time.Duration
	msg   tea.Msg
}

func newLiner(ctx context.Context, c Config, in io.Reader, out io.Writer) *liner {
	c.Tier, c.Han = Line, true
	a := newApp(ctx, c)
	a.width, a.height = lineWidth, lineHeight
	a.theme = lineTheme(a.lang)
	a.timer = func(d time.Duration, msg tea.Msg) tea.Cmd {
		return func() tea.Msg { return alarm{d, msg} }
	}
	d := &liner{
		App: a, in: newLineReader(in), out: &lineWriter{ctx: ctx, w: out, watch: c.Watch}, every: time.Second,
		came: make(chan arrival), over: make(chan struct{}), heard: newFeed(),
	}
	if c.In == nil {
		c.In, _ = in.(*os.File)
	}
	if d.person = c.In != nil && term.IsTerminal(c.In.Fd()); !d.person {
		a.shell = nil
		a.ctx = ctx // and nobody to ask for a secret
	}
	a.exec = func(sh tea.ExecCommand, over tea.ExecCallback) tea.Cmd { return d.lend(sh, over, c.In, out) }
	c.Session.Listen(func(ev engine.Event) {
		d.heard.notify(ev)
		a.feed.notify(ev)
	})
	return d
}

// talk goes on until the App quits (nil), the input or the output has ended, or
// ctx is cancelled.
func (d *liner) talk(ctx context.Context) error {
	beat := time.NewTicker(d.every)
	defer beat.Stop()
	d.waits()
	d.start(d.Init())
	for {
		d.tell()
		if err := d.out.err; err != nil {
			return lang.Errorf(err, "cannot go on: the output cannot be written to", "无法继续：无法写入输出")
		}
		if d.left {
			return nil
		}
		settled := d.inFlight == 0
		if settled || len(d.overlays) > 0 {
			if err := d.ask(); err != nil {
				return err
			}
		}
		var lines <-chan lineRead
		if d.noMore == nil && !d.away && (d.person || settled && d.prompted) {
			lines = d.in.next()
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case m := <-d.came:
			if m.last {
				d.inFlight--
			}
			if b, ok := m.msg.(cameBack); ok {
				d.away, m.msg = false, b.msg
			}
			d.receive(m.msg)
		case <-d.feed.ready:
			d.receive(wake{})
		case <-beat.C:
			if d.inFlight > 0 && !d.prompted && !d.away {
				d.beat()
			}
		case l := <-lines:
			d.in.taken()
			d.hear(l)
		}
	}
}

// ends lets the operation in flight end, and says what happened.
func (d *liner) ends(ctx context.Context, cancel context.CancelCauseFunc, err error) (Result, error) {
	interrupted := err != nil
	if d.prompted {
		d.newline()
	}
	if interrupted {
		cancel(err)
		if d.busy() {
			d.put(d.say("Stopping once the operation under way has ended.", "当前操作结束后停止。"))
		}
	}
	close(d.over)
	d.crew.close()
	return d.finish(ctx, interrupted, err)
}

// cameBack is that a program has given the terminal back.
type cameBack struct{ msg tea.Msg }

// lend gives a program the terminal. Nobody else reads it meanwhile.
func (d *liner) lend(c tea.ExecCommand, over tea.ExecCallback, in io.Reader, out io.Writer) tea.Cmd {
	d.away = true
	return func() tea.Msg {
		c.SetStdin(in)
		c.SetStdout(out)
		c.SetStderr(out)
		return cameBack{over(c.Run())}
	}
}

// start runs a command in a goroutine.
func (d *liner) start(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	d.inFlight++
	go func() { d.send(arrival{cmd(), true}) }()
}

// startInOrder runs commands one after another.
func (d *liner) startInOrder(cmds []tea.Cmd) {
	d.inFlight++
	go func() {
		for _, c := range cmds {
			if c != nil {
				d.send(arrival{msg: c()})
			}
		}
		d.send(arrival{last: true})
	}()
}

func (d *liner) send(m arrival) {
	select {
	case d.came <- m:
	case <-d.over: // replies of jobs are kept by the crew
	}
}

// receive does with a message what bubbletea does, and leaves out what is for a
// screen.
func (d *liner) receive(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
	case tea.QuitMsg:
		d.left = true
	case tea.BatchMsg:
		for _, c := range msg {
			d.start(c)
		}
	case alarm:
		time.AfterFunc(msg.after, func() { d.send(arrival{msg: msg.msg}) })
	default:
		if cmds, ok := sequence(msg); ok {
			d.startInOrder(cmds)
			return
		}
		if reflect.TypeOf(msg).PkgPath() == reflect.TypeFor[tea.QuitMsg]().PkgPath() {
			return
		}
		_, cmd := d.Update(msg)
		d.start(cmd)
	}
}

// sequence knows what tea.Sequence makes, whose type bubbletea keeps to itself.
func sequence(msg tea.Msg) ([]tea.Cmd, bool) {
	v := reflect.ValueOf(msg)
	if v.Kind() != reflect.Slice || v.Type().Elem() != reflect.TypeFor[tea.Cmd]() {
		return nil, false
	}
	cmds := make([]tea.Cmd, v.Len())
	for i := range cmds {
		cmds[i], _ = v.Index(i).Interface().(tea.Cmd)
	}
	return cmds, true
}

// goes does what a binding has come to.
func (d *liner) goes(n nav, cmd tea.Cmd) {
	d.waits()
	d.start(tea.Batch(cmd, d.navigate(n)))
}

// hear takes a line that has come.
func (d *liner) hear(l lineRead) {
	if l.err != nil {
		d.noMore = l.err
		return
	}
	waiting := d.prompted
	if waiting {
		d.prompted = false
		if d.person {
			d.column = 0 // the terminal has gone to the next line
		} else {
			d.echo(l.text)
		}
	}
	switch {
	case !l.refused.Empty():
		d.put(d.s(l.refused))
	case waiting:
		d.answer(l.text)
	default:
		d.early(l.text)
	}
}
