package kernel

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Notes are what a person should know beyond the changes: who else sets these
// parameters and where, and what was left out and why.
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
		return h.notes(a), nil
	})
}

func (h *host) notes(a answers) []engine.Note {
	list, left, err := h.settle(a)
	if err != nil {
		return nil
	}
	var out nofile
	h.noteUnread(&out)
	h.noteConflicts(a, list, &out)
	h.noteReaders(&out)
	h.noteRivals(list, &out)
	if h.container() {
		out.note(true, lang.T("this is a container: vm.*, fs.* and kernel.* are the host's, usually read-only here, and where they can be written they change for every container on it. Set those on the host.", "这是容器：vm.*、fs.*、kernel.* 属于宿主机，在此通常只读；若可写，则会影响同一宿主机上的所有容器。请在宿主机上设置。"))
	}
	for _, s := range left {
		out.note(false, lang.F("%s: %s", "%s：%s", s.Key, s.Why))
	}
	h.noteSettings(list, &out)
	return append(out.Notes, h.limits(a).Notes...)
}

func (h *host) noteUnread(out *nofile) {
	for _, u := range h.seen.Unread {
		out.note(true, lang.F("cannot read %s (%s): what it sets is not known, and it may win over these settings. Run goxin as root; if that does not help, look at the file.", "无法读取 %s（%s）：不知道它设置了什么，它可能盖过这些设置。请以 root 身份运行；若仍不行，请检查该文件。", op.Visible(u.File), lang.Words(u.Why)))
	}
}

func (h *host) noteConflicts(a answers, list []setting, out *nofile) {
	for _, c := range h.conflicts(list) {
		switch {
		case c.Ours && a.Conflict:
		case c.Ours:
			// Commented out by an earlier run and not wanted so any more: the
			// line is out of force until that run is undone.
			out.note(false, lang.F("%s was commented out by an earlier run; goxin undo puts it back.", "%s 已被之前的运行注释掉；goxin undo 可恢复。", c.where()))
		case a.Conflict && c.Editable():
			out.note(false, lang.F("%s sets %s to %s and would win over %s: %s. It will be commented out.", "%s 把 %s 设为 %s，会盖过 %s：%s。将把这一行注释掉。", c.where(), c.Key, c.says(), c.Then, c.why()))
		case c.Editable():
			out.note(true, lang.F("%s sets %s to %s and wins over %s: %s.", "%s 把 %s 设为 %s，会盖过 %s：%s。", c.where(), c.Key, c.says(), c.Then, c.why()))
		case strings.HasPrefix(c.File, "/run/"):
			out.note(true, lang.F("%s sets %s to %s and wins over %s: %s. Something makes that file anew at every boot, so goxin leaves it: find what does.", "%s 把 %s 设为 %s，会盖过 %s：%s。该文件每次开机由某个程序重新生成，goxin 不改它：请查出是谁生成的。", c.where(), c.Key, c.says(), c.Then, c.why()))
		default:
			out.note(true, lang.F("%s sets %s to %s and wins over %s: %s. The file belongs to a package, so goxin leaves it; an empty file of the same name in /etc/sysctl.d masks it.", "%s 把 %s 设为 %s，会盖过 %s：%s。该文件属于软件包，goxin 不改它；在 /etc/sysctl.d 放一个同名空文件即可屏蔽。", c.where(), c.Key, c.says(), c.Then, c.why()))
		}
	}
}

func (h *host) noteReaders(out *nofile) {
	switch {
	case h.seen.SystemdSysctl == "masked" && h.seen.Procps != "yes":
		out.note(true, lang.T("systemd-sysctl.service is masked and nothing else reads /etc/sysctl.d at boot: the values hold only until then. To unmask it: systemctl unmask systemd-sysctl.service", "systemd-sysctl.service 已被屏蔽，开机时没有其他程序读取 /etc/sysctl.d：这些值只能保持到下次重启。解除屏蔽：systemctl unmask systemd-sysctl.service"))
	case h.facts.Init.Name.Known && h.facts.Init.Name.Value != "systemd" && h.seen.Procps != "yes":
		// systemd comes with its reader.
		out.note(true, lang.T("systemd does not start this machine, and no procps.service was found: make sure that something runs sysctl --system at boot.", "本机不由 systemd 启动，也未找到 procps.service：请确认开机时有程序执行 sysctl --system。"))
	}
}

func (h *host) noteRivals(list []setting, out *nofile) {
	if h.facts.Tuners.Known {
		for _, t := range h.facts.Tuners.Value {
			if !t.Enabled {
				continue
			}
			switch t.Name {
			case "tuned":
				h.noteTuned(op.Visible(t.Profile), list, out)
			case "atuned":
				out.note(true, lang.T("A-Tune is active: applying one of its profiles sets kernel parameters without looking at /etc/sysctl.d. After that, goxin check shows what it changed.", "A-Tune 已启用：应用它的方案时会直接设置内核参数，不看 /etc/sysctl.d。之后可用 goxin check 查看它改了什么。"))
			case "oeaware":
				out.note(true, lang.T("oeAware is active: its plugins may change kernel parameters while the machine runs. goxin check shows what they changed.", "oeAware 已启用：其插件可能在运行中改动内核参数。可用 goxin check 查看改动。"))
			case "bpftune":
				out.note(true, lang.T("bpftune is active: it adjusts net.* while the machine runs, but steps back from a parameter it sees somebody else write.", "bpftune 已启用：它会在运行中调整 net.*，但发现别人写过的参数会退让。"))
			}
		}
	}
	r := h.seen.Rivals
	if r.Kubekey != "" {
		out.note(true, lang.F("KubeKey was here (%s): when a cluster is changed it appends its own values to %s and applies them. Run goxin again afterwards.", "KubeKey 用过本机（%s）：变更集群时，它会把自己的值追加到 %s 并立即生效。之后请再运行一次 goxin。", r.Kubekey, sysctl.Conf))
	}
	for _, at := range r.CloudInit {
		out.note(true, lang.F("cloud-init's configuration speaks of sysctl (%s): it may set parameters when the machine boots for the first time.", "cloud-init 的配置里出现 sysctl（%s）：首次开机时可能设置参数。", at))
	}
}

func (h *host) noteTuned(profile string, list []setting, out *nofile) {
	none := true
	for _, l := range h.seen.Rivals.Tuned {
		i := slices.IndexFunc(list, func(s setting) bool { return s.Key == l.Key })
		if i < 0 || sysctl.Equal(l.Key, l.Value, list[i].Value) {
			continue
		}
		none = false
		if h.seen.Rivals.Reapplies {
			out.note(false, lang.F("TuneD (profile %s, %s) sets %s to %s, then applies /etc/sysctl.d again, so %s holds.", "TuneD（方案 %s，%s）把 %s 设为 %s，随后会重新应用 /etc/sysctl.d，因此最终是 %s。", profile, l.where(), l.Key, l.says(), list[i].Value))
		} else {
			out.note(true, lang.F("TuneD (profile %s, %s) sets %s to %s, and reapply_sysctl is off in /etc/tuned/tuned-main.conf: it wins over %s.", "TuneD（方案 %s，%s）把 %s 设为 %s，而 /etc/tuned/tuned-main.conf 关闭了 reapply_sysctl：它会盖过 %s。", profile, l.where(), l.Key, l.says(), list[i].Value))
		}
	}
	for _, p := range h.seen.Rivals.Unread {
		none = false
		p = op.Visible(p)
		out.note(!h.seen.Rivals.Reapplies, lang.F("TuneD is active, and what its profile %s sets could not be read. It applies /etc/sysctl.d after a profile unless reapply_sysctl is off.", "TuneD 已启用，但读不到方案 %s 的内容。除非关闭 reapply_sysctl，它会在方案之后重新应用 /etc/sysctl.d。", p))
	}
	if none {
		out.note(false, lang.F("TuneD is active (profile %s) and sets none of these parameters to anything else.", "TuneD 已启用（方案 %s），没有把这些参数设成别的值。", profile))
	}
}

func (h *host) noteSettings(list []setting, out *nofile) {
	for _, s := range list {
		p := h.seen.Params[s.Key]
		switch {
		case s.AtLeast && !s.InFile && p.Readable && above(s.Key, p.Value, s.Value):
			out.note(false, lang.F("%s is %s, above %s: kept, and not written down, since a line would lower it at boot.", "%s 为 %s，高于 %s：保持不变，也不写入文件，否则开机时反而会被调低。", s.Key, op.Visible(tidy(p.Value)), s.Value))
		case s.AtLeast && !s.InFile && p.Readable:
			out.note(false, lang.F("%s is not written down: without the line that keeps it at %s, systemd sets it to the largest number there is at boot.", "%s 不写入文件：去掉把它压在 %s 的那一行后，systemd 开机时会把它设为最大值。", s.Key, op.Visible(tidy(p.Value))))
		case s.AtLeast && !s.InFile:
			out.note(false, lang.F("%s is not written down: what it is at boot depends on the machine, and the line might lower it. Run goxin on the running machine.", "%s 不写入文件：其开机值取决于机器，写入可能反而调低。请在机器运行后再执行 goxin。", s.Key))
		}
		if t := advice(s.Key, s.Value); s.Asked && !t.Empty() {
			out.note(true, lang.F("%s = %s: %s", "%s = %s：%s", s.Key, s.Value, t))
		}
		if swap := h.facts.Memory.Swap; s.Key == "vm.swappiness" && swap.Known && swap.Value == 0 {
			out.note(false, lang.T("vm.swappiness has no effect while there is no swap; it holds for any that is added.", "没有交换区时 vm.swappiness 不起作用；以后添加了交换区即生效。"))
		}
	}
}
