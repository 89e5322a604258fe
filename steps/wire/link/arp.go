package link

import (
	"encoding/binary"
	"net"
	"net/netip"
)

// The operations of ARP, RFC 826.
const (
	arpRequest = 1
	arpReply   = 2
	arpLen     = 28 // Ethernet and IPv4
)

// arp is an ARP packet of Ethernet and IPv4.
type arp struct {
	op       uint16
	sender   [6]byte
	senderIP netip.Addr
	targetIP netip.Addr
}

// parseARP reads one; false where b is none of Ethernet and IPv4. Padding is left out.
func parseARP(b []byte) (arp, bool) {
	if len(b) < arpLen || binary.BigEndian.Uint16(b) != 1 || binary.BigEndian.Uint16(b[2:]) != 0x0800 || b[4] != 6 || b[5] != 4 {
		return arp{}, false
	}
	a := arp{
		op:       binary.BigEndian.Uint16(b[6:]),
		senderIP: netip.AddrFrom4([4]byte(b[14:18])),
		targetIP: netip.AddrFrom4([4]byte(b[24:28])),
	}
	copy(a.sender[:], b[8:14])
	return a, a.op == arpRequest || a.op == arpReply
}

// probe is a question for the owner of ip that has no sender address, so that nobody
// learns anything from it: RFC 5227 §1.1.
func probe(from net.HardwareAddr, ip netip.Addr) []byte {
	b := make([]byte, arpLen)
	binary.BigEndian.PutUint16(b, 1)
	binary.BigEndian.PutUint16(b[2:], 0x0800)
	b[4], b[5] = 6, 4
	binary.BigEndian.PutUint16(b[6:], arpRequest)
	copy(b[8:14], from)
	a := ip.As4()
	copy(b[24:28], a[:])
	return b
}

// claims says whether the sender says that ip is its own.
func (a arp) claims(ip netip.Addr) bool { return a.senderIP == ip }

// wants says whether the sender is about to take ip: it probes for it too.
func (a arp) wants(ip netip.Addr) bool {
	return a.op == arpRequest && a.senderIP.IsUnspecified() && a.targetIP == ip
}

func (a arp) mac() string { return net.HardwareAddr(a.sender[:]).String() }
