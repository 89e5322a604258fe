package link

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// Send sends count trials of IP protocol 112, from one of this machine's addresses, with
// the TTL an advert has.
func Send(ctx context.Context, from, to netip.Addr, count int, every time.Duration) error {
	no := func(err error) error {
		e := lang.Errorf(err, "cannot send IP protocol 112 to %s", "无法向 %s 发送 IP 协议 112", to)
		switch {
		case errors.Is(err, unix.EPERM) && os.Geteuid() != 0:
			return e.WithHint("run goxin as root", "请以 root 运行 goxin")
		case errors.Is(err, unix.EPERM):
			return e.WithHint("a firewall of this machine drops it on its way out", "本机防火墙在出方向丢弃了它")
		case errors.Is(err, unix.EADDRNOTAVAIL):
			return e.WithHint("%s is no address of this machine", "%s 不是本机地址", from)
		}
		return e
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, vrrp.Protocol)
	if err != nil {
		return no(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: from.As4()}); err != nil {
		return no(err)
	}
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_TTL, wire.DirectTTL); err != nil {
		return no(err)
	}
	for i := range count {
		if i > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(every):
			}
		}
		if err := unix.Sendto(fd, trial, 0, &unix.SockaddrInet4{Addr: to.As4()}); err != nil {
			return no(err)
		}
	}
	return nil
}

// Receive tells what of trials from that address came through this machine's firewall:
// first that it listens, then after each. It ends with the count-th, with d, or with ctx.
func Receive(ctx context.Context, iface string, from netip.Addr, count int, d time.Duration, tell func(wire.Arrived)) error {
	no := func(err error) error {
		e := lang.Errorf(err, "cannot receive IP protocol 112 on %s", "无法在 %s 上接收 IP 协议 112", iface)
		if errors.Is(err, unix.EPERM) {
			return e.WithHint("run goxin as root", "请以 root 运行 goxin")
		}
		return e
	}
	if _, err := ethernet(iface); err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, vrrp.Protocol)
	if err != nil {
		return no(err)
	}
	f := os.NewFile(uintptr(fd), "protocol")
	defer f.Close()
	if err := unix.BindToDevice(fd, iface); err != nil {
		return no(err)
	}
	if err := f.SetReadDeadline(time.Now().Add(d)); err != nil {
		return no(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var got wire.Arrived
	tell(got)
	buf := make([]byte, 2048)
	for got.Received < count {
		n, err := f.Read(buf)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ctx.Err()
		case err != nil:
			return no(err)
		}
		if p, ok := parseIP(buf[:n]); ok && p.from == from && bytes.Equal(p.payload, trial) {
			got.Received++
			got.TTL = p.ttl
			tell(got)
		}
	}
	return nil
}
