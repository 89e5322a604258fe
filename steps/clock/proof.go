package clock

import (
	"context"
	"errors"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Proofs is one for each machine where something keeps the time and programs run:
// that the clock has become right.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	a, err := readAnswers(v)
	if err != nil || a.Wait == 0 {
		return nil
	}
	var out []engine.Proof
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id)
		if err != nil || h.container() || !h.seen.Runs {
			continue
		}
		name := h.chosen(a)
		if name == "" {
			name = h.inUse()
		}
		if name == "" {
			continue
		}
		p := sync{name: name, wait: a.Wait, servers: a.Servers}
		if p.servers == nil {
			s, _ := h.found(name)
			if p.servers = s.configured(); len(p.servers) == 0 && name == chrony {
				p.servers = publicServers()
			}
		}
		out = append(out, engine.Proof{On: id, Title: lang.T("the clock is synchronised", "时钟已同步"), Prove: p.prove})
	}
	return out
}

// sync waits for a service to get the clock right.
type sync struct {
	name    string
	wait    int // seconds
	servers []string
}

// prove looks once a second. It counts its looks instead of reading the clock,
// which may be set meanwhile.
func (p sync) prove(ctx context.Context, m machine.Machine) (lang.Text, error) {
	for n := 0; ; n++ {
		ok, err := p.synced(ctx, m)
		if err != nil {
			return lang.Text{}, err
		}
		if ok {
			return lang.F("%s says so, after %d s", "%s 已确认，用时 %d 秒", p.name, n), nil
		}
		if n == p.wait {
			break
		}
		if err := m.Run(ctx, machine.Command{Argv: []string{"sleep", "1"}, Timeout: 30 * time.Second}, nil); err != nil {
			return lang.Text{}, lang.Errorf(err, "cannot wait for %s", "等待 %s 时中断", p.name)
		}
	}
	return lang.Text{}, p.late(ctx, m)
}

// synced asks the service itself where it can be asked: the kernel's flag may
// still be of the servers there were before.
func (p sync) synced(ctx context.Context, m machine.Machine) (bool, error) {
	switch p.name {
	case chrony:
		leap := ""
		err := m.Run(ctx, machine.Command{Argv: []string{"chronyc", "-n", "tracking"}, Timeout: 10 * time.Second}, func(line string) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "Leap status" {
				leap = strings.TrimSpace(v)
			}
		})
		if err == nil && leap != "" {
			return leap != "Not synchronised", nil
		}
		// No chronyc, or chronyd does not answer it (cmdport 0): chronyd marks the
		// kernel's clock as not synchronised when it starts.
		var exit *machine.ExitError
		if err != nil && !machine.MissingProgram(err) && !errors.As(err, &exit) {
			return false, lang.Errorf(err, "cannot ask chronyd", "无法询问 chronyd")
		}
	case timesyncd:
		// systemd-timesyncd makes this file when it has set the clock (since 239),
		// and its directory goes when it stops.
		if _, err := m.Stat("/run/systemd/timesync/synchronized"); err == nil {
			return true, nil
		}
		// Where this one is, so would be the other.
		if _, err := m.Stat("/run/systemd/timesync"); err == nil {
			return false, nil
		}
	}
	k, err := m.Kernel()
	if err != nil {
		return false, lang.Errorf(err, "cannot ask the kernel whether the clock is synchronised", "无法向内核查询时钟是否已同步")
	}
	return k.ClockSynced, nil
}

// late says who did not answer.
func (p sync) late(ctx context.Context, m machine.Machine) error {
	e := lang.Errorf(nil, "%s has not synchronised the clock within %d s", "%s 未能在 %d 秒内同步时钟", p.name, p.wait)
	names := op.Visible(strings.Join(p.servers, ", "))
	if names == "" {
		names = "-"
	}
	if p.name == chrony {
		all, err := peers(ctx, m)
		quiet := silent(all)
		switch {
		case err == nil && len(all) == 0:
			return e.WithHint("chronyd asks no server at all: can their names be looked up (%s)? wait: 0 goes on without proof", "chronyd 没有可询问的服务器：这些名称能否解析（%s）？填 wait: 0 可不验证、继续执行", names)
		case err == nil && len(quiet) > 0:
			return e.WithHint("no answer from %s (servers: %s): is UDP port 123 open on the way? See chronyc -n sources; wait: 0 goes on without proof", "%s 没有应答（服务器：%s）：沿途的 UDP 123 端口是否放行？请查看 chronyc -n sources；填 wait: 0 可不验证、继续执行", op.Visible(strings.Join(quiet, ", ")), names)
		case err == nil:
			return e.WithHint("the servers answer, and chronyd trusts none of them yet: see chronyc -n sources, or wait longer; wait: 0 goes on without proof", "服务器有应答，但 chronyd 尚未采信：请查看 chronyc -n sources，或延长等待；填 wait: 0 可不验证、继续执行")
		}
	}
	return e.WithHint("do the servers answer (%s)? UDP port 123 has to be open on the way; wait: 0 goes on without proof", "服务器是否应答（%s）？沿途须放行 UDP 123 端口；填 wait: 0 可不验证、继续执行", names)
}
