package console

import (
	"fmt"
	"unicode/utf8"
)

// NewLinux is the console of a 4.19 kernel in UTF-8 mode, with a font that has
// the glyphs of font beside ASCII. Stray are the characters it draws although
// they belong to a control sequence, and those its font does not have.
//
// Facts from drivers/tty/vt/vt.c of the openEuler 4.19 kernel (its commit
// 788601d9): the states, what each sequence does, that a parameter it does not
// expect ('>', '=', '<', ' ', '$', '!' …) ends the sequence at once and what
// follows is text. A state that swallows the rest (EScsiignore) came with 5.1.
func NewLinux(cols, rows int, font string) *Screen {
	m := &linux{font: make(map[rune]bool)}
	for _, r := range font {
		m.font[r] = true
	}
	return newScreen(cols, rows, m)
}

type linux struct {
	font     map[rune]bool
	standard ecma48
	state    linuxState
	ques     bool
	params   []int
	char     []byte // of a UTF-8 character that has begun
	charIn   bool   // that character stands inside a control sequence
}

type linuxState int

const (
	esNormal linuxState = iota
	esEsc
	esSquare
	esGetPars
	esFuncKey
	esHash
	esSetG0
	esSetG1
	esPercent
	esNonStd
	esPalette
	esOSC
)

const linuxMostParams = 16

func (m *linux) put(s *Screen, b byte) {
	inside, _ := m.standard.put(b)
	if m.state == esNormal && (b >= 0x80 || len(m.char) > 0) {
		if m.char == nil {
			m.charIn = inside
		}
		if m.rune(s, b) {
			return
		}
	}
	switch {
	case m.state == esNormal && b >= 0x20 && b != 0x7f:
		m.draw(s, rune(b), inside)
	default:
		m.control(s, b)
	}
}

// rune gathers a UTF-8 character; false: b still waits to be looked at.
func (m *linux) rune(s *Screen, b byte) bool {
	if len(m.char) > 0 && b&0xc0 != 0x80 { // the character was cut off
		m.char = nil
		m.draw(s, utf8.RuneError, m.charIn)
		if b < 0x80 {
			return false
		}
	}
	m.char = append(m.char, b)
	if !utf8.FullRune(m.char) {
		return true
	}
	r, _ := utf8.DecodeRune(m.char)
	m.char = nil
	m.draw(s, r, m.charIn)
	return true
}

func (m *linux) draw(s *Screen, r rune, inside bool) {
	switch {
	case inside:
		s.complain(fmt.Sprintf("%q", r), "the end of a control sequence, drawn as text")
	case r >= 0x7f && !m.font[r]:
		s.complain(fmt.Sprintf("%q", r), "not in the console's font")
	}
	w := 1
	if doubleWidth(r) {
		w = 2
	}
	s.draw(r, w)
}

// doubleWidth is the kernel's own table, coarser than Unicode's.
func doubleWidth(r rune) bool {
	for _, in := range [][2]rune{
		{0x1100, 0x115f},
		{0x2329, 0x232a},
		{0x2e80, 0x303e},
		{0x3040, 0xa4cf},
		{0xac00, 0xd7a3},
		{0xf900, 0xfaff},
		{0xfe10, 0xfe19},
		{0xfe30, 0xfe6f},
		{0xff00, 0xff60},
		{0xffe0, 0xffe6},
		{0x20000, 0x2fffd},
		{0x30000, 0x3fffd},
	} {
		if r >= in[0] && r <= in[1] {
			return true
		}
	}
	return false
}

func (m *linux) control(s *Screen, b byte) {
	if m.state == esOSC && b >= 8 && b <= 13 {
		return
	}
	switch {
	case b == 0x07 && m.state == esOSC, b == 0x18, b == 0x1a:
		m.state = esNormal
		return
	case b == 0x1b:
		m.state = esEsc
		return
	case b == 0x7f:
		return
	case b == 0x9b:
		m.state = esSquare
		return
	case s.control(b):
		return
	}
	switch m.state {
	case esEsc:
		m.escape(s, b)
	case esNonStd:
		switch {
		case b == 'P':
			m.params, m.state = nil, esPalette
		case b >= '0' && b <= '9':
			m.state = esOSC
		default:
			m.state = esNormal
			m.standard.state = inText // 'R', the console's own: resets the palette, and is whole
		}
	case esPalette:
		hex := b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
		m.params = append(m.params, 0)
		if !hex || len(m.params) == 7 {
			m.state = esNormal
			m.standard.state = inText
		}
	case esSquare:
		m.params, m.state, m.ques = []int{0}, esGetPars, b == '?'
		switch b {
		case '[':
			m.state = esFuncKey
		case '?':
		default:
			m.parameter(s, b)
		}
	case esGetPars:
		m.parameter(s, b)
	case esHash:
		m.state = esNormal
		if b == '8' {
			for i := range s.cells {
				s.cells[i] = Cell{Rune: 'E', Style: plain}
			}
		}
	case esOSC:
	default: // esPercent, esFuncKey, esSetG0, esSetG1: one byte, whatever it is
		m.state = esNormal
	}
}

func (m *linux) escape(s *Screen, b byte) {
	m.state = esNormal
	switch b {
	case '[':
		m.state = esSquare
	case ']':
		m.state = esNonStd
	case '%':
		m.state = esPercent
	case '(':
		m.state = esSetG0
	case ')':
		m.state = esSetG1
	case '#':
		m.state = esHash
	case 'E':
		s.x = 0
		s.lineFeed()
	case 'M':
		s.reverseLineFeed()
	case 'D':
		s.lineFeed()
	case '7':
		s.save()
	case '8':
		s.restore()
	case 'c':
		s.reset()
	}
}

func (m *linux) parameter(s *Screen, b byte) {
	last := len(m.params) - 1
	switch {
	case b == ';' && len(m.params) < linuxMostParams:
		m.params = append(m.params, 0)
	case b >= '0' && b <= '9':
		m.params[last] = min(m.params[last]*10+int(b-'0'), 1<<16)
	default:
		m.state = esNormal
		m.sequence(s, b)
	}
}

func (m *linux) sequence(s *Screen, final byte) {
	if m.ques {
		if final == 'h' || final == 'l' {
			for _, p := range m.params {
				if p == 25 {
					s.hidden = final == 'l'
				}
			}
		}
		return
	}
	if final == 'm' {
		s.graphic(extended(m.params), func(int) bool { return true })
		return
	}
	s.sequence(final, m.params)
}

// extended takes the parameters of 256 and true colours out; the kernel makes of
// them the nearest of its sixteen.
func extended(params []int) []int {
	var out []int
	for i := 0; i < len(params); i++ {
		if params[i] == 38 || params[i] == 48 {
			switch {
			case i+2 < len(params) && params[i+1] == 5:
				i += 2
			case i+4 < len(params) && params[i+1] == 2:
				i += 4
			default:
				i++
			}
			continue
		}
		out = append(out, params[i])
	}
	return out
}

// sequence does what a CSI sequence without private marker says.
func (s *Screen) sequence(final byte, params []int) {
	arg := func(i int) int {
		if i < len(params) {
			return params[i]
		}
		return 0
	}
	n := max(arg(0), 1)
	switch final {
	case '@':
		s.insertCells(n)
	case 'A':
		s.moveTo(s.x, s.y-n)
	case 'B', 'e':
		s.moveTo(s.x, s.y+n)
	case 'C', 'a':
		s.moveTo(s.x+n, s.y)
	case 'D':
		s.moveTo(s.x-n, s.y)
	case 'E':
		s.moveTo(0, s.y+n)
	case 'F':
		s.moveTo(0, s.y-n)
	case 'G', '`':
		s.moveTo(n-1, s.y)
	case 'H', 'f':
		s.moveTo(max(arg(1), 1)-1, n-1)
	case 'J':
		s.eraseDisplay(arg(0))
	case 'K':
		s.eraseLine(arg(0))
	case 'L':
		s.shift(s.y, -n)
	case 'M':
		s.shift(s.y, n)
	case 'P':
		s.insertCells(-n)
	case 'X':
		at := s.y*s.cols + s.x
		s.erase(at, min(at+n, (s.y+1)*s.cols))
	case 'd':
		s.moveTo(s.x, n-1)
	case 'r':
		s.region(arg(0), arg(1))
	case 's':
		s.save()
	case 'u':
		s.restore()
	}
}
