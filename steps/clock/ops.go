package clock

import (
	"path"
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Ops is what should be true of each machine. The clock comes first: packages are
// fetched and judged by it, and file times are told by it. A rival is stopped
// before the chosen service starts.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	return hs.Ops(func(id machine.ID) ([]engine.Op, error) {
		h, err := newHost(hs, sv, id)
		if err != nil {
			return nil, err
		}
		return h.ops(a)
	})
}

func (h *host) ops(a answers) ([]engine.Op, error) {
	if h.container() {
		return nil, nil
	}
	var ops []engine.Op
	if a.Step && h.farOff() {
		behind, _ := h.behind()
		ops = append(ops, &op.Clock{
			Hosts: h.tellers(), Limit: farOff,
			Behind: op.Roughly(int64(behind.Round(time.Second) / time.Second)),
			Reason: lang.F(
				"The clock is %s. Certificates and the signatures of packages are judged by it, so it is set before anything is fetched.\nSource: the Date of package mirrors, asked in plain HTTP because TLS would judge by the clock that is wrong; right to about a second\nRisk: whoever can answer for those hosts on the way can give a wrong time; one that disagrees with the others is not believed. Programs that run see a jump. It cannot be undone.",
				"时钟%s。证书和软件包签名都按时钟判断，因此先校正时钟，再下载任何东西。\n依据：软件源镜像返回的 Date，走明文 HTTP，因为 TLS 会按错误的时钟判断证书；精度约 1 秒\n风险：能在链路上冒充这些主机的人可以给出错误时间；与多数不一致的应答不会被采信。正在运行的程序会看到时间跳变。不可撤销。", away(behind)),
		})
	}
	name := h.chosen(a)
	if name == "" {
		return ops, nil
	}
	if name == ntpd {
		if a.Servers != nil {
			return nil, lang.Errorf(nil, "cannot set the time servers: ntpd keeps the time here, and goxin does not write its configuration", "无法设置时间服务器：本机由 ntpd 校时，goxin 不改写它的配置").
				WithHint("service: chrony replaces it; or leave servers out", "设 service: chrony 可替换它；或不填 servers")
		}
		return ops, nil
	}
	more, err := h.serviceOps(name, a)
	return append(ops, more...), err
}

func (h *host) serviceOps(name string, a answers) ([]engine.Op, error) {
	var ops []engine.Op
	s, installed := h.found(name)
	if !installed {
		o, err := h.install(name)
		if err != nil {
			return nil, err
		}
		ops = append(ops, o)
	}
	f, err := h.file(name, a)
	if err != nil {
		return nil, err
	}
	if f != nil {
		for _, d := range parents(f.Path) {
			ops = append(ops, dir(d))
		}
		ops = append(ops, f)
	}
	for _, r := range h.rivals(name) {
		ops = append(ops, &op.Unit{Name: h.seen.Services[r].Unit, Enabled: "no", Active: "no", Reason: lang.F(
			"%s keeps the time; two services pull on one clock.\nSource: the man pages chronyd(8), systemd-timesyncd.service(8)\nRisk: none known.",
			"由 %s 校时；两个服务会互相拉扯时钟。\n依据：手册 chronyd(8)、systemd-timesyncd.service(8)\n风险：未知。", s.Unit)})
	}
	u := &op.Unit{Name: s.Unit, Enabled: "yes", Active: "yes", Reason: lang.T(
		"Keeps the clock right from now on, and from every boot on.\nSource: chronyd(8), systemd-timesyncd.service(8)\nRisk: none known.",
		"此后以及每次开机都持续校时。\n依据：chronyd(8)、systemd-timesyncd.service(8)\n风险：未知。")}
	if s.Masked {
		u.Masked = "no" // the answers name it
	}
	return append(ops, u), nil
}

// rivals are the other services that are installed.
func (h *host) rivals(name string) []string {
	var out []string
	for _, sv := range services() {
		if s, ok := h.seen.Services[sv.name]; ok && sv.name != name && !s.Masked {
			out = append(out, sv.name)
		}
	}
	return out
}

// install is the package that brings a service.
func (h *host) install(name string) (engine.Op, error) {
	manager := h.facts.Packages.Manager
	if !manager.Known {
		return nil, lang.Errorf(nil, "cannot install a time service: this machine has no package manager that goxin knows", "无法安装校时服务：本机没有 goxin 认识的软件包管理器").
			WithHint("install chrony by hand, or set service: keep", "请手工安装 chrony，或设 service: keep")
	}
	o := &op.Packages{Manager: "dnf", Names: []string{"chrony"}, Reason: lang.T(
		"No time service is installed.\nSource: the package sources of the machine\nRisk: they may not work yet; the step that sets them comes later.",
		"本机没有安装校时服务。\n依据：本机的软件源\n风险：软件源此时可能还不可用；设置软件源的步骤在后面。")}
	if manager.Value == "apt" {
		o.Manager = "apt"
	}
	if name == timesyncd {
		o.Names = []string{"systemd-timesyncd"}
	}
	if d := h.seen.Daemon; d != "" {
		return nil, lang.Errorf(nil, "cannot install %s beside %s: the time services of Debian's family exclude each other, and goxin removes no package", "无法在 %[2]s 之外再安装 %[1]s：Debian 系的校时软件包互斥，而 goxin 不卸载软件包", o.Names[0], d).
			WithHint("service: auto uses what is there; or replace it yourself: apt-get install %s", "设 service: auto 沿用现有的；或自行替换：apt-get install %s", o.Names[0])
	}
	return o, nil
}

// dir is a directory a file needs. It is wanted even where it is there already,
// so that the plan is the same on every machine.
func dir(name string) *op.Dir {
	return &op.Dir{Path: name, Mode: 0o755, Owner: machine.RootOwner, Reason: lang.T("The next file needs it.", "下一个文件需要它。")}
}

// parents are the directories name is in, below the top, the outermost first.
// A tree may lack all of them.
func parents(name string) []string {
	var out []string
	for d := path.Dir(name); d != "/"; d = path.Dir(d) {
		out = append(out, d)
	}
	slices.Reverse(out)
	return out
}

func dropInReason() lang.Text {
	return lang.T(
		"Names the time servers in a file of goxin's own, so that the package's file stays as it is. The service is restarted to read it.\nSource: chrony.conf(5), sourcedir, confdir, prefer; timesyncd.conf(5)\nRisk: with wrong servers the clock drifts.",
		"用 goxin 自己的文件指定时间服务器，软件包的文件保持不变。服务会重启以读取它。\n依据：chrony.conf(5) 的 sourcedir、confdir、prefer；timesyncd.conf(5)\n风险：服务器填错，时钟会逐渐漂移。")
}

func editReason() lang.Text {
	return lang.T(
		"Names the time servers. This chrony.conf takes no drop-ins, so the file itself is edited: lines of other servers become comments, and what is missing is added at the end. The service is restarted to read it.\nSource: chrony.conf(5)\nRisk: the file belongs to a package, whose next version comes as chrony.conf.rpmnew, or asks. With wrong servers the clock drifts.",
		"指定时间服务器。本机的 chrony.conf 不支持附加配置文件，只能直接修改：其他服务器的行改为注释，缺少的加在末尾。服务会重启以读取它。\n依据：chrony.conf(5)\n风险：该文件属于软件包，升级时新版会存为 chrony.conf.rpmnew，或询问如何处理。服务器填错，时钟会逐渐漂移。")
}

func wholeReason() lang.Text {
	return lang.T(
		"Names the time servers. There is no chrony.conf yet, or only the one the package is about to bring, which is replaced. The service is restarted to read it.\nSource: chrony.conf(5)\nRisk: the file belongs to a package, whose next version comes as chrony.conf.rpmnew, or asks.",
		"指定时间服务器。本机还没有 chrony.conf，或只有软件包即将带来的默认文件，后者会被替换。服务会重启以读取它。\n依据：chrony.conf(5)\n风险：该文件属于软件包，升级时新版会存为 chrony.conf.rpmnew，或询问如何处理。")
}

// away says how far a clock is off, for the middle of a sentence.
func away(behind time.Duration) lang.Text {
	n := behind.Abs().Round(time.Second)
	if behind < 0 {
		return lang.F("%s ahead", "快了 %s", lang.Span(n))
	}
	return lang.F("%s behind", "慢了 %s", lang.Span(n))
}
