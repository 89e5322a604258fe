package profile

import (
	"encoding/hex"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"goxin/detect/machine"
)

// listening is the state LISTEN in /proc/net/tcp (include/net/tcp_states.h).
const listening = "0A"

// socket is a line of /proc/net/tcp or tcp6.
type socket struct {
	at    netip.AddrPort
	inode string
}

// Ports are the addresses the process listens on, over TCP.
func Ports(m machine.Machine, pid int) ([]netip.AddrPort, error) {
	dir := path.Join(dirOf(pid), "fd")
	names, err := m.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	mine := map[string]bool{}
	for _, n := range names {
		if to, err := m.Readlink(path.Join(dir, n)); err == nil { // it may be closed by now
			if in, ok := strings.CutPrefix(to, "socket:["); ok {
				mine[strings.TrimSuffix(in, "]")] = true
			}
		}
	}
	var out []netip.AddrPort
	for _, file := range []string{"net/tcp", "net/tcp6"} {
		data, err := m.ReadFile(path.Join(dirOf(pid), file))
		if err != nil {
			continue // a kernel without IPv6
		}
		for _, s := range sockets(string(data)) {
			if mine[s.inode] && !slices.Contains(out, s.at) {
				out = append(out, s.at)
			}
		}
	}
	return out, nil
}

// sockets are the listening ones of a table.
func sockets(text string) []socket {
	var out []socket
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || f[3] != listening {
			continue
		}
		if at, ok := address(f[1]); ok {
			out = append(out, socket{at, f[9]})
		}
	}
	return out
}

// address reads "0100007F:1F90": 32-bit words in the machine's byte order, which is
// little-endian on everything goxin runs on, and the port as a number.
func address(s string) (netip.AddrPort, bool) {
	host, port, _ := strings.Cut(s, ":")
	b, err := hex.DecodeString(host)
	n, err2 := strconv.ParseUint(port, 16, 16)
	if err != nil || err2 != nil || n == 0 || len(b)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(b); i += 4 {
		slices.Reverse(b[i : i+4])
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Unmap(), uint16(n)), true
}

// reach are the addresses under which what listens at a can be had from the same
// machine. Most that listen on all of IPv6 take IPv4 too.
func reach(a netip.AddrPort) []netip.AddrPort {
	v4, v6 := netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()
	switch a.Addr() {
	case netip.IPv4Unspecified():
		return []netip.AddrPort{netip.AddrPortFrom(v4, a.Port())}
	case netip.IPv6Unspecified():
		return []netip.AddrPort{netip.AddrPortFrom(v4, a.Port()), netip.AddrPortFrom(v6, a.Port())}
	}
	return []netip.AddrPort{a}
}
