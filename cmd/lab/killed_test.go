//go:build e2e

package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

const mortalProgram = "/root/mortal/goxin"

// TestKilledOnRealMachines kills real runs with SIGKILL at a seeded sample of
// their effects, on a container and on a virtual machine; resume ends where an
// uninterrupted run ends, undo where it began. (On trees every effect is tried.)
func TestKilledOnRealMachines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   Kind
		sample int
		stride int // how exactly the number of effects is found out
	}{{SystemContainer, 10, 20}, {VirtualMachine, 1, 60}} {
		t.Run(string(c.kind), func(t *testing.T) {
			_, mortal := programs(t)
			m := NewLab(t).start(t, c.kind, "killed")
			m.Do("mkdir", "-p", "/root/mortal")
			m.Install(mortal, mortalProgram)
			keys := []string{"net.core.somaxconn", "vm.swappiness", "net.core.rmem_max", "net.ipv4.ip_local_port_range"}
			values := func() string {
				var all []string
				for _, k := range keys {
					if r := m.Try("sysctl", "-n", k); r.Code == 0 {
						all = append(all, strings.TrimSpace(r.Out))
					}
				}
				return strings.Join(append(all, m.Do("systemctl", "show", "-p", "DefaultLimitNOFILE", "--value")), " ")
			}
			die := func(n int, args ...string) Result {
				return m.Try(append([]string{"env", fmt.Sprint("GOXIN_DIE_AT=", n), mortalProgram}, args...)...)
			}
			apply := []string{"apply", "--yes", "--set", "kernel.profile=web"}
			all := m.system()
			treeBefore, before := m.written(), values()
			whole := die(0, apply...)
			treeAfter, after := m.written(), values()
			if before == after || whole.Code != 0 && whole.Code != 6 {
				t.Fatalf("exit code %d\n%s", whole.Code, whole.Err)
			}
			if r := die(0, "undo"); r.Code != 0 || m.written() != treeBefore || values() != before {
				t.Fatalf("undo: exit code %d\n%s\n%s", r.Code, r.Err, strings.Join(treeBefore.Diff(m.written()), "\n"))
			}
			effects := 0
			for effects = c.stride; die(effects, apply...).Code > 128; effects += c.stride {
				die(0, "undo")
			}
			die(0, "undo")
			seed := uint64(20261123)
			rnd := rand.New(rand.NewPCG(seed, uint64(len(c.kind))))
			for range c.sample {
				n := 1 + rnd.IntN(effects)
				for _, take := range []string{"resume", "undo"} {
					killed := die(n, apply...)
					r := die(0, take)
					wantTree, want := treeBefore, before
					if take == "resume" {
						if strings.Contains(r.Err, "nothing to resume") && killed.Code > 128 {
							r = die(0, apply...) // it died before its header, or after its end, was durable
						}
						wantTree, want = treeAfter, after
					}
					if tree := m.written(); r.Code != 0 && r.Code != 6 || tree != wantTree || values() != want {
						t.Fatalf("seed %d, killed at effect %d of %d, %s: exit code %d\n%s\nvalues %s, want %s\n%s",
							seed, n, effects, take, r.Code, r.Err, values(), want, strings.Join(wantTree.Diff(tree), "\n"))
					}
					die(0, "undo")
					if tree := m.written(); tree != treeBefore {
						t.Fatalf("killed at effect %d, %s, undone: %s", n, take, strings.Join(treeBefore.Diff(tree), "\n"))
					}
				}
			}
			same(t, all, m.system())
		})
	}
}
