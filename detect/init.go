package detect

import (
	"path"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// probeInit names process 1 and, of systemd, the version (off the file name of
// its private library: nothing is run).
func probeInit(h *host, f *Facts) {
	f.Init.Name = h.initName()
	f.Init.Version = unknown[int](lang.T("not systemd", "不是 systemd"))
	if f.Init.Name.Known && f.Init.Name.Value != "systemd" {
		return
	}
	dirs := []string{"/usr/lib/systemd", "/lib/systemd", "/usr/lib64/systemd"}
	for _, t := range triplets(f.Arch.GOARCH.Value) {
		dirs = append(dirs, "/usr/lib/"+t+"/systemd")
	}
	for _, dir := range dirs {
		version, name := 0, ""
		for _, n := range h.list(dir) {
			if v := sharedVersion(n); v > version {
				version, name = v, n
			}
		}
		if version > 0 {
			f.Init.Version = known(version, dir+"/"+name)
			return
		}
	}
	f.Init.Version = unknown[int](lang.F("no libsystemd-shared-NNN.so in %s", "%s 中没有 libsystemd-shared-NNN.so", lang.List(dirs...)))
}

func (h *host) initName() Fact[string] {
	if h.running && h.exists("/run/systemd/system") {
		return known("systemd", "/run/systemd/system") // sd_booted(3)
	}
	link := ""
	for _, name := range []string{"/sbin/init", "/usr/sbin/init"} {
		if target, err := h.m.Readlink(name); err == nil {
			link = name + " -> " + target
			if h.running {
				break
			}
			switch base := path.Base(target); {
			case base == "systemd":
				return known("systemd", link)
			case strings.HasPrefix(base, "openrc"):
				return known("openrc", link)
			case base == "busybox":
				return known("busybox", link)
			}
		}
	}
	if h.running {
		if comm := h.line("/proc/1/comm"); comm == "init" && strings.Contains(link, "openrc") {
			return known("openrc", and("/proc/1/comm", link))
		} else if comm == "init" {
			return known("sysvinit", "/proc/1/comm")
		} else if comm != "" {
			return known(comm, "/proc/1/comm")
		}
		return unknown[string](absent("/proc/1/comm"))
	}
	if h.exists("/lib/sysvinit/init") || h.exists("/etc/inittab") {
		return known("sysvinit", "/etc/inittab")
	}
	return unknown[string](lang.T("no /sbin/init that tells", "从 /sbin/init 无法判断"))
}

// sharedVersion reads 252 off "libsystemd-shared-252.so", 255 off
// "libsystemd-shared-255.4-6.so".
func sharedVersion(name string) int {
	rest, ok := strings.CutPrefix(name, "libsystemd-shared-")
	if !ok || !strings.Contains(rest, ".so") {
		return 0
	}
	if end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' }); end >= 0 {
		rest = rest[:end]
	}
	n, err := strconv.Atoi(rest)
	if err != nil {
		return 0
	}
	return n
}
