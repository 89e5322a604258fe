package agent

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// drain is how long a finished program's output is still read while a process
// it left behind keeps the pipe or the terminal open.
const drain = 500 * time.Millisecond

// environment is what a root shell on the machine would have; nothing of the
// agent's own service leaks into what it runs.
func environment(extra []string) []string {
	env := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/bash",
	}
	return append(env, extra...)
}

type process struct {
	cmd *exec.Cmd
	tty *os.File // the master, if there is a terminal
	in  *queue   // nil without input
}

func (s *server) start(m message) {
	if len(m.Argv) == 0 {
		s.end(m.ID, -1, errors.New("no program"))
		return
	}
	path, err := lookPath(m.Argv[0])
	if err != nil {
		s.end(m.ID, -1, err)
		return
	}
	p := &process{cmd: &exec.Cmd{Path: path, Args: m.Argv, Env: environment(m.Env), Dir: m.Dir, WaitDelay: drain}}
	if p.cmd.Dir == "" {
		p.cmd.Dir = "/root"
	}
	if m.TTY {
		s.startTTY(m, p)
		return
	}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	p.cmd.Stdout = sender{s, opOut, m.ID}
	p.cmd.Stderr = sender{s, opErr, m.ID}
	var stdin io.WriteCloser
	if m.Stdin {
		if stdin, err = p.cmd.StdinPipe(); err != nil {
			s.end(m.ID, -1, err)
			return
		}
		p.in = newQueue()
	}
	if err := p.cmd.Start(); err != nil {
		s.end(m.ID, -1, err)
		return
	}
	s.add(m.ID, p)
	_ = s.send(message{Op: opStarted, ID: m.ID, PID: p.cmd.Process.Pid})
	if stdin != nil {
		go func() {
			_, _ = io.Copy(stdin, p.in)
			_ = stdin.Close()
		}()
	}
	go func() {
		err := p.cmd.Wait()
		code, err := exitCode(p.cmd, err)
		s.end(m.ID, code, err)
	}()
}

func (s *server) startTTY(m message, p *process) {
	tty, err := pty.StartWithSize(p.cmd, &pty.Winsize{Cols: uint16(m.Cols), Rows: uint16(m.Rows)})
	if err != nil {
		s.end(m.ID, -1, err)
		return
	}
	if tty, err = pollable(tty); err != nil {
		p.signal(unix.SIGKILL)
		_ = p.cmd.Wait()
		s.end(m.ID, -1, err)
		return
	}
	p.tty = tty
	p.in = newQueue()
	s.add(m.ID, p)
	_ = s.send(message{Op: opStarted, ID: m.ID, PID: p.cmd.Process.Pid})
	go func() { _, _ = io.Copy(tty, p.in) }()
	done := make(chan struct{})
	go func() {
		_ = s.copyOut(opOut, m.ID, tty)
		close(done)
	}()
	go func() {
		err := p.cmd.Wait()
		select {
		case <-done:
		case <-time.After(drain):
		}
		_ = tty.Close()
		_ = p.in.Close()
		code, err := exitCode(p.cmd, err)
		s.end(m.ID, code, err)
	}()
}

// pollable makes closing a terminal's master end a read of it that waits: the
// pty package leaves the file blocking, and then a hang-up would never come.
func pollable(tty *os.File) (*os.File, error) {
	defer tty.Close()
	fd, err := unix.FcntlInt(tty.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), tty.Name()), nil
}

// exitCode gives what a shell would: 128 plus the signal of a killed program.
func exitCode(cmd *exec.Cmd, err error) (int, error) {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		return -1, err
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// lookPath searches the environment's PATH, not the agent's.
func lookPath(name string) (string, error) {
	if name[0] == '/' {
		return name, nil
	}
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		if i, err := os.Stat(dir + "/" + name); err == nil && i.Mode().IsRegular() && i.Mode()&0o111 != 0 {
			return dir + "/" + name, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func (p *process) input(data []byte) {
	if p.in == nil {
		return
	}
	if len(data) == 0 {
		_ = p.in.Close()
		return
	}
	_, _ = p.in.Write(data)
}

func (p *process) resize(cols, rows int) {
	if p.tty == nil {
		return
	}
	// Not by way of Fd, which would make the file blocking.
	if c, err := p.tty.SyscallConn(); err == nil {
		_ = c.Control(func(fd uintptr) {
			_ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(cols), Row: uint16(rows)})
		})
	}
}

func (p *process) signal(sig unix.Signal) {
	_ = unix.Kill(-p.cmd.Process.Pid, sig)
}

// abandon does what a lost line does: closing the master makes the kernel hang
// up the terminal. A program without one is killed.
func (p *process) abandon() {
	if p.tty != nil {
		_ = p.tty.Close()
		return
	}
	p.signal(unix.SIGKILL)
}

// sender is a writer whose data become messages.
type sender struct {
	s  *server
	op string
	id uint32
}

func (w sender) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), chunk)
		if err := w.s.send(message{Op: w.op, ID: w.id, Data: rest[:n]}); err != nil {
			return len(p) - len(rest), err
		}
		rest = rest[n:]
	}
	return len(p), nil
}
