package vrrp

import "testing"

func TestCapabilitiesGrowWithTheVersion(t *testing.T) {
	count := func(c Caps) (n int) {
		for _, b := range []bool{c.ConfigTest, c.TrackFile, c.TrackFileSection, c.TrackProcess, c.MinTTL, c.ReloadCheck, c.DownTimerAdverts, c.UnicastFaultNoPeer, c.NamesItself, c.HMAC} {
			if b {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		line, version string
		major, caps   int
	}{
		{"Keepalived v1.3.5 (03/19,2017), git commit v1.3.5-6-g6fa32f2", "1.3.5", 1, 0},
		{"Keepalived v2.0.10 (11/12,2018)", "2.0.10", 2, 2},
		{"2.0.20", "2.0.20", 2, 3},
		{"Keepalived v2.1.5 (07/13,2020)", "2.1.5", 2, 4},
		{"Keepalived v2.2.4 (08/21,2021)", "2.2.4", 2, 7},
		{"Keepalived v2.2.7 (01/16,2022)", "2.2.7", 2, 7},
		{"Keepalived v2.3.3 (03/30,2025)", "2.3.3", 2, 9},
		{"v2.4.0", "2.4.0", 2, 10},
		{"10.0.0", "10.0.0", 10, 10},
		{"bash: keepalived: command not found", "", 0, 0},
		{"99999999999999999999.1.1", "", 0, 0},
	} {
		got := Capabilities(c.line)
		if got.Version != c.version || got.Major != c.major || count(got) != c.caps {
			t.Errorf("%s: %+v, want %s with %d capabilities", c.line, got, c.version, c.caps)
		}
	}
}
