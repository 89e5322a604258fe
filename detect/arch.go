package detect

import "fmt"

func probeArch(h *host, f *Facts) {
	head, file, elfErr := h.programELF()
	switch {
	case h.running:
		f.Arch.Machine = known(h.kernel.Machine, "uname -m")
	case elfErr != nil:
		f.Arch.Machine = unknown[string](elfErr.Error())
	case head.machineName() == "":
		f.Arch.Machine = unknown[string](fmt.Sprintf("%s: ELF machine %d", file, head.Machine))
	default:
		f.Arch.Machine = known(head.machineName(), fmt.Sprintf("%s: ELF machine %d", file, head.Machine))
	}
	f.Arch.GOARCH = goarch(f.Arch.Machine, head, file, elfErr)
}

// goarch maps a machine name to Go's. MIPS kernels do not tell their byte
// order: a program's header does.
func goarch(machine Fact[string], head elfHeader, file string, elfErr error) Fact[string] {
	if !machine.Known {
		return unknown[string](machine.From)
	}
	from := machine.From + " " + machine.Value
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
		return known("", from+": Go has no port for it")
	case "mips64", "mips":
		if elfErr != nil {
			return unknown[string]("the byte order of " + machine.Value + " is not known: " + elfErr.Error())
		}
		if head.Machine != 8 {
			return unknown[string](fmt.Sprintf("%s is no MIPS program: ELF machine %d", file, head.Machine))
		}
		name, order := machine.Value, "big-endian"
		if head.Little {
			name, order = name+"le", "little-endian"
		}
		return known(name, from+"; "+file+" is "+order)
	}
	return unknown[string](from + " is not known")
}
