package peer

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"goxin/detect/machine"
)

// The test binary plays the agent that a login starts.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PEER_TEST_DIR"); dir != "" && len(os.Args) > 1 && os.Args[1] == "agent" {
		os.Exit(playAgent(dir, os.Args[2:]))
	}
	os.Exit(m.Run())
}

func playAgent(dir string, args []string) int {
	local := machine.Local()
	var err error
	if args[0] == "serve" {
		var l net.Listener
		var release func() error
		if l, release, err = listen(local, place{dir, args[2]}); err == nil {
			err = errors.Join(ServeAll(context.Background(), local, l, ServeOptions{Lease: 5 * time.Second}), release())
		}
	} else {
		err = relay(context.Background(), local, place{dir, args[1]}, os.Getenv("PEER_TEST_PROGRAM"), os.Stdin, os.Stdout)
	}
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error() + "\n")
		return 1
	}
	return 0
}

// server is an SSH server in memory's reach: what is asked of it runs in a shell here.
type server struct {
	t        *testing.T
	listener net.Listener
	config   *ssh.ServerConfig
	path     string // directory of programs that come before all others
	dir      string // the agent's: programs and sockets

	mu    sync.Mutex
	conns []net.Conn
	execs []string
	auth  int    // logins
	key   []byte // of who may log in
	word  string // the password, if there is one
}

func (s *server) logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.auth
}

func (s *server) admit(key []byte, word string) (*ssh.Permissions, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if key != nil && bytes.Equal(key, s.key) || word != "" && word == s.word {
		return nil, nil
	}
	return nil, errors.New("no")
}

func newServer(t *testing.T, keys ...ssh.Signer) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir := room(t)
	s := &server{t: t, listener: l, config: &ssh.ServerConfig{}, path: filepath.Join(dir, "bin"), dir: filepath.Join(dir, "agent")}
	if err := os.Mkdir(s.path, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		s.config.AddHostKey(k)
	}
	s.config.PublicKeyCallback = func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) { return s.admit(k.Marshal(), "") }
	s.config.PasswordCallback = func(_ ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) { return s.admit(nil, string(p)) }
	t.Cleanup(func() {
		_ = l.Close()
		s.cut()
	})
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.conns = append(s.conns, conn)
			s.mu.Unlock()
			go s.serve(conn)
		}
	}()
	return s
}

// cut cuts all connections.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
}

func (s *server) port() int {
	_, p, _ := net.SplitHostPort(s.listener.Addr().String())
	n, _ := strconv.Atoi(p)
	return n
}

// program puts a script before the programs of this host.
func (s *server) program(name, script string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.path, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		s.t.Fatal(err)
	}
}

// ran is how often something was run that has word in it.
func (s *server) ran(word string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.execs {
		if bytes.Contains([]byte(e), []byte(word)) {
			n++
		}
	}
	return n
}

func (s *server) serve(conn net.Conn) {
	c, chans, reqs, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		_ = conn.Close()
		return
	}
	s.mu.Lock()
	s.auth++
	s.mu.Unlock()
	defer c.Close()
	go ssh.DiscardRequests(reqs)
	for ch := range chans {
		switch ch.ChannelType() {
		case "session":
			go s.session(ch)
		case "direct-tcpip":
			go forward(ch)
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "")
		}
	}
}

func forward(n ssh.NewChannel) {
	var to struct {
		Host string
		Port uint32
		From string
		At   uint32
	}
	if ssh.Unmarshal(n.ExtraData(), &to) != nil {
		return
	}
	out, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = n.Reject(ssh.ConnectionFailed, "")
		return
	}
	ch, reqs, err := n.Accept()
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	go func() {
		_, _ = io.Copy(out, ch)
		_ = out.Close()
	}()
	_, _ = io.Copy(ch, out)
	_ = ch.Close()
}

func (s *server) session(n ssh.NewChannel) {
	ch, reqs, err := n.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	for r := range reqs {
		var q struct{ Command string }
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &q) != nil {
			_ = r.Reply(false, nil)
			continue
		}
		_ = r.Reply(true, nil)
		s.mu.Lock()
		s.execs = append(s.execs, q.Command)
		s.mu.Unlock()
		cmd := exec.Command("sh", "-c", q.Command)
		cmd.Env = []string{"PATH=" + s.path + ":" + os.Getenv("PATH"), "https_proxy=http://proxy:3128"}
		cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
		in, err := cmd.StdinPipe()
		if err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(in, ch)
			_ = in.Close()
		}()
		err = cmd.Run()
		code := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			code = 127
		}
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{uint32(code)}))
		return
	}
}

func ed25519Key(t *testing.T) ssh.Signer { return signer(t, newEd25519(t)) }

func newEd25519(t *testing.T) any {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func ecdsaKey(t *testing.T) ssh.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer(t, k)
}

func signer(t *testing.T, k any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// homely is a machine to start from: this one, but with a home directory of its own.
type homely struct {
	machine.Machine
	dir string
}

func (h homely) Getenv(name string) string {
	if name == "HOME" {
		return h.dir
	}
	return ""
}

func (h homely) HostPath(name string) string { return name }

// login is a home with a key, whose public half the servers take.
func login(t *testing.T, servers ...*server) homely {
	t.Helper()
	h := homely{machine.Local(), room(t)}
	k := newEd25519(t)
	block, err := ssh.MarshalPrivateKey(k, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(h.dir+"/.ssh", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.dir+"/.ssh/id_ed25519", pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	public := signer(t, k).PublicKey().Marshal()
	for _, s := range servers {
		s.mu.Lock()
		s.key = public
		s.mu.Unlock()
	}
	return h
}

// to is a target on a server, with a script for the program that is put there.
func (s *server) to(h homely) *host {
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	script := "#!/bin/sh\nPEER_TEST_DIR=" + quote(s.dir) + " PEER_TEST_PROGRAM=\"$0\" exec " + quote(self) + ` "$@"` + "\n"
	sum := sha256.Sum256([]byte(script))
	t := Target{Host: "127.0.0.1", Port: s.port(), Binary: func(string) (io.ReadCloser, string, error) {
		return io.NopCloser(bytes.NewReader([]byte(script))), hex.EncodeToString(sum[:]), nil
	}}
	at := newHost(h, t, "1-test")
	at.dir = s.dir
	return at
}
