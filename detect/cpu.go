package detect

import (
	"slices"
	"strings"

	"goxin/assets/lang"
)

const cpuinfoFile = "/proc/cpuinfo"

func probeCPU(h *host, f *Facts) {
	c := &f.CPU
	arm := lang.T("only on arm64", "仅 arm64 有此项")
	if !h.running && f.Arch.GOARCH.Value == "arm64" {
		arm = h.why
	}
	c.Implementer, c.Part, c.LSE = unknown[string](arm), unknown[string](arm), unknown[bool](arm)
	why := h.why
	if h.running {
		text, err := h.read(cpuinfoFile)
		if err != nil {
			why = told(err)
		} else {
			h.cpus = parseCPUInfo(text)
			why = lang.F("%s says nothing of it", "%s 未提及", cpuinfoFile)
		}
	}
	c.Vendor, c.Model, c.Level = unknown[string](why), unknown[string](why), unknown[string](why)
	c.SIMD = unknown[[]string](why)
	if h.running && (len(h.cpus.cpus) > 0 || len(h.cpus.common) > 0) {
		switch f.Arch.GOARCH.Value {
		case "arm64":
			cpuARM64(h.cpus, f)
		case "amd64", "386":
			cpuX86(h.cpus, c)
		case "loong64":
			cpuLoongArch(h.cpus, c)
		case "mips64le", "mips64":
			cpuMIPS(h.cpus, c)
		case "riscv64":
			cpuRISCV(h.cpus, c)
		default:
			cpuOther(h.cpus, c)
		}
	}
	probeTopology(h, c, why)
}

func cpuX86(info cpuinfo, c *CPU) {
	vendor, _ := info.get("vendor_id")
	name, _ := info.get("model name")
	name = strings.Join(strings.Fields(name), " ")
	family, _ := info.get("cpu family")
	c.Vendor = x86Vendor(vendor, family, name)
	if name != "" {
		c.Model = known(name, cpuinfoFile+" model name")
	}
	flags := info.flags("flags")
	if len(flags) == 0 {
		return
	}
	c.SIMD = known(pick(flags, "sse4_2", "avx", "avx2", "avx512f"), onEveryCPU("flags"))
	c.Level = amd64Level(flags)
}

// onEveryCPU is a key whose features are counted only where every CPU has them.
func onEveryCPU(key string) lang.Text {
	return lang.F("%s %s, on every CPU", "%s %s，以每个 CPU 都有的为准", cpuinfoFile, key)
}

// defaultOf is a level that nothing of the machine raises.
func defaultOf(variable string) lang.Text { return lang.F("%s's default", "%s 的默认值", variable) }

func x86Vendor(id, family, name string) Fact[string] {
	from := cpuinfoFile + " vendor_id " + id
	switch id {
	case "GenuineIntel":
		return known("Intel", from)
	case "AuthenticAMD":
		return known("AMD", from)
	case "HygonGenuine":
		return known("Hygon", from)
	case "Shanghai":
		return known("Zhaoxin", from)
	case "CentaurHauls": // VIA's too, up to family 6
		from += ", cpu family " + family
		if strings.Contains(strings.ToUpper(name), "ZHAOXIN") || len(family) > 1 || family >= "7" {
			return known("Zhaoxin", from)
		}
		return known("VIA", from)
	case "":
		return unknown[string](lacks(cpuinfoFile, "vendor_id"))
	}
	return known(id, from)
}

// amd64Level is the highest GOAMD64 whose instructions every CPU has (the
// levels of the x86-64 psABI, as go.dev/wiki/MinimumRequirements lists them).
func amd64Level(flags []string) Fact[string] {
	levels := []struct {
		name  string
		needs []string
	}{
		{"v2", []string{"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"}},
		{"v3", []string{"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"}},
		{"v4", []string{"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}},
	}
	level := known("v1", cpuinfoFile+" flags")
	for _, l := range levels {
		have := pick(flags, l.needs...)
		if len(have) < len(l.needs) {
			missing := slices.DeleteFunc(l.needs, func(n string) bool { return slices.Contains(have, n) })
			level.From = lang.F("%s flags: %s needs %s", "%s flags：%s 还需要 %s", cpuinfoFile, l.name, strings.Join(missing, " "))
			return level
		}
		level.Value = l.name
	}
	return level
}

// cpuMIPS knows Loongson's: "Loongson-3A R4 (Loongson-3A4000) @ 1800MHz".
func cpuMIPS(info cpuinfo, c *CPU) {
	name, key := info.get("model name", "cpu model")
	if _, after, ok := strings.Cut(name, "("); ok && key == "model name" {
		name, _, _ = strings.Cut(after, ")")
	}
	if name != "" {
		c.Model = known(name, cpuinfoFile+" "+key)
	}
	system, _ := info.get("system type", "cpu model")
	if strings.Contains(strings.ToLower(system+name), "loongson") {
		c.Vendor = known("Loongson", cpuinfoFile+" system type")
	}
	if ases := info.flags("ases implemented"); len(ases) > 0 {
		c.SIMD = known(pick(ases, "msa"), cpuinfoFile+" ASEs implemented")
	}
	c.Level = known("hardfloat", defaultOf("GOMIPS64"))
}

// cpuRISCV: "isa : rv64imafdcv_zicsr", vendors by mvendorid (JEDEC numbers).
func cpuRISCV(info cpuinfo, c *CPU) {
	if id, _ := info.get("mvendorid"); id != "" {
		from := cpuinfoFile + " mvendorid " + id
		switch id {
		case "0x5b7":
			c.Vendor = known("T-Head", from)
		case "0x489":
			c.Vendor = known("SiFive", from)
		case "0x710":
			c.Vendor = known("SpacemiT", from)
		default:
			c.Vendor = unknown[string](from)
		}
	}
	if name, key := info.get("model name", "uarch"); name != "" {
		c.Model = known(name, cpuinfoFile+" "+key)
	}
	all := info.distinct("isa")
	if len(all) == 0 {
		return
	}
	simd := []string{"v"}
	for _, isa := range all {
		letters, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(isa, "rv64"), "rv32"), "_")
		if !strings.Contains(letters, "v") {
			simd = []string{}
		}
	}
	c.SIMD = known(simd, cpuinfoFile+" isa")
	c.Level = known("rva20u64", defaultOf("GORISCV64"))
}

func cpuOther(info cpuinfo, c *CPU) {
	if name, key := info.get("model name", "cpu"); name != "" {
		c.Model = known(name, cpuinfoFile+" "+key)
	}
	if vendor, key := info.get("vendor_id"); vendor != "" {
		c.Vendor = known(vendor, cpuinfoFile+" "+key)
	}
}
