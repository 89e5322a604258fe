package ha

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/vrrp"
)

// pair is the two machines as the step sees them.
type pair struct {
	hosts engine.Hosts
	seen  survey
	a     answers
}

func newPair(hs engine.Hosts, sv engine.Survey, v engine.Values) (*pair, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	seen, err := read(sv)
	if err != nil {
		return nil, err
	}
	for _, id := range hs.Order {
		if seen[id] == nil {
			seen[id] = &node{}
		}
	}
	return &pair{hs, seen, a}, nil
}

const (
	worstSkew = time.Minute // logs of the two cannot be read side by side, and certificates fail
	leastRoom = 64 << 20    // bytes: nginx logs, and goxin's journal
)

// judge is why there can be no pair; nil if there can.
func (p *pair) judge() error {
	if len(p.hosts.Order) != 2 {
		return lang.Errorf(nil, "cannot make a pair of one machine", "一台机器无法组成主备").
			WithHint("answer the peer step: it names the other machine", "请填写 peer 步骤，指定另一台机器")
	}
	for _, check := range []func(id machine.ID) error{p.judgeMachine, p.judgeAddress, p.judgeFiles, p.judgeWire} {
		for _, id := range p.hosts.Order {
			if err := check(id); err != nil {
				return err
			}
		}
	}
	for _, check := range []func(x, y machine.ID) error{p.judgeClocks, p.judgeVersions, p.judgeOwner, p.judgeVRID} {
		if err := check(p.hosts.Order[0], p.hosts.Order[1]); err != nil {
			return err
		}
	}
	return nil
}

func (p *pair) judgeMachine(id machine.ID) error {
	f := p.hosts.Facts[id]
	name := p.hosts.Name(id)
	switch {
	case !f.Running:
		return lang.Errorf(nil, "cannot make a pair with %s: it is not running", "无法与 %s 组成主备：它没有在运行", name).
			WithHint("run goxin on the machine itself; a tree has no network to listen on", "请在机器本身上运行 goxin；目录树没有可监听的网络")
	case f.Init.Name.Known && f.Init.Name.Value != "systemd":
		return lang.Errorf(nil, "cannot make a pair with %s: its process 1 is %s, not systemd", "无法与 %s 组成主备：其 1 号进程是 %s 而非 systemd", name, op.Visible(f.Init.Name.Value)).
			WithHint("what restarts nginx and tells keepalived of its end is systemd", "重启 nginx、向 keepalived 报告其退出，都依靠 systemd")
	}
	for _, d := range f.Disks {
		if d.Space.Known && d.Space.Value.Free < leastRoom {
			return lang.Errorf(nil, "cannot make a pair with %s: %s has %d MiB left", "无法与 %s 组成主备：%s 仅剩 %d MiB", name, d.Path, d.Space.Value.Free>>20).
				WithHint("free 64 MiB: df -h %s", "请腾出至少 64 MiB：df -h %s", d.Path)
		}
	}
	return nil
}

func (p *pair) judgeAddress(id machine.ID) error {
	n, vip, name := p.seen[id], p.a.VIP, p.hosts.Name(id)
	if len(n.Interfaces) == 0 {
		return nil // nothing was looked up
	}
	switch {
	case n.Holds != "" && !manages(n.Conf, vip):
		return p.isNode(vip, name, n.Holds)
	case n.Interface == "" && p.a.Interface != auto:
		return lang.Errorf(nil, "cannot share %s: %s of %s is not in its network", "无法共用 %s：%[3]s 的 %[2]s 不在其网络中", vip, p.a.Interface, name).
			WithHint("that machine has %s", "该机器的地址：%s", networks(n))
	case n.Interface == "":
		return lang.Errorf(nil, "cannot share %s: %s is in another network", "无法共用 %s：%s 在另一个网络中", vip, name).
			WithHint("that machine has %s; the address has to be in the network of both", "该机器的地址：%s；虚拟 IP 必须同在两台机器的网络中", networks(n))
	}
	net := n.Address.Masked()
	if last := broadcast(net); net.Bits() < 31 && (vip == net.Addr() || vip == last) {
		return lang.Errorf(nil, "cannot share %s: it is the address of the network %s itself, or that of all in it", "无法共用 %s：它是网络 %s 的网络地址或广播地址", vip, net).
			WithHint("choose one between", "请选择其间的地址")
	}
	return nil
}

func (p *pair) isNode(vip netip.Addr, name lang.Text, iface string) error {
	return lang.Errorf(nil, "cannot share %s: it is %s's own address, on %s", "无法共用 %s：它是 %s 自己的地址（%s）", vip, name, iface).
		WithHint("the shared address is a third one, besides the two machines'", "虚拟 IP 是两台机器各自地址之外的第三个地址")
}

// manages says whether a keepalived.conf moves that address: then it is where it is by that.
func manages(conf string, vip netip.Addr) bool {
	c, err := vrrp.ParseConf([]byte(conf))
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c.Instances, func(i vrrp.VirtualRouter) bool {
		return slices.ContainsFunc(i.Addresses, func(s string) bool { a, _, err := parseVIP(s); return err == nil && a == vip })
	})
}

func networks(n *node) string {
	s := ""
	for _, i := range n.Interfaces {
		for _, a := range i.Addresses {
			if !a.Addr().IsLoopback() {
				s += map[bool]string{true: ", "}[s != ""] + a.String() + " (" + i.Name + ")"
			}
		}
	}
	return cmp.Or(s, "-")
}

// broadcast is the last address of a network.
func broadcast(p netip.Prefix) netip.Addr {
	a := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		a[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(a)
}

func (p *pair) judgeFiles(id machine.ID) error {
	n, name := p.seen[id], p.hosts.Name(id)
	if n.Conf != "" && !ours(n.Conf) && !example(n.Conf) && !p.a.Replace {
		return lang.Errorf(nil, "cannot write %s on %s: somebody wrote one already", "无法在 %[2]s 上写入 %[1]s：已有他人编写的配置", keepalivedConf, name).
			WithHint("look at it; replace: replace puts goxin's in its place, and undo brings it back", "请先查看；填 replace: replace 则替换为 goxin 的配置，撤销时恢复")
	}
	if n.NginxSays != "" {
		return lang.Errorf(lang.Quote(n.NginxSays), "cannot build on the nginx of %s: its configuration is broken already", "无法使用 %s 上的 nginx：其配置已经有误", name).
			WithHint("mend it first; this says whether: nginx -t", "请先修复；检查：nginx -t")
	}
	return nil
}

// example says whether a keepalived.conf is the one a distribution ships to be read: the
// addresses of keepalived's own sample, which nobody has.
func example(conf string) bool {
	c, err := vrrp.ParseConf([]byte(conf))
	if err != nil || len(c.Instances) != 1 {
		return false
	}
	return slices.Equal(c.Instances[0].Addresses, []string{"192.168.200.16", "192.168.200.17", "192.168.200.18"})
}

func (p *pair) judgeWire(id machine.ID) error {
	n, name := p.seen[id], p.hosts.Name(id)
	peerID := other(p.hosts, id)
	peer := p.seen[peerID]
	if !n.Deaf.Empty() {
		return lang.Errorf(lang.Because(nil, "%s", "%s", op.VisibleText(n.Deaf)), "cannot listen to the segment on %s", "无法在 %s 上监听网段", name).
			WithHint("that takes root, and an Ethernet interface", "需要 root 权限和以太网接口")
	}
	if n.Peer != nil && peer.MAC != "" && !slices.Contains(n.Peer.MACs, peer.MAC) {
		return lang.Errorf(nil, "cannot make a pair: on the segment of %s nobody answers for %s with the address %s that %s has", "无法组成主备：在 %s 的网段上，没有以 %[3]s 应答 %[2]s 的机器（%[4]s 的网卡）",
			name, peer.Address.Addr(), peer.MAC, p.hosts.Name(peerID)).
			WithHint("both have to be on one Ethernet segment: same switch, same VLAN, no router between", "两台机器必须在同一以太网段：同一交换机、同一 VLAN，中间没有路由器")
	}
	if w := n.Passes; w != nil && !w.Passes() && !p.a.Firewall {
		return lang.Errorf(nil, "cannot make a pair: IP protocol 112 (VRRP) from %s does not arrive at %s: %d of %d", "无法组成主备：从 %s 发出的 IP 协议 112（VRRP）到不了 %s：%d/%d", name, p.hosts.Name(peerID), w.Received, w.Sent).
			WithHint("both would own the address at once. firewall: true lets it through on the machines; a switch or a cloud may drop it too", "两台机器会同时持有虚拟 IP。填 firewall: true 可在机器上放行；交换机或云平台也可能丢弃它")
	}
	return nil
}

func (p *pair) judgeClocks(_, y machine.ID) error {
	if s := p.seen[y].Skew; s.Abs()-p.seen[y].Doubt > worstSkew {
		way := lang.T("ahead", "快")
		if s < 0 {
			way = lang.T("behind", "慢")
		}
		return lang.Errorf(nil, "cannot make a pair: the clock of %s is %s %s", "无法组成主备：%s 的时钟%[3]s了 %[2]s", p.hosts.Name(y), s.Abs().Round(time.Second), way).
			WithHint("do the time step on both machines first", "请先在两台机器上执行 time 步骤")
	}
	return nil
}

func (p *pair) judgeVersions(x, y machine.ID) error {
	for _, id := range []machine.ID{x, y} {
		if v := p.seen[id].Keepalived; v != "" && !vrrp.Capabilities(v).ConfigTest {
			return lang.Errorf(nil, "cannot use keepalived %s of %s: goxin writes for 2.0.4 and newer", "无法使用 %[2]s 上的 keepalived %[1]s：goxin 支持 2.0.4 及以上", v, p.hosts.Name(id)).
				WithHint("take a newer one from the distribution's update repository", "请从发行版的更新源安装较新的版本")
		}
	}
	a, b := vrrp.Capabilities(p.seen[x].Keepalived), vrrp.Capabilities(p.seen[y].Keepalived)
	if a.Version != "" && b.Version != "" && a.Major != b.Major {
		return lang.Errorf(nil, "cannot make a pair of keepalived %s and %s", "keepalived %s 与 %s 无法组成主备", a.Version, b.Version).
			WithHint("install the same major version on both machines", "请在两台机器上安装相同的主版本")
	}
	return nil
}

// judgeOwner finds somebody else at the address.
func (p *pair) judgeOwner(x, y machine.ID) error {
	own := []string{p.seen[x].MAC, p.seen[y].MAC}
	for _, id := range []machine.ID{x, y} {
		f := p.seen[id].Found
		if f == nil {
			continue
		}
		for _, mac := range f.MACs {
			if slices.Contains(own, mac) {
				continue // one of the two: where it is not by keepalived, judgeAddress says so
			}
			return lang.Errorf(nil, "cannot share %s: %s has it already", "无法共用 %s：%s 已占用该地址", p.a.VIP, mac).
				WithHint("choose a free address, or find that machine: ip neigh, the switch's table", "请选择空闲地址，或找出该机器：ip neigh、交换机的 MAC 表")
		}
	}
	return nil
}

// taken are the VRIDs that others on the segment use, with who.
func (p *pair) taken() map[int]netip.Addr {
	out := map[int]netip.Addr{}
	var own []netip.Addr
	for _, n := range p.seen {
		own = append(own, n.Address.Addr())
	}
	for _, n := range p.seen {
		if n.Heard == nil {
			continue
		}
		for _, r := range n.Heard.Routers {
			if !r.Mine && !slices.Contains(own, r.From) {
				out[r.Advert.VRID] = r.From
			}
		}
	}
	return out
}

func (p *pair) judgeVRID(_, _ machine.ID) error {
	from, taken := p.taken()[p.a.VRID]
	if p.a.VRID == 0 || !taken {
		return nil
	}
	return lang.Errorf(nil, "cannot use VRID %d: %s advertises with it", "无法使用 VRID %d：%s 正在使用它", p.a.VRID, from).
		WithHint("vrid: 0 chooses a free one; %d is", "填 vrid: 0 可自动选择空闲值，例如 %d", p.free())
}

// free is a VRID that nobody was heard to use: the address's last number, or the next one.
func (p *pair) free() int {
	taken := p.taken()
	first := int(p.a.VIP.As4()[3])
	for i := range 255 {
		if n := (first+i-1+255)%255 + 1; taken[n] == (netip.Addr{}) {
			return n
		}
	}
	return max(first, 1)
}

func (p *pair) vrid() int {
	if p.a.VRID != 0 {
		return p.a.VRID
	}
	return p.free()
}
