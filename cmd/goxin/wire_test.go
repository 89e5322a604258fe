package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// segment is an Ethernet of three machines, a, b and c, which are network namespaces on a
// bridge in a fourth. It takes root and ip(8).
type segment struct {
	t      *testing.T
	prefix string
	goxin  string
}

func newSegment(t *testing.T) *segment {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces: run it as root")
	}
	goxin, err := exec.LookPath("goxin") // TestMain puts it there
	if err != nil {
		t.Fatal(err)
	}
	s := &segment{t, fmt.Sprintf("gx%d", os.Getpid()), goxin}
	s.ip("netns", "add", s.ns("s"))
	t.Cleanup(func() { s.ip("netns", "del", s.ns("s")) })
	s.ip("-n", s.ns("s"), "link", "add", "br0", "type", "bridge")
	s.ip("-n", s.ns("s"), "link", "set", "br0", "up")
	for i, n := range []string{"a", "b", "c"} {
		s.ip("netns", "add", s.ns(n))
		t.Cleanup(func() { s.ip("netns", "del", s.ns(n)) })
		s.ip("-n", s.ns("s"), "link", "add", "port-"+n, "type", "veth", "peer", "name", "eth0", "netns", s.ns(n))
		s.ip("-n", s.ns("s"), "link", "set", "port-"+n, "master", "br0", "up")
		s.ip("-n", s.ns(n), "link", "set", "lo", "up")
		s.ip("-n", s.ns(n), "link", "set", "eth0", "up")
		s.ip("-n", s.ns(n), "address", "add", fmt.Sprintf("10.77.0.%d/24", i+1), "dev", "eth0")
	}
	return s
}

func (s *segment) ns(name string) string { return s.prefix + name }

func (s *segment) ip(args ...string) {
	s.t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		s.t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// within runs f on a thread that is in the namespace; the thread ends with it.
func (s *segment) within(name string, f func() error) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		fd, err := unix.Open("/var/run/netns/"+s.ns(name), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Setns(fd, unix.CLONE_NEWNET)
		}
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

// serve answers HTTP on the machine and says which node it is, until the test ends or the
// server is closed.
func (s *segment) serve(name string) *http.Server {
	s.t.Helper()
	var l net.Listener
	s.within(name, func() (err error) {
		l, err = net.Listen("tcp4", "0.0.0.0:80")
		return err
	})
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(wire.NodeHeader, name)
		_, _ = w.Write([]byte("ok\n"))
	})}
	go func() { _ = srv.Serve(l) }()
	s.t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// on is goxin on that machine.
func (s *segment) on(name string) machine.Machine { return inNamespace{machine.Local(), s, name} }

type inNamespace struct {
	machine.Machine
	s    *segment
	name string
}

func (n inNamespace) Run(ctx context.Context, c machine.Command, out func(string)) error {
	argv := slices.Clone(c.Argv)
	if argv[0] == machine.Self {
		argv[0] = n.s.goxin
	}
	c.Argv = append([]string{"ip", "netns", "exec", n.s.ns(n.name)}, argv...)
	return n.Machine.Run(ctx, c, out)
}

func (s *segment) mac(name string) string {
	s.t.Helper()
	out, err := exec.Command("ip", "-n", s.ns(name), "-o", "link", "show", "eth0").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(out), "link/ether ")
	mac, _, _ := strings.Cut(rest, " ")
	return mac
}

func (s *segment) end(name string, n int) wire.End {
	return wire.End{On: s.on(name), Interface: "eth0", Address: netip.AddrFrom4([4]byte{10, 77, 0, byte(n)})}
}

var sharedVIP = netip.MustParseAddr("10.77.0.100")

func TestARPTellsWhetherAnAddressIsFree(t *testing.T) {
	s := newSegment(t)
	f, err := wire.ArpProbe(t.Context(), s.on("c"), "eth0", sharedVIP)
	if err != nil || !f.Free() {
		t.Fatalf("%v %+v", err, f)
	}
	for _, n := range []string{"a", "b"} {
		s.ip("-n", s.ns(n), "address", "add", "10.77.0.100/32", "dev", "eth0")
	}
	want := []string{s.mac("a"), s.mac("b")}
	slices.Sort(want)
	f, err = wire.ArpProbe(t.Context(), s.on("c"), "eth0", sharedVIP)
	if err != nil || f.Free() || f.Local || !slices.Equal(f.MACs, want) {
		t.Errorf("%v %+v, want %v", err, f, want)
	}
	f, err = wire.ArpProbe(t.Context(), s.on("a"), "eth0", sharedVIP)
	if err != nil || !f.Local || !slices.Equal(f.MACs, []string{s.mac("b")}) {
		t.Errorf("from one that has it: %v %+v", err, f)
	}
	// Asking taught nobody that the asker is anybody.
	if out, err := exec.Command("ip", "-n", s.ns("a"), "neighbour", "show", "10.77.0.3").Output(); err != nil || len(out) > 0 {
		t.Errorf("a learnt %q %v", out, err)
	}
	for _, iface := range []string{"nowhere0", "lo"} {
		if _, err := wire.ArpProbe(t.Context(), s.on("c"), iface, sharedVIP); !strings.Contains(lang.Message(err, lang.EN), "cannot listen on") {
			t.Errorf("%s: %v", iface, err)
		}
	}
}

func TestListeningHearsTheRoutersOfTheSegment(t *testing.T) {
	s := newSegment(t)
	from := netip.MustParseAddr("10.77.0.1")
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.within("a", func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, vrrp.Protocol)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 255); err != nil {
				return err
			}
			if err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_IF, &unix.IPMreqn{Address: from.As4()}); err != nil {
				return err
			}
			for { // until it was heard
				for _, a := range []vrrp.Advert{
					{Version: 2, VRID: 51, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.50")}},
					{Version: 3, VRID: 77, Priority: 254, Interval: 200 * time.Millisecond, Addresses: []netip.Addr{sharedVIP}},
				} {
					if err := unix.Sendto(fd, a.Bytes(from, vrrp.Group), 0, &unix.SockaddrInet4{Addr: vrrp.Group.As4()}); err != nil {
						return err
					}
				}
				select {
				case <-stop:
					return nil
				case <-time.After(50 * time.Millisecond):
				}
			}
		})
	}()
	defer func() { close(stop); <-done }()
	for _, name := range []string{"c", "a"} { // a hears itself
		h, err := wire.Listen(t.Context(), s.on(name), "eth0", 2*time.Second)
		if err != nil || len(h.Routers) != 2 {
			t.Fatalf("%s: %v %+v", name, err, h)
		}
		for i, vrid := range []int{51, 77} {
			if r := h.Routers[i]; r.Advert.VRID != vrid || r.From != from || r.To != vrrp.Group || r.TTL != 255 || r.Mine != (name == "a") || r.MAC != s.mac("a") {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

func TestProtocol112IsTriedBothWays(t *testing.T) {
	s := newSegment(t)
	for _, c := range [][2]wire.End{{s.end("a", 1), s.end("b", 2)}, {s.end("b", 2), s.end("a", 1)}} {
		got, err := wire.Reach(t.Context(), c[0], c[1])
		if err != nil || !got.Passes() || got.TTL != wire.DirectTTL {
			t.Errorf("%v %+v", err, got)
		}
	}
	s.ip("-n", s.ns("s"), "link", "set", "port-b", "down")
	got, err := wire.Reach(t.Context(), s.end("a", 1), s.end("b", 2))
	if err != nil || got.Passes() || got.Received > 0 {
		t.Errorf("through a cut wire: %v %+v", err, got)
	}
	elsewhere := s.end("a", 99) // no address of a
	if _, err := wire.Reach(t.Context(), elsewhere, s.end("c", 3)); err == nil {
		t.Error("an address that a does not have")
	}
}

func TestAskingTellsLatencyOwnersAndLosses(t *testing.T) {
	s := newSegment(t)
	a := s.serve("a")
	s.ip("-n", s.ns("a"), "address", "add", "10.77.0.100/32", "dev", "eth0")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	type seen struct {
		answered, lost int
		owners         wire.Owners
		nodes          map[string]bool
		why            map[string]int
	}
	now := seen{nodes: map[string]bool{}, why: map[string]int{}}
	stage := 0
	next := 0
	stages := []struct {
		what string
		done func() bool
		then func()
	}{
		{"a answers", func() bool {
			return now.answered >= 200 && now.nodes["a"] && slices.Equal(now.owners.MACs, []string{s.mac("a")})
		}, func() {
			s.ip("-n", s.ns("b"), "address", "add", "10.77.0.100/32", "dev", "eth0")
		}},
		{"two owners", func() bool { return now.owners.Count() == 2 }, func() {
			s.ip("-n", s.ns("b"), "address", "del", "10.77.0.100/32", "dev", "eth0")
		}},
		{"one owner again", func() bool { return now.owners.Count() == 1 }, func() { _ = a.Close() }},
		{"refused", func() bool { return now.why[wire.WhyRefused] > 10 }, func() {
			s.ip("-n", s.ns("s"), "link", "set", "port-a", "down")
		}},
		{"no answer at all", func() bool { return now.why[wire.WhyLate] > 10 && now.owners.Count() == 0 }, cancel},
	}
	err := wire.Ask(ctx, s.on("c"), wire.Question{VIP: sharedVIP, Port: 80, Every: 5 * time.Millisecond, Interface: "eth0"}, func(b wire.Batch) {
		if b.N != next {
			t.Errorf("question %d came after %d", b.N, next)
		}
		next = b.N + len(b.At)
		if !slices.IsSorted(b.At) {
			t.Errorf("out of order: %v", b.At)
		}
		for _, took := range b.Took {
			if took < 0 {
				now.lost++
			} else {
				now.answered++
			}
			if took > wire.Patience.Microseconds() {
				t.Errorf("an answer after %d µs counts", took)
			}
		}
		for _, n := range b.Nodes {
			now.nodes[n] = true
		}
		for why, n := range b.Lost {
			now.why[why] += n
		}
		if k := len(b.Owners); k > 0 {
			now.owners = b.Owners[k-1]
		}
		if stage < len(stages) && stages[stage].done() {
			stages[stage].then()
			stage++
		}
	})
	if err != nil || stage < len(stages) {
		at := "the end"
		if stage < len(stages) {
			at = stages[stage].what
		}
		t.Errorf("%v; it came to %q: %+v", errors.Join(err, context.Cause(ctx)), at, now)
	}
	// A thousand questions and no port is left waiting.
	out, err := exec.Command("ip", "netns", "exec", s.ns("c"), "cat", "/proc/net/tcp").Output()
	if err != nil || strings.Count(string(out), "\n") > 10 {
		t.Errorf("%v: connections are left:\n%s", err, out)
	}
}
