package peer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	remote "goxin/detect/machine/peer"
	"goxin/steps/engine"
)

// found is what the survey saw.
type found struct {
	Address string `json:"address,omitempty"` // that it is about; "": none was named
	// Key is what the host shows; Known says that it is pinned or in known_hosts.
	Key     string `json:"key,omitempty"`
	KeyType string `json:"key_type,omitempty"`
	Known   bool   `json:"known,omitempty"`
	// Here and There are the two machines; nil where it was not got that far.
	Here  *seen `json:"here,omitempty"`
	There *seen `json:"there,omitempty"`
	// Ahead is by how much the clock there is ahead of the one here, in nanoseconds.
	Ahead time.Duration `json:"ahead,omitempty"`
	Same  bool          `json:"same,omitempty"` // it is this very machine

	Wrong   lang.Text `json:"wrong,omitzero"` // why it cannot be used
	Hint    lang.Text `json:"hint,omitzero"`
	Refused bool      `json:"refused,omitempty"` // that is goxin's own no
}

// seen is what is compared of a machine.
type seen struct {
	Host    string `json:"host"`
	Arch    string `json:"arch"`
	OS      string `json:"os"`
	Version string `json:"version"`
	Kernel  string `json:"kernel"`
	Init    string `json:"init"`
	Systemd int    `json:"systemd,omitempty"`
	Free    uint64 `json:"free"` // bytes, where goxin keeps its state
}

// Survey asks the other machine for its key, and, where somebody vouches for that,
// connects and looks at both. What goes wrong is part of what it found: the form shows it.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	id, facts := h.First()
	home, ok := ms[id]
	if !ok {
		return nil, engine.NoMachine(id)
	}
	f, err := s.look(ctx, home, facts, v, say)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var no *remote.Refused
		f.Wrong = lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH))
		f.Hint = lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH))
		f.Refused = errors.As(err, &no)
	}
	return json.Marshal(f)
}

func (s Step) look(ctx context.Context, home machine.Machine, facts *detect.Facts, v engine.Values, say func(engine.Progress)) (found, error) {
	var f found
	t, named, err := target(ctx, home, v, say)
	if err != nil || !named {
		return f, err
	}
	f.Address = v.Text(KeyAddress, "")
	if say == nil {
		say = func(engine.Progress) {}
	}
	say(engine.Say(lang.F("asking %s for its host key", "正在取得 %s 的主机密钥", t.Host)))
	f.Key, f.KeyType, f.Known, err = remote.HostKey(ctx, home, t)
	if err != nil || !f.Known {
		return f, err
	}
	say(engine.Say(lang.F("connecting to %s", "正在连接 %s", t.Host)))
	pool := s.pool
	if pool == nil { // nobody to leave the connection to
		pool = newPool()
		defer func() {
			if pool.m != nil {
				_ = pool.m.Close()
			}
		}()
	}
	m, err := pool.get(ctx, home, v, t, false)
	if err != nil {
		return f, err
	}
	say(engine.Say(lang.F("comparing %s with this machine", "正在比对 %s 与本机", t.Host)))
	theirs, err := detect.Detect(ctx, m)
	if err != nil {
		return f, err
	}
	f.Here, f.There = about(home, facts), about(m, theirs)
	f.Same = same(home, m)
	before := home.Now()
	there := m.Now()
	f.Ahead = there.Sub(before.Add(home.Now().Sub(before) / 2))
	return f, nil
}

func about(m machine.Machine, f *detect.Facts) *seen {
	s := &seen{
		Host: f.Hostname.Value, Arch: f.Arch.GOARCH.Value, OS: f.OS.ID.Value, Version: f.OS.Version.Value,
		Kernel: f.Kernel.Release.Value, Init: f.Init.Name.Value, Systemd: f.Init.Version.Value,
	}
	if sp, err := m.Space(engine.DefaultDir); err == nil {
		s.Free = sp.Free
	}
	return s
}

// same says whether two machines are one: containers share the boot, copies the id.
func same(a, b machine.Machine) bool {
	for _, name := range []string{"/etc/machine-id", "/proc/sys/kernel/random/boot_id", "/proc/sys/kernel/hostname"} {
		x, errX := a.ReadFile(name)
		y, errY := b.ReadFile(name)
		if errX != nil || errY != nil || strings.TrimSpace(string(x)) != strings.TrimSpace(string(y)) {
			return false
		}
	}
	return true
}
