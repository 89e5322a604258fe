package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// round is how often the segment is asked at most: every time there is a request
// each ten milliseconds.
const round = 8 * time.Millisecond

// stranger is the hardware address that is asked from. Answers to the client's
// own would reach its kernel too and put right what it believes about the
// address: a client whose neighbour table nobody updates must be seen to lose.
var stranger = net.HardwareAddr{0x02, 'l', 'a', 'b', 0, 1}

// owners counts who answers for an address.
type owners struct {
	request []byte
	to      *unix.SockaddrLinklayer
	socket  int
	asked   time.Time

	mu      sync.Mutex
	answers map[string]int
	both    int
	now     map[string]bool // who answered since it was last asked
}

// listen opens the segment and counts from now on.
func listen(device string, address netip.Addr) (*owners, error) {
	i, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	o := &owners{answers: map[string]int{}, now: map[string]bool{}}
	o.socket, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, int(swapped(unix.ETH_P_ARP)))
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	o.to = &unix.SockaddrLinklayer{Protocol: swapped(unix.ETH_P_ARP), Ifindex: i.Index}
	if err := unix.Bind(o.socket, o.to); err != nil {
		return nil, os.NewSyscallError("bind", err)
	}
	promiscuous := unix.PacketMreq{Ifindex: int32(i.Index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(o.socket, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &promiscuous); err != nil {
		return nil, os.NewSyscallError("setsockopt", err)
	}
	// RFC 826; the sender has no address yet, so nobody learns it (RFC 5227, section 2.1.1).
	var b bytes.Buffer
	b.Write([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	b.Write(stranger)
	b.Write([]byte{0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1})
	b.Write(stranger)
	b.Write(make([]byte, 4+6))
	b.Write(address.AsSlice())
	o.request = b.Bytes()
	go o.read(address)
	return o, nil
}

func swapped(protocol uint16) uint16 { return protocol<<8 | protocol>>8 }

// ask asks who has the address, unless that was just asked.
func (o *owners) ask(now time.Time) {
	if now.Sub(o.asked) < round {
		return
	}
	o.asked = now
	o.mu.Lock()
	clear(o.now)
	o.mu.Unlock()
	_ = unix.Sendto(o.socket, o.request, 0, o.to) // a link that is down is the test's to cut
}

func (o *owners) read(address netip.Addr) {
	frame := make([]byte, 1500)
	for {
		n, _, err := unix.Recvfrom(o.socket, frame, 0)
		if errors.Is(err, unix.ENETDOWN) || errors.Is(err, unix.EINTR) {
			continue // the link was cut; it comes back
		}
		if err != nil {
			log.Fatal(os.NewSyscallError("recvfrom", err))
		}
		// An answer to the stranger, from whoever says that it has the address.
		if n < 42 || !bytes.Equal(frame[:6], stranger) || frame[21] != 2 || !bytes.Equal(frame[28:32], address.AsSlice()) {
			continue
		}
		o.answered(fmt.Sprint(net.HardwareAddr(frame[22:28])))
	}
}

func (o *owners) answered(who string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.answers[who]++
	if o.now[who] = true; len(o.now) == 2 {
		o.both++
	}
}

func (o *owners) counts() (answers map[string]int, both int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.answers, o.both
}
