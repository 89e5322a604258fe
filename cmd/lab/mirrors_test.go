//go:build e2e

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"goxin/steps/race/hostile"
)

// leg is one mirror of the world: an address of its own with a device of its
// own, so that a rate of its own holds for it.
type leg struct {
	Name    string `json:"name"`
	Address string `json:"address"`
	Device  string `json:"device"`
	Root    string `json:"root"`
	Kind    string `json:"kind,omitempty"`

	rate int  // Mbit/s; 0: nothing is there, and no address either
	mute bool // nobody listens
}

// The mirrors beside the good ones. The vendor's own site is slow; those that
// lie are the fastest there are, so that only what they serve can rule them out.
func mirrorWorld(rates [3]int) []leg {
	legs := []leg{
		{Name: "official", Root: Good, rate: 6},
		{Name: "good-a", Root: Good, rate: rates[0]},
		{Name: "good-b", Root: Good, rate: rates[1]},
		{Name: "good-c", Root: Good, rate: rates[2]},
		{Name: "stale", Root: Stale, rate: 200},
		{Name: "stranger", Root: Stranger, rate: 200},
		{Name: "foreign", Root: Foreign, rate: 200},
		{Name: "dead"},
		{Name: "refusing", rate: 200, mute: true},
	}
	for _, kind := range hostile.Kinds() {
		legs = append(legs, leg{Name: "h-" + kind, Root: Good, Kind: kind, rate: 200})
	}
	for i := range legs {
		l := &legs[i]
		l.Address, l.Device, l.Root = fmt.Sprintf("10.9.0.%d", 10+i), fmt.Sprintf("m%d", 10+i), "/srv/mirror/"+l.Root
	}
	return legs
}

// Mirrors is the machine that is all mirrors.
type Mirrors struct {
	*Box
	Legs []leg
	repo string // on the host
}

// Mirrors makes the mirrors of the lab's network and starts serving.
func (l *TestLab) Mirrors(t *testing.T, rates [3]int) *Mirrors {
	t.Helper()
	ctx := context.Background()
	repo, err := run.lab.Repository(ctx)
	if err != nil {
		t.Fatal(err)
	}
	program, err := run.lab.program(ctx, "mirrorsd")
	if err != nil {
		t.Fatal(err)
	}
	box := l.startSpec(t, Spec{
		Name: "mirrors", Uses: []string{repo, program},
		Binds: []string{repo + ":/srv/mirror", program + ":/srv/mirrorsd"},
	})
	m := &Mirrors{Box: box, repo: repo, Legs: mirrorWorld(rates)}
	m.serve()
	m.Rate(rates)
	return m
}

func (m *Mirrors) serve() {
	m.t.Helper()
	begin := time.Now()
	var ip strings.Builder
	var served []leg
	for _, l := range m.Legs {
		if l.rate == 0 {
			continue
		}
		fmt.Fprintf(&ip, "link add %s link host0 type macvlan mode bridge\naddress add %s/24 dev %s\nlink set %s up\n", l.Device, l.Address, l.Device, l.Device)
		if !l.mute {
			served = append(served, l)
		}
	}
	config, err := json.Marshal(served)
	ok(m.t, err)
	m.Do("mkdir", "-p", "/run/mirrors", "/run/mirrorsd")
	m.Write("/run/mirrors/legs.json", string(config), 0o644)
	m.Write("/run/mirrors/ip", ip.String(), 0o644)
	// Each device answers for its own address alone (ip-sysctl: arp_ignore).
	m.Sh(`sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0
ip link set host0 up
ip -batch /run/mirrors/ip
systemd-run --quiet --unit=mirrorsd --collect --property=Type=notify --property=NotifyAccess=all /srv/mirrorsd /run/mirrors/legs.json`)
	m.t.Logf("%d mirrors up in %v", len(m.Legs), time.Since(begin).Round(time.Millisecond))
}

// Rate gives the three good mirrors other rates, in Mbit/s.
func (m *Mirrors) Rate(rates [3]int) {
	m.t.Helper()
	m.Legs = mirrorWorld(rates)
	m.throttle()
}

// throttle has each mirror's device keep to its rate.
func (m *Mirrors) throttle() {
	m.t.Helper()
	var tc strings.Builder
	for _, l := range m.Legs {
		if l.rate > 0 {
			fmt.Fprintf(&tc, "qdisc replace dev %s root tbf rate %dmbit burst %dkb latency 100ms\n", l.Device, l.rate, max(16, l.rate))
		}
	}
	m.Write("/run/mirrors/tc", tc.String(), 0o644)
	m.Do("tc", "-batch", "/run/mirrors/tc")
}

// Turn alters what a mirror serves from now on: "index" or "packages", after
// that "managers" if only apt and dnf are to see it; "" turns it back.
func (m *Mirrors) Turn(name, what string) {
	m.t.Helper()
	if what == "" {
		m.Do("rm", "-f", "/run/mirrorsd/"+name)
		return
	}
	m.Write("/run/mirrorsd/"+name, what, 0o644)
}

func (m *Mirrors) leg(name string) leg {
	m.t.Helper()
	for _, l := range m.Legs {
		if l.Name == name {
			return l
		}
	}
	m.t.Fatalf("no mirror is called %q", name)
	return leg{}
}

// Best is the mirror that a person with a week's time would choose.
func (m *Mirrors) Best() leg {
	m.t.Helper()
	best := leg{}
	for _, l := range m.Legs {
		if filepath.Base(l.Root) == Good && l.Kind == "" && !l.mute && l.rate > best.rate {
			best = l
		}
	}
	return best
}

// vendors are the names of the vendors' own sites, which are the slow mirror.
const vendors = "deb.debian.org repo.openeuler.org"

// join gives a machine its address in the mirrors' network. It knows the
// vendors' names and no others.
func (m *Mirrors) join(b *Box, address string) {
	m.t.Helper()
	b.Sh(fmt.Sprintf("ip address add %s/24 dev host0; ip link set host0 up; printf '%%s\\n' '127.0.0.1 localhost' '%s %s' >/etc/hosts",
		address, m.leg("official").Address, vendors))
}

// key gives the key that signs the good repositories, armoured.
func (m *Mirrors) key() string {
	m.t.Helper()
	return hostFile(m.t, filepath.Join(m.repo, "lab.asc"))
}
