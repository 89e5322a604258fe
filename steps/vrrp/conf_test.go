package vrrp

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func conf(t *testing.T, name string) Conf {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseConf(b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return c
}

func TestParseConfReadsBlocksCommentsAndQuotes(t *testing.T) {
	c := conf(t, "seed-a.conf")
	if len(c.Instances) != 1 || !c.Strict || len(c.Includes) != 1 {
		t.Fatalf("%+v", c)
	}
	i := c.Instances[0]
	if i.Name != "VI_1" || i.State != "MASTER" || i.Interface != "eth0" || i.VRID != 51 || i.Priority != 100 || i.Version != 2 ||
		i.Advert != time.Second || i.Auth != "PASS 1111" || strings.Join(i.Addresses, " ") != "192.168.1.100" ||
		strings.Join(i.Tracks, " ") != "chk_nginx" || strings.Join(i.Weighted, " ") != "chk_nginx" {
		t.Errorf("%+v", i)
	}
}

func TestAgreeFindsWhatConfigTestsCannotSee(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(s string) string
		says string // "" nothing
	}{
		{"a pair that agrees", func(s string) string { return s }, ""},
		{"another virtual router", func(s string) string { return strings.Replace(s, "virtual_router_id 101", "virtual_router_id 102", 1) }, "virtual_router_id is 101"},
		{"another interval", func(s string) string { return strings.Replace(s, "advert_int 0.2", "advert_int 1", 1) }, "advert_int is 200ms"},
		{"another address", func(s string) string { return strings.Replace(s, "10.9.0.100/24", "10.9.0.101/24", 1) }, "virtual_ipaddress is 10.9.0.100/24"},
		{"one priority", func(s string) string { return strings.Replace(s, "priority 253", "priority 254", 1) }, "priority 254"},
		{"a third peer", func(s string) string { return strings.Replace(s, "10.9.0.1 min_ttl", "10.9.0.7 min_ttl", 1) }, "unicast_peer"},
		{"multicast", func(s string) string { return strings.Replace(s, "10.9.0.1 min_ttl 255", "", 1) }, "unicast is true"},
		{"a weight under nopreempt", func(s string) string { return strings.Replace(s, "weight 0", "weight -20", 1) }, "nopreempt"},
		{"nothing is checked", func(s string) string { return strings.Split(s, "    track_file {")[0] + "}\n" }, "do not track the same"},
		{"another instance", func(s string) string { return strings.Replace(s, "vrrp_instance goxin", "vrrp_instance other", 1) }, "only one node"},
		{"a password on one", func(s string) string {
			return strings.Replace(s, "    nopreempt", "    nopreempt\n    authentication {\n        auth_type PASS\n        auth_pass 1111\n    }", 1)
		}, "authentication is false"},
	} {
		b, err := os.ReadFile("testdata/pair-b.conf")
		if err != nil {
			t.Fatal(err)
		}
		other, err := ParseConf([]byte(c.edit(string(b))))
		if err != nil {
			t.Fatal(err)
		}
		var said []string
		for _, f := range Agree(conf(t, "pair-a.conf"), other) {
			said = append(said, f.Text.EN)
		}
		all := strings.Join(said, "\n")
		if c.says == "" && all != "" || !strings.Contains(all, c.says) {
			t.Errorf("%s: %q, want %q", c.name, all, c.says)
		}
		if strings.Contains(all, "1111") {
			t.Errorf("%s: a password is shown: %q", c.name, all)
		}
	}
}

func TestTheSeedsConfigurationIsFullOfTraps(t *testing.T) {
	var broken, traps int
	for _, f := range Traps(conf(t, "seed-a.conf")) {
		if f.Broken {
			broken++
		} else {
			traps++
		}
	}
	if broken != 2 || traps != 2 { // vrrp_strict with a password, nopreempt with a weight; MASTER with nopreempt, the password
		t.Errorf("%d broken and %d traps: %+v", broken, traps, Traps(conf(t, "seed-a.conf")))
	}
}

func TestParseConfRefuses(t *testing.T) {
	for _, c := range []struct{ text, cause string }{
		{"vrrp_instance a {", "not closed"},
		{"}", "line 1 closes"},
		{strings.Repeat("a {\n", 40), "nested"},
		{strings.Repeat("#", mostBytes+1), "longer"},
		{"\x7fELF\x00", "no text"},
	} {
		if _, err := ParseConf([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.cause) {
			t.Errorf("%.20q: %v, want %s", c.text, err, c.cause)
		}
	}
}

func FuzzParseConf(f *testing.F) {
	for _, name := range []string{"pair-a.conf", "seed-a.conf"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("vrrp_instance\n{\nadvert_int -1\nvirtual_ipaddress { \"\n}\n{}\n}")
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseConf([]byte(s))
		if err != nil {
			return
		}
		for _, finding := range Agree(c, c) {
			if strings.Contains(finding.Text.EN, "only one node") {
				t.Errorf("a configuration does not agree with itself: %s", finding.Text.EN)
			}
		}
	})
}
