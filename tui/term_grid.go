package tui

import (
	"slices"

	"github.com/charmbracelet/x/ansi"
)

// A grid is what stands on a screen, cell by cell. bubbletea's renderer rewrites
// every line that differs, from its first character to its last; over a serial
// line that is a second for a page. So on the basic tiers what it writes is
// played into a grid, and only the cells that differ are sent (term_paint.go).
//
// The language played is what bubbletea v1.3.10 writes and no more: text, CR, LF,
// SGR, cursor up and home, erasing; lipgloss adds SGR. It is not a terminal:
// nothing wraps, what does not fit is cut.
type grid struct {
	w, h  int
	cells []cell
	x, y  int // of the cursor; x is w after the last column was written
	look  look
}

// cell is a character and how it looks; the right half of a wide one has rune 0.
type cell struct {
	r rune
	look
}

// look is what the basic tiers can show of a style. Colours are 1 to 8, the eight
// of ECMA-48 in their order; 0 is the terminal's own.
type look struct {
	bold, underline, reverse bool
	fg, bg                   uint8
}

var blank = cell{r: ' '}

func newGrid(w, h int) grid {
	g := grid{w: w, h: h, cells: make([]cell, w*h)}
	g.erase(0, len(g.cells))
	return g
}

func (g *grid) copyOf() grid {
	c := *g
	c.cells = slices.Clone(g.cells)
	return c
}

func (g *grid) row(y int) []cell { return g.cells[y*g.w : (y+1)*g.w] }

func (g *grid) erase(from, to int) {
	for i := from; i < to; i++ {
		g.cells[i] = blank
	}
}

// scroll moves rows top to bottom, inclusive, up by n, or down by -n.
func (g *grid) scroll(top, bottom, n int) {
	from, to := top*g.w, (bottom+1)*g.w
	if n > 0 {
		n = min(n*g.w, to-from)
		copy(g.cells[from:to], g.cells[from+n:to])
		g.erase(to-n, to)
		return
	}
	n = min(-n*g.w, to-from)
	copy(g.cells[from+n:to], g.cells[from:to-n])
	g.erase(from, from+n)
}

// play takes what bubbletea writes; charset says what of it can be shown.
func (g *grid) play(b []byte, c charset) {
	p := ansi.NewParser()
	var state byte
	for len(b) > 0 {
		seq, width, n, next := ansi.DecodeSequence(b, state, p)
		switch {
		case width > 0:
			g.put(seq, width, c)
		case len(seq) == 1:
			g.control(seq[0])
		case len(seq) > 2 && seq[0] == 0x1b && seq[1] == '[':
			g.sequence(ansi.Cmd(p.Command()), p.Params())
		}
		b, state = b[n:], next
	}
}

func (g *grid) put(text []byte, width int, c charset) {
	if g.x+width > g.w || g.h == 0 {
		g.x = g.w
		return
	}
	r, fits := c.keep(text)
	if !fits { // cell by cell, so that nothing moves
		for range width {
			g.cells[g.y*g.w+g.x] = cell{'?', c.show(g.look)}
			g.x++
		}
		return
	}
	row := g.row(g.y)
	row[g.x] = cell{r, c.show(g.look)}
	if width == 2 {
		row[g.x+1] = cell{0, c.show(g.look)}
	}
	g.x += width
}

func (g *grid) control(b byte) {
	switch b {
	case '\r':
		g.x = 0
	case '\n':
		if g.y < g.h-1 {
			g.y++
		} else if g.h > 0 {
			g.scroll(0, g.h-1, 1)
		}
	case '\b':
		g.x = max(g.x-1, 0)
	}
}

func (g *grid) sequence(cmd ansi.Cmd, params ansi.Params) {
	arg := func(i, otherwise int) int {
		n, _, ok := params.Param(i, otherwise)
		if !ok {
			return otherwise
		}
		return n
	}
	if cmd.Prefix() != 0 || cmd.Intermediate() != 0 {
		return
	}
	line, end := g.y*g.w, (g.y+1)*g.w
	here := line + min(g.x, g.w)
	switch cmd.Final() {
	case 'A':
		g.y = max(g.y-max(arg(0, 1), 1), 0)
	case 'B':
		g.y = max(min(g.y+max(arg(0, 1), 1), g.h-1), 0)
	case 'H':
		g.y = max(min(arg(0, 1), g.h), 1) - 1
		g.x = max(min(arg(1, 1), g.w), 1) - 1
	case 'J':
		if arg(0, 0) == 2 {
			g.erase(0, len(g.cells))
		} else {
			g.erase(here, len(g.cells))
		}
	case 'K':
		if arg(0, 0) == 2 {
			g.erase(line, end)
		} else {
			g.erase(here, end)
		}
	case 'm':
		g.look = g.look.with(params)
	}
}

// with is l after an SGR sequence. Colours beyond the eight are left out.
func (l look) with(params ansi.Params) look {
	if len(params) == 0 {
		return look{}
	}
	for i := 0; i < len(params); i++ {
		switch n := params[i].Param(0); {
		case n == 0:
			l = look{}
		case n == 1:
			l.bold = true
		case n == 4:
			l.underline = true
		case n == 7:
			l.reverse = true
		case n == 22:
			l.bold = false
		case n == 24:
			l.underline = false
		case n == 27:
			l.reverse = false
		case n >= 30 && n <= 37:
			l.fg = uint8(n - 29)
		case n >= 90 && n <= 97:
			l.fg, l.bold = uint8(n-89), true
		case n >= 40 && n <= 47:
			l.bg = uint8(n - 39)
		case n == 39:
			l.fg = 0
		case n == 49:
			l.bg = 0
		case n == 38 || n == 48: // 5 and an index, or 2 and three parts
			i += 2
			if i-1 < len(params) && params[i-1].Param(0) == 2 {
				i += 2
			}
		}
	}
	return l
}
