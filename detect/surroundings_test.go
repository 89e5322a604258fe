package detect_test

import (
	"slices"
	"testing"

	"goxin/detect"
)

func TestContainersAndHypervisors(t *testing.T) {
	const dmi = "/sys/class/dmi/id/"
	for _, c := range []struct {
		name, arch string
		files      map[string]string
		virt       string
		container  bool
	}{
		{"systemd says so", "x86_64", map[string]string{"/run/systemd/container": "systemd-nspawn\n"}, "systemd-nspawn", true},
		{"process 1 says so", "x86_64", map[string]string{"/proc/1/environ": "PATH=/bin\x00container=lxc\x00"}, "lxc", true},
		{"docker's mark", "aarch64", map[string]string{"/.dockerenv": ""}, "docker", true},
		{"podman's mark beats docker's", "aarch64", map[string]string{"/.dockerenv": "", "/run/.containerenv": ""}, "podman", true},
		{"a container in a guest is a container", "x86_64", map[string]string{"/.dockerenv": "", dmi + "sys_vendor": "QEMU\n"}, "docker", true},
		{"QEMU without KVM's clock", "x86_64", map[string]string{dmi + "sys_vendor": "QEMU\n"}, "qemu", false},
		{"a hypervisor that hides", "x86_64", map[string]string{"/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor\n"}, "vm-other", false},
		{"bare metal by its flags", "x86_64", map[string]string{"/proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu\n"}, "none", false},
		{"a guest by its device tree", "aarch64", map[string]string{"/proc/device-tree/hypervisor/compatible": "linux,kvm\x00"}, "kvm", false},
		{"nothing to ask", "aarch64", nil, "?", false},
	} {
		f := facts(t, made(t, c.arch, c.files))
		if f.Virt.Known != (c.virt != "?") || f.Virt.Known && f.Virt.Value != c.virt || f.Container.Value != c.container {
			t.Errorf("%s: %+v, container %+v", c.name, f.Virt, f.Container)
		}
	}
}

func TestMemoryLimits(t *testing.T) {
	const (
		v2      = "30 21 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
		v1      = "33 25 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
		v1inner = "33 25 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
		dir     = "/sys/fs/cgroup/"
	)
	for _, c := range []struct {
		name          string
		cgroup, mount string
		files         map[string]string
		version       int
		limit         uint64
	}{
		{"the lowest on the way up", "0::/a/b\n", v2, map[string]string{dir + "a/memory.max": "100\n", dir + "a/b/memory.max": "max\n"}, 2, 100},
		{"nearer and lower", "0::/a/b\n", v2, map[string]string{dir + "a/memory.max": "100\n", dir + "a/b/memory.max": "50\n"}, 2, 50},
		{"none", "0::/a\n", v2, map[string]string{dir + "a/memory.max": "max\n"}, 2, 0},
		{"a container sees its group as the root", "0::/\n", v2, map[string]string{dir + "memory.max": "70\n"}, 2, 70},
		{"a group outside of what is seen", "0::/../../x\n", v2, map[string]string{dir + "memory.max": "70\n"}, 2, 70},
		{"version 1", "8:memory:/u\n1:name=systemd:/u\n", v1, map[string]string{dir + "memory/u/memory.limit_in_bytes": "9223372036854771712\n", dir + "memory/memory.limit_in_bytes": "60\n"}, 1, 60},
		{"version 1 in docker: the mount is the group", "8:memory:/docker/abc\n", v1inner, map[string]string{dir + "memory/memory.limit_in_bytes": "80\n"}, 1, 80},
		{"hybrid: memory is version 1's", "8:memory:/u\n0::/u\n", v2 + v1, map[string]string{dir + "memory/u/memory.limit_in_bytes": "90\n", dir + "u/memory.max": "10\n"}, 1, 90},
		{"not mounted", "0::/a\n", "", nil, 0, 0},
		{"garbage", "x\n::\n0:\n", v2, nil, 0, 0},
	} {
		files := map[string]string{"/proc/self/cgroup": c.cgroup, "/proc/self/mountinfo": c.mount}
		for k, v := range c.files {
			files[k] = v
		}
		m := facts(t, made(t, "x86_64", files)).Memory
		if !m.Limit.Known || m.Limit.Value != c.limit || m.CGroup.Value != c.version {
			t.Errorf("%s: %+v %+v", c.name, m.Limit, m.CGroup)
		}
	}
}

func TestWhoMayWhat(t *testing.T) {
	m := made(t, "x86_64", map[string]string{
		"/proc/self/status":    "Name:\tx\nCapEff:\t0000000000000000\n",
		"/proc/self/mountinfo": "1 0 8:1 / / rw - ext4 /dev/sda rw\n2 1 8:2 / /usr ro - ext4 /dev/sdb rw\n",
		"/usr/local":           "<dir>", "/etc": "<dir>", "/tmp": "<dir>",
	}).(running)
	m.kernel.UID = 1000
	f := facts(t, m)
	if f.User.Root.Value || len(f.User.Missing.Value) != 3 {
		t.Errorf("user: %+v", f.User)
	}
	writable := map[string]bool{}
	for _, d := range f.Disks {
		if !d.Writable.Known {
			t.Errorf("%s: %+v", d.For, d.Writable)
		}
		writable[d.For] = d.Writable.Value
	}
	if writable["/etc"] || writable["/usr/local"] || writable["/"] {
		t.Errorf("a user may write to %v", writable)
	}
	for _, w := range []string{detect.WarnNotRoot, detect.WarnReadOnly} {
		if !slices.Contains(f.Warnings, w) {
			t.Errorf("no %s among %v", w, f.Warnings)
		}
	}
	m.kernel.UID = 0
	if f := facts(t, m); !f.Disks[0].Writable.Value || f.Disks[2].Writable.Value || f.Disks[1].Path != "/" {
		t.Errorf("root: %+v", f.Disks)
	}
}

func TestClockSources(t *testing.T) {
	const wants = "/etc/systemd/system/multi-user.target.wants/"
	for want, files := range map[string]map[string]string{
		"chrony":    {"/run/chrony/chronyd.pid": "1\n", "/run/systemd/timesync": "<dir>"},
		"timesyncd": {"/run/systemd/timesync": "<dir>", wants + "chronyd.service": "-> /usr/lib/systemd/system/chronyd.service"},
		"ntpd":      {wants + "ntpd.service": "-> /usr/lib/systemd/system/ntpd.service"},
		"none":      {},
	} {
		if f := facts(t, made(t, "x86_64", files)); f.Clock.Source.Value != want {
			t.Errorf("%s: %+v", want, f.Clock.Source)
		}
	}
}
