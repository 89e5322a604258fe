package tui

import (
	"bytes"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"
)

// The size of a terminal that neither knows its own nor answers.
const (
	unknownWidth  = 80
	unknownHeight = 24
)

const (
	answerWithin = 300 * time.Millisecond // a terminal says where its cursor is
	mostCells    = 1000                   // no terminal is believed to be wider or higher
)

// sizeOf finds the terminal's size in cells: what it says of itself, else where
// its cursor stops on the way to a far corner (CUP and CPR, which a VT100 knows),
// else $COLUMNS and $LINES, else 80x24. typed is what was read meanwhile and is
// no answer.
func sizeOf(in, out *os.File, getenv func(string) string) (w, h int, typed []byte) {
	if w, h, err := term.GetSize(out.Fd()); err == nil && w > 0 && h > 0 {
		return w, h, nil
	}
	w, h, typed = askSize(in, out)
	if w > 0 {
		return w, h, typed
	}
	w, h = unknownWidth, unknownHeight
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 && n <= mostCells {
		w = n
	}
	if n, err := strconv.Atoi(getenv("LINES")); err == nil && n > 0 && n <= mostCells {
		h = n
	}
	return w, h, typed
}

func askSize(in, out *os.File) (w, h int, typed []byte) {
	before, err := term.MakeRaw(in.Fd())
	if err != nil {
		return 0, 0, nil
	}
	defer func() { _ = term.Restore(in.Fd(), before) }()
	if _, err := out.WriteString("\x1b7\x1b[999;999H\x1b[6n\x1b8"); err != nil {
		return 0, 0, nil
	}
	deadline := time.Now().Add(answerWithin)
	buf := make([]byte, 256)
	for left := answerWithin; left > 0 && readable(in.Fd(), left); left = time.Until(deadline) {
		n, err := in.Read(buf)
		typed = append(typed, buf[:n]...)
		if err != nil || n == 0 {
			break
		}
		if w, h, rest := cursorReport(typed); w > 0 {
			return w, h, rest
		}
	}
	return 0, 0, typed
}

// cursorReport finds a CPR (ESC [ row ; column R) in what was read, and returns
// what else there was; 0, 0: there is none.
func cursorReport(b []byte) (col, row int, rest []byte) {
	for from := 0; ; {
		at := bytes.Index(b[from:], []byte("\x1b["))
		if at < 0 {
			return 0, 0, b
		}
		from += at + 2
		body, after, whole := bytes.Cut(b[from:], []byte("R"))
		r, c, two := bytes.Cut(body, []byte(";"))
		row, e1 := strconv.Atoi(string(r))
		col, e2 := strconv.Atoi(string(c))
		if whole && two && e1 == nil && e2 == nil && row > 0 && row <= mostCells && col > 0 && col <= mostCells {
			return col, row, append(b[:from-2:from-2], after...)
		}
	}
}

// typedKeys are the keys whose bytes were read before bubbletea could: characters,
// control keys and arrows. Of other function keys nothing is made.
func typedKeys(b []byte) []tea.KeyMsg {
	arrows := map[byte]tea.KeyType{'A': tea.KeyUp, 'B': tea.KeyDown, 'C': tea.KeyRight, 'D': tea.KeyLeft}
	var keys []tea.KeyMsg
	for len(b) > 0 {
		n := 1
		switch {
		case b[0] == 0x1b && len(b) > 1 && (b[1] == '[' || b[1] == 'O'):
			for n = 2; n < len(b) && b[n] < 0x40; {
				n++
			}
			if n < len(b) {
				if k, ok := arrows[b[n]]; ok && n == 2 {
					keys = append(keys, tea.KeyMsg{Type: k})
				}
				n++
			}
		case b[0] < ' ' || b[0] == 0x7f:
			keys = append(keys, tea.KeyMsg{Type: tea.KeyType(b[0])})
		default:
			r, size := utf8.DecodeRune(b)
			if n = size; r == ' ' {
				keys = append(keys, tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{r}})
			} else if r != utf8.RuneError {
				keys = append(keys, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
			}
		}
		b = b[n:]
	}
	return keys
}
