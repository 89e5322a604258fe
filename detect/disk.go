package detect

import (
	"path"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// probeDisks looks at the places goxin writes to.
func probeDisks(h *host, f *Facts) {
	for _, place := range []string{"/", "/var/lib/goxin", "/usr/local", "/etc", "/tmp"} {
		d := Disk{For: place, Path: place}
		for d.Path != "/" && !h.isDir(d.Path) {
			d.Path = path.Dir(d.Path)
		}
		if space, err := h.m.Space(d.Path); err != nil {
			d.Space = unknown[machine.Space](told(cause(err)))
		} else {
			d.Space = known(space, "statfs(2)")
		}
		d.Writable = h.writable(d.Path, f)
		f.Disks = append(f.Disks, d)
	}
}

func (h *host) isDir(name string) bool {
	info, err := h.m.Stat(name)
	return err == nil && info.Mode.IsDir()
}

// writable: not on a read-only mount, and goxin is root or others may write.
func (h *host) writable(dir string, f *Facts) Fact[bool] {
	if !h.running {
		return unknown[bool](h.why)
	}
	mounts, err := h.mountTable()
	if err != nil {
		return unknown[bool](told(err))
	}
	m, ok := mountOf(mounts, dir)
	if !ok {
		return unknown[bool](lang.T("/proc/self/mountinfo has no mount for it", "/proc/self/mountinfo 中没有对应的挂载点"))
	}
	if m.readOnly {
		return known(false, lang.F("/proc/self/mountinfo: %s"+isReadOnly, "/proc/self/mountinfo：%s 为只读", m.point))
	}
	if f.User.Root.Value {
		return known(true, lang.F("/proc/self/mountinfo: %s, and root", "/proc/self/mountinfo：%s，且为 root", m.point))
	}
	info, err := h.m.Stat(dir)
	if err != nil {
		return unknown[bool](told(cause(err)))
	}
	return known(info.Mode.Perm()&0o002 != 0, lang.T("its mode, for others than root", "目录权限，按非 root 用户计"))
}
