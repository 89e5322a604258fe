package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// brief is how long a call tries to have a line that is lost back, when it was not lost
// in the middle of it.
const brief = 10 * time.Second

// connector makes a line to the agent.
type connector func(ctx context.Context) (io.ReadWriteCloser, error)

// Machine is a peer. Its methods wait while the line is cut: until it is back, or it
// counts as lost.
type Machine struct {
	id      machine.ID
	host    string
	connect connector
	owner   owner
	alive   func(owner) bool // says whether a process of this home still is
	o       options
	skew    atomic.Int64 // of the peer's clock against ours, in nanoseconds

	mu    sync.Mutex
	at    *session
	held  map[*held]bool
	stale []string // our own clients that were given up
	over  bool
}

var _ machine.Machine = (*Machine)(nil)

type options struct {
	patience time.Duration
	pace     pace
	wait     func(ctx context.Context, n int) bool // before the n-th try in a row; false: ctx is done
}

// session is what an agent keeps for us, as long as it does.
type session struct {
	client string
	boot   string
	link   *link
	http   *http.Client
	told   bool // somebody heard that it is over, under the machine's mu
	done   chan struct{}
}

// held is a lock that is held there.
type held struct {
	name string
	note []byte
	id   uint64
}

func newMachine(host string, who owner, connect connector, alive func(owner) bool, o options) *Machine {
	if o.patience <= 0 {
		o.patience = time.Minute
	}
	if o.pace == (pace{}) {
		o.pace = usualPace()
	}
	if o.wait == nil {
		o.wait = backOff
	}
	return &Machine{id: machine.ID("peer:" + host), host: host, connect: connect, owner: who, alive: alive, o: o, held: make(map[*held]bool)}
}

// backOff waits longer each time, up to two seconds.
func backOff(ctx context.Context, n int) bool {
	d := min(time.Duration(n)*time.Duration(n)*100*time.Millisecond, 2*time.Second)
	select {
	case <-time.After(d):
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// ID is "peer:HOST".
func (m *Machine) ID() machine.ID { return m.id }

// Close ends the session: what still runs there is stopped, locks are let go.
func (m *Machine) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return nil
	}
	m.over = true
	if m.at != nil {
		_ = m.at.link.Close()
		<-m.at.done
	}
	return nil
}

// session is the one there is, or a new one: after the old one was lost, and somebody
// heard of it.
func (m *Machine) session(ctx context.Context) (*session, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.over {
		return nil, lang.Because(net.ErrClosed, "the connection to %s was ended", "与 %s 的连接已结束", m.host)
	}
	if m.at != nil {
		err := m.at.link.err()
		if err == nil {
			return m.at, nil
		}
		if !m.at.told {
			m.at.told = true
			return nil, err
		}
	}
	return m.begin(ctx)
}

// begin has a new session, with the locks that the old one had. It is called with the
// lock held.
func (m *Machine) begin(ctx context.Context) (*session, error) {
	if m.at != nil {
		<-m.at.done
		if !slices.Contains(m.stale, m.at.client) {
			m.stale = append(m.stale, m.at.client)
		}
	}
	patience := brief
	if m.at == nil {
		patience = m.o.patience
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	s := &session{client: rand.Text(), link: newLink(m.o.pace), done: make(chan struct{})}
	s.link.leave = &RestartedError{Host: m.host}
	conn, w, err := m.line(ctx, s, false, m.stale)
	if err != nil {
		if m.at != nil {
			err = &LostError{Host: m.host, Patience: brief, Cause: err}
		}
		return nil, err
	}
	s.boot = w.Boot
	s.http = newHTTP(s.link)
	go m.keep(s, conn, w)
	for h := range m.held {
		r, err := s.ask(ctx, "lock", request{Name: raw(h.name), Value: h.note}, nil)
		if err != nil {
			_ = s.link.Close()
			<-s.done
			return nil, err
		}
		h.id = r.ID
	}
	m.at, m.stale = s, nil
	return s, nil
}

// newHTTP speaks HTTP/2 on a link and nowhere else.
func newHTTP(l *link) *http.Client {
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	one := make(chan net.Conn, 1)
	one <- l
	return &http.Client{Transport: &http.Transport{
		Protocols: &p,
		HTTP2:     &http.HTTP2Config{StrictMaxConcurrentRequests: true},
		DialContext: func(context.Context, string, string) (net.Conn, error) {
			select {
			case c := <-one:
				return c, nil
			default:
				return nil, net.ErrClosed
			}
		},
		DisableCompression: true,
	}}
}

// line has a line that carries s, up to the end of the handshake.
func (m *Machine) line(ctx context.Context, s *session, resume bool, stale []string) (io.ReadWriteCloser, welcome, error) {
	var w welcome
	conn, err := m.connect(ctx)
	if err != nil {
		return nil, w, err
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	err = within(patientHello, conn, func() error {
		began := time.Now()
		h := hello{Protocol: protocol, Client: s.client, Owner: m.owner, Resume: resume, Got: s.link.hush()}
		if err := writeJSON(conn, kindHello, h); err != nil {
			return err
		}
		if err := readJSON(conn, kindHello, &w); err != nil {
			return err
		}
		if w.Protocol != protocol {
			return &Refused{&VersionError{Host: m.host, Ours: protocol, Theirs: w.Protocol}}
		}
		m.learnClock(began, w.Now)
		if !w.Known {
			return nil
		}
		return writeJSON(conn, kindHello, proceed{End: m.dead(w.Idle, stale)})
	})
	if err == nil && !w.Known && !resume {
		err = garbled(nil)
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, w, err
	}
	return conn, w, nil
}

// dead are those of the clients without a line that nobody is behind.
func (m *Machine) dead(idle map[string]owner, stale []string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(idle)) {
		if o := idle[name]; slices.Contains(stale, name) || o.Home == m.owner.Home && !m.alive(o) {
			out = append(out, name)
		}
	}
	return out
}

// learnClock takes what the peer's clock showed between began and now: half way.
func (m *Machine) learnClock(began, theirs time.Time) {
	m.skew.Store(int64(theirs.Sub(began) - time.Since(began)/2))
}

// keep carries a session from line to line, until it is over.
func (m *Machine) keep(s *session, conn io.ReadWriteCloser, w welcome) {
	defer close(s.done)
	for {
		if s.link.carry(conn, w.Got) != nil {
			return
		}
		var err error
		if conn, w, err = m.again(s); err != nil {
			s.link.fail(err)
			return
		}
	}
}

// again has the line back.
func (m *Machine) again(s *session) (io.ReadWriteCloser, welcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), m.o.patience)
	defer cancel()
	defer s.watch(cancel)()
	lost := &LostError{Host: m.host, Patience: m.o.patience}
	for n := 0; ; n++ {
		if !m.o.wait(ctx, n) {
			return nil, welcome{}, lost
		}
		conn, w, err := m.line(ctx, s, true, nil)
		var refused *Refused
		switch {
		case errors.As(err, &refused):
			return nil, w, err
		case err != nil:
			if ctx.Err() == nil || lost.Cause == nil {
				lost.Cause = err
			}
			continue
		case !w.Known:
			_ = conn.Close()
			return nil, w, &RestartedError{Host: m.host, Rebooted: w.Boot != s.boot}
		}
		return conn, w, nil
	}
}

// watch calls f once the session's link is over, until it is told to stop.
func (s *session) watch(f func()) (stop func()) {
	over := make(chan struct{})
	l := s.link
	go func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for {
			select {
			case <-over:
				return
			default:
			}
			if l.over != nil {
				f()
				return
			}
			l.cond.Wait()
		}
	}()
	return func() {
		close(over)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.cond.Broadcast()
	}
}

// Closed says whether Close was called.
func (m *Machine) Closed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.over
}
