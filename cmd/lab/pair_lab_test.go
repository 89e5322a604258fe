//go:build e2e

package main

import (
	"fmt"
	"testing"
	"time"
)

// byHand is a keepalived configuration as a person writes it: what the tests of
// the lab look at, goxin or no goxin.
const byHand = `vrrp_instance lab {
    interface host0
    state BACKUP
    nopreempt
    virtual_router_id 77
    priority %d
    advert_int 1
    unicast_src_ip %s
    unicast_peer {
        %s
    }
    virtual_ipaddress {
        ` + pairVIP + `/24
    }
}
`

// What the tests of pairs build on: machines that have nothing of a pair yet get it
// from the lab's archive, a client sees who owns an address and what it loses, and
// cables can be cut. All of it is seen without goxin.
func TestTheLabHasAPairOfMachines(t *testing.T) {
	t.Parallel()
	p := NewPair(t, NewLab(t))
	if got := p.A1.Do("ssh", "-i", pairKey, "-o", "StrictHostKeyChecking=accept-new", "a2", "hostname"); got != p.A2.Name() {
		t.Errorf("the second machine says that it is %s", got)
	}
	for _, b := range []*Box{p.A1, p.A2} {
		b.hasNothingOfAPair()
	}
	before := p.A1.packaged(pairLeaves)
	begin := time.Now()
	for i, b := range []*Box{p.A1, p.A2} {
		b.Sh(fmt.Sprintf(`export DEBIAN_FRONTEND=noninteractive
apt-get install -qq -y --no-install-recommends nginx-light keepalived >/dev/null
sed -i '/listen \[::\]:80/d; s/server_name _;/server_name _; add_header X-Goxin-Node a%d;/' /etc/nginx/sites-available/default
systemctl reload nginx`, i+1))
	}
	t.Logf("nginx and keepalived on both in %v", time.Since(begin).Round(time.Millisecond))
	keepalived := func(b *Box, priority int, own, other string) {
		b.Write("/etc/keepalived/keepalived.conf", fmt.Sprintf(byHand, priority, own, other), 0o644)
		b.Do("systemctl", "restart", "keepalived")
	}
	keepalived(p.A1, 254, firstAddress, secondAddress)
	p.A1.Sh("until ip -o address show host0 | grep -q " + pairVIP + "; do sleep 0.1; done")
	keepalived(p.A2, 100, secondAddress, firstAddress)
	one, two := p.HardwareAddress(p.A1), p.HardwareAddress(p.A2)
	watch := func(during func()) Seen {
		t.Helper()
		s := p.Watch(pairVIP, 80, "/", 10*time.Millisecond, during)
		t.Logf("%v", s)
		return s
	}
	owns := func(b *Box) {
		t.Helper()
		b.Sh("until ip -o address show host0 | grep -q " + pairVIP + "; do sleep 0.05; done")
	}

	t.Log("nothing happens:")
	if s := watch(func() { time.Sleep(time.Second) }); s.Lost != 0 || s.Asked < 50 || s.Nodes["a1"] != s.Asked || s.Owners[one] == 0 || len(s.Owners) != 1 {
		t.Errorf("%+v", s)
	}
	t.Log("nothing of VRRP passes:")
	if s := watch(func() {
		p.Drop("ip protocol 112")
		owns(p.A2)
		time.Sleep(300 * time.Millisecond)
	}); s.Both == 0 || s.Owners[one] == 0 || s.Owners[two] == 0 {
		t.Errorf("two owners were not seen: %+v", s)
	}
	p.DropNothing()
	p.A2.Sh("while ip -o address show host0 | grep -q " + pairVIP + "; do sleep 0.05; done")
	t.Log("the owner is cut off and does not notice:")
	if s := watch(func() {
		p.Cut(p.A1)
		owns(p.A2)
		time.Sleep(300 * time.Millisecond)
	}); s.Gap < 2*time.Second || s.Gap > 10*time.Second || s.Lost < 100 || s.Nodes["a2"] == 0 || s.Both != 0 {
		t.Errorf("%+v", s)
	}
	p.Plug(p.A1)
	t.Log("the other's cable is taken out:")
	p.Unplug(p.A2)
	if got := p.A2.Do("cat", "/sys/class/net/host0/operstate"); got == "up" {
		t.Error("it does not see that its cable is out")
	}
	p.Plug(p.A2)

	p.A2.MustReboot()
	p.Client.Do("ping", "-c1", "-w5", secondAddress)
	p.A1.Sh("systemctl stop keepalived; rm /etc/keepalived/keepalived.conf; apt-get purge -qq -y --auto-remove nginx-light nginx nginx-common keepalived >/dev/null 2>&1")
	before.same(t, p.A1.packaged(pairLeaves))
}

// hasNothingOfAPair fails unless what a step brings is not there: otherwise that it
// brings it could not be proved.
func (b *Box) hasNothingOfAPair() {
	b.t.Helper()
	for _, name := range []string{"nginx", "keepalived", "nft", "iptables", "arping", "sudo", program} {
		if r := b.Try("sh", "-c", "command -v "+name); r.Code == 0 && (name != program || b.Name()[len(b.Name())-2:] != "a1") {
			b.t.Errorf("%s is there: %s", name, r.Out)
		}
	}
}
