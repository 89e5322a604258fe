package console

import (
	"fmt"
	"slices"
	"strings"
)

// NewVT100 is a VT100 of cols x rows. Stray is every byte above 126 and every
// control function that its User Guide (EK-VT100-UG-003, chapter 3) does not
// have; the terminal itself would leave most of them out, but what emulates one
// on the far side of a serial line may not.
func NewVT100(cols, rows int) *Screen { return newScreen(cols, rows, &dec{}) }

// NewVT220 is a VT220 in 7-bit mode, by its Programmer Reference
// (EK-VT220-RM-002, chapter 4): it adds editing, the cursor's visibility and a
// few renditions to a VT100.
func NewVT220(cols, rows int) *Screen { return newScreen(cols, rows, &dec{vt220: true}) }

type dec struct {
	vt220    bool
	standard ecma48
}

// What the manuals have: the final characters of CSI sequences, those of ESC
// sequences, and the numbers of modes and renditions.
var (
	vt100CSI     = "ABCDHJKcfghlmnqrxy"
	vt220CSI     = "@LMPXi"
	vt100Escape  = "78=>DEHMZc"
	vt220Escape  = "NOno|}~"
	vt100Private = []int{1, 2, 3, 4, 5, 6, 7, 8, 9}
	vt220Private = []int{18, 19, 25, 42}
	vt100Modes   = []int{20}
	vt220Modes   = []int{2, 4, 12}
	vt100Looks   = []int{0, 1, 4, 5, 7}
	vt220Looks   = []int{22, 24, 25, 27}
)

func (m *dec) put(s *Screen, b byte) {
	inside, whole := m.standard.put(b)
	switch {
	case b > 126:
		s.complain(fmt.Sprintf("%#x", b), "no 7-bit character")
	case b < 0x20 && b != 0x1b && whole == nil:
		if !s.control(b) && b != 0x11 && b != 0x13 && b != 0x18 && b != 0x1a {
			s.complain(fmt.Sprintf("%#x", b), "a control character this terminal does not know")
		}
	case !inside:
		s.draw(rune(b), 1)
	case whole != nil && !m.do(s, string(whole[1:])):
		s.complain("ESC "+strings.TrimSpace(fmt.Sprintf("%q", whole[1:])), "not in the terminal's manual")
	}
}

func (m *dec) knows(list, more []int, n int) bool {
	return slices.Contains(list, n) || m.vt220 && slices.Contains(more, n)
}

func (m *dec) do(s *Screen, seq string) bool {
	if seq[0] != '[' {
		return m.escape(s, seq)
	}
	body, final := seq[1:len(seq)-1], seq[len(seq)-1]
	private := strings.HasPrefix(body, "?")
	params, ok := parameters(strings.TrimPrefix(body, "?"))
	switch {
	case !ok:
		return m.vt220 && (body == "!" && final == 'p' || strings.HasSuffix(body, `"`) && strings.ContainsRune("pq", rune(final)))
	case final == 'h' || final == 'l':
		for _, p := range params {
			known := m.knows(vt100Modes, vt220Modes, p)
			if private {
				known = m.knows(vt100Private, vt220Private, p)
			}
			if !known {
				return false
			}
			if private && p == 25 {
				s.hidden = final == 'l'
			}
		}
		return true
	case private:
		return m.vt220 && strings.IndexByte("JKin", final) >= 0
	case final == 'm':
		s.graphic(params, func(p int) bool { return m.knows(vt100Looks, vt220Looks, p) })
		return true
	case strings.IndexByte(vt100CSI, final) < 0 && (!m.vt220 || strings.IndexByte(vt220CSI, final) < 0):
		return false
	}
	s.sequence(final, params)
	return true
}

func (m *dec) escape(s *Screen, seq string) bool {
	switch seq[0] {
	case '(', ')':
		return len(seq) == 2 && strings.IndexByte("AB012", seq[1]) >= 0
	case '#':
		return len(seq) == 2 && strings.IndexByte("34568", seq[1]) >= 0
	case ' ':
		return m.vt220 && (seq == " F" || seq == " G")
	case '*', '+':
		return m.vt220
	case 'P': // DECUDK, DECDLD
		return m.vt220
	}
	if len(seq) != 1 || strings.IndexByte(vt100Escape, seq[0]) < 0 && (!m.vt220 || strings.IndexByte(vt220Escape, seq[0]) < 0) {
		return false
	}
	switch seq[0] {
	case '7':
		s.save()
	case '8':
		s.restore()
	case 'D':
		s.lineFeed()
	case 'E':
		s.x = 0
		s.lineFeed()
	case 'M':
		s.reverseLineFeed()
	case 'c':
		s.reset()
	}
	return true
}

// parameters are the numbers of a CSI sequence; false: there is something else
// among them. One that is left out is 0.
func parameters(body string) ([]int, bool) {
	out := []int{0}
	for _, c := range []byte(body) {
		last := len(out) - 1
		switch {
		case c == ';':
			out = append(out, 0)
		case c >= '0' && c <= '9':
			out[last] = min(out[last]*10+int(c-'0'), 1<<16)
		default:
			return nil, false
		}
	}
	return out, true
}
