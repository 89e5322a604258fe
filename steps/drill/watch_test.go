package drill

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

func TestMetricsFollowTheWire(t *testing.T) {
	w := Watch{VIP: vip, Interface: "eth0"}
	at := time.Unix(1000, 0)
	own := wire.Router{Advert: vrrp.Advert{VRID: 77, Interval: 200 * time.Millisecond, Addresses: []netip.Addr{vip}}, Age: 100 * time.Millisecond}
	if !w.Hear(wire.Heard{Probed: &wire.Found{MACs: []string{"0a"}}, Routers: []wire.Router{own}}, at) {
		t.Error("the first owner is news")
	}
	if w.Hear(wire.Heard{Probed: &wire.Found{MACs: []string{"0a"}}}, at.Add(5*time.Second)) {
		t.Error("the same owner is none")
	}
	const one = `# HELP goxin_vip_owners Nodes that answer ARP for the virtual address: 1 is right.
# TYPE goxin_vip_owners gauge
goxin_vip_owners{vip="10.0.0.100"} 1
# HELP goxin_vip_owner Who answers, by hardware address.
# TYPE goxin_vip_owner gauge
goxin_vip_owner{vip="10.0.0.100",owner="0a"} 1
# HELP goxin_vip_advert_age_seconds Since the last VRRP advertisement for the address was heard.
# TYPE goxin_vip_advert_age_seconds gauge
goxin_vip_advert_age_seconds{vip="10.0.0.100"} 5.1
# HELP goxin_vip_advert_interval_seconds How often its owner says that it advertises.
# TYPE goxin_vip_advert_interval_seconds gauge
goxin_vip_advert_interval_seconds{vip="10.0.0.100"} 0.2
# HELP goxin_vip_vrid Its virtual router ID.
# TYPE goxin_vip_vrid gauge
goxin_vip_vrid{vip="10.0.0.100"} 77
# HELP goxin_vrrp_foreign_routers Virtual routers of others on the segment.
# TYPE goxin_vrrp_foreign_routers gauge
goxin_vrrp_foreign_routers{interface="eth0"} 0
# HELP goxin_vip_watched_timestamp_seconds When this was seen.
# TYPE goxin_vip_watched_timestamp_seconds gauge
goxin_vip_watched_timestamp_seconds{vip="10.0.0.100"} 1005
`
	if got := string(w.Metrics()); got != one {
		t.Errorf("%s", got)
	}
	foreign := wire.Router{Advert: vrrp.Advert{VRID: 77}, From: netip.MustParseAddr("10.0.0.9")}
	other := wire.Router{Advert: vrrp.Advert{VRID: 51}, From: netip.MustParseAddr("10.0.0.8")}
	if !w.Hear(wire.Heard{Probed: &wire.Found{MACs: []string{"0b"}, Local: true}, Routers: []wire.Router{foreign, other}}, at) {
		t.Error("two owners are news")
	}
	got := string(w.Metrics())
	for _, line := range []string{
		`goxin_vip_owners{vip="10.0.0.100"} 2`, `goxin_vip_owner{vip="10.0.0.100",owner="here"} 1`, `goxin_vrrp_foreign_routers{interface="eth0"} 2`,
		`goxin_vrrp_foreign_router{interface="eth0",vrid="77",from="10.0.0.9"} 2`, `goxin_vrrp_foreign_router{interface="eth0",vrid="51",from="10.0.0.8"} 1`,
	} {
		if !strings.Contains(got, line+"\n") {
			t.Errorf("no %s in\n%s", line, got)
		}
	}
	if (&Watch{VIP: vip}).Hear(wire.Heard{}, at) {
		t.Error("nobody was heard, and nobody had been")
	}
}
