package agent

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"
)

// Size is a terminal's, in character cells.
type Size struct{ Cols, Rows int }

// Command is a program to run in the machine, as root, with the environment of
// a root shell plus Env. A program with a terminal gets no Stderr of its own.
type Command struct {
	Argv           []string
	Env            []string // "NAME=value"
	Dir            string   // "/root" if empty
	Stdin          io.Reader
	Stdout, Stderr io.Writer // dropped if nil
	TTY            *Size
}

// Process is a program running in the machine.
type Process struct {
	client         *Client
	id             uint32
	stdout, stderr io.Writer

	once    sync.Once
	started chan struct{}
	done    chan struct{}
	pid     int
	code    int
	err     error
}

func (p *Process) handle(m message) {
	switch m.Op {
	case opStarted:
		p.pid = m.PID
		close(p.started)
	case opOut:
		if p.stdout != nil {
			_, _ = p.stdout.Write(m.Data)
		}
	case opErr:
		if p.stderr != nil {
			_, _ = p.stderr.Write(m.Data)
		}
	case opExit:
		var err error
		if m.Error != "" {
			err = errors.New(m.Error)
		}
		p.finish(m.Code, err)
	}
}

func (p *Process) finish(code int, err error) {
	p.once.Do(func() {
		p.code, p.err = code, err
		if q, ok := p.stdout.(*queue); ok {
			_ = q.Close()
		}
		close(p.done)
	})
}

// Start starts a program.
func (c *Client) Start(cmd Command) (*Process, error) {
	m := message{Op: opStart, Argv: cmd.Argv, Env: cmd.Env, Dir: cmd.Dir, Stdin: cmd.Stdin != nil}
	if cmd.TTY != nil {
		m.TTY, m.Cols, m.Rows = true, cmd.TTY.Cols, cmd.TTY.Rows
	}
	p, err := c.open(m, cmd.Stdout, cmd.Stderr)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.started:
	case <-p.done:
		if p.err != nil {
			return nil, p.err
		}
	}
	if cmd.Stdin != nil {
		go p.feed(cmd.Stdin)
	}
	return p, nil
}

func (p *Process) feed(r io.Reader) {
	_ = p.client.copyOut(opIn, p.id, r)
	_ = p.client.send(message{Op: opIn, ID: p.id})
}

// PID is the process's number inside the machine.
func (p *Process) PID() int { return p.pid }

// Wait returns the exit code; 128 plus the signal for a killed program.
func (p *Process) Wait() (int, error) {
	<-p.done
	return p.code, p.err
}

// Signal signals the program and what it started.
func (p *Process) Signal(sig syscall.Signal) error {
	return p.client.send(message{Op: opSignal, ID: p.id, Signal: int(sig)})
}

// Run runs a program to its end, or kills it when ctx ends.
func (c *Client) Run(ctx context.Context, cmd Command) (int, error) {
	p, err := c.Start(cmd)
	if err != nil {
		return -1, err
	}
	return p.await(ctx)
}

func (p *Process) await(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.code, p.err
	case <-ctx.Done():
		_ = p.Signal(syscall.SIGKILL)
		return -1, ctx.Err()
	}
}

// Pty is a program on a terminal of its own. Read gives what it prints until
// it ends, Write is the keyboard, Close hangs up like a lost line.
type Pty struct {
	*Process
	out *queue
}

// Pty starts a program on a terminal.
func (c *Client) Pty(size Size, env []string, argv ...string) (*Pty, error) {
	out := newQueue()
	p, err := c.Start(Command{Argv: argv, Env: env, TTY: &size, Stdout: out})
	if err != nil {
		return nil, err
	}
	return &Pty{p, out}, nil
}

func (p *Pty) Read(b []byte) (int, error) { return p.out.Read(b) }

func (p *Pty) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0; {
		n := min(len(rest), chunk)
		if err := p.client.send(message{Op: opIn, ID: p.id, Data: rest[:n]}); err != nil {
			return len(b) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(b), nil
}

// Resize changes the terminal's size; the program gets SIGWINCH.
func (p *Pty) Resize(cols, rows int) error {
	return p.client.send(message{Op: opResize, ID: p.id, Cols: cols, Rows: rows})
}

// Close hangs up.
func (p *Pty) Close() error {
	return p.client.send(message{Op: opHangUp, ID: p.id})
}

// Put makes a file of what r gives, durably and under its name only when whole.
func (c *Client) Put(ctx context.Context, r io.Reader, path string, mode fs.FileMode) error {
	p, err := c.open(message{Op: opPut, Path: path, Mode: uint32(mode.Perm())}, nil, nil)
	if err != nil {
		return err
	}
	go p.feed(r)
	_, err = p.await(ctx)
	return err
}

// Get copies a file of the machine to w.
func (c *Client) Get(ctx context.Context, path string, w io.Writer) error {
	return c.fetch(ctx, message{Op: opGet, Path: path}, w)
}

// Tree lists files as WriteTree does.
func (c *Client) Tree(ctx context.Context, paths, excludes []string, w io.Writer) error {
	return c.fetch(ctx, message{Op: opTree, Paths: paths, Excludes: excludes}, w)
}

func (c *Client) fetch(ctx context.Context, m message, w io.Writer) error {
	p, err := c.open(m, w, nil)
	if err != nil {
		return err
	}
	_, err = p.await(ctx)
	return err
}
