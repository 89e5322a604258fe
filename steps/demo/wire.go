package demo

import (
	"context"
	"io"
	"net"
	"sync"
	"time"

	"goxin/detect/machine"
)

// lane is the machine as one of those sees it who are asked at the same time: it has a
// time of its own, in which only what that one sends takes any.
type lane struct {
	*sim
	name string

	mu     sync.Mutex
	at     time.Time
	opened bool // the first answer comes after the handshakes
}

// Lane is the machine with a time of its own.
func (s *sim) Lane(name string) machine.Machine {
	return &lane{sim: s, name: name, at: s.clock.now()}
}

func (l *lane) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

func (l *lane) pass(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at = l.at.Add(d)
}

// first says whether nothing was answered yet.
func (l *lane) first() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.opened
	l.opened = true
	return !was
}

func (l *lane) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return l.net.dial(ctx, network, address, l)
}

// piece is what arrives at once, and how long it takes by whose clock.
type piece struct {
	data  []byte
	takes time.Duration
	rest  time.Duration // waited on top, by nobody's clock
	count func(time.Duration)
}

// wire is a connection in memory: the client's end. Each end writes without waiting
// for the other to read, as on a network: a client that gives up says so while it is
// still being sent to.
type wire struct {
	clock  *clock
	in     chan piece
	out    chan []byte
	left   []byte
	server *wireServer

	once sync.Once
	gone chan struct{}
	over chan struct{}   // the server has closed its end
	ctx  context.Context // ends with gone
	stop context.CancelFunc
}

// wireServer is the other end. Only one goroutine writes to it.
type wireServer struct {
	w    *wire
	left []byte
	rate float64 // bytes a second
	next piece   // of what is written next: its takes and rest are used once
	sent int64   // bytes of this answer
	bulk bool    // only what is large counts
}

// small is what several ask for at once, in bytes.
const small = 64 << 10

func newWire(c *clock, rate float64) *wire {
	w := &wire{clock: c, in: make(chan piece, 16), out: make(chan []byte, 16), gone: make(chan struct{}), over: make(chan struct{})}
	w.ctx, w.stop = context.WithCancel(context.Background())
	w.server = &wireServer{w: w, rate: rate}
	return w
}

func (w *wire) Read(p []byte) (int, error) {
	if len(w.left) == 0 {
		select {
		case got, open := <-w.in:
			if !open {
				return 0, io.EOF
			}
			if got.count != nil {
				got.count(got.takes)
			}
			if w.clock.rest(w.ctx, got.takes+got.rest) != nil {
				return 0, net.ErrClosed
			}
			w.left = got.data
		case <-w.gone:
			return 0, net.ErrClosed
		}
	}
	n := copy(p, w.left)
	w.left = w.left[n:]
	return n, nil
}

func (w *wire) Write(p []byte) (int, error) {
	select {
	case <-w.over:
		return 0, net.ErrClosed
	default:
	}
	select {
	case w.out <- append([]byte(nil), p...):
		return len(p), nil
	case <-w.gone:
	case <-w.over:
	}
	return 0, net.ErrClosed
}

func (w *wire) Close() error {
	w.once.Do(func() {
		close(w.gone)
		w.stop()
	})
	return nil
}

func (s *wireServer) Read(p []byte) (int, error) {
	if len(s.left) == 0 {
		select {
		case s.left = <-s.w.out:
		case <-s.w.gone:
			return 0, io.EOF
		}
	}
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

func (s *wireServer) Write(p []byte) (int, error) {
	out := s.next
	s.next = piece{count: s.next.count}
	out.data = append([]byte(nil), p...)
	out.takes += time.Duration(float64(len(p)) / s.rate * 1e9)
	if s.sent += int64(len(p)); s.bulk && s.sent <= small {
		out.count = nil
	}
	select {
	case s.w.in <- out:
		return len(p), nil
	case <-s.w.gone:
		return 0, net.ErrClosed
	}
}

// Close ends the answers; what was sent still arrives.
func (s *wireServer) Close() error {
	close(s.w.over)
	close(s.w.in)
	return nil
}

// address is that of either end.
type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func (w *wire) LocalAddr() net.Addr                    { return address("192.0.2.10:40000") }
func (w *wire) RemoteAddr() net.Addr                   { return address("203.0.113.33:443") }
func (w *wire) SetDeadline(time.Time) error            { return nil }
func (w *wire) SetReadDeadline(time.Time) error        { return nil }
func (w *wire) SetWriteDeadline(time.Time) error       { return nil }
func (s *wireServer) LocalAddr() net.Addr              { return s.w.RemoteAddr() }
func (s *wireServer) RemoteAddr() net.Addr             { return s.w.LocalAddr() }
func (s *wireServer) SetDeadline(time.Time) error      { return nil }
func (s *wireServer) SetReadDeadline(time.Time) error  { return nil }
func (s *wireServer) SetWriteDeadline(time.Time) error { return nil }
