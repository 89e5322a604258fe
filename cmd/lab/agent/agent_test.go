package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func connect(t *testing.T) (*Client, net.Conn) {
	t.Helper()
	far, near := net.Pipe()
	go func() {
		_ = Serve(far)
		_ = far.Close()
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := Greet(ctx, near, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, near
}

func TestRunPassesInputOutputEnvironmentAndCode(t *testing.T) {
	c, _ := connect(t)
	var out, errOut bytes.Buffer
	code, err := c.Run(t.Context(), Command{
		Argv: []string{"sh", "-c", "cat; echo $X $HOME; echo oops >&2; exit 9"}, Dir: "/", Env: []string{"X=1"},
		Stdin: strings.NewReader("in "), Stdout: &out, Stderr: &errOut,
	})
	if err != nil || code != 9 || out.String() != "in 1 /root\n" || errOut.String() != "oops\n" {
		t.Errorf("got %d, %v, %q, %q", code, err, out.String(), errOut.String())
	}
	if _, err := c.Run(t.Context(), Command{Argv: []string{"no-such-program"}, Dir: "/"}); err == nil {
		t.Error("a program that is not there ran")
	}
}

func TestKilledProgramTellsTheSignal(t *testing.T) {
	c, _ := connect(t)
	p, err := c.Start(Command{Argv: []string{"sleep", "100"}, Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(); code != 143 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestABackgroundChildDoesNotHoldUpItsParent(t *testing.T) {
	c, _ := connect(t)
	begin := time.Now()
	code, err := c.Run(t.Context(), Command{Argv: []string{"sh", "-c", "sleep 4 & exit 3"}, Dir: "/", Stdout: io.Discard})
	if code != 3 || err != nil || time.Since(begin) > 3*time.Second {
		t.Errorf("got %d, %v after %v", code, err, time.Since(begin))
	}
}

func TestAProcessThatDoesNotReadHoldsNobodyUp(t *testing.T) {
	c, _ := connect(t)
	p, err := c.Start(Command{Argv: []string{"sleep", "100"}, Dir: "/", Stdin: bytes.NewReader(make([]byte, 4<<20))})
	if err != nil {
		t.Fatal(err)
	}
	if code, err := c.Run(t.Context(), Command{Argv: []string{"true"}, Dir: "/"}); code != 0 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
	_ = p.Signal(syscall.SIGKILL)
	_, _ = p.Wait()
}

func TestContextKillsTheProgram(t *testing.T) {
	c, _ := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Run(ctx, Command{Argv: []string{"sleep", "100"}, Dir: "/"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestPtyIsATerminalThatCanBeLost(t *testing.T) {
	c, _ := connect(t)
	mark := filepath.Join(t.TempDir(), "mark")
	p, err := c.Pty(Size{Cols: 33, Rows: 11}, []string{"TERM=vt100"}, "sh", "-c", "cd /; trap 'echo hup >"+mark+"; exit' HUP; stty size; while :; do sleep 0.05; done")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := p.Read(buf)
	if got := strings.TrimSpace(string(buf[:n])); got != "11 33" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Wait(); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile(mark); string(b) != "hup\n" {
		t.Errorf("the program got no SIGHUP: %q, %v", b, err)
	}
}

func TestPutIsWholeOrNotAtAll(t *testing.T) {
	c, _ := connect(t)
	dir := t.TempDir()
	data := bytes.Repeat([]byte("0123456789abcdef"), 20000)
	name := filepath.Join(dir, "file")
	if err := c.Put(t.Context(), bytes.NewReader(data), name, 0o750); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("got %v, %v", info, err)
	}
	var back bytes.Buffer
	if err := c.Get(t.Context(), name, &back); err != nil || !bytes.Equal(back.Bytes(), data) {
		t.Errorf("came back different: %v", err)
	}
	if err := c.Put(t.Context(), strings.NewReader("x"), dir+"/no/file", 0o600); err == nil {
		t.Error("put into no directory")
	}
	if err := c.Get(t.Context(), dir, &back); err == nil {
		t.Error("got a directory")
	}
	r, w := io.Pipe()
	go func() { _ = c.Put(context.Background(), r, dir+"/half", 0o600) }()
	_, _ = w.Write([]byte("half"))
	_ = c.Close()
	for range 100 {
		if left, _ := os.ReadDir(dir); len(left) == 1 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("half a file was left")
}

func TestALostLineEndsWhatRuns(t *testing.T) {
	c, conn := connect(t)
	p, err := c.Start(Command{Argv: []string{"sleep", "100"}, Dir: "/"})
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := p.Wait(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
	for range 100 {
		if syscall.Kill(p.PID(), 0) != nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if syscall.Kill(p.PID(), 0) == nil {
		t.Error("the program still runs")
	}
	if _, err := c.Start(Command{Argv: []string{"true"}}); !errors.Is(err, ErrLost) {
		t.Errorf("got %v", err)
	}
	if !c.Lost() {
		t.Error("the client does not know")
	}
}

// A machine that is reset leaves half lines; a new client must get through.
func TestGreetingGetsThroughWhatAnEarlierClientLeft(t *testing.T) {
	far, near := net.Pipe()
	go func() {
		_ = Serve(struct {
			io.Reader
			io.Writer
		}{io.MultiReader(strings.NewReader(`{"op":"start","id":1,"ar`), far), far})
	}()
	go func() {
		_, _ = far.Write([]byte(`"data":"AAAA"}` + "\n" + `{"op":"hello","nonce":"other"}` + "\n" + `{"op":"out"`))
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c, err := Greet(ctx, near, false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if code, err := c.Run(ctx, Command{Argv: []string{"true"}, Dir: "/"}); code != 0 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestGreetingGivesUpWithItsContext(t *testing.T) {
	far, near := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Greet(ctx, near, false); err == nil {
		t.Error("nobody answered, and yet")
	}
}

func TestTreeListsKindsModesOwnersAndContents(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.Mkdir(dir+"/d", 0o700), os.WriteFile(dir+"/d/f", []byte("x"), 0o640), os.Symlink("to here", dir+"/l"),
		os.Mkdir(dir+"/log", 0o755), os.WriteFile(dir+"/log/a", nil, 0o600), os.WriteFile(dir+"/odd\nname", nil, 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	if err := WriteTree(&b, []string{dir, dir + "/none"}, []string{dir + "/lo*"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`040700 `, `100640 `, `1:a93c5f93`,
		`120777 `, `"to here"`, `odd\nname"`, `missing "` + dir + `/none"`,
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s is not in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "log") {
		t.Errorf("an exclude is listed:\n%s", b.String())
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"op":"out","id":1,"data":"AAAA"}`))
	f.Add([]byte(`{"op":`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if m, ok := decode(line); ok && m.Op == "" {
			t.Error("a message without an operation")
		}
	})
}
