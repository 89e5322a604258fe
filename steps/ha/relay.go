package ha

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"goxin/detect/machine"
	"goxin/steps/vrrp"
)

const (
	relayConf  = "/etc/keepalived/goxin-relay.nft"
	relayTable = "goxin_vip"
)

// relayText is what makes a planned handover make before break. The node that hands over
// goes on answering for a second, but clients learn of the new owner in the midst of a
// connection: what follows goes to the new one, which would reset what it knows nothing
// of. So for that second the new owner hands on to the old one each packet of a connection
// that did not begin with itself.
//
// Nobody has to tell the new owner that a handover begins. What makes it take over is the
// old one's goodbye, a VRRP advertisement of priority 0 (RFC 5798 §6.4.3), and its kernel
// sees that here before keepalived does. So no packet comes for the address before the
// relay is open, and no program has to be quick.
//
// Why it may stand on both nodes all the time:
//   - It is closed but for a second after a goodbye of the other node, from the segment
//     (TTL 255), for this VRID. Whoever can forge that can take the address as well.
//   - A node that owns the address, and so advertises, does not open it: who has
//     connections that began before never hands them on.
//   - A node that died says no goodbye. Who takes over from it resets its connections at
//     once, as without the relay, and no client waits for an answer from the dead.
//   - It does not go round: what comes from the hardware address that the goodbye came from
//     is not handed on, so even two nodes that both say goodbye end it; and dup counts the
//     TTL down. In a split brain there are no goodbyes.
//   - Nothing but TCP to the address is touched, and of that no first packet of a
//     connection. Connections are told apart by a set of its own, for that second: a
//     rule with ct would switch connection tracking on for the whole machine, whose
//     table is full after some ten thousand connections, and drops then.
//   - A table of its own is what other rules and firewalld's reload leave alone; where
//     nftables.service flushes everything at its reload, the unit puts it back.
func relayText(w words) string {
	const keeps = vrrp.HandOverKeeps
	return fmt.Sprintf(mark+`: while the other node hands %[2]s over, what belongs to its
# connections goes back to it, which goes on answering for %[5]d s.
# It comes and goes with %[7]s.
table ip %[1]s
delete table ip %[1]s
table ip %[1]s {
	# where this node says that it owns the address
	set owns { type iface_index; flags timeout; }
	# where the other one has just said goodbye, and from which hardware address
	set handed { type iface_index; flags timeout; }
	set other { type ether_addr; flags timeout; }
	# connections that have begun here since
	set begun { type ipv4_addr . inet_service . inet_service; size 262144; flags timeout; }

	chain says {
		type filter hook output priority 0; policy accept;
		ip daddr %[3]s ip protocol %[8]d @th,8,8 %[4]d @th,16,8 != 0 update @owns { oif timeout %[6]dms }
	}
	chain relay {
		type filter hook prerouting priority -150; policy accept;
		ip saddr %[3]s ip protocol %[8]d ip ttl 255 @th,8,8 %[4]d @th,16,8 0 iif != @owns add @handed { iif timeout %[5]ds } add @other { ether saddr timeout %[9]ds }
		ip daddr != %[2]s accept
		iif != @handed accept
		tcp flags & (fin | syn | rst | ack) == syn add @begun { ip saddr . tcp sport . tcp dport timeout %[9]ds } accept
		tcp flags & (fin | syn | rst | ack) != syn ether saddr != @other ip saddr . tcp sport . tcp dport != @begun dup to %[3]s drop
	}
}
`, relayTable, w.vip.Addr(), w.peer, w.vrid, keeps, 3*w.advert.Milliseconds(), vrrp.Unit, vrrp.Protocol, 2*keeps)
}

// relays says whether the machine's nft, and its kernel, would take such a table. It is
// only tried.
func relays(ctx context.Context, m machine.Machine) bool {
	some := netip.AddrFrom4([4]byte{192, 0, 2, 1}) // for documentation (RFC 5737)
	text := relayText(words{vip: netip.PrefixFrom(some, 32), peer: some.Next(), vrid: 1, advert: time.Second})
	c := machine.Command{Argv: []string{"nft", "--check", "-f", "-"}, Stdin: strings.NewReader(text), Timeout: time.Minute}
	return m.Run(ctx, c, nil) == nil
}
