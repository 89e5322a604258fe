package detect

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
)

// armVendors are the implementers of MIDR_EL1, as util-linux' lscpu-arm.c has them.
func armVendor(implementer string) string {
	switch implementer {
	case "0x41":
		return "ARM"
	case "0x42":
		return "Broadcom"
	case "0x43":
		return "Cavium"
	case "0x46":
		return "Fujitsu"
	case "0x48":
		return "HiSilicon"
	case "0x4e":
		return "NVIDIA"
	case "0x50":
		return "APM"
	case "0x51":
		return "Qualcomm"
	case "0x61":
		return "Apple"
	case "0x6d":
		return "Microsoft"
	case "0x70":
		return "Phytium"
	case "0xc0":
		return "Ampere"
	}
	return ""
}

// armPart names a part; numbers mean nothing without their implementer
// (0x41/0xd01 is a Cortex-A32, 0x48/0xd01 a Kunpeng 920).
func armPart(implementer, part string) string {
	switch implementer + "/" + part {
	case "0x48/0xd01", "0x48/0xd02", "0x48/0xd03", "0x48/0xd22":
		return "Kunpeng-920"
	case "0x48/0xd06":
		return "Kunpeng-950"
	case "0x48/0xd40":
		return "Cortex-A76"
	case "0x48/0xd41":
		return "Cortex-A77"
	case "0x70/0x303":
		return "FTC310"
	case "0x70/0x660", "0x70/0x661", "0x70/0x662", "0x70/0x663", "0x70/0x664", "0x70/0x862":
		return "FTC" + part[2:]
	case "0x41/0xd03":
		return "Cortex-A53"
	case "0x41/0xd05":
		return "Cortex-A55"
	case "0x41/0xd07":
		return "Cortex-A57"
	case "0x41/0xd08":
		return "Cortex-A72"
	case "0x41/0xd0a":
		return "Cortex-A75"
	case "0x41/0xd0b":
		return "Cortex-A76"
	case "0x41/0xd0c":
		return "Neoverse-N1"
	case "0x41/0xd40":
		return "Neoverse-V1"
	case "0x41/0xd41":
		return "Cortex-A78"
	case "0x41/0xd49":
		return "Neoverse-N2"
	case "0x41/0xd4f":
		return "Neoverse-V2"
	}
	return ""
}

func cpuARM64(info cpuinfo, f *Facts) {
	c := &f.CPU
	implementers, parts := info.distinct("cpu implementer"), info.distinct("cpu part")
	if len(implementers) > 0 {
		c.Implementer = known(implementers[0], cpuinfoFile+" CPU implementer")
		if v := armVendor(implementers[0]); v != "" {
			c.Vendor = known(v, cpuinfoFile+" CPU implementer "+implementers[0])
		} else {
			c.Vendor = unknown[string](cpuinfoFile + " CPU implementer " + implementers[0])
		}
	} else {
		c.Implementer = unknown[string](lacks(cpuinfoFile, "CPU implementer"))
	}
	if len(parts) > 0 {
		c.Part = known(strings.Join(parts, ","), cpuinfoFile+" CPU part")
	} else {
		c.Part = unknown[string](lacks(cpuinfoFile, "CPU part"))
	}
	c.Model = armModel(info, f, c.Implementer.Value, parts)

	features := info.flags("features")
	if len(features) == 0 {
		c.LSE = unknown[bool](lacks(cpuinfoFile, "Features"))
		return
	}
	every := lang.F("%s Features of %d CPUs", "%s 中 %d 个 CPU 的 Features", cpuinfoFile, len(info.cpus))
	c.SIMD = known(pick(features, "asimd", "sve", "sve2"), every)
	lse := slices.Contains(features, "atomics")
	c.LSE = known(lse, remark(every, "atomics"))
	switch missing := 2 - len(pick(features, "crc32", "asimdrdm")); {
	case lse && missing == 0:
		c.Level = known("v8.1", remark(every, "atomics crc32 asimdrdm"))
	case lse:
		c.Level = known("v8.0,lse", lang.F("%s: atomics, but not all of v8.1", "%s：有 atomics，但 v8.1 的其余要求不全", every))
	default:
		c.Level = known("v8.0", lang.F("%s: no atomics", "%s：没有 atomics", every))
	}
}

// armModel takes the "model name" line that Kylin's kernel adds, or else the
// name of the part.
func armModel(info cpuinfo, f *Facts, implementer string, parts []string) Fact[string] {
	if name, key := info.get("model name"); name != "" {
		return known(plainARMName(name), cpuinfoFile+" "+key)
	}
	if len(parts) == 0 {
		return unknown[string](lacks(cpuinfoFile, "CPU part"))
	}
	from := fmt.Sprintf("%s CPU part %s/%s", cpuinfoFile, implementer, strings.Join(parts, ","))
	if implementer == "0x70" && f.Virt.Known && f.Virt.Value == "none" {
		if name := phytiumModel(parts, len(info.cpus)); name != "" {
			return known("Phytium "+name, lang.F("%s and %d CPUs", "%s，共 %d 个 CPU", from, len(info.cpus)))
		}
	}
	var names []string
	for _, p := range parts {
		name := armPart(implementer, p)
		if name == "" {
			return unknown[string](from)
		}
		names = append(names, name)
	}
	name := strings.Join(names, "+")
	if implementer == "0x70" {
		name = "Phytium " + name
	}
	return known(name, from)
}

// phytiumModel tells products of one core apart by their number of CPUs, the
// way Kylin's kernel names them. It holds on bare metal only; "" where the part
// and the number leave it open (FTC862 is D3000's and S5000C's).
func phytiumModel(parts []string, cpus int) string {
	if len(parts) == 2 && slices.Contains(parts, "0x303") && slices.Contains(parts, "0x664") {
		return "E2000"
	}
	if len(parts) != 1 {
		return ""
	}
	switch {
	case parts[0] == "0x662":
		return "FT-2000+/64"
	case parts[0] == "0x663" && cpus == 8:
		return "D2000/8"
	case parts[0] == "0x663" && cpus > 8:
		return "S2500/64"
	case parts[0] == "0x663":
		return "FT-2000/4"
	}
	return ""
}

// plainARMName gives one spelling to "Phytium,D2000/8", "HUAWEI,Kunpeng 920"
// and "Kunpeng-920".
func plainARMName(s string) string {
	s = strings.Join(strings.Fields(strings.Replace(s, ",", " ", 1)), " ")
	s = strings.TrimPrefix(s, "HUAWEI ")
	if number, ok := strings.CutPrefix(s, "Kunpeng "); ok {
		return "Kunpeng-" + number
	}
	return s
}
