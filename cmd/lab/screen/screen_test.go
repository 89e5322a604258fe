package screen

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// local is a program on a terminal of this machine.
type local struct{ *os.File }

func (l local) Resize(cols, rows int) error {
	return pty.Setsize(l.File, &pty.Winsize{Cols: uint16(cols), Rows: uint16(rows)})
}

func run(t *testing.T, replies Replies, script string) *Terminal {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm-256color", "LANG=C.UTF-8"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 40, Rows: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = f.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return New(local{f}, 40, 6, replies)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestScreenIsWhatAPersonSees(t *testing.T) {
	term := run(t, Answers, `printf 'gone\r\033[2Kleft\033[1;20H内核 right\033[3;3Hlow'; sleep 5`)
	must(t, term.WaitFor(3*time.Second, "low"))
	want := "left               内核 right\n\n  low"
	if got := term.Screen(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if col, row := term.Cursor(); col != 5 || row != 2 {
		t.Errorf("cursor at %d,%d, want 5,2", col, row)
	}
}

func TestKeysReachTheProgram(t *testing.T) {
	term := run(t, Answers, `stty raw -echo; printf ready; dd bs=1 count=10 2>/dev/null | od -An -c | tr -s ' '; sleep 5`)
	must(t, term.WaitFor(3*time.Second, "ready"))
	must(t, term.Key("up", "esc", "ctrl+c", "alt+x", "f4"))
	must(t, term.WaitFor(3*time.Second, `033 [ A 033 003 033 x 033 O S`))
	if err := term.Key("hyper+q"); err == nil {
		t.Error("an unknown key was pressed")
	}
}

func TestAnAnsweringTerminalTellsItsCursorAndASilentOneDoesNot(t *testing.T) {
	const ask = `stty raw -echo min 0 time 5; printf '\033[6n'; dd bs=16 count=1 2>/dev/null | tr -d '\033' | sed 's/^/got:/'; echo end; sleep 5`
	term := run(t, Answers, ask)
	must(t, term.WaitFor(3*time.Second, "got:[1;1R", "end"))
	term = run(t, Silent, ask)
	must(t, term.WaitFor(3*time.Second, "end"))
	if strings.Contains(term.Screen(), "got") {
		t.Errorf("a silent terminal answered: %s", term.Screen())
	}
}

func TestResizeTellsTheProgram(t *testing.T) {
	term := run(t, Answers, `trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done`)
	must(t, term.WaitFor(3*time.Second, "ready"))
	must(t, term.Resize(60, 9))
	must(t, term.WaitFor(3*time.Second, "9 60"))
}

func TestWaitSaysWhatItSawInstead(t *testing.T) {
	term := run(t, Answers, `echo something else; sleep 5`)
	err := term.WaitFor(300*time.Millisecond, "hello")
	if err == nil || !strings.Contains(err.Error(), "hello") || !strings.Contains(err.Error(), "something else") {
		t.Errorf("got %v", err)
	}
	term = run(t, Answers, `echo last words`)
	must(t, term.WaitEnd(3*time.Second))
	if err := term.WaitFor(time.Minute, "hello"); err == nil || !strings.Contains(err.Error(), "last words") {
		t.Errorf("got %v", err)
	}
	must(t, term.WaitGone(time.Second, "hello"))
}
