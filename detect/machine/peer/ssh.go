package peer

import (
	"context"
	"errors"
	"io"
	"net"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"
	sshagent "golang.org/x/crypto/ssh/agent"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// host is a peer as a place to log in to.
type host struct {
	home    machine.Machine
	t       Target
	session string // the session process's name
	dir     string // where the agent is put there

	password, become func() (string, error)

	program string // the agent there; "": to be looked for
	how     rights
}

func newHost(home machine.Machine, t Target, session string) *host {
	if t.Binary == nil {
		t.Binary = Release(home)
	}
	return &host{home: home, t: t, session: session, dir: agentDir, password: once(t.Password), become: once(t.Become)}
}

// once asks a person one time only; a wrong password is not asked for again.
func once(ask func() (string, error)) func() (string, error) {
	if ask == nil {
		return nil
	}
	var s string
	var err error
	asked := false
	return func() (string, error) {
		if !asked {
			s, err = ask()
			asked = true
		}
		return s, err
	}
}

// route is a connection to an address, through hops.
type route struct {
	conn net.Conn
	hops []io.Closer // nearest last
	// again makes the same connection once more, for another try.
	again func(ctx context.Context) (net.Conn, error)
}

func (r *route) close() error {
	err := r.conn.Close()
	for _, h := range r.hops {
		_ = h.Close()
	}
	return err
}

// through connects to the target's port, through the hops.
func (h *host) through(ctx context.Context) (*route, error) {
	r := &route{}
	dial := func(ctx context.Context, address string) (net.Conn, error) { return h.home.Dial(ctx, "tcp", address) }
	for _, hop := range append(append([]Hop(nil), h.t.Jump...), h.t.hop()) {
		from := dial
		r.again = func(ctx context.Context) (net.Conn, error) {
			conn, err := from(ctx, hop.address())
			if err != nil {
				return nil, lang.Errorf(err, "cannot reach %s", "无法连接 %s", hop.address()).
					WithHint("is it up, and does its sshd listen there?", "请确认该主机已开机，且 sshd 在该端口监听")
			}
			return conn, nil
		}
		var err error
		if r.conn, err = r.again(ctx); err != nil {
			for _, c := range r.hops {
				_ = c.Close()
			}
			return nil, err
		}
		if len(r.hops) == len(h.t.Jump) {
			break
		}
		tr, err := newTrust(h.home, hop)
		if err != nil {
			_ = r.close()
			return nil, err
		}
		client, err := h.handshake(ctx, r, tr, false)
		if err != nil {
			return nil, err
		}
		r.hops = append([]io.Closer{client}, r.hops...)
		dial = func(ctx context.Context, address string) (net.Conn, error) {
			return client.DialContext(ctx, "tcp", address)
		}
	}
	return r, nil
}

// handshake logs in, or, only looking, gets the key. It closes r where it fails.
func (h *host) handshake(ctx context.Context, r *route, tr *trust, look bool) (*ssh.Client, error) {
	var first error // the preferred key's: what is told
	for i, algorithms := range tr.algorithms() {
		if i > 0 {
			conn, err := r.again(ctx)
			if err != nil {
				break
			}
			r.conn = conn
		}
		client, err := h.greet(ctx, r.conn, tr, algorithms, look)
		if err == nil {
			return client, nil
		}
		_ = r.conn.Close()
		if first == nil || tr.no != nil && !isRefused(first) {
			first = err
		}
		var other *ssh.AlgorithmNegotiationError
		changed := tr.hop.HostKey != "" && tr.no != nil
		if !errors.As(err, &other) && !changed {
			first = err
			break
		}
	}
	_ = r.close()
	return nil, first
}

func isRefused(err error) bool {
	var r *Refused
	return errors.As(err, &r)
}

// greet is one try to log in.
func (h *host) greet(ctx context.Context, conn net.Conn, tr *trust, algorithms []string, look bool) (*ssh.Client, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	cfg := &ssh.ClientConfig{User: tr.hop.user(), HostKeyAlgorithms: algorithms, HostKeyCallback: tr.check, ClientVersion: "SSH-2.0-goxin"}
	if look {
		cfg.HostKeyCallback = func(address string, remote net.Addr, key ssh.PublicKey) error {
			if err := tr.check(address, remote, key); err != nil {
				return err
			}
			return errSeen
		}
	} else {
		done, err := h.authenticate(ctx, cfg, tr.hop == h.t.hop())
		defer done()
		if err != nil {
			return nil, err
		}
	}
	var client *ssh.Client
	err := within(patientHello, conn, func() error {
		c, chans, reqs, err := ssh.NewClientConn(conn, tr.hop.address(), cfg)
		if err == nil {
			client = ssh.NewClient(c, chans, reqs)
		}
		return err
	})
	var other *ssh.AlgorithmNegotiationError
	switch {
	case err == nil:
		return client, nil
	case tr.no != nil:
		return nil, tr.no
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &other):
		return nil, err
	case strings.Contains(err.Error(), "unable to authenticate"):
		return nil, lang.Errorf(nil, "cannot log in to %s as %s: it accepts no key or password that there is", "无法以 %[2]s 登录 %[1]s：现有的密钥和口令均不被接受", tr.hop.Host, tr.hop.user()).
			WithHint("`ssh -p %d %s@%s` has to work from here; name the key with identity, or answer password", "请先确认本机能执行 `ssh -p %d %s@%s`；可用 identity 指定密钥，或填写 password",
				tr.hop.port(), tr.hop.user(), tr.hop.Host)
	}
	return nil, lang.Errorf(err, "cannot speak SSH with %s", "无法与 %s 建立 SSH 连接", tr.hop.address()).
		WithHint("`ssh -v` shows where it ends", "`ssh -v` 可查看断在何处")
}

// authenticate has the keys in cfg, and, for the peer itself, the password, which is no
// business of a host on the way; done ends what that takes.
func (h *host) authenticate(ctx context.Context, cfg *ssh.ClientConfig, last bool) (done func(), err error) {
	done = func() {}
	var signers []ssh.Signer
	if h.t.Identity != "" {
		s, err := h.key(h.t.Identity)
		if err != nil {
			return done, lang.Errorf(err, "cannot use the key %s", "无法使用密钥 %s", h.t.Identity).
				WithHint("a key with a passphrase has to be in ssh-agent; leave identity empty then", "有口令保护的密钥请加入 ssh-agent，并将 identity 留空")
		}
		signers = append(signers, s)
	} else {
		if sock := h.home.Getenv("SSH_AUTH_SOCK"); sock != "" {
			if conn, err := h.home.Dial(ctx, "unix", sock); err == nil {
				done = func() { _ = conn.Close() }
				if s, err := sshagent.NewClient(conn).Signers(); err == nil {
					signers = append(signers, s...)
				}
			}
		}
		for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
			if s, err := h.key(path.Join(homeDir(h.home), ".ssh", name)); err == nil {
				signers = append(signers, s)
			}
		}
	}
	if len(signers) > 0 {
		cfg.Auth = append(cfg.Auth, ssh.PublicKeys(signers...))
	}
	if h.password != nil && last {
		cfg.Auth = append(cfg.Auth, ssh.PasswordCallback(h.password), ssh.KeyboardInteractive(
			func(_, _ string, questions []string, echos []bool) ([]string, error) {
				out := make([]string, len(questions))
				for i := range questions {
					if echos[i] {
						continue // no password
					}
					var err error
					if out[i], err = h.password(); err != nil {
						return nil, err
					}
				}
				return out, nil
			}))
	}
	return done, nil
}

func (h *host) key(name string) (ssh.Signer, error) {
	b, err := h.home.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return ssh.ParsePrivateKey(b)
}
