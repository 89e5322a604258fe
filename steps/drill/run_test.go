package drill

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"goxin/detect/machine"
	"goxin/steps/vrrp"
)

func TestEveryFaultIsDoneMeasuredAndTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var samples []Sample
		r, err := Run(t.Context(), w.machines(), w.config(), func(s Sample) { samples = append(samples, s) })
		if err != nil || !r.OK() {
			t.Fatalf("%v, stopped %q, %+v", err, r.Stopped.EN, r.Rows)
		}
		if err := w.whole(); err != nil {
			t.Error(err)
		}
		if len(r.Rows) != len(Usual()) || r.From != "c" || !r.Third {
			t.Fatalf("%d rows, asked by %s", len(r.Rows), r.From)
		}
		// The owner is where the fault before left the address; what was lost follows from
		// how long the world says the other node takes.
		for _, want := range []struct {
			fault  vrrp.Fault
			lost   int
			gap    time.Duration
			owners string
		}{
			{vrrp.FaultSwitchover, 0, 10 * time.Millisecond, "a1 a2"},
			{vrrp.FaultNginxStopped, 2, 30 * time.Millisecond, "a2 a1"},
			{vrrp.FaultNginxKilled, 2, 30 * time.Millisecond, "a1 a2"},
			{vrrp.FaultNginxHangs, 250, 2510 * time.Millisecond, "a2 a1"},
			{vrrp.FaultKeepalivedStopped, 0, 10 * time.Millisecond, "a1 a2"},
			{vrrp.FaultKeepalivedKilled, 0, 10 * time.Millisecond, "a2 a1"},
			{vrrp.FaultDisk, 0, 10 * time.Millisecond, "a1"},
			{vrrp.FaultSplit, 0, 10 * time.Millisecond, "a1 a1+a2 a2"},
			{vrrp.FaultLink, 50, 500 * time.Millisecond, "a2 a1"},
		} {
			i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Fault == want.fault })
			row := r.Rows[i]
			slack := 21 * time.Millisecond // a question or two more or less
			if abs(row.Lost-want.lost) > 2 || (row.Gap-want.gap).Abs() > slack || strings.Join(row.Owners, " ") != want.owners && want.fault != vrrp.FaultLink {
				t.Errorf("%s: lost %d, gap %s, owners %v; want %+v", row.Fault, row.Lost, row.Gap, row.Owners, want)
			}
			if row.Asked < 100 || row.Plot.Set <= 0 || row.Plot.Back <= row.Plot.Set || len(row.Plot.Worst) == 0 {
				t.Errorf("%s: asked %d, plot %+v", row.Fault, row.Asked, row.Plot)
			}
		}
		for _, row := range r.Rows[1:6] { // nginx or keepalived was down: a check each second has to succeed twice
			if end := time.Duration(len(row.Plot.Worst)) * row.Plot.Every; end-row.Plot.Back < 3*time.Second {
				t.Errorf("%s: the next fault may come %s after, when the node cannot take over", row.Fault, end-row.Plot.Back)
			}
		}
		if split := r.Rows[slices.IndexFunc(r.Rows, func(row Row) bool { return row.Fault == vrrp.FaultSplit })]; split.Both < 400*time.Millisecond {
			t.Errorf("two owners were seen for %s alone", split.Both)
		}
		if samples[0].Predicted[vrrp.FaultLink] != r.Rows[len(r.Rows)-1].Predicted || len(samples[0].Faults) != len(Usual()) {
			t.Errorf("the first sample: %+v", samples[0])
		}
		done := 0
		for _, s := range samples {
			if s.Done != nil {
				done++
			}
		}
		if done != len(r.Rows) {
			t.Errorf("%d rows were told", done)
		}
	})
}

func abs(n int) int { return max(n, -n) }

func TestTheNodeThatStandsByAsksWhereThereIsNoThird(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config(vrrp.FaultSwitchover, vrrp.FaultSwitchover)
		c.Third, c.From = false, ""
		r, err := Run(t.Context(), w.machines(), c, nil)
		if err != nil || !r.OK() || r.Third {
			t.Fatalf("%v %+v", err, r)
		}
		if r.Rows[0].From != "a2" || r.Rows[1].From != "a1" || r.Owner != "a1" {
			t.Errorf("asked by %s, then %s; in the end %s owns it", r.Rows[0].From, r.Rows[1].From, r.Owner)
		}
	})
}

func TestAPairThatIsSlowFailsByName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.moves["web"] = 4 * time.Second
		r, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultNginxKilled, vrrp.FaultSwitchover), nil)
		if err != nil || r.OK() || len(r.Rows) != 2 {
			t.Fatalf("%v %+v", err, r)
		}
		if row := r.Rows[0]; row.OK || !strings.Contains(row.Why.EN, "1.5 times") || row.Gap < 4*time.Second {
			t.Errorf("%+v", row)
		}
		if !r.Rows[1].OK {
			t.Error("one bad fault is no reason to stop")
		}
		if err := w.whole(); err != nil {
			t.Error(err)
		}
	})
}

func TestTwoOwnersAreNamedAndStopTheDrill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.stale = true
		r, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultKeepalivedKilled, vrrp.FaultSwitchover), nil)
		if err != nil || r.OK() || len(r.Rows) != 1 {
			t.Fatalf("%v %+v", err, r)
		}
		if row := r.Rows[0]; !strings.Contains(row.Why.EN, "a1+a2 answer") || row.Both < time.Second || r.Stopped.Empty() {
			t.Errorf("why %q, both %s, stopped %q", row.Why.EN, row.Both, r.Stopped.EN)
		}
	})
}

func TestACancelledDrillHasTakenItsFaultBack(t *testing.T) {
	for _, f := range Usual() {
		t.Run(string(f), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				_, err := Run(ctx, w.machines(), w.config(f), func(s Sample) {
					if s.Phase == Broken {
						cancel()
					}
				})
				if ctx.Err() == nil || err == nil {
					t.Fatalf("it went on: %v", err)
				}
				cancel()
				time.Sleep(deadMan + 10*time.Second) // a cut link is its own timer's
				if err := w.whole(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// The drill dies with the fault set: nothing it could still say reaches the node.
func TestTheDeadMansTimerTakesEveryFaultBack(t *testing.T) {
	for _, f := range Usual() {
		t.Run(string(f), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				_, _ = Run(ctx, w.machines(), w.config(f), func(s Sample) {
					if s.Phase == Broken && s.Asked > 50 {
						w.mu.Lock()
						w.nodes["local"].refuse, w.nodes["peer:b"].refuse = " ", " "
						w.mu.Unlock()
						cancel()
					}
				})
				if w.nodes["local"].refuse == "" {
					t.Fatal("the fault was never set")
				}
				time.Sleep(2 * deadMan)
				if f == vrrp.FaultDisk {
					return // its unit has a limit of its own, which systemd keeps
				}
				if err := w.whole(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAFaultThatHalfFailsIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.nodes["local"].refuse = "kill --signal=SIGKILL nginx"
		_, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultNginxKilled), nil)
		if !strings.Contains(said(err), "cannot break a1: nginx killed") {
			t.Errorf("%v", err)
		}
		if err := w.whole(); err != nil {
			t.Error(err)
		}
	})
}

func TestNothingIsBrokenWithoutATimerThatTakesItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.nodes["local"].refuse = "systemd-run"
		_, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultNginxStopped), nil)
		if !strings.Contains(said(err), "cannot set a timer on local") || slices.Contains(w.log, "local: systemctl stop nginx") {
			t.Errorf("%v\n%s", err, strings.Join(w.log, "\n"))
		}
	})
}

func TestAPairThatIsNotAtRestIsNotDrilled(t *testing.T) {
	for name, c := range map[string]struct {
		with func(w *world)
		want string
	}{
		"both own it":              {func(w *world) { w.nodes["peer:b"].vip = true }, "both nodes have 10.0.0.100"},
		"nobody owns it":           {func(w *world) { w.nodes["local"].vip = false }, "neither node has 10.0.0.100"},
		"nginx is down":            {func(w *world) { w.nodes["peer:b"].units["nginx"] = false }, "nginx does not run on a2"},
		"nginx hangs":              {func(w *world) { w.nodes["local"].hung = true }, "the pair is not at rest"},
		"another drill is at work": {func(w *world) { w.nodes["local"].units[backUnit+".timer"] = true }, "a drill is under way"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				c.with(w)
				_, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultSwitchover), nil)
				if !strings.Contains(said(err), c.want) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

func TestADiskIsFilledThatIsNobodyElses(t *testing.T) {
	for _, c := range []struct {
		name, container, mount, why string
		free                        uint64
	}{
		{name: "a machine's root", mount: "/ ext4 /"},
		{"a container's root", "systemd-nspawn", "/ overlay /", "a container (systemd-nspawn) shares its disk with others", 1 << 30},
		{"a directory of the host's", "docker", "/srv/logs ext4 /var/log", "a container (docker) shares its disk with others", 1 << 30},
		{"a container whose mounts nobody knows", "docker", " ", "a container (docker) shares its disk with others", 1 << 30},
		{name: "a container's own volume", container: "docker", mount: "/ ext4 /var/log"},
		{name: "a little of a container's memory", container: "docker", mount: "/ tmpfs /var/log", free: 48 << 20},
		{"much of a container's memory", "docker", "/ tmpfs /var/log", "/var/log is in memory, and filling it would take 1024 MiB", 1 << 30},
		{"much of a machine's memory", "", "/ tmpfs /var/log", "/var/log is in memory, and filling it would take 1024 MiB", 1 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				n := w.nodes["local"]
				n.container, n.mount, n.free = c.container, c.mount, c.free
				r, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultDisk, vrrp.FaultSwitchover), nil)
				if err != nil || !r.OK() || r.Rows[0].Skipped != (c.why != "") || !strings.Contains(r.Rows[0].Why.EN, c.why) {
					t.Fatalf("%v %+v", err, r)
				}
				if filled := strings.Contains(strings.Join(w.log, "\n"), "fallocate"); filled == r.Rows[0].Skipped {
					t.Errorf("filled: %v", filled)
				}
				if err := w.whole(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestAMachineThatGoxinRunsOnIsNotSwitchedOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		r, err := Run(t.Context(), w.machines(), w.config(vrrp.FaultOff), nil)
		if err != nil || !r.Rows[0].Skipped {
			t.Errorf("%v %+v", err, r)
		}
	})
}

func TestWhatMustNotStandInACommandIsRefused(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*Config){
		"a service with a shell in it": func(c *Config) { c.Service = "nginx; rm -rf /" },
		"an option for a service":      func(c *Config) { c.Service = "--force" },
		"an interface with a quote":    func(c *Config) { c.Interface["local"] = `eth0" drop` },
		"no interface":                 func(c *Config) { c.Interface = nil },
		"IPv6":                         func(c *Config) { c.VIP = vip.Next(); c.VIP = netip6 },
		"no port":                      func(c *Config) { c.Port = 0 },
		"one machine":                  func(c *Config) { c.Nodes[1] = c.Nodes[0] },
		"a third that is a node":       func(c *Config) { c.From = "local" },
		"an unknown fault":             func(c *Config) { c.Faults = []vrrp.Fault{"meteor"} },
		"a thousand too many":          func(c *Config) { c.Rate = 2000 },
		"no interval":                  func(c *Config) { c.Timing.Advert = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			c := w.config(vrrp.FaultSwitchover)
			change(&c)
			if _, err := Run(t.Context(), w.machines(), c, nil); !strings.Contains(said(err), "cannot drill the pair") {
				t.Errorf("%v", err)
			}
			if len(w.log) > 0 {
				t.Errorf("it ran %q", w.log)
			}
		})
	}
}

var _ machine.Machine = (*fakeNode)(nil)
