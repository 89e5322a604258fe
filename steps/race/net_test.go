package race

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"goxin/detect/machine"
)

// world is a machine in a bubble of virtual time, whose network is a set of hosts
// with a latency, a rate and jitter each.
type world struct {
	machine.Machine
	hosts map[string]*host // by name
	clock time.Duration    // how far the machine's clock is off
}

// Now maps the bubble's clock, which begins in 2000, to a time with repositories.
func (w *world) Now() time.Time {
	return time.Now().Add(bubble.Sub(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) + w.clock)
}

func (w *world) Getenv(string) string { return "" }

func (w *world) Dial(ctx context.Context, _, address string) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(address)
	h := w.hosts[name]
	switch {
	case h == nil:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case h.dial != nil:
		return h.dial(ctx)
	}
	select {
	case <-time.After(h.roundTrip):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return h.connect()
}

// host is a server behind a line. Its connections share the line.
type host struct {
	name      string
	roundTrip time.Duration
	rate      float64 // bytes a second, towards the client
	jitter    float64 // part of the time of each piece
	dial      func(context.Context) (net.Conn, error)

	mu   sync.Mutex
	rng  *rand.Rand
	free time.Time // when the line is
	down int64     // bytes that reached the client
	in   chan net.Conn
	done chan struct{}
}

// serve starts a host. The test ends it.
func (w *world) serve(t testing.TB, h *host, handler http.Handler) *host {
	if h.rng == nil {
		h.rng = rand.New(rand.NewPCG(1, 2))
	}
	h.in, h.done = make(chan net.Conn), make(chan struct{})
	s := &http.Server{Handler: handler}
	go s.Serve(listener{h}) //nolint:errcheck // it ends with the test
	t.Cleanup(func() { s.Close() })
	if w.hosts == nil {
		w.hosts = map[string]*host{}
	}
	w.hosts[h.name] = h
	return h
}

type listener struct{ h *host }

func (l listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.h.in:
		return c, nil
	case <-l.h.done:
		return nil, net.ErrClosed
	}
}

func (l listener) Close() error {
	close(l.h.done)
	return nil
}

func (l listener) Addr() net.Addr { return &net.TCPAddr{} }

func (h *host) connect() (net.Conn, error) {
	up := &half{limit: 1 << 20, wake: make(chan struct{}), delay: func(int) time.Time { return time.Now().Add(h.roundTrip / 2) }}
	down := &half{limit: int(h.rate*h.roundTrip.Seconds()) + 64<<10, wake: make(chan struct{}), delay: h.carry, piece: h.piece()}
	down.read = func(n int) {
		h.mu.Lock()
		h.down += int64(n)
		h.mu.Unlock()
	}
	select {
	case h.in <- &conn{in: up, out: down}:
		return &conn{in: down, out: up}, nil
	case <-h.done:
		return nil, errors.New("connection refused")
	}
}

// piece is what goes at once: about a millisecond's worth.
func (h *host) piece() int { return int(min(256<<10, max(1460, h.rate/1000))) }

// carry is when a piece arrives: it waits for the line, takes its time on it (every
// hundredth one much longer), and half a round trip.
func (h *host) carry(n int) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	took := float64(n) / h.rate * (1 + h.jitter*(2*h.rng.Float64()-1))
	if h.rng.IntN(100) == 0 {
		took *= 1 + 20*h.jitter
	}
	if now := time.Now(); h.free.Before(now) {
		h.free = now
	}
	h.free = h.free.Add(time.Duration(took * float64(time.Second)))
	return h.free.Add(h.roundTrip / 2)
}

// half is one direction of a connection.
type half struct {
	mu     sync.Mutex
	wake   chan struct{} // closed and replaced when something changed
	queue  []arrival
	queued int
	limit  int
	piece  int // 0: any size
	closed bool
	until  time.Time // the reader's deadline
	delay  func(int) time.Time
	read   func(int)
}

type arrival struct {
	b  []byte
	at time.Time
}

func (h *half) change() {
	close(h.wake)
	h.wake = make(chan struct{})
}

func (h *half) Read(p []byte) (int, error) {
	for {
		h.mu.Lock()
		now, n := time.Now(), 0
		for len(h.queue) > 0 && n < len(p) && !h.queue[0].at.After(now) {
			k := copy(p[n:], h.queue[0].b)
			n += k
			if h.queue[0].b = h.queue[0].b[k:]; len(h.queue[0].b) == 0 {
				h.queue = h.queue[1:]
			}
		}
		if n > 0 {
			h.queued -= n
			h.change()
			h.mu.Unlock()
			if h.read != nil {
				h.read(n)
			}
			return n, nil
		}
		if !h.until.IsZero() && !now.Before(h.until) {
			h.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		if h.closed && len(h.queue) == 0 {
			h.mu.Unlock()
			return 0, io.EOF
		}
		next := h.until
		if len(h.queue) > 0 && (next.IsZero() || h.queue[0].at.Before(next)) {
			next = h.queue[0].at
		}
		wake := h.wake
		h.mu.Unlock()
		if next.IsZero() {
			<-wake
			continue
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (h *half) Write(p []byte) (int, error) {
	sent := 0
	for len(p) > 0 {
		n := len(p)
		if h.piece > 0 {
			n = min(n, h.piece)
		}
		h.mu.Lock()
		for h.queued >= h.limit && !h.closed {
			wake := h.wake
			h.mu.Unlock()
			<-wake
			h.mu.Lock()
		}
		if h.closed {
			h.mu.Unlock()
			return sent, io.ErrClosedPipe
		}
		h.queue = append(h.queue, arrival{append([]byte(nil), p[:n]...), h.delay(n)})
		h.queued += n
		h.change()
		h.mu.Unlock()
		sent, p = sent+n, p[n:]
	}
	return sent, nil
}

func (h *half) close(drop bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if drop {
		h.queue = nil
	}
	h.change()
}

type conn struct{ in, out *half }

func (c *conn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *conn) Write(p []byte) (int, error) { return c.out.Write(p) }

func (c *conn) Close() error {
	c.in.close(true)
	c.out.close(false)
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (c *conn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (c *conn) SetDeadline(t time.Time) error    { return c.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.until = t
	c.in.change()
	return nil
}
