package clock

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Notes are what a person should know beyond the changes: how far the clock is
// off, who keeps it, and who does not answer.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		h, err := newHost(hs, sv, id)
		if err != nil {
			return nil, err
		}
		var n notes
		h.noteClock(a, &n)
		if !h.container() {
			h.noteService(a, &n)
		}
		return n, nil
	})
}

type notes []engine.Note

func (n *notes) add(warn bool, en, zh string, args ...any) {
	*n = append(*n, engine.Note{Warn: warn, Text: lang.F(en, zh, args...)})
}

func (h *host) noteClock(a answers, n *notes) {
	behind, known := h.behind()
	switch {
	case !h.seen.Runs && len(h.seen.Told) == 0:
		n.add(false, "this machine does not run: its clock is looked at when it does.", "本机未在运行：等它运行后再核对时钟。")
		return
	case known && h.farOff():
		n.add(true, "the clock is %s (%s): signatures and TLS will fail with this clock.", "时钟%s（%s）：以这样的时间，签名校验和 TLS 都会失败。", away(behind), h.say())
	case known && behind.Abs() < 2e9:
		n.add(false, "the clock is right, as far as Date tells, which is about a second (%s).", "时钟正确，精确到 Date 所能分辨的约 1 秒（%s）。", h.say())
	case known:
		n.add(false, "the clock is %s (%s); a time service takes care of that.", "时钟%s（%s），校时服务会处理。", away(behind), h.say())
	case len(h.seen.Told) > 0:
		n.add(true, "how far the clock is off is not known: the hosts asked disagree (%s).", "时钟偏差未知：询问的主机各执一词（%s）。", h.say())
	default:
		n.add(false, "how far the clock is off is not known: no host answered on port 80, as on sites without a way out.", "时钟偏差未知：没有主机在 80 端口应答，常见于不通外网的现场。")
	}
	switch {
	case h.container():
		n.add(h.farOff(), "this is a container: its clock is the host's, and the host keeps it. Nothing is done here.", "这是容器：时钟属于宿主机，由宿主机校时。此处不做任何操作。")
	case h.farOff() && !a.Step:
		n.add(true, "step_clock is off: the time service has to set the clock, which it may refuse for so large a step.", "step_clock 已关闭：只能由校时服务校正，而偏差太大时它可能拒绝。")
	case h.farOff():
		n.add(false, "the hardware clock follows once the service has synchronised (chrony: rtcsync).", "服务同步后，硬件时钟会随之更新（chrony 的 rtcsync）。")
	}
}

// say quotes the hosts that told the time and, where they differ, what each makes
// of the clock.
func (h *host) say() lang.Text {
	var en, zh, hosts, offs []string
	for _, t := range h.seen.Told {
		off := lang.T("right", "一致")
		if t.Behind.Abs() >= 2e9 {
			off = away(t.Behind)
		}
		host := op.Visible(t.Host)
		hosts, offs = append(hosts, host), append(offs, off.EN)
		en, zh = append(en, host+" "+off.EN), append(zh, host+" "+off.ZH)
	}
	if len(hosts) > 1 && len(slices.Compact(offs)) == 1 {
		return lang.F("%d hosts agree: %s", "%d 个站点结果一致：%s", len(hosts), lang.T(strings.Join(hosts, ", "), strings.Join(hosts, "、")))
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "，"))
}

func (h *host) noteService(a answers, n *notes) {
	for _, u := range h.seen.Unread {
		n.add(true, "cannot read %s (%s): the servers it names are not known.", "无法读取 %s（%s）：不知道它指定了哪些服务器。", op.Visible(u.File), lang.Words(u.Why))
	}
	name := h.chosen(a)
	if name == "" {
		h.noteNobody(a, n)
		return
	}
	s, installed := h.found(name)
	if name == ntpd {
		n.add(false, "ntpd keeps the time (%s); goxin leaves its configuration alone. service: chrony replaces it.", "由 ntpd 校时（%s）；goxin 不改动其配置。设 service: chrony 可替换它。", s.Unit)
	}
	if !installed {
		n.add(true, "no %s is installed, so it is fetched from the package sources this machine has now: the step that chooses better ones comes later. If that fails, run goxin with service: keep first.", "本机没有安装 %s，将从现有软件源获取：选择软件源的步骤在后面。若失败，请先用 service: keep 运行一次。", name)
	}
	if name == chrony && installed && s.DropIn == "" && !s.Exists {
		n.add(true, "%s is not there, though chrony is installed: a plain one is written.", "chrony 已安装，但没有 %s：将写入一份基本配置。", s.Conf)
	}
	if name == chrony && s.Exists && !s.Steps && strings.HasSuffix(s.DropIn, ".sources") {
		n.add(true, "chrony has no makestep line: it corrects a clock that is off slowly, 300 seconds take an hour.", "chrony 没有 makestep 行：时钟有偏差时只会缓慢调整，300 秒要一小时。")
	}
	for _, r := range h.rivals(name) {
		if o := h.seen.Services[r]; name != ntpd && (o.Running || o.Enabled) {
			n.add(o.Running && s.Running, "%s is on as well as %s: two services pull on one clock. It is stopped and disabled.", "%s 与 %s 同时启用：两个服务会互相拉扯时钟。前者将被停止并禁用。", o.Unit, s.Unit)
		}
	}
	if silent := silent(s.Peers); len(s.Peers) > 0 && len(silent) == len(s.Peers) {
		n.add(true, "no time server answers now: %s.", "目前没有时间服务器应答：%s。", op.Visible(strings.Join(silent, ", ")))
	}
	if a.Wait == 0 {
		n.add(false, "wait is 0: whether the clock gets right is not proved.", "wait 为 0：不验证时钟是否同步。")
	}
}

// noteNobody is for a machine whose services are left alone.
func (h *host) noteNobody(a answers, n *notes) {
	if m := h.masked(); a.Service == auto && m != "" {
		n.add(true, "%s is masked, so somebody wants it off, as where a hypervisor keeps the time: it is left so. service: %s takes the mask away.", "%s 已被屏蔽，说明有人特意关闭它（例如由虚拟化平台校时）：保持不变。设 service: %s 可解除屏蔽。", h.seen.Services[m].Unit, m)
		return
	}
	if h.inUse() == "" {
		n.add(true, "no time service runs here or is enabled: nobody keeps this clock right.", "本机没有运行或启用任何校时服务：时钟没有人管。")
	}
}

// silent are the servers that answered none of the last questions.
func silent(peers []Peer) []string {
	var out []string
	for _, p := range peers {
		if !p.Reached {
			out = append(out, p.Name)
		}
	}
	return out
}
