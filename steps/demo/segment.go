package demo

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// segment is the Ethernet that both machines are on. What goes on there is a list of
// events in the order of their times: an advertisement, a question, a unit that comes up
// again. Whoever looks, or changes something, has those that are due happen first.
type segment struct {
	flow *flow
	busy atomic.Int64 // calls to a machine's programs under way
	last atomic.Int64 // when the last one ended, in real nanoseconds

	mu    sync.Mutex
	now   time.Time
	due   []event
	seq   int
	nodes []*node
	asks  map[*asker]bool
	waits map[*waiter]bool // for protocol 112
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

func newSegment(f *flow) *segment {
	return &segment{flow: f, now: f.rightNow(), asks: map[*asker]bool{}, waits: map[*waiter]bool{}}
}

// join has a machine on the segment.
func (g *segment) join(s *sim) {
	g.do(func() { g.nodes = append(g.nodes, newNode(g, s)) })
}

// do has f happen now.
func (g *segment) do(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.advance(g.flow.rightNow())
	if f != nil {
		f()
	}
}

// advance has all happen that is due at t.
func (g *segment) advance(t time.Time) {
	for len(g.due) > 0 && !g.due[0].at.After(t) {
		e := g.due[0]
		g.due = g.due[1:]
		g.now = e.at
		e.do()
	}
	if t.After(g.now) {
		g.now = t
	}
}

// after has f happen in d.
func (g *segment) after(d time.Duration, f func()) {
	g.seq++
	e := event{g.now.Add(d), g.seq, f}
	i, _ := slices.BinarySearchFunc(g.due, e, func(a, b event) int {
		if c := a.at.Compare(b.at); c != 0 {
			return c
		}
		return a.seq - b.seq
	})
	g.due = slices.Insert(g.due, i, e)
}

// node is the machine s on the segment; nil before it is there.
func (g *segment) node(s *sim) *node {
	for _, n := range g.nodes {
		if n.sim == s {
			return n
		}
	}
	return nil
}

// look has all machines known as they are.
func (g *segment) look() {
	for _, n := range g.nodes {
		n.look()
	}
}

// has says whether an address is one of the machines', or the one they share.
func (g *segment) has(ip netip.Addr) (yes bool) {
	g.do(func() {
		for _, n := range g.nodes {
			yes = yes || n.sim.place == ip || n.vip.Addr() == ip
		}
	})
	return yes
}

// Others on the segment: the router, and a pair of somebody's that advertises with the
// number that the address a person is offered would give.
var (
	foreign     = netip.MustParseAddr("192.0.2.61")
	foreignMAC  = "02:00:00:00:00:3d"
	foreignVIP  = netip.MustParseAddr("192.0.2.60")
	gateway     = netip.MustParseAddr("192.0.2.1")
	gatewayMAC  = "02:00:00:00:00:01"
	foreignVRID = 100
	// sharedAddress is free.
	sharedAddress = netip.MustParseAddr("192.0.2.100")
)

// pause lets d pass for somebody who watches. At pace 0 that is only while nobody runs a
// program: who sets a fault must not find that the time for it has passed already.
func (g *segment) pause(ctx context.Context, d time.Duration) error {
	if g.flow.pace > 0 {
		return g.flow.rest(ctx, d)
	}
	const quiet = 2 * time.Millisecond
	t := time.NewTicker(quiet / 2)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-t.C:
			if g.busy.Load() == 0 && now.UnixNano()-g.last.Load() > quiet.Nanoseconds() {
				g.flow.pass(d)
				return nil
			}
		}
	}
}

// work notes that a program runs, until done.
func (g *segment) work() (done func()) {
	g.busy.Add(1)
	return func() {
		g.last.Store(time.Now().UnixNano())
		g.busy.Add(-1)
	}
}

// mac is the hardware address of a machine's interface.
func mac(ip netip.Addr) string { return fmt.Sprintf("02:00:00:00:00:%02x", ip.As4()[3]) }
