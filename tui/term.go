package tui

import (
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/term"
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
	return len(typed(b[:n])), nil
}

// typed makes in b of a keypad's keys in application mode (ESC O and a letter,
// VT100 User Guide, table 3-8) what is printed on them: bubbletea knows the
// cursor's and the function keys of that kind only. A program that died may have
// left the keypad in that mode.
func typed(b []byte) []byte {
	const letters, keys = "Mjklmnopqrstuvwxy", "\r*+,-./0123456789"
	out := b[:0]
	for i := 0; i < len(b); i++ {
		if b[i] == 0x1b && i+2 < len(b) && b[i+1] == 'O' {
			if k := strings.IndexByte(letters, b[i+2]); k >= 0 {
				out = append(out, keys[k])
				i += 2
				continue
			}
		}
		out = append(out, b[i])
	}
	return out
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

// output is the terminal's output. On the alternate screen, which is the rich
// tier's, what bubbletea writes goes as it is. Without one it is played into a
// grid, and only what differs from the screen is sent; private modes are then
// left out, but for the cursor's on the Linux console. So whatever a page says,
// a basic terminal gets nothing that it does not know.
//
// bubbletea writes each mode's sequence whole and alone, and tells by the
// cursor's when it takes the terminal (?25l) and when it lets go of it (?25h: for
// a shell, for being suspended, for good). What is on the screen when it takes it
// is not known, so it is cleared before anything is drawn.
type output struct {
	*os.File
	watch   func([]byte) // sees what is sent; nil: nobody
	regions bool         // the terminal has scrolling regions
	queued  func() int   // how many bytes wait to go down the line
	pause   func(time.Duration)

	mu      sync.Mutex
	charset charset
	alt     bool // the alternate screen is on
	taken   bool // the screen is bubbletea's
	known   bool // shown is what stands there
	hidden  bool // the cursor is
	want    grid
	shown   grid
}

// The sequences that bubbletea writes alone.
const (
	hideCursor  = "\x1b[?25l"
	showCursor  = "\x1b[?25h"
	enterAlt    = "\x1b[?1049h"
	leaveAlt    = "\x1b[?1049l"
	eraseScreen = "\x1b[2J"
)

func newOutput(f *os.File, c charset, term string, w, h int, watch func([]byte)) *output {
	o := &output{File: f, watch: watch, regions: hasRegions(term), pause: time.Sleep, charset: c, want: newGrid(w, h), shown: newGrid(w, h)}
	o.queued = func() int {
		n, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCOUTQ)
		if err != nil {
			return 0
		}
		return n
	}
	return o
}

// hasRegions reports the terminals whose terminfo has change_scroll_region.
func hasRegions(term string) bool {
	for _, p := range []string{"vt", "linux", "xterm", "screen", "tmux", "rxvt", "putty", "konsole", "gnome"} {
		if strings.HasPrefix(term, p) {
			return true
		}
	}
	return false
}

// shows changes the tier that is drawn for.
func (o *output) shows(c charset) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.charset = c
}

// resize says that the screen has been given a size, another one or, after some in
// between, the same; what it then shows is its own affair.
func (o *output) resize(w, h int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.known = false
	if w != o.want.w || h != o.want.h {
		o.want, o.shown = newGrid(w, h), newGrid(w, h)
	}
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var send []byte
	switch seq := string(b); {
	case seq == hideCursor:
		o.takes()
		send = o.cursor(b, true)
	case seq == showCursor:
		o.taken = false
		send = o.cursor(b, false)
	case seq == enterAlt:
		send = append(o.wipe(), b...)
		o.alt = true
	case seq == leaveAlt:
		send = b
		if o.hidden && o.charset.tier == Plain { // which would not say later that it is to be seen
			send = append(send[:len(send):len(send)], showCursor...)
			o.hidden = false
		}
		o.alt = false
		o.takes()
	case o.alt:
		send = b
	case seq == eraseScreen:
		o.known = false // asked for because something else may stand there
		o.want.erase(0, len(o.want.cells))
	case isPrivate(b):
	case !o.taken:
		send = b
	default:
		o.settle()
		o.want.play(b, o.charset)
		send = o.paint()
	}
	return len(b), o.send(send)
}

// WriteString hides that of *os.File, which io.WriteString would prefer.
func (o *output) WriteString(s string) (int, error) { return o.Write([]byte(s)) }

func (o *output) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if o.watch != nil {
		o.watch(b)
	}
	_, err := o.File.Write(b)
	return err
}

// settle waits until the line has taken most of what it was given, though not for
// long. What a key that is held down does meanwhile is then drawn at once; the
// driver's buffer would hold seconds of it, and go on moving the cursor when the
// key has long been let go.
func (o *output) settle() {
	const few, step, most = 64, 5 * time.Millisecond, 250 * time.Millisecond
	if o.charset.tier != Plain {
		return
	}
	for waited := time.Duration(0); waited < most && o.queued() > few; waited += step {
		o.pause(step)
	}
}

func (o *output) takes() {
	o.taken, o.known = true, false
	o.want.erase(0, len(o.want.cells))
	o.want.x, o.want.y, o.want.look = 0, 0, look{}
}

// cursor lets the cursor's mode pass where the terminal has one.
func (o *output) cursor(b []byte, hide bool) []byte {
	if !o.alt && (o.charset.tier == Plain || o.charset.tier == Rich) {
		return nil // the rich tier says it again on its own screen
	}
	o.hidden = hide
	return b
}

// wipe leaves nothing on the screen that the alternate one will cover.
func (o *output) wipe() []byte {
	if !o.taken || !o.known {
		return nil
	}
	o.known = false
	return []byte("\x1b[m\x1b[H\x1b[2J")
}

// paint brings the screen up to date.
func (o *output) paint() []byte {
	var b []byte
	if !o.known {
		b = []byte("\x1b[m")
		if o.regions {
			b = append(b, "\x1b[r"...) // what ran before may have left one
		}
		b = append(b, "\x1b[H\x1b[2J"...)
		o.shown.erase(0, len(o.shown.cells))
		o.shown.x, o.shown.y, o.known = 0, 0, true
	}
	b = append(b, repaint(&o.shown, &o.want, o.regions)...)
	copy(o.shown.cells, o.want.cells)
	o.shown.x, o.shown.y = min(o.want.x, o.want.w-1), o.want.y
	return b
}

// isPrivate reports a sequence that sets or resets a private mode, and no more.
func isPrivate(b []byte) bool {
	if len(b) < 5 || string(b[:3]) != "\x1b[?" {
		return false
	}
	last := b[len(b)-1]
	return strings.Trim(string(b[3:len(b)-1]), "0123456789;") == "" && (last == 'h' || last == 'l')
}

// sized makes a message filter: serial lines and some containers report 0x0,
// with which bubbletea neither truncates nor erases lines, so w and h stand for
// it. The output hears of every size before bubbletea draws for it. The size is
// read once more: bubbletea reads it in a goroutine for each signal, and in a storm
// of them an old size may be the last that is told.
func (o *output) sized(w, h int, resized func(w, h int)) func(tea.Model, tea.Msg) tea.Msg {
	told := false // bubbletea tells the size at its start, too
	return func(_ tea.Model, msg tea.Msg) tea.Msg {
		ws, ok := msg.(tea.WindowSizeMsg)
		if !ok {
			return msg
		}
		if w, h, err := term.GetSize(o.Fd()); err == nil {
			ws.Width, ws.Height = w, h
		}
		if ws.Width <= 0 || ws.Height <= 0 {
			ws.Width, ws.Height = w, h
		}
		if told || ws.Width != o.want.w || ws.Height != o.want.h {
			o.resize(ws.Width, ws.Height)
		}
		told = true
		if resized != nil {
			resized(ws.Width, ws.Height)
		}
		return ws
	}
}
