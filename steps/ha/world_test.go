package ha

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
	"goxin/steps/stock"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

const there = machine.ID("peer:b")

// world is a pair that nothing is wrong with; tests spoil it.
type world struct {
	hosts engine.Hosts
	seen  survey
	v     engine.Values
}

func newWorld() *world {
	facts := func() *detect.Facts {
		f := &detect.Facts{Running: true, Virt: steptest.Fact("none")}
		f.Init.Name = steptest.Fact("systemd")
		f.Packages.Manager = steptest.Fact("apt")
		return f
	}
	addr, mac := netip.MustParseAddr, map[machine.ID]string{machine.LocalID: "02:00:00:00:00:01", there: "02:00:00:00:00:02"}
	one := func(id machine.ID, own, peer string) *node {
		other := there
		if id == there {
			other = machine.LocalID
		}
		net := netip.PrefixFrom(addr(own), 24)
		return &node{
			Interfaces: []iface{{"lo", "00:00:00:00:00:00", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8")}}, {"eth0", mac[id], []netip.Prefix{net}}},
			Interface:  "eth0", Address: net, MAC: mac[id], Keepalived: "2.2.7", Relays: true,
			Packages: &stock.Seen{Manager: "apt", Asked: true, Installed: map[string]string{}, Available: map[string]string{"keepalived": "1:2.2.7-1+b2", "nginx": "1.22.1-9"}},
			Found:    &wire.Found{Address: addr("10.9.0.100")}, Peer: &wire.Found{Address: addr(peer), MACs: []string{mac[other]}},
			Heard: &wire.Heard{For: listens}, Passes: &wire.Arrived{Sent: 5, Received: 5, TTL: 255},
		}
	}
	return &world{
		engine.Hosts{Order: []machine.ID{machine.LocalID, there}, Facts: map[machine.ID]*detect.Facts{machine.LocalID: facts(), there: facts()}},
		survey{machine.LocalID: one(machine.LocalID, "10.9.0.1", "10.9.0.2"), there: one(there, "10.9.0.2", "10.9.0.1")},
		engine.Values{KeyVIP: "10.9.0.100"},
	}
}

func (w *world) survey(t *testing.T) engine.Survey {
	t.Helper()
	b, err := json.Marshal(w.seen)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (w *world) ops(t *testing.T) ([]engine.Item, error) {
	t.Helper()
	return Step{}.Ops(w.hosts, w.survey(t), w.v)
}

func router(vrid int, from string) wire.Router {
	return wire.Router{Advert: vrrp.Advert{Version: 3, VRID: vrid, Priority: 100, Interval: time.Second}, From: netip.MustParseAddr(from), MAC: "02:00:00:00:00:09"}
}
