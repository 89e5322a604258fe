package peer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

const (
	runDir    = "/run/goxin"
	socketDir = runDir + "/agent"
	// ready begins the line that the relay prints before the agent's own words, behind
	// whatever a login prints; a fault may follow on it.
	ready = "goxin-agent-ready "
	// starting is how long a session process has to answer on its socket.
	starting = 10 * time.Second
)

// place is where a session process listens.
type place struct{ dir, name string }

func (p place) socket() string { return p.dir + "/" + p.name + ".sock" }

// proxies are the variables that a relay hands on from where people log in.
func proxies() []string {
	all := []string{"http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"}
	for _, n := range all {
		all = append(all, strings.ToUpper(n))
	}
	return all
}

// Relay copies between in and out, which are the line, and the session process of a
// name, which it starts where there is none: program is this very file. It says on out
// whether it could.
func Relay(ctx context.Context, m machine.Machine, name, program string, in io.Reader, out io.Writer) error {
	return relay(ctx, m, place{socketDir, name}, program, in, out)
}

func relay(ctx context.Context, m machine.Machine, p place, program string, in io.Reader, out io.Writer) error {
	conn, err := reach(ctx, m, p, program)
	if err == nil {
		env := make(map[string]string)
		for _, n := range proxies() {
			if v := m.Getenv(n); v != "" {
				env[n] = v
			}
		}
		err = writeJSON(conn, kindHello, env)
	}
	f, e := json.Marshal(faultOf(err))
	if e != nil {
		return e
	}
	if _, e := io.WriteString(out, "\n"+ready+string(f)+"\n"); e != nil || err != nil {
		return errors.Join(e, err)
	}
	defer conn.Close()
	go func() {
		_, _ = io.Copy(conn, in)
		_ = conn.Close()
	}()
	_, err = io.Copy(out, conn)
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// readEnv reads what Relay sends first.
func readEnv(conn io.ReadCloser) (env map[string]string, err error) {
	err = within(patientHello, conn, func() error { return readJSON(conn, kindHello, &env) })
	return env, err
}

// reach connects to the session process, and starts it: as a unit of its own, so that it
// outlives the login, or, where systemd is not or does not want to, in a session of its
// own.
func reach(ctx context.Context, m machine.Machine, p place, program string) (net.Conn, error) {
	if conn, err := m.Dial(ctx, "unix", p.socket()); err == nil {
		return conn, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*starting)
	defer cancel()
	serve := []string{program, "agent", "serve", "--session", p.name}
	var unit error
	if _, err := m.Stat("/run/systemd/system"); err == nil {
		argv := []string{"systemd-run", "--quiet", "--collect", "--unit=goxin-agent-" + p.name, "--description=goxin agent", "--property=Type=exec", "--property=KillMode=process", "--"}
		unit = m.Run(ctx, machine.Command{Argv: append(argv, serve...), Timeout: starting}, nil)
		if unit == nil {
			if conn, err := await(ctx, m, p); err == nil {
				return conn, nil
			}
		}
	}
	argv := append([]string{"sh", "-c", `exec "$@" </dev/null >/dev/null 2>&1 &`, "sh"}, serve...)
	if err := m.Run(ctx, machine.Command{Argv: argv, Timeout: starting}, nil); err != nil {
		return nil, errors.Join(err, unit)
	}
	conn, err := await(ctx, m, p)
	if err != nil {
		return nil, lang.Errorf(errors.Join(err, unit), "cannot start goxin's agent (%s)", "无法启动 goxin 代理（%s）", program).
			WithHint("`%s agent serve --session %s` as root says why", "以 root 运行 `%s agent serve --session %s` 可查看原因", program, p.name)
	}
	return conn, nil
}

func await(ctx context.Context, m machine.Machine, p place) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	for {
		conn, err := m.Dial(ctx, "unix", p.socket())
		if err == nil {
			return conn, nil
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Listen makes the socket of a session process; release lets go of the name. A name that
// is taken is a *machine.LockedError.
func Listen(m machine.Machine, name string) (l net.Listener, release func() error, err error) {
	if err := m.Mkdir(runDir, 0o755, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, nil, err
	}
	return listen(m, place{socketDir, name})
}

func listen(m machine.Machine, p place) (l net.Listener, release func() error, err error) {
	if err := m.Mkdir(p.dir, 0o700, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, nil, err
	}
	// Whoever could write there could put his own program in our place.
	i, err := m.Lstat(p.dir)
	k, kerr := m.Kernel()
	switch {
	case err != nil || kerr != nil:
		return nil, nil, errors.Join(err, kerr)
	case !i.Mode.IsDir() || i.UID != k.UID || i.Mode.Perm()&0o077 != 0:
		return nil, nil, lang.Errorf(nil, "cannot listen in %s: it is not a directory of its own user alone", "无法在 %s 中监听：它不是仅属于当前用户的目录", p.dir).
			WithHint("look at who made it, and remove it", "请查明由谁创建，然后删除")
	}
	release, err = m.Lock(p.dir+"/"+p.name+".lock", nil)
	if err != nil {
		return nil, nil, err
	}
	if err := m.Remove(p.socket()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errors.Join(err, release())
	}
	l, err = net.Listen("unix", p.socket())
	if err == nil {
		err = m.Chmod(p.socket(), 0o600)
	}
	if err != nil {
		return nil, nil, errors.Join(err, release())
	}
	return l, release, nil
}
