package peer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// ServeOptions are how an agent works. The zero value is usable.
type ServeOptions struct {
	// Lease is how long a client may be without a line before what it left running is
	// ended and what it locked is let go; 90 seconds if 0.
	Lease time.Duration
	pace  pace // a zero one is the usual
}

// agent does what clients ask of a machine.
type agent struct {
	m     machine.Machine
	o     ServeOptions
	boot  string
	empty chan struct{} // somebody left

	mu    sync.Mutex
	seats map[string]*seat
}

func newAgent(m machine.Machine, o ServeOptions) *agent {
	if o.Lease <= 0 {
		o.Lease = 90 * time.Second
	}
	if o.pace == (pace{}) {
		o.pace = usualPace()
	}
	return &agent{m: m, o: o, boot: bootOf(m), empty: make(chan struct{}, 1), seats: make(map[string]*seat)}
}

// bootOf is the machine's boot; "" where it does not say.
func bootOf(m machine.Machine) string {
	b, err := m.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// Serve answers requests on a stream with what m does, until the stream ends or ctx is
// done; what clients left running is then ended. Unlike ServeAll it keeps nobody waiting
// for a client that was cut off.
func Serve(ctx context.Context, m machine.Machine, conn io.ReadWriteCloser, o ServeOptions) error {
	a := newAgent(m, o)
	defer a.end()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	return a.attach(conn, nil)
}

// ServeAll answers on each stream that l accepts. It returns once there has been no
// client for a lease, or ctx is done. It closes l.
func ServeAll(ctx context.Context, m machine.Machine, l net.Listener, o ServeOptions) error {
	a := newAgent(m, o)
	defer a.end()
	accepting := make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				accepting <- err
				return
			}
			go func() {
				env, err := readEnv(conn)
				if err != nil {
					_ = conn.Close()
					return
				}
				_ = a.attach(conn, env) // the client has been told, or comes again
				select {
				case a.empty <- struct{}{}:
				default:
				}
			}()
		}
	}()
	defer l.Close()
	idle := time.NewTimer(a.o.Lease)
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-accepting:
			return err
		case <-a.empty:
			idle.Reset(a.o.Lease)
		case <-idle.C:
			if a.idle() {
				return nil
			}
			idle.Reset(a.o.Lease)
		}
	}
}

func (a *agent) idle() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.seats) == 0
}

// end ends all clients.
func (a *agent) end() {
	a.mu.Lock()
	all := make([]*seat, 0, len(a.seats))
	for _, s := range a.seats {
		all = append(all, s)
	}
	a.mu.Unlock()
	for _, s := range all {
		s.end()
	}
}

// attach has conn carry the client that says hello on it, until the line is cut.
func (a *agent) attach(conn io.ReadWriteCloser, env map[string]string) error {
	defer conn.Close()
	var h hello
	var s *seat
	err := within(patientHello, conn, func() error {
		if err := readJSON(conn, kindHello, &h); err != nil {
			return err
		}
		if h.Protocol != protocol || h.Client == "" {
			return errors.Join(writeJSON(conn, kindHello, welcome{Protocol: protocol}), garbled(nil))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if s = a.seat(h, env); s == nil {
		return writeJSON(conn, kindHello, welcome{Protocol: protocol, Boot: a.boot, Now: a.m.Now()})
	}
	if !s.turn(conn) {
		return nil
	}
	defer s.rise(a.o.Lease)
	var p proceed
	err = within(patientHello, conn, func() error {
		w := welcome{Protocol: protocol, Boot: a.boot, Known: true, Got: s.link.hush(), Now: a.m.Now(), Idle: a.without(s)}
		if err := writeJSON(conn, kindHello, w); err != nil {
			return err
		}
		return readJSON(conn, kindHello, &p)
	})
	if err != nil {
		return err
	}
	for _, name := range p.End {
		a.evict(name, h.Owner.Home)
	}
	if err := s.link.carry(conn, h.Got); err != nil {
		s.end()
	}
	return nil
}

// seat is the place of the client that h is of; nil where it is not known and should be.
func (a *agent) seat(h hello, env map[string]string) *seat {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.seats[h.Client]
	if s == nil && !h.Resume {
		s = newSeat(a, h.Client, h.Owner, env)
		a.seats[h.Client] = s
		go s.serve()
	}
	return s
}

// without are the clients that have no line, but for s.
func (a *agent) without(s *seat) map[string]owner {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make(map[string]owner)
	for name, other := range a.seats {
		if other != s && other.alone() {
			out[name] = other.owner
		}
	}
	return out
}

// evict ends a client of a home that has no line.
func (a *agent) evict(client, home string) {
	a.mu.Lock()
	s := a.seats[client]
	a.mu.Unlock()
	if s != nil && s.owner.Home == home && s.alone() {
		s.end()
	}
}

// seat is what an agent keeps of one client.
type seat struct {
	a      *agent
	client string
	owner  owner
	env    map[string]string
	link   *link
	calls  sync.WaitGroup
	ended  chan struct{}
	once   sync.Once

	turns sync.Mutex // held by who has the line

	mu     sync.Mutex
	coming io.Closer // the newest line
	lease  *time.Timer
	things map[uint64]io.Closer // locks and stages
	last   uint64
	runs   map[string]context.CancelFunc
	over   bool
}

func newSeat(a *agent, client string, o owner, env map[string]string) *seat {
	return &seat{
		a: a, client: client, owner: o, env: env, link: newLink(a.o.pace), ended: make(chan struct{}),
		things: make(map[uint64]io.Closer), runs: make(map[string]context.CancelFunc),
	}
}

// turn gives the seat to conn, the newest line: those before are cut. False: there came
// a newer one, or the seat is no more.
func (s *seat) turn(conn io.Closer) bool {
	s.mu.Lock()
	if s.coming != nil {
		_ = s.coming.Close()
	}
	s.coming = conn
	if s.lease != nil {
		s.lease.Stop()
	}
	s.mu.Unlock()
	s.turns.Lock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.coming != conn || s.over {
		s.turns.Unlock()
		return false
	}
	return true
}

// rise leaves the seat free for a lease.
func (s *seat) rise(lease time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turns.Unlock() // s.coming stays: a newer line may be waiting already
	if s.lease != nil {
		s.lease.Stop()
	}
	s.lease = time.AfterFunc(lease, func() {
		if s.alone() {
			s.end()
		}
	})
}

// alone says that there is no line.
func (s *seat) alone() bool {
	if !s.turns.TryLock() {
		return false
	}
	s.turns.Unlock()
	return true
}

// end stops everything the client left, lets go of what it locked, and forgets it.
func (s *seat) end() {
	s.once.Do(func() {
		s.mu.Lock()
		s.over = true
		s.mu.Unlock()
		s.link.fail(net.ErrClosed)
		<-s.ended
		s.calls.Wait()
		s.mu.Lock()
		things := s.things
		s.things = make(map[uint64]io.Closer)
		s.mu.Unlock()
		for _, t := range things {
			_ = t.Close() // nobody is left to hear of it
		}
		s.a.mu.Lock()
		delete(s.a.seats, s.client)
		s.a.mu.Unlock()
	})
}

// serve has HTTP/2 on the link.
func (s *seat) serve() {
	defer close(s.ended)
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	srv := &http.Server{
		Handler:   http.HandlerFunc(s.handle),
		Protocols: &p,
		HTTP2:     &http.HTTP2Config{MaxConcurrentStreams: 4096},
		ErrorLog:  log.New(io.Discard, "", 0),
	}
	_ = srv.Serve(&single{conn: s.link, over: func() { _ = s.link.waitOver() }}) // ends with the link
	_ = srv.Close()
}

// single is a listener of one connection.
type single struct {
	mu   sync.Mutex
	conn net.Conn
	over func() // waits until it is
}

func (s *single) Accept() (net.Conn, error) {
	s.mu.Lock()
	conn := s.conn
	s.conn = nil
	s.mu.Unlock()
	if conn != nil {
		return conn, nil
	}
	s.over()
	return nil, net.ErrClosed
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return linkAddr{} }

// closing is a Close that is a function.
type closing func() error

func (c closing) Close() error { return c() }

// keep keeps a thing until it is taken, or the client is gone.
func (s *seat) keep(c io.Closer) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0, errors.Join(net.ErrClosed, c.Close())
	}
	s.last++
	s.things[s.last] = c
	return s.last, nil
}

func (s *seat) thing(id uint64, take bool) (io.Closer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.things[id]
	if !ok {
		return nil, lang.Because(nil, "it is over already", "它已经结束").Like(fs.ErrClosed)
	}
	if take {
		delete(s.things, id)
	}
	return c, nil
}
