package kernel

import (
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Ops is what should be true of each machine of the run. The order makes the
// result hold at every point: first what would win is taken out of force, then
// what lasts is written, then the running kernel follows, and the limits come
// last, once fs.nr_open is what they count on.
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
	list, _, err := h.settle(a)
	if err != nil {
		return nil, err
	}
	var ops []engine.Op
	if content := sysctlContent(a.Profile, list); content != "" {
		for _, d := range parents(ownFile) {
			ops = append(ops, dir(d))
		}
		ops = append(ops, h.comments(a, list)...)
		ops = append(ops, &op.File{
			Path: ownFile, Content: content, Mode: 0o644, Owner: machine.RootOwner,
			Reason: lang.T(
				"Sets the parameters again at every boot. Its name sorts after 99-sysctl.conf, which on most systems is /etc/sysctl.conf and would win over a file that begins with a digit.\nSource: sysctl.d(5)\nRisk: none of its own; each parameter has its own reason.",
				"每次开机重新设置这些参数。文件名排在 99-sysctl.conf 之后——多数系统上后者就是 /etc/sysctl.conf，会盖过以数字开头的文件。\n依据：sysctl.d(5)\n风险：文件本身没有；各参数另有说明。"),
		})
	}
	for _, s := range list {
		ops = append(ops, &op.Sysctl{Key: s.Key, Value: s.Value, AtLeast: s.AtLeast, Unwritten: !s.InFile, Reason: s.Reason})
	}
	return append(ops, limitOps(h.limits(a))...), nil
}

// comments takes the lines out of force that would win. Lines that goxin has
// commented out before are wanted as well, so that a plan wants the same on a
// fresh machine and on one it has been applied to.
func (h *host) comments(a answers, list []setting) []engine.Op {
	if !a.Conflict {
		return nil
	}
	var ops []engine.Op
	done := map[[2]string]bool{}
	for _, c := range h.conflicts(list) {
		at := [2]string{c.File, c.Text}
		if !c.Editable() || done[at] {
			continue
		}
		done[at] = true
		ops = append(ops, &op.Comment{Path: c.File, Line: c.Text, Reason: lang.F(
			"Line %d of %s sets %s to %s and would win over %s: %s.\nSource: sysctl.d(5), sysctl(8)\nRisk: whoever wrote it may count on it. Undo puts it back.",
			"%[2]s 第 %[1]d 行把 %[3]s 设为 %[4]s，会盖过 %[5]s：%[6]s。\n依据：sysctl.d(5)、sysctl(8)\n风险：写下它的人也许依赖它。撤销时原样恢复。",
			c.Line.Line, op.Visible(c.File), c.Key, c.says(), c.Then, c.why())})
	}
	return ops
}

// sysctlContent is goxin's file; "" when nothing has to be in it.
func sysctlContent(profile string, list []setting) string {
	var b strings.Builder
	for _, s := range list {
		if s.InFile {
			b.WriteString("# " + s.Comment + "\n" + s.Key + " = " + s.Value + "\n")
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "# goxin: kernel profile " + profile + "\n" + b.String()
}

func limitOps(n nofile) []engine.Op {
	var ops []engine.Op
	if n.LoginHard != 0 {
		ops = append(ops, dir(path.Dir(loginFile)), &op.File{
			Path: loginFile, Content: loginContent(n), Mode: 0o644, Owner: machine.RootOwner,
			Reason: lang.T(
				"What a person who logs in may raise the number of open files to, with ulimit -n. Services do not read it. It applies from the next login on.\nSource: limits.conf(5), pam_limits(8)\nRisk: a value above fs.nr_open would keep everybody from logging in; goxin stays below it.",
				"登录用户用 ulimit -n 最多可调到的打开文件数。服务不读取它；从下一次登录起生效。\n依据：limits.conf(5)、pam_limits(8)\n风险：若高于 fs.nr_open，所有人都无法登录；goxin 不会超过它。"),
		})
	}
	if n.Hard != 0 {
		ops = append(ops, dir(path.Dir(serviceFile)), &op.File{
			Path: serviceFile, Content: serviceContent(n), Mode: 0o644, Owner: machine.RootOwner, Reload: true,
			Reason: serviceReason(),
		}, &op.Limit{Value: n.Hard, Soft: n.Soft, Reason: serviceReason()})
	}
	return ops
}

func serviceReason() lang.Text {
	return lang.T(
		"Open files of each service that says nothing else itself. limits.d is for logins only; services never see it. The soft limit stays low because programs that use select() corrupt memory above 1024; programs built with Go 1.19 and newer raise theirs to the hard limit when they start. It applies to services started from now on.\nSource: systemd-system.conf(5), DefaultLimitNOFILE; systemd NEWS 240; Go 1.19 release notes, os\nRisk: a service that leaks files is stopped later.",
		"未自行声明的服务所能打开的文件数。limits.d 只管登录会话，服务读不到。软限制保持较低，是因为使用 select() 的程序超过 1024 会写坏内存；Go 1.19 及以上编译的程序启动时会自行升到硬限制。对此后启动的服务生效。\n依据：systemd-system.conf(5) 的 DefaultLimitNOFILE；systemd NEWS 240；Go 1.19 发行说明 os 一节\n风险：句柄泄漏的服务会更晚才被拦住。")
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

func base(name string) string { return path.Base(name) }
