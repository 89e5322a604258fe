package kernel

import (
	"fmt"
	"strconv"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// nofile is how many files programs may open, as it should be.
type nofile struct {
	// Soft and Hard are for services; 0: nothing to do.
	Soft, Hard uint64
	// LoginSoft and LoginHard are for logins; 0: nothing to say.
	LoginSoft, LoginHard uint64
	Notes                []engine.Note
}

// builtin is what services get when nobody says anything (systemd NEWS 240;
// before it the kernel's own INR_OPEN_MAX of 4096).
func (h *host) builtin() LimitLine {
	if v := h.facts.Init.Version; v.Known && v.Value >= 240 {
		return LimitLine{Soft: 1024, Hard: 524288}
	}
	return LimitLine{Soft: 1024, Hard: 4096}
}

// nrOpen is the ceiling the kernel puts on every limit.
func (h *host) nrOpen(a answers) uint64 {
	n := h.seen.NrOpen
	if n == 0 {
		n = defaultNrOpen
	}
	if v, err := strconv.ParseUint(a.Set["fs.nr_open"], 10, 64); err == nil && !h.container() {
		n = max(n, v)
	}
	return n
}

// limits works out the limits on open files. It never goes below what is there
// and never above fs.nr_open: pam_limits then cannot set the limit, the session
// is refused, and nobody can log in, root included.
func (h *host) limits(a answers) nofile {
	var n nofile
	if a.Hard == 0 {
		return n
	}
	ceiling := h.nrOpen(a)
	want := min(a.Hard, ceiling)
	if want < a.Hard {
		n.note(true, lang.F("nofile %d is above fs.nr_open, %d, which bounds every limit: %d is used. To go higher, raise fs.nr_open as well (set: fs.nr_open).", "nofile %d 超过 fs.nr_open 的 %d，而后者约束一切限制：改用 %d。如需更高，请同时调高 fs.nr_open（写入 set）。", a.Hard, ceiling, want))
	}
	h.serviceLimits(a, want, ceiling, &n)
	h.loginLimits(a, want, ceiling, &n)
	return n
}

func (n *nofile) note(warn bool, t lang.Text) {
	n.Notes = append(n.Notes, engine.Note{Warn: warn, Text: t})
}

func (h *host) serviceLimits(a answers, want, ceiling uint64, n *nofile) {
	if i := h.facts.Init.Name; i.Known && i.Value != "systemd" {
		n.note(false, lang.F("services: %s starts them, so their limit on open files is set where they are started.", "服务：由 %s 启动，其文件数限制请在启动脚本中设置。", i.Value))
		return
	}
	if !h.seen.Limits.Systemd {
		n.note(false, lang.T("services: there is no /etc/systemd, so nothing reads a limit for them.", "服务：没有 /etc/systemd，没有程序会读取其限制。"))
		return
	}
	now := h.builtin()
	for _, l := range h.seen.Limits.Service {
		now = l
	}
	now.Soft, now.Hard = min(now.Soft, ceiling), min(now.Hard, ceiling)
	if now.Hard >= want && now.Soft >= min(a.Soft, want) {
		where := lang.T("the service manager's own default", "服务管理器自带默认值")
		if now.File != "" {
			where = lang.Same(now.where())
		}
		n.note(false, lang.F("services may already open %d files (%s): kept.", "服务已可打开 %d 个文件（%s）：保持不变。", now.Hard, where))
		return
	}
	n.Hard = max(want, now.Hard)
	n.Soft = min(max(a.Soft, now.Soft), n.Hard)
	for _, l := range h.seen.Limits.Service {
		if later(l.File, serviceFile) && l.Hard < n.Hard {
			n.note(true, lang.F("%s sets DefaultLimitNOFILE to %d and is read after %s: it wins.", "%s 把 DefaultLimitNOFILE 设为 %d，且在 %s 之后读取：它会生效。", l.where(), l.Hard, serviceFile))
		}
	}
}

func (h *host) loginLimits(a answers, want, ceiling uint64, n *nofile) {
	l := h.seen.Limits
	if !l.PAM {
		n.note(false, lang.T("logins: there is no /etc/security, so nothing applies limits to them.", "登录会话：没有 /etc/security，不存在登录限制。"))
		return
	}
	everyone, root := h.builtin(), h.builtin()
	said := false
	for _, x := range l.Login {
		switch x.Domain {
		case "*":
			everyone, said = over(everyone, x), true
		case "root":
			root, said = over(root, x), true
		default:
			// A line for a user or a group beats every line for *.
			if x.Hard != 0 && x.Hard < want {
				n.note(false, lang.F("%s limits %s to %d files; a line for one user or group wins over the one for everybody.", "%s 把 %s 限制为 %d 个文件；针对用户或组的行优先于通配行。", x.where(), op.Visible(x.Domain), x.Hard))
			}
		}
		switch {
		case x.Hard == infinity:
			n.note(true, lang.F("%s asks for no limit on open files for %s: older releases of PAM cannot set that, and the login fails.", "%s 要求对 %s 不限制文件数：较旧的 PAM 无法设置，登录会失败。", x.where(), op.Visible(x.Domain)))
		case h.seen.NrOpen != 0 && x.Hard > ceiling:
			n.note(true, lang.F("%s asks for %d files, above fs.nr_open, %d: logins it applies to fail.", "%s 要求 %d 个文件，超过 fs.nr_open 的 %d：受其约束的用户将无法登录。", x.where(), x.Hard, ceiling))
		}
	}
	cap := ceiling
	if l.Capped && l.InitHard != 0 && l.InitHard < cap {
		cap = l.InitHard
		n.note(true, lang.F("no program here may go above %d open files (CAP_SYS_RESOURCE is missing); a login limit above it would lock everybody out, so logins get %d.", "本机任何程序都不能超过 %d 个文件（缺少 CAP_SYS_RESOURCE）；登录限制若高于它，所有人都无法登录，因此登录会话设为 %d。", cap, cap))
	}
	least := min(everyone.Hard, root.Hard)
	if said && least >= want && least <= cap && min(everyone.Soft, root.Soft) >= min(a.Soft, want) {
		n.note(false, lang.F("logins may already open %d files: kept.", "登录会话已可打开 %d 个文件：保持不变。", least))
		return
	}
	n.LoginHard = min(max(want, everyone.Hard, root.Hard), cap)
	if a.Soft != 0 {
		n.LoginSoft = min(max(a.Soft, everyone.Soft, root.Soft), n.LoginHard)
	}
	for _, x := range l.Login {
		if (x.Domain == "*" || x.Domain == "root") && later(x.File, loginFile) && x.Hard != 0 && x.Hard < n.LoginHard {
			n.note(true, lang.F("%s is read after %s and limits %s to %d files: it wins.", "%s 在 %s 之后读取，把 %s 限制为 %d 个文件：它会生效。", x.where(), loginFile, op.Visible(x.Domain), x.Hard))
		}
	}
}

// over is what stands after one more line.
func over(now, l LimitLine) LimitLine {
	if l.Soft != 0 {
		now.Soft = l.Soft
	}
	if l.Hard != 0 {
		now.Hard = l.Hard
	}
	return now
}

// later says whether drop-in a is read after drop-in b. The main files are read
// before all drop-ins.
func later(a, b string) bool {
	if a == "/etc/security/limits.conf" || base(a) == "system.conf" {
		return false
	}
	return base(a) > base(b)
}

func serviceContent(n nofile) string {
	return fmt.Sprintf(`# goxin: open files of services, soft:hard
[Manager]
DefaultLimitNOFILE=%d:%d
`, n.Soft, n.Hard)
}

// loginContent names root apart: a line for * does not apply to root
// (limits.conf(5)).
func loginContent(n nofile) string {
	s := "# goxin: open files of logins\n"
	if n.LoginSoft != 0 {
		s += fmt.Sprintf("*    soft nofile %d\nroot soft nofile %d\n", n.LoginSoft, n.LoginSoft)
	}
	return s + fmt.Sprintf("*    hard nofile %d\nroot hard nofile %d\n", n.LoginHard, n.LoginHard)
}
