package detect

import (
	"goxin/assets/lang"
)

func probeArch(h *host, f *Facts) {
	head, file, elfErr := h.programELF()
	switch {
	case h.running:
		f.Arch.Machine = known(h.kernel.Machine, "uname -m")
	case elfErr != nil:
		f.Arch.Machine = unknown[string](told(elfErr))
	case head.machineName() == "":
		f.Arch.Machine = unknown[string](elfMachine(file, head))
	default:
		f.Arch.Machine = known(head.machineName(), elfMachine(file, head))
	}
	f.Arch.GOARCH = goarch(f.Arch.Machine, head, file, elfErr)
}

func elfMachine(file string, head elfHeader) lang.Text {
	return remark(file, lang.F("ELF machine %d", "ELF 架构编号 %d", head.Machine))
}

// goarch maps a machine name to Go's. MIPS kernels do not tell their byte
// order: a program's header does.
func goarch(machine Fact[string], head elfHeader, file string, elfErr error) Fact[string] {
	if !machine.Known {
		return unknown[string](machine.From)
	}
	from := lang.F("%s %s", "%s %s", machine.From, machine.Value)
	switch machine.Value {
	case "x86_64", "amd64":
		return known("amd64", from)
	case "aarch64", "arm64":
		return known("arm64", from)
	case "loongarch64":
		return known("loong64", from)
	case "riscv64", "ppc64le", "ppc64", "s390x":
		return known(machine.Value, from)
	case "i386", "i486", "i586", "i686":
		return known("386", from)
	case "armv6l", "armv7l", "armv8l":
		return known("arm", from)
	case "sw_64":
		return known("", lang.F("%s: Go has no port for it", "%s：Go 不支持", from))
	case "mips64", "mips":
		if elfErr != nil {
			return unknown[string](lang.F("the byte order of %s is not known: %s", "%s 的字节序未知：%s", machine.Value, elfErr))
		}
		if head.Machine != 8 {
			return unknown[string](lang.F("%s is no MIPS program: ELF machine %d", "%s 不是 MIPS 程序：ELF 架构编号 %d", file, head.Machine))
		}
		if head.Little {
			return known(machine.Value+"le", lang.F("%s; %s is little-endian", "%s；%s 为小端", from, file))
		}
		return known(machine.Value, lang.F("%s; %s is big-endian", "%s；%s 为大端", from, file))
	}
	return unknown[string](lang.F("%s is not known", "%s：无法识别", from))
}
