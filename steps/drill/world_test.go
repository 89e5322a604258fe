package drill

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

// world is a pair and whoever asks it, in the test's own time: machines that know the
// commands of a drill, and a pair that fails over as fast as the test says.
type world struct {
	t  *testing.T
	mu sync.Mutex
	// moves is how long the other node takes to have the address, by what was done.
	moves map[string]time.Duration
	// stale: a killed keepalived leaves the address for ever.
	stale bool
	split bool
	nodes map[machine.ID]*fakeNode
	log   []string
}

type fakeNode struct {
	machine.Machine // nil: what a drill does not use panics
	w               *world
	id              machine.ID
	vip             bool
	hung            bool
	cut             bool
	units           map[string]bool
	timers          map[string]*time.Timer
	full            bool
	refuse          string // commands that have it fail
	container       string
	mount           string // what findmnt says of /var/log
	free            uint64 // there; 0: enough
}

var vip = netip.MustParseAddr("10.0.0.100")

func newWorld(t *testing.T) *world {
	w := &world{t: t, nodes: map[machine.ID]*fakeNode{}, moves: map[string]time.Duration{
		"away": 5 * time.Millisecond, "web": 25 * time.Millisecond, "hung": 2500 * time.Millisecond, "stop": 5 * time.Millisecond, "kill": 500 * time.Millisecond, "cut": 500 * time.Millisecond,
	}}
	for _, id := range []machine.ID{"local", "peer:b", "peer:c"} {
		w.nodes[id] = &fakeNode{w: w, id: id, units: map[string]bool{"nginx": true, "keepalived": true, vrrp.Unit: true}, timers: map[string]*time.Timer{}}
	}
	w.nodes["local"].vip = true
	return w
}

func (w *world) machines() map[machine.ID]machine.Machine {
	out := map[machine.ID]machine.Machine{}
	for id, n := range w.nodes {
		out[id] = n
	}
	return out
}

func (w *world) config(faults ...vrrp.Fault) Config {
	return Config{
		Home: "local", Nodes: [2]machine.ID{"local", "peer:b"}, Names: map[machine.ID]string{"local": "a1", "peer:b": "a2", "peer:c": "c"},
		From: "peer:c", Third: true, VIP: vip, Interface: map[machine.ID]string{"local": "eth0", "peer:b": "eth0", "peer:c": "eth0"},
		Port: 80, Path: "/", Faults: faults,
		Timing: vrrp.Timing{Advert: 200 * time.Millisecond, Priority: 253, Detect: 20 * time.Millisecond, CheckEvery: time.Second, Fall: 2, CheckTimeout: time.Second, Settle: 20 * time.Millisecond},
	}
}

// whole says that nothing of a drill is left on the pair.
func (w *world) whole() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	owners := 0
	for _, id := range []machine.ID{"local", "peer:b"} {
		n := w.nodes[id]
		if n.vip {
			owners++
		}
		for u, up := range n.units {
			if !up {
				return fmt.Errorf("%s does not run on %s", u, id)
			}
		}
		if n.hung || n.cut || n.full || len(n.timers) > 0 {
			return fmt.Errorf("%s: hung %v, cut %v, full %v, timers %d", id, n.hung, n.cut, n.full, len(n.timers))
		}
	}
	if owners != 1 || w.split {
		return fmt.Errorf("%d owners, split %v", owners, w.split)
	}
	return nil
}

func (n *fakeNode) other() *fakeNode {
	if n.id == "local" {
		return n.w.nodes["peer:b"]
	}
	return n.w.nodes["local"]
}

func (n *fakeNode) ID() machine.ID { return n.id }
func (n *fakeNode) Now() time.Time { return time.Now() }

func (n *fakeNode) Stat(name string) (machine.Info, error) {
	if name == "/usr/sbin/nft" {
		return machine.Info{Mode: 0o755}, nil
	}
	return machine.Info{}, fs.ErrNotExist
}

func (n *fakeNode) ReadFile(name string) ([]byte, error) {
	mac := map[machine.ID]string{"local": "02:00:00:00:00:0a\n", "peer:b": "02:00:00:00:00:0b\n"}[n.id]
	if name == "/sys/class/net/eth0/address" && mac != "" {
		return []byte(mac), nil
	}
	return nil, fs.ErrNotExist
}

func (n *fakeNode) Space(string) (machine.Space, error) {
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	if n.full {
		return machine.Space{Total: 1 << 30}, nil
	}
	return machine.Space{Free: cmp.Or(n.free, 1<<29), Total: 1 << 30}, nil
}

func (n *fakeNode) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if c.Argv[0] == machine.Self {
		return n.ask(ctx, c.Argv, out)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	line := strings.Join(c.Argv, " ")
	n.w.mu.Lock()
	defer n.w.mu.Unlock()
	n.w.log = append(n.w.log, string(n.id)+": "+line)
	if n.refuse != "" && strings.Contains(line, n.refuse) {
		return &machine.ExitError{Argv: c.Argv, Code: 1, Stderr: "refused"}
	}
	switch {
	case c.Argv[0] == "ip":
		out("2: eth0    inet 10.0.0.1/24 scope global eth0")
		if n.vip {
			out("2: eth0    inet 10.0.0.100/32 scope global eth0")
		}
		return nil
	case c.Argv[0] == "systemd-detect-virt":
		if n.container != "" {
			out(n.container)
			return nil
		}
		out("none")
		return &machine.ExitError{Argv: c.Argv, Code: 1}
	case c.Argv[0] == "findmnt":
		out(cmp.Or(n.mount, "/ ext4 /"))
		return nil
	case strings.HasPrefix(line, "systemctl --quiet is-active "):
		unit := strings.TrimSuffix(c.Argv[3], ".service")
		if n.timers[unit] != nil || n.units[unit] || n.units[c.Argv[3]] {
			return nil
		}
		return &machine.ExitError{Argv: c.Argv, Code: 3}
	case c.Argv[0] == "systemd-run":
		return n.later(c.Argv)
	}
	n.do(line)
	return nil
}

// later is systemd-run: the drill's timer, a fault that comes after a moment, the disk.
func (n *fakeNode) later(argv []string) error {
	script := argv[len(argv)-1]
	if strings.Contains(argv[1], fillUnit) {
		n.full = true
		return nil
	}
	unit, d := backUnit+".timer", notice
	if strings.Contains(argv[1], cutUnit) {
		unit = cutUnit + ".timer"
	} else if _, err := fmt.Sscanf(argv[2], "--on-active=%dms", &d); err != nil {
		return err
	} else {
		d *= time.Millisecond
	}
	n.timers[unit] = time.AfterFunc(d, func() {
		n.w.mu.Lock()
		defer n.w.mu.Unlock()
		delete(n.timers, unit)
		n.w.log = append(n.w.log, string(n.id)+": (timer) "+script)
		if strings.Contains(script, "nft") {
			n.do(script)
			return
		}
		for _, line := range strings.Split(script, "; ") {
			n.do(line)
		}
	})
	return nil
}

// moved gives the address to the other node after d.
func (n *fakeNode) moved(d time.Duration, keeps bool) {
	if !n.vip {
		return
	}
	time.AfterFunc(d, func() {
		n.w.mu.Lock()
		defer n.w.mu.Unlock()
		if keeps && !n.cut && !n.w.split && !n.w.stale {
			return // they heard each other again before that
		}
		n.vip = keeps
		n.other().vip = true
	})
}

func (n *fakeNode) after(d time.Duration, f func()) {
	time.AfterFunc(d, func() {
		n.w.mu.Lock()
		defer n.w.mu.Unlock()
		f()
	})
}

func (n *fakeNode) do(line string) {
	m := n.w.moves
	switch {
	case strings.Contains(line, "systemctl stop "+backUnit):
		if t := n.timers[backUnit+".timer"]; t != nil {
			t.Stop()
			delete(n.timers, backUnit+".timer")
		}
	case strings.Contains(line, "systemctl stop "+fillUnit):
		n.full = false
	case line == "systemctl stop "+vrrp.Unit:
		n.units[vrrp.Unit] = false
		n.moved(m["away"], false)
	case line == "systemctl stop nginx", line == "systemctl kill --signal=SIGKILL nginx":
		n.units["nginx"] = false
		n.moved(m["web"], false)
	case line == "systemctl kill --signal=SIGSTOP nginx":
		n.hung = true
		n.moved(m["hung"], false)
	case line == "systemctl kill --signal=SIGCONT nginx":
		n.hung = false
	case line == "systemctl stop keepalived":
		n.units["keepalived"] = false
		n.moved(m["stop"], false)
	case line == "systemctl kill --signal=SIGKILL keepalived":
		n.units["keepalived"] = false
		n.moved(m["kill"], n.w.stale)
	case strings.HasPrefix(line, "systemctl start "):
		n.units[strings.TrimPrefix(line, "systemctl start ")] = true
	case strings.Contains(line, "delete table arp"):
		n.cut = false
		n.after(100*time.Millisecond, func() { n.vip = n.vip && !n.other().vip })
	case strings.Contains(line, "add table arp"):
		n.cut = true
		n.moved(m["cut"], true)
	case strings.Contains(line, "delete table inet"):
		n.w.split = false
		n.after(150*time.Millisecond, func() { n.vip = n.vip && !n.other().vip })
	case strings.Contains(line, "l4proto 112 drop"):
		n.w.split = true
		n.moved(m["cut"], true)
	case strings.HasPrefix(line, "systemctl reset-failed"), strings.HasPrefix(line, "nft "), strings.HasPrefix(line, "/bin/sh -c systemctl stop "+fillUnit):
	default:
		n.w.t.Errorf("%s: nobody knows %q", n.id, line)
	}
}

// ask is `goxin wire ask`: a question every 10 ms, told every 100 ms.
func (n *fakeNode) ask(ctx context.Context, argv []string, out func(string)) error {
	w := n.w
	every := 10 * time.Millisecond
	if i := slices.Index(argv, "--every"); i > 0 {
		every, _ = time.ParseDuration(argv[i+1])
	}
	began := time.Now()
	var last string
	var current *fakeNode // whom the asker's neighbour table knows
	for num := 0; ; {
		b := wire.Batch{N: num}
		for range 10 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(every):
			}
			w.mu.Lock()
			var who []*fakeNode
			o := wire.Owners{At: time.Since(began).Microseconds()}
			for _, id := range []machine.ID{"local", "peer:b"} {
				if x := w.nodes[id]; x.vip && !x.cut {
					who = append(who, x)
					if x == n {
						o.Local = true
					} else {
						o.MACs = append(o.MACs, map[machine.ID]string{"local": "02:00:00:00:00:0a", "peer:b": "02:00:00:00:00:0b"}[id])
					}
				}
			}
			if !slices.Contains(who, current) {
				current = nil
				if len(who) > 0 {
					current = who[0]
				}
			}
			took := int64(-1)
			if current != nil && current.units["nginx"] && !current.hung {
				took = 800
			}
			w.mu.Unlock()
			if key := fmt.Sprint(o.MACs, o.Local); key != last {
				last = key
				b.Owners = append(b.Owners, o)
			}
			b.At, b.Took = append(b.At, o.At), append(b.Took, took)
			if took < 0 {
				b.Lost = map[string]int{wire.WhyLate: b.Lost[wire.WhyLate] + 1}
			}
			num++
		}
		line, err := json.Marshal(b)
		if err != nil {
			return err
		}
		out(string(line))
	}
}

var errNoRefusal = errors.New("")

func said(err error) string {
	if err == nil {
		err = errNoRefusal
	}
	return lang.Message(err, lang.EN)
}

var netip6 = netip.MustParseAddr("2001:db8::1")
