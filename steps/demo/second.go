package demo

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/crypto/ssh"

	"goxin/detect/machine"
	"goxin/detect/machine/peer"
	"goxin/steps/engine"
)

// What the two machines of a demo are called on their network (RFC 5737).
var (
	firstAddress  = netip.MustParseAddr("192.0.2.10")
	secondAddress = netip.MustParseAddr("192.0.2.11")
)

// Password is what the second machine lets everybody in with. It takes any key too: the
// first machine has one in root's ~/.ssh.
const Password = "demo"

// Address is where the second machine is.
func Address() netip.Addr { return secondAddress }

// pair are the machine and the second one, of the same kind, which is made once somebody
// goes there.
type pair struct {
	first  *sim
	again  func() (io.Reader, error) // the captured machine, from its beginning
	dir    string
	lan    *segment
	ctx    context.Context // of what is served on the second one
	stop   context.CancelFunc
	served *crew

	guard func(machine.Machine, engine.RunID) // nil: nobody would

	seed []byte // of the second one's host key; nil: chance

	mu     sync.Mutex
	second *sim
	host   ssh.Signer // the second one's host key
}

func newPair(dir string, again func() (io.Reader, error)) *pair {
	p := &pair{again: again, dir: dir, served: newCrew()}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// close ends what is served, and waits for it.
func (p *pair) close() {
	p.stop()
	p.served.close()
}

// name is what the second machine is called: the first one's successor.
func (p *pair) name() string {
	first := p.first.kernel.Hostname
	if rest, ok := strings.CutSuffix(first, "-01"); ok {
		return rest + "-02"
	}
	return first + "-2"
}

// at says whether a host is the second machine.
func (p *pair) at(host string) bool { return host == secondAddress.String() || host == p.name() }

// other makes the second machine where it is not there yet.
func (p *pair) other() (*sim, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.second != nil {
		return p.second, nil
	}
	archive, err := p.again()
	if err != nil {
		return nil, err
	}
	s, err := unpacked("second", archive, filepath.Join(p.dir, "second"), p.first.clock.flow)
	if err != nil {
		return nil, err
	}
	s.kernel.Hostname, s.place, s.pair, s.net = p.name(), secondAddress, p, p.first.net
	s.clock.set(s.clock.rightNow()) // whoever makes a pair has seen to this one's clock
	if err := s.furnish(); err != nil {
		return nil, err
	}
	if err := s.listing(); err != nil {
		return nil, err
	}
	seed := p.seed
	if seed == nil {
		seed = make([]byte, ed25519.SeedSize)
		if _, err := rand.Read(seed); err != nil {
			return nil, err
		}
	}
	if p.host, err = ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed)); err != nil {
		return nil, err
	}
	p.lan.join(s)
	p.second = s
	return s, nil
}

// listing has the package lists there, as on a machine that was in use.
func (s *sim) listing() error {
	if s.deb() {
		return s.write(aptLists+"/mirror.example_dists_stable_main_binary-"+s.debArch()+"_Packages", nil, 0o644)
	}
	return nil
}

// identify gives root of the first machine a key, made for the occasion.
func (s *sim) identify() error {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "root@"+s.kernel.Hostname)
	if err != nil {
		return err
	}
	if err := s.mkdirs("/root/.ssh"); err != nil {
		return err
	}
	return s.write("/root/.ssh/id_ed25519", pem.EncodeToMemory(block), 0o600)
}

// call dials the second machine's sshd.
func (p *pair) call(from netip.Addr) (net.Conn, error) {
	s, err := p.other()
	if err != nil {
		return nil, err
	}
	client, server := newStream(from.String()+":40000", secondAddress.String()+":22")
	if !p.served.begin(func() { s.sshd(p.ctx, server, p.host) }) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} // it is switched off
	}
	return client, nil
}

// agents are the session processes of goxin on a machine, by their socket's name.
type agents struct {
	mu sync.Mutex
	at map[string]*listener
}

// serveAgent starts one.
func (s *sim) serveAgent(session string) {
	socket := "/run/goxin/agent/" + session + ".sock"
	s.agents.mu.Lock()
	defer s.agents.mu.Unlock()
	if s.agents.at[socket] != nil {
		return
	}
	if s.agents.at == nil {
		s.agents.at = map[string]*listener{}
	}
	l := newListener()
	serves := s.pair.served.begin(func() {
		_ = peer.ServeAll(s.pair.ctx, s, l, peer.ServeOptions{}) // ends with the demo, or when nobody comes any more
		s.agents.mu.Lock()
		defer s.agents.mu.Unlock()
		delete(s.agents.at, socket)
	})
	if serves {
		s.agents.at[socket] = l
	}
}

// socket connects to one.
func (a *agents) socket(name string) (net.Conn, error) {
	a.mu.Lock()
	l := a.at[name]
	a.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: machine.ErrNotRunning}
	}
	return l.dial(name)
}
