package detect

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestOSReleaseValues(t *testing.T) {
	for in, want := range map[string]string{
		`A=bare`: "bare", `A="double"`: "double", `A='single \" kept'`: `single \" kept`, `A="esc \" \$ \\ \x"`: `esc " $ \ \x`,
		`A="银河麒麟"`: "银河麒麟", `A=`: "", `A=""`: "", "A=x\r": "x", ` A = "spaced" `: "spaced", `export A=e`: "e",
		`A="open`: "open", `A=two words`: "two words", `A=v # c`: "v", "A=1\nA=2": "2", "\ufeffA=b": "b", "A=\"x\xff\"": "x\ufffd",
		`A='`: "", `A=\`: `\`,
	} {
		if got := parseOSRelease(in)["A"]; got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if m := parseOSRelease("# A=1\nB C=2\n=3\n1A=4\n[A]\n"); len(m) != 0 {
		t.Errorf("not assignments, but read: %v", m)
	}
}

func TestINIKeepsTranslatedKeysApart(t *testing.T) {
	m := parseINI("[Version]\r\nSystemName=UOS\r\nSystemName[zh_CN]=统信\nMinorVersion = 1050\n;x=1\nMinorVersion=1\n")
	want := map[string]string{"systemname": "UOS", "systemname[zh_cn]": "统信", "minorversion": "1050"}
	if !maps.Equal(m, want) {
		t.Errorf("got %v", m)
	}
}

func cpuFacts(goarch, virt, text string) *Facts {
	f := &Facts{}
	f.Arch.GOARCH, f.Virt = known(goarch, "test"), known(virt, "test")
	switch info := parseCPUInfo(text); goarch {
	case "arm64":
		cpuARM64(info, f)
	case "amd64":
		cpuX86(info, &f.CPU)
	case "riscv64":
		cpuRISCV(info, &f.CPU)
	case "loong64":
		cpuLoongArch(info, &f.CPU)
	}
	return f
}

func arm(implementer, part, features string, n int) string {
	return strings.Repeat("processor\t: 0\nFeatures\t: "+features+"\nCPU implementer\t: "+implementer+"\nCPU part\t: "+part+"\n\n", n)
}

func TestARMProcessors(t *testing.T) {
	const lse, none = "fp asimd crc32 atomics asimdrdm", "fp asimd crc32"
	for _, c := range []struct{ name, text, virt, vendor, model, level string }{
		{"Kunpeng 920", arm("0x48", "0xd01", lse, 2), "none", "HiSilicon", "Kunpeng-920", "v8.1"},
		{"Kunpeng 950", arm("0x48", "0xd06", lse, 2), "none", "HiSilicon", "Kunpeng-950", "v8.1"},
		{"0xd01 of ARM is no Kunpeng", arm("0x41", "0xd01", none, 2), "none", "ARM", "?", "v8.0"},
		{"Kunpeng 916 is a Cortex-A72", arm("0x41", "0xd08", none, 2), "none", "ARM", "Cortex-A72", "v8.0"},
		{"D2000 by its eight cores", arm("0x70", "0x663", none, 8), "none", "Phytium", "Phytium D2000/8", "v8.0"},
		{"FT-2000/4", arm("0x70", "0x663", none, 4), "none", "Phytium", "Phytium FT-2000/4", "v8.0"},
		{"S2500", arm("0x70", "0x663", none, 128), "none", "Phytium", "Phytium S2500/64", "v8.0"},
		{"a guest's count of CPUs says nothing", arm("0x70", "0x663", none, 8), "kvm", "Phytium", "Phytium FTC663", "v8.0"},
		{"E2000 hybrid", arm("0x70", "0x303", none, 2) + arm("0x70", "0x664", none, 2), "none", "Phytium", "Phytium E2000", "v8.0"},
		{"D3000 and S5000C share a core", arm("0x70", "0x862", lse, 8), "none", "Phytium", "Phytium FTC862", "v8.1"},
		{"Kylin's model name wins", "model name\t: Phytium,S2500/64 C00\n" + arm("0x70", "0x663", none, 1), "none", "Phytium", "Phytium S2500/64 C00", "v8.0"},
		{"Huawei's model name", "processor : 0\nmodel name : HUAWEI,Kunpeng 920\nCPU implementer : 0x48\nCPU part : 0xd01\nFeatures : asimd\n", "none", "HiSilicon", "Kunpeng-920", "v8.0"},
		{"LSE on one CPU is no LSE", arm("0x70", "0x664", lse, 2) + arm("0x70", "0x303", none, 2), "none", "Phytium", "Phytium E2000", "v8.0"},
		{"LSE without the rest of v8.1", arm("0x48", "0xd01", "asimd atomics", 1), "none", "HiSilicon", "Kunpeng-920", "v8.0,lse"},
		{"an implementer nobody knows", arm("0x99", "0x001", lse, 1), "none", "?", "?", "v8.1"},
	} {
		f := cpuFacts("arm64", c.virt, c.text)
		for _, x := range []struct {
			got  Fact[string]
			want string
		}{{f.CPU.Vendor, c.vendor}, {f.CPU.Model, c.model}, {f.CPU.Level, c.level}} {
			if x.got.Known != (x.want != "?") || x.got.Known && x.got.Value != x.want {
				t.Errorf("%s: got %+v, want %q", c.name, x.got, x.want)
			}
		}
	}
}

func TestX86Processors(t *testing.T) {
	const v2 = "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3 "
	const v3 = v2 + "avx avx2 bmi1 bmi2 f16c fma abm movbe "
	for _, c := range []struct{ name, vendorID, family, flags, vendor, level string }{
		{"Hygon", "HygonGenuine", "24", v3, "Hygon", "v3"},
		{"Zhaoxin without AVX2 and FMA", "CentaurHauls", "7", v2 + "avx f16c movbe abm bmi1 bmi2", "Zhaoxin", "v2"},
		{"Zhaoxin's other name", "  Shanghai  ", "7", v2, "Zhaoxin", "v2"},
		{"VIA under the same name", "CentaurHauls", "6", "sse2", "VIA", "v1"},
		{"KX-7000 with AVX2", "CentaurHauls", "7", v3, "Zhaoxin", "v3"},
		{"all of AVX-512", "GenuineIntel", "6", v3 + "avx512f avx512bw avx512cd avx512dq avx512vl", "Intel", "v4"},
		{"AVX2 without FMA stays v2", "AuthenticAMD", "23", strings.ReplaceAll(v3, "fma ", ""), "AMD", "v2"},
	} {
		f := cpuFacts("amd64", "none", "processor\t: 0\nvendor_id\t: "+c.vendorID+"\ncpu family\t: "+c.family+"\nflags\t\t: "+c.flags+"\n")
		if f.CPU.Vendor.Value != c.vendor || f.CPU.Level.Value != c.level {
			t.Errorf("%s: %+v %+v", c.name, f.CPU.Vendor, f.CPU.Level)
		}
	}
}

func TestRISCVVectorsOnEveryHart(t *testing.T) {
	f := cpuFacts("riscv64", "none", "processor\t: 0\nhart\t: 2\nisa\t: rv64imafdcv_zicsr\nmvendorid\t: 0x5b7\n")
	if !slices.Equal(f.CPU.SIMD.Value, []string{"v"}) || f.CPU.Vendor.Value != "T-Head" {
		t.Errorf("SG2042: %+v %+v", f.CPU.SIMD, f.CPU.Vendor)
	}
	f = cpuFacts("riscv64", "none", "processor\t: 0\nisa\t: rv64imafdc_zicsr_zvbb\nuarch\t: sifive,u74-mc\nmvendorid\t: 0x489\n")
	if len(f.CPU.SIMD.Value) != 0 || f.CPU.Model.Value != "sifive,u74-mc" {
		t.Errorf("VisionFive 2: %+v %+v", f.CPU.SIMD, f.CPU.Model)
	}
}

func TestKernelWorlds(t *testing.T) {
	upper, lower := cpuinfo{upper: true}, cpuinfo{lower: true}
	for _, c := range []struct {
		release string
		info    cpuinfo
		want    string
	}{
		{"4.19.0-17-loongson-3", lower, "old"},
		{"4.19.190-6.5.lns8.loongarch64", cpuinfo{}, "old"},
		{"5.4.18-55-generic", lower, "old"},
		{"5.10.134-15.1.an23.loongarch64", upper, "new"},
		{"5.10.0-60-generic", lower, "old"},
		{"5.10.0", cpuinfo{}, "?"},
		{"5.19.0", upper, "new"},
		{"6.6.0-32.7.v2505.ky11.loongarch64", upper, "new"},
		{"garbage", cpuinfo{}, "?"},
		{"6.6.0", lower, "new"},
	} {
		w := kernelWorld(c.release, c.info)
		if w.Known != (c.want != "?") || w.Known && w.Value != c.want {
			t.Errorf("%s: %+v, want %s", c.release, w, c.want)
		}
	}
}

// A kernel that says by itself which signal sets it takes is believed before its release
// and cpuinfo; one that takes both is a new one with a layer for the old, or a hybrid.
func TestAKernelThatTellsItsWorldIsBelieved(t *testing.T) {
	old, recent, open := kernelWorld("4.19.190", cpuinfo{lower: true}), kernelWorld("6.6.0", cpuinfo{upper: true}), kernelWorld("5.10.0", cpuinfo{})
	for name, c := range map[string]struct {
		told  Fact[string]
		sizes []int
		want  string
		says  string
	}{
		"not asked":                        {old, nil, "old", "kernel 4.19.190"},
		"old, as its release says":         {old, []int{16}, "old", "rt_sigaction takes signal sets of [16] bytes; kernel"},
		"new, as its release says":         {recent, []int{8}, "new", "rt_sigaction takes"},
		"new by a back-port":               {old, []int{8}, "new", "speaks against it"},
		"old behind a new number":          {recent, []int{16}, "old", "speaks against it"},
		"a release that came in both":      {open, []int{16}, "old", "rt_sigaction takes"},
		"new with a layer for the old":     {recent, []int{8, 16}, "new", "rt_sigaction takes signal sets of [8 16] bytes"},
		"looks old and takes both: hybrid": {old, []int{8, 16}, "?", "a hybrid of both worlds"},
		"came in both and takes both":      {open, []int{8, 16}, "?", "a hybrid of both worlds"},
	} {
		got := byKernel(c.told, c.sizes)
		if got.Known != (c.want != "?") || got.Known && got.Value != c.want || !strings.Contains(got.From.EN, c.says) {
			t.Errorf("%s: %+v, want %s and %q", name, got, c.want, c.says)
		}
	}
}

// TestCPUInfoCutShortAnywhere must not panic, whatever is left.
func TestCPUInfoCutShortAnywhere(t *testing.T) {
	for goarch, text := range map[string]string{
		"arm64":   arm("0x70", "0x663", "fp asimd atomics", 3),
		"amd64":   "processor\t: 0\nvendor_id\t: HygonGenuine\ncpu family\t: 24\nmodel name\t: Hygon C86 7285\nflags\t\t: sse2 avx\n",
		"loong64": "system type\t\t: generic-loongson-machine\n\nprocessor\t\t: 0\nCPU Family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-3A6000\nFeatures\t\t: lsx lasx\n",
		"riscv64": "processor\t: 0\nhart\t: 0\nisa\t: rv64imafdcv\nmvendorid\t: 0x5b7\n",
	} {
		for i := range text {
			cpuFacts(goarch, "none", text[:i])
			topologyOf(parseCPUInfo(text[:i]))
		}
	}
}

func TestKysecModes(t *testing.T) {
	for in, want := range map[string]string{
		"KySec status: Normal\nexec control: warning\n":           "warning",
		"KySec status  :  enabled\n\nEXEC Control :  ON\n":        "on",
		"KySec status: Softmode\nexec control: on\n":              "warning",
		"KySec status: disabled\n":                                "off",
		"KySec status: Normal\nexec control: off\n":               "off",
		"KySec status: Normal\n":                                  "",
		"getstatus: command needs a licence\n":                    "",
		"KySec status: Normal\nexec control: something else: x\n": "",
	} {
		if got, _ := parseKysec(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestMountsOverOneAnother(t *testing.T) {
	mounts := parseMountinfo(`1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /usr ro,relatime shared:1 master:2 - ext4 /dev/sda2 rw
3 2 8:3 / /usr/local rw - ext4 /dev/sda3 rw
4 3 8:4 / /usr/local rw - overlay none ro,lowerdir=/x
5 1 8:5 /a\040b /mnt/a\040b rw - ext4 /dev/sdb rw
short line
`)
	for name, want := range map[string]struct {
		point string
		ro    bool
	}{
		"/etc": {"/", false}, "/usr/bin": {"/usr", true}, "/usr/local/bin": {"/usr/local", true}, "/usrlocal": {"/", false}, "/mnt/a b/c": {"/mnt/a b", false},
	} {
		m, ok := mountOf(mounts, name)
		if !ok || m.point != want.point || m.readOnly != want.ro {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestVersionsOffNames(t *testing.T) {
	for name, want := range map[string]int{"libsystemd-shared-252.so": 252, "libsystemd-shared-255.4-6.fc40.so": 255, "libsystemd-shared-.so": 0, "libsystemd-core-252.so": 0, "libsystemd-shared-249": 0} {
		if got := sharedVersion(name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
	for name, want := range map[string]string{"libc-2.28.so": "2.28", "libc-2.so.6": "", "libc.so.6": "", "libc-x.so": "", "libc-2.31.so.1": ""} {
		if got, ok := versionIn(name, "libc-"); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestCGroupLimits(t *testing.T) {
	for s, want := range map[string]uint64{"max": 0, "9223372036854771712": 0, "9223372036854710272": 0, "1073741824": 1 << 30, "": 0, "-1": 0, "x": 0} {
		if got, ok := parseLimit(s); ok != (want > 0) || ok && got != want {
			t.Errorf("%q: %d %v", s, got, ok)
		}
	}
}

func TestHypervisorsByFirmware(t *testing.T) {
	for in, want := range map[[2]string]string{
		{"QEMU", "Standard PC"}: "qemu", {"VMware, Inc.", "VMware Virtual Platform"}: "vmware", {"Microsoft Corporation", "Virtual Machine"}: "microsoft",
		{"Microsoft Corporation", "Surface"}: "", {"OpenStack Foundation", "OpenStack Nova"}: "kvm", {"Huawei", "TaiShan 200 (Model 2280)"}: "",
		{"Alibaba Cloud", "Alibaba Cloud ECS"}: "kvm", {"innotek GmbH", "VirtualBox"}: "oracle",
	} {
		if got := dmiVirt(in[0], in[1]); got != want {
			t.Errorf("%v: %q", in, got)
		}
	}
}

func elfBytes(machine uint16, flags uint32, little bool) []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x02")
	var order binary.ByteOrder = binary.BigEndian
	if little {
		b[5], order = 1, binary.LittleEndian
	}
	order.PutUint16(b[18:], machine)
	order.PutUint32(b[48:], flags)
	return b
}

func TestELFHeaders(t *testing.T) {
	for _, c := range []struct {
		b      []byte
		name   string
		little bool
	}{
		{elfBytes(8, 0, true), "mips64", true},
		{elfBytes(8, 0, false), "mips64", false},
		{elfBytes(21, 0, true), "ppc64le", true},
		{elfBytes(258, 0x43, true), "loongarch64", true},
		{elfBytes(183, 0, true), "aarch64", true},
		{elfBytes(0x9916, 0, true), "sw_64", true},
	} {
		h, err := parseELF(c.b)
		if err != nil || h.machineName() != c.name || h.Little != c.little {
			t.Errorf("%s: %+v %v", c.name, h, err)
		}
	}
	for _, bad := range []string{"", "#!/bin/sh\n", "\x7fELF", "\x7fELF\x02\x01", string(elfBytes(258, 0, true)[:40]), "\x7fELF\x09\x01" + strings.Repeat("\x00", 60)} {
		if h, err := parseELF([]byte(bad)); err == nil {
			t.Errorf("%q taken for ELF: %+v", bad, h)
		}
	}
}

func TestMIPSByteOrderComesFromAProgram(t *testing.T) {
	le, _ := parseELF(elfBytes(8, 0, true))
	be, _ := parseELF(elfBytes(8, 0, false))
	m := known("mips64", "uname -m")
	if g := goarch(m, le, "/bin/sh", nil); g.Value != "mips64le" {
		t.Errorf("little: %+v", g)
	}
	if g := goarch(m, be, "/bin/sh", nil); g.Value != "mips64" {
		t.Errorf("big: %+v", g)
	}
	if g := goarch(m, elfHeader{}, "", errNotELF); g.Known {
		t.Errorf("without a program: %+v", g)
	}
	if g := goarch(known("sw_64", "uname -m"), elfHeader{}, "", errNotELF); !g.Known || g.Value != "" {
		t.Errorf("Sunway: %+v", g)
	}
	if g := goarch(known("vax", "uname -m"), elfHeader{}, "", errNotELF); g.Known {
		t.Errorf("an unheard-of machine: %+v", g)
	}
}
