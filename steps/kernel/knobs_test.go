package kernel

import (
	"strings"
	"testing"
	"unicode"

	"goxin/assets/lang"
	"goxin/detect/sysctl"
)

func TestEveryKnobSaysWhyWhereAndWhatMayGoWrong(t *testing.T) {
	for _, k := range Knobs() {
		for name, text := range map[string]lang.Text{"why": k.Why, "source": k.Source, "risk": k.Risk} {
			if text.EN == "" || text.ZH == "" {
				t.Errorf("%s: no %s in both languages", k.Key, name)
			}
			if strings.ContainsFunc(text.EN, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%s: Chinese in the English %s", k.Key, name)
			}
			if !strings.ContainsFunc(text.ZH, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && name != "source" {
				t.Errorf("%s: no Chinese in the Chinese %s", k.Key, name)
			}
			if name != "source" && (!strings.HasSuffix(text.EN, ".") || !strings.HasSuffix(text.ZH, "。")) {
				t.Errorf("%s: %s does not end as a sentence does", k.Key, name)
			}
		}
		if k.Note == "" || strings.ContainsFunc(k.Note, func(r rune) bool { return r > '~' || r < ' ' }) {
			t.Errorf("%s: its comment in the file is %q", k.Key, k.Note)
		}
		for _, part := range []string{"\nSource: ", "\nRisk: "} {
			if strings.Count(k.reason().EN, part) != 1 {
				t.Errorf("%s: reason without %q", k.Key, part)
			}
		}
	}
}

func TestEveryValueIsWithinItsBounds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Knobs() {
		if seen[k.Key] {
			t.Errorf("%s stands twice in the table", k.Key)
		}
		seen[k.Key] = true
		if sysctl.Canonical(k.Key) != k.Key || sysctl.Check(k.Key) != nil {
			t.Errorf("%s is not a canonical key", k.Key)
		}
		if k.Min >= k.Max {
			t.Errorf("%s has no bounds: %d to %d", k.Key, k.Min, k.Max)
		}
		used := 0
		for _, p := range []string{profileBase, profileWeb, profileDatabase, profileBuild} {
			v := k.In(p)
			if v == "" {
				continue
			}
			used++
			if err := k.Check(v); err != nil {
				t.Errorf("%s in %s: %v", k.Key, p, err)
			}
			if err := checkSetting(k.Key + "=" + v); err != nil {
				t.Errorf("%s in %s, asked for by hand: %v", k.Key, p, err)
			}
		}
		if used == 0 && !k.Floor {
			t.Errorf("%s: no profile uses it", k.Key)
		}
	}
	for key, value := range map[string]string{"net.core.somaxconn": "65535", "fs.file-max": "1000000", "vm.swappiness": "1"} {
		for _, k := range Knobs() {
			if k.Key == key && k.In(profileBase) != value {
				t.Errorf("%s is %s in the base profile, not %s", key, k.In(profileBase), value)
			}
		}
		if !seen[key] {
			t.Errorf("%s is missing", key)
		}
	}
}

func TestSettingsAreRefusedWithAReason(t *testing.T) {
	for element, want := range map[string]string{
		"net.core.somaxconn=70000":                  "not between",
		"net.core.somaxconn=many":                   "not a whole number",
		"net.core.somaxconn=010":                    "base 8",
		"net.core.somaxconn=1 2":                    "takes 1 whole number",
		"net.ipv4.ip_local_port_range=60000":        "takes 2",
		"net.ipv4.ip_local_port_range=6000 600":     "not between",
		"net.ipv4.ip_local_port_range=6000 5999":    "not above the first",
		"fs.nr_open=65536":                          "can no longer log in",
		"kernel.core_pattern=|/tmp/x":               "runs as root",
		"kernel/core_pattern=core":                  "runs as root",
		"kernel.modprobe=/tmp/x":                    "runs as root",
		"fs.binfmt_misc.register=x":                 "runs as root",
		"vm.drop_caches=3":                          "triggers an action",
		"kernel.modules_disabled=1":                 "not off again",
		"kernel.yama.ptrace_scope=3":                "taken back",
		"kernel.unprivileged_bpf_disabled=1":        "taken back",
		"kernel.hostname=x":                         "hostnamectl",
		"somaxconn=1":                               "name of a kernel parameter",
		"net.ipv4.conf.*.rp_filter=1":               "patterns",
		"-net.core.somaxconn=1":                     "ignore errors",
		"net.core.some conn=1":                      "character ' '",
		"net.core/../../x=1":                        "name of a kernel parameter",
		"=1":                                        "name of a kernel parameter",
		"vm.swappiness=":                            "to nothing",
		"vm.swappiness= 1":                          "blank",
		"kernel.printk=4\n4":                        "one line",
		"kernel.printk=\"4 4 1 7\"":                 "quotation marks",
		"kernel.printk=四":                           "printable ASCII",
		"kernel.printk=" + strings.Repeat("1", 600): "at most 512",
		"no equals sign":                            "key=value",
	} {
		err := checkSetting(element)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", element, err, want)
			continue
		}
		if zh := lang.Message(err, lang.ZH); !strings.ContainsFunc(zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%q: no Chinese in %q", element, zh)
		}
	}
	for _, good := range []string{
		"net.core.somaxconn=1024", "net/ipv4/conf/eth0.100/rp_filter=1", "kernel.printk=4 4 1 7",
		"net.ipv4.ip_local_port_range=1024\t65535", "kernel.yama.ptrace_scope=2", "kernel.modules_disabled=0",
		"net.ipv4.tcp_congestion_control=bbr", "fs.nr_open=2000000",
	} {
		if err := checkSetting(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestKernelReleasesAreRead(t *testing.T) {
	for release, want := range map[string]Version{
		"4.19.90-52.22.v2207.ky10.aarch64": {4, 19},
		"5.10.0-136.12.0.86.oe2203sp1":     {5, 10},
		"6.6.0-28":                         {6, 6},
		"6.18":                             {6, 18},
		"4.4-rc1":                          {4, 4},
	} {
		if v, ok := parseRelease(release); !ok || v != want {
			t.Errorf("%s: %v %v", release, v, ok)
		}
	}
	for _, bad := range []string{"", "6", "x.y", "6.x", "-1.2", "."} {
		if v, ok := parseRelease(bad); ok {
			t.Errorf("%q is read as %v", bad, v)
		}
	}
}

func TestRecipesKeysThatAreGoneAreNamed(t *testing.T) {
	for _, c := range []struct {
		key     string
		release Version
		gone    bool
		says    string
	}{
		{"net.ipv4.tcp_tw_recycle", Version{4, 19}, true, "4.12"},
		{"net.ipv4.tcp_tw_recycle", Version{}, true, "4.12"},
		{"net.ipv4.tcp_tw_recycle", Version{4, 9}, false, ""},
		{"kernel.sched_min_granularity_ns", Version{6, 6}, true, "5.13"},
		{"kernel.sched_min_granularity_ns", Version{5, 10}, false, ""},
		{"kernel.sched_min_granularity_ns", Version{}, false, ""},
		{"net.core.somaxconn", Version{6, 6}, false, ""},
	} {
		text, is := gone(c.key, c.release)
		if is != c.gone || is && !strings.Contains(text.EN, c.says) {
			t.Errorf("%s on %s: %v %q", c.key, c.release, is, text.EN)
		}
	}
}
