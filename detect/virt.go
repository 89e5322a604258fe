package detect

import (
	"slices"
	"strings"

	"goxin/assets/lang"
)

// probeVirt tells containers first (they share their host's hypervisor), then
// hypervisors, the way systemd-detect-virt(1) does, from files alone.
func probeVirt(h *host, f *Facts) {
	if !h.running {
		f.Virt, f.Container = unknown[string](h.why), unknown[bool](h.why)
		return
	}
	if kind, from := h.container(); kind != "" {
		f.Virt, f.Container = known(kind, from), known(true, from)
		return
	}
	f.Container = known(false, lang.T("no mark of a container", "没有容器的标志"))
	f.Virt = h.hypervisor(f.Arch.GOARCH.Value)
}

func (h *host) container() (kind, from string) {
	for _, file := range []string{"/run/systemd/container", "/run/host/container-manager"} {
		if kind := h.line(file); kind != "" {
			return kind, file
		}
	}
	if env, err := h.read("/proc/1/environ"); err == nil {
		for _, e := range strings.Split(env, "\x00") {
			if kind, ok := strings.CutPrefix(e, "container="); ok && kind != "" {
				return kind, "/proc/1/environ container="
			}
		}
	}
	switch {
	case h.exists("/run/.containerenv"):
		return "podman", "/run/.containerenv"
	case h.exists("/.dockerenv"):
		return "docker", "/.dockerenv"
	case h.exists("/proc/vz") && !h.exists("/proc/bc"):
		return "openvz", "/proc/vz"
	case strings.Contains(strings.ToLower(h.kernel.Release), "microsoft"):
		return "wsl", "uname -r"
	}
	return "", ""
}

// dmiVirt maps what firmware says of itself to a hypervisor.
func dmiVirt(vendor, product string) string {
	for _, v := range []struct{ has, virt string }{
		{"KVM", "kvm"},
		{"OpenStack", "kvm"},
		{"Alibaba Cloud", "kvm"},
		{"Tencent Cloud", "kvm"},
		{"HUAWEICLOUD", "kvm"},
		{"KubeVirt", "kvm"},
		{"Google Compute", "kvm"},
		{"Amazon EC2", "amazon"},
		{"VMware", "vmware"},
		{"VMW", "vmware"},
		{"innotek", "oracle"},
		{"VirtualBox", "oracle"},
		{"Xen", "xen"},
		{"Bochs", "bochs"},
		{"Parallels", "parallels"},
		{"QEMU", "qemu"},
	} {
		if strings.Contains(vendor, v.has) || strings.Contains(product, v.has) {
			return v.virt
		}
	}
	if strings.HasPrefix(vendor, "Microsoft") && product == "Virtual Machine" {
		return "microsoft"
	}
	return ""
}

func (h *host) hypervisor(goarch string) Fact[string] {
	const dmi = "/sys/class/dmi/id/"
	kvmClock := strings.Contains(h.line("/sys/devices/system/clocksource/clocksource0/available_clocksource"), "kvm-clock")
	vendor, product := h.line(dmi+"sys_vendor"), h.line(dmi+"product_name")
	if v := dmiVirt(vendor, product); v != "" {
		if v == "qemu" && kvmClock {
			return known("kvm", and(dmi+"sys_vendor "+vendor, "kvm-clock"))
		}
		return known(v, remark(dmi, vendor+" "+product))
	}
	if kvmClock {
		return known("kvm", lang.T("kvm-clock is among the clock sources", "时钟源中有 kvm-clock"))
	}
	for _, tree := range []string{"/proc/device-tree", "/sys/firmware/devicetree/base"} {
		if s := h.line(tree + "/hypervisor/compatible"); strings.HasPrefix(s, "linux,kvm") {
			return known("kvm", tree+"/hypervisor/compatible")
		} else if strings.HasPrefix(s, "xen,") {
			return known("xen", tree+"/hypervisor/compatible")
		} else if s := h.line(tree + "/compatible"); strings.Contains(s, "linux,dummy-virt") {
			return known("qemu", tree+"/compatible")
		}
	}
	if s := h.line("/sys/hypervisor/type"); s != "" {
		return known(s, "/sys/hypervisor/type")
	}
	x86 := goarch == "amd64" || goarch == "386"
	text := ""
	if x86 {
		text, _ = h.read(cpuinfoFile)
		if slices.Contains(parseCPUInfo(text).flags("flags"), "hypervisor") {
			return known("vm-other", remark(cpuinfoFile+" flags", "hypervisor"))
		}
	}
	switch {
	case vendor != "":
		return known("none", dmi+"sys_vendor "+vendor)
	case h.exists("/proc/device-tree"):
		return known("none", lang.T("/proc/device-tree names no hypervisor", "/proc/device-tree 中没有 hypervisor"))
	case x86 && text != "":
		return known("none", lang.F("%s flags: no hypervisor", "%s flags：没有 hypervisor", cpuinfoFile))
	}
	return unknown[string](lang.T("neither firmware tables nor a device tree to ask", "既没有固件表，也没有设备树可查"))
}
