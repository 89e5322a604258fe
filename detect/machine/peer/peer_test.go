package peer

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"goxin/detect/machine"
)

// wire is lines in memory between a client and an agent. At its n-th message, counted in
// both directions over all lines, it cuts the line: behind the message or in its middle.
type wire struct {
	a *agent

	mu     sync.Mutex
	sent   int
	at     int // 0: never
	where  cutting
	lines  int
	ends   []*end
	refuse func(line int) error // of a try to have a line
	last   bool                 // the line that is cut is not had back
	died   func()               // told of the cut, before it
}

type cutting int

const (
	behind cutting = iota
	amid
)

func (w *wire) connect(context.Context) (io.ReadWriteCloser, error) {
	w.mu.Lock()
	w.lines++
	n, refuse, over := w.lines, w.refuse, w.last && w.at > 0 && w.sent >= w.at
	w.mu.Unlock()
	if over {
		return nil, net.ErrClosed
	}
	if refuse != nil {
		if err := refuse(n); err != nil {
			return nil, err
		}
	}
	near, far := net.Pipe()
	one, other := &end{Conn: near, w: w}, &end{Conn: far, w: w}
	w.mu.Lock()
	w.ends = append(w.ends, one, other)
	a := w.a
	w.mu.Unlock()
	go func() { _ = a.attach(other, nil) }()
	return one, nil
}

type end struct {
	net.Conn
	w *wire
}

func (e *end) Write(p []byte) (int, error) {
	e.w.mu.Lock()
	e.w.sent++
	cut := e.w.sent == e.w.at
	where := e.w.where
	e.w.mu.Unlock()
	if !cut {
		return e.Conn.Write(p)
	}
	if e.w.died != nil {
		e.w.died()
	}
	switch where {
	case amid:
		_, _ = e.Conn.Write(p[:len(p)/2])
	case behind:
		_, _ = e.Conn.Write(p)
	}
	_ = e.Conn.Close()
	return 0, net.ErrClosed
}

// seen is how many messages there were, and on how many lines.
func (w *wire) seen() (messages, lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent, w.lines
}

// at once, and again and again
func impatient(ctx context.Context, _ int) bool { return ctx.Err() == nil }

// joined is a client on an agent of this very machine.
func joined(t *testing.T, w *wire) *Machine {
	t.Helper()
	if w.a == nil {
		w.a = newAgent(machine.Local(machine.Fleeting()), ServeOptions{})
	}
	m := newMachine("b", owner{Home: "h", Boot: "b", PID: 1}, w.connect, func(owner) bool { return true }, options{wait: impatient})
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		w.a.end()
	})
	return m
}

func TestAPeerDoesWhatTheMachineItselfDoes(t *testing.T) {
	addr := echo(t)
	want := script(machine.Local(machine.Fleeting()), room(t), addr)
	w := &wire{}
	m := joined(t, w)
	differ(t, script(m, room(t), addr), want)
	if d := time.Since(m.Now()).Abs(); d > time.Minute {
		t.Errorf("its clock is off by %s", d)
	}
}

// The result is the same wherever the line is cut: at every boundary of two messages, in
// either direction, and in the middle of every third.
func TestTheLineIsCutAtEveryMessage(t *testing.T) {
	addr := echo(t)
	want := script(machine.Local(machine.Fleeting()), room(t), addr)
	clean := &wire{}
	differ(t, script(joined(t, clean), room(t), addr), want)
	cut := func(t *testing.T, at int, where cutting) (reached bool) {
		w := &wire{at: at, where: where}
		m := joined(t, w)
		if _, err := m.session(t.Context()); err != nil { // the very first line does not come again by itself
			if n, _ := w.seen(); n > 5 {
				t.Fatalf("cut at message %d: %v", at, err)
			}
		}
		t.Logf("cut at message %d", at)
		differ(t, script(m, room(t), addr), want)
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		_, lines := w.seen()
		return lines > 1
	}
	reached, all := 0, 0
	messages, _ := clean.seen()
	for at := 1; at <= messages; at++ {
		for _, where := range []cutting{behind, amid} {
			if where == amid && at%3 > 0 || testing.Short() && at%5 > 0 {
				continue
			}
			all++
			if cut(t, at, where) {
				reached++
			}
		}
	}
	// How messages gather is a matter of chance, but not how many there are.
	if reached < all*8/10 {
		t.Errorf("only %d of %d lines were cut", reached, all)
	}
}
