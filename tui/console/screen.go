// Package console emulates the terminals that goxin must not embarrass: the
// console of a Linux 4.19 kernel, which takes the end of a sequence it does not
// know for text, and DEC's VT100 and VT220, which know what their manuals list
// and nothing else. Tests write a program's bytes into a Screen and ask what
// stands there and what should never have been sent.
//
// It draws nothing anywhere, answers no request, keeps no scrollback, and is in
// no program: only tests import it. What is no part of the question (printing,
// downloaded characters, double width lines) it takes note of and leaves out.
package console

import (
	"fmt"
	"slices"
	"strings"
)

// Screen is what stands on a terminal. It is not safe for concurrent use.
type Screen struct {
	cols, rows  int
	cells       []Cell
	x, y        int
	wrap        bool // the cursor is past the last column: the next character wraps
	top, bottom int  // of the scrolling region, 0-based and inclusive
	style       Style
	hidden      bool // the cursor
	saved       struct {
		x, y  int
		style Style
	}

	model  model
	offset int
	stray  []Stray
}

// model is the parser of one kind of terminal: it gets the bytes one by one.
type model interface {
	put(s *Screen, b byte)
}

// Style is how a cell is drawn. Colours are 0 to 7, or -1 for the default.
type Style struct {
	Bold, Faint, Underline, Reverse bool
	FG, BG                          int
}

// Cell is one place on the screen. The right half of a wide character has the
// rune 0.
type Cell struct {
	Rune rune
	Style
}

// Stray is something the terminal should not have been sent.
type Stray struct {
	At   int    // offset of the byte among all that were written
	What string // the byte or the sequence, quoted
	Why  string
}

func (s Stray) String() string { return fmt.Sprintf("byte %d, %s: %s", s.At, s.What, s.Why) }

var plain = Style{FG: -1, BG: -1}

func newScreen(cols, rows int, m model) *Screen {
	s := &Screen{cols: cols, rows: rows, cells: make([]Cell, cols*rows), bottom: rows - 1, style: plain, model: m}
	s.saved.style = plain
	s.erase(0, len(s.cells))
	return s
}

// Write plays bytes. It never fails.
func (s *Screen) Write(p []byte) (int, error) {
	for _, b := range p {
		s.model.put(s, b)
		s.offset++
	}
	return len(p), nil
}

// String is the text on the screen: as many lines as it has rows, without the
// spaces at their ends.
func (s *Screen) String() string {
	lines := make([]string, s.rows)
	for y := range lines {
		var b strings.Builder
		for _, c := range s.cells[y*s.cols : (y+1)*s.cols] {
			if c.Rune != 0 {
				b.WriteRune(c.Rune)
			}
		}
		lines[y] = strings.TrimRight(b.String(), " ")
	}
	return strings.Join(lines, "\n")
}

// At is the cell in column x of row y, both from 0.
func (s *Screen) At(x, y int) Cell { return s.cells[y*s.cols+x] }

// Cursor is where the next character goes: column and row from 0.
func (s *Screen) Cursor() (x, y int) { return s.x, s.y }

// CursorHidden reports whether the cursor was switched off.
func (s *Screen) CursorHidden() bool { return s.hidden }

// Stray is what should not have been sent, in the order it came.
func (s *Screen) Stray() []Stray { return slices.Clone(s.stray) }

func (s *Screen) complain(what, why string) {
	s.stray = append(s.stray, Stray{At: s.offset, What: what, Why: why})
}

// draw puts a character of one or two cells at the cursor.
func (s *Screen) draw(r rune, width int) {
	for i := range width {
		if s.wrap {
			s.x = 0
			s.lineFeed()
		}
		c := Cell{Style: s.style}
		if i == 0 {
			c.Rune = r
		}
		s.cells[s.y*s.cols+s.x] = c
		s.wrap = s.x == s.cols-1
		if !s.wrap {
			s.x++
		}
	}
}

func (s *Screen) moveTo(x, y int) {
	s.x, s.y = max(min(x, s.cols-1), 0), max(min(y, s.rows-1), 0)
	s.wrap = false
}

func (s *Screen) lineFeed() {
	if s.y == s.bottom {
		s.scroll(1)
	} else if s.y < s.rows-1 {
		s.y++
	}
	s.wrap = false
}

func (s *Screen) reverseLineFeed() {
	if s.y == s.top {
		s.scroll(-1)
	} else if s.y > 0 {
		s.y--
	}
	s.wrap = false
}

// scroll moves the region's lines up by n, or down by -n.
func (s *Screen) scroll(n int) { s.shift(s.top, n) }

func (s *Screen) shift(top, n int) {
	from, to := top*s.cols, (s.bottom+1)*s.cols
	size := to - from
	n = max(min(n*s.cols, size), -size)
	if n > 0 {
		copy(s.cells[from:to], s.cells[from+n:to])
		s.erase(to-n, to)
	} else {
		copy(s.cells[from-n:to], s.cells[from:to+n])
		s.erase(from, from-n)
	}
}

// erase blanks cells with the background at hand, as the Linux console does; on
// a VT100 there is none.
func (s *Screen) erase(from, to int) {
	blank := Cell{Rune: ' ', Style: Style{FG: -1, BG: s.style.BG}}
	for i := from; i < to; i++ {
		s.cells[i] = blank
	}
}

func (s *Screen) eraseDisplay(how int) {
	here := s.y*s.cols + s.x
	switch how {
	case 0:
		s.erase(here, len(s.cells))
	case 1:
		s.erase(0, here+1)
	case 2:
		s.erase(0, len(s.cells))
	}
	s.wrap = false
}

func (s *Screen) eraseLine(how int) {
	line, here := s.y*s.cols, s.y*s.cols+s.x
	switch how {
	case 0:
		s.erase(here, line+s.cols)
	case 1:
		s.erase(line, here+1)
	case 2:
		s.erase(line, line+s.cols)
	}
	s.wrap = false
}

// insertCells moves the rest of the line right by n, or left by -n.
func (s *Screen) insertCells(n int) {
	line := s.cells[s.y*s.cols+s.x : (s.y+1)*s.cols]
	at, end := s.y*s.cols+s.x, (s.y+1)*s.cols
	n = max(min(n, len(line)), -len(line))
	if n > 0 {
		copy(line[n:], line[:len(line)-n])
		s.erase(at, at+n)
	} else {
		copy(line, line[-n:])
		s.erase(end+n, end)
	}
	s.wrap = false
}

// region sets the scrolling region to rows top to bottom, from 1; 0 is the edge.
func (s *Screen) region(top, bottom int) {
	top = max(top, 1)
	if bottom == 0 {
		bottom = s.rows
	}
	if top < bottom && bottom <= s.rows {
		s.top, s.bottom = top-1, bottom-1
		s.moveTo(0, 0)
	}
}

func (s *Screen) save() { s.saved.x, s.saved.y, s.saved.style = s.x, s.y, s.style }

func (s *Screen) restore() {
	s.moveTo(s.saved.x, s.saved.y)
	s.style = s.saved.style
}

func (s *Screen) reset() {
	s.style, s.top, s.bottom, s.hidden = plain, 0, s.rows-1, false
	s.moveTo(0, 0)
	s.save()
	s.eraseDisplay(2)
}

// control does what one of the common control characters says; false: it is none.
func (s *Screen) control(b byte) bool {
	switch b {
	case 0x00, 0x05, 0x07:
	case '\b':
		if s.x > 0 {
			s.x--
		}
		s.wrap = false
	case '\t':
		s.moveTo(min((s.x/8+1)*8, s.cols-1), s.y)
	case '\n', '\v', '\f':
		s.lineFeed()
	case '\r':
		s.x, s.wrap = 0, false
	case 0x0e, 0x0f: // character sets; nothing here uses the other one
	default:
		return false
	}
	return true
}

// graphic applies the parameters of SGR that ok knows.
func (s *Screen) graphic(params []int, ok func(int) bool) {
	for _, p := range params {
		if !ok(p) {
			s.complain(fmt.Sprintf("ESC [ %d m", p), "a rendition this terminal does not know")
			continue
		}
		switch {
		case p == 0:
			s.style = plain
		case p == 1:
			s.style.Bold, s.style.Faint = true, false
		case p == 2:
			s.style.Bold, s.style.Faint = false, true
		case p == 4:
			s.style.Underline = true
		case p == 7:
			s.style.Reverse = true
		case p == 22:
			s.style.Bold, s.style.Faint = false, false
		case p == 24:
			s.style.Underline = false
		case p == 27:
			s.style.Reverse = false
		case p >= 30 && p <= 37:
			s.style.FG = p - 30
		case p == 39:
			s.style.FG = -1
		case p >= 40 && p <= 47:
			s.style.BG = p - 40
		case p == 49:
			s.style.BG = -1
		case p >= 90 && p <= 97:
			s.style.FG, s.style.Bold = p-90, true
		}
	}
}
