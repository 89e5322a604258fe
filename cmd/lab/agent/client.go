package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// ErrLost says that the stream to the machine ended: it was reset, cut,
// restored or shut down, or another client took over.
var ErrLost = errors.New("connection to the machine lost")

// Client speaks to the agent of one machine. Its methods are safe for
// concurrent use.
type Client struct {
	*stream
	conn net.Conn
	boot string

	state sync.Mutex
	procs map[uint32]*Process
	last  uint32
	lost  bool
}

// Greet takes over a stream: it says hello until the agent answers or ctx
// ends, skipping what was meant for an earlier client. setClock makes the
// agent set its machine's clock, which must never be asked of a container. On
// failure the connection is closed.
func Greet(ctx context.Context, conn net.Conn, setClock bool) (*Client, error) {
	c := &Client{stream: newStream(conn), conn: conn, procs: map[uint32]*Process{}}
	nonce := rand.Text()
	answer := make(chan error, 1)
	go func() { answer <- c.await(nonce) }()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		hello := message{Op: opHello, Nonce: nonce}
		if setClock {
			hello.Now = time.Now().UnixNano()
		}
		// A port nobody reads fills up; the deadline keeps ctx in charge.
		_ = conn.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
		err := c.send(hello)
		var timeout net.Error
		if err != nil && (!errors.As(err, &timeout) || !timeout.Timeout()) {
			_ = conn.Close()
			return nil, err
		}
		select {
		case err := <-answer:
			if err != nil {
				_ = conn.Close()
				return nil, err
			}
			_ = conn.SetWriteDeadline(time.Time{})
			go c.dispatch()
			return c, nil
		case <-again.C:
		case <-ctx.Done():
			_ = conn.Close()
			return nil, ctx.Err()
		}
	}
}

func (c *Client) await(nonce string) error {
	for {
		m, err := c.receive()
		if err != nil {
			return err
		}
		if m.Op == opHello && m.Nonce == nonce {
			c.boot = m.Boot
			return nil
		}
	}
}

// Boot is the machine's boot id: another one means it was rebooted.
func (c *Client) Boot() string { return c.boot }

// Lost reports whether the stream has ended.
func (c *Client) Lost() bool {
	c.state.Lock()
	defer c.state.Unlock()
	return c.lost
}

// Close ends the stream; what was started over it is hung up or killed.
func (c *Client) Close() error { return c.conn.Close() }

func (c *Client) dispatch() {
	for {
		m, err := c.receive()
		if err != nil {
			break
		}
		c.state.Lock()
		p := c.procs[m.ID]
		if m.Op == opExit {
			delete(c.procs, m.ID)
		}
		c.state.Unlock()
		if p != nil {
			p.handle(m)
		}
	}
	_ = c.conn.Close()
	c.state.Lock()
	c.lost = true
	procs := c.procs
	c.procs = map[uint32]*Process{}
	c.state.Unlock()
	for _, p := range procs {
		p.finish(-1, ErrLost)
	}
}

// open sends the first message of a process and registers it.
func (c *Client) open(m message, stdout, stderr io.Writer) (*Process, error) {
	p := &Process{client: c, stdout: stdout, stderr: stderr, started: make(chan struct{}), done: make(chan struct{})}
	c.state.Lock()
	if c.lost {
		c.state.Unlock()
		return nil, ErrLost
	}
	c.last++
	p.id = c.last
	c.procs[p.id] = p
	c.state.Unlock()
	m.ID = p.id
	if err := c.send(m); err != nil {
		return nil, errors.Join(ErrLost, err)
	}
	return p, nil
}
