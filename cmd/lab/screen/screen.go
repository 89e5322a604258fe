// Package screen drives a program on a terminal the way a person does: it
// types, and waits until it reads something on the screen. The terminal is an
// emulator, so what a test sees is what a person would, not a byte stream. It
// neither starts programs nor knows where they run.
package screen

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/vt"
)

// Line is the program's end of a terminal: Read gives what it prints and ends
// with it, Write is the keyboard.
type Line interface {
	io.ReadWriteCloser
	Resize(cols, rows int) error
}

// Replies says whether the terminal answers queries, as an emulator does, or
// is silent, as a serial line is.
type Replies bool

// A program must work with either.
const (
	Answers Replies = true
	Silent  Replies = false
)

// Terminal is a screen with a keyboard.
type Terminal struct {
	line    Line
	replies Replies

	mu       sync.Mutex
	emulator *vt.Emulator
	changed  time.Time // of the last output
	printed  int       // bytes
	ended    bool
}

// still is how long a screen must not change to count as drawn.
const still = 60 * time.Millisecond

// New puts a program's line on a terminal of the given size.
func New(line Line, cols, rows int, replies Replies) *Terminal {
	t := &Terminal{line: line, replies: replies, emulator: vt.NewEmulator(cols, rows)}
	go t.answer(t.emulator)
	go t.draw()
	return t
}

// answer drains the emulator's replies, also those that nobody gets: it stops
// drawing when they pile up.
func (t *Terminal) answer(replies io.Reader) {
	buf := make([]byte, 4096)
	for {
		n, err := replies.Read(buf)
		if n > 0 && t.replies == Answers {
			_, _ = t.line.Write(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

func (t *Terminal) draw() {
	buf := make([]byte, 32<<10)
	for {
		n, err := t.line.Read(buf)
		t.mu.Lock()
		if n > 0 {
			_, _ = t.emulator.Write(buf[:n])
			t.printed += n
			t.changed = time.Now()
		}
		if err != nil {
			t.ended = true
			t.mu.Unlock()
			if w, ok := t.emulator.InputPipe().(io.Closer); ok {
				_ = w.Close()
			}
			return
		}
		t.mu.Unlock()
	}
}

// Screen is the text on the screen: a line for each row, without the blanks at
// the ends of rows and of the screen.
func (t *Terminal) Screen() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for y := range t.emulator.Height() {
		row := ""
		for x := 0; x < t.emulator.Width(); {
			width, content := 1, " "
			if cell := t.emulator.CellAt(x, y); cell != nil && cell.Width > 0 {
				width, content = cell.Width, cell.Content
			}
			row += content
			x += width
		}
		b.WriteString(strings.TrimRight(row, " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// Styled is the screen with its colours and attributes as escape sequences.
func (t *Terminal) Styled() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.emulator.Render()
}

// Cursor is where the cursor is, column and row from 0.
func (t *Terminal) Cursor() (col, row int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.emulator.CursorPosition()
	return p.X, p.Y
}

// Printed is how many bytes the program has printed so far.
func (t *Terminal) Printed() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.printed
}

// Ended reports whether the program's end of the line is closed.
func (t *Terminal) Ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// Send sends bytes as they are.
func (t *Terminal) Send(s string) error {
	_, err := io.WriteString(t.line, s)
	return err
}

// Type types text, key by key as one paste.
func (t *Terminal) Type(text string) error { return t.Send(text) }

// Key presses keys by name, one after another: "enter", "shift+tab", "ctrl+c",
// "alt+x", "f2", "x".
func (t *Terminal) Key(names ...string) error {
	for _, name := range names {
		sequence, err := keySequence(name)
		if err != nil {
			return err
		}
		if err := t.Send(sequence); err != nil {
			return err
		}
		// Separate reads for the program: an escape followed at once by a
		// letter would be Alt and that letter.
		time.Sleep(15 * time.Millisecond)
	}
	return nil
}

// Resize changes the terminal's size.
func (t *Terminal) Resize(cols, rows int) error {
	t.mu.Lock()
	t.emulator.Resize(cols, rows)
	t.mu.Unlock()
	return t.line.Resize(cols, rows)
}

// Close hangs up.
func (t *Terminal) Close() error { return t.line.Close() }

// ErrTimeout says that a screen did not come in time.
var ErrTimeout = errors.New("the screen did not come")

// Wait waits until the screen has been still for a moment and seen accepts it.
// The error shows the screen there was instead.
func (t *Terminal) Wait(what string, limit time.Duration, seen func(screen string) bool) error {
	deadline := time.Now().Add(limit)
	for {
		t.mu.Lock()
		drawn, ended := time.Since(t.changed) >= still, t.ended
		t.mu.Unlock()
		if screen := t.Screen(); (drawn || ended) && seen(screen) {
			return nil
		} else if ended {
			return fmt.Errorf("%w: waited for %s, and the program ended with:\n%s", ErrTimeout, what, screen)
		} else if time.Now().After(deadline) {
			return fmt.Errorf("%w in %v: waited for %s, and saw:\n%s", ErrTimeout, limit, what, screen)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// WaitFor waits until all the texts are on the screen.
func (t *Terminal) WaitFor(limit time.Duration, texts ...string) error {
	return t.Wait(fmt.Sprintf("%q", texts), limit, func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// WaitGone waits until a text is no longer on the screen.
func (t *Terminal) WaitGone(limit time.Duration, text string) error {
	return t.Wait(fmt.Sprintf("%q to go", text), limit, func(screen string) bool {
		return !strings.Contains(screen, text)
	})
}

// WaitEnd waits until the program has ended.
func (t *Terminal) WaitEnd(limit time.Duration) error {
	for deadline := time.Now().Add(limit); !t.Ended(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%w in %v: waited for the program's end, and saw:\n%s", ErrTimeout, limit, t.Screen())
		}
	}
	return nil
}
