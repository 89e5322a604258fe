//go:build e2e

package main

import (
	"strings"
	"testing"
	"time"
)

// What a guard has to survive: a run that froze with the lock in its hands, one
// that failed half-way, one confirmed a moment before the next began.
func TestTheGuardOfARunThatDidNotEndWell(t *testing.T) {
	t.Parallel()
	goxin, mortal := programs(t)
	m := NewLab(t).Container(t, "a")
	m.Install(goxin, program)
	m.Do("mkdir", "-p", "/root/mortal")
	m.Install(mortal, mortalProgram)
	before, was := m.system(), m.sysctl("net.core.somaxconn")
	apply := []string{"apply", "--yes", "--set", "kernel.profile=web"}
	back := func(within time.Duration) {
		t.Helper()
		for start := time.Now(); m.sysctl("net.core.somaxconn") != was || m.guarded(); time.Sleep(200 * time.Millisecond) {
			if time.Since(start) > within {
				t.Fatalf("not back after %v\n%s", within, m.Sh("systemctl status 'goxin-guard*' --no-pager || true; "+program+" runs"))
			}
		}
		if tree := m.system(); tree != before {
			t.Fatalf("not as it was:\n%s", strings.Join(before.Diff(tree), "\n"))
		}
	}

	m.Sh("GOXIN_STOP_AT=130 setsid " + mortalProgram + " " + strings.Join(apply, " ") + " --confirm 4s >/dev/null 2>&1 </dev/null & for i in $(seq 300); do ps -o stat= -C goxin | grep -q T && exit; sleep 0.1; done; exit 1")
	if r := m.Try(program, "apply", "--yes", "--set", "kernel.profile=base"); r.Code != 7 {
		t.Errorf("a run beside one that is frozen: exit code %d\n%s", r.Code, r.Err)
	}
	back(4*time.Second + frozenFor + 10*time.Second)
	if r := m.Try("sh", "-c", "ps -o stat= -C goxin | grep T"); r.Code == 0 {
		t.Error("the frozen run still stands")
	}

	r := m.Try(append([]string{program}, append(apply, "--confirm", "4s", "--on-error", "stop", "--set", "kernel.set.net.ipv4.tcp_congestion_control=nosuch")...)...)
	if r.Code != 1 || m.sysctl("net.core.somaxconn") == was {
		t.Fatalf("a run that fails half-way and stops: exit code %d, somaxconn %s\n%s", r.Code, m.sysctl("net.core.somaxconn"), r.Err)
	}
	back(20 * time.Second)

	// One after the other, without a breath between.
	m.Sh(program + " " + strings.Join(apply, " ") + " --confirm 60s -q || test $? = 6; " + program + " confirm && " + program + " undo && " +
		program + " " + strings.Join(apply, " ") + " --confirm 3s -q || test $? = 6")
	if m.sysctl("net.core.somaxconn") == was {
		t.Fatal("nothing was written")
	}
	back(20 * time.Second)
	m.goxin(t, 0, "check")
}

// frozenFor is how long the guard looks at a frozen run before it kills it.
const frozenFor = 3 * time.Second
