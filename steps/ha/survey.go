package ha

import (
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/wire"
)

// listens is for how long the segment is heard: three advertisements of a router that
// advertises every four seconds.
const listens = 12 * time.Second

// Resurvey is needed when another address, or another interface, is asked about; and when
// what kept the pair from being made, so that nobody listened, no longer does.
func (Step) Resurvey(old, now engine.Values) bool {
	return old.Text(KeyVIP, "") != now.Text(KeyVIP, "") || old.Text(KeyInterface, auto) != now.Text(KeyInterface, auto) ||
		old.Text(KeyReplace, keep) != now.Text(KeyReplace, keep)
}

// Survey looks at both machines, and listens to the segment between them before anything
// is said on it.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(engine.Values{KeyInterface: v.Text(KeyInterface, auto)}) // Ops says what is wrong with them
	}
	tell := func(t lang.Text) {
		if say != nil {
			say(engine.Say(t))
		}
	}
	out := survey{}
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		tell(lang.F("looking at %s", "正在查看 %s", h.Name(id)))
		if out[id], err = s.look(ctx, m, h.Facts[id], a); err != nil {
			return nil, lang.Errorf(err, "cannot look at %s", "无法查看 %s", h.Name(id))
		}
	}
	if len(h.Order) == 2 && a.VIP.IsValid() {
		x, y := h.Order[0], h.Order[1]
		out[y].Skew, out[y].Doubt = skew(ms[x], ms[y])
		// Nobody has to wait for what the wire says of a pair that cannot be made anyway.
		if p := (&pair{h, out, a}); out[x].Interface != "" && out[y].Interface != "" && p.judge() == nil {
			tell(lang.F("listening for %s on both machines: who has %s, and which VRIDs are taken", "正在两台机器上监听 %s：谁占用 %s，哪些 VRID 已被使用", listens, a.VIP))
			hear(ctx, end(ms, out, x), end(ms, out, y), out[x], out[y], a.VIP)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return json.Marshal(out)
}

func end(ms map[machine.ID]machine.Machine, s survey, id machine.ID) wire.End {
	return wire.End{On: ms[id], Interface: s[id].Interface, Address: s[id].Address.Addr()}
}

// skew is by how much b's clock is ahead of a's, and how far that may be off: half of the
// time the question took.
func skew(a, b machine.Machine) (ahead, doubt time.Duration) {
	before := a.Now()
	there := b.Now()
	doubt = a.Now().Sub(before) / 2
	return there.Sub(before.Add(doubt)).Round(time.Millisecond), doubt
}

// hear asks the wire from both ends. What cannot be asked is told of the end that failed:
// whether the pair can do without is for the plan to say.
func hear(ctx context.Context, x, y wire.End, nx, ny *node, vip netip.Addr) {
	tell := func(n *node, err error) {
		if err != nil {
			n.Deaf = lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH))
		}
	}
	var all sync.WaitGroup
	var heard [2]error
	for i, e := range []wire.End{x, y} {
		all.Go(func() {
			h, err := wire.Listen(ctx, e.On, e.Interface, listens)
			[]*node{nx, ny}[i].Heard, heard[i] = &h, err
		})
	}
	// One after the other: two that probe for one address at once are a conflict (RFC
	// 5227 §2.1.1), and each would take the other for the owner.
	for _, w := range []struct {
		n        *node
		from, to wire.End
	}{{nx, x, y}, {ny, y, x}} {
		owner, err := wire.ArpProbe(ctx, w.from.On, w.from.Interface, vip)
		w.n.Found = &owner
		if err == nil {
			var peer wire.Found
			peer, err = wire.ArpProbe(ctx, w.from.On, w.from.Interface, w.to.Address)
			w.n.Peer = &peer
		}
		tell(w.n, err)
	}
	all.Wait()
	tell(nx, heard[0])
	tell(ny, heard[1])
	if nx.Deaf.Empty() && ny.Deaf.Empty() {
		passes(ctx, x, y, nx)
		passes(ctx, y, x, ny)
	}
}

// passes tries protocol 112.
func passes(ctx context.Context, from, to wire.End, n *node) {
	got, err := wire.Reach(ctx, from, to)
	if err != nil {
		n.Deaf = lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH))
		return
	}
	n.Passes = &got
}
