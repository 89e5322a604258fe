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

// Questions are asked of the pair; nothing is asked of one machine.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	if len(hs.Order) != 2 {
		return nil
	}
	a, err := readAnswers(v)
	if err != nil {
		a.CheckEvery = time.Second
	}
	seen, err := read(sv)
	if err != nil {
		seen = survey{}
	}
	p := &pair{hs, seen, a}
	for _, id := range hs.Order {
		if seen[id] == nil {
			seen[id] = &node{}
		}
	}
	written := slices.ContainsFunc(hs.Order, func(id machine.ID) bool { c := seen[id].Conf; return c != "" && !ours(c) && !example(c) })
	var out []engine.Question
	for _, f := range s.Fields() {
		if f.Key == KeyReplace && !written {
			continue
		}
		q := engine.Question{Field: f, Default: f.Default, Why: p.why(f.Key)}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		out = append(out, q)
	}
	return out
}

func (p *pair) why(key string) lang.Text {
	x, y := p.hosts.Order[0], p.hosts.Order[1]
	a, b := p.seen[x], p.seen[y]
	switch key {
	case KeyVIP:
		return lang.F("%s has %s; %s has %s.", "%s：%s；%s：%s。", p.hosts.Name(x), networks(a), p.hosts.Name(y), networks(b))
	case KeyInterface:
		if a.Interface == "" || b.Interface == "" {
			return lang.T("Known once the address is.", "填写地址后即可确定。")
		}
		return lang.F("%s and %s are in the address's network.", "%s 与 %s 在该地址的网络中。", a.Interface, b.Interface)
	case KeyVRID:
		if a.Heard == nil && b.Heard == nil {
			return lang.T("Nobody listened yet.", "尚未监听网段。")
		}
		if n := len(p.taken()); n > 0 {
			return lang.F("Heard %d others on the segment; %d is free.", "网段上听到 %d 个其他 VRID；%d 空闲。", n, p.free())
		}
		return lang.F("Nobody else was heard on the segment; %d is free.", "网段上没有听到其他 VRID；%d 空闲。", p.free())
	case KeyAdvert:
		return p.calculator()
	case KeyPort:
		return lang.T("nginx in front; TLS can be added to its configuration later.", "nginx 在前端；之后可在其配置中加入 TLS。")
	case KeyUpstream:
		return lang.T("Each node asks its own service: one that is down takes the address along.", "每个节点只访问自己的服务：服务失效时虚拟 IP 随之切换。")
	case KeyHealth:
		return lang.T("One that the service answers cheaply, and only when it can do its work.", "应选择服务能低成本应答、且仅在可用时才成功的路径。")
	case KeyCheckEvery:
		t := p.a.timing(virtual(p.hosts))
		return lang.F("An nginx that hangs is found within %s.", "nginx 卡死可在 %s 内发现。", vrrp.Predict(t, vrrp.FaultNginxHangs).Round(10*time.Millisecond))
	case KeyFirewall:
		if !passesBoth(a, b) {
			return lang.T("VRRP does not pass between the two as it stands.", "目前两台机器之间的 VRRP 不通。")
		}
		return lang.T("VRRP passes between the two already; the rule keeps it so.", "目前两台机器之间的 VRRP 是通的；规则可确保以后也通。")
	case KeyNonlocal:
		return lang.T("goxin's own virtual host does not need it.", "goxin 自己的虚拟主机不需要。")
	case KeyReplace:
		for _, id := range p.hosts.Order {
			if c := p.seen[id].Conf; c != "" && !ours(c) {
				return p.written(c)
			}
		}
	case KeyDrill:
		return lang.T("A failover that nobody has seen is a hope.", "没有实际验证过的故障切换只是一种期望。")
	}
	return lang.Text{}
}

func passesBoth(a, b *node) bool {
	return a.Passes == nil || b.Passes == nil || a.Passes.Passes() && b.Passes.Passes()
}

// written says what somebody's keepalived.conf is.
func (p *pair) written(conf string) lang.Text {
	c, err := vrrp.ParseConf([]byte(conf))
	if err != nil {
		return lang.F("Somebody wrote one; it cannot be read: %s.", "已有他人编写的配置，但无法解析：%s。", err)
	}
	if traps := vrrp.Traps(c); len(traps) > 0 {
		return lang.F("Somebody wrote one with %d instances. In it: %s.", "已有他人编写的配置，含 %d 个实例。其中：%s。", len(c.Instances), op.VisibleText(traps[0].Text))
	}
	return lang.F("Somebody wrote one with %d instances.", "已有他人编写的配置，含 %d 个实例。", len(c.Instances))
}

// calculator weighs the intervals: what an outage takes, against what freeze is mistaken
// for one.
func (p *pair) calculator() lang.Text {
	v := virtual(p.hosts)
	t := p.a.timing(v)
	show := func(a time.Duration) lang.Text {
		w := vrrp.Weigh(t, a, v)
		s := lang.F("%s: a dead node costs %s, a freeze up to %s moves nothing", "%s：节点故障损失 %s，停顿 %s 以内不切换",
			a, w.NodeDown.Round(10*time.Millisecond), w.Tolerates.Round(10*time.Millisecond))
		if w.Risky {
			s = lang.F("%s (risky here)", "%s（此处有误切换风险）", s)
		}
		return s
	}
	kind := lang.T("Machines of metal.", "均为物理机。")
	if v {
		kind = lang.T("A virtual machine or container is among them: a snapshot or a move freezes it for a second or two.", "其中有虚拟机或容器：快照或迁移会使其停顿一两秒。")
	}
	return lang.F("%s %s; %s; %s.", "%s%s；%s；%s。", kind, show(200*time.Millisecond), show(time.Second), show(2*time.Second))
}
