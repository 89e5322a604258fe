package link

import (
	"net"
	"slices"

	"golang.org/x/sys/unix"

	"goxin/steps/wire"
)

// owners asks ARP who has the address.
type owners struct {
	fd      int
	q       wire.Question
	iface   *net.Interface
	probe   []byte
	buf     [2048]byte
	at      int64 // when this round's question went out
	asked   bool
	local   bool
	macs    [][6]byte // of this round
	last    [][6]byte
	lastOne bool // local, of the last round
	ever    bool // a round was told
	changes []wire.Owners
}

const mostOwners = 8

func newOwners(q wire.Question) (*owners, error) {
	iface, err := ethernet(q.Interface)
	if err != nil {
		return nil, err
	}
	fd, err := packetSocket(iface, unix.ETH_P_ARP)
	if err != nil {
		return nil, opening(err, q.Interface)
	}
	return &owners{fd: fd, q: q, iface: iface, probe: probe(iface.HardwareAddr, q.VIP)}, nil
}

// mostAtATime is how many packets are read in one turn: a flood must not keep the asker
// from asking.
const mostAtATime = 256

// read takes the answers that have come.
func (w *owners) read() {
	for range mostAtATime {
		n, _, err := unix.Recvfrom(w.fd, w.buf[:], 0)
		if err != nil {
			return // EAGAIN; or ENETDOWN, once
		}
		p, ok := parseARP(w.buf[:n])
		if ok && p.op == arpReply && p.claims(w.q.VIP) && !slices.Contains(w.macs, p.sender) && len(w.macs) < mostOwners {
			w.macs = append(w.macs, p.sender)
		}
	}
}

// round ends the round before, and asks again.
func (w *owners) round(t int64) {
	w.read()
	slices.SortFunc(w.macs, func(a, b [6]byte) int { return slices.Compare(a[:], b[:]) })
	if w.asked && (!w.ever || w.local != w.lastOne || !slices.Equal(w.macs, w.last)) {
		o := wire.Owners{At: w.at / 1000, Local: w.local}
		for _, m := range w.macs {
			o.MACs = append(o.MACs, net.HardwareAddr(m[:]).String())
		}
		w.changes = append(w.changes, o)
		w.last, w.lastOne, w.ever = append(w.last[:0], w.macs...), w.local, true
	}
	w.macs = w.macs[:0]
	w.at, w.asked, w.local = t, true, has(w.q.VIP)
	_ = sendARP(w.fd, w.iface.Index, w.probe) // an interface that is down has no owners
}
