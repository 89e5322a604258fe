package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"

	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/replay"
)

// seat is a goxin on a terminal, and somebody in front of it.
type seat struct {
	t    *testing.T
	cmd  *exec.Cmd
	pty  *os.File
	gone chan struct{}

	mu  sync.Mutex
	emu *vt.Emulator
	raw bytes.Buffer
}

// leaves is where a session gives the terminal back.
const leaves = "\x1b[?1049l"

func sitDown(t *testing.T, args ...string) *seat {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &seat{t: t, cmd: exec.Command(self, args...), gone: make(chan struct{}), emu: vt.NewEmulator(80, 24)}
	s.cmd.Args[0] = "goxin"
	s.cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "http_proxy=http://me:canary-hunter2@192.0.2.1:3128/")
	if s.pty, err = pty.StartWithSize(s.cmd, &pty.Winsize{Cols: 80, Rows: 24}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.gone)
		buf := make([]byte, 4096)
		for {
			n, err := s.pty.Read(buf)
			s.mu.Lock()
			s.raw.Write(buf[:n])
			if at := bytes.Index(s.raw.Bytes(), []byte(leaves)); at < 0 {
				_, _ = s.emu.Write(buf[:n])
			} else if seen := s.raw.Len() - n; at > seen { // what was on the screen last
				_, _ = s.emu.Write(buf[:at-seen])
			}
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	go func() { _, _ = io.Copy(s.pty, s.emu) }()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		_ = s.pty.Close()
	})
	return s
}

func (s *seat) screen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.emu.String()
}

func (s *seat) sees(text string) *seat {
	s.t.Helper()
	last := ""
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(15 * time.Millisecond) {
		now := s.screen()
		if strings.Contains(now, text) && now == last {
			return s
		}
		last = now
	}
	s.t.Fatalf("never saw %q on\n%s", text, s.screen())
	return s
}

func (s *seat) types(keys string) *seat {
	if _, err := io.WriteString(s.pty, keys); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// quietly types what counts only once the keyboard has been quiet for a moment.
func (s *seat) quietly(keys string) *seat {
	time.Sleep(600 * time.Millisecond) // not waiting for anything: it is the quiet
	return s.types(keys)
}

func (s *seat) agrees(question string) *seat {
	s.t.Helper()
	return s.sees(question).quietly("\r")
}

func (s *seat) resizes(w, h int) *seat {
	s.mu.Lock()
	s.emu.Resize(w, h)
	s.mu.Unlock()
	if err := pty.Setsize(s.pty, &pty.Winsize{Cols: uint16(w), Rows: uint16(h)}); err != nil {
		s.t.Fatal(err)
	}
	return s
}

func (s *seat) exits() int {
	s.t.Helper()
	select {
	case <-s.gone:
	case <-time.After(30 * time.Second):
		s.t.Fatalf("it does not end; the screen is\n%s", s.screen())
	}
	_ = s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

// played is the last screen of a recording, as a player shows it.
func played(t *testing.T, file string) *vt.Emulator {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	var h struct{ Version, Width, Height int }
	if err := json.Unmarshal([]byte(lines[0]), &h); err != nil || h.Version != 2 {
		t.Fatalf("header %s: %v", lines[0], err)
	}
	emu := vt.NewEmulator(h.Width, h.Height)
	go func() { _, _ = io.Copy(io.Discard, emu) }() // it answers what it is asked
	for _, l := range lines[1:] {
		var ev [3]any
		if err := json.Unmarshal([]byte(l), &ev); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		data := ev[2].(string)
		switch ev[1] {
		case "o":
			shown, _, over := strings.Cut(data, leaves)
			_, _ = emu.Write([]byte(shown))
			if over {
				return emu
			}
		case "r":
			var x, y int
			if _, err := fmt.Sscanf(data, "%dx%d", &x, &y); err != nil {
				t.Fatal(err)
			}
			emu.Resize(x, y)
		default:
			t.Errorf("event %s", l)
		}
	}
	return emu
}

func kylinTree(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	if err := layTree("kylin-v10-sp3-kunpeng920", dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestTheLastScreenOfARecordingIsWhatWasSeen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.cast")
	x := sitDown(t, "record", file, "--root", kylinTree(t))
	x.sees("This machine").types("\r").sees("What shall this machine become?")
	x.resizes(110, 32).sees("What shall this machine become?")
	x.types("\x1bOP").sees("all keys") // F1
	x.types("\x1b").sees("What shall this machine become?").types("\x03").agrees("Leave goxin?")
	if code := x.exits(); code != 0 {
		t.Errorf("exit %d", code)
	}
	real, again := x.emu, played(t, file)
	if got, want := again.Render(), real.Render(); got != want || again.Width() != 110 {
		t.Errorf("played\n%s\nseen\n%s", again.String(), real.String())
	}
	b, _ := os.ReadFile(file)
	if strings.Contains(string(b), "canary") {
		t.Error("the recording has the proxy's password")
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", fi.Mode(), err)
	}
	if x.raw.Len() < 1000 || !strings.Contains(x.raw.String(), "asciinema play") {
		t.Errorf("%q", x.raw.String())
	}
}

// failedRun is a pack of a run that could not write one file of a tree.
func failedRun(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	root, file, ans := kylinTree(t), filepath.Join(dir, "run.tar.gz"), filepath.Join(dir, "web.yaml")
	if err := os.WriteFile(ans, []byte("version: 1\nsteps:\n  kernel:\n    profile: web\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	refuse := machine.WithEffects(func(_, at string) error {
		if strings.Contains(at, "limits.d/zz-goxin") {
			return syscall.EROFS
		}
		return nil
	})
	if code := run([]string{"apply", "-f", ans, "--root", root, "--yes", "--on-error", "stop"}, null, null, null, refuse); code != exitFailed {
		t.Fatalf("exit %d", code)
	}
	if code := run([]string{"capture", "--run", "-o", file, "--root", root}, null, null, null); code != 0 {
		t.Fatalf("exit %d", code)
	}
	return file
}

// TestAFailedRunIsWalkedThroughByKeys is somebody on another computer.
func TestAFailedRunIsWalkedThroughByKeys(t *testing.T) {
	file := failedRun(t)
	for l, says := range map[string][]string{
		"en": {"REPLAY", "This machine", "net.core.somaxconn = 65535", "Write 5 changes", "cannot write /etc/security/limits.d/zz-goxin.conf: read-only file system", "see findmnt and dmesg", "Leave goxin?"},
		"zh": {"回放", "本机", "net.core.somaxconn = 65535", "写入 5 项改动", "无法写入 /etc/security/limits.d/zz-goxin.conf：只读文件系统", "findmnt 与 dmesg", "离开 goxin？"},
	} {
		t.Run(l, func(t *testing.T) {
			t.Parallel()
			x := sitDown(t, "demo", file, "--lang", l).resizes(132, 43)
			x.sees(says[1]).sees(says[0]).types("\r").sees(says[2]).sees(says[0]).types("w").agrees(says[3])
			x.sees(says[4]).sees(says[5]).sees(says[0]).quietly("\x03").agrees(says[6])
			if code := x.exits(); code != 0 {
				t.Errorf("exit %d\n%s", code, x.screen())
			}
		})
	}
}

// TestAFileFromAnybodySendsNothingToTheTerminal: every text of a pack is foreign.
func TestAFileFromAnybodySendsNothingToTheTerminal(t *testing.T) {
	f, err := os.Open(failedRun(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := replay.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	// Into every string but goxin's own words.
	evil := regexp.MustCompile(`"(en|zh|target|text|now|then|name|owner|goxin|from|from_zh|note|value|profile)":"`).
		ReplaceAll(b, []byte(`$0\u001b]0;pwned\u0007\u009b31m\u202e`))
	var bad engine.RunRecord
	if err := json.Unmarshal(evil, &bad); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "evil.tar.gz")
	w, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := replay.Pack(w, &bad, nil); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	x := sitDown(t, "demo", file).sees("REPLAY").types("\r").sees("changes").types("?").sees("By hand").types("\x1b").sees("w write").types("w").agrees("Write 5 changes")
	x.sees("try again").quietly("l").sees("Log  ").types("\x1b").sees("Stands").sees("u undo   l log").types("\x03").agrees("Leave goxin?")
	x.exits()
	for _, not := range []string{"\x1b]0", "\x07", "\u009b", "\u202e"} {
		if i := strings.Index(x.raw.String(), not); i >= 0 {
			t.Errorf("%q came through: %q", not, x.raw.String()[max(i-80, 0):i+20])
		}
	}
}

// TestATalkInLinesIsRecordedWithoutWhatIsTyped: the terminal echoes, the recording
// has only the ends of lines.
func TestATalkInLinesIsRecordedWithoutWhatIsTyped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s.cast")
	x := sitDown(t, "record", file, "--line", "--root", kylinTree(t)).sees("Enter to go on, q to leave")
	x.quietly("canary\r").sees("canary").quietly("q\r")
	if code := x.exits(); code != 0 {
		t.Errorf("exit %d\n%s", code, x.screen())
	}
	again := played(t, file).String()
	if strings.Contains(again, "q to leave (nothing changed): canary") || !strings.Contains(again, "This machine") {
		t.Errorf("%s", again)
	}
	for _, l := range strings.Split(again, "\n") { // a line feed alone would not go back to the left
		if strings.Contains(l, "Processor") && !strings.HasPrefix(l, "Processor") {
			t.Errorf("%q", l)
		}
	}
}

// full is a file on a disk with room for some bytes.
type full struct {
	bytes.Buffer
	room int
}

func (f *full) Write(b []byte) (int, error) {
	n, _ := f.Buffer.Write(b[:min(len(b), f.room-f.Len())])
	if n < len(b) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *full) Truncate(n int64) error {
	f.Buffer.Truncate(int(n))
	return nil
}

func TestARecordingThatFillsTheDiskEndsInAWholeEvent(t *testing.T) {
	f := &full{room: 10}
	w := &wholeLines{f: f}
	if _, err := w.Write([]byte("[1,2]\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("[3,4]\n")); !errors.Is(err, syscall.ENOSPC) || f.String() != "[1,2]\n" {
		t.Errorf("%v: %q", err, f)
	}
}
