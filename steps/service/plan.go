package service

import (
	"path"
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/runtime"
	"goxin/steps/sandbox"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	name  lang.Text  // as people know it
	home  machine.ID // the machine the run is about, where the programs are
	facts *detect.Facts
	seen  *seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	s, err := seenOn(sv, id)
	return &host{id, hs.Name(id), hs.Order[0], hs.Facts[id], s, a}, err
}

// Ops are, on each machine, the program, its account, its directories, its environment
// and its unit, the port, and the unit's start. A program that there is no Go to build
// with is known once the toolchain is installed.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	var items []engine.Item
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err == nil {
			err = h.fits()
		}
		if err != nil {
			return nil, err
		}
		if h.seen.After != "" {
			items = append(items, engine.Item{On: id, Unknown: h.seen.After})
			continue
		}
		for _, o := range h.ops() {
			items = append(items, engine.Item{On: id, Op: o})
		}
	}
	return items, nil
}

// fits is why the program cannot be a service here; nil where it can.
func (h *host) fits() error {
	switch {
	case h.facts.Init.Name.Known && h.facts.Init.Name.Value != "systemd" && h.facts.Running:
		return lang.Errorf(nil, "cannot make a service on %s: %s is its service manager", "无法在 %s 上创建服务：其服务管理器是 %s", h.name, op.Visible(h.facts.Init.Name.Value)).
			WithHint("this step takes systemd; leave the step out", "此步骤需要 systemd；请去掉此步骤")
	case !h.seen.Problem.Empty():
		return lang.Errorf(nil, "%s", "%s", op.VisibleText(h.seen.Problem)).WithHint("%s", "%s", op.VisibleText(h.seen.Hint))
	case h.seen.After != "":
		return nil
	case h.seen.SHA256 == "":
		return lang.Errorf(nil, "cannot make a service of a program that nobody looked at", "无法为未检查过的程序创建服务").WithHint("plan again", "请重新生成计划")
	case h.seen.Kind != elf.Program && h.seen.Kind != elf.Static && h.seen.Kind != elf.StaticPIE:
		return lang.Errorf(nil, "cannot make a service of %s: it is no program that the kernel starts", "无法为 %s 创建服务：它不是内核可直接执行的程序", op.Visible(h.seen.Source)).
			WithHint("name what go build made", "请指定 go build 的产物")
	case goarch(h.seen.Arch) != h.facts.Arch.GOARCH.Value:
		return lang.Errorf(nil, "cannot run %s on %s: it is for %s, and that machine is %s", "无法在 %[2]s 上运行 %[1]s：它面向 %[3]s，而该机器是 %[4]s", op.Visible(h.seen.Source), h.name, h.seen.Arch, h.facts.Arch.Machine.Value).
			WithHint("build it with GOARCH=%s; {arch} in the path stands for each machine's own", "请用 GOARCH=%s 构建；路径中的 {arch} 会替换为各机器自己的架构", h.facts.Arch.GOARCH.Value)
	}
	return nil
}

// goarch is Go's name of an architecture that uname -m names.
func goarch(uname string) string {
	return map[string]string{
		"x86_64": "amd64", "aarch64": "arm64", "loongarch64": "loong64", "riscv64": "riscv64", "i686": "386", "arm": "arm",
		"mips64el": "mips64le", "mips64": "mips64", "ppc64le": "ppc64le", "ppc64": "ppc64", "s390x": "s390x",
	}[uname]
}

func (h *host) ops() []engine.Op {
	file := func(name, content string, mode op.Mode, reload bool, why lang.Text) engine.Op {
		return &op.File{Path: name, Content: content, Mode: mode, Owner: machine.RootOwner, Reload: reload, Restart: h.unitName(), Reason: why}
	}
	out := []engine.Op{&op.Account{Name: h.a.User, Reason: whyAccount()}}
	if h.id != h.home || h.seen.Source != h.program() {
		out = append(out, &op.Copy{
			From: h.home, Source: h.seen.Source, SHA256: h.seen.SHA256, Path: h.program(), Mode: 0o755, Owner: machine.RootOwner, Restart: h.unitName(), Reason: whyProgram(),
		})
		if h.facts.Security.KYSEC.Value == "on" || h.facts.Security.SELinux.Value == "enforcing" {
			out = append(out, &op.Label{Dir: binDir, Names: []string{h.a.Name}, KYSEC: h.facts.Security.KYSEC.Value == "on", Reason: whyLabel()})
		}
	}
	for _, d := range directories() {
		if d.base != "" && slices.Contains(h.a.Dirs, d.key) {
			out = append(out, &op.Dir{Path: path.Join(d.base, h.a.Name), Mode: 0o750, User: h.a.User, Reason: whyDirectory()})
		}
	}
	if len(h.variables()) > 0 {
		out = append(out, &op.Dir{Path: runtime.Dir, Mode: 0o755, Owner: machine.RootOwner, Reason: whyEnvironment()},
			file(h.envFile(), h.environment(), 0o600, false, whyEnvironment()))
	}
	out = append(out, file(h.unitFile(), h.unit(h.written()), 0o644, true, whyUnit()))
	if h.a.Open && h.a.Port > 0 {
		out = append(out, &op.Port{Port: h.a.Port, Protocol: "tcp", Reason: whyPort()})
	}
	return append(out, &op.Unit{Name: h.unitName(), Enabled: yes, Active: yes, Reason: whyUnit()})
}

func whyAccount() lang.Text {
	return lang.T(
		"An account of its own, without a password and a login: what the service does is done by nobody else, and what it may do is given to nobody else.\nSource: systemd.exec(5), User=\nRisk: none to others; files that it makes are its own.",
		"独立账户，无密码、不可登录：服务的行为可与他人区分，授予它的权限也不会惠及他人。\n依据：systemd.exec(5)，User=\n风险：不影响其他账户；服务创建的文件归该账户所有。")
}

func whyProgram() lang.Text {
	return lang.T(
		"The program stands where only root can change it, and is the one that was looked at: its SHA-256 is checked once more while it is copied.\nSource: FHS 3.0, /usr/local\nRisk: a running service is stopped first and started again at the end.",
		"程序放在只有 root 能修改的位置，并且就是检查过的那一份：复制时再次核对 SHA-256。\n依据：FHS 3.0，/usr/local\n风险：若服务正在运行，会先停止，最后再启动。")
}

func whyLabel() lang.Text {
	return lang.T(
		"This machine's execution control runs only what is marked as verified, and a new file is not.\nSource: Kylin's kysec_set; setting SELinux contexts: restorecon(8)\nRisk: none beyond that the program may run.",
		"本机的执行控制只允许运行已标记为可信的程序，而新文件没有标记。\n依据：麒麟 kysec_set；SELinux 上下文见 restorecon(8)\n风险：仅使该程序可以运行。")
}

func whyDirectory() lang.Text {
	return lang.T(
		"Its own directory, which it alone can read; the rest of the machine is read-only to it. It is removed with undo while there is nothing in it.\nSource: systemd.exec(5), StateDirectory=\nRisk: none.",
		"服务自己的目录，仅它可读写；其余位置对它一律只读。撤销时若目录为空则删除。\n依据：systemd.exec(5)，StateDirectory=\n风险：无。")
}

func whyEnvironment() lang.Text {
	return lang.T(
		"The service's variables in a file that root alone reads; systemd hands them over. GOMEMLIMIT is 90 % of MemoryMax=, since Go does not read that limit itself (golang/go#75164).\nSource: systemd.exec(5), EnvironmentFile=; Go's guide to the garbage collector\nRisk: whoever is root can read it; keep secrets in a file of their own.",
		"服务的变量放在仅 root 可读的文件里，由 systemd 传入。GOMEMLIMIT 取 MemoryMax= 的 90%，因为 Go 不会自行读取该上限（golang/go#75164）。\n依据：systemd.exec(5)，EnvironmentFile=；Go 官方 GC 指南\n风险：root 可读；密钥请另放独立文件。")
}

func whyUnit() lang.Text {
	return lang.T(
		"Started at boot and again when it fails, but not for ever; shut in by each line that this systemd and this processor know.\nSource: systemd.service(5), systemd.exec(5), systemd.resource-control(5)\nRisk: a program that needs what is forbidden fails with “operation not permitted”; harden: standard forbids less.",
		"开机启动，失败后重启，但不会无限重启；按本机 systemd 与处理器支持的每一项限制加固。\n依据：systemd.service(5)、systemd.exec(5)、systemd.resource-control(5)\n风险：若程序需要被禁止的能力，会报 “operation not permitted”；可改用 harden: standard。")
}

func whyPort() lang.Text {
	return lang.T(
		"One rule in the firewall that is in force, now and after the next boot; nothing where none filters.\nSource: firewall-cmd(1), nft(8), iptables(8)\nRisk: the service can be reached by everybody who reaches this machine.",
		"在生效的防火墙中加一条规则，立即生效且重启后保留；没有防火墙时不做改动。\n依据：firewall-cmd(1)、nft(8)、iptables(8)\n风险：能访问本机的任何人都能访问该服务。")
}

// Notes say what was decided, and what this machine cannot do.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		h, err := newHost(hs, sv, id, a)
		if err == nil {
			err = h.fits()
		}
		if err != nil {
			return nil, err
		}
		if h.seen.After != "" {
			return []engine.Note{{Text: lang.F("the program is built from %s once there is Go to build it with", "安装 Go 之后再从 %s 构建程序", op.Visible(a.Module))}}, nil
		}
		return h.notes(), nil
	})
}

func (h *host) notes() []engine.Note {
	var out []engine.Note
	say := func(warn bool, en, zh string, args ...any) {
		out = append(out, engine.Note{Warn: warn, Text: lang.F(en, zh, args...)})
	}
	switch {
	case h.a.Type == auto && h.kind() == notify:
		say(false, "Type=notify: the program knows $NOTIFY_SOCKET. That it uses it is tried first.", "Type=notify：程序中含有 $NOTIFY_SOCKET；是否真正使用会先试运行确认。")
	case h.a.Type == auto:
		say(false, "Type=%s: the program does not know $NOTIFY_SOCKET, so it counts as up once it is started; the port is asked afterwards.", "Type=%s：程序中没有 $NOTIFY_SOCKET，启动即视为就绪；随后会检查端口。", h.kind())
	case h.a.Type == notify && !h.seen.Notifies:
		say(true, "Type=notify, and the program does not know $NOTIFY_SOCKET: unless something else says it for it, its start will time out.", "Type=notify，但程序中没有 $NOTIFY_SOCKET：除非另有组件代为通知，否则启动会超时。")
	}
	if !h.facts.Init.Version.Known {
		say(true, "which systemd this machine has is not known; the unit is made for an old one.", "无法得知本机 systemd 版本；单元按旧版本生成。")
	}
	if h.memory() > 0 && h.facts.Memory.CGroup.Known && h.facts.Memory.CGroup.Value == 1 {
		say(false, "control groups version 1: MemoryMax= holds, without the counter-pressure of version 2; GOMEMLIMIT matters the more.", "控制组为 v1：MemoryMax= 有效，但没有 v2 的渐进施压；GOMEMLIMIT 因而更重要。")
	}
	if nodes := h.spread(); nodes > 0 {
		say(false, "its memory is spread over %d NUMA nodes (NUMAPolicy=interleave): it may outgrow one of them, and then some requests would be slower than others. numa: none leaves it to the kernel.",
			"内存均匀分布到 %d 个 NUMA 节点（NUMAPolicy=interleave）：它可能超出单个节点，否则部分请求会更慢。numa: none 则交由内核决定。", nodes)
	}
	if h.a.Harden == sandbox.None {
		say(true, "nothing is forbidden to it but what its account cannot do.", "除账户本身的权限外，不作任何限制。")
		return out
	}
	_, skipped := h.lines(h.a.Harden)
	for _, s := range skipped {
		say(false, "%s is left out: %s.", "不写入 %s：%s。", s.Line(), s.Because)
	}
	say(false, "ProcSubset=pid is left out on purpose: without /proc/sys Go cannot read net.core.somaxconn, and listens with a backlog of 128 instead.",
		"有意不写 ProcSubset=pid：看不到 /proc/sys 时，Go 读不到 net.core.somaxconn，监听队列会退回 128。")
	return out
}
