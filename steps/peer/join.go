package peer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"goxin/assets/lang"
	"goxin/detect/machine"
	remote "goxin/detect/machine/peer"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

// pool keeps the newest connection, so that a survey and what comes after it share one.
type pool struct {
	mu    sync.Mutex
	key   string
	m     *remote.Machine
	given bool // somebody else closes it
}

// get is the connection for v, made where there is none. join: the caller keeps it.
func (p *pool) get(ctx context.Context, home machine.Machine, v engine.Values, t remote.Target, join bool) (*remote.Machine, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m != nil && (p.key != string(b) || p.m.Closed()) {
		if !p.given {
			_ = p.m.Close() // only looked at
		}
		p.m = nil
	}
	if p.m == nil {
		m, err := remote.Dial(ctx, home, t)
		if err != nil {
			return nil, err
		}
		p.m, p.key, p.given = m, string(b), false
	}
	p.given = p.given || join
	return p.m, nil
}

// Join connects to the machine that v names.
func (s Step) Join(ctx context.Context, home machine.Machine, v engine.Values, say func(engine.Progress)) (machine.Machine, error) {
	t, named, err := target(ctx, home, v, say)
	if err != nil || !named {
		return nil, err
	}
	pool := s.pool
	if pool == nil {
		pool = newPool()
	}
	m, err := pool.get(ctx, home, v, t, true)
	if err != nil {
		return nil, refusal(err)
	}
	return m, nil
}

func newPool() *pool { return new(pool) }

// refusal marks goxin's own no as one.
func refusal(err error) error {
	var no *remote.Refused
	if errors.As(err, &no) {
		return engine.Refusal{Err: err}
	}
	return err
}

// target is where v leads, with its secrets within reach.
func target(ctx context.Context, home machine.Machine, v engine.Values, say func(engine.Progress)) (remote.Target, bool, error) {
	t, named, err := readAnswers(v)
	if err != nil || !named {
		return t, false, err
	}
	login := secret(ctx, home, v.Text(KeyPassword, ""), lang.F("the password of %s on %s", "登录口令（%s@%s）", t.User, t.Host))
	become := secret(ctx, home, v.Text(KeySudoPassword, ""), lang.F("the sudo password of %s on %s", "sudo 口令（%s@%s）", t.User, t.Host))
	if login != nil {
		login = sync.OnceValues(login)
	}
	if become == nil {
		become = login
	}
	t.Password, t.Become = login, become
	if !strings.HasPrefix(string(home.ID()), "sim:") { // what runs there is none of ours
		t.Binary = bothWorlds(remote.Release(home))
	}
	if say != nil {
		t.Say = func(text lang.Text) { say(engine.Say(text)) }
	}
	return t, true, nil
}

// secret is what a reference refers to, looked up when it is needed; nil for none.
func secret(ctx context.Context, home machine.Machine, ref string, what lang.Text) func() (string, error) {
	if ref == "" {
		return nil
	}
	return func() (string, error) {
		r, err := answers.ParseSecret(ref)
		if err != nil {
			return "", err
		}
		switch r.Kind {
		case answers.FromEnv:
			s := home.Getenv(r.Name)
			if s == "" {
				return "", lang.Errorf(nil, "cannot read %s: the variable %s is not set", "无法读取%s：环境变量 %s 未设置", what, r.Name).
					WithHint("export it before goxin is started", "请在启动 goxin 之前导出该变量")
			}
			return s, nil
		case answers.FromFile:
			b, err := home.ReadFile(r.Name)
			if err != nil {
				return "", lang.Errorf(err, "cannot read %s", "无法读取%s", what).WithHint("see the reference in the answers", "请检查应答文件中的引用")
			}
			line, _, _ := strings.Cut(string(b), "\n")
			return strings.TrimSuffix(line, "\r"), nil
		}
		return engine.Ask(ctx, what)
	}
}
