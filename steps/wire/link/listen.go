package link

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"time"

	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// How an address is probed: RFC 5227 §1.1 asks three times, one to two seconds apart, and
// waits two more, for hosts that may still be starting. A preflight asks as often, and
// gives a host that runs a second to answer.
const (
	probes     = 3
	probeEvery = 400 * time.Millisecond
	probeWait  = time.Second
)

// Probe asks who has ip.
func Probe(ctx context.Context, iface string, ip netip.Addr) (wire.Found, error) {
	p, err := open(iface)
	if err != nil {
		return wire.Found{}, err
	}
	defer p.Close()
	f := wire.Found{Address: ip, MACs: []string{}, Local: has(ip)}
	own := p.iface.HardwareAddr.String()
	for i := range probes {
		if err := p.broadcast(probe(p.iface.HardwareAddr, ip)); err != nil {
			return f, opening(err, iface)
		}
		wait := probeEvery
		if i == probes-1 {
			wait = probeWait
		}
		err := p.each(ctx, time.Now().Add(wait), func(fr frame) bool {
			if a, ok := parseARP(fr.data); ok && fr.arp && !fr.mine && a.mac() != own && (a.claims(ip) || a.wants(ip)) {
				f.MACs = claimant(f.MACs, a.mac())
			}
			return true
		})
		if err != nil {
			return f, err
		}
	}
	slices.Sort(f.MACs)
	return f, nil
}

// The most that is remembered: a segment may be flooded with claims of made-up addresses.
const (
	mostRouters   = 1024
	mostClaims    = 4096
	mostClaimants = 64 // of one address
)

// claimant notes one more who claims an address.
func claimant(macs []string, mac string) []string {
	if len(macs) == mostClaimants || slices.Contains(macs, mac) {
		return macs
	}
	return append(macs, mac)
}

// Listen hears until d is over or ctx is done, and tells what it has heard at the end,
// and, with every > 0, what it heard within each of those times; vip is then asked for
// once in each, where it is valid.
func Listen(ctx context.Context, iface string, d, every time.Duration, vip netip.Addr, tell func(wire.Heard)) error {
	p, err := open(iface)
	if err != nil {
		return err
	}
	defer p.Close()
	end := time.Now().Add(d)
	for {
		now := time.Now()
		e := newEar(now)
		until := end
		if every > 0 {
			until = now.Add(every)
			if until.After(end) {
				until = end
			}
			if vip.IsValid() {
				e.found = &wire.Found{Address: vip, MACs: []string{}, Local: has(vip)}
				if err := p.broadcast(probe(p.iface.HardwareAddr, vip)); err != nil {
					return opening(err, iface)
				}
			}
		}
		err := p.each(ctx, until, func(fr frame) bool { e.hear(fr, time.Now()); return true })
		if err != nil {
			return err
		}
		tell(e.heard(time.Now()))
		if !until.Before(end) {
			return nil
		}
	}
}

// ear gathers what it hears.
type ear struct {
	began   time.Time
	routers map[routerKey]*heardRouter
	claims  map[claimKey]*heardClaim
	found   *wire.Found
}

type routerKey struct {
	from, to netip.Addr
	vrid     int
	version  int
}

type claimKey struct {
	address netip.Addr
	mac     string
}

type heardRouter struct {
	wire.Router
	at time.Time
}

type heardClaim struct {
	wire.Claim
	at time.Time
}

func newEar(now time.Time) *ear {
	return &ear{began: now, routers: map[routerKey]*heardRouter{}, claims: map[claimKey]*heardClaim{}}
}

func (e *ear) hear(fr frame, now time.Time) {
	if fr.arp {
		if a, ok := parseARP(fr.data); ok && !a.senderIP.IsUnspecified() {
			e.claim(a, fr.mine, now)
		}
		return
	}
	d, ok := parseIP(fr.data)
	if !ok {
		return
	}
	a, err := vrrp.Parse(d.payload)
	if err != nil {
		return // a test of ours, or nothing a router would heed
	}
	k := routerKey{d.from, d.to, a.VRID, a.Version}
	r := e.routers[k]
	if r == nil {
		if len(e.routers) == mostRouters {
			return
		}
		r = &heardRouter{}
		e.routers[k] = r
	}
	goodbyes := r.Goodbyes
	if a.Priority == 0 {
		goodbyes++
	}
	*r = heardRouter{wire.Router{Advert: a, From: d.from, To: d.to, MAC: fr.mac, Mine: fr.mine, TTL: d.ttl, Count: r.Count + 1, Goodbyes: goodbyes}, now}
}

func (e *ear) claim(a arp, mine bool, now time.Time) {
	k := claimKey{a.senderIP, a.mac()}
	c := e.claims[k]
	if c == nil {
		if len(e.claims) == mostClaims {
			return
		}
		c = &heardClaim{Claim: wire.Claim{Address: a.senderIP, MAC: k.mac, Mine: mine}}
		e.claims[k] = c
	}
	c.Count++
	if a.senderIP == a.targetIP { // gratuitous, as a request or as a reply
		c.Announce++
	}
	c.at = now
	// Who answers the probe, not whoever says so later: while an address moves, both do.
	if f := e.found; f != nil && a.senderIP == f.Address && !mine && a.op == arpReply && a.targetIP.IsUnspecified() &&
		now.Sub(e.began) < probeEvery {
		f.MACs = claimant(f.MACs, k.mac)
	}
}

// heard is all of it, in an order that does not change.
func (e *ear) heard(now time.Time) wire.Heard {
	h := wire.Heard{For: now.Sub(e.began), Routers: []wire.Router{}, Claims: []wire.Claim{}, Probed: e.found}
	for _, r := range e.routers {
		r.Age = now.Sub(r.at)
		h.Routers = append(h.Routers, r.Router)
	}
	for _, c := range e.claims {
		c.Age = now.Sub(c.at)
		h.Claims = append(h.Claims, c.Claim)
	}
	slices.SortFunc(h.Routers, func(a, b wire.Router) int {
		return cmp.Or(cmp.Compare(a.Advert.VRID, b.Advert.VRID), a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Advert.Version, b.Advert.Version))
	})
	slices.SortFunc(h.Claims, func(a, b wire.Claim) int {
		return cmp.Or(a.Address.Compare(b.Address), cmp.Compare(a.MAC, b.MAC))
	})
	if e.found != nil {
		slices.Sort(e.found.MACs)
	}
	return h
}
