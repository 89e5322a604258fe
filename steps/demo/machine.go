package demo

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/netip"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/race"
)

// sim is a captured machine that seems to run. All its files are root's, or whose they
// were made: this host's user need not be root. Attributes that only root may set are
// kept in memory.
type sim struct {
	machine.Machine
	tree   machine.Rooted
	kernel machine.Kernel
	clock  *clock
	facts  *detect.Facts // as they were at first
	net    *network
	units  units
	place  netip.Addr // on the network

	furnished bool // it seems to run
	pair      *pair
	agents    agents

	mu     sync.Mutex
	owners map[string]machine.Owner     // by the name on this host; absent: root's
	attrs  map[string]map[string][]byte // the same, then by attribute

	alone sync.Mutex // programs that change something, one at a time
	stock []pack     // what the repositories have
}

var (
	_ race.Laned     = (*sim)(nil)
	_ machine.Rooted = (*sim)(nil)
)

func (s *sim) HostPath(name string) string { return s.tree.HostPath(name) }
func (s *sim) Now() time.Time              { return s.clock.now() }
func (s *sim) RootCAs() *x509.CertPool     { return s.net.roots }

// ID is the captured machine's; the second one's agent is at home on it.
func (s *sim) ID() machine.ID {
	if s.place == secondAddress {
		return machine.LocalID
	}
	return s.Machine.ID()
}

func (s *sim) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == "unix" {
		return s.agents.socket(address)
	}
	if host, port, err := net.SplitHostPort(address); err == nil {
		ip, err := netip.ParseAddr(host)
		switch {
		case s.pair.at(host) && port == "22":
			return s.pair.call(s.place)
		case err == nil && (ip.IsLoopback() || s.pair.lan.has(ip)):
			return s.pair.lan.connect(s, ip, port)
		}
	}
	return s.net.dial(ctx, network, address, nil)
}

// Kernel is root's, of a clock that is synchronised while a service sees to it.
func (s *sim) Kernel() (machine.Kernel, error) {
	k := s.kernel
	k.UID, k.ClockSynced = 0, s.synced()
	return k, nil
}

// host is a name as the maps have it; that of a link itself where it is not followed.
func (s *sim) host(name string, follow bool) string {
	if follow {
		return s.tree.HostPath(name)
	}
	return path.Join(s.tree.HostPath(path.Dir(name)), path.Base(name))
}

func (s *sim) owned(name string, follow bool, i machine.Info, err error) (machine.Info, error) {
	if err != nil {
		return i, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.owners[s.host(name, follow)]
	i.UID, i.GID = o.UID, o.GID
	return i, nil
}

func (s *sim) Stat(name string) (machine.Info, error) {
	i, err := s.Machine.Stat(name)
	return s.owned(name, true, i, err)
}

func (s *sim) Lstat(name string) (machine.Info, error) {
	i, err := s.Machine.Lstat(name)
	return s.owned(name, false, i, err)
}

func (s *sim) own(host string, o machine.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.owners[host]
	if o.UID >= 0 {
		now.UID = o.UID
	}
	if o.GID >= 0 {
		now.GID = o.GID
	}
	if now == (machine.Owner{}) {
		delete(s.owners, host)
	} else {
		s.owners[host] = now
	}
}

// moved carries over what is known of a name and of all below it; to is "" where
// they are gone.
func (s *sim) moved(from, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	move(s.owners, from, to)
	move(s.attrs, from, to)
}

func move[T any](m map[string]T, from, to string) {
	if to != "" {
		move(m, to, "")
	}
	for _, name := range keysOf(m) {
		rest, below := strings.CutPrefix(name, from)
		if !below || rest != "" && rest[0] != '/' {
			continue
		}
		if to != "" {
			m[to+rest] = m[name]
		}
		delete(m, name)
	}
}

func keysOf[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func (s *sim) WriteFile(name string, data []byte, mode fs.FileMode, owner machine.Owner) error {
	if err := s.Machine.WriteFile(name, data, mode, machine.Keep); err != nil {
		return err
	}
	host := s.host(name, true)
	s.own(host, owner)
	s.mu.Lock()
	delete(s.attrs[host], kysecMark) // a file that replaces another has no mark
	s.mu.Unlock()
	return nil
}

func (s *sim) Mkdir(name string, mode fs.FileMode, owner machine.Owner) error {
	if err := s.Machine.Mkdir(name, mode, machine.Keep); err != nil {
		return err
	}
	s.own(s.host(name, true), owner)
	return nil
}

func (s *sim) Chown(name string, owner machine.Owner) error {
	if _, err := s.Machine.Stat(name); err != nil {
		return err
	}
	s.own(s.host(name, true), owner)
	return nil
}

func (s *sim) Remove(name string) error {
	host := s.host(name, false)
	err := s.Machine.Remove(name)
	if err == nil {
		s.moved(host, "")
	}
	return err
}

func (s *sim) RemoveAll(name string) error {
	host := s.host(name, false)
	err := s.Machine.RemoveAll(name)
	if err == nil {
		s.moved(host, "")
	}
	return err
}

func (s *sim) Rename(from, to string) error {
	a, b := s.host(from, false), s.host(to, false)
	err := s.Machine.Rename(from, to)
	if err == nil {
		s.moved(a, b)
	}
	return err
}

// Space is that of the disk, on which a drill may leave nothing.
func (s *sim) Space(name string) (machine.Space, error) {
	space, err := s.Machine.Space(name)
	if s.pair != nil {
		s.pair.lan.do(func() {
			if n := s.pair.lan.node(s); n != nil && n.full {
				space.Free = 0
			}
		})
	}
	return space, err
}

// kysecMark is how KYSEC knows what may run.
const kysecMark = "security.kysec"

func (s *sim) Xattr(name, attr string) ([]byte, error) {
	if _, err := s.Machine.Stat(name); err != nil || !strings.HasPrefix(attr, "security.") {
		if err == nil {
			return s.Machine.Xattr(name, attr)
		}
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.attrs[s.host(name, true)][attr]
	if !ok {
		return nil, &fs.PathError{Op: "getxattr", Path: name, Err: syscall.ENODATA}
	}
	return v, nil
}

func (s *sim) SetXattr(name, attr string, value []byte) error {
	if _, err := s.Machine.Stat(name); err != nil || !strings.HasPrefix(attr, "security.") {
		if err == nil {
			return s.Machine.SetXattr(name, attr, value)
		}
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	host := s.host(name, true)
	all := maps.Clone(s.attrs[host])
	if all == nil {
		all = map[string][]byte{}
	}
	if value == nil {
		delete(all, attr)
	} else {
		all[attr] = value
	}
	s.attrs[host] = all
	return nil
}

// ReadFile knows how long the machine has been up.
func (s *sim) ReadFile(name string) ([]byte, error) {
	if name == "/proc/uptime" {
		up := s.clock.rightNow().Sub(s.clock.start).Seconds() + 5217.3
		return fmt.Appendf(nil, "%.2f %.2f\n", up, up*3.7), nil
	}
	return s.Machine.ReadFile(name)
}

func (s *sim) Open(name string) (io.ReadCloser, error) {
	if name == "/proc/uptime" {
		b, err := s.ReadFile(name)
		return io.NopCloser(strings.NewReader(string(b))), err
	}
	return s.Machine.Open(name)
}

// WriteKernel answers as the kernel would: a parameter is shown again with a newline,
// its numbers apart as before, and of a choice the chosen one is in brackets.
func (s *sim) WriteKernel(name string, data []byte) error {
	was, err := s.Machine.ReadFile(name)
	if err != nil {
		return err
	}
	words := strings.Fields(string(data))
	value := strings.Join(words, " ")
	switch old := string(was); {
	case strings.Contains(old, "[") && len(words) == 1:
		plain := strings.NewReplacer("[", "", "]", "").Replace(old)
		all := strings.Fields(plain)
		found := false
		for i, w := range all {
			if w == value {
				all[i], found = "["+w+"]", true
			}
		}
		if !found {
			return &fs.PathError{Op: "write", Path: name, Err: syscall.EINVAL}
		}
		value = strings.Join(all, " ")
	case strings.Contains(old, "\t"), len(words) > 1:
		value = strings.Join(words, "\t")
	}
	return s.Machine.WriteKernel(name, []byte(value+"\n"))
}
