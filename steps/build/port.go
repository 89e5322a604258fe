package build

import (
	"strings"

	"goxin/assets/lang"
	"goxin/detect/elf"
)

// port is a processor that Go makes Linux programs for.
type port struct {
	arch string   // as GOARCH has it
	elf  elf.Arch // of its programs, without ABI
	qemu string   // its emulator is qemu-NAME, or qemu-NAME-static
	cgo  bool
	// The C cross compiler is TRIPLET-gcc; gcc and libc are Debian's packages of it
	// and of the C library to link with, which the former only recommends.
	triplet, gcc, libc string
}

// ports are all there are, with e_machine of elf.h (cmd/dist and internal/platform of
// Go 1.26; gcc-defaults and cross-toolchain-base of Debian 12, of Debian 13 for
// loong64).
var ports = []port{
	{"386", elf.Arch{Class: 32, Little: true, Machine: 3}, "i386", true, "i686-linux-gnu", "gcc-i686-linux-gnu", "libc6-dev-i386-cross"},
	{"amd64", elf.Arch{Class: 64, Little: true, Machine: 62}, "x86_64", true, "x86_64-linux-gnu", "gcc-x86-64-linux-gnu", "libc6-dev-amd64-cross"},
	{"arm", elf.Arch{Class: 32, Little: true, Machine: 40}, "arm", true, "arm-linux-gnueabihf", "gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"},
	{"arm64", elf.Arch{Class: 64, Little: true, Machine: 183}, "aarch64", true, "aarch64-linux-gnu", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"},
	{"loong64", elf.Arch{Class: 64, Little: true, Machine: 258}, "loongarch64", true, "loongarch64-linux-gnu", "gcc-loongarch64-linux-gnu", "libc6-dev-loong64-cross"},
	{"mips", elf.Arch{Class: 32, Machine: 8}, "mips", true, "mips-linux-gnu", "gcc-mips-linux-gnu", "libc6-dev-mips-cross"},
	{"mips64", elf.Arch{Class: 64, Machine: 8}, "mips64", true, "mips64-linux-gnuabi64", "gcc-mips64-linux-gnuabi64", "libc6-dev-mips64-cross"},
	{"mips64le", elf.Arch{Class: 64, Little: true, Machine: 8}, "mips64el", true, "mips64el-linux-gnuabi64", "gcc-mips64el-linux-gnuabi64", "libc6-dev-mips64el-cross"},
	{"mipsle", elf.Arch{Class: 32, Little: true, Machine: 8}, "mipsel", true, "mipsel-linux-gnu", "gcc-mipsel-linux-gnu", "libc6-dev-mipsel-cross"},
	{"ppc64", elf.Arch{Class: 64, Machine: 21}, "ppc64", false, "", "", ""},
	{"ppc64le", elf.Arch{Class: 64, Little: true, Machine: 21}, "ppc64le", true, "powerpc64le-linux-gnu", "gcc-powerpc64le-linux-gnu", "libc6-dev-ppc64el-cross"},
	{"riscv64", elf.Arch{Class: 64, Little: true, Machine: 243}, "riscv64", true, "riscv64-linux-gnu", "gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"},
	{"s390x", elf.Arch{Class: 64, Machine: 22}, "s390x", true, "s390x-linux-gnu", "gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"},
}

// aliases are what others call a processor, for a hint.
var aliases = map[string]string{
	"x86_64": "amd64", "x64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386", "x86": "386",
	"loongarch64": "loong64", "loongarch": "loong64", "mips64el": "mips64le", "mipsel": "mipsle", "ppc64el": "ppc64le",
}

func portOf(arch string) (port, bool) {
	for _, p := range ports {
		if p.arch == arch {
			return p, true
		}
	}
	return port{}, false
}

// target is the port as the answers have it.
func (p port) target() string { return "linux/" + p.arch }

func (p port) compiler() string { return p.triplet + "-gcc" }

func (p port) emulators() []string { return []string{"qemu-" + p.qemu + "-static", "qemu-" + p.qemu} }

// is says whether a program is for p.
func (p port) is(o *elf.Object) bool {
	return o.Arch.Class == p.elf.Class && o.Arch.Little == p.elf.Little && o.Arch.Machine == p.elf.Machine
}

func checkTarget(s string) error {
	system, arch, _ := strings.Cut(s, "/")
	_, known := portOf(arch)
	switch {
	case system == "linux" && known:
		return nil
	case system == "linux" && aliases[arch] != "":
		return lang.Errorf(nil, "cannot build for %q: Go has another name for it", "无法为 %q 构建：Go 用的是另一个名称", s).
			WithHint("write linux/%s", "请写 linux/%s", aliases[arch])
	case system != "linux" && known:
		return lang.Errorf(nil, "cannot prove anything for %q: it is not Linux", "无法验证 %q：它不是 Linux", s).
			WithHint("leave it out: GOOS=… GOARCH=… go build makes it without anything prepared", "请去掉它：直接执行 GOOS=… GOARCH=… go build 即可，无需准备")
	}
	return lang.Errorf(nil, "cannot build for %q: Go has no such platform", "无法为 %q 构建：Go 没有这个平台", s).
		WithHint("as Go writes it: linux/arm64, linux/loong64 (go tool dist list)", "按 Go 的写法填写，例如 linux/arm64、linux/loong64（go tool dist list）")
}
