package peer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// A host on the way is nobody's business to trust: it carries the line, and is never
// offered the password of the host behind it.
func TestAHostOnTheWayIsNotToldThePassword(t *testing.T) {
	gate, key := ed25519Key(t), ed25519Key(t)
	hop, s := newServer(t, gate), newServer(t, key)
	var offered atomic.Int32
	hop.config.PasswordCallback = func(ssh.ConnMetadata, []byte) (*ssh.Permissions, error) {
		offered.Add(1)
		return nil, errors.New("no")
	}
	s.mu.Lock()
	s.word = "canary 41"
	s.mu.Unlock()
	home := homely{machine.Local(), room(t)}
	h := pinned(s.to(home), key)
	h.t.Jump = []Hop{{Host: "127.0.0.1", Port: hop.port(), HostKey: ssh.FingerprintSHA256(gate.PublicKey())}}
	h.password = once(func() (string, error) { return "canary 41", nil })
	if _, err := dial(t, h); err == nil {
		t.Error("the gate has let somebody in without a key")
	}
	if n := offered.Load(); n != 0 {
		t.Errorf("the gate was offered the password %d times", n)
	}
}

// endless gives the same bytes for ever.
type endless string

func (e endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		n += copy(p[n:], string(e))
	}
	return n, nil
}

func TestALineWithoutAnEndIsCutOff(t *testing.T) {
	line, err := readLine(bufio.NewReaderSize(endless("x"), chunk))
	if !errors.Is(err, bufio.ErrBufferFull) || len(line) != chunk {
		t.Errorf("%d bytes, %v", len(line), err)
	}
}

// liar is a machine that says of its directories what it likes.
type liar struct {
	machine.Machine
	names []string
}

func (l liar) ReadDir(string) ([]string, error) { return l.names, nil }

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../../etc/shadow", "/etc/shadow", "a/b"} {
		m := joined(t, &wire{a: newAgent(liar{machine.Local(), []string{"fine", name}}, ServeOptions{})})
		if names, err := m.ReadDir("/"); err == nil {
			t.Errorf("%q: %q", name, names)
		}
	}
	long := strings.Repeat("n", 1<<20-8)
	many := make([]string, 70)
	for i := range many {
		many[i] = long
	}
	m := joined(t, &wire{a: newAgent(liar{machine.Local(), many}, ServeOptions{})})
	var path *fs.PathError
	if _, err := m.ReadDir("/"); !errors.As(err, &path) || !errors.Is(err, syscall.EFBIG) {
		t.Errorf("a directory without an end: %v", err)
	}
}

// What waits for input when the line is lost ends, though the input never comes.
func TestALostLineEndsWhatWaitsForInput(t *testing.T) {
	w := &wire{a: newAgent(machine.Local(), ServeOptions{})}
	m := newMachine("b", owner{Home: "h"}, w.connect, func(owner) bool { return true }, options{
		wait: func(context.Context, int) bool { return false },
	})
	defer w.a.end()
	st, err := m.Stage(room(t) + "/stage")
	if err != nil {
		t.Fatal(err)
	}
	f, err := st.Create("f", 0o600)
	if err != nil {
		t.Fatal(err)
	}
	never, _ := net.Pipe()
	ended, started := make(chan error), make(chan struct{})
	go func() {
		ended <- m.Run(context.Background(), machine.Command{Argv: []string{"sh", "-c", "echo on; exec cat"}, Stdin: never}, func(string) { close(started) })
	}()
	<-started
	w.cut()
	var lost *LostError
	if err := <-ended; !errors.As(err, &lost) {
		t.Errorf("a program that reads: %v", err)
	}
	_, err = io.Copy(f, io.LimitReader(endless("x"), 64<<20))
	if !errors.As(err, &lost) {
		t.Errorf("a file that is written: %v", err)
	}
	if _, err := st.Create("g", 0o600); !errors.As(err, &lost) {
		t.Errorf("the next file: %v", err)
	}
}

// Neither password is in a command line, in a file, in the environment of what was
// started there, or in the words of an error.
func TestNoPasswordIsLeftAnywhere(t *testing.T) {
	const login, become = "canary 42", "canary 43"
	key := ed25519Key(t)
	s := newServer(t, key)
	s.mu.Lock()
	s.word = login
	s.mu.Unlock()
	s.program("id", "echo 1000")
	s.program("sudo", `
if [ "$1" = -n ]; then echo 'sudo: a password is required' >&2; exit 1; fi
printf '%s' "$4" >&2
read word
[ "$word" = "`+become+`" ] || { printf '%s' "$4" >&2; read word; exit 1; }
unset word
shift 5
exec "$@"`)
	home := homely{machine.Local(), room(t)}
	there := func(becoming string) (*Machine, error) {
		h := pinned(s.to(home), key)
		h.password = once(func() (string, error) { return login, nil })
		h.become = once(func() (string, error) { return becoming, nil })
		return dial(t, h)
	}
	m, err := there(become)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	err = m.Run(t.Context(), machine.Command{Argv: []string{"sh", "-c", "env; cat /proc/$PPID/environ /proc/$PPID/cmdline | tr '\\0' '\\n'"}}, func(l string) { all.WriteString(l + "\n") })
	if err != nil || !strings.Contains(all.String(), "agent") {
		t.Fatalf("%v\n%s", err, all.String())
	}
	s.cut() // it logs in again
	if _, err := m.Stat("/"); err != nil {
		t.Fatal(err)
	}
	_, err = there("canary 44")
	if err == nil {
		t.Fatal("a wrong password makes root")
	}
	all.WriteString(err.Error() + lang.Message(err, lang.ZH) + lang.Hint(err, lang.EN))
	s.mu.Lock()
	all.WriteString(strings.Join(s.execs, "\n"))
	s.mu.Unlock()
	for _, dir := range []string{s.dir, home.dir} {
		if err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			if i, e := d.Info(); err == nil && e == nil && i.Mode().IsRegular() && i.Size() < 1<<20 { // not the program, which has the words of this test
				b, err := os.ReadFile(p)
				all.Write(b)
				return err
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if i := strings.Index(all.String(), "canary"); i >= 0 {
		t.Errorf("it stands there: %.100q", all.String()[max(0, i-40):])
	}
}
