package machine

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
)

const (
	searchPath     = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	defaultTimeout = 10 * time.Minute
	// grace is how long a program that is told to end has for it, and how long
	// the pipes of one that has ended are listened to: a daemon it left may
	// hold them open for ever.
	grace      = 2 * time.Second
	maxLine    = 64 << 10
	stderrTail = 2 << 10
)

func (e *ExitError) Error() string {
	return e.Reason().EN
}

// Reason is the command line and how it ended.
func (e *ExitError) Reason() lang.Text {
	return lang.F("%s %s", "%s %s", strings.Join(e.Argv, " "), e.Ended())
}

// Ended is how it ended, with the last it said.
func (e *ExitError) Ended() lang.Text {
	what := lang.T("was killed by a signal", "被信号终止")
	if e.Code >= 0 {
		what = lang.F("exited with %d", "以状态 %d 退出", e.Code)
	}
	if lines := strings.Split(strings.TrimSpace(e.Stderr), "\n"); lines[len(lines)-1] != "" {
		what = lang.F("%s: %s", "%s：%s", what, strings.TrimSpace(lines[len(lines)-1]))
	}
	return what
}

// Run looks programs up in its fixed PATH; a missing one is exec.ErrNotFound or
// fs.ErrNotExist. The program gets a session of its own, so that one that asks
// on the terminal fails instead of waiting. Its whole process group is told to
// end when ctx is done or time is up, and killed two seconds later; the error
// then is ctx's or context.DeadlineExceeded. Lines end with LF, CR (progress)
// or CR LF; what is longer than 64 KiB is cut there. out is called for one line
// at a time; nothing is lost between the streams but their mutual order.
func (t *tree) Run(ctx context.Context, c Command, out func(line string)) error {
	if !t.local {
		return notRunning(lang.F("run %s", "运行 %s", strings.Join(c.Argv, " ")), t.id)
	}
	if len(c.Argv) == 0 {
		return lang.Because(nil, "a command without a name", "没有写明要运行的命令")
	}
	program, err := lookPath(c.Argv[0])
	if err != nil {
		return err
	}
	dir := c.Dir
	if dir == "" {
		dir = "/"
	}
	if _, err := os.Stat(dir); err != nil { // else it reads as if the program were missing
		return err
	}
	if err := t.effect("run", c.Argv[0]); err != nil {
		return err
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	var mu sync.Mutex
	stdout := &lineWriter{mu: &mu, out: out}
	stderr := &lineWriter{mu: &mu, out: out, keep: stderrTail}
	cmd := exec.CommandContext(ctx, program)
	cmd.Args = c.Argv
	cmd.Env = append([]string{"LC_ALL=C", "PATH=" + searchPath, "HOME=/root"}, c.Env...)
	cmd.Dir = dir
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Stdin, stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var stopped atomic.Bool // while it ran; a daemon it left behind is not ours to kill
	cmd.Cancel = func() error {
		stopped.Store(true)
		return unix.Kill(-cmd.Process.Pid, unix.SIGTERM)
	}
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return err
	}
	err = cmd.Wait()
	stdout.flush()
	stderr.flush()
	if stopped.Load() && err != nil {
		// Whoever of the group still ignores SIGTERM keeps its number taken.
		_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		return lang.Because(ctx.Err(), "%s was stopped", "%s 已被停止", strings.Join(c.Argv, " "))
	}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return &ExitError{Argv: c.Argv, Code: exit.ExitCode(), Stderr: stderr.tail()}
	case errors.Is(err, exec.ErrWaitDelay):
		return nil // it exited with 0 and left somebody on the pipe
	}
	return err
}

// lookPath searches Run's PATH rather than the one goxin was started with.
func lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			return "", &exec.Error{Name: name, Err: lang.Because(nil, "neither absolute nor a bare name", "既不是绝对路径，也不是单纯的程序名")}
		}
		return name, nil
	}
	for _, dir := range filepath.SplitList(searchPath) {
		p := filepath.Join(dir, name)
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return p, nil
		}
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

func (t *tree) Getenv(name string) string {
	if !t.local {
		return ""
	}
	return os.Getenv(name)
}

func dialling(address string) lang.Text { return lang.F("dial %s", "连接 %s", address) }

func (t *tree) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if !t.local {
		return nil, notRunning(dialling(address), t.id)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}
