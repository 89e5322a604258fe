package ha

import (
	_ "embed"
	"net/netip"
	"path"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/vrrp"
)

// The programs of the pair say nothing of the machine they are on: what differs comes in
// as arguments.
var (
	//go:embed files/goxin-health
	healthProgram string
	//go:embed files/goxin-vip
	vipProgram string
	//go:embed files/goxin-conf
	confProgram string
)

const nonlocalConf = "/etc/sysctl.d/90-goxin-ha.conf"

// Ops is the whole of the node that does not own the address, then the whole of the other
// one: so one of them always serves.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	p, err := newPair(hs, sv, v)
	if err != nil {
		return nil, err
	}
	if err := p.judge(); err != nil {
		return nil, engine.Refusal{Err: err}
	}
	var items []engine.Item
	for _, id := range p.order() {
		ops, unknown := p.ops(id)
		if unknown != "" {
			items = append(items, engine.Item{On: id, Unknown: unknown})
			continue
		}
		for _, o := range ops {
			items = append(items, engine.Item{On: id, Op: o})
		}
	}
	return items, nil
}

// order is the machines, the owner of the address last. Where nobody owns it that is the
// first machine, which has the higher priority. An owner by somebody's configuration comes
// first: it does not hear the other one by goxin's, which would own the address beside it.
func (p *pair) order() []machine.ID {
	x, y := p.hosts.Order[0], p.hosts.Order[1]
	first := p.seen[x].Holds != "" && !ours(p.seen[x].Conf)
	if first || p.seen[y].Holds != "" && ours(p.seen[y].Conf) && p.seen[x].Holds == "" {
		return []machine.ID{x, y}
	}
	return []machine.ID{y, x}
}

// words are what the node's files are made of.
func (p *pair) words(id machine.ID) words {
	n := p.seen[id]
	w := words{
		caps: vrrp.Capabilities(n.Keepalived), vip: p.vip(), iface: n.Interface,
		own: n.Address.Addr(), peer: p.seen[other(p.hosts, id)].Address.Addr(), priority: prioritySecond,
		vrid: p.vrid(), advert: p.a.timing(virtual(p.hosts)).Advert, every: p.a.CheckEvery,
		port: p.a.Port, health: p.a.Health, exits: n.Exits,
	}
	if id == p.hosts.Order[0] {
		w.priority = priorityFirst
	}
	return w
}

// vip is the address as keepalived puts it on the interface: with the length it was
// answered with, else alone (/32), as keepalived's own default is. With the network's
// length it would be a secondary address, and go when the node's own one is set anew.
func (p *pair) vip() netip.Prefix {
	bits := p.a.Bits
	if bits == 0 {
		bits = p.a.VIP.BitLen()
	}
	return netip.PrefixFrom(p.a.VIP, bits)
}

// ops are one node's, in the order they are done in; or the step that has to come before
// they can be known.
func (p *pair) ops(id machine.ID) (ops []engine.Op, unknown string) {
	n := p.seen[id]
	if s := n.Packages; s == nil || s.Asked && !s.Lists.Empty() && !(s.Has(packages[0]) && s.Has(packages[1])) {
		return nil, "mirror"
	}
	if n.Keepalived == "" {
		return nil, "mirror" // its version decides what may be written
	}
	w := p.words(id)
	add := func(o ...engine.Op) { ops = append(ops, o...) }
	file := func(o op.File) {
		o.Owner = machine.RootOwner
		if o.Mode == 0 {
			o.Mode = 0o644
		}
		add(&o)
	}
	dir := func(name string, why lang.Text) {
		add(&op.Dir{Path: name, Mode: 0o755, Owner: machine.RootOwner, Reason: why})
	}

	add(&op.Packages{Manager: n.Packages.Manager, Names: packages, Reason: whyPackages()})
	add(&op.Account{Name: scriptUser, Reason: whyAccount()})
	dir("/usr/libexec", whyScripts())
	dir(scriptDir, whyScripts())
	for _, s := range []struct{ path, program string }{{healthScript, healthProgram}, {vipScript, vipProgram}, {confScript, confProgram}} {
		file(op.File{Path: s.path, Content: s.program, Mode: 0o755, Reason: whyScripts()})
	}
	if p.a.Nonlocal {
		file(op.File{Path: nonlocalConf, Content: mark + ".\nnet.ipv4.ip_nonlocal_bind = 1\n", Reason: whyNonlocal()})
		add(&op.Sysctl{Key: "net.ipv4.ip_nonlocal_bind", Value: "1", Reason: whyNonlocal()})
	}
	if p.a.Firewall {
		peer := netip.PrefixFrom(w.peer, w.peer.BitLen())
		add(&op.Port{Port: p.a.Port, Protocol: "tcp", Interface: w.iface, Reason: whyPort()})
		add(&op.Port{Protocol: "vrrp", From: []netip.Prefix{peer}, Interface: w.iface, Reason: whyVRRP()})
	}

	if p.enforcing(id) {
		add(&op.Boolean{Name: "httpd_can_network_connect", On: true, Reason: whyConnects()})
	}

	nginxDir, nginxFile := dropInOf(nginxUnit)
	keepalivedDir, keepalivedFile := dropInOf(keepalivedUnit)
	file(op.File{Path: nginxConf, Content: nginxText(p.a, w.own), Restart: nginxUnit, Reason: whyNginx()})
	dir(nginxDir, whyNginxUnit())
	file(op.File{Path: nginxFile, Content: nginxDropIn, Reload: true, Restart: nginxUnit, Reason: whyNginxUnit()})
	file(op.File{Path: keepalivedConf, Content: keepalivedText(w), Restart: keepalivedUnit, Reason: whyKeepalived(p.a.timing(virtual(p.hosts)))})
	if w.caps.NamesItself && !n.Named {
		dir("/etc/iproute2", whyProtocol())
		dir(path.Dir(protocolConf), whyProtocol())
		file(op.File{Path: protocolConf, Content: protocolText, Reason: whyProtocol()})
	}
	dir(keepalivedDir, whyKeepalivedUnit())
	file(op.File{Path: keepalivedFile, Content: keepalivedDropIn(w.iface, w.vip), Reload: true, Restart: keepalivedUnit, Reason: whyKeepalivedUnit()})
	file(op.File{Path: relayConf, Content: relayText(w), Restart: vrrp.Unit, Reason: whyRelay()})
	file(op.File{Path: vipUnitFile, Content: vipService(w.iface, w.vip), Reload: true, Reason: whyVIPUnit()})
	// Ours first: systemd (252) does not notice that a unit it knows has got a directory of
	// drop-ins, but one that it does not know makes it read everything anew.
	for _, u := range []struct {
		name string
		why  lang.Text
	}{{vrrp.Unit, whyVIPUnit()}, {nginxUnit, whyNginx()}, {keepalivedUnit, whyKeepalived(p.a.timing(virtual(p.hosts)))}} {
		add(&op.Unit{Name: u.name, Enabled: "yes", Active: "yes", Reason: u.why})
	}
	return ops, ""
}
