package tui

import (
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"goxin/tui/console"
)

// replay plays all that a session sent into emulations of the terminals it may
// have been sent to. None of them may show what belongs to a control sequence,
// or be sent what it does not know.
func (x *terminal) replay(cols, rows int, kinds ...string) *console.Screen {
	x.t.Helper()
	var s *console.Screen
	for _, kind := range kinds {
		switch kind {
		case "linux":
			s = console.NewLinux(cols, rows, console.Glyphs)
		case "vt100":
			s = console.NewVT100(cols, rows)
		case "vt220":
			s = console.NewVT220(cols, rows)
		}
		_, _ = io.WriteString(s, x.bytes())
		for i, stray := range s.Stray() {
			if i > 4 {
				break
			}
			x.t.Errorf("%s: %s", kind, stray)
		}
	}
	return s
}

// ends waits for the end of a session that is to be left, and reports what stood
// on the screen then.
func (x *terminal) ends(want What) *terminal {
	x.t.Helper()
	if code := x.exits(); code != 10+int(want) {
		x.t.Errorf("exit %d, want %d\n%s", code, 10+int(want), x.screen())
	}
	return x.sees("END")
}

// TestNoGlyphIsStray: from its first byte to the shell's next prompt, through
// every kind of page, help, both switches, a refusal and a stop.
func TestNoGlyphIsStray(t *testing.T) {
	for _, tc := range []struct {
		term  string
		kinds []string
	}{{"linux", []string{"linux"}}, {"vt100", []string{"vt100", "vt220", "linux"}}, {"vt220", []string{"vt100", "vt220", "linux"}}} {
		t.Run(tc.term, func(t *testing.T) {
			t.Parallel()
			x := wizard(t, 80, 24, "TERM="+tc.term, "FAKE_DEVIATE=1")
			x.sees("This machine").types("\x1bOP").sees("all keys").types("\x1b").sees("This machine")
			x.types("\x0f").sees("--lang zh").types("\x1b").sees("This machine") // F2: no Chinese here, and why
			x.types("?").sees("os-release").types("\x1b").sees("This machine")
			x.types("\r").sees("What is this machine for?").types("\x1b[B\x1b[B\x1b[A\t").sees("question 2 of 2")
			x.types("kernel.panic=1\r").sees("not tuning").types("\x15\r").sees("nothing written yet")
			x.types("\x1b[B\x1b[B?").sees("By hand").types("\x1b").sees("nothing written yet").types("c").sees("install -m").types("\x1b").sees("write these changes")
			x.writes().sees("not all as asked").sees("refused").types("l").sees("12 entries").types("\x1b").sees("not all as asked").types("\r").sees("finish").types("\r")
			x.ends(Deviations)
			s := x.replay(80, 24, tc.kinds...)
			if got, want := trimmed(s.String()), trimmed(x.screen()); got != want {
				t.Errorf("the emulations disagree:\n%q\n--\n%q", got, want)
			}
			if s.CursorHidden() {
				t.Error("the cursor is left hidden")
			}
			if !strings.Contains(s.String(), "\nEND what=") {
				t.Errorf("what comes after does not begin a line of its own:\n%s", s)
			}
		})
	}
}

// trimmed is a screen without the spaces at the ends of its lines.
func trimmed(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// TestTheConsolesTierHasLinesAndColours: what the vt tier is for.
// TestARealSessionOnOldTerminals is the same with the real steps, from start to end and
// back: the surveys, forms, diffs and results that a person meets.
func TestARealSessionOnOldTerminals(t *testing.T) {
	for _, tc := range []struct {
		term  string
		kinds []string
	}{{"linux", []string{"linux"}}, {"vt100", []string{"vt100", "vt220", "linux"}}} {
		t.Run(tc.term, func(t *testing.T) {
			t.Parallel()
			x := wizard(t, 80, 24, "TERM="+tc.term, "FAKE_DEMO=kylin-v10-sp3-kunpeng920")
			x.sees("This machine").types("\r").sees("Go service host").types("\r")
			x.sees("Which service keeps").types("s").sees("Where do packages come from").types("\r").sees("question 2 of 2").types("\r")
			x.sees("nothing written yet").types("w").sees("Write 1 change")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").sees("holds as asked").types("\r").sees("Which libraries").types("s")
			x.sees("What is the machine for").types("\r\r\r\r\r").sees("nothing written yet").types("\x06\x06\x06\x06").sees("DefaultLimitNOFILE")
			x.types("?").sees("By hand").types("\x1b").sees("nothing written yet").types("w").sees("Write 14 changes")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").sees("hold as asked").types("\x0f")                                                              // F2: the console has no Chinese, and a vt100's far end may not
			x.sees("--lang zh").types("\x1b").sees("hold as asked").types("\r").sees("Which versions of Go").types("\x0e") // ctrl+n leaves a step out
			x.sees("Which shells").types("s").sees("heap").types("\x0e").sees("What is the service called").types("\x0e").sees("undo everything").types("u").sees("Undo what was written")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").sees("15 changes put back").types("q")
			x.ends(Undone)
			s := x.replay(80, 24, tc.kinds...)
			if got, want := trimmed(s.String()), trimmed(x.screen()); got != want {
				t.Errorf("the emulations disagree:\n%s\nand\n%s", got, want)
			}
		})
	}
}

func TestTheConsolesTierHasLinesAndColours(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 25, "TERM=linux")
	x.sees("────").types("q").ends(Nothing)
	if raw := x.bytes(); !strings.Contains(raw, "\x1b[1;33m") || strings.Contains(raw, "\x1b[38") || strings.Contains(raw, "1049") {
		t.Errorf("no colour, or one of 256, or an alternate screen: %q", raw)
	}
	x.replay(80, 25, "linux")
}

// TestF4AtRunTime switches there and back again, and leaves nothing behind.
func TestF4AtRunTime(t *testing.T) {
	const f4, ctrlT = "\x1bOS", "\x14"
	t.Run("vt", func(t *testing.T) {
		t.Parallel()
		x := wizard(t, 80, 24, "TERM=linux")
		x.sees("────").types("\x1b[[D").sees("----").types(ctrlT).sees("────").types("\x1b[[D").sees("----")
		if strings.Contains(x.screen(), "─") {
			t.Errorf("lines are left:\n%s", x.screen())
		}
		x.types("q").ends(Nothing).replay(80, 24, "linux")
	})
	t.Run("rich", func(t *testing.T) {
		t.Parallel()
		x := wizard(t, 80, 24)
		x.sees("● Machine").types(f4).sees("----------").types("\r").sees("[up/down] choose")
		if strings.ContainsAny(x.screen(), "─●") {
			t.Errorf("the rich page is left:\n%s", x.screen())
		}
		x.types(f4).sees("▸ base").types("\x1b[B").sees("▸ web").types("\x03").sees("Leave").types("\x1b").sees("▸ web")
		time.Sleep(grace)
		x.types("\x03").sees("Leave")
		time.Sleep(grace + 50*time.Millisecond)
		x.types("\r").ends(Nothing)
		if s := strings.TrimSpace(x.screen()); !strings.HasPrefix(s, "END") {
			t.Errorf("left on the first screen:\n%s", s)
		}
		if raw := x.bytes(); strings.Count(raw, "\x1b[?1049h") != 2 || strings.Count(raw, "\x1b[?1049l") != 2 || strings.LastIndex(raw, "\x1b[?25h") < strings.LastIndex(raw, "\x1b[?25l") {
			t.Error("alternate screen or cursor not restored")
		}
	})
	t.Run("plain to rich, by doubt", func(t *testing.T) {
		t.Parallel()
		x := wizard(t, 80, 24, "TERM=vt220")
		x.sees("----").types(ctrlT).sees("F4 or ctrl+t goes back").types(ctrlT).sees("This machine")
		if s := x.screen(); strings.Contains(s, "goes back") || strings.Contains(s, "─") {
			t.Errorf("rubbish is left:\n%s", s)
		}
		x.types(ctrlT).sees("goes back").types("\x1b").sees("To know before").types("q").ends(Nothing)
	})
}

// TestAShellBetween: ctrl+z, a shell that scribbles, fg.
func TestAShellBetween(t *testing.T) {
	for _, term := range []string{"vt100", "linux", "xterm-256color"} {
		t.Run(term, func(t *testing.T) {
			t.Parallel()
			x := wizard(t, 80, 24, "TERM="+term)
			x.sees("This machine").types("\r").sees("What is this machine for?")
			before := x.screen()
			x.types("\x1a").loses("enter")
			if term == "xterm-256color" && strings.Contains(x.screen(), "What is") {
				t.Errorf("the alternate screen is not left:\n%s", x.screen())
			}
			x.scribble("\r\n[1]+  Stopped   goxin\r\n$ make\r\n" + strings.Repeat("words of another program\r\n", 30))
			x.continues("What is this machine for?")
			if after := x.screen(); after != before {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			x.types("\x1b[B").sees("web").types("\x03").sees("Leave")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").ends(Nothing)
		})
	}
}

// loses waits until text is on the screen no more.
func (x *terminal) loses(text string) {
	x.t.Helper()
	x.until(func() bool { return !strings.Contains(x.screen(), text) }, "%q does not go away:", text)
}

// continues sends SIGCONT until text is seen: bubbletea begins to listen for it
// at some time after it has let go of the terminal. (It does not stop here: its
// process group is an orphan's, setpgid(2).)
func (x *terminal) continues(text string) {
	x.t.Helper()
	x.until(func() bool {
		back := strings.Contains(x.screen(), text)
		if !back {
			_ = syscall.Kill(x.cmd.Process.Pid, syscall.SIGCONT)
		}
		return back
	}, "never came back:")
	x.sees(text)
}

// scribble has something else write to the terminal.
func (x *terminal) scribble(s string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, _ = io.WriteString(x.emu, s)
}

// TestAResizeStormOnABasicTerminal: after it, the page stands there once.
func TestAResizeStormOnABasicTerminal(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "TERM=vt220")
	x.sees("This machine").types("\r").sees("What is this machine for?")
	before := x.screen()
	for i := range 60 {
		w, h := 30+i*13%120, 6+i*7%40
		if i == 59 {
			w, h = 80, 24
		}
		x.mu.Lock()
		x.emu.Resize(w, h)
		x.mu.Unlock()
		if err := pty.Setsize(x.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
			t.Fatal(err)
		}
	}
	x.until(func() bool { return x.screen() == before }, "before\n%s\nafter", before)
	x.types("\x1b[B\r\r").sees("nothing written yet")
}

// TestAResizeThatIsOverBeforeItIsSeen: when the program comes to look, the size is
// what it was, but not what the terminal shows.
func TestAResizeThatIsOverBeforeItIsSeen(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "TERM=vt220")
	x.sees("This machine").types("\r").sees("What is this machine for?")
	before := x.screen()
	x.scribble("\x1b[H\x1b[2J")
	_ = x.cmd.Process.Signal(syscall.SIGWINCH)
	x.until(func() bool { return x.screen() == before }, "before\n%s\nafter", before)
}

// TestASizeThatIsAskedFor: a line of 0x0 whose far end says where its cursor is.
func TestASizeThatIsAskedFor(t *testing.T) {
	t.Parallel()
	x := wizard(t, 0, 0, "TERM=vt220", "FAKE_SIZE=100x30")
	x.sees("This machine")
	rule := strings.Repeat("-", 100)
	if !strings.Contains(x.screen(), rule) {
		t.Errorf("not drawn for 100 columns:\n%s", x.screen())
	}
	if n := strings.Count(x.screen(), "\n") + 1; n != 30 {
		t.Errorf("%d lines", n)
	}
	x.types("q").ends(Nothing).replay(100, 30, "vt100", "vt220")
}

// TestWhatIsTypedBeforeTheFirstFrameCounts: the size is being asked for meanwhile.
func TestWhatIsTypedBeforeTheFirstFrameCounts(t *testing.T) {
	t.Parallel()
	wizard(t, 0, 0, "TERM=vt220").types("\x07").sees("all keys")
}

// TestChineseOnASerialLine: asked for with --lang zh, because the far end shows
// UTF-8. Beside the characters nothing is sent that a VT100 does not know.
func TestChineseOnASerialLine(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "TERM=vt220", "FAKE_LANG=zh")
	x.sees("开始之前须知").types("\r").sees("这台机器做什么用").types("\x1b[B\r\r").sees("尚未写入").types("\x0f").sees("nothing written yet")
	x.types("\x0f").sees("尚未写入").types("\x03").sees("离开")
	time.Sleep(grace + 50*time.Millisecond)
	x.types("\r").ends(Nothing)
	s := console.NewVT100(80, 24)
	_, _ = io.WriteString(s, x.bytes())
	for _, stray := range s.Stray() {
		if stray.Why != "no 7-bit character" {
			t.Error(stray)
		}
	}
}

// TestKeysOfOldTerminals: function keys as a VT220 (PF1, F11 …), rxvt and the
// Linux console send them, keypads in application mode, ^H.
func TestKeysOfOldTerminals(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "TERM=vt220")
	x.sees("This machine")
	for _, f1 := range []string{"\x1bOP", "\x1b[11~", "\x1b[[A", "\x07"} {
		x.types(f1).sees("all keys").types("\x1b").sees("This machine")
	}
	for _, f2 := range []string{"\x1bOQ", "\x1b[12~", "\x1b[[B", "\x0f"} {
		x.types(f2).sees("--lang zh").types("\x1b").sees("This machine")
	}
	for _, f4 := range []string{"\x1bOS", "\x1b[14~", "\x1b[[D", "\x14"} {
		x.types(f4).sees("goes back").types(f4).sees("This machine")
	}
	x.types("\x1bOM").sees("> base") // Enter of the keypad
	x.types("\x1bOB").sees("> web").types("\x1bOA").sees("> base").types("\r").sees("question 2 of 2")
	x.types("a=12\x08\x7f").sees("> a=").types("\x1bOq\x1bOr\x1bOn").sees("> a=12.").types("\x15").types("\x1b")
}
