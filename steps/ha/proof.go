package ha

import (
	"context"
	"errors"
	"path"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/scratch"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// Proofs are that both nodes serve, hear each other and are told the same, that one of
// them owns the address and clients get answers there, and then the drill.
func (Step) Proofs(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Proof {
	p, err := newPair(hs, sv, v)
	if err != nil || p.judge() != nil {
		return nil // Ops says it
	}
	var out []engine.Proof
	for _, id := range p.order() {
		if _, unknown := p.ops(id); unknown != "" {
			return nil
		}
		out = append(out, engine.Proof{
			On: id, First: true, Title: lang.T("keepalived and nginx would take what is about to be written", "keepalived 与 nginx 接受即将写入的配置"),
			Prove: func(ctx context.Context, m machine.Machine) (lang.Text, error) { return p.trial(ctx, m, id) },
		})
	}
	for _, id := range hs.Order {
		out = append(out, engine.Proof{
			On: id, Always: true, Title: lang.T("nginx and the service behind it answer on this node", "本节点上的 nginx 及其后端服务能够应答"),
			Prove: func(ctx context.Context, m machine.Machine) (lang.Text, error) { return p.serves(ctx, m, id) },
		})
	}
	home := hs.Order[0]
	always := func(title lang.Text, prove func(context.Context, machine.Machine) (lang.Text, error)) {
		out = append(out, engine.Proof{On: home, Always: true, Title: title, Prove: prove})
	}
	always(lang.T("the two nodes are told the same", "两个节点的配置一致"), p.agree)
	always(lang.T("the nodes hear each other", "两个节点能互相收到通告"), p.hears)
	always(lang.T("exactly one node owns the address", "有且只有一个节点持有虚拟 IP"), p.owned)
	always(lang.T("the address answers, asked from the node that does not own it", "从未持有虚拟 IP 的节点访问，能得到应答"), p.answers)
	if faults := p.faults(); len(faults) > 0 {
		out = append(out, engine.Proof{
			On: home, Title: lang.T("the drill: failover as predicted", "演练：故障切换符合预期"),
			Prove: func(ctx context.Context, _ machine.Machine) (lang.Text, error) { return p.drill(ctx, faults) },
		})
	}
	return out
}

// trial tests what is about to be written where the programs are there already: then
// something runs that a bad configuration would end. Elsewhere the first start tests it.
func (p *pair) trial(ctx context.Context, m machine.Machine, id machine.ID) (lang.Text, error) {
	w := p.words(id)
	_, err := m.Stat(confScript)
	again := err == nil
	err = scratch.Use(m, "ha", func(dir string) error {
		put := func(name, content string) (string, error) {
			file := path.Join(dir, name)
			return file, m.WriteFile(file, []byte(content), 0o600, machine.RootOwner)
		}
		if _, err := put("goxin.conf", nginxText(p.a, w.own)); err != nil {
			return err
		}
		main, err := text(m, "/etc/nginx/nginx.conf")
		if err != nil {
			return err
		}
		whole, err := put("nginx.conf", nginxUser(main)+"events {}\nhttp { include "+dir+"/goxin.conf; }\n")
		if err != nil {
			return err
		}
		if err := tests(ctx, m, "nginx", "nginx", "-t", "-q", "-c", whole); err != nil || !again {
			return err
		}
		conf, err := put("keepalived.conf", keepalivedText(w))
		if err != nil {
			return err
		}
		return tests(ctx, m, "keepalived", confScript, conf)
	})
	if err != nil {
		return lang.Text{}, err
	}
	return lang.F("they do on %s, as far as they are there", "%s 上已安装的程序均接受", p.hosts.Name(id)), nil
}

// nginxUser is the line of an nginx.conf that says whom it works as. A test of another
// configuration needs it too: nginx gives its directories for temporary files to that
// user, in a test as well, and without the line that is nobody.
func nginxUser(conf string) string {
	for line := range strings.Lines(conf) {
		if w := strings.Fields(line); len(w) > 1 && w[0] == "user" {
			return strings.TrimSpace(line) + "\n"
		}
	}
	return ""
}

// tests runs a program's own test of a configuration. One that is not there has nothing
// against it.
func tests(ctx context.Context, m machine.Machine, program string, argv ...string) error {
	var said []string
	err := m.Run(ctx, machine.Command{Argv: argv, Timeout: time.Minute}, func(line string) { said = append(said, op.Visible(line)) })
	var exit *machine.ExitError
	switch {
	case machine.MissingProgram(err):
		return nil
	case errors.As(err, &exit) && len(said) > 0:
		err = lang.Quote(strings.Join(said[max(0, len(said)-6):], "\n"))
	case err == nil:
		return nil
	}
	return lang.Errorf(err, "cannot use that configuration: %s does not take it", "无法使用该配置：%s 不接受", program).
		WithHint("nothing was changed; correct the ha step's answers", "尚未做任何改动；请修改 ha 步骤的应答")
}

// serves asks nginx as keepalived does.
func (p *pair) serves(ctx context.Context, m machine.Machine, id machine.ID) (lang.Text, error) {
	c := machine.Command{Argv: []string{healthScript, decimal(p.a.Port), p.a.Health, "5"}, Timeout: time.Minute}
	var exit *machine.ExitError
	if err := m.Run(ctx, c, nil); err != nil && !errors.As(err, &exit) {
		return lang.Text{}, err // nothing was asked
	} else if err != nil {
		return lang.Text{}, lang.Errorf(nil, "cannot let %s own the address: nginx there does not answer %s with 2xx or 3xx", "%s 不能持有虚拟 IP：其 nginx 对 %s 没有返回 2xx 或 3xx", p.hosts.Name(id), p.a.Health).
			WithHint("is the service there, and on %s? on that machine: curl -i http://127.0.0.1:%d%s", "后端服务在运行且位于 %s 吗？请在该机器上执行：curl -i http://127.0.0.1:%d%s", strings.Join(p.a.Upstream, ", "), p.a.Port, p.a.Health)
	}
	return lang.F("%s on port %d of %s", "%[3]s 的 %[1]s，端口 %[2]d", p.a.Health, p.a.Port, p.hosts.Name(id)), nil
}

// both are the two machines of the run.
func (p *pair) both(ctx context.Context) (x, y wire.End, err error) {
	ms := engine.MachinesOf(ctx)
	for i, id := range p.hosts.Order {
		m, ok := ms[id]
		if !ok {
			return x, y, engine.NoMachine(id)
		}
		e := wire.End{On: m, Interface: p.seen[id].Interface, Address: p.seen[id].Address.Addr()}
		if i == 0 {
			x = e
		} else {
			y = e
		}
	}
	return x, y, nil
}

// agree compares the two files as they stand.
func (p *pair) agree(ctx context.Context, _ machine.Machine) (lang.Text, error) {
	x, y, err := p.both(ctx)
	if err != nil {
		return lang.Text{}, err
	}
	var confs [2]vrrp.Conf
	for i, m := range []machine.Machine{x.On, y.On} {
		s, err := text(m, keepalivedConf)
		if err == nil {
			confs[i], err = vrrp.ParseConf([]byte(s))
		}
		if err != nil {
			return lang.Text{}, lang.Errorf(err, "cannot compare the two nodes", "无法比较两个节点").WithHint("apply the ha step again", "请重新执行 ha 步骤")
		}
	}
	found := vrrp.Agree(confs[0], confs[1])
	for _, f := range found {
		if f.Broken {
			return lang.Text{}, lang.Errorf(nil, "cannot trust the pair: %s", "该主备组不可信：%s", op.VisibleText(f.Text)).
				WithHint("apply the ha step again, on both", "请对两个节点重新执行 ha 步骤")
		}
	}
	if len(found) > 0 {
		return lang.F("they are; but %s", "一致；但 %s", op.VisibleText(found[0].Text)), nil
	}
	return lang.F("VRID %d, %s, priorities %d and %d", "VRID %d，%s，优先级 %d 与 %d", p.vrid(), p.a.VIP, priorityFirst, prioritySecond), nil
}

// hears tries protocol 112 both ways, through whatever filters.
func (p *pair) hears(ctx context.Context, _ machine.Machine) (lang.Text, error) {
	x, y, err := p.both(ctx)
	if err != nil {
		return lang.Text{}, err
	}
	for _, way := range [][2]wire.End{{x, y}, {y, x}} {
		got, err := wire.Reach(ctx, way[0], way[1])
		if err != nil {
			return lang.Text{}, err
		}
		if !got.Passes() {
			return lang.Text{}, lang.Errorf(nil, "cannot trust the pair: IP protocol 112 from %s does not arrive at %s: %d of %d", "该主备组不可信：从 %s 发出的 IP 协议 112 到不了 %s：%d/%d", way[0].Address, way[1].Address, got.Received, got.Sent).
				WithHint("both would own the address. It is dropped by a firewall goxin does not know, by the switch or by the cloud", "双方会同时持有虚拟 IP。可能被 goxin 不认识的防火墙、交换机或云平台丢弃")
		}
	}
	return lang.T("IP protocol 112 arrives, both ways", "IP 协议 112 双向可达"), nil
}

// tries is how often the wire is asked for the owner, about two seconds each: a node that
// has just started waits for three advertisements, after two good checks.
const tries = 10

// owner is who owns the address as the wire has it: each node asks, so that one that
// answers to itself alone is found too.
func (p *pair) owner(ctx context.Context) (owner, standby machine.ID, err error) {
	x, y, err := p.both(ctx)
	if err != nil {
		return "", "", err
	}
	ids, ends := p.hosts.Order, [2]wire.End{x, y}
	for range tries {
		var owners []int
		var others []string
		for i, e := range ends {
			holds, err := p.holds(ctx, e.On)
			if err != nil {
				return "", "", lang.Errorf(err, "cannot tell whether %s has %s", "无法判断 %s 是否持有 %s", p.hosts.Name(e.On.ID()), p.a.VIP)
			}
			if holds {
				owners = append(owners, i)
			}
			f, err := wire.ArpProbe(ctx, e.On, e.Interface, p.a.VIP)
			if err != nil {
				return "", "", err
			}
			if peer := p.seen[ids[1-i]].MAC; len(f.MACs) > 1 || len(f.MACs) == 1 && f.MACs[0] != peer || holds && len(f.MACs) > 0 {
				others = append(others, f.MACs...)
			} else if len(f.MACs) == 1 {
				owners = append(owners, 1-i) // the same as it says itself
			}
		}
		switch {
		case len(others) > 0 && len(owners) < 2:
			return "", "", lang.Errorf(nil, "cannot trust the pair: others answer for %s: %s", "该主备组不可信：另有机器应答 %s：%s", p.a.VIP, strings.Join(others, " ")).
				WithHint("find that machine: ip neigh, the switch's table", "请找出该机器：ip neigh、交换机的 MAC 表")
		case len(others) > 0:
			return "", "", lang.Errorf(nil, "cannot trust the pair: %s has two owners", "该主备组不可信：%s 有两个持有者", p.a.VIP).
				WithHint("split brain: does IP protocol 112 pass both ways?", "脑裂：IP 协议 112 双向可达吗？")
		case len(owners) == 2 && owners[0] == owners[1]:
			return ids[owners[0]], ids[1-owners[0]], nil
		}
		// It is about to move, or nobody has it yet.
	}
	return "", "", lang.Errorf(nil, "cannot trust the pair: neither node owns %s", "该主备组不可信：没有节点持有 %s", p.a.VIP).
		WithHint("see on both: journalctl -u keepalived; cat %s %s", "请在两个节点上查看：journalctl -u keepalived；cat %s %s", vrrp.NginxFile, vrrp.AwayFile)
}

// holds says whether a machine has the address on an interface.
func (p *pair) holds(ctx context.Context, m machine.Machine) (bool, error) {
	all, err := interfaces(ctx, m)
	for _, i := range all {
		for _, a := range i.Addresses {
			if a.Addr() == p.a.VIP && i.Name != "lo" {
				return true, nil
			}
		}
	}
	return false, err
}

func (p *pair) owned(ctx context.Context, _ machine.Machine) (lang.Text, error) {
	owner, standby, err := p.owner(ctx)
	if err != nil {
		return lang.Text{}, err
	}
	return lang.F("%s owns it (%s), as %s sees it too", "由 %s（%s）持有，%s 看到的也一致", p.hosts.Name(owner), p.seen[owner].MAC, p.hosts.Name(standby)), nil
}

const (
	asksFor   = 2 * time.Second
	asksEvery = 20 * time.Millisecond
)

func (p *pair) answers(ctx context.Context, _ machine.Machine) (lang.Text, error) {
	owner, standby, err := p.owner(ctx)
	if err != nil {
		return lang.Text{}, err
	}
	var asked, lost int
	var slowest int64
	why := map[string]int{}
	nodes := map[string]bool{}
	q := wire.Question{VIP: p.a.VIP, Port: p.a.Port, Path: p.a.Health, Every: asksEvery, Interface: p.seen[standby].Interface, For: asksFor}
	err = wire.Ask(ctx, engine.MachinesOf(ctx)[standby], q, func(b wire.Batch) {
		for _, t := range b.Took {
			if asked++; t < 0 {
				lost++
			}
			slowest = max(slowest, t)
		}
		for _, n := range b.Nodes {
			if n != "" {
				nodes[n] = true
			}
		}
		for w, n := range b.Lost {
			why[w] += n
		}
	})
	own := p.seen[owner].Address.Addr().String()
	switch {
	case err != nil:
		return lang.Text{}, err
	case asked == 0 || lost > 0:
		return lang.Text{}, lang.Errorf(nil, "cannot trust the pair: of %d requests from %s to %s, %d had no answer %v", "该主备组不可信：从 %[2]s 到 %[3]s 的 %[1]d 个请求中，%[4]d 个没有得到应答 %[5]v", asked, p.hosts.Name(standby), p.a.VIP, lost, why).
			WithHint("firewall: true opens the port; see nginx's error log on %s", "填 firewall: true 可放行端口；请查看 %s 上 nginx 的错误日志", p.hosts.Name(owner))
	case len(nodes) != 1 || !nodes[own]:
		return lang.Text{}, lang.Errorf(nil, "cannot trust the pair: %s should answer, and others did", "该主备组不可信：应由 %s 应答，实际却是其他机器", own).
			WithHint("another virtual host takes %s before goxin's: nginx -T", "另有虚拟主机先于 goxin 处理 %s：nginx -T", p.a.Health)
	}
	return lang.F("%d of %d answered by %s, the slowest after %s", "%[2]d 个请求中 %[1]d 个由 %[3]s 应答，最慢 %[4]s", asked-lost, asked, own, (time.Duration(slowest) * time.Microsecond).String()), nil
}

// faults are what the drill does; nil for none.
func (p *pair) faults() []vrrp.Fault {
	switch p.a.Drill {
	case full:
		return drill.Usual()
	case quick:
		return []vrrp.Fault{vrrp.FaultSwitchover, vrrp.FaultNginxKilled}
	}
	return nil
}

func (p *pair) drill(ctx context.Context, faults []vrrp.Fault) (lang.Text, error) {
	r, err := drill.Run(ctx, engine.MachinesOf(ctx), p.config(faults), func(s drill.Sample) { engine.Tell(ctx, "drill", s) })
	if len(r.Rows) > 0 {
		err = errors.Join(err, engine.Keep(ctx, "drill", r))
	}
	if err != nil {
		return lang.Text{}, err
	}
	for _, row := range r.Rows {
		if !row.OK && !row.Skipped { // the first: the drill itself shows all
			return lang.Text{}, lang.Errorf(nil, "the drill failed at %s: %s", "演练在“%s”失败：%s", row.Title, row.Why).
				WithHint("the gap was %s, the prediction %s. Everything is put back", "中断 %s，预计 %s。一切均已恢复", row.Gap.Round(time.Millisecond), row.Predicted.Round(time.Millisecond))
		}
	}
	if !r.OK() {
		return lang.Text{}, lang.Errorf(nil, "the drill could not be finished: %s", "演练未能完成：%s", r.Stopped).
			WithHint("see both nodes' journals: journalctl -u keepalived", "请查看两个节点的日志：journalctl -u keepalived")
	}
	return told(r), nil
}

// told is a drill that went well, in a line; what could not be tried is named.
func told(r drill.Result) lang.Text {
	var worst drill.Row
	var en, zh []string
	tried, lost := 0, 0
	for _, row := range r.Rows {
		if row.Skipped {
			en, zh = append(en, row.Title.EN), append(zh, row.Title.ZH)
			continue
		}
		tried++
		lost += row.Lost
		if row.Gap >= worst.Gap {
			worst = row
		}
	}
	t := lang.F("%d faults, %d requests lost in all; the longest gap is %s (%s), predicted %s", "共 %d 种故障，丢失 %d 个请求；最长中断 %s（%s），预计 %s",
		tried, lost, worst.Gap.Round(time.Millisecond), worst.Title, worst.Predicted.Round(time.Millisecond))
	if len(en) > 0 {
		t = lang.F("%s; not tried here: %s", "%s；此处未测试：%s", t, lang.T(strings.Join(en, ", "), strings.Join(zh, "、")))
	}
	return t
}
