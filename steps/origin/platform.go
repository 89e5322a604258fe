package origin

import (
	"encoding/binary"
	"strings"

	"goxin/steps/verify"
)

// headBytes is how much of bin/go tells its platform: the ELF header up to e_machine.
const headBytes = 20

// platform is what the header of a release's bin/go says it is for; false where it is
// no ELF program of Linux for a processor Go has.
func platform(head []byte) (os, arch string, ok bool) {
	if len(head) < headBytes || string(head[:4]) != "\x7fELF" || head[7] != 0 { // EI_OSABI: FreeBSD's is 9
		return "", "", false
	}
	wide, little := head[4] == 2, head[5] == 1
	var order binary.ByteOrder = binary.BigEndian
	if little {
		order = binary.LittleEndian
	}
	switch n := order.Uint16(head[18:]); {
	case n == 3 && !wide:
		arch = "386"
	case n == 62 && wide:
		arch = "amd64"
	case n == 40 && !wide && little:
		arch = "arm"
	case n == 183 && wide && little:
		arch = "arm64"
	case n == 258 && wide:
		arch = "loong64"
	case n == 8:
		arch = map[[2]bool]string{{false, false}: "mips", {false, true}: "mipsle", {true, false}: "mips64", {true, true}: "mips64le"}[[2]bool{wide, little}]
	case n == 21 && wide && little:
		arch = "ppc64le"
	case n == 21 && wide:
		arch = "ppc64"
	case n == 243 && wide:
		arch = "riscv64"
	case n == 22 && wide:
		arch = "s390x"
	}
	return "linux", arch, arch != ""
}

// release is the first line of a VERSION file: "go1.26.8". A file of something else
// gives "".
func release(text []byte) string {
	line, _, _ := strings.Cut(string(text), "\n")
	v := strings.TrimSpace(line)
	if (verify.Toolchain{Version: v, OS: "linux", Arch: "amd64"}).Check() != nil {
		return ""
	}
	return v
}
