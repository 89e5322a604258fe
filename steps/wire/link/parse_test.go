package link

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

var (
	ours   = netip.MustParseAddr("10.0.0.100")
	theirs = netip.MustParseAddr("10.0.0.7")
	mac    = [6]byte{2, 0, 0, 0, 0, 10}
)

func arpOf(op byte, sender, target netip.Addr) []byte {
	b := probe(mac[:], target)
	b[7] = op
	s := sender.As4()
	copy(b[14:], s[:])
	return b
}

func TestAProbeTeachesNobody(t *testing.T) {
	a, ok := parseARP(probe(mac[:], ours))
	if !ok || !a.senderIP.IsUnspecified() || a.targetIP != ours || a.op != arpRequest || a.mac() != "02:00:00:00:00:0a" || !a.wants(ours) || a.claims(ours) {
		t.Errorf("%+v", a)
	}
}

func TestARPThatIsNoneIsPassedOver(t *testing.T) {
	good := arpOf(arpReply, ours, theirs)
	if a, ok := parseARP(append(good, make([]byte, 18)...)); !ok || !a.claims(ours) { // padded to 46 bytes
		t.Errorf("%+v", a)
	}
	for i, wrong := range map[int]byte{0: 9, 2: 9, 4: 9, 5: 9, 6: 9} {
		b := append([]byte(nil), good...)
		b[i] = wrong
		if _, ok := parseARP(b); ok {
			t.Errorf("byte %d of %d was let through", i, wrong)
		}
	}
	if _, ok := parseARP(good[:27]); ok {
		t.Error("half of one was let through")
	}
}

// packet is an IP packet around an advert.
func packet(from, to netip.Addr, payload []byte) []byte {
	b := make([]byte, 20, 20+len(payload))
	b[0], b[3], b[8], b[9] = 0x45, byte(20+len(payload)), 255, vrrp.Protocol
	f, g := from.As4(), to.As4()
	copy(b[12:], f[:])
	copy(b[16:], g[:])
	return append(b, payload...)
}

func advert(vrid, priority int) []byte {
	return vrrp.Advert{Version: 3, VRID: vrid, Priority: priority, Interval: time.Second, Addresses: []netip.Addr{ours}}.Bytes(theirs, vrrp.Group)
}

func TestIPThatIsNoneIsPassedOver(t *testing.T) {
	good := packet(theirs, vrrp.Group, advert(51, 100))
	if d, ok := parseIP(append(good, 0, 0, 0, 0)); !ok || d.from != theirs || d.ttl != 255 || len(d.payload) != 12 {
		t.Errorf("%+v", d)
	}
	for name, change := range map[string]func(b []byte) []byte{
		"another protocol":   func(b []byte) []byte { b[9] = 6; return b },
		"version 6":          func(b []byte) []byte { b[0] = 0x65; return b },
		"a head too short":   func(b []byte) []byte { b[0] = 0x44; return b },
		"a head too long":    func(b []byte) []byte { b[0] = 0x4f; return b },
		"longer than it is":  func(b []byte) []byte { b[3] = 200; return b },
		"a later fragment":   func(b []byte) []byte { b[7] = 1; return b },
		"cut in its head":    func(b []byte) []byte { return b[:19] },
		"nothing":            func(b []byte) []byte { return nil },
		"shorter than it is": func(b []byte) []byte { b[3] = 10; return b },
	} {
		if _, ok := parseIP(change(append([]byte(nil), good...))); ok {
			t.Errorf("%s was let through", name)
		}
	}
}

func TestAnEarTellsWhoAdvertisesAndWhoClaims(t *testing.T) {
	began := time.Unix(1000, 0)
	e := newEar(began)
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	e.hear(frame{data: packet(theirs, vrrp.Group, advert(51, 100)), mac: "02:00:00:00:00:07"}, at(100))
	e.hear(frame{data: packet(theirs, vrrp.Group, advert(51, 0)), mac: "02:00:00:00:00:07"}, at(300))
	e.hear(frame{data: packet(theirs, vrrp.Group, trial)}, at(300))
	e.hear(frame{arp: true, data: arpOf(arpRequest, ours, ours)}, at(350))
	e.hear(frame{arp: true, data: arpOf(arpReply, ours, theirs)}, at(360))
	e.hear(frame{arp: true, data: probe(mac[:], ours)}, at(370))
	h := e.heard(at(400))
	if len(h.Routers) != 1 || len(h.Claims) != 1 {
		t.Fatalf("%+v", h)
	}
	if r := h.Routers[0]; r.Advert.VRID != 51 || r.Count != 2 || r.Goodbyes != 1 || r.Age != 100*time.Millisecond || r.TTL != 255 || r.From != theirs {
		t.Errorf("%+v", r)
	}
	if c := h.Claims[0]; c.Address != ours || c.Announce != 1 || c.Count != 2 || c.Age != 40*time.Millisecond {
		t.Errorf("%+v", c)
	}
}

func TestAnOwnerIsWhoAnswersTheProbe(t *testing.T) {
	began := time.Unix(0, 0)
	e := newEar(began)
	e.found = &wire.Found{Address: ours, MACs: []string{}}
	e.hear(frame{arp: true, data: arpOf(arpReply, ours, netip.IPv4Unspecified())}, began.Add(time.Millisecond))
	next := arpOf(arpReply, ours, ours) // announced, as the next owner does
	next[13] = 11
	e.hear(frame{arp: true, data: next}, began.Add(2*time.Millisecond))
	late := arpOf(arpReply, ours, netip.IPv4Unspecified()) // somebody else's probe is answered
	late[13] = 12
	e.hear(frame{arp: true, data: late}, began.Add(time.Second))
	if h := e.heard(began.Add(time.Second)); len(h.Probed.MACs) != 1 || h.Probed.MACs[0] != "02:00:00:00:00:0a" {
		t.Errorf("%+v", h.Probed)
	}
}

func TestAFloodIsForgottenRatherThanKept(t *testing.T) {
	e := newEar(time.Unix(0, 0))
	a := netip.MustParseAddr("10.0.0.1")
	for range 3 * mostClaims {
		a = a.Next()
		e.hear(frame{arp: true, data: arpOf(arpReply, a, theirs)}, e.began)
		e.hear(frame{data: packet(a, vrrp.Group, advert(1, 1))}, e.began)
	}
	if h := e.heard(e.began); len(h.Claims) != mostClaims || len(h.Routers) != mostRouters {
		t.Errorf("%d claims, %d routers", len(h.Claims), len(h.Routers))
	}
}

func TestAFloodOfClaimantsIsForgottenRatherThanKept(t *testing.T) {
	var macs []string
	for i := range 3 * mostClaimants {
		mac := fmt.Sprintf("02:00:00:00:00:%02x", i)
		macs = claimant(claimant(macs, mac), mac)
	}
	if len(macs) != mostClaimants || macs[1] != "02:00:00:00:00:01" {
		t.Errorf("%d claimants of one address: %v", len(macs), macs)
	}
}

func TestAQuestionThatCannotBeAskedIsRefused(t *testing.T) {
	for name, q := range map[string]wire.Question{
		"too often":       {VIP: ours, Port: 80, Every: time.Microsecond},
		"hardly ever":     {VIP: ours, Port: 80, Every: time.Hour},
		"no port":         {VIP: ours, Every: time.Second},
		"no IPv4":         {VIP: netip.IPv6Loopback(), Port: 80, Every: time.Second},
		"two headers":     {VIP: ours, Port: 80, Every: time.Second, Path: "/ HTTP/1.0\r\nX: y"},
		"a host of two":   {VIP: ours, Port: 80, Every: time.Second, Host: "a\nb"},
		"no such device":  {VIP: ours, Port: 80, Every: time.Second, Interface: "nowhere0"},
		"a loop for ARP":  {VIP: ours, Port: 80, Every: time.Second, Interface: "lo"},
		"a name too long": {VIP: ours, Port: 80, Every: time.Second, Interface: "an-interface-nobody-can-have"},
	} {
		if a, err := newAsker(q); err == nil {
			a.close()
			t.Errorf("%s was let through", name)
		}
	}
}

func FuzzFramesFromTheWire(f *testing.F) {
	f.Add(arpOf(arpReply, ours, theirs), true)
	f.Add(packet(theirs, vrrp.Group, advert(51, 100)), false)
	f.Fuzz(func(t *testing.T, b []byte, isARP bool) {
		e := newEar(time.Unix(0, 0))
		e.hear(frame{data: b, arp: isARP}, e.began)
		for _, r := range e.heard(e.began).Routers {
			if !r.From.Is4() || r.Advert.VRID == 0 {
				t.Errorf("%+v of %x", r, b)
			}
		}
	})
}
