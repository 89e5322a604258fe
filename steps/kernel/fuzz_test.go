package kernel

import (
	"strings"
	"testing"

	"goxin/detect/sysctl"
)

func FuzzSetting(f *testing.F) {
	for _, s := range []string{"net.core.somaxconn=1024", "a.b=\n", "net/ipv4/conf/eth0.1/rp_filter=1", "=", "kernel.core_pattern=x", "a.=b", "vm.swappiness=0x1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if checkSetting(s) != nil {
			return
		}
		key, value, _ := strings.Cut(s, "=")
		// What is taken comes back from the generated file as it was meant.
		c := sysctl.Canonical(key)
		content := sysctlContent("base", []setting{{Key: c, Value: tidy(value), InFile: true, Comment: "x"}})
		lines := sysctl.Parse(content)
		if len(lines) != 1 || lines[0].Key != c || lines[0].Value != tidy(value) || lines[0].Ignore || lines[0].Exclude {
			t.Errorf("%q is read back as %+v", s, lines)
		}
		if strings.Contains(sysctl.Path(c), "/../") {
			t.Errorf("%q leads out of /proc/sys: %s", s, sysctl.Path(c))
		}
	})
}

func FuzzLimitFiles(f *testing.F) {
	for _, s := range []string{"[Manager]\nDefaultLimitNOFILE=1024:infinity\n", "* hard nofile 4096 # x\n", "root - nofile -1", "[Manager\nDefaultLimitNOFILE", "@g soft nofile unlimited"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := strings.Count(s, "\n") + 1
		for _, l := range append(parseServiceLimits(s), parseLoginLimits(s)...) {
			if l.Line < 1 || l.Line > n {
				t.Errorf("line %d of %d", l.Line, n)
			}
		}
	})
}

func FuzzTuned(f *testing.F) {
	f.Add("[main]\ninclude=a,b\n[sysctl]\nvm.swappiness=>10\n")
	f.Add("[sysctl]\n=1\n/=\n")
	f.Fuzz(func(t *testing.T, s string) {
		lines, _ := parseTuned(s)
		n := strings.Count(s, "\n") + 1
		for _, l := range lines {
			if l.Line < 1 || l.Line > n {
				t.Errorf("line %d of %d", l.Line, n)
			}
		}
		reapplies(s)
		for _, a := range marked(s) {
			if a.Line < 1 || a.Line > n {
				t.Errorf("marked line %d of %d", a.Line, n)
			}
		}
		parseRelease(s)
	})
}
