package detect

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"goxin/assets/machines/archive"
	"goxin/detect/machine"
)

// limits keeps the limits that hold, without the names of the groups and mounts
// they came by.
func (c *capturer) limits(f *Facts) {
	comm := c.line("/proc/1/comm")
	switch comm {
	case "systemd", "init", "busybox", "openrc-init", "sh", "bash":
	default:
		comm = "captured"
	}
	c.put("/proc/1/comm", comm+"\n", composedOrigin)
	for _, name := range []string{"/proc/1/status", "/proc/self/status"} {
		c.file(name, keepCapabilities)
	}
	c.file("/proc/1/limits", func(s string) string { return s })
	kind := f.Virt.Value
	if f.Container.Value && isWord(kind) {
		switch {
		case kind == "docker" && f.Virt.From.EN == "/.dockerenv":
			c.mark("/.dockerenv")
		case kind == "podman" && strings.HasPrefix(f.Virt.From.EN, "/run/.c"):
			c.mark("/run/.containerenv")
		case kind == "openvz":
			c.mark("/proc/vz")
		case kind != "wsl": // told by the kernel's release
			c.put("/run/systemd/container", kind+"\n", composedOrigin)
		}
	}
	var mounts strings.Builder
	table, _ := c.mountTable()
	for i, d := range f.Disks {
		if m, ok := mountOf(table, d.Path); ok {
			rw := map[bool]string{true: "ro", false: "rw"}[m.readOnly]
			fmt.Fprintf(&mounts, "%d 1 0:%d / %s %s - %s none %s\n", i+2, i+2, m.point, rw, m.kind, rw)
		}
	}
	limit := "max"
	if n := f.Memory.Limit.Value; n > 0 {
		limit = fmt.Sprint(n)
	}
	cgroup := ""
	switch f.Memory.CGroup.Value {
	case 1:
		cgroup = "1:memory:/captured\n"
		mounts.WriteString("90 1 0:90 / /sys/fs/cgroup/memory rw - cgroup none rw,memory\n")
		c.put("/sys/fs/cgroup/memory/captured/memory.limit_in_bytes", limit+"\n", composedOrigin)
	case 2:
		cgroup = "0::/captured\n"
		mounts.WriteString("90 1 0:90 / /sys/fs/cgroup rw - cgroup2 none rw\n")
		c.put("/sys/fs/cgroup/captured/memory.max", limit+"\n", composedOrigin)
	}
	c.put("/proc/self/cgroup", cgroup, composedOrigin)
	c.put("/proc/self/mountinfo", mounts.String(), composedOrigin)
}

// tuning keeps kernel parameters and the files that set them.
func (c *capturer) tuning(*Facts) {
	for _, dir := range []string{
		"fs", "fs/inotify", "kernel", "kernel/yama", "net/core", "net/ipv4",
		"net/ipv4/conf/all", "net/ipv4/conf/default", "net/ipv4/conf/lo", "net/netfilter", "vm",
	} {
		for _, name := range c.list("/proc/sys/" + dir) {
			file := "/proc/sys/" + dir + "/" + name
			if info, err := c.m.Stat(file); err != nil || !info.Mode.IsRegular() || namesMachine(name) {
				continue
			}
			if text, err := c.read(file); err == nil && isPlainValue(text) {
				c.put(file, text, capturedOrigin)
			}
		}
	}
	for _, file := range []string{"enabled", "defrag"} {
		c.file("/sys/kernel/mm/transparent_hugepage/"+file, func(s string) string { return s })
	}
	c.file("/etc/sysctl.conf", keepSettings)
	c.file("/etc/security/limits.conf", keepLimits)
	c.file("/etc/systemd/system.conf", keepSettings)
	for dir, keep := range map[string]func(string) string{
		"/etc/sysctl.d": keepSettings, "/run/sysctl.d": keepSettings, "/usr/local/lib/sysctl.d": keepSettings, "/usr/lib/sysctl.d": keepSettings,
		"/etc/security/limits.d": keepLimits, "/etc/systemd/system.conf.d": keepSettings, "/usr/lib/systemd/system.conf.d": keepSettings,
	} {
		for i, name := range c.list(dir) {
			if !strings.HasSuffix(name, ".conf") {
				continue
			}
			to := name
			if !strings.HasPrefix(dir, "/usr/lib") && !vendorFile(name) {
				to = anonymousName(name, i)
			}
			if target, err := c.m.Readlink(dir + "/" + name); err == nil && (target == "../sysctl.conf" || target == "/etc/sysctl.conf" || target == "/dev/null") {
				c.a.Add(dir+"/"+to, archive.File{Mode: fs.ModeSymlink, Target: target, Origin: capturedOrigin})
			} else if text, err := c.read(dir + "/" + name); err == nil {
				c.put(dir+"/"+to, keep(text), capturedOrigin)
			}
		}
	}
}

// services keeps which time services and tuners there are, enabled and running.
func (c *capturer) services(*Facts) {
	c.mark("/run/chrony/chronyd.pid", "/run/chronyd.pid", "/run/chrony/chronyd.sock", "/run/ntpd.pid", "/run/systemd/timesync/synchronized",
		"/run/systemd/timesync", "/run/tuned/tuned.pid", "/run/atuned/atuned.pid", "/run/oeAware/oeaware.pid", "/run/bpftune.pid")
	for _, unit := range []string{
		"chronyd.service", "chrony.service", "ntpd.service", "ntp.service", "ntpsec.service", "systemd-timesyncd.service",
		"tuned.service", "atuned.service", "oeaware.service", "bpftune.service",
	} {
		c.mark("/usr/lib/systemd/system/"+unit, "/lib/systemd/system/"+unit, "/etc/systemd/system/"+unit)
		if link := c.enabled(unit); link != "" {
			c.a.Add(link, archive.File{Mode: fs.ModeSymlink, Target: "/usr/lib/systemd/system/" + unit, Origin: capturedOrigin})
		}
	}
	c.file("/etc/tuned/active_profile", keepProfile)
}

func (c *capturer) security(f *Facts) {
	c.file("/sys/fs/selinux/enforce", keepNumbers)
	c.file("/etc/selinux/config", keepSELinux)
	c.mark("/sys/kernel/security/kysec", "/etc/kysec", "/usr/share/deepin-elf-verify")
	const program = "/usr/sbin/getstatus"
	if f.Security.KYSEC.Known && f.Security.KYSEC.Value != "absent" {
		c.mark(program)
		said := strings.TrimPrefix(f.Security.KYSEC.From.EN, program+": status ")
		status, exec, _ := strings.Cut(said, ", exec control ")
		c.commands = append(c.commands, machine.RecordedCommand{
			Argv:  []string{program},
			Lines: []string{"KySec status: " + status, "exec control: " + exec},
		})
	}
}

func (c *capturer) network(f *Facts) {
	for i, n := range f.Network {
		name := anonymousInterface(n.Name, i)
		bus := "pci0000:00/0000:00:01.0"
		if n.Virtual {
			bus = "virtual"
		}
		dir := path.Join("/sys/devices", bus, "net", name)
		c.a.Add("/sys/class/net/"+name, archive.File{Mode: fs.ModeSymlink, Target: "../../devices/" + bus + "/net/" + name, Origin: composedOrigin})
		c.put(dir+"/operstate", n.State+"\n", composedOrigin)
		c.put(dir+"/mtu", fmt.Sprintln(n.MTU), composedOrigin)
		c.put(dir+"/speed", fmt.Sprintln(n.Speed), composedOrigin)
	}
}
