package demo

import (
	"io"
	"net"
	"sync"
	"time"
)

// stream is one end of a connection in memory that takes no time: of SSH, and of the
// sockets on a machine. Who writes is never kept waiting for the other end to read.
type stream struct {
	in, out *half
	address address // the other end's
}

// half is one direction of a stream.
type half struct {
	mu     sync.Mutex
	more   *sync.Cond
	data   []byte
	closed bool
}

func newHalf() *half {
	h := new(half)
	h.more = sync.NewCond(&h.mu)
	return h
}

// newStream is a connection from one address to another.
func newStream(from, to string) (client, server *stream) {
	a, b := newHalf(), newHalf()
	return &stream{in: a, out: b, address: address(to)}, &stream{in: b, out: a, address: address(from)}
}

func (s *stream) Read(p []byte) (int, error) {
	h := s.in
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.data) == 0 {
		if h.closed {
			return 0, io.EOF
		}
		h.more.Wait()
	}
	n := copy(p, h.data)
	h.data = h.data[n:]
	return n, nil
}

func (s *stream) Write(p []byte) (int, error) {
	h := s.out
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, net.ErrClosed
	}
	h.data = append(h.data, p...)
	h.more.Broadcast()
	return len(p), nil
}

// Close ends both directions; what was written still arrives.
func (s *stream) Close() error {
	for _, h := range []*half{s.in, s.out} {
		h.mu.Lock()
		h.closed = true
		h.more.Broadcast()
		h.mu.Unlock()
	}
	return nil
}

func (s *stream) LocalAddr() net.Addr              { return address("192.0.2.10:40000") }
func (s *stream) RemoteAddr() net.Addr             { return s.address }
func (s *stream) SetDeadline(time.Time) error      { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// listener hands the connections to a socket to who serves them.
type listener struct {
	conns chan net.Conn
	once  sync.Once
	over  chan struct{}
}

func newListener() *listener {
	return &listener{conns: make(chan net.Conn), over: make(chan struct{})}
}

func (l *listener) dial(name string) (net.Conn, error) {
	client, server := newStream("", name)
	select {
	case l.conns <- server:
		return client, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

// Accept is the next connection.
func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.over:
		return nil, net.ErrClosed
	}
}

// Close refuses those to come.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.over) })
	return nil
}

// Addr is a name that nobody asks for.
func (l *listener) Addr() net.Addr { return address("agent") }
