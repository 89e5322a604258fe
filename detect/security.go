package detect

import (
	"context"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

func probeSecurity(h *host, f *Facts) {
	f.Security.SELinux = h.selinux()
	f.Security.KYSEC = h.kysec()
	f.Security.UOSIntegrity = h.uosIntegrity(f)
}

func (h *host) selinux() Fact[string] {
	const enforce, config = "/sys/fs/selinux/enforce", "/etc/selinux/config"
	if h.running {
		switch h.line(enforce) {
		case "1":
			return known("enforcing", enforce)
		case "0":
			return known("permissive", enforce)
		}
	}
	text, err := h.read(config)
	if err != nil {
		return known("absent", neither(enforce, config))
	}
	mode := strings.ToLower(parseINI(text)["selinux"])
	switch {
	case h.running:
		return known("disabled", and(absent(enforce), config+" SELINUX="+mode))
	case mode == "enforcing" || mode == "permissive" || mode == "disabled":
		return known(mode, lang.F("%s, at the next boot", "%s，下次启动时生效", config))
	}
	return unknown[string](config + " SELINUX=" + mode)
}

// kysec asks getstatus, which KYSEC's packages install: the kernel module has no
// file that tells its mode. It is the only program Detect ever runs.
func (h *host) kysec() Fact[string] {
	const program = "/usr/sbin/getstatus"
	there := h.first("/sys/kernel/security/kysec", "/etc/kysec")
	switch {
	case there == "":
		return known("absent", neither("/sys/kernel/security/kysec", "/etc/kysec"))
	case !h.running:
		return unknown[string](and(there, h.why))
	case !h.exists(program):
		return unknown[string](butNot(there, program))
	}
	var out strings.Builder
	ctx, cancel := context.WithTimeout(h.ctx, 5*time.Second)
	defer cancel()
	err := h.m.Run(ctx, machine.Command{Argv: []string{program}, Timeout: 5 * time.Second}, func(line string) {
		out.WriteString(line + "\n")
	})
	mode, said := parseKysec(out.String())
	if mode == "" {
		why := lang.F("%s says nothing of exec control", "%s 未提及执行控制", program)
		if err != nil {
			why = remark(program, told(err))
		}
		return unknown[string](why)
	}
	return known(mode, remark(program, said))
}

// parseKysec reads getstatus' "key : value" lines, whose spacing varies between
// versions. In soft mode KYSEC warns and lets everything pass.
func parseKysec(s string) (mode string, said lang.Text) {
	status, exec := "", ""
	for line := range strings.Lines(s) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		key, value = strings.Join(strings.Fields(strings.ToLower(key)), " "), strings.ToLower(strings.TrimSpace(value))
		switch key {
		case "kysec status":
			status = value
		case "exec control":
			exec = value
		}
	}
	said = lang.F("status %s, exec control %s", "状态 %s，执行控制 %s", status, exec)
	switch {
	case status == "disabled" || exec == "off":
		return "off", said
	case status == "softmode" && exec != "", exec == "warning":
		return "warning", said
	case exec == "on":
		return "on", said
	}
	return "", said
}

// uosIntegrity looks for the UOS desktop's check of signed programs. deepin's
// package of the same name is an empty stub.
func (h *host) uosIntegrity(f *Facts) Fact[string] {
	const dir = "/usr/share/deepin-elf-verify"
	switch {
	case f.OS.Product.Value != "uos-desktop":
		return known("absent", lang.T("only on the UOS desktop", "仅统信 UOS 桌面版有此项"))
	case h.exists(dir):
		return known("on", dir)
	}
	return known("absent", absent(dir))
}
