package detect

import (
	"encoding/binary"
	"io"

	"goxin/assets/lang"
)

// elfHeader is what an ELF file's first bytes tell of its instruction set.
type elfHeader struct {
	Bits    int // 32 or 64
	Little  bool
	Machine uint16
	Flags   uint32
}

var errNotELF = lang.Errorf(nil, "not an ELF file", "不是 ELF 文件")

// parseELF reads the header at the start of an ELF file (elf(5)).
func parseELF(b []byte) (elfHeader, error) {
	if len(b) < 20 || string(b[:4]) != "\x7fELF" {
		return elfHeader{}, errNotELF
	}
	var h elfHeader
	flagsAt := 0
	switch b[4] {
	case 1:
		h.Bits, flagsAt = 32, 36
	case 2:
		h.Bits, flagsAt = 64, 48
	default:
		return elfHeader{}, lang.Errorf(nil, "ELF class %d", "ELF 位数标识为 %d", b[4])
	}
	var order binary.ByteOrder
	switch b[5] {
	case 1:
		h.Little, order = true, binary.LittleEndian
	case 2:
		order = binary.BigEndian
	default:
		return elfHeader{}, lang.Errorf(nil, "ELF data encoding %d", "ELF 字节序标识为 %d", b[5])
	}
	h.Machine = order.Uint16(b[18:])
	if len(b) < flagsAt+4 {
		return elfHeader{}, lang.Errorf(nil, "ELF header of %d bytes", "ELF 头只有 %d 字节", len(b))
	}
	h.Flags = order.Uint32(b[flagsAt:])
	return h, nil
}

// elf reads the header of the first of names that is an ELF file.
func (h *host) elf(names ...string) (elfHeader, string, error) {
	err := lang.Errorf(nil, "no program to look at", "没有可供检查的程序")
	for _, name := range names {
		r, openErr := h.m.Open(name)
		if openErr != nil {
			continue
		}
		b := make([]byte, 64)
		n, _ := io.ReadFull(r, b)
		r.Close()
		head, parseErr := parseELF(b[:n])
		if parseErr == nil {
			return head, name, nil
		}
		err = &lang.Error{Text: lang.Same(name), Cause: parseErr}
	}
	return elfHeader{}, "", err
}

// programs every system has; the shell first.
func (h *host) programELF() (elfHeader, string, error) {
	return h.elf("/bin/sh", "/usr/bin/env", "/bin/bash", "/bin/busybox", "/sbin/init")
}

// machineName is what uname -m says on a kernel that runs such files natively.
func (e elfHeader) machineName() string {
	switch e.Machine {
	case 3:
		return "i686"
	case 8:
		if e.Bits == 64 {
			return "mips64"
		}
		return "mips"
	case 21:
		if e.Little {
			return "ppc64le"
		}
		return "ppc64"
	case 22:
		return "s390x"
	case 40:
		return "armv7l"
	case 62:
		return "x86_64"
	case 183:
		return "aarch64"
	case 243:
		if e.Bits == 64 {
			return "riscv64"
		}
	case 258:
		if e.Bits == 64 {
			return "loongarch64"
		}
	case 0x9916:
		return "sw_64"
	}
	return ""
}
