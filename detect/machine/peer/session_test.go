package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// cut cuts the lines of a wire, and has no others until mend.
func (w *wire) cut() {
	w.mu.Lock()
	w.refuse = func(int) error { return lang.Quote("no line") }
	all := w.ends
	w.ends = nil
	w.mu.Unlock()
	for _, e := range all {
		_ = e.Close()
	}
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.refuse = nil
}

func TestALineThatDoesNotComeBackIsLostAndLaterCallsTryAgain(t *testing.T) {
	w := &wire{a: newAgent(machine.Local(), ServeOptions{})}
	m := newMachine("b", owner{Home: "h"}, w.connect, func(owner) bool { return true }, options{
		wait: func(context.Context, int) bool { return false }, // time is up at once
	})
	dir := room(t)
	release, err := m.Lock(dir+"/lock", []byte("ours"))
	if err != nil {
		t.Fatal(err)
	}
	running := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		running <- m.Run(context.Background(), machine.Command{Argv: []string{"sh", "-c", "echo on; exec sleep 1000"}}, func(string) { close(started) })
	}()
	<-started
	w.cut()
	var lost *LostError
	if err := <-running; !errors.As(err, &lost) || lost.Host != "b" || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("the program that ran: %v", err)
	}
	if _, err := m.Stat("/"); !errors.As(err, &lost) || !machine.Lost(fmt.Errorf("cannot look: %w", err)) {
		t.Errorf("a call without a line: %v", err)
	}
	w.mend()
	if _, err := m.Stat("/"); err != nil {
		t.Errorf("with a line again: %v", err)
	}
	// What the old session held was let go, and the new one has the lock again.
	if _, err := machine.Local().Lock(dir+"/lock", nil); err == nil {
		t.Error("the lock is free")
	}
	if n := len(w.a.seats); n != 1 {
		t.Errorf("the agent keeps %d clients", n)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if _, err := m.Stat("/"); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	w.a.end()
}

func TestAnAgentThatIsGoneIsToldOfOnce(t *testing.T) {
	for name, rebooted := range map[string]bool{"rebooted": true, "ended": false} {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			m := joined(t, w)
			dir := room(t)
			if _, err := m.Lock(dir+"/lock", nil); err != nil {
				t.Fatal(err)
			}
			old := w.a
			fresh := newAgent(machine.Local(), ServeOptions{})
			if rebooted {
				fresh.boot = "another"
				w.cut() // it has no time to take leave
			}
			old.end() // lets go of the lock
			w.mu.Lock()
			w.a = fresh
			w.mu.Unlock()
			w.mend()
			var gone *RestartedError
			if _, err := m.Stat("/"); !errors.As(err, &gone) || gone.Rebooted != rebooted {
				t.Errorf("the first call: %v", err)
			}
			if _, err := m.Stat("/"); err != nil {
				t.Errorf("the second call: %v", err)
			}
			if _, err := machine.Local().Lock(dir+"/lock", nil); err == nil {
				t.Error("the lock was not taken again")
			}
		})
	}
}

// A client whose process has died is ended by the next one of its home; one that is only
// cut off is not.
func TestTheNextProcessOfAHomeTakesOver(t *testing.T) {
	a := newAgent(machine.Local(), ServeOptions{})
	defer a.end()
	dir := room(t)
	for name, lives := range map[string]bool{"dead": false, "alive": true} {
		first := &wire{a: a}
		m := newMachine("b", owner{Home: "h", PID: 1}, first.connect, nil, options{wait: func(ctx context.Context, _ int) bool { <-ctx.Done(); return false }})
		m.alive = func(owner) bool { return true }
		if _, err := m.Lock(dir+"/"+name, nil); err != nil {
			t.Fatal(err)
		}
		first.cut()
		s := seatOf(a, m.at.client)
		s.link.hush() // until the agent has seen that the line is cut
		for !s.alone() {
			runtime.Gosched()
		}
		next := newMachine("b", owner{Home: "h", PID: 2}, (&wire{a: a}).connect, func(o owner) bool { return o.PID != 1 || lives }, options{wait: impatient})
		release, err := next.Lock(dir+"/"+name, nil)
		var held *machine.LockedError
		if lives != errors.As(err, &held) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			_ = release()
		}
		_ = next.Close()
		_ = m.Close()
	}
}

func seatOf(a *agent, client string) *seat {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.seats[client]
}

func TestAClientThatStaysAwayIsEnded(t *testing.T) {
	w := &wire{a: newAgent(machine.Local(), ServeOptions{Lease: time.Millisecond})}
	m := newMachine("b", owner{Home: "h"}, w.connect, func(owner) bool { return true }, options{wait: func(context.Context, int) bool { return false }})
	running := make(chan error, 1)
	started := make(chan struct{})
	go func() {
		running <- m.Run(context.Background(), machine.Command{Argv: []string{"sh", "-c", "echo on; exec sleep 1000"}}, func(string) { close(started) })
	}()
	<-started
	s := seatOf(w.a, m.at.client)
	w.cut()
	<-s.ended
	s.calls.Wait() // the program was stopped
	if err := <-running; err == nil {
		t.Error("the program ended by itself")
	}
	_ = m.Close()
}

func TestAnAgentOfAnotherVersionIsRefused(t *testing.T) {
	connect := func(context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		go func() {
			var h hello
			_ = readJSON(far, kindHello, &h)
			_ = writeJSON(far, kindHello, welcome{Protocol: protocol + 1})
		}()
		return near, nil
	}
	m := newMachine("b", owner{}, connect, func(owner) bool { return true }, options{wait: impatient})
	_, err := m.Stat("/")
	var version *VersionError
	if !errors.As(err, &version) || !isRefused(err) || lang.Hint(err, lang.ZH) == "" {
		t.Error(err)
	}
	a := newAgent(machine.Local(), ServeOptions{})
	near, far := net.Pipe()
	go func() { _ = a.attach(far, nil) }()
	var w welcome
	if err := errors.Join(writeJSON(near, kindHello, hello{Protocol: protocol + 1, Client: "x"}), readJSON(near, kindHello, &w)); err != nil || w.Protocol != protocol || w.Known {
		t.Error(w, err)
	}
}

// A hostile agent costs an error, not the program: whatever it sends after the handshake.
func TestAHostileAgentIsAnError(t *testing.T) {
	zeros := make([]byte, 8)
	for name, said := range map[string][]byte{
		"nothing":                 nil,
		"a huge frame":            {'C', 0xff, 0xff, 0xff, 0xff},
		"no frame":                []byte(strings.Repeat("HTTP/1.1 200 OK\r\n", 100)),
		"a hello too many":        appendFrame(nil, kindHello, []byte("{}")),
		"short":                   appendFrame(nil, kindCarry, []byte{1}),
		"more than was sent":      appendFrame(nil, kindCarry, []byte{0, 0, 0, 1, 0, 0, 0, 0}),
		"no HTTP/2":               appendFrame(nil, kindCarry, zeros, bytes.Repeat([]byte("x"), 1000)),
		"a huge HTTP/2 frame":     appendFrame(nil, kindCarry, zeros, []byte{0xff, 0xff, 0xff, 4, 0, 0, 0, 0, 0}),
		"leave":                   appendFrame(nil, kindOver),
		"a welcome and then more": appendFrame(appendFrame(nil, kindCarry, zeros, []byte{0, 0, 0, 4, 0, 0, 0, 0, 0}), kindOver),
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			connect := func(context.Context) (io.ReadWriteCloser, error) {
				if tries++; tries > 3 {
					return nil, lang.Quote("enough")
				}
				near, far := net.Pipe()
				go func() {
					defer far.Close()
					var h hello
					var p proceed
					_ = readJSON(far, kindHello, &h)
					_ = writeJSON(far, kindHello, welcome{Protocol: protocol, Known: true})
					_ = readJSON(far, kindHello, &p)
					go io.Copy(io.Discard, far) //nolint:errcheck // as it comes
					_, _ = far.Write(said)
				}()
				return near, nil
			}
			m := newMachine("b", owner{}, connect, func(owner) bool { return true }, options{wait: func(_ context.Context, n int) bool { return n < 3 }})
			if _, err := m.Stat("/"); err == nil {
				t.Error("no error")
			}
			_ = m.Close()
		})
	}
}

// Many calls at once, among them a reader that does not read, do not wait for each other.
func TestCallsGoSideBySide(t *testing.T) {
	m := joined(t, &wire{})
	dir := room(t)
	if err := m.WriteFile(dir+"/big", make([]byte, 8<<20), 0o600, machine.Keep); err != nil {
		t.Fatal(err)
	}
	idle, err := m.Open(dir + "/big") // more than any window
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 300 {
		all.Go(func() {
			if i, err := m.Stat(dir + "/big"); err != nil || i.Size != 8<<20 {
				t.Error(i, err)
			}
		})
	}
	all.Wait()
	if b, err := io.ReadAll(idle); err != nil || len(b) != 8<<20 {
		t.Error(len(b), err)
	}
	if err := idle.Close(); err != nil {
		t.Error(err)
	}
}
