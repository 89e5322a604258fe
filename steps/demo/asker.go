package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"goxin/steps/vrrp"
	ether "goxin/steps/wire"
)

// asker asks an address again and again from a machine, as `goxin wire ask` does.
type asker struct {
	from  *node
	ip    netip.Addr
	port  int
	every time.Duration
	limit time.Duration
	arp   bool
	began time.Time
	asked int
	batch ether.Batch
	owner ether.Owners
	seen  bool // an owner was asked for
	over  bool
}

// answerer is the node that gets what is sent to the address from here, and whether all
// that do are more than one.
func (n *node) answerer(ip netip.Addr) *node {
	for _, o := range n.g.nodes {
		if o.sim.place == ip && (o == n || reaches(n, o)) {
			return o
		}
	}
	if n.holds && n.vip.Addr() == ip {
		return n
	}
	var to *node
	for _, o := range n.others() {
		if o.holds && o.vip.Addr() == ip && reaches(n, o) && (to == nil || o.since.After(to.since)) {
			to = o
		}
	}
	if to != nil {
		return to
	}
	for _, o := range n.others() { // who has not heard sends to the one before
		if o.onLo && o.vip.Addr() == ip && reaches(n, o) {
			return o
		}
	}
	return nil
}

func reaches(a, b *node) bool { return a == b || !a.cut && !b.cut }

// owners are those who answer ARP for an address.
func (n *node) owners(ip netip.Addr) ether.Owners {
	var out ether.Owners
	for _, o := range n.g.nodes {
		switch {
		case o.sim.place != ip && !(o.holds && o.vip.Addr() == ip):
		case o == n:
			out.Local = true
		case reaches(n, o):
			out.MACs = append(out.MACs, o.mac)
		}
	}
	slices.Sort(out.MACs)
	return out
}

// next asks one question, and has the next one asked in time.
func (a *asker) next() {
	if a.over || time.Duration(a.asked)*a.every >= a.limit {
		return
	}
	at := a.from.g.now.Sub(a.began).Microseconds()
	b := &a.batch
	took, node, why := a.ask()
	if len(b.At) == 0 {
		b.N = a.asked
	}
	b.At, b.Took = append(b.At, at), append(b.Took, took)
	if k := len(b.Nodes); k > 0 && b.Nodes[k-1] == node {
		b.Runs[k-1]++
	} else {
		b.Nodes, b.Runs = append(b.Nodes, node), append(b.Runs, 1)
	}
	if why != "" {
		if b.Lost == nil {
			b.Lost = map[string]int{}
		}
		b.Lost[why]++
	}
	if a.arp && time.Duration(at)*time.Microsecond%max(ether.ArpEvery, a.every) < a.every {
		o := a.from.owners(a.ip)
		if !a.seen || o.Local != a.owner.Local || !slices.Equal(o.MACs, a.owner.MACs) {
			o.At = at
			a.owner, a.seen = o, true
			b.Owners = append(b.Owners, o)
		}
	}
	a.asked++
	a.from.g.after(a.every, a.next)
}

// ask is what becomes of one question: microseconds until its answer, or why none came.
func (a *asker) ask() (took int64, node, why string) {
	to := a.from.answerer(a.ip)
	switch {
	case to == nil && a.from.cut:
		return -1, "", ether.WhyLate
	case to == nil:
		return -1, "", ether.WhyUnreachable
	}
	status, node := to.web(a.port)
	switch {
	case status == noAnswer:
		return -1, "", ether.WhyLate
	case status == nobody:
		return -1, "", ether.WhyRefused
	case status >= 400:
		return -1, node, ether.WhyStatus
	}
	took = 520 + int64(a.asked*7919%233) // a virtual machine's, and a little noise
	if to == a.from {
		took /= 3
	}
	if first := a.from.g.now.Sub(to.since); first < 60*time.Millisecond && first >= 0 {
		took += 2400 // its neighbours have just learnt where it is
	}
	return took, node, ""
}

// What may come of a connection besides a status of HTTP.
const (
	nobody   = 0  // listens
	noAnswer = -1 // comes
)

// web is what a request to the node's port is answered with, and by which node.
func (n *node) web(port int) (status int, node string) {
	switch {
	case port != 0 && port == n.port:
		switch {
		case n.nginx == down:
			return nobody, ""
		case n.nginx == hung:
			return noAnswer, ""
		case !n.behind:
			return 502, n.sim.place.String()
		}
		return 200, n.sim.place.String()
	case slices.Contains(n.serves, port):
		return 200, ""
	}
	return nobody, ""
}

// take is what came since it was asked for last.
func (a *asker) take() (b ether.Batch) {
	a.from.g.do(func() { b, a.batch = a.batch, ether.Batch{} })
	return b
}

// wireAsk is `goxin wire ask`.
func (c *call) wireAsk() error {
	g := c.pair.lan
	a := &asker{
		ip: c.ip("--address"), port: c.number("--port"), arp: c.after("--interface") != "",
		every: max(c.duration("--every"), time.Millisecond), limit: c.duration("--for"),
	}
	g.do(func() {
		a.from, a.began = g.node(c.sim), g.now
		g.look()
		a.next()
	})
	defer g.do(func() { a.over = true })
	for done := 0; time.Duration(done)*a.every < a.limit; {
		if err := g.pause(c.ctx, ether.BatchEvery); err != nil {
			return err
		}
		if b := a.take(); len(b.At) > 0 {
			done = b.N + len(b.At)
			c.json(b)
		}
	}
	c.json(ether.Batch{Last: true})
	return nil
}

// wireCommand is `goxin wire …`, in the same words as the real one.
func (c *call) wireCommand() error {
	if len(c.args) < 2 {
		return c.exit(2)
	}
	switch c.args[1] {
	case "ask":
		return c.wireAsk()
	case "arp-probe":
		return c.wireProbe()
	case "listen":
		return c.wireListen()
	case "send112":
		return c.wireSend()
	case "recv112":
		return c.wireReceive()
	}
	c.say("goxin: unknown command %q", c.args[1])
	return c.exit(2)
}

func (c *call) wireProbe() error {
	if err := c.wait(1900 * time.Millisecond); err != nil {
		return err
	}
	ip := c.ip("--address")
	f := ether.Found{Address: ip, MACs: []string{}}
	c.pair.lan.do(func() {
		o := c.pair.lan.node(c.sim).owners(ip)
		f.Local, f.MACs = o.Local, append(f.MACs, o.MACs...)
	})
	switch ip {
	case gateway:
		f.MACs = append(f.MACs, gatewayMAC)
	case foreign, foreignVIP:
		f.MACs = append(f.MACs, foreignMAC)
	}
	c.json(f)
	return nil
}

// wireListen hears the pair that somebody has there, and the demo's own.
func (c *call) wireListen() error {
	total, every := c.duration("--for"), c.duration("--every")
	if every <= 0 || every > total {
		every = total
	}
	for spent := time.Duration(0); spent < total; spent += every {
		if err := c.wait(every); err != nil {
			return err
		}
		h := ether.Heard{For: every, Claims: []ether.Claim{{Address: gateway, MAC: gatewayMAC, Count: 1, Age: every / 2}}, Routers: []ether.Router{{
			Advert: vrrp.Advert{Version: 2, VRID: foreignVRID, Priority: 100, Interval: time.Second, Auth: 1, Addresses: []netip.Addr{foreignVIP}},
			From:   foreign, To: vrrp.Group, MAC: foreignMAC, TTL: ether.DirectTTL, Count: int(every / time.Second), Age: 340 * time.Millisecond,
		}}}
		c.pair.lan.do(func() {
			me := c.pair.lan.node(c.sim)
			for _, n := range c.pair.lan.nodes {
				if !n.master || n != me && !hears(n, me) {
					continue
				}
				for _, o := range n.others() {
					h.Routers = append(h.Routers, ether.Router{
						Advert: vrrp.Advert{Version: 3, VRID: n.vrid, Priority: n.priority, Interval: n.advert, Addresses: []netip.Addr{n.vip.Addr()}},
						From:   n.sim.place, To: o.sim.place, MAC: n.mac, Mine: n == me, TTL: ether.DirectTTL,
						Count: int(every / n.advert), Age: c.pair.lan.now.Sub(n.since) % n.advert,
					})
				}
			}
			if ip := c.ip("--address"); ip.IsValid() {
				o := me.owners(ip)
				h.Probed = &ether.Found{Address: ip, MACs: append([]string{}, o.MACs...), Local: o.Local}
			}
		})
		slices.SortFunc(h.Routers, func(a, b ether.Router) int { return cmp.Compare(a.Advert.VRID, b.Advert.VRID) })
		c.json(h)
	}
	return nil
}

// waiter is a machine that waits for packets of protocol 112.
type waiter struct {
	on   *node
	from netip.Addr
	got  chan struct{}
}

func (c *call) wireReceive() error {
	g, count := c.pair.lan, c.number("--count")
	w := &waiter{from: c.ip("--from"), got: make(chan struct{}, 64)}
	g.do(func() {
		w.on = g.node(c.sim)
		g.waits[w] = true
	})
	defer g.do(func() { delete(g.waits, w) })
	var a ether.Arrived
	for c.json(a); a.Received < count; c.json(a) {
		select {
		case <-w.got:
			a.Received++
			a.TTL = ether.DirectTTL
		case <-c.ctx.Done():
			return context.Cause(c.ctx)
		}
	}
	return nil
}

func (c *call) wireSend() error {
	g, from := c.pair.lan, c.ip("--from")
	for range c.number("--count") {
		g.do(func() {
			me := g.node(c.sim)
			for w := range g.waits {
				if w.from == from && hears(me, w.on) {
					select {
					case w.got <- struct{}{}:
					default:
					}
				}
			}
		})
		if err := c.wait(c.duration("--every")); err != nil {
			return err
		}
	}
	return nil
}

// json prints a value on a line.
func (c *call) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	if c.out != nil {
		c.out(string(b))
	}
}

// The arguments of goxin's commands; what cannot be read is nothing.

func (c *call) ip(name string) netip.Addr {
	a, _ := netip.ParseAddr(c.after(name))
	return a
}

func (c *call) number(name string) int {
	n, _ := strconv.Atoi(c.after(name))
	return n
}

func (c *call) duration(name string) time.Duration {
	d, _ := time.ParseDuration(c.after(name))
	return d
}
