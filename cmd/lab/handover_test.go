//go:build e2e

package main

import (
	"strings"
	"time"
)

// mostLost is how many requests a planned handover may cost at a thousand a second.
const mostLost = 5

// handsOver has a person hand the address over from one node to the other, ten times by
// the unit for that and once by stopping keepalived, while the client asks a thousand
// times a second. Each node has the relay's rules, which a reload of nftables.service, that
// flushes all there are, does not take away.
func (p *Pair) handsOver() {
	t := p.t
	t.Helper()
	for _, b := range []*Box{p.A1, p.A2} {
		b.Do("systemctl", "start", "nftables")
		b.Do("systemctl", "reload", "nftables")
		b.Sh("until nft list table ip goxin_vip >/dev/null 2>&1; do sleep 0.1; done")
	}
	begin := time.Now()
	for i := range handovers + 1 {
		unit := "goxin-vip"
		if i == handovers {
			unit = "keepalived"
		}
		owner, other := p.has(pairVIP)
		s := p.Watch(pairVIP, 80, "/healthz", time.Millisecond, func() {
			owner.Do("systemctl", "stop", unit)
			other.Sh("until ip -o address show host0 | grep -q '" + pairVIP + "/'; do sleep 0.05; done")
		})
		t.Logf("%s stopped: %v %v", unit, s, s.Misses)
		if now, _ := p.has(pairVIP); now != other || s.Lost > mostLost || len(s.Nodes) != 2 {
			t.Errorf("handed over by stopping %s: %v", unit, s)
		}
		owner.Do("systemctl", "start", unit, "goxin-vip")
		owner.Sh("until journalctl -q -o cat -u keepalived -n 1 -g 'Entering .* STATE' | grep -q BACKUP; do sleep 0.1; done")
	}
	t.Logf("handed over %d times in %v", handovers+1, time.Since(begin).Round(time.Second))
}

// hasNoRelay fails where the relay's rules have outlived the pair.
func (b *Box) hasNoRelay() {
	b.t.Helper()
	if tables := b.Do("nft", "list", "tables"); strings.Contains(tables, "goxin") {
		b.t.Errorf("%s: %s", b.Name(), tables)
	}
}
