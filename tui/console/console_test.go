package console

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestALinuxConsoleDrawsTheTailOfWhatItDoesNotKnow(t *testing.T) {
	// What a program that probes for modern terminals sends at its start and at
	// its end; before 5.1 the kernel prints the letters below.
	start := "\x1b[?2026$p\x1b[?2027$p\x1b[>4m\x1b[=0;1u\x1b[?1049h\x1b[?25l\x1b[?5W\x1b[?2004h\x1b[>4;2m\x1b[=1;1u\x1b[?u"
	end := "\x1b[>4m\x1b[=0;1u\x1b[24;1H\x1b[?1049l\x1b[?25h\x1b[?2004l"
	for _, tc := range []struct{ name, in, text string }{
		{"a start", start, "pp4m0;1u4;2m1;1u"},
		{"an end", end, "4m0;1u"},
		{"a cursor's shape", "\x1b[5 q", "q"},
		{"a request for the version", "\x1b[>0q", "0q"},
		{"a soft reset", "\x1b[!p", "p"},
		{"a title", "\x1b]0;goxin\x07ok", "ok"},
		{"a title that ends in ST", "\x1b]2;goxin\x1b\\ok", "ok"},
		{"the background asked for", "\x1b]11;?\x07", ""},
		{"a device control string", "\x1bP+q544e\x1b\\x", "+q544ex"},
		{"a palette", "\x1b]P1ff0000\x1b]R.", "."},
		{"function key", "\x1b[[Ax", "x"},
		{"a character set", "\x1b(B\x1b)0\x1b%Gx", "x"},
		{"known private modes", "\x1b[?25l\x1b[?7h\x1b[?1000hx", "x"},
		{"colours of later terminals", "\x1b[38;5;208m\x1b[48;2;1;2;3mx", "x"},
	} {
		s := NewLinux(80, 24, Glyphs)
		_, _ = s.Write([]byte(tc.in))
		text := strings.TrimSpace(s.String())
		if text != tc.text {
			t.Errorf("%s: the screen says %q, want %q", tc.name, text, tc.text)
		}
		var stray string
		for _, x := range s.Stray() {
			stray += strings.Trim(x.What, "'")
		}
		if want := strings.TrimRight(tc.text, "okx."); stray != want {
			t.Errorf("%s: stray %q, want %q", tc.name, stray, want)
		}
	}
}

func TestALinuxConsoleWithoutAGlyph(t *testing.T) {
	for in, stray := range map[string]string{
		"abc ─│┌ ×": "", "✓": `'✓'`, "中": `'中'`, "\xe4\xb8a": `'�'`, "\xff": `'�'`,
	} {
		s := NewLinux(20, 2, Glyphs)
		_, _ = s.Write([]byte(in))
		got := ""
		for _, x := range s.Stray() {
			got += x.What
		}
		if got != stray {
			t.Errorf("%q: stray %s, want %s", in, got, stray)
		}
	}
}

func TestWhatTheManualsHave(t *testing.T) {
	for _, tc := range []struct {
		in           string
		vt100, vt220 bool
	}{
		{"plain text\r\n\b\t\a", true, true},
		{"\x1b[1;7mx\x1b[0m\x1b[m", true, true},
		{"\x1b[22m", false, true},
		{"\x1b[31m", false, false},
		{"\x1b[H\x1b[2J\x1b[K\x1b[J\x1b[5;10H\x1b[3A\x1b[2B\x1b[C\x1b[D", true, true},
		{"\x1b[2;10r\x1bD\x1bM\x1bE\x1b7\x1b8\x1b[r", true, true},
		{"\x1b[6n\x1b[c\x1bZ", true, true},
		{"\x1b[?7h\x1b[?1l\x1b=\x1b>", true, true},
		{"\x1b[?25l", false, true},
		{"\x1b[?1049h", false, false},
		{"\x1b[?2004h", false, false},
		{"\x1b[2L\x1b[M\x1b[P\x1b[@\x1b[X", false, true},
		{"\x1b[4h", false, true},
		{"\x1b[3G", false, false},
		{"\x1b[S", false, false},
		{"\x1b[!p", false, true},
		{"\x1b[>c", false, false},
		{"\x1b]0;title\a", false, false},
		{"\x1b(0\x1b(B\x1b#8", true, true},
		{"\x1b%G", false, false},
		{"é", false, false},
		{"\x7f", false, false},
	} {
		for _, m := range []struct {
			name string
			s    *Screen
			ok   bool
		}{{"VT100", NewVT100(80, 24), tc.vt100}, {"VT220", NewVT220(80, 24), tc.vt220}} {
			_, _ = m.s.Write([]byte(tc.in))
			if got := len(m.s.Stray()) == 0; got != m.ok {
				t.Errorf("%s, %q: known %v, want %v (%v)", m.name, tc.in, got, m.ok, m.s.Stray())
			}
		}
	}
}

func TestWhatSequencesDo(t *testing.T) {
	five := "1\r\n2\r\n3\r\n4\r\n5"
	for _, tc := range []struct{ name, in, want string }{
		{"a line wraps when the next character comes", "abcdefgh" + "i", "abcdefgh\ni\n\n\n"},
		{"and not before", "abcdefgh" + "\r\nx", "abcdefgh\nx\n\n\n"},
		{"the last line scrolls", five + "\r\n6", "2\n3\n4\n5\n6"},
		{"a place", "\x1b[2;3Hx", "\n  x\n\n\n"},
		{"a place outside", "\x1b[99;99Hx", "\n\n\n\n       x"},
		{"the rest of a line", "abcdef\x1b[1;3H\x1b[K", "ab\n\n\n\n"},
		{"the start of a line", "abcdef\x1b[1;3H\x1b[1K", "   def\n\n\n\n"},
		{"the rest of the screen", five + "\x1b[3;1H\x1b[J", "1\n2\n\n\n"},
		{"the whole screen", five + "\x1b[2J", "\n\n\n\n"},
		{"a region scrolls up", five + "\x1b[2;4r\x1b[4;1H\n\x1b[rx", "x\n3\n4\n\n5"},
		{"a region scrolls down", five + "\x1b[2;4r\x1b[2;1H\x1bM\x1b[rx", "x\n\n2\n3\n5"},
		{"lines come", five + "\x1b[2;1H\x1b[2L", "1\n\n\n2\n3"},
		{"lines go", five + "\x1b[2;1H\x1b[2M", "1\n4\n5\n\n"},
		{"cells come", "abc\r\x1b[2@", "  abc\n\n\n\n"},
		{"cells go", "abc\r\x1b[2P", "c\n\n\n\n"},
		{"a place kept", "\x1b[2;2H\x1b7\x1b[5;5H\x1b8x", "\n x\n\n\n"},
		{"up, and back over", "\x1b[3;3H\x1b[2A\b\bx", "x\n\n\n\n"},
	} {
		for _, s := range []*Screen{NewLinux(8, 5, Glyphs), NewVT220(8, 5)} {
			_, _ = s.Write([]byte(tc.in))
			if got := s.String(); got != tc.want {
				t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
			}
		}
	}
}

func TestLooks(t *testing.T) {
	s := NewLinux(8, 2, Glyphs)
	_, _ = s.Write([]byte("\x1b[1;31;44ma\x1b[22;7mb\x1b[0mc\x1b[93md"))
	red, blue := 1, 4
	for x, want := range []Cell{
		{'a', Style{Bold: true, FG: red, BG: blue}},
		{'b', Style{Reverse: true, FG: red, BG: blue}},
		{'c', Style{FG: -1, BG: -1}},
		{'d', Style{Bold: true, FG: 3, BG: -1}},
	} {
		if got := s.At(x, 0); got != want {
			t.Errorf("cell %d is %+v, want %+v", x, got, want)
		}
	}
	_, _ = s.Write([]byte("\x1b[?25l"))
	if x, y := s.Cursor(); x != 4 || y != 0 || !s.CursorHidden() {
		t.Errorf("cursor at %d,%d, hidden %v", x, y, s.CursorHidden())
	}
}

// FuzzScreen: no bytes break a screen, and text alone is never stray.
func FuzzScreen(f *testing.F) {
	for _, s := range []string{"\x1b[?2026$p", "\x1b]0;x\x07", "\x1b[99999999999999999;1H", "\xe4\xb8\x1b[m", "\x1bP1$r\x1b\\", "a\x18b", "\x1b[2;4r\x1b[5L\x1b[99P"} {
		f.Add([]byte(s), 7, 3)
	}
	f.Fuzz(func(t *testing.T, b []byte, w, h int) {
		w, h = 2+w&31, 2+h&15
		for _, s := range []*Screen{NewLinux(w, h, Glyphs), NewVT100(w, h), NewVT220(w, h)} {
			_, _ = s.Write(b)
			if x, y := s.Cursor(); x < 0 || x >= w || y < 0 || y >= h {
				t.Fatalf("the cursor is at %d,%d of %dx%d", x, y, w, h)
			}
			if n := strings.Count(s.String(), "\n"); n != h-1 {
				t.Fatalf("%d lines of %d", n+1, h)
			}
		}
		var text []byte
		for _, c := range b {
			if c >= ' ' && c < utf8.RuneSelf && c != 0x7f {
				text = append(text, c)
			}
		}
		s := NewLinux(w, h, Glyphs)
		_, _ = s.Write(text)
		if len(s.Stray()) > 0 {
			t.Fatalf("text is stray: %v", s.Stray())
		}
	})
}
