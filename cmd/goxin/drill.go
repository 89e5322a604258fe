package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/ha"
	"goxin/steps/peer"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// drillFlags are those of `goxin drill`.
type drillFlags struct {
	faults   []string
	from     string
	hostKey  string
	rate     int
	yes      bool
	json     bool
	watch    bool
	textfile string
	every    time.Duration
	iface    string
	vip      addr
}

func (a *app) drillCommand() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:   "drill",
		Short: a.s("Break the pair on purpose, measure how it fails over, put everything back", "故意制造故障，测量主备切换，然后全部恢复"),
		Long: a.s("The pair is the one of the newest run with the steps peer and ha. Somebody who does not own the virtual address asks it all the time, while one fault after the other is done to the node that does.\n"+
			"For each: requests lost, the longest gap, who owned the address, against what the formulas of VRRP promise. More than 1.5 times that, or two owners at once, is a failure: exit 1.\n"+
			"Every fault stands under a timer of the node's own systemd that takes it back, whatever becomes of goxin. Clients notice a drill: choose a quiet hour.",
			"演练最近一次包含 peer 与 ha 步骤的运行所建立的主备。由未持有虚拟 IP 的一方不停访问它，同时对持有者逐一制造故障。\n"+
				"每种故障都给出：丢失的请求、最长中断、地址先后由谁持有，并与 VRRP 公式的预测比较。超过预测值 1.5 倍，或同时出现两个持有者，即为失败：退出码 1。\n"+
				"每种故障都由该节点自己的 systemd 定时撤除，即使 goxin 已退出。演练会影响客户端，请选择空闲时段。"),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if f.watch {
				return a.drillWatch(c.Context(), f)
			}
			return a.drill(c.Context(), f)
		},
	}
	fl := c.Flags()
	fl.StringSliceVar(&f.faults, "faults", nil, a.s("only these, in this order, comma-separated: ", "只做这些故障，按此顺序，以逗号分隔：")+faultNames())
	fl.StringVar(&f.from, "from", "", a.s("ask from a third machine, by SSH: USER@HOST[:PORT]", "从第三台机器访问，经 SSH 连接：用户@主机[:端口]"))
	fl.StringVar(&f.hostKey, "from-host-key", "", a.s("its host key, SHA256:…, unless known_hosts has it", "它的主机密钥 SHA256:…；known_hosts 中已有则不需要"))
	fl.IntVar(&f.rate, "rate", 100, a.s("questions a second, 1 to 1000", "每秒访问次数，1 到 1000"))
	fl.BoolVarP(&f.yes, "yes", "y", false, a.s("do not ask", "不再询问"))
	fl.BoolVar(&f.json, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	fl.BoolVar(&f.watch, "watch", false, a.s("break nothing: follow who owns the address", "不制造故障：持续查看谁持有该地址"))
	fl.StringVar(&f.textfile, "textfile", "", a.s("with --watch: write metrics to this file, for node_exporter", "与 --watch 同用：把指标写入该文件，供 node_exporter 读取"))
	fl.DurationVar(&f.every, "every", 5*time.Second, a.s("with --watch: how often", "与 --watch 同用：间隔"))
	fl.StringVar(&f.iface, "interface", "", a.s("with --watch: the interface, where no run says it", "与 --watch 同用：网卡；没有运行记录时需要"))
	fl.Var(&f.vip, "vip", a.s("with --watch: the virtual address, where no run says it", "与 --watch 同用：虚拟 IP；没有运行记录时需要"))
	return c
}

func faultNames() string {
	var all []string
	for _, f := range vrrp.Faults() {
		all = append(all, string(f))
	}
	return strings.Join(all, ",")
}

// faultsOf are the faults of those names.
func faultsOf(names []string) ([]vrrp.Fault, error) {
	var out []vrrp.Fault
	for _, n := range names {
		if !slices.Contains(vrrp.Faults(), vrrp.Fault(n)) {
			return nil, usageError{lang.Errorf(nil, "cannot do %q: there is no such fault", "没有名为 %q 的故障", n).
				WithHint("these there are: %s", "可选的有：%s", faultNames())}
		}
		out = append(out, vrrp.Fault(n))
	}
	return out, nil
}

// madePair is what a run tells of the pair it made.
type madePair struct {
	peer, ha engine.Values
	survey   engine.Survey // of ha
	order    []machine.ID
}

// newestPair is the pair of the newest run that made one and stands; runs are oldest first.
func newestPair(runs []engine.RunInfo, record func(engine.RunID) (*engine.RunRecord, error)) (*madePair, error) {
	peerID, haID := peer.Step{}.ID(), ha.Step{}.ID()
	for _, r := range slices.Backward(runs) {
		if r.Status != engine.StatusApplied && r.Status != engine.StatusAwaiting || !slices.Contains(r.Steps, haID) {
			continue
		}
		rec, err := record(r.ID)
		if err != nil {
			return nil, err
		}
		p := madePair{order: rec.Order, peer: rec.Joins[peerID]} // a wizard's run knows it by that alone
		done := false
		for _, s := range rec.Steps { // one that was planned again stands there again
			switch s.Step {
			case peerID:
				p.peer = s.Values
			case haID:
				p.ha, p.survey, done = s.Values, s.Survey, s.Done
			}
		}
		if done && p.peer != nil && len(p.order) == 2 {
			return &p, nil
		}
	}
	return nil, lang.Errorf(nil, "cannot find a pair: no run with the steps peer and ha stands", "找不到主备：没有包含 peer 与 ha 步骤且仍有效的运行").
		WithHint("run it where the pair was set up from, or set one up: `goxin`", "请在当初建立主备的机器上执行，或先用 `goxin` 建立主备")
}

func (a *app) drill(ctx context.Context, f drillFlags) error {
	faults, err := faultsOf(f.faults)
	if err != nil {
		return err
	}
	if f.rate < 1 || f.rate > 1000 {
		return usageError{lang.Errorf(nil, "cannot ask %d times a second", "无法每秒访问 %d 次", f.rate).WithHint("choose from 1 to 1000", "应在 1 到 1000 之间")}
	}
	if len(faults) == 0 {
		faults = drill.Usual()
	}
	ms, c, done, err := a.pairMachines(a.asking(ctx))
	if err != nil {
		return err
	}
	defer done()
	c.Faults, c.Rate = faults, f.rate
	if f.from != "" {
		third, err := a.joinMachine(a.asking(ctx), engine.Values{peer.KeyAddress: f.from, peer.KeyHostKey: f.hostKey})
		if err != nil {
			return err
		}
		defer closeMachine(third)
		iface, err := wire.Toward(ctx, third, c.VIP)
		if err != nil {
			return err
		}
		c.Third, c.From = true, third.ID()
		c.Interface[third.ID()] = iface
		ms[third.ID()] = third
	}
	if !f.yes {
		if !isTerminal(a.in) {
			return usageError{lang.Errorf(nil, "cannot drill without being told so", "未获同意，无法演练").WithHint("add --yes", "请加 --yes")}
		}
		a.say("%d faults will be done to the owner of %s, one after the other; clients will notice. Everything is put back.", "将对 %[2]s 的持有者依次制造 %[1]d 种故障，客户端会受影响。之后全部恢复。", len(faults), c.VIP)
		if err := a.agreed(ctx, a.s("type yes to go on: ", "输入 yes 继续：")); err != nil {
			return err
		}
	}
	p := a.progress()
	r, err := drill.Run(ctx, ms, c, func(s drill.Sample) { p.say(drillText(s)) })
	p.end()
	if f.json && len(r.Rows) > 0 {
		if err := a.json(r); err != nil {
			return err
		}
	} else if len(r.Rows) > 0 {
		a.printDrill(r)
	}
	if err != nil {
		return err
	}
	if !r.OK() {
		return exitError(exitFailed)
	}
	return nil
}

// pairMachines are the two machines of the pair, and what its drill has to know of them.
func (a *app) pairMachines(ctx context.Context) (ms map[machine.ID]machine.Machine, c drill.Config, done func(), err error) {
	e, err := a.engine(nil)
	if err != nil {
		return nil, c, nil, err
	}
	runs, err := e.Runs()
	if err != nil {
		return nil, c, nil, err
	}
	p, err := newestPair(runs, e.Record)
	if err != nil {
		return nil, c, nil, err
	}
	other, err := a.joinMachine(ctx, p.peer)
	if err != nil {
		return nil, c, nil, err
	}
	done = func() { closeMachine(other) }
	home := a.machine()
	ms = map[machine.ID]machine.Machine{home.ID(): home, other.ID(): other}
	hs := engine.Hosts{Order: []machine.ID{home.ID(), other.ID()}, Facts: map[machine.ID]*detect.Facts{}}
	for id, m := range ms {
		if hs.Facts[id], err = detect.Detect(ctx, m); err != nil {
			done()
			return nil, c, nil, err
		}
	}
	if c, err = ha.Drill(hs, p.survey, p.ha); err != nil {
		done()
		return nil, c, nil, lang.Errorf(err, "cannot drill the pair", "无法演练")
	}
	return ms, c, done, nil
}

// joinMachine connects to the machine that v names, as the peer step does.
func (a *app) joinMachine(ctx context.Context, v engine.Values) (machine.Machine, error) {
	m, err := peer.Step{}.Join(ctx, machine.Local(a.machineOptions...), v, func(engine.Progress) {})
	if err == nil && m == nil {
		err = lang.Errorf(nil, "cannot connect: no machine is named", "无法连接：没有指定机器")
	}
	return m, err
}

func closeMachine(m machine.Machine) {
	if c, ok := m.(interface{ Close() error }); ok {
		_ = c.Close() // nothing is done there any more
	}
}

func drillText(s drill.Sample) lang.Text {
	if s.N == 0 {
		return lang.F("asking the virtual address", "正在访问虚拟 IP")
	}
	return lang.F("fault %d of %d, %s: asked %d, lost %d, owner %s", "第 %d / %d 项故障，%s：已访问 %d 次，丢失 %d 次，持有者 %s", s.N, s.Of, drill.Title(s.Fault), s.Asked, s.Lost, s.Owner)
}

// drillTable is a drill as a table.
func drillTable(r drill.Result) *engine.Table {
	t := &engine.Table{Columns: []engine.Column{
		{Title: lang.T("fault", "故障")},
		{Title: lang.T("lost", "丢失"), Right: true},
		{Title: lang.T("longest gap", "最长中断"), Right: true},
		{Title: lang.T("predicted", "预测"), Right: true},
		{Title: lang.T("healed", "恢复用时"), Right: true},
		{Title: lang.T("owners", "持有者")},
	}}
	for _, row := range r.Rows {
		mark := engine.Good
		cells := []lang.Text{row.Title, lang.Same(fmt.Sprintf("%d/%d", row.Lost, row.Asked)), inMS(row.Gap), inMS(row.Predicted), inMS(row.Healed), lang.Same(strings.Join(row.Owners, " > "))}
		switch {
		case row.Skipped:
			mark = engine.Waiting
			cells[1], cells[2], cells[4], cells[5] = lang.Same("-"), lang.Same("-"), lang.Same("-"), lang.T("not tried", "未执行")
		case !row.OK:
			mark = engine.Unusable
		}
		t.Rows = append(t.Rows, engine.TableRow{Mark: mark, Cells: cells})
	}
	return t
}

func inMS(d time.Duration) lang.Text { return lang.F("%d ms", "%d 毫秒", d.Milliseconds()) }

// stripWidth is that of the plots under the table.
const stripWidth = 72

func (a *app) printDrill(r drill.Result) {
	a.printTable(drillTable(r))
	for _, row := range r.Rows {
		if !row.Why.Empty() {
			a.result("  " + lang.F("%s: %s", "%s：%s", row.Title, row.Why).In(a.lang))
		}
	}
	a.result("")
	a.result(a.s("answers over time: . up to 10 ms  : 50 ms  | slower  x lost  v fault  ^ taken back", "应答随时间变化：. 10 毫秒内  : 50 毫秒内  | 更慢  x 丢失  v 故障  ^ 撤除"))
	for _, row := range r.Rows {
		answers, marks := row.Plot.Strip(stripWidth)
		if answers == "" {
			continue
		}
		a.result("  " + row.Title.In(a.lang))
		a.result("    " + answers)
		if marks != "" {
			a.result("    " + marks)
		}
	}
	who := lang.F("asked by %s, which was neither node", "由 %s 访问，它不是两个节点之一", r.From)
	if !r.Third {
		who = lang.T("asked by the node that stood by: --from asks from a third machine, as clients do", "由备节点访问；用 --from 可从第三台机器访问，更接近真实客户端")
	}
	a.result(who.In(a.lang))
	if !r.Stopped.Empty() {
		a.say("stopped: %s", "已停止：%s", r.Stopped)
	}
}

// drillWatch follows who owns the address, until it is told to stop.
func (a *app) drillWatch(ctx context.Context, f drillFlags) error {
	m := a.machine()
	w := drill.Watch{VIP: f.vip.Addr, Interface: f.iface}
	if f.every < time.Second || f.every > time.Hour {
		return usageError{lang.Errorf(nil, "cannot look every %s", "无法每 %s 查看一次", f.every).WithHint("choose from 1s to 1h", "应在 1s 到 1h 之间")}
	}
	if !w.VIP.IsValid() || w.Interface == "" {
		var err error
		if w.VIP, w.Interface, err = a.watched(w.VIP, w.Interface); err != nil {
			return err
		}
	}
	var failed error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := wire.Follow(ctx, m, w.Interface, w.VIP, f.every, func(h wire.Heard) {
		changed := w.Hear(h, m.Now())
		if f.textfile != "" {
			if failed = m.WriteFile(f.textfile, w.Metrics(), 0o644, machine.Keep); failed != nil {
				failed = lang.Errorf(failed, "cannot write the metrics to %s", "无法把指标写入 %s", f.textfile)
				cancel()
				return
			}
		}
		if changed {
			a.watchLine(f.json, w.Owners(), m.Now())
		}
	})
	if failed != nil {
		return failed
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// watchLine tells who owns the address from now on.
func (a *app) watchLine(asJSON bool, owners []string, now time.Time) {
	if asJSON {
		a.jsonLine(struct {
			Version int       `json:"version"`
			Time    time.Time `json:"time"`
			Owners  []string  `json:"owners"`
		}{1, now, owners})
		return
	}
	who := lang.List(owners...)
	switch len(owners) {
	case 0:
		who = lang.T("nobody owns it", "无人持有")
	case 1:
	default:
		who = lang.F("%d owners at once: %s", "同时有 %d 个持有者：%s", len(owners), who)
	}
	a.result(now.Format("15:04:05") + "  " + who.In(a.lang))
}

// watched is the address and the interface of the pair this machine is of.
func (a *app) watched(vip netip.Addr, iface string) (netip.Addr, string, error) {
	e, err := a.engine(nil)
	if err != nil {
		return vip, iface, err
	}
	runs, err := e.Runs()
	if err != nil {
		return vip, iface, err
	}
	p, err := newestPair(runs, e.Record)
	if err != nil {
		return vip, iface, lang.Errorf(err, "cannot tell what to watch", "不知道该查看哪个地址").
			WithHint("say it: --vip ADDRESS --interface NAME", "请写明：--vip 地址 --interface 网卡")
	}
	c, err := ha.Drill(engine.Hosts{Order: p.order}, p.survey, p.ha)
	if err != nil {
		return vip, iface, err
	}
	if !vip.IsValid() {
		vip = c.VIP
	}
	if iface == "" {
		iface = c.Interface[p.order[0]]
	}
	return vip, iface, nil
}
