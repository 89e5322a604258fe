package link

import (
	"encoding/binary"
	"net/netip"

	"goxin/steps/vrrp"
)

// datagram is an IPv4 packet of protocol 112.
type datagram struct {
	from, to netip.Addr
	ttl      int
	payload  []byte
}

// parseIP reads one; false where b is another protocol, a later fragment, or cut short.
func parseIP(b []byte) (datagram, bool) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != vrrp.Protocol {
		return datagram{}, false
	}
	head, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if head < 20 || total < head || total > len(b) || binary.BigEndian.Uint16(b[6:])&0x1fff != 0 {
		return datagram{}, false
	}
	return datagram{
		from: netip.AddrFrom4([4]byte(b[12:16])), to: netip.AddrFrom4([4]byte(b[16:20])),
		ttl: int(b[8]), payload: b[head:total], // a short frame is padded
	}, true
}

// trial is what a test of protocol 112 carries: its version is 0, so no router takes it
// for an advert.
var trial = []byte("\x00goxin: does IP protocol 112 pass?")
