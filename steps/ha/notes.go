package ha

import (
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/vrrp"
)

// Notes tell what is expected of the pair, and where the two machines differ.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	p, err := newPair(hs, sv, v)
	if err != nil || p.judge() != nil {
		return nil // Ops says it
	}
	var out []engine.Note
	say := func(warn bool, en, zh string, args ...any) {
		out = append(out, engine.Note{Warn: warn, Text: lang.F(en, zh, args...)})
	}
	x, y := hs.Order[0], hs.Order[1]
	a, b := p.seen[x], p.seen[y]
	t := p.a.timing(virtual(hs))
	say(false, "%s moves between %s and %s; VRID %d, an advertisement every %s.", "%s 在 %s 与 %s 之间切换；VRID %d，每 %s 通告一次。", p.a.VIP, hs.Name(x), hs.Name(y), p.vrid(), t.Advert)
	if w := vrrp.Weigh(t, t.Advert, virtual(hs)); w.Risky {
		say(true, "advert %s: the owner may stand still for %s at most before the address moves. A virtual machine does for a snapshot or a move; the other one then takes over, and nothing breaks but connections.",
			"advert %s：主节点停顿超过 %s 就会切换。虚拟机做快照或迁移时会停顿；此时对方接管，仅现有连接会中断。", t.Advert, w.Tolerates.Round(10*time.Millisecond))
	}
	if a.Address.Bits() != b.Address.Bits() {
		say(true, "the two have the network in different lengths: %s and %s.", "两台机器的子网长度不同：%s 与 %s。", a.Address, b.Address)
	}
	if !passesBoth(a, b) {
		say(true, "VRRP does not pass between the two yet; the plan opens the machines' own firewalls. A switch or a cloud that drops IP protocol 112 is found when the pair is proved.",
			"目前两台机器之间的 VRRP 不通；计划会放行机器自身的防火墙。若是交换机或云平台丢弃 IP 协议 112，将在验证时发现。")
	}
	if s := b.Skew; s.Abs()-b.Doubt > time.Second {
		say(true, "the clocks are %s apart.", "两台机器的时钟相差 %s。", s.Abs().Round(time.Millisecond))
	}
	if va, vb := a.Keepalived, b.Keepalived; va != vb && va != "" && vb != "" {
		say(true, "keepalived is %s on %s and %s on %s: each gets the words its version knows.", "keepalived 版本：%[2]s 为 %[1]s，%[4]s 为 %[3]s；分别按各自版本生成配置。", va, hs.Name(x), vb, hs.Name(y))
	}
	p.parity(say)
	return append(out, hs.Notes(func(id machine.ID) ([]engine.Note, error) { return p.nodeNotes(id), nil })...)
}

// most of the differing files that are named.
const mostNamed = 5

// parity names what of nginx differs between the two: after a failover clients meet the
// other one's.
func (p *pair) parity(say func(warn bool, en, zh string, args ...any)) {
	x, y := p.hosts.Order[0], p.hosts.Order[1]
	a, b := p.seen[x].Files, p.seen[y].Files
	if len(a) == 0 || len(b) == 0 {
		return // nginx is not on both yet
	}
	var names []string
	for name, sum := range a {
		if b[name] != sum {
			names = append(names, op.Visible(name))
		}
	}
	for name := range b {
		if _, both := a[name]; !both {
			names = append(names, op.Visible(name))
		}
	}
	slices.Sort(names)
	if n := len(names); n > mostNamed {
		say(true, "%d files of nginx differ between the two, or are on one only: %s and more. After a failover clients meet the other one's.", "两台机器上有 %d 个 nginx 文件不同或仅在一台上：%s 等。故障切换后客户端将遇到另一台的版本。", n, lang.List(names[:mostNamed]...))
	} else if n > 0 {
		say(true, "files of nginx that differ between the two, or are on one only: %s. After a failover clients meet the other one's.", "两台机器上不同或仅在一台上的 nginx 文件：%s。故障切换后客户端将遇到另一台的版本。", lang.List(names...))
	}
}

// enforcing says that SELinux lets nginx do what its policy names, and nothing else.
func (p *pair) enforcing(id machine.ID) bool {
	return p.hosts.Facts[id].Security.SELinux.Value == "enforcing"
}

// httpPort says whether the reference policy gives a port to programs of httpd_t: those
// of http_port_t and http_cache_port_t.
func httpPort(n int) bool {
	switch n {
	case 80, 81, 443, 488, 8008, 8009, 8443, 9000, 3128, 8080, 8118:
		return true
	}
	return 10001 <= n && n <= 10010
}

// nodeNotes are what is to be said of one of the two.
func (p *pair) nodeNotes(id machine.ID) []engine.Note {
	n := p.seen[id]
	var out []engine.Note
	say := func(warn bool, en, zh string, args ...any) {
		out = append(out, engine.Note{Warn: warn, Text: lang.F(en, zh, args...)})
	}
	if n.Exits && vrrp.Capabilities(n.Keepalived).TrackProcess {
		say(false, "the kernel tells keepalived of processes that end (CONFIG_PROC_EVENTS).", "内核会向 keepalived 报告进程退出（CONFIG_PROC_EVENTS）。")
	} else {
		say(false, "systemd tells keepalived when nginx ends, within some tens of milliseconds.", "nginx 退出时由 systemd 通知 keepalived，约需数十毫秒。")
	}
	if !n.Relays {
		say(true, "a planned handover takes nft on the machine that takes over; it is not there, or it or the kernel lacks something. Requests under way may be lost then, some at 1000 a second. With nftables installed none is.",
			"计划内切换时，接管一方需要 nft；此处没有，或者它（或内核）缺少所需功能。此时正在处理的请求可能丢失（每秒 1000 个请求时为数个）；安装 nftables 后则不会。")
	}
	if p.enforcing(id) && !httpPort(p.a.Port) {
		say(true, "SELinux's policy as it is delivered lets nginx listen on none but its own ports, and %[1]d is none of them; if nginx does not start: semanage port -a -t http_port_t -p tcp %[1]d", "SELinux 策略默认只允许 nginx 监听指定端口，%[1]d 不在其中；若 nginx 无法启动，请执行：semanage port -a -t http_port_t -p tcp %[1]d", p.a.Port)
	}
	if n.Conf != "" && !ours(n.Conf) && !example(n.Conf) {
		say(true, "%s is replaced; undo brings it back. %s", "%s 将被替换，撤销时恢复。%s", keepalivedConf, p.written(n.Conf))
	}
	return out
}
