package detect

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzOSRelease(f *testing.F) {
	f.Add("ID=\"kylin\"\nVERSION='V10 (Lance)'\r\n# c\nA=\"\\\"\\$\"\n")
	f.Add("\ufeffNAME=银河麒麟\nX=\xff\n")
	f.Fuzz(func(t *testing.T, s string) {
		for k, v := range parseOSRelease(s) {
			if !isKey(k) || strings.Contains(v, "\n") || !utf8.ValidString(v) {
				t.Errorf("%q = %q", k, v)
			}
		}
		parseProductInfo(s)
	})
}

func FuzzINI(f *testing.F) {
	f.Add("[Version]\nSystemName[zh_CN]=统信\nMinorVersion=1050\n")
	f.Fuzz(func(t *testing.T, s string) {
		for k := range parseINI(s) {
			if k == "" || k != strings.TrimSpace(k) {
				t.Errorf("key %q", k)
			}
		}
	})
}

func FuzzCPUInfo(f *testing.F) {
	f.Add("processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x48\nCPU part\t: 0xd01\n")
	f.Add("system type\t: x\n\nprocessor\t: 0\nmodel name\t: Loongson-3A5000\nfeatures\t: lsx\n")
	f.Add("processor\t: 0\nvendor_id\t:   Shanghai  \nflags\t\t: sse2\n\nprocessor\t: 1\n")
	f.Fuzz(func(t *testing.T, s string) {
		info := parseCPUInfo(s)
		for _, flag := range info.flags("flags") {
			if flag == "" {
				t.Error("empty flag")
			}
		}
		for _, goarch := range []string{"arm64", "amd64", "riscv64", "loong64"} {
			cpuFacts(goarch, "none", s).CPU.Name()
		}
		topologyOf(info)
		if kept := keepCPUInfo(s); strings.Contains(strings.ToLower(kept), "serial\t:") {
			t.Errorf("a serial number is left: %q", kept)
		}
	})
}

func FuzzMeminfo(f *testing.F) {
	f.Add("MemTotal:       263500000 kB\nSwapTotal:       0 kB\n")
	f.Fuzz(func(t *testing.T, s string) {
		if total, swap, err := parseMeminfo(s); err != nil && (total != 0 || swap != 0) {
			t.Error("a result beside an error")
		}
	})
}

func FuzzCGroup(f *testing.F) {
	f.Add("8:memory:/user.slice\n0::/init.scope\n", "max")
	f.Fuzz(func(t *testing.T, s, limit string) {
		for _, l := range parseCGroup(s) {
			if !strings.HasPrefix(l.path, "/") {
				t.Errorf("path %q", l.path)
			}
		}
		if n, ok := parseLimit(limit); ok && n == 0 {
			t.Error("a limit of nothing")
		}
	})
}

func FuzzMountinfo(f *testing.F) {
	f.Add("28 1 8:2 / /a\\040b rw,relatime shared:1 - ext4 /dev/sda2 rw\n")
	f.Fuzz(func(t *testing.T, s string) {
		mounts := parseMountinfo(s)
		if len(mounts) > strings.Count(s, "\n")+1 {
			t.Error("more mounts than lines")
		}
		mountOf(mounts, "/usr/local")
	})
}

func FuzzELF(f *testing.F) {
	f.Add(elfBytes(258, 3, true))
	f.Add(elfBytes(8, 0, false)[:50])
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := parseELF(b)
		if err == nil && h.Bits != 32 && h.Bits != 64 {
			t.Errorf("%+v", h)
		}
		_ = h.machineName()
	})
}

func FuzzKysec(f *testing.F) {
	f.Add("KySec status: Normal\nexec control: on\n")
	f.Fuzz(func(t *testing.T, s string) {
		if mode, _ := parseKysec(s); mode != "" && mode != "on" && mode != "off" && mode != "warning" {
			t.Errorf("mode %q", mode)
		}
	})
}

func FuzzCPUList(f *testing.F) {
	f.Add("0-3,8,10-11")
	f.Fuzz(func(t *testing.T, s string) {
		list, ok := parseList(s)
		if !ok && list != nil {
			t.Error("a list that could not be read")
		}
	})
}

func FuzzKeptSettings(f *testing.F) {
	f.Add("# c\nvm.swappiness = 1\nkernel.core_pattern=/x\n[Manager]\n")
	f.Fuzz(func(t *testing.T, s string) {
		kept := keepSettings(s)
		if strings.Contains(kept, "/") && !strings.Contains(kept, "=") {
			t.Errorf("%q", kept)
		}
		if strings.Count(kept, "\n") < strings.Count(s, "\n") {
			t.Errorf("lines went: %q -> %q", s, kept)
		}
		keepLimits(s)
		keepRelease(s)
		keepNumbers(s)
	})
}
