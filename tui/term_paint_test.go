package tui

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"goxin/tui/console"
)

const (
	cursorHome = "\x1b[H"
	enterPaste = "\x1b[?2004h"
	leavePaste = "\x1b[?2004l"
)

// wire is an output without a terminal: what would be sent is counted, and
// played into an emulation.
type wire struct {
	*output
	screen *console.Screen
	sent   []byte
}

func newWire(tier Tier, w, h int) *wire {
	x := &wire{screen: console.NewVT100(w, h)}
	term := "vt100"
	if tier == VT {
		x.screen, term = console.NewLinux(w, h, console.Glyphs), "linux"
	}
	x.output = newOutput(nil, charset{tier: tier}, term, w, h, func(b []byte) {
		x.sent = append(x.sent, b...)
		_, _ = x.screen.Write(b)
	})
	x.queued = func() int { return 0 }
	_, _ = x.Write([]byte(hideCursor))
	return x
}

// frame draws a view as bubbletea would draw all of it, and returns how many
// bytes that took.
func (x *wire) frame(view string) int {
	before := len(x.sent)
	_, _ = x.Write([]byte("\x1b[99A\r" + strings.ReplaceAll(view, "\n", ansi.EraseLineRight+"\r\n") + ansi.EraseLineRight + ansi.EraseScreenBelow + "\r"))
	return len(x.sent) - before
}

// same compares the emulated screen with what the output believes is there.
func (x *wire) same() error {
	if s := x.screen.Stray(); len(s) > 0 {
		return fmt.Errorf("stray: %v", s[0])
	}
	for y := range x.want.h {
		for i, c := range x.want.row(y) {
			if y == x.want.h-1 && i == x.want.w-1 {
				continue // never written
			}
			got := x.screen.At(i, y)
			want := console.Cell{Rune: c.r, Style: console.Style{Bold: c.bold, Underline: c.underline, Reverse: c.reverse, FG: int(c.fg) - 1, BG: int(c.bg) - 1}}
			if got != want {
				return fmt.Errorf("cell %d,%d is %+v, want %+v\nthe screen:\n%s", i, y, got, want, x.screen)
			}
		}
	}
	return nil
}

// scribble makes a view of words that look like pages: some lines the same as
// before, some moved, some changed.
func scribble(r *rand.Rand, before []string, w, h int) []string {
	lines := make([]string, h)
	shift := 0
	if r.IntN(3) > 0 {
		shift = r.IntN(7) - 3
	}
	words := []string{"kernel", "web", "net.core.somaxconn", "x", "\x1b[1mbold\x1b[m", "\x1b[7mmarked\x1b[0m", "\x1b[4;31mred\x1b[0m", "─────", "·", "中文", "   ", "✓"}
	for y := range lines {
		if o := y + shift; o >= 0 && o < len(before) && r.IntN(5) > 0 {
			lines[y] = before[o]
			continue
		}
		var b strings.Builder
		for n := r.IntN(9); n > 0; n-- {
			b.WriteString(words[r.IntN(len(words))])
			b.WriteString(strings.Repeat(" ", r.IntN(9)))
		}
		lines[y] = ansi.Truncate(b.String(), w, "")
	}
	return lines
}

// FuzzRepaint: whatever a page shows, after repainting the terminal shows it too,
// character by character and look by look, and was sent nothing it does not know.
func FuzzRepaint(f *testing.F) {
	for seed := range uint64(40) {
		f.Add(seed, 80, 24)
	}
	f.Add(uint64(1), 5, 2)
	f.Fuzz(func(t *testing.T, seed uint64, w, h int) {
		w, h = 2+w&127, 1+h&31
		for _, tier := range []Tier{Plain, VT} {
			for _, regions := range []bool{true, false} {
				r := rand.New(rand.NewPCG(seed, 7))
				x := newWire(tier, w, h)
				x.regions = regions
				var lines []string
				for range 6 {
					lines = scribble(r, lines, w, h)
					x.frame(strings.Join(lines, "\n"))
					if err := x.same(); err != nil {
						t.Fatalf("tier %d, regions %v, %dx%d: %v", tier, regions, w, h, err)
					}
				}
			}
		}
	})
}

// FuzzOutput: whatever bytes a frame is made of, a serial line is sent nothing
// that a VT100 does not know, and a Linux console no glyph it does not have.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{
		"\x1b[38;5;208mx\x1b[m", "\x1b]0;title\x07", "\x1b[?2026$p", "a\x1b[", "中\xe4\xb8", "e\u0301\u200d", "\x1b[99999999999;1H\x1b[J", "\n\n\n\x1b[5A\x1b[K", "\x9b31m", "\x1bP1$r\x1b\\",
	} {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		for _, tier := range []Tier{Plain, VT} {
			x := newWire(tier, 12, 4)
			for _, b := range [][]byte{first, second} {
				_, _ = x.Write(append([]byte("\r"), b...))
				if err := x.same(); err != nil {
					t.Fatalf("tier %d: %v", tier, err)
				}
			}
		}
	})
}

// TestChineseOnALineWithoutLimits: --lang zh on a line whose far end shows UTF-8.
func TestChineseOnALineWithoutLimits(t *testing.T) {
	var sent []byte
	o := newOutput(nil, charset{Plain, true}, "vt100", 12, 2, func(b []byte) { sent = append(sent, b...) })
	o.queued = func() int { return 0 }
	_, _ = o.Write([]byte(hideCursor))
	_, _ = o.Write([]byte("内核 ✓ 软件源"))
	if !strings.Contains(string(sent), "内核 ? 软件") || strings.Contains(string(sent), "源") {
		t.Errorf("%q: a character that does not fit whole is left out", sent)
	}
	sent = nil
	_, _ = o.Write([]byte("\rx 核 ? 软件"))
	if got := string(sent); !strings.HasPrefix(strings.TrimPrefix(got, "\x1b[H"), "\rx ") {
		t.Errorf("%q: the half of a character that is left is blanked", got)
	}
}

func TestOneLineOfALongListScrolls(t *testing.T) {
	list := func(top int) string {
		lines := []string{"goxin  kp-01", strings.Repeat("-", 80)}
		for i := range 20 {
			mark := " "
			if i == 19 {
				mark = ">"
			}
			lines = append(lines, fmt.Sprintf("%s %3d + net.ipv4.parameter.number.%d = %d", mark, top+i, (top+i)*7919, top+i))
		}
		return strings.Join(append(lines, "", "[w] write"), "\n")
	}
	x := newWire(Plain, 80, 24)
	x.frame(list(1))
	for i := range 5 {
		if n := x.frame(list(2 + i)); n > 100 {
			t.Errorf("scrolling by a line costs %d bytes", n)
		}
		if err := x.same(); err != nil {
			t.Fatal(err)
		}
	}
	if n := x.frame(list(2)); n > 500 {
		t.Errorf("scrolling back by four lines costs %d bytes", n)
	}
	if err := x.same(); err != nil {
		t.Fatal(err)
	}
}

func TestWhatASmallChangeCosts(t *testing.T) {
	for _, tc := range []struct {
		name, was, is string
		most          int
	}{
		{"nothing", "abc", "abc", 0},
		{"a letter", "abc", "abd", 6},
		{"the end of a line", strings.Repeat("x", 60), "x", 8},
		{"the end of a screen", "a\nb\nc\nd\ne\nf", "a", 10},
		{"a bold word becomes plain", "is \x1b[1mhere\x1b[m", "is here", 12},
	} {
		x := newWire(Plain, 80, 24)
		x.frame(tc.was)
		if n := x.frame(tc.is); n > tc.most {
			t.Errorf("%s costs %d bytes, want at most %d: %q", tc.name, n, tc.most, x.sent[len(x.sent)-n:])
		}
		if err := x.same(); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestTheScreenIsDrawnAnewWhereItIsNotKnown goes through what bubbletea does with
// the terminal beside drawing: what it writes then was read off v1.3.10.
func TestTheScreenIsDrawnAnewWhereItIsNotKnown(t *testing.T) {
	write := func(x *wire, seqs ...string) {
		for _, s := range seqs {
			_, _ = x.Write([]byte(s))
		}
	}
	view := "goxin  kp-01\n----\nthis machine"
	for _, tc := range []struct {
		name  string
		meant func(*wire)
	}{
		{"suspended and resumed", func(x *wire) {
			write(x, "\x1b[2K", "\r", leavePaste, showCursor)
			_, _ = x.screen.Write([]byte("\r\n[1]+  Stopped  goxin\r\n$ fg\r\n"))
			write(x, hideCursor)
		}},
		{"cleared on purpose", func(x *wire) {
			_, _ = x.screen.Write([]byte("kernel: something happened\r\n"))
			write(x, eraseScreen, cursorHome)
		}},
		{"resized", func(x *wire) {
			x.resize(79, 24)
			_, _ = x.screen.Write([]byte("\x1b[5;5Hleft over"))
			x.resize(80, 24)
		}},
		{"to the rich tier and back", func(x *wire) {
			x.shows(charset{tier: Rich})
			write(x, enterAlt, eraseScreen, cursorHome, hideCursor, "\x1b[38;5;37m✓\x1b[0m")
			x.shows(charset{tier: Plain})
			write(x, leaveAlt, hideCursor)
			x.screen = console.NewVT100(80, 24) // which has shown rubbish by now
			_, _ = x.screen.Write([]byte("rubbish"))
		}},
	} {
		x := newWire(Plain, 80, 24)
		x.frame(view)
		tc.meant(x)
		x.frame(view)
		if err := x.same(); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got := strings.TrimRight(x.screen.String(), "\n"); got != view {
			t.Errorf("%s: the screen is\n%s", tc.name, got)
		}
	}
}

// TestAFullLineIsNotGivenMore: a frame waits for the one before it to go down the
// line, but for a quarter of a second at most.
func TestAFullLineIsNotGivenMore(t *testing.T) {
	for _, tc := range []struct {
		name        string
		tier        Tier
		queue, rate int // bytes, and how many of them go in 5 ms
		waits       time.Duration
	}{
		{"an empty line", Plain, 0, 5, 0},
		{"a line of 9600 baud with a frame in it", Plain, 164, 5, 100 * time.Millisecond},
		{"a line that is stopped", Plain, 4096, 0, 250 * time.Millisecond},
		{"a console", VT, 4096, 0, 0},
	} {
		x := newWire(tc.tier, 80, 24)
		var waited time.Duration
		x.queued = func() int { return tc.queue }
		x.pause = func(d time.Duration) {
			waited += d
			tc.queue -= tc.rate
		}
		if x.frame("page"); waited != tc.waits {
			t.Errorf("%s: waited %v, want %v", tc.name, waited, tc.waits)
		}
	}
}

// TestTheRichTierGetsWhatItIsSent: nothing between bubbletea and a terminal that
// can do everything, and nothing left behind on its first screen.
func TestTheRichTierGetsWhatItIsSent(t *testing.T) {
	var sent []byte
	o := newOutput(nil, charset{tier: Rich}, "xterm-256color", 80, 24, func(b []byte) { sent = append(sent, b...) })
	for _, s := range []string{hideCursor, enterAlt, eraseScreen, hideCursor, enterPaste, "\x1b[38;5;37m✓ 内核", leavePaste, showCursor, leaveAlt, showCursor} {
		_, _ = o.Write([]byte(s))
	}
	want := enterAlt + eraseScreen + hideCursor + enterPaste + "\x1b[38;5;37m✓ 内核" + leavePaste + showCursor + leaveAlt
	if string(sent) != want {
		t.Errorf("sent\n%q, want\n%q", sent, want)
	}
}

// TestWhatALineCosts walks through the wizard on a serial line of 9600 baud: a
// key that moves the cursor is answered in 150 bytes, a page opens in 2,500.
func TestWhatALineCosts(t *testing.T) {
	for name, d := range screens(t) {
		t.Run(name, func(t *testing.T) {
			x := newWire(Plain, 80, 24)
			if n := x.frame(d.draw([2]int{80, 24}, Plain, "en")); n > 2500 {
				t.Errorf("opening the page costs %d bytes", n)
			}
			for _, key := range []string{"down", "down", "up", "tab", "shift+tab", "x", "backspace"} {
				if !d.moves(key) {
					continue
				}
				before := d.app.View()
				d.keys(key)
				after := d.app.View()
				most := 150
				if laidOut(before) != laidOut(after) { // another question, another page, or a word of refusal
					most = 2500
				}
				if n := x.frame(after); n > most {
					t.Errorf("%s costs %d bytes\n%s\n%s\n%q", key, n, before, after, x.sent[len(x.sent)-n:])
				}
				if err := x.same(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// laidOut is what of a page stays while only a cursor moves on it: its head, and
// where there are boxes.
func laidOut(view string) string {
	lines := strings.Split(view, "\n")
	s := ""
	for i, l := range lines {
		if i < 3 || strings.Contains(l, "+--") {
			s += fmt.Sprintln(i, strings.TrimRight(strings.TrimSuffix(strings.TrimRight(l, " "), "answers saved"), " "))
		}
	}
	return strings.TrimSpace(s)
}

// moves reports whether key only moves something on the page at hand.
func (d *driver) moves(key string) bool {
	return d.app.place.stage == atAsk && len(d.app.overlays) == 0 || key == "up" || key == "down"
}
