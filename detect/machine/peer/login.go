package peer

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"

	"goxin/assets/lang"
)

const (
	ourArch  = runtime.GOARCH
	agentDir = "/var/lib/goxin/agent"
	// mostNoise is what a login may print before the program it was asked for, in bytes.
	mostNoise = 64 << 10
	tailSize  = 2 << 10
)

// rights are how root is had there.
type rights int

const (
	unknown rights = iota
	isRoot
	sudo         // without a password
	sudoPassword // with one, on standard input
)

// goarch is Go's name of what uname -m says; "": Go has no port.
func goarch(uname string) string {
	return map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "loongarch64": "loong64", "mips64": "mips64le", "riscv64": "riscv64", "ppc64le": "ppc64le", "s390x": "s390x",
	}[uname]
}

// proc is a program that a login started: its output begins where its own does.
type proc struct {
	s   *ssh.Session
	in  io.WriteCloser
	out *bufio.Reader
	err *tail
	// wait gives how it ended, any number of times.
	wait func() error
}

// tail is the last of a stream. While it waits for a prompt, it says when that comes.
type tail struct {
	mu     sync.Mutex
	b      []byte
	prompt string
	asked  chan struct{}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	for t.prompt != "" {
		i := bytes.Index(t.b, []byte(t.prompt))
		if i < 0 {
			break
		}
		t.b = append(t.b[:i:i], t.b[i+len(t.prompt):]...)
		select {
		case t.asked <- struct{}{}:
		default:
		}
	}
	if over := len(t.b) - tailSize; over > 0 {
		t.b = t.b[over:]
	}
	return len(p), nil
}

// last is the last thing that was said.
func (t *tail) last() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(t.b), "")), "\n")
	if s := strings.TrimSpace(lines[len(lines)-1]); s != "" {
		return lang.Quote(s)
	}
	return nil
}

// quote is a word for any login shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoted(words ...string) string {
	for i, w := range words {
		words[i] = quote(w)
	}
	return strings.Join(words, " ")
}

// start runs argv as root, however that is had; r unknown: as who logs in.
func (h *host) start(ctx context.Context, c *ssh.Client, r rights, argv ...string) (*proc, error) {
	s, err := c.NewSession()
	if err != nil {
		return nil, err
	}
	p := &proc{s: s, err: &tail{asked: make(chan struct{}, 3)}}
	if p.in, err = s.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReaderSize(out, chunk)
	s.Stderr = p.err
	mark := "goxin-" + rand.Text()
	words := append([]string{"sh", "-c", `LC_ALL=C; export LC_ALL; printf '\n%s\n' "$0"; exec "$@"`, mark}, argv...)
	switch r {
	case sudo:
		words = append([]string{"sudo", "-n", "--"}, words...)
	case sudoPassword:
		p.err.prompt = mark + "?"
		// -k: else it depends on what was typed a while ago whether it asks.
		words = append([]string{"sudo", "-k", "-S", "-p", p.err.prompt, "--"}, words...)
	}
	if err := s.Start(quoted(words...)); err != nil {
		return nil, err
	}
	p.wait = sync.OnceValue(s.Wait)
	began := make(chan error, 1)
	go func() { began <- skip(p.out, mark) }()
	asked := false
	for {
		select {
		case err := <-began:
			if err != nil {
				return nil, p.failure(err)
			}
			return p, nil
		case <-p.err.asked:
			if asked || h.become == nil {
				_ = s.Close()
				return nil, refuse("cannot become root on %s: sudo does not accept the password", "无法在 %s 上获得 root 权限：sudo 不接受该口令", h.t.Host).
					hint("answer sudo_password", "请填写 sudo_password")
			}
			asked = true
			word, err := h.become()
			if err == nil {
				_, err = io.WriteString(p.in, word+"\n")
			}
			if err != nil {
				_ = s.Close()
				return nil, err
			}
		case <-ctx.Done():
			_ = s.Close()
			return nil, ctx.Err()
		}
	}
}

// skip reads up to the line that is mark.
func skip(r *bufio.Reader, mark string) error {
	for n := 0; n < mostNoise; {
		line, err := r.ReadSlice('\n')
		n += len(line)
		if strings.TrimRight(string(line), "\r\n") == mark {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
	return lang.Because(nil, "it prints too much when one logs in", "登录时输出过多")
}

// readLine reads a line, of which more than a reader's buffer holds is an error: the host
// may be nobody's friend.
func readLine(r *bufio.Reader) (string, error) {
	b, err := r.ReadSlice('\n')
	return string(b), err
}

// failure is how the program ended, in its own words if it had any.
func (p *proc) failure(err error) error {
	e := p.wait()
	var exit *ssh.ExitError
	var cut *ssh.ExitMissingError
	switch said := p.err.last(); {
	case said != nil:
		return said
	case errors.As(e, &exit):
		return lang.Because(nil, "exited with %d", "以状态 %d 退出", exit.ExitStatus())
	case errors.As(e, &cut):
		return lang.Because(nil, "the connection was cut", "连接中断")
	}
	return err
}

// output runs argv to its end.
func (h *host) output(ctx context.Context, c *ssh.Client, r rights, in io.Reader, argv ...string) (string, error) {
	p, err := h.start(ctx, c, r, argv...)
	if err != nil {
		return "", err
	}
	defer p.s.Close()
	defer context.AfterFunc(ctx, func() { _ = p.s.Close() })()
	sent := make(chan error, 1)
	go func() {
		var err error
		if in != nil {
			_, err = io.Copy(p.in, in)
		}
		_ = p.in.Close()
		sent <- err
	}()
	b, err := io.ReadAll(io.LimitReader(p.out, mostNoise))
	if e := p.wait(); e != nil {
		return "", p.failure(e)
	}
	if err == nil {
		err = <-sent
	}
	if err == nil {
		err = ctx.Err()
	}
	return string(b), err
}

// prepare finds out what the host is and how root is had, and has the agent there.
func (h *host) prepare(ctx context.Context, c *ssh.Client) error {
	about, err := h.output(ctx, c, unknown, nil, "sh", "-c", `uname -s; uname -m; id -u`)
	f := strings.Fields(about)
	if err != nil || len(f) != 3 {
		return lang.Errorf(err, "cannot run programs on %s", "无法在 %s 上运行程序", h.t.Host).WithHint("its login has to give a shell", "登录后应有可用的 shell")
	}
	arch := goarch(f[1])
	switch {
	case f[0] != "Linux":
		return refuse("cannot use %s as a peer: it runs %s, not Linux", "无法将 %s 作为对端：它运行的是 %s，而非 Linux", h.t.Host, f[0]).hint("goxin works on Linux", "goxin 只支持 Linux")
	case arch == "":
		return refuse("cannot use %s as a peer: Go does not know its architecture (%s)", "无法将 %s 作为对端：Go 不支持其架构（%s）", h.t.Host, f[1]).
			hint("goxin has to run there too", "goxin 也需在其上运行")
	}
	if h.how == unknown {
		if err := h.findRoot(ctx, c, f[2] == "0"); err != nil {
			return err
		}
	}
	return h.install(ctx, c, arch)
}

func (h *host) findRoot(ctx context.Context, c *ssh.Client, root bool) error {
	if root {
		h.how = isRoot
		return nil
	}
	_, err := h.output(ctx, c, sudo, nil, "true")
	if err == nil {
		h.how = sudo
		return nil
	}
	if h.become == nil {
		return (&Refused{lang.Errorf(err, "cannot become root on %s", "无法在 %s 上获得 root 权限", h.t.Host)}).
			hint("log in as root, let %s use sudo, or answer sudo_password", "请以 root 登录、允许 %s 使用 sudo，或填写 sudo_password", h.t.hop().user())
	}
	if _, err := h.output(ctx, c, sudoPassword, nil, "true"); err != nil {
		if isRefused(err) {
			return err
		}
		return (&Refused{lang.Errorf(err, "cannot become root on %s", "无法在 %s 上获得 root 权限", h.t.Host)}).
			hint("log in as root, or let %s use sudo", "请以 root 登录，或允许 %s 使用 sudo", h.t.hop().user())
	}
	h.how = sudoPassword
	return nil
}

// install has the agent there under a name that is its digest: what is there already, and
// whole, stays.
func (h *host) install(ctx context.Context, c *ssh.Client, arch string) error {
	f, sum, err := h.t.Binary(arch)
	if err != nil {
		return err
	}
	defer f.Close()
	name := h.dir + "/goxin-" + sum
	there, err := h.output(ctx, c, h.how, nil, "sh", "-c", `sha256sum "$0" 2>/dev/null || true`, name)
	if err != nil {
		return lang.Errorf(err, "cannot look for the agent on %s", "无法在 %s 上查找代理程序", h.t.Host)
	}
	if !strings.HasPrefix(there, sum) {
		h.t.say("bringing goxin to %s", "正在将 goxin 传到 %s", h.t.Host)
		const put = `set -e
umask 077
mkdir -p "$2"
new=$0.$$
trap 'rm -f "$new"' EXIT
trap 'exit 9' HUP INT PIPE TERM
cat >"$new"
got=$(sha256sum "$new" | cut -d" " -f1)
if [ "$got" != "$1" ]; then echo "it arrived as $got" >&2; exit 9; fi
chmod 700 "$new"
mv -f "$new" "$0"`
		if _, err := h.output(ctx, c, h.how, f, "sh", "-c", put, name, sum, h.dir); err != nil {
			return lang.Errorf(err, "cannot bring goxin to %s", "无法将 goxin 传到 %s", h.t.Host).
				WithHint("%s there needs some 50 MB, and to be writable", "对端的 %s 需约 50 MB 空间且可写", h.dir)
		}
	}
	h.program = name
	return nil
}

// line is a connector: it logs in, has the agent there, and has a relay to its session.
func (h *host) line(ctx context.Context) (io.ReadWriteCloser, error) {
	r, err := h.through(ctx)
	if err != nil {
		return nil, err
	}
	tr, err := newTrust(h.home, h.t.hop())
	if err != nil {
		_ = r.close()
		return nil, err
	}
	client, err := h.handshake(ctx, r, tr, false)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = r.close() })
	defer stop()
	p, err := h.relay(ctx, client)
	if err != nil {
		h.program = "" // looked for again
		_ = r.close()
		return nil, err
	}
	return &carrier{p: p, r: r}, nil
}

func (h *host) relay(ctx context.Context, c *ssh.Client) (*proc, error) {
	if h.program == "" {
		if err := h.prepare(ctx, c); err != nil {
			return nil, err
		}
	}
	p, err := h.start(ctx, c, h.how, h.program, "agent", "--session", h.session)
	if err != nil {
		if isRefused(err) {
			return nil, err
		}
		return nil, lang.Errorf(err, "cannot start goxin's agent on %s", "无法在 %s 上启动 goxin 代理", h.t.Host).
			WithHint("its shell has to work, and %s to allow programs", "其 shell 应可用，且 %s 应允许运行程序", h.dir)
	}
	var line string
	for n := 0; n < mostNoise && err == nil; n += len(line) {
		if line, err = readLine(p.out); err != nil && line == "" {
			break
		}
		if said, ok := strings.CutPrefix(line, ready); ok {
			var f *fault
			if err := json.Unmarshal([]byte(said), &f); err != nil {
				return nil, garbled(err)
			}
			if err := f.err(); err != nil {
				return nil, lang.Errorf(err, "cannot start goxin's agent on %s", "无法在 %s 上启动 goxin 代理", h.t.Host)
			}
			return p, nil
		}
	}
	if err == nil {
		err = garbled(nil)
	} else {
		err = p.failure(err)
	}
	return nil, lang.Errorf(err, "cannot start goxin's agent on %s", "无法在 %s 上启动 goxin 代理", h.t.Host).
		WithHint("`%s agent serve --session %s` there, as root, says why", "在该机以 root 运行 `%s agent serve --session %s` 可查看原因", h.program, h.session)
}

// carrier is a relay as a line.
type carrier struct {
	p *proc
	r *route
}

func (c *carrier) Read(p []byte) (int, error)  { return c.p.out.Read(p) }
func (c *carrier) Write(p []byte) (int, error) { return c.p.in.Write(p) }
func (c *carrier) Close() error                { return c.r.close() }
