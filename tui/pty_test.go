package tui

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// terminal is a wizard in a process of its own, on a pseudo-terminal with an
// emulator behind it that also answers what it is asked.
type terminal struct {
	t      testing.TB
	cmd    *exec.Cmd
	pty    *os.File
	exited chan error
	over   chan struct{} // nothing comes from it any more

	mu     sync.Mutex
	emu    *vt.Emulator
	raw    bytes.Buffer
	last   time.Time // when something came
	paused atomic.Bool
	baud   atomic.Int64 // of the line; 0: no line
}

func wizard(t testing.TB, cols, rows uint16, env ...string) *terminal {
	t.Helper()
	term := &terminal{t: t, exited: make(chan error, 1), over: make(chan struct{}), emu: vt.NewEmulator(max(int(cols), 1), max(int(rows), 1))}
	if cols == 0 {
		term.emu.Resize(80, 24)
	}
	for _, e := range env { // what the terminal does not say of itself
		var w, h int
		if n, _ := fmt.Sscanf(e, "FAKE_SIZE=%dx%d", &w, &h); n == 2 {
			term.emu.Resize(w, h)
		}
	}
	term.cmd = exec.Command(os.Args[0])
	term.cmd.Env = append([]string{"GOXIN_TEST_WIZARD=1", "TERM=xterm-256color", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH")}, env...)
	f, err := pty.StartWithSize(term.cmd, &pty.Winsize{Cols: cols, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	term.pty = f
	go func() {
		defer close(term.over)
		buf := make([]byte, 4096)
		var due time.Time // when the line has brought what was read
		for {
			for term.paused.Load() {
				time.Sleep(5 * time.Millisecond)
			}
			baud := time.Duration(term.baud.Load())
			most := len(buf)
			if baud > 0 {
				most = 8
			}
			n, err := f.Read(buf[:most])
			if baud > 0 { // ten bits a byte
				if now := time.Now(); now.Sub(due) > 20*time.Millisecond {
					due = now // nothing was on the line
				}
				due = due.Add(time.Duration(n) * 10 * time.Second / baud)
				time.Sleep(time.Until(due))
			}
			term.mu.Lock()
			term.raw.Write(buf[:n])
			term.last = time.Now()
			_, _ = term.emu.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(f, term.emu) }()
	go func() { term.exited <- term.cmd.Wait() }()
	t.Cleanup(func() {
		_ = term.cmd.Process.Kill()
		_ = f.Close()
	})
	return term
}

func (x *terminal) screen() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.emu.String()
}

// until asks again and again whether something is so. How long it takes depends on what
// else the computer has to do, and is nothing to be tested: it gives up only when the
// test has to be over.
func (x *terminal) until(so func() bool, format string, args ...any) {
	x.t.Helper()
	var last <-chan time.Time // none where the test may take for ever
	if t, ok := x.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if d, limited := t.Deadline(); limited {
			last = time.After(time.Until(d) - 5*time.Second)
		}
	}
	for !so() {
		select {
		case <-last:
			x.t.Fatalf(format+"\n%s", append(args, x.screen())...)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// sees waits until the screen says text and has come to rest. What stays there while the
// page goes over into the next one is no sign that it has: see what only that one says
// before typing what is meant for it.
func (x *terminal) sees(text string) *terminal {
	x.t.Helper()
	last := ""
	x.until(func() bool {
		over := x.hasEnded()
		s := x.screen()
		if over && !strings.Contains(s, text) {
			x.t.Fatalf("it ended, and never was %q seen on\n%s", text, s)
		}
		rests := s == last
		last = s
		return rests && strings.Contains(s, text)
	}, "never saw %q on", text)
	return x
}

// hasEnded says that all that the program has ever written is on the screen.
func (x *terminal) hasEnded() bool {
	select {
	case <-x.over:
		return true
	default:
		return false
	}
}

func (x *terminal) types(s string) *terminal {
	if _, err := io.WriteString(x.pty, s); err != nil {
		x.t.Fatal(err)
	}
	return x
}

// writes goes through the question that w opens: Enter counts once the keyboard
// has been quiet for a moment.
func (x *terminal) writes() *terminal {
	x.t.Helper()
	x.types("w").sees("Write 5 changes")
	time.Sleep(grace + 50*time.Millisecond)
	return x.types("\r")
}

func (x *terminal) exits() int {
	x.t.Helper()
	var err error
	x.until(func() bool {
		select {
		case err = <-x.exited:
			return true
		default:
			return false
		}
	}, "did not exit; the screen is")
	x.t.Logf("exited: %v", err)
	return x.cmd.ProcessState.ExitCode()
}

func (x *terminal) bytes() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.raw.String()
}

func TestWizardOnATerminal(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24)
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\x1b[B\r\r")
	x.sees("nothing written yet").writes().sees("5 changes hold as asked").types("\r").sees("goxin check").sees("finish").types("\r")
	if code := x.exits(); code != 10+int(Applied) {
		t.Errorf("exit %d\n%s", code, x.screen())
	}
	x.sees("END")
	if calls := "calls=detect survey:kernel survey:kernel plan:kernel:web start:0s apply:kernel end:1"; !strings.Contains(x.bytes(), calls) {
		t.Errorf("the end does not say %s:\n%s", calls, x.screen())
	}
	if raw := x.bytes(); !strings.Contains(raw, "\x1b[?1049h") || strings.LastIndex(raw, "\x1b[?1049l") < strings.LastIndex(raw, "\x1b[?1049h") {
		t.Error("the alternate screen is not left")
	}
}

func TestWizardInChineseOnATerminal(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "FAKE_LANG=zh", "FAKE_DEVIATE=1")
	x.sees("开始之前须知").types("\r").sees("这台机器做什么用").types("\r\r").sees("尚未写入").types("w").sees("写入 5 项改动")
	time.Sleep(grace + 50*time.Millisecond)
	x.types("\r").sees("部分与要求不同").sees("被拒绝").types("\r").sees("goxin check").sees("结束").types("\r")
	if code := x.exits(); code != 10+int(Deviations) {
		t.Errorf("exit %d", code)
	}
}

func TestWizardOnASerialLine(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "TERM=vt100")
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\r\r")
	x.sees("[w] write these changes").writes().sees("5 changes hold as asked").types("\r").sees("goxin check").sees("finish").types("\r")
	if code := x.exits(); code != 10+int(Applied) {
		t.Errorf("exit %d", code)
	}
	x.replay(80, 24, "vt100")
	raw := x.bytes()
	if !strings.Contains(raw, "\x1b[1m") {
		t.Error("nothing is bold, which a VT100 can do")
	}
	if n := len(raw); n > 6<<10 {
		t.Errorf("%d bytes for one walk: at 9600 baud that is %d s", n, n/960)
	}
}

func TestARaceFillsItsTableOnATerminal(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "FAKE_RACE=4")
	x.sees("This machine").types("\r").sees("✓ In house 10.2.0.5").sees("00:01").sees("Where do packages come from?")
	x.types("\x1b[A\r").sees("back to the list").types("\x1b").sees("▸ other").types("\x1b[B\r").sees("question 2 of 2").types("\r")
	x.sees("80 packages").types("w").sees("package-03-devel")
	time.Sleep(grace + 50*time.Millisecond)
	x.types("\r").sees("4 repositories").types("\r").sees("goxin check").sees("finish").types("\r").exits()
	x.sees("END") // what the program said last may not be read yet
	if got := x.bytes(); !strings.Contains(got, "calls=detect survey:mirror plan") {
		_, calls, _ := strings.Cut(got, "calls=")
		t.Errorf("raced more than once: %q\n%s", calls, x.screen())
	}
}

func TestARaceIsCalledOffOnASerialLine(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "FAKE_RACE=40", "TERM=vt100")
	x.sees("This machine").types("\r").sees("* Vendor's own").sees("+ Mirror C").types("\x1b").sees("This machine").types("q").exits()
	x.replay(80, 24, "vt100")
}

func TestKeysArriveWholeOnASlowLine(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24)
	x.sees("This machine").types("\r").sees("▸ base")
	slowly := func(s string) {
		for i := range len(s) {
			x.types(s[i : i+1])
			time.Sleep(4 * time.Millisecond)
		}
	}
	slowly("\x1b[B")
	x.sees("▸ web")
	slowly("\x1bOB")
	x.sees("▸ database")
	slowly("\x1b[[A")
	x.sees("all keys").types("\x1b").sees("▸ database")
	x.types("\r").sees("question 2 of 2")
	slowly("中=文")
	x.sees("> 中=文")
	slowly("\x1b")
	x.sees("This machine")
}

func TestATerminalThatDoesNotKnowItsSize(t *testing.T) {
	t.Parallel()
	for _, term := range []string{"TERM=xterm-256color", "TERM=vt220"} {
		x := wizard(t, 0, 0, term)
		x.sees("You are").types("\r").sees("What is this machine for?")
		if s := x.screen(); strings.Contains(s, "Processor") || strings.Contains(s, "To know") {
			t.Errorf("%s: what was there before is still there:\n%s", term, s)
		}
	}
}

func TestResizesAreFollowed(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24)
	x.sees("This machine").types("\r").sees("What is this machine for?")
	size := func(w, h int) {
		x.mu.Lock()
		x.emu.Resize(w, h)
		x.mu.Unlock()
		if err := pty.Setsize(x.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 60 {
		size(20+i*7%120, 4+i*5%40)
	}
	size(20, 5)
	x.sees("larger")
	size(132, 43)
	x.sees("What is this machine for?").types("\x1b[B\r\r").sees("nothing written yet")
	for i := range 40 {
		size(40+i*11%160, 12+i*3%40)
	}
	size(80, 24)
	x.sees("w write these changes").writes().sees("5 changes hold as asked")
}

// signalled is a wizard in the middle of applying when sig or hangup comes; it
// returns what its process left behind.
func signalled(t *testing.T, stop func(*terminal)) string {
	report := filepath.Join(t.TempDir(), "report")
	x := wizard(t, 80, 24, "FAKE_PACE=400", "FAKE_REPORT="+report)
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\r\r").sees("nothing written yet").writes().sees("writing, 1 of 5")
	stop(x)
	x.exits()
	b, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("the process did not end in order: %v", err)
	}
	return string(b)
}

func TestAStopFromOutsideEndsTheOperationInFlightOnly(t *testing.T) {
	for name, stop := range map[string]func(*terminal){
		"SIGTERM": func(x *terminal) { _ = x.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGHUP":  func(x *terminal) { _ = x.cmd.Process.Signal(syscall.SIGHUP) },
		"hang-up": func(x *terminal) { _ = x.pty.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := signalled(t, stop)
			if !strings.Contains(got, "signal received") && !strings.Contains(got, "err="+ErrHangup.Error()) {
				t.Errorf("Run does not return the cause: %s", got)
			}
			if !strings.HasSuffix(got, "apply:kernel leave:1") || !strings.HasPrefix(got, fmt.Sprintf("what=%d", Interrupted)) {
				t.Errorf("the run was ended or undone with nobody there to ask: %s", got)
			}
		})
	}
}

func TestATerminalIsRestoredAfterSIGTERM(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24).sees("This machine")
	_ = x.cmd.Process.Signal(syscall.SIGTERM)
	if code := x.exits(); code != 10+int(Nothing) {
		t.Errorf("exit %d", code)
	}
	x.sees("END what=0 err=terminated signal received")
	if raw := x.bytes(); !strings.Contains(raw, "\x1b[?1049l") || !strings.Contains(raw, "\x1b[?25h") {
		t.Error("alternate screen or cursor not restored")
	}
}

// TestALineThatTakesNothingMoreStillEnds: flow control stopped the terminal, so
// every write to it blocks, and then the machine is shut down.
func TestALineThatTakesNothingMoreStillEnds(t *testing.T) {
	t.Parallel()
	report := filepath.Join(t.TempDir(), "report")
	x := wizard(t, 80, 24, "FAKE_PACE=100", "FAKE_REPORT="+report)
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\r\r").sees("nothing written yet").writes().sees("writing")
	x.paused.Store(true)
	for i := range 20 {
		if err := pty.Setsize(x.pty, &pty.Winsize{Cols: uint16(100 + i), Rows: 40}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(40 * time.Millisecond)
	}
	_ = x.cmd.Process.Signal(syscall.SIGTERM)
	var b []byte
	x.until(func() bool {
		b, _ = os.ReadFile(report)
		return len(b) > 0
	}, "still waiting for the terminal, which is")
	if !strings.Contains(string(b), "terminated signal received") {
		t.Errorf("still waiting for the terminal: %q", b)
	}
	x.paused.Store(false)
	x.exits()
}

func TestAPanicLeavesAUsableTerminal(t *testing.T) {
	t.Parallel()
	x := wizard(t, 80, 24, "FAKE_PANIC=plan")
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\r\r").sees("boom in plan").types("\x1b").sees("What is this machine for?")
}

// TestStartingAsksTheTerminalNothing guards the TERM shim: without it bubbletea
// would ask for the background colour, and wait five seconds, before main runs.
func TestStartingAsksTheTerminalNothing(t *testing.T) {
	t.Parallel()
	for _, term := range []string{"xterm-256color", "linux", "vt100"} {
		cmd := exec.Command(os.Args[0])
		cmd.Env = []string{"GOXIN_TEST_VERSION=1", "TERM=" + term}
		f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 80, Rows: 24})
		if err != nil {
			t.Fatal(err)
		}
		out, _ := io.ReadAll(f) // ends with EIO when the process has gone
		_ = cmd.Wait()
		_ = f.Close()
		if got := string(out); got != "goxin 0.0.0\r\n" {
			t.Errorf("TERM=%s: printed %q", term, got)
		}
	}
}
