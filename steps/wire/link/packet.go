package link

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/vrrp"
)

// packets is a packet socket on one interface that is given ARP and VRRP alone.
type packets struct {
	iface *net.Interface
	file  *os.File
	group *os.File // keeps switches sending us vrrp.Group
	buf   [2048]byte
}

// frame is what came. data is good until the next one.
type frame struct {
	data []byte
	arp  bool // else IPv4
	mine bool // this machine sent it
	mac  string
}

func network(short uint16) uint16 { return short<<8 | short>>8 }

// wanted lets ARP and IP protocol 112 in: classic BPF on a packet that begins with its
// network header, the frame's type beside it (linux/filter.h, SKF_AD_PROTOCOL).
var wanted = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_H | unix.BPF_ABS, K: 0xfffff000},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 3, Jf: 0, K: unix.ETH_P_ARP},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 3, K: unix.ETH_P_IP},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: vrrp.Protocol},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0xffff},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

// open is everything: what comes in, and what the machine itself sends.
func open(name string) (*packets, error) {
	iface, err := ethernet(name)
	if err != nil {
		return nil, err
	}
	fd, err := packetSocket(iface, unix.ETH_P_ALL)
	if err != nil {
		return nil, opening(err, name)
	}
	p := &packets{iface: iface, file: os.NewFile(uintptr(fd), "packets:"+name)}
	p.group = joined(iface)
	return p, nil
}

func opening(err error, name string) error {
	e := lang.Errorf(err, "cannot listen on %s", "无法监听 %s", name)
	if errors.Is(err, unix.EPERM) {
		return e.WithHint("run goxin as root", "请以 root 运行 goxin")
	}
	return e
}

// ethernet is the interface of that name, if it is of use.
func ethernet(name string) (*net.Interface, error) {
	iface, err := net.InterfaceByName(name)
	switch {
	case err != nil:
		return nil, lang.Errorf(nil, "cannot listen on %q: there is no such interface", "无法监听 %q：没有这个网络接口", name).
			WithHint("`ip link` shows them", "`ip link` 可列出网络接口")
	case len(iface.HardwareAddr) != 6 || iface.Flags&net.FlagLoopback != 0:
		return nil, lang.Errorf(nil, "cannot listen on %s: it is not Ethernet", "无法监听 %s：它不是以太网接口", name).
			WithHint("choose the interface that the virtual address is to be on", "请选择虚拟地址所在的网络接口")
	case iface.Flags&net.FlagUp == 0:
		return nil, lang.Errorf(nil, "cannot listen on %s: it is down", "无法监听 %s：接口未启用", name).
			WithHint("bring it up: `ip link set %s up`", "请启用它：`ip link set %s up`", name)
	}
	return iface, nil
}

// packetSocket is one that has the filter before it has packets.
func packetSocket(iface *net.Interface, protocol uint16) (int, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(wanted)), Filter: &wanted[0]})
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network(protocol), Ifindex: iface.Index})
	}
	if err == nil && protocol == unix.ETH_P_ALL {
		err = needed(unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &unix.PacketMreq{Ifindex: int32(iface.Index), Type: unix.PACKET_MR_ALLMULTI}))
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// needed is an error that keeps one from listening. That a kernel which is imitated
// (QEMU's user emulation) knows no memberships of packet sockets does not: VRRP still comes
// to its members, and ARP to all.
func needed(err error) error {
	if errors.Is(err, unix.ENOPROTOOPT) {
		return nil
	}
	return err
}

// joined is a socket that is a member of vrrp.Group, for switches that look; nil where
// that cannot be, as on an interface without an address.
func joined(iface *net.Interface) *os.File {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: vrrp.Group.As4(), Ifindex: int32(iface.Index)}) != nil {
		_ = unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "group")
}

func (p *packets) Close() error {
	if p.group != nil {
		_ = p.group.Close()
	}
	return p.file.Close()
}

// next waits for a frame until then; os.ErrDeadlineExceeded.
func (p *packets) next(ctx context.Context, until time.Time) (frame, error) {
	if err := p.file.SetReadDeadline(until); err != nil {
		return frame{}, err
	}
	if ctx.Err() != nil { // after the deadline, which each's AfterFunc may have set before
		return frame{}, ctx.Err()
	}
	c, err := p.file.SyscallConn()
	if err != nil {
		return frame{}, err
	}
	var n int
	var from unix.Sockaddr
	var got error
	err = c.Read(func(fd uintptr) bool {
		n, from, got = unix.Recvfrom(int(fd), p.buf[:], 0)
		return !errors.Is(got, unix.EAGAIN) && !errors.Is(got, unix.EINTR)
	})
	if err = errors.Join(err, got); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return frame{}, os.ErrDeadlineExceeded
		}
		return frame{}, lang.Errorf(err, "cannot listen on %s", "无法监听 %s", p.iface.Name)
	}
	ll, ok := from.(*unix.SockaddrLinklayer)
	if !ok {
		return frame{}, lang.Errorf(nil, "cannot listen on %s: a packet of no interface", "无法监听 %s：数据包没有所属接口", p.iface.Name)
	}
	return frame{
		data: p.buf[:n], arp: ll.Protocol == network(unix.ETH_P_ARP), mine: ll.Pkttype == unix.PACKET_OUTGOING,
		mac: net.HardwareAddr(ll.Addr[:min(int(ll.Halen), len(ll.Addr))]).String(),
	}, nil
}

// broadcast sends an ARP packet to all.
func (p *packets) broadcast(b []byte) error {
	c, err := p.file.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = c.Write(func(fd uintptr) bool {
		sent = sendARP(int(fd), p.iface.Index, b)
		return !errors.Is(sent, unix.EAGAIN)
	})
	return errors.Join(err, sent)
}

func sendARP(fd, ifindex int, b []byte) error {
	return unix.Sendto(fd, b, 0, &unix.SockaddrLinklayer{
		Protocol: network(unix.ETH_P_ARP), Ifindex: ifindex, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255},
	})
}

// has says whether this machine has the address itself.
func has(ip netip.Addr) bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	// A free port of an address of others is EADDRNOTAVAIL, but for ip_nonlocal_bind:
	// so look at what connecting to it would come from.
	if unix.Connect(fd, &unix.SockaddrInet4{Port: 9, Addr: ip.As4()}) != nil {
		return false
	}
	sa, err := unix.Getsockname(fd)
	in4, ok := sa.(*unix.SockaddrInet4)
	return err == nil && ok && netip.AddrFrom4(in4.Addr) == ip
}

// each hands over frames until the time is over, f says that it is enough, or ctx is done.
func (p *packets) each(ctx context.Context, until time.Time, f func(frame) (more bool)) error {
	stop := context.AfterFunc(ctx, func() { _ = p.file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for {
		fr, err := p.next(ctx, until)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		if !f(fr) {
			return nil
		}
	}
}
