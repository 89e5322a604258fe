package elf

import (
	"slices"
	"strings"

	"goxin/detect/machine"
)

// capabilities is what a loader prefers libraries by.
type capabilities struct {
	dirs []string // subdirectories of glibc-hwcaps, best first
	bits uint64   // AT_HWCAP, of which only what directories were named after
}

func (c capabilities) has(dir string) bool { return slices.Contains(c.dirs, dir) }

// readCPU goes by /proc/cpuinfo: where there is none, as in most trees, by the
// least that every CPU has.
func readCPU(m machine.Machine, a Arch) capabilities {
	var c capabilities
	if a.Machine != machineX86 && a.Machine != machineARM64 {
		return c
	}
	data, err := m.ReadFile("/proc/cpuinfo")
	if err != nil {
		return c
	}
	flags := map[string]bool{}
	for line := range strings.Lines(string(data)) {
		key, value, ok := strings.Cut(line, ":")
		if key = strings.TrimSpace(key); ok && (key == "flags" || key == "Features") {
			for _, f := range strings.Fields(value) {
				flags[f] = true
			}
			break
		}
	}
	if a.Machine == machineARM64 {
		if flags["atomics"] {
			c.bits |= 1 << 8 // HWCAP_ATOMICS
		}
		return c
	}
	// The levels of the x86-64 psABI, in the words of cpuinfo.
	for _, level := range []struct{ name, flags string }{
		{"x86-64-v2", "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"},
		{"x86-64-v3", "avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"},
		{"x86-64-v4", "avx512f avx512bw avx512cd avx512dq avx512vl"},
	} {
		for _, f := range strings.Fields(level.flags) {
			if !flags[f] {
				return c
			}
		}
		c.dirs = append([]string{level.name}, c.dirs...)
	}
	return c
}
