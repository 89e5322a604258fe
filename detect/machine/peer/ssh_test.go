package peer

import (
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

func dial(t *testing.T, h *host) (*Machine, error) {
	t.Helper()
	m, err := h.machine(t.Context(), owner{Home: "test", PID: os.Getpid()})
	if err == nil {
		t.Cleanup(func() { _ = m.Close() })
	}
	return m, err
}

func pinned(h *host, k ssh.Signer) *host {
	h.t.HostKey = ssh.FingerprintSHA256(k.PublicKey())
	return h
}

func TestAHostThatNobodyVouchesForIsRefused(t *testing.T) {
	key, other := ed25519Key(t), ed25519Key(t)
	s := newServer(t, key)
	home := login(t, s)
	_, err := dial(t, s.to(home))
	var unknown *UnknownHostError
	if !errors.As(err, &unknown) || unknown.Fingerprint != ssh.FingerprintSHA256(key.PublicKey()) || !isRefused(err) {
		t.Errorf("unknown: %v", err)
	}
	_, err = dial(t, pinned(s.to(home), other))
	var changed *ChangedHostError
	if !errors.As(err, &changed) || changed.Got != ssh.FingerprintSHA256(key.PublicKey()) || changed.Want[0] != ssh.FingerprintSHA256(other.PublicKey()) || !isRefused(err) {
		t.Errorf("pinned: %v", err)
	}
	known := func(k ssh.Signer, marker string) {
		line := marker + knownhosts.Line([]string{knownhosts.HashHostname("[127.0.0.1]:" + strconv.Itoa(s.port()))}, k.PublicKey())
		if err := os.WriteFile(home.dir+"/.ssh/known_hosts", []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	known(other, "")
	_, err = dial(t, s.to(home))
	if !errors.As(err, &changed) || !strings.HasSuffix(changed.Where, "known_hosts:1") || !strings.Contains(lang.Message(err, lang.ZH), changed.Got) {
		t.Errorf("changed: %v", err)
	}
	if _, _, yes, err := HostKey(t.Context(), home, s.to(home).t); yes || !errors.As(err, &changed) {
		t.Errorf("asked for a changed key: %t %v", yes, err)
	}
	if s.logins() != 0 || s.ran("") != 0 {
		t.Error("somebody logged in before the key was known")
	}
	known(key, "@revoked ")
	if _, err = dial(t, s.to(home)); !errors.As(err, &changed) || !changed.Revoked {
		t.Errorf("revoked: %v", err)
	}
	known(key, "")
	if fp, kind, yes, err := HostKey(t.Context(), home, s.to(home).t); !yes || err != nil || kind != "ssh-ed25519" || fp != unknown.Fingerprint {
		t.Errorf("asked for a known key: %s %s %t %v", fp, kind, yes, err)
	}
	if m, err := dial(t, s.to(home)); err != nil {
		t.Errorf("known: %v", err)
	} else if k, err := m.Kernel(); err != nil || k.UID != os.Getuid() {
		t.Error(k, err)
	}
}

// A host has keys of several kinds; the one that is known need not be the one it would
// show first.
func TestTheKeyThatIsKnownIsAskedFor(t *testing.T) {
	ed, ec := ed25519Key(t), ecdsaKey(t)
	s := newServer(t, ed, ec)
	home := login(t, s)
	if _, err := dial(t, pinned(s.to(home), ec)); err != nil {
		t.Errorf("pinned: %v", err)
	}
	line := knownhosts.Line([]string{"[127.0.0.1]:" + strconv.Itoa(s.port())}, ec.PublicKey())
	if err := os.WriteFile(home.dir+"/.ssh/known_hosts", []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dial(t, s.to(home)); err != nil {
		t.Errorf("known: %v", err)
	}
}

func TestTheAgentIsBroughtOnceAndOutlivesItsLine(t *testing.T) {
	key := ed25519Key(t)
	s := newServer(t, key)
	home := login(t, s)
	m, err := dial(t, pinned(s.to(home), key))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Getenv("https_proxy"); got != "http://proxy:3128" {
		t.Errorf("the proxy of who logs in there: %q", got)
	}
	var lines []string
	err = m.Run(t.Context(), machine.Command{Argv: []string{"sh", "-c", "echo one; read x; echo two $x"}, Stdin: onCall(func() string {
		s.cut() // while it runs
		return "after\n"
	})}, func(l string) { lines = append(lines, l) })
	if err != nil || strings.Join(lines, ",") != "one,two after" {
		t.Errorf("a program whose line was cut: %q %v", lines, err)
	}
	if s.logins() < 2 {
		t.Errorf("%d logins: the line was not cut", s.logins())
	}
	if _, err := dial(t, pinned(s.to(home), key)); err != nil {
		t.Error(err)
	}
	if n := s.ran("got=$(sha256sum"); n != 1 {
		t.Errorf("the agent was brought %d times", n)
	}
	names, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if i, err := n.Info(); err != nil || i.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v %v", n.Name(), i.Mode(), err)
		}
	}
}

// onCall is a reader of what f gives, when it is asked for.
type onCall func() string

func (f onCall) Read(p []byte) (int, error) {
	if f == nil {
		return 0, io.EOF
	}
	return copy(p, f()), io.EOF
}

func TestThroughAnotherHost(t *testing.T) {
	gate, key := ed25519Key(t), ed25519Key(t)
	hop, s := newServer(t, gate), newServer(t, key)
	home := login(t, hop, s)
	h := pinned(s.to(home), key)
	h.t.Jump = []Hop{{Host: "127.0.0.1", Port: hop.port(), HostKey: ssh.FingerprintSHA256(gate.PublicKey())}}
	if _, err := dial(t, h); err != nil {
		t.Error(err)
	}
	if hop.logins() != 1 || hop.ran("") != 0 {
		t.Errorf("%d logins at the gate, %d programs", hop.logins(), hop.ran(""))
	}
	h = pinned(s.to(home), key)
	h.t.Jump = []Hop{{Host: "127.0.0.1", Port: hop.port()}}
	var unknown *UnknownHostError
	if _, err := dial(t, h); !errors.As(err, &unknown) {
		t.Errorf("a gate that nobody vouches for: %v", err)
	}
}

func TestAPasswordIsAskedForOnce(t *testing.T) {
	key := ed25519Key(t)
	s := newServer(t, key)
	s.mu.Lock()
	s.word = "pass word"
	s.mu.Unlock()
	home := homely{machine.Local(), room(t)}
	asked := 0
	ask := func(word string) func() (string, error) {
		return func() (string, error) { asked++; return word, nil }
	}
	h := pinned(s.to(home), key)
	h.password = once(ask("pass word"))
	m, err := dial(t, h)
	if err != nil {
		t.Fatal(err)
	}
	s.cut()
	if _, err := m.Stat("/"); err != nil || asked != 1 {
		t.Errorf("asked %d times: %v", asked, err)
	}
	h = pinned(s.to(home), key)
	h.password = once(ask("wrong"))
	if _, err = dial(t, h); err == nil || lang.Hint(err, lang.ZH) == "" || strings.Contains(err.Error(), "wrong") {
		t.Error(err)
	}
}

// A sudo that wants a password gets it on its standard input, once it asks, and nobody
// sees it.
func TestRootIsHadBySudo(t *testing.T) {
	const fake = `
if [ "$1" = -n ]; then %s fi
[ "$1 $2 $3" = "-k -S -p" ] || exit 99
printf '%%s' "$4" >&2
read word
[ "$word" = "it's it" ] || { printf 'Sorry, try again.\n%%s' "$4" >&2; read word; exit 1; }
shift 5
exec "$@"`
	key := ed25519Key(t)
	for name, c := range map[string]struct {
		n, word, want string
	}{
		"no password needed": {"shift 2; exec \"$@\";", "", ""},
		"a password":         {"echo 'sudo: a password is required' >&2; exit 1;", "it's it", ""},
		"a wrong one":        {"echo 'sudo: a password is required' >&2; exit 1;", "wrong", "cannot become root on 127.0.0.1: sudo does not accept the password"},
		"none given":         {"echo 'sudo: a password is required' >&2; exit 1;", "", "cannot become root on 127.0.0.1: sudo: a password is required"},
		"no sudo":            {"echo 'sudo: command not found' >&2; exit 127;", "", "cannot become root on 127.0.0.1: sudo: command not found"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, key)
			s.program("id", "echo 1000")
			s.program("sudo", strings.ReplaceAll(strings.Replace(fake, "%s", c.n, 1), "%%", "%"))
			h := pinned(s.to(login(t, s)), key)
			if c.word != "" {
				h.become = once(func() (string, error) { return c.word, nil })
			}
			_, err := dial(t, h)
			switch {
			case c.want == "" && err != nil:
				t.Error(lang.Message(err, lang.EN))
			case c.want != "" && (err == nil || lang.Message(err, lang.EN) != c.want || !isRefused(err) || lang.Hint(err, lang.ZH) == ""):
				t.Errorf("%v", err)
			}
			if c.word != "" && s.ran(c.word) > 0 {
				t.Error("the password is in a command line")
			}
		})
	}
}

func TestHostsThatCannotBeAPeer(t *testing.T) {
	key := ed25519Key(t)
	for name, c := range map[string]struct {
		program, script, want string
		refused               bool
	}{
		"another system": {"uname", `[ "$1" = -s ] && echo FreeBSD || echo amd64`, "it runs FreeBSD, not Linux", true},
		"no port of Go":  {"uname", `[ "$1" = -s ] && echo Linux || echo sw_64`, "Go does not know its architecture (sw_64)", true},
		"a full disk":    {"cat", "echo 'cat: write error: No space left on device' >&2; exit 1", "cannot bring goxin to 127.0.0.1: cat: write error: No space left on device", false},
		"cut short":      {"cat", `head -c 10`, "it arrived as ", false},
		"no shell":       {"sh", "echo 'This account is currently not available.'; exit 1", "cannot run programs on 127.0.0.1", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, key)
			s.program(c.program, c.script)
			_, err := dial(t, pinned(s.to(login(t, s)), key))
			if err == nil || !strings.Contains(lang.Message(err, lang.EN), c.want) || isRefused(err) != c.refused || lang.Hint(err, lang.ZH) == "" {
				t.Errorf("%v (%s)", err, lang.Hint(err, lang.EN))
			}
			if left, _ := os.ReadDir(s.dir); len(left) > 0 {
				t.Errorf("%s was left there", left[0].Name())
			}
		})
	}
	h := newHost(machine.Local(), Target{Host: "127.0.0.1", Port: 1}, "x")
	if _, err := dial(t, h); !errors.Is(err, syscall.ECONNREFUSED) || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("nobody there: %v", err)
	}
}

func TestAMissingProgramForAnotherArchitectureIsNamed(t *testing.T) {
	tree := machine.Root(room(t))
	if err := errors.Join(tree.Mkdir("/proc", 0o755, machine.Keep), tree.Mkdir("/proc/self", 0o755, machine.Keep), tree.Symlink("/opt/goxin", machine.Self)); err != nil {
		t.Fatal(err)
	}
	_, _, err := Release(tree)("mips")
	if err == nil || !isRefused(err) || !strings.Contains(err.Error(), "/opt/goxin-mips") || lang.Hint(err, lang.ZH) == "" {
		t.Error(err)
	}
}
