package peer

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// stopping is how long a program that is told to end is waited for: longer than its
// machine waits before it kills.
const stopping = 10 * time.Second

// Run runs a program there. It goes on while the line is cut; what it prints meanwhile
// comes when the line is back.
func (m *Machine) Run(ctx context.Context, c machine.Command, out func(line string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return m.do(ctx, func(s *session) error { return s.run(ctx, c, out) })
}

func (s *session) run(ctx context.Context, c machine.Command, out func(line string)) error {
	if out == nil {
		out = func(string) {}
	}
	q := request{Run: rand.Text(), Argv: raws(c.Argv), Env: raws(c.Env), Name: raw(c.Dir), Stdin: c.Stdin != nil, Timeout: c.Timeout}
	var more io.Reader
	if c.Stdin != nil {
		r, w := io.Pipe()
		go func() {
			_, err := io.Copy(w, c.Stdin)
			_ = w.CloseWithError(err) // nil is the end
		}()
		more = &framed{r: r, stop: func() { _ = r.Close() }}
	}
	// The call itself is not cancelled with ctx: what became of the program would not be
	// heard.
	patient, give := context.WithCancel(context.WithoutCancel(ctx))
	defer give()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(stopping, give)
		defer t.Stop()
		_ = s.tell(patient, "cancel", request{Run: q.Run}, nil)
		<-patient.Done()
	})()
	call, err := s.start(patient, "run", q, more)
	if err == nil {
		defer call.close()
		err = call.lines(func(l string) error { out(l); return nil })
	}
	if why := ctx.Err(); why != nil && errors.Is(err, context.Canceled) {
		return lang.Because(why, "%s was stopped", "%s 已被停止", strings.Join(c.Argv, " "))
	}
	return err
}

// Dial connects from there.
func (m *Machine) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn *dialled
	err := m.do(ctx, func(s *session) error {
		near, far := net.Pipe()
		life, end := context.WithCancel(context.WithoutCancel(ctx))
		stop := context.AfterFunc(ctx, end)
		defer stop()
		call, err := s.start(life, "dial", request{Name: raw(network), To: raw(address)}, &framed{r: far, stop: func() { _ = far.SetReadDeadline(time.Unix(1, 0)) }}) // what comes from there goes on
		if err == nil {
			if _, err = call.reply(); err != nil {
				_ = call.close()
			}
		}
		if err != nil {
			end()
			_ = far.Close()
			if why := ctx.Err(); why != nil && errors.Is(err, context.Canceled) {
				return why
			}
			return err
		}
		conn = &dialled{Conn: near, network: network, address: address}
		conn.close = sync.OnceFunc(func() {
			end()
			_ = far.Close()
		})
		go func() {
			_, _ = io.Copy(far, struct{ io.Reader }{&file{m: m, c: call}})
			_ = far.Close()
		}()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return conn, nil
}

// dialled is a connection of the peer's.
type dialled struct {
	net.Conn
	network, address string
	close            func()
}

func (d *dialled) Close() error {
	err := d.Conn.Close()
	d.close()
	return err
}

func (d *dialled) RemoteAddr() net.Addr { return peerAddr{d.network, d.address} }

type peerAddr struct{ network, address string }

func (a peerAddr) Network() string { return a.network }
func (a peerAddr) String() string  { return a.address }
