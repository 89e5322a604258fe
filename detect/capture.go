package detect

import (
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/assets/machines/archive"
	"goxin/detect/machine"
)

// Capture writes what Collect collects, as an archive for machine.OpenRecorded.
func Capture(ctx context.Context, m machine.Machine, f *Facts, w io.Writer) error {
	a, err := Collect(ctx, m, f)
	if err != nil {
		return err
	}
	return a.Write(w)
}

// Collect gathers m, whose facts are f, so that it can be looked at elsewhere. It works by what it lets in: the files the probes and kernel tuning read, and
// of those only what cannot name the machine or its site. Host name, addresses,
// MAC addresses, serial numbers, machine-id, UUIDs, user and mount names, comments
// and repository addresses stay out; the host is called "captured". f comes from
// Detect on the same machine, which must be running.
func Collect(ctx context.Context, m machine.Machine, f *Facts) (*archive.Archive, error) {
	k, err := m.Kernel()
	if err != nil {
		return nil, lang.Errorf(err, "cannot capture %s", "无法采集 %s", string(m.ID()))
	}
	k.Hostname = "captured"
	c := &capturer{host: &host{ctx: ctx, m: m, kernel: k, running: true}, a: archive.New(), top: map[string]string{}}
	c.layout()
	for _, part := range []func(*Facts){
		c.programs, c.releases, c.libraries, c.hardware, c.limits, c.tuning, c.services, c.security, c.network,
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part(f)
	}
	about := machine.RecordedMachine{Name: captureName(f), Kernel: k, Space: map[string]machine.Space{}}
	for _, d := range f.Disks {
		if d.Space.Known {
			about.Space[d.Path] = machine.Space{Free: d.Space.Value.Free >> 30 << 30, Total: d.Space.Value.Total >> 30 << 30}
		}
	}
	c.a.About = "Captured by goxin from a running machine; what names it was left out."
	c.a.Notes[archive.Machine] = capturedOrigin
	c.a.Notes[archive.Commands] = capturedOrigin
	if c.a.Machine, err = json.MarshalIndent(about, "", "  "); err != nil {
		return nil, err
	}
	if c.commands == nil {
		c.commands = []machine.RecordedCommand{}
	}
	if c.a.Commands, err = json.MarshalIndent(c.commands, "", "  "); err != nil {
		return nil, err
	}
	return c.a, nil
}

const (
	capturedOrigin = "captured: goxin capture"
	composedOrigin = "composed: goxin capture, from what holds on the machine"
)

func captureName(f *Facts) string {
	name := f.OS.Product.Value
	if name == "" {
		name = "unknown"
	}
	return name + "-" + f.Arch.GOARCH.Value
}

type capturer struct {
	*host
	a        *archive.Archive
	top      map[string]string // "/bin" -> "/usr/bin", where it is a link
	commands []machine.RecordedCommand
}

// layout keeps the top directories that are links, and the directories goxin
// writes to.
func (c *capturer) layout() {
	for _, dir := range []string{"/bin", "/sbin", "/lib", "/lib64"} {
		if target, err := c.m.Readlink(dir); err == nil && path.Join("/", target) == "/usr"+dir {
			c.top[dir] = "/usr" + dir
			c.a.Add(dir, archive.File{Mode: fs.ModeSymlink, Target: strings.TrimPrefix("/usr"+dir, "/"), Origin: capturedOrigin})
		}
	}
	for _, dir := range []string{
		"/etc", "/etc/security", "/etc/security/limits.d", "/etc/sysctl.d", "/etc/yum.repos.d", "/etc/apt/sources.list.d",
		"/root", "/run/systemd/system", "/tmp", "/usr/local", "/usr/lib", "/usr/lib64", "/var/lib", "/var/lib/goxin", "/var/tmp",
	} {
		if info, err := c.m.Stat(dir); err == nil && info.Mode.IsDir() {
			c.a.Add(c.real(dir), archive.File{Mode: fs.ModeDir | info.Mode.Perm() | info.Mode&fs.ModeSticky, Origin: capturedOrigin})
		}
	}
}

// real spells a name with its top directory's link followed.
func (c *capturer) real(name string) string {
	for link, dir := range c.top {
		if rest, ok := strings.CutPrefix(name, link+"/"); ok {
			return dir + "/" + rest
		}
	}
	return name
}

// put adds content that was made safe.
func (c *capturer) put(name, content, origin string) {
	mode := fs.FileMode(0o644)
	if info, err := c.m.Stat(name); err == nil {
		mode = info.Mode.Perm()
	}
	c.a.Add(c.real(name), archive.File{Mode: mode, Data: []byte(content), Origin: origin})
}

// file adds a file as keep leaves it, if it is there.
func (c *capturer) file(name string, keep func(string) string) {
	if text, err := c.read(name); err == nil {
		c.put(name, keep(text), capturedOrigin)
	}
}

// mark adds an empty file, if there is one of that name: only that counts.
func (c *capturer) mark(names ...string) {
	for _, name := range names {
		if info, err := c.m.Stat(name); err == nil && info.Mode.IsDir() {
			c.a.Add(c.real(name), archive.File{Mode: fs.ModeDir | 0o755, Origin: capturedOrigin})
		} else if err == nil {
			c.put(name, "", capturedOrigin)
		}
	}
}

// link adds a link, if there is one of that name.
func (c *capturer) link(name string) bool {
	target, err := c.m.Readlink(name)
	if err == nil {
		c.a.Add(c.real(name), archive.File{Mode: fs.ModeSymlink, Target: target, Origin: capturedOrigin})
	}
	return err == nil
}

// programs keeps which package managers and tools there are, and of one program
// its ELF header.
func (c *capturer) programs(f *Facts) {
	c.mark("/usr/bin/dnf", "/usr/bin/dnf5", "/usr/bin/yum", "/usr/bin/rpm", "/bin/rpm", "/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/bin/dpkg.real",
		"/usr/bin/systemctl", "/usr/sbin/sysctl", "/var/lib/dpkg/status", "/usr/lib/dpkg/var/status", "/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db",
		"/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db", "/etc/inittab", "/lib/sysvinit/init")
	for _, name := range []string{"/bin/sh", "/usr/bin/env"} {
		if _, _, err := c.elf(name); err == nil {
			c.put(name, c.head(name), capturedOrigin)
		}
	}
	for _, name := range []string{"/sbin/init", "/usr/sbin/init"} {
		c.link(name)
	}
	c.licence(f)
}

// licence keeps whether the package sources' licence is there. The sources name the
// site, so one that is off and names nothing stands for them.
func (c *capturer) licence(f *Facts) {
	if !f.Packages.Activated.Known {
		return
	}
	c.put("/etc/yum.repos.d/captured.repo", "[captured]\nname=captured\nbaseurl=https://captured.invalid/\nenabled=0\nusername=$auth_u\n", composedOrigin)
	if f.Packages.Activated.Value {
		c.put("/etc/yum/vars/auth_u", "", composedOrigin)
	}
}

func (c *capturer) head(name string) string {
	r, err := c.m.Open(name)
	if err != nil {
		return ""
	}
	defer r.Close()
	b := make([]byte, 64)
	n, _ := io.ReadFull(r, b)
	return string(b[:n])
}

func (c *capturer) releases(*Facts) {
	for _, name := range []string{
		"/etc/os-release", "/usr/lib/os-release", "/etc/.productinfo", "/etc/.kyinfo", "/etc/os-version", "/etc/product-info",
		"/etc/lsb-release", "/etc/system-release", "/etc/system-release-cpe", "/etc/kylin-release", "/etc/openEuler-release", "/etc/anolis-release",
		"/etc/redhat-release", "/etc/debian_version",
	} {
		c.file(name, keepRelease)
	}
}

// libraries keeps the names of loaders, the C library's version and systemd's.
func (c *capturer) libraries(f *Facts) {
	c.mark("/lib64/ld.so.1", "/lib64/ld-linux-loongarch-lp64d.so.1", "/lib/ld-musl-loongarch64.so.1")
	if ld := c.muslLoader(); ld != "" {
		c.mark(ld)
	}
	for _, dir := range libDirs(f.Arch.GOARCH.Value) {
		name := dir + "/libc.so.6"
		target, err := c.m.Readlink(name)
		switch {
		case err == nil && c.link(name):
			c.mark(path.Join(path.Dir(name), target))
		case c.exists(name):
			c.put(name, "GNU C Library "+bannerMark+c.banner(name)+".\n", composedOrigin)
		}
	}
	dirs := []string{"/usr/lib/systemd", "/lib/systemd", "/usr/lib64/systemd"}
	for _, t := range triplets(f.Arch.GOARCH.Value) {
		dirs = append(dirs, "/usr/lib/"+t+"/systemd")
	}
	for _, dir := range dirs {
		for _, name := range c.list(dir) {
			if sharedVersion(name) > 0 {
				c.mark(dir + "/" + name)
			}
		}
	}
}

func (c *capturer) hardware(*Facts) {
	c.file(cpuinfoFile, keepCPUInfo)
	c.file("/proc/meminfo", keepNumbers)
	for _, name := range []string{cpuDir + "/online", cpuDir + "/present", cpuDir + "/smt/active", nodeDir + "/online"} {
		c.file(name, keepNumbers)
	}
	cpus, _ := parseList(c.line(cpuDir + "/online"))
	for _, n := range cpus {
		for _, file := range []string{"physical_package_id", "core_id", "core_siblings_list", "thread_siblings_list"} {
			c.file(topologyDir(n)+file, keepNumbers)
		}
	}
	for _, name := range c.list(nodeDir) {
		if rest, ok := strings.CutPrefix(name, "node"); ok && isDigits(rest) {
			c.file(nodeDir+"/"+name+"/cpulist", keepNumbers)
		}
	}
	for _, name := range []string{
		"/sys/class/dmi/id/sys_vendor", "/sys/class/dmi/id/product_name", "/sys/hypervisor/type",
		"/sys/devices/system/clocksource/clocksource0/available_clocksource", "/proc/device-tree/hypervisor/compatible",
	} {
		c.file(name, keepRelease)
	}
	if c.exists("/proc/device-tree") {
		c.a.Add("/proc/device-tree", archive.File{Mode: fs.ModeDir | 0o755, Origin: capturedOrigin})
	}
}
