package vrrp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"goxin/assets/lang"
)

// Protocol is VRRP's IP protocol number.
const Protocol = 112

// Group is where an advertisement goes that has no unicast peers.
var Group = netip.AddrFrom4([4]byte{224, 0, 0, 18})

const (
	headerLen   = 8
	authLen     = 8 // version 2 ends with a password, used or not
	advertType  = 1
	maxInterval = 0xfff // hundredths of a second, version 3
	maxAddrs    = 255
)

// Advert is a VRRP advertisement: RFC 5798 §5.1 (version 3), RFC 3768 §5.1 (version 2).
type Advert struct {
	Version   int           `json:"version"` // 2 or 3
	VRID      int           `json:"vrid"`
	Priority  int           `json:"priority"`       // 0: the owner says goodbye
	Interval  time.Duration `json:"interval"`       // version 2: whole seconds; version 3: hundredths
	Auth      int           `json:"auth,omitempty"` // version 2: 1 is a password in clear text, 2 an IPsec header
	Addresses []netip.Addr  `json:"addresses,omitempty"`
}

// Parse reads what an IP packet of protocol 112 carries. What follows the addresses is
// left out: a password of version 2, a signature of keepalived's own. A checksum takes the
// addresses the packet travels between: see Checked.
func Parse(b []byte) (Advert, error) {
	if len(b) < headerLen {
		return Advert{}, bad("it has %d bytes, and a header has 8", "只有 %d 字节，而报头就有 8 字节", len(b))
	}
	a := Advert{Version: int(b[0] >> 4), VRID: int(b[1]), Priority: int(b[2])}
	switch {
	case b[0]&0xf != advertType:
		return Advert{}, bad("its type is %d", "类型为 %d", b[0]&0xf)
	case a.VRID == 0:
		return Advert{}, bad("its VRID is 0", "VRID 为 0")
	}
	switch a.Version {
	case 2:
		a.Auth, a.Interval = int(b[4]), time.Duration(b[5])*time.Second
	case 3:
		a.Interval = time.Duration(binary.BigEndian.Uint16(b[4:])&maxInterval) * 10 * time.Millisecond
	default:
		return Advert{}, bad("its version is %d", "版本为 %d", a.Version)
	}
	n, rest := int(b[3]), b[headerLen:]
	size := 4
	if a.Version == 3 && n > 0 && len(rest) == 16*n {
		size = 16
	}
	if len(rest) < n*size {
		return Advert{}, bad("it promises %d addresses and has %d bytes", "声明有 %d 个地址，却只有 %d 字节", n, len(rest))
	}
	for i := range n {
		addr, _ := netip.AddrFromSlice(rest[i*size : (i+1)*size])
		a.Addresses = append(a.Addresses, addr)
	}
	return a, nil
}

func bad(en, zh string, args ...any) error {
	return lang.Because(lang.Because(nil, en, zh, args...), "no VRRP advertisement", "不是 VRRP 通告")
}

// Bytes is the advertisement as it travels from src to dst, with its checksum. A version 2
// advertisement has an empty password. What does not fit the fields is cut to them.
func (a Advert) Bytes(src, dst netip.Addr) []byte {
	b := make([]byte, headerLen, headerLen+len(a.Addresses)*16+authLen)
	n := min(len(a.Addresses), maxAddrs)
	b[0], b[1], b[2], b[3] = byte(a.Version<<4|advertType), byte(a.VRID), byte(a.Priority), byte(n)
	if a.Version == 2 {
		b[4], b[5] = byte(a.Auth), byte(min(a.Interval/time.Second, 255))
	} else {
		binary.BigEndian.PutUint16(b[4:], uint16(min(a.Interval/(10*time.Millisecond), maxInterval)))
	}
	for _, addr := range a.Addresses[:n] {
		b = append(b, addr.AsSlice()...)
	}
	if a.Version == 2 {
		b = append(b, make([]byte, authLen)...)
	}
	binary.BigEndian.PutUint16(b[6:], checksum(b, a.Version, src, dst))
	return b
}

// Checked says whether the checksum of an advertisement that went from src to dst is
// right. keepalived may be told to leave the addresses out of it (v3_checksum_as_v2).
func Checked(b []byte, src, dst netip.Addr) bool {
	if len(b) < headerLen {
		return false
	}
	zeroed := append([]byte(nil), b...)
	zeroed[6], zeroed[7] = 0, 0
	is := binary.BigEndian.Uint16(b[6:])
	return is == checksum(zeroed, int(b[0]>>4), src, dst) || is == checksum(zeroed, 2, src, dst)
}

// checksum is the Internet checksum (RFC 1071); version 3 covers a pseudo header too.
func checksum(b []byte, version int, src, dst netip.Addr) uint16 {
	var sum uint32
	add := func(p []byte) {
		for i := 0; i+1 < len(p); i += 2 {
			sum += uint32(binary.BigEndian.Uint16(p[i:]))
		}
		if len(p)%2 == 1 {
			sum += uint32(p[len(p)-1]) << 8
		}
	}
	if version != 2 {
		add(src.AsSlice())
		add(dst.AsSlice())
		sum += Protocol + uint32(len(b))
	}
	add(b)
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
