package tui

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"

	"goxin/assets/lang"
)

// wanted is a secret that work in a goroutine waits for.
type wanted struct {
	what lang.Text
	got  chan<- told
}

// told is what the person typed.
type told struct {
	secret string
	err    error
}

// wants are those that nobody has been asked for yet.
type wants struct {
	mu   sync.Mutex
	list []wanted
}

func (w *wants) put(x wanted) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, x)
}

func (w *wants) take() []wanted {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.list
	w.list = nil
	return l
}

// askSecret is the engine.Asker of a wizard: it waits for the person.
func (a *App) askSecret(ctx context.Context, what lang.Text) (string, error) {
	got := make(chan told, 1)
	a.wants.put(wanted{what, got})
	a.feed.wake()
	select {
	case <-ctx.Done():
		return "", context.Cause(ctx)
	case t := <-got:
		return t.secret, t.err
	}
}

// asked gives the terminal to whoever asks for a secret: nothing of it is drawn, and
// nothing of it stays in the wizard.
func (a *App) asked() tea.Cmd {
	var cmds []tea.Cmd
	for _, w := range a.wants.take() {
		p := &passwordPrompt{prompt: a.say("%s (it is not shown; empty: none): ", "%s（不回显；直接回车表示没有）：", w.what)}
		cmds = append(cmds, a.exec(p, func(err error) tea.Msg {
			w.got <- told{p.got, err}
			return nil
		}))
	}
	if cmds == nil {
		return nil
	}
	return tea.Sequence(cmds...)
}

// passwordPrompt reads a line from the terminal without showing it.
type passwordPrompt struct {
	prompt string
	in     io.Reader
	out    io.Writer
	got    string
}

func (p *passwordPrompt) SetStdin(r io.Reader)  { p.in = r }
func (p *passwordPrompt) SetStdout(w io.Writer) { p.out = w }
func (p *passwordPrompt) SetStderr(io.Writer)   {}

func (p *passwordPrompt) Run() error {
	fmt.Fprint(p.out, "\n"+p.prompt)
	f, ok := p.in.(interface{ Fd() uintptr })
	if !ok {
		return lang.Errorf(nil, "cannot ask: this is no terminal", "无法询问：这里不是终端")
	}
	b, err := term.ReadPassword(f.Fd())
	fmt.Fprintln(p.out)
	p.got = strings.TrimRight(string(b), "\r\n")
	return err
}
