//go:build e2e

package main

import (
	"strings"
	"time"
)

// logsByThemselves has both nodes log to a small file system of its own while something
// happens: a container's other ones are the host's, and nobody may fill those.
func (p *Pair) logsByThemselves(during func()) {
	p.t.Helper()
	for _, b := range []*Box{p.A1, p.A2} {
		b.Sh(`cp -a /var/log/nginx /run/lab-logs
mount -t tmpfs -o size=32m,mode=755 lab /var/log
mv /run/lab-logs /var/log/nginx
nginx -qs reopen`)
	}
	during()
	for _, b := range []*Box{p.A1, p.A2} {
		b.Sh("umount -l /var/log; nginx -qs reopen")
	}
}

// has is the node with the address, and the one without.
func (p *Pair) has(address string) (owner, other *Box) {
	t := p.t
	t.Helper()
	has := func(b *Box) bool {
		return strings.Contains(b.Do("ip", "-o", "address", "show", "host0"), " "+address+"/")
	}
	one, two := has(p.A1), has(p.A2)
	if one == two {
		t.Fatalf("%s is on a1: %v, on a2: %v", address, one, two)
	}
	if one {
		return p.A1, p.A2
	}
	return p.A2, p.A1
}

// losesPower switches off the node that owns the address while the client asks, and has
// it boot again. It went without a word, so the other one waits for three adverts; it
// takes part again without taking the address back.
func (p *Pair) losesPower(advert time.Duration) {
	t := p.t
	t.Helper()
	owner, other := p.has(pairVIP)
	was, is := p.HardwareAddress(owner), p.HardwareAddress(other)
	begin := time.Now()
	s := p.Watch(pairVIP, 80, "/healthz", 10*time.Millisecond, func() {
		time.Sleep(500 * time.Millisecond)
		owner.MustCut()
		owner.Sh("until journalctl -b -u keepalived | grep -q 'Entering BACKUP STATE'; do sleep 0.1; done")
		time.Sleep(time.Second)
	})
	t.Logf("%s off and on again in %v: %v", owner.Name(), time.Since(begin).Round(time.Millisecond), s)
	if limit := 3*advert + 150*time.Millisecond; s.Gap == 0 || s.Gap > limit {
		t.Errorf("its owner switched off, the address is not answered for %v, want at most %v: %v", s.Gap, limit, s.Misses)
	}
	if s.Both > 0 || len(s.Owners) != 2 || s.Owners[was] == 0 || s.Owners[is] == 0 || len(s.Nodes) != 2 {
		t.Errorf("one after the other should own it, %s and %s: %v", was, is, s)
	}
	if now, _ := p.has(pairVIP); now != other {
		t.Errorf("%s has taken it back", owner.Name())
	}
	p.servesClient()
}
