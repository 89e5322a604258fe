package drill

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/vrrp"
)

// pair is a Config with its machines.
type pair struct {
	Config
	ms map[machine.ID]machine.Machine
}

// newPair refuses what cannot be drilled, and what must not stand in a command.
func newPair(ms map[machine.ID]machine.Machine, c Config) (*pair, error) {
	no := func(en, zh string, args ...any) error {
		return lang.Errorf(lang.Because(nil, en, zh, args...), "cannot drill the pair", "无法演练")
	}
	if c.Rate == 0 {
		c.Rate = 100
	}
	if c.Service == "" {
		c.Service = "nginx"
	}
	if len(c.Faults) == 0 {
		c.Faults = Usual()
	}
	switch {
	case c.Nodes[0] == c.Nodes[1] || ms[c.Nodes[0]] == nil || ms[c.Nodes[1]] == nil:
		return nil, no("it takes two machines", "需要两台机器")
	case c.Third && (ms[c.From] == nil || c.From == c.Nodes[0] || c.From == c.Nodes[1]):
		return nil, no("who asks is to be a third machine", "发起访问的应是第三台机器")
	case !c.VIP.Is4():
		return nil, no("the virtual address %s is not IPv4", "虚拟地址 %s 不是 IPv4", c.VIP)
	case c.Port < 1 || c.Port > 65535:
		return nil, no("%d is no port", "%d 不是端口号", c.Port)
	case c.Rate < 1 || c.Rate > 1000:
		return nil, no("it asks 1 to 1000 times a second, not %d", "每秒访问次数应在 1 到 1000 之间，而不是 %d", c.Rate)
	case c.Timing.Advert <= 0:
		return nil, no("how often the nodes advertise is not known", "不知道节点的通告间隔")
	case !safe.MatchString(c.Service):
		return nil, no("%q is no name of a unit", "%q 不是单元名", c.Service)
	}
	for _, id := range c.Nodes {
		if !safe.MatchString(c.Interface[id]) {
			return nil, no("%q is no interface of %s", "%[2]s 上没有接口 %[1]q", c.Interface[id], c.name(id))
		}
	}
	for _, f := range c.Faults {
		if _, known := titles[f]; !known {
			return nil, no("no fault is called %q", "没有名为 %q 的故障", f)
		}
	}
	return &pair{c, ms}, nil
}

func (c Config) name(id machine.ID) string {
	if n := c.Names[id]; n != "" {
		return n
	}
	return string(id)
}

// other is the node that id is not.
func (p *pair) other(id machine.ID) machine.ID {
	if id == p.Nodes[0] {
		return p.Nodes[1]
	}
	return p.Nodes[0]
}

// every is the time between two questions.
func (p *pair) every() time.Duration { return time.Second / time.Duration(p.Rate) }

// predicted is the longest gap a fault may have: the formula's, and the time between two
// questions, which every gap has.
func (p *pair) predicted(f vrrp.Fault) time.Duration {
	return vrrp.Predict(p.Timing, f) + p.every()
}

// holds says whether the node has the virtual address where the pair is to have it.
func (p *pair) holds(ctx context.Context, id machine.ID) (bool, error) {
	has := false
	err := p.ms[id].Run(ctx, machine.Command{Argv: []string{"ip", "-o", "-4", "address", "show", "dev", p.Interface[id]}, Timeout: time.Minute}, func(line string) {
		f := strings.Fields(line)
		if i := slices.Index(f, "inet"); i >= 0 && i+1 < len(f) {
			addr, _, _ := strings.Cut(f[i+1], "/")
			if ip, err := netip.ParseAddr(addr); err == nil && ip == p.VIP {
				has = true
			}
		}
	})
	if err != nil {
		return false, lang.Errorf(err, "cannot see the addresses of %s", "无法查看 %s 的地址", p.name(id))
	}
	return has, nil
}

// owner is the one node that has the address.
func (p *pair) owner(ctx context.Context) (machine.ID, error) {
	a, err := p.holds(ctx, p.Nodes[0])
	if err != nil {
		return "", err
	}
	b, err := p.holds(ctx, p.Nodes[1])
	switch {
	case err != nil:
		return "", err
	case a && b:
		return "", lang.Errorf(nil, "cannot go on: both nodes have %s", "无法继续：两个节点都持有 %s", p.VIP).
			WithHint("split brain: does IP protocol 112 pass both ways? `goxin drill --watch` shows who owns it", "脑裂：IP 协议 112 双向通吗？`goxin drill --watch` 可查看谁持有该地址")
	case !a && !b:
		return "", lang.Errorf(nil, "cannot go on: neither node has %s", "无法继续：两个节点都没有 %s", p.VIP).
			WithHint("see `journalctl -u keepalived` on both", "请在两个节点上查看 `journalctl -u keepalived`")
	case a:
		return p.Nodes[0], nil
	}
	return p.Nodes[1], nil
}

// serving says what does not run that should.
func (p *pair) serving(ctx context.Context) error {
	for _, id := range p.Nodes {
		for _, unit := range []string{p.Service, "keepalived"} {
			if !active(ctx, p.ms[id], unit) {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return lang.Errorf(nil, "cannot go on: %s does not run on %s", "无法继续：%[2]s 上的 %[1]s 没有运行", unit, p.name(id)).
					WithHint("`systemctl status %s` there says why", "在该节点上执行 `systemctl status %s` 可知原因", unit)
			}
		}
	}
	return nil
}

// node is what a fault has to know of a machine.
func (p *pair) node(ctx context.Context, id machine.ID) (node, error) {
	m := p.ms[id]
	n := node{service: p.Service, iface: p.Interface[id], home: id == p.Home}
	n.nft, n.iptables, n.arptables = there(m, "nft"), there(m, "iptables"), there(m, "arptables")
	err := m.Run(ctx, machine.Command{Argv: []string{"systemd-detect-virt", "--container"}, Timeout: time.Minute}, func(line string) {
		if kind := strings.TrimSpace(line); kind != "none" {
			n.container = kind
		}
	})
	if n.container == "" && err != nil && ctx.Err() != nil {
		return n, ctx.Err()
	}
	n.unit = active(ctx, m, vrrp.Unit)
	space, err := m.Space(logs)
	if err != nil {
		return n, lang.Errorf(err, "cannot see the room on %s", "无法查看 %s 的磁盘空间", p.name(id))
	}
	n.free = space.Free
	n.own, n.memory = p.volume(ctx, id)
	return n, nil
}

// volume says whether nginx logs to a file system of its own, one that is mounted whole
// below the root, and whether that is in memory. Where nobody can tell it is taken for
// the disk that everything is on.
func (p *pair) volume(ctx context.Context, id machine.ID) (own, memory bool) {
	_ = p.ms[id].Run(ctx, machine.Command{
		Argv: []string{"findmnt", "--noheadings", "--raw", "--output", "FSROOT,FSTYPE,TARGET", "--target", logs}, Timeout: time.Minute,
	}, func(line string) {
		if f := strings.Fields(line); len(f) == 3 {
			own, memory = f[0] == "/" && f[2] != "/", f[1] == "tmpfs" || f[1] == "ramfs"
		}
	})
	return own, memory
}

// there says whether a program is where systemd's units look for it.
func there(m machine.Machine, program string) bool {
	for _, dir := range []string{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/", "/usr/local/sbin/"} {
		if info, err := m.Stat(dir + program); err == nil && info.Mode.IsRegular() {
			return true
		}
	}
	return false
}

// macs are the nodes by the hardware address of the interface.
func (p *pair) macs() (map[string]string, error) {
	out := map[string]string{}
	for _, id := range p.Nodes {
		b, err := p.ms[id].ReadFile("/sys/class/net/" + p.Interface[id] + "/address")
		if err != nil {
			return nil, lang.Errorf(err, "cannot see the hardware address of %s", "无法查看 %s 的硬件地址", p.name(id)).
				WithHint("is %s its interface?", "%s 是它的网络接口吗？", p.Interface[id])
		}
		out[strings.ToLower(strings.TrimSpace(string(b)))] = p.name(id)
	}
	return out, nil
}
