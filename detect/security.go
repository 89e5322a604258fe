package detect

import (
	"context"
	"fmt"
	"strings"
	"time"

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
		return known("absent", "neither "+enforce+" nor "+config)
	}
	mode := strings.ToLower(parseINI(text)["selinux"])
	switch {
	case h.running:
		return known("disabled", "no "+enforce+"; "+config+" SELINUX="+mode)
	case mode == "enforcing" || mode == "permissive" || mode == "disabled":
		return known(mode, config+", at the next boot")
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
		return known("absent", "neither /sys/kernel/security/kysec nor /etc/kysec")
	case !h.running:
		return unknown[string](there + "; " + h.why)
	case !h.exists(program):
		return unknown[string](there + ", but no " + program)
	}
	var out strings.Builder
	ctx, cancel := context.WithTimeout(h.ctx, 5*time.Second)
	defer cancel()
	err := h.m.Run(ctx, machine.Command{Argv: []string{program}, Timeout: 5 * time.Second}, func(line string) {
		out.WriteString(line + "\n")
	})
	mode, said := parseKysec(out.String())
	if mode == "" {
		why := program + " says nothing of exec control"
		if err != nil {
			why = program + ": " + err.Error()
		}
		return unknown[string](why)
	}
	return known(mode, program+": "+said)
}

// parseKysec reads getstatus' "key : value" lines, whose spacing varies between
// versions. In soft mode KYSEC warns and lets everything pass.
func parseKysec(s string) (mode, said string) {
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
	said = fmt.Sprintf("status %s, exec control %s", status, exec)
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
		return known("absent", "only on the UOS desktop")
	case h.exists(dir):
		return known("on", dir)
	}
	return known("absent", "no "+dir)
}
