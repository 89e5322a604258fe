package tui

import (
	"os"
	"sync/atomic"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"golang.org/x/sys/unix"
)

// keyGap is how long the bytes of one key may lie apart. At 1200 baud they are
// 8 ms apart, on a busy SSH line more.
const keyGap = 40 * time.Millisecond

// inFile is the terminal's input. bubbletea v1 takes the end of every short read
// for the end of a key, so on a slow line "up" would arrive as Esc, "[", "A".
// Read waits for the rest of a sequence, or of a character, that has begun.
type inFile struct {
	*os.File
	gone func() // the terminal hung up; bubbletea itself would wait for ever
}

func (f inFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	if err != nil || n == 0 {
		f.gone()
		return n, err
	}
	for n < len(b) && unfinished(b[:n]) && readable(f.Fd(), keyGap) {
		m, err := f.File.Read(b[n:])
		n += m
		if err != nil || m == 0 {
			f.gone()
			break
		}
	}
	return n, nil
}

// readable waits at most d for a byte.
func readable(fd uintptr, d time.Duration) bool {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, int(d.Milliseconds()))
		if err == unix.EINTR {
			continue
		}
		return err == nil && n > 0 && p[0].Revents&unix.POLLIN != 0
	}
}

// unfinished reports whether b ends inside an escape sequence (ECMA-48: ESC,
// ESC [ parameters final, ESC O final; the Linux console's ESC [ [ letter) or
// inside a UTF-8 character.
func unfinished(b []byte) bool {
	for i := len(b) - 1; i >= 0 && len(b)-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if b[i] >= utf8.RuneSelf && !utf8.FullRune(b[i:]) {
				return true
			}
			break
		}
	}
	esc := len(b) - 1
	for esc >= 0 && b[esc] != 0x1b {
		esc--
	}
	if esc < 0 {
		return false
	}
	seq := b[esc+1:]
	switch {
	case len(seq) == 0:
		return true
	case seq[0] == 'O':
		return len(seq) == 1
	case seq[0] != '[':
		return false
	case len(seq) == 1:
		return true
	case seq[1] == '[':
		return len(seq) == 2
	}
	for _, c := range seq[1:] {
		if c >= 0x40 && c <= 0x7e {
			return false
		}
	}
	return len(seq) < 32
}

// outFile is the terminal's output. While it is basic, private modes (ESC [ ? …
// h or l: cursor, paste, alternate screen) are left out: a VT100 knows few of
// them and some serial emulators print them. bubbletea writes each sequence
// whole, so one never spans two writes.
type outFile struct {
	*os.File
	basic *atomic.Bool
}

func (f outFile) Write(b []byte) (int, error) {
	if f.basic.Load() {
		if kept := withoutPrivateModes(b); len(kept) != len(b) {
			if len(kept) > 0 {
				if _, err := f.File.Write(kept); err != nil {
					return 0, err
				}
			}
			return len(b), nil
		}
	}
	return f.File.Write(b)
}

// WriteString hides that of *os.File, which io.WriteString would prefer.
func (f outFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }

func withoutPrivateModes(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if n := privateMode(b[i:]); n > 0 {
			i += n
			continue
		}
		out = append(out, b[i])
		i++
	}
	return out
}

// privateMode is the length of the ESC [ ? digits h/l that b begins with, or 0.
func privateMode(b []byte) int {
	if len(b) < 4 || b[0] != 0x1b || b[1] != '[' || b[2] != '?' {
		return 0
	}
	for i := 3; i < len(b); i++ {
		switch {
		case b[i] == 'h' || b[i] == 'l':
			return i + 1
		case b[i] != ';' && (b[i] < '0' || b[i] > '9'):
			return 0
		}
	}
	return 0
}

// The size of a terminal that does not know its own.
const (
	unknownWidth  = 80
	unknownHeight = 24
)

// knownSize is a message filter: serial lines and some containers report 0x0,
// with which bubbletea neither truncates nor erases lines.
func knownSize(_ tea.Model, msg tea.Msg) tea.Msg {
	if ws, ok := msg.(tea.WindowSizeMsg); ok && (ws.Width <= 0 || ws.Height <= 0) {
		return tea.WindowSizeMsg{Width: unknownWidth, Height: unknownHeight}
	}
	return msg
}
