package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/charmbracelet/x/term"

	"goxin/cmd/lab/agent"
)

// execute runs a program with the caller's own input and output.
func execute(ctx context.Context, m Machine, argv []string) error {
	code, err := m.Run(ctx, agent.Command{Argv: argv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr})
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

// shell runs a program, a login shell by default, on a terminal in the machine
// that follows the caller's.
func shell(ctx context.Context, m Machine, argv []string) error {
	if len(argv) == 0 {
		argv = []string{"bash", "-l"}
	}
	size, env := agent.Size{Cols: 80, Rows: 24}, []string{"TERM=dumb"}
	if term.IsTerminal(os.Stdin.Fd()) {
		if cols, rows, err := term.GetSize(os.Stdin.Fd()); err == nil {
			size = agent.Size{Cols: cols, Rows: rows}
		}
		env = nil
		for _, name := range []string{"TERM", "LANG", "COLORTERM", "NO_COLOR"} {
			if v, ok := os.LookupEnv(name); ok {
				env = append(env, name+"="+v)
			}
		}
	}
	p, err := m.Pty(ctx, size, env, argv...)
	if err != nil {
		return err
	}
	restore := rawTerminal()
	defer restore()
	winch := make(chan os.Signal, 1)
	signal.Notify(winch, syscall.SIGWINCH)
	defer signal.Stop(winch)
	go func() {
		for range winch {
			if cols, rows, err := term.GetSize(os.Stdin.Fd()); err == nil {
				_ = p.Resize(cols, rows)
			}
		}
	}()
	go func() { _, _ = io.Copy(p, os.Stdin) }()
	go func() {
		<-ctx.Done()
		_ = p.Close()
	}()
	if _, err := io.Copy(os.Stdout, p); err != nil {
		return err
	}
	code, err := p.Wait()
	if err == nil && code != 0 {
		return exitCode(code)
	}
	return err
}

func rawTerminal() (restore func()) {
	if !term.IsTerminal(os.Stdin.Fd()) {
		return func() {}
	}
	old, err := term.MakeRaw(os.Stdin.Fd())
	if err != nil {
		return func() {}
	}
	return func() { _ = term.Restore(os.Stdin.Fd(), old) }
}

// leave is Ctrl-], as in telnet.
const leave = 0x1d

func console(ctx context.Context, m Machine, _ []string) error {
	v, ok := m.(*VM)
	if !ok {
		return errors.New("cannot open a serial line: a container has none (lab shell is its terminal)")
	}
	conn, err := v.Console()
	if err != nil {
		return err
	}
	defer conn.Close()
	say("Ctrl-] leaves the line; press Enter for a prompt")
	restore := rawTerminal()
	defer restore()
	go keyboard(conn)
	go func() {
		<-ctx.Done()
		_ = conn.Close()
	}()
	_, err = io.Copy(os.Stdout, conn)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// keyboard sends what is typed until Ctrl-].
func keyboard(conn net.Conn) {
	buf := make([]byte, 1024)
	for {
		n, err := os.Stdin.Read(buf)
		for _, b := range buf[:n] {
			if b == leave {
				_ = conn.Close()
				return
			}
		}
		if _, werr := conn.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}
