package elf

import "fmt"

// Machine numbers of elf.h.
const (
	machine386, machineMIPS, machinePPC64, machineS390, machineARM = 3, 8, 21, 22, 40
	machineX86, machineARM64, machineRISCV, machineLoongArch       = 62, 183, 243, 258
)

// abiFlags are the bits of e_flags that keep objects of one machine apart. Not
// among them is LoongArch's object version: no loader looks at it.
func abiFlags(machine uint16, flags uint32) uint32 {
	switch machine {
	case machineLoongArch:
		return flags & 0x7 // soft, single or double float
	case machineRISCV:
		return flags & 0x6 // float ABI
	case machineMIPS:
		return flags & 0x420 // NaN 2008, n32
	}
	return 0
}

// String is the architecture as uname -m has it.
func (a Arch) String() string {
	wide := a.Class == 64
	switch a.Machine {
	case machine386:
		return "i686"
	case machineX86:
		if !wide {
			return "x32"
		}
		return "x86_64"
	case machineARM64:
		return "aarch64"
	case machineLoongArch:
		if wide {
			return "loongarch64"
		}
		return "loongarch32"
	case machineARM:
		return "arm"
	case machineMIPS:
		s := "mips"
		if wide {
			s = "mips64"
		}
		if a.Little {
			s += "el"
		}
		return s
	case machinePPC64:
		if a.Little {
			return "ppc64le"
		}
		return "ppc64"
	case machineS390:
		return "s390x"
	case machineRISCV:
		return fmt.Sprintf("riscv%d", a.Class)
	}
	return fmt.Sprintf("ELF machine %d", a.Machine)
}

// flavour is whose loader it is: they search differently.
type flavour string

const (
	glibc flavour = "glibc"
	musl  flavour = "musl"
)

// platform is where a C library keeps its things on an architecture, as their
// own headers (glibc ldsodefs.h, musl reloc.h) and Debian's multiarch have it.
type platform struct {
	loaders  []string // glibc's, the first is the one of today
	musl     string   // the ARCH of musl's /lib/ld-musl-ARCH.so.1
	triplets []string // Debian's directories under /lib and /usr/lib
	lib      string   // $LIB and the directory of others: lib or lib64
	name     string   // $PLATFORM, AT_PLATFORM of getauxval(3)
}

// platform is what is known of a.
func (a Arch) platform() platform {
	wide := a.Class == 64
	switch {
	case a.Machine == machineX86 && wide:
		return platform{[]string{"/lib64/ld-linux-x86-64.so.2"}, "x86_64", []string{"x86_64-linux-gnu"}, "lib64", "x86_64"}
	case a.Machine == machineX86:
		return platform{[]string{"/libx32/ld-linux-x32.so.2"}, "x32", []string{"x86_64-linux-gnux32"}, "libx32", "x86_64"}
	case a.Machine == machine386:
		return platform{[]string{"/lib/ld-linux.so.2"}, "i386", []string{"i386-linux-gnu"}, "lib", "i686"}
	case a.Machine == machineARM64 && wide:
		return platform{[]string{"/lib/ld-linux-aarch64.so.1", "/lib64/ld-linux-aarch64.so.1"}, "aarch64", []string{"aarch64-linux-gnu"}, "lib64", "aarch64"}
	case a.Machine == machineARM:
		return platform{[]string{"/lib/ld-linux-armhf.so.3", "/lib/ld-linux.so.3"}, "armhf", []string{"arm-linux-gnueabihf", "arm-linux-gnueabi"}, "lib", "v7l"}
	case a.Machine == machineLoongArch && wide:
		return platform{
			[]string{"/lib64/ld-linux-loongarch-lp64d.so.1", "/lib64/ld.so.1"},
			"loongarch64",
			[]string{"loongarch64-linux-gnu", "loongarch64-linux-gnuf64"},
			"lib64", "loongarch",
		}
	case a.Machine == machineMIPS && wide:
		t := "mips64-linux-gnuabi64"
		if a.Little {
			t = "mips64el-linux-gnuabi64"
		}
		return platform{[]string{"/lib64/ld.so.1", "/lib64/ld-linux-mipsn8.so.1"}, a.String(), []string{t}, "lib64", "mips"}
	case a.Machine == machineMIPS:
		return platform{[]string{"/lib/ld.so.1", "/lib/ld-linux-mipsn8.so.1"}, a.String(), []string{a.String() + "-linux-gnu"}, "lib", "mips"}
	case a.Machine == machineRISCV && wide:
		return platform{[]string{"/lib/ld-linux-riscv64-lp64d.so.1"}, "riscv64", []string{"riscv64-linux-gnu"}, "lib64", "riscv"}
	case a.Machine == machinePPC64 && a.Little:
		return platform{[]string{"/lib64/ld64.so.2"}, "powerpc64le", []string{"powerpc64le-linux-gnu"}, "lib64", "power9"}
	case a.Machine == machineS390 && wide:
		return platform{[]string{"/lib/ld64.so.1", "/lib64/ld64.so.1"}, "s390x", []string{"s390x-linux-gnu"}, "lib64", "z900"}
	}
	lib := "lib"
	if wide {
		lib = "lib64"
	}
	return platform{lib: lib}
}

func (p platform) muslLoader() string {
	if p.musl == "" {
		return ""
	}
	return "/lib/ld-musl-" + p.musl + ".so.1"
}
