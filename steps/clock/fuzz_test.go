package clock

import (
	"slices"
	"strings"
	"testing"
)

func FuzzEditChrony(f *testing.F) {
	for _, s := range []string{chronyConf35, chronyConfDebian, "server a\r\npool b", "\xff\nserver\n", "!\n;\n%\n#", "server A\r", "MAKESTEP"} {
		f.Add(s)
	}
	servers := []string{"10.0.0.1", "cn.pool.ntp.org"}
	f.Fuzz(func(t *testing.T, s string) {
		once := editChrony(s, servers)
		if twice := editChrony(once, servers); twice != once {
			t.Errorf("edited again: %q, once: %q", twice, once)
		}
		var names []string
		for _, d := range parseChrony(once) {
			if src, is := d.source(""); is && (src.Kind == "server" || src.Kind == "pool") {
				names = append(names, strings.ToLower(src.Name))
			}
		}
		slices.Sort(names)
		if names = slices.Compact(names); !slices.Equal(names, servers) {
			t.Errorf("asks %q after the edit of %q", names, s)
		}
		// What was there is there still, comments made of lines aside.
		if old := strings.ReplaceAll(once, "# goxin: ", ""); !strings.HasPrefix(old, strings.ReplaceAll(s, "# goxin: ", "")) {
			t.Errorf("bytes of %q are gone: %q", s, once)
		}
	})
}

func FuzzTimesyncd(f *testing.F) {
	f.Add("[Time]\nNTP=a b\nFallbackNTP=\n")
	f.Add("[Time\nNTP\n=\n[]\nServers = x")
	f.Fuzz(func(t *testing.T, s string) {
		n := strings.Count(s, "\n") + 1
		for _, l := range parseTimesyncd(s) {
			if l.Line < 1 || l.Line > n || l.Key != "NTP" && l.Key != "FallbackNTP" {
				t.Errorf("%+v of %d lines", l, n)
			}
		}
	})
}

func FuzzServer(f *testing.F) {
	for _, s := range []string{"ntp.aliyun.com", "fd00::1", "::", "1.2.3.4", "a b", "::1.2.3.4:", ":"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parsePeer(s)
		if h, ok := urlHost("http://" + s); ok && (strings.ContainsAny(h, " \t\r\n/@") || h == "") {
			t.Errorf("%q is no host", h)
		}
		if checkServer(s) != nil {
			return
		}
		// What is taken comes back from the files as it was meant.
		s = strings.ToLower(s)
		d := parseChrony(chronyDropIn([]string{s}, true, false))
		l := parseTimesyncd(timesyncdDropIn([]string{s}))
		if len(d) != 1 || d[0].Args[0] != s || len(l) != 2 || !slices.Equal(l[1].Names, []string{s}) {
			t.Errorf("%q is read back as %+v and %+v", s, d, l)
		}
	})
}
