package demo

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"goxin/steps/vrrp"
)

// How long things take on a simulated machine: what lab.md measured in containers.
const (
	noticed   = 18 * time.Millisecond // until systemd has told keepalived of an nginx that is gone
	cleaned   = 30 * time.Millisecond // until systemd has taken away what a killed keepalived left
	restarted = time.Second           // RestartSec=
	found     = 2300 * time.Millisecond
)

// serving is how a web server does.
type serving int

const (
	down serving = iota
	up
	hung
)

// node is a machine on the segment: what its keepalived and nginx do, by RFC 5798 and by
// what goxin's units and files tell them.
type node struct {
	g   *segment
	sim *sim
	mac string

	nginx      serving
	told       bool // keepalived: nginx is up
	ill        bool // the check says that nginx does not answer
	away       bool // goxin-vip is stopped
	keepalived bool

	port   int   // of nginx; 0: it is not there
	behind bool  // what nginx passes requests on to is up
	serves []int // ports of other services

	vip      netip.Prefix
	iface    string
	vrid     int
	priority int
	advert   time.Duration

	master bool
	holds  bool // the address is on the interface
	onLo   bool // and here, where ARP does not say so
	since  time.Time
	wakes  time.Time // when it takes over if it hears nothing
	life   int       // of its keepalived: what an earlier one was about to do is nothing

	deaf bool // drops IP protocol 112
	cut  bool // its line is dead
	full bool // its disk is
}

func newNode(g *segment, s *sim) *node {
	return &node{g: g, sim: s, mac: mac(s.place)}
}

// configure reads keepalived.conf.
func (n *node) configure() {
	n.vip, n.iface, n.vrid, n.priority, n.advert = netip.Prefix{}, "", 0, 100, time.Second
	c, err := vrrp.ParseConf([]byte(n.sim.read("/etc/keepalived/keepalived.conf")))
	if err != nil || len(c.Instances) == 0 {
		return
	}
	i := c.Instances[0]
	if len(i.Addresses) > 0 {
		n.vip, _ = netip.ParsePrefix(strings.Fields(i.Addresses[0])[0])
	}
	n.iface, n.vrid = i.Interface, i.VRID
	if i.Priority > 0 {
		n.priority = i.Priority
	}
	if i.Advert > 0 {
		n.advert = i.Advert
	}
}

func (n *node) timing() vrrp.Timing {
	return vrrp.Timing{Version: 3, Advert: n.advert, Priority: n.priority}
}

// willing says whether it may own the address.
func (n *node) willing() bool {
	return n.keepalived && n.vip.IsValid() && n.told && !n.ill && !n.away && n.behind
}

// hears says whether what a says arrives at b.
func hears(a, b *node) bool { return a != b && !a.cut && !b.cut && !a.deaf && !b.deaf }

func (n *node) others() []*node {
	return slices.DeleteFunc(slices.Clone(n.g.nodes), func(o *node) bool { return o == n })
}

// weigh follows from what has changed.
func (n *node) weigh() {
	switch {
	case n.master && !n.willing():
		n.giveUp(true)
	case !n.master && n.willing() && n.wakes.IsZero():
		n.wait(n.timing().MasterDown())
	case !n.willing():
		n.wakes = time.Time{}
	}
}

// wait has it take over in d, unless it hears something before.
func (n *node) wait(d time.Duration) {
	life, at := n.life, n.g.now.Add(d)
	n.wakes = at
	n.g.after(d, func() {
		if n.life == life && n.wakes.Equal(at) && !n.master && n.willing() {
			n.become()
		}
	})
}

func (n *node) become() {
	n.master, n.holds, n.since, n.wakes = true, true, n.g.now, time.Time{}
	n.say(n.life, n.since)
}

// say advertises, as long as it is the owner that it was.
func (n *node) say(life int, since time.Time) {
	if n.life != life || !n.master || !n.since.Equal(since) {
		return
	}
	for _, o := range n.others() {
		if hears(n, o) {
			o.hear(n)
		}
	}
	if n.master {
		n.g.after(n.advert, func() { n.say(life, since) })
	}
}

// hear is an advertisement of another one.
func (n *node) hear(from *node) {
	switch {
	case !n.keepalived:
	case !n.master:
		if n.willing() {
			n.wait(n.timing().MasterDown())
		}
	case from.priority > n.priority:
		n.giveUp(false)
	case from.master:
		from.hear(n) // it answers at once: vrrp_higher_prio_send_advert
	}
}

// giveUp leaves the address; with a goodbye the other one need not wait for it.
func (n *node) giveUp(goodbye bool) {
	n.master, n.holds = false, false
	if n.willing() {
		n.wait(n.timing().MasterDown())
	}
	if !goodbye {
		return
	}
	for _, o := range n.others() {
		if hears(n, o) && o.willing() && !o.master {
			o.wait(o.timing().Skew())
		}
	}
}

// started and stopped are what becomes of the pair when a unit does.

func (n *node) started(unit string) {
	n.look()
	switch unit {
	case "nginx.service":
		n.nginx, n.ill = up, false
		n.g.after(5*time.Millisecond, func() {
			if n.nginx == up {
				n.told = true
				n.weigh()
			}
		})
	case "keepalived.service":
		n.life++
		n.keepalived, n.master, n.holds, n.wakes = true, false, false, time.Time{}
		n.configure()
	case vrrp.Unit:
		n.away = false
	}
	n.weigh()
}

func (n *node) stopped(unit string) {
	n.look()
	switch unit {
	case "nginx.service":
		n.nginx, n.told = down, false
		n.weigh()
	case "keepalived.service":
		if n.master {
			n.giveUp(true)
		}
		n.keepalived, n.wakes = false, time.Time{}
		n.life++
	case vrrp.Unit:
		if n.holds {
			n.onLo = true
			n.g.after(vrrp.HandOverKeeps*time.Second, func() { n.onLo = false })
		}
		n.away = true
		n.weigh()
	default:
		n.weigh() // what nginx passes requests on to may be gone
	}
}

// killed is a unit whose processes ended without a word; systemd starts it again.
func (n *node) killed(unit string, again func()) {
	n.look()
	switch unit {
	case "nginx.service":
		n.nginx = down
		n.g.after(noticed, func() {
			if n.nginx == down {
				n.told = false
				n.weigh()
			}
		})
	case "keepalived.service":
		n.keepalived, n.master, n.wakes = false, false, time.Time{}
		n.life++
		life := n.life
		n.g.after(cleaned, func() {
			if n.life == life {
				n.holds = false
			}
		})
	}
	n.g.after(restarted, again)
}

// hang stops nginx in its tracks, or lets it go on.
func (n *node) hang(stop bool) {
	if n.nginx == down {
		return
	}
	if !stop {
		n.nginx, n.ill = up, false
		n.weigh()
		return
	}
	n.nginx = hung
	n.g.after(found, func() {
		if n.nginx == hung {
			n.ill = true
			n.weigh()
		}
	})
}

// look learns what listens on the machine, which changes with its units and files.
func (n *node) look() {
	n.port = n.sim.nginxPort()
	up, known := n.sim.behindNginx()
	n.behind = up || !known // what goxin did not set up is somebody's, and is up
	n.serves = nil
	for unit := range n.sim.units.all() {
		if port := n.sim.listens(unit); port != 0 {
			n.serves = append(n.serves, port)
		}
	}
}
