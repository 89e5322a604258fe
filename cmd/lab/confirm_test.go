//go:build e2e

package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const deadline = 20 * time.Second

// reverts waits until the machine is as it was. By the machine's own clock that
// must be within the deadline and five seconds more; to see it from outside an
// emulated one takes a while longer.
func reverts(t *testing.T, m *Box, before Tree, somaxconn string) {
	t.Helper()
	here, err := strconv.ParseInt(m.Do("date", "+%s"), 10, 64) // after a reboot it cannot be sooner
	ok(t, err)
	for start := time.Now(); m.sysctl("net.core.somaxconn") != somaxconn || m.guarded(); time.Sleep(250 * time.Millisecond) {
		if time.Since(start) > deadline+30*time.Second {
			t.Fatalf("not back after %v: somaxconn %s\n%s", time.Since(start), m.sysctl("net.core.somaxconn"), m.Sh("systemctl status goxin-guard --no-pager || true; "+program+" runs"))
		}
	}
	if tree := m.written(); tree != before {
		t.Errorf("not as it was:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	m.goxin(t, 0, "check")
	awaiting, end := journalled(t, m, "awaiting"), journalled(t, m, "end")
	t.Logf("back %v after the change, which was to be confirmed within %v", end.Sub(awaiting), deadline)
	if due := awaiting.Add(deadline); end.After(due.Add(5*time.Second)) && end.After(time.Unix(here, 0).Add(5*time.Second)) {
		t.Errorf("back only %v after the deadline", end.Sub(due))
	}
}

// guarded reports whether there is a guard: its unit, which it removes while it still
// holds the lock, or itself.
func (b *Box) guarded() bool {
	b.t.Helper()
	return strings.Contains(b.Sh("ls /etc/systemd/system; systemctl list-units --plain --no-legend 'goxin-guard*'"), "goxin-guard")
}

// journalled is when the newest run journalled a record of one kind.
func journalled(t *testing.T, m *Box, what string) time.Time {
	t.Helper()
	var at time.Time
	for line := range strings.Lines(m.Sh("cat $(ls -d /var/lib/goxin/runs/* | tail -n1)/journal.jsonl")) {
		var l struct {
			Rec struct {
				What string
				Time time.Time
			}
		}
		ok(t, json.Unmarshal([]byte(line), &l))
		if l.Rec.What == what {
			at = l.Rec.Time
		}
	}
	if at.IsZero() {
		t.Fatalf("the journal has no %q", what)
	}
	return at
}

// An unconfirmed change comes back with the wizard frozen and with its terminal gone.
func TestAnUnconfirmedChangeComesBack(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	m := NewLab(t).Container(t, "confirm")
	m.Install(goxin, program)
	before, was := m.written(), m.sysctl("net.core.somaxconn")
	for _, c := range []struct {
		name string
		away func(*wizard)
	}{
		{"frozen", func(*wizard) { m.Do("pkill", "-STOP", "-x", "goxin", "--oldest") }},
		{"terminal gone", func(w *wizard) { ok(t, w.Close()) }},
	} {
		w, p := m.Wizard("--confirm", deadline.String())
		w.tunes().writes("W").sees("press k")
		if m.sysctl("net.core.somaxconn") != "65535" {
			t.Fatalf("%s: nothing was written\n%s", c.name, w.Screen())
		}
		c.away(w)
		t.Logf("%s:", c.name)
		reverts(t, m, before, was)
		_ = p.Signal(syscall.SIGCONT)
		_ = p.Signal(syscall.SIGKILL)
		_ = w.Close()
	}
	m.goxin(t, 6, "apply", "--yes", "--set", "kernel.profile=web", "--confirm", "3s")
	m.goxin(t, 0, "confirm")
	time.Sleep(6 * time.Second)
	if m.sysctl("net.core.somaxconn") != "65535" {
		t.Error("a confirmed change went back")
	}
}

// It comes back across a reboot too, and a confirmed one stays.
func TestAnUnconfirmedChangeComesBackAtBoot(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	m := NewLab(t).VM(t, "confirm")
	m.Install(goxin, program)
	before, was := m.written(), m.sysctl("net.core.somaxconn")
	tuned := func() bool { return m.sysctl("net.core.somaxconn") == "65535" }
	apply := []string{"apply", "--yes", "--set", "kernel.profile=web", "--confirm"}
	m.goxin(t, 0, append(apply, deadline.String())...)
	if !tuned() {
		t.Fatal("nothing was written")
	}
	if r := m.Try(program, "apply", "--yes", "--set", "kernel.profile=base"); r.Code != 7 || !strings.Contains(r.Err, "goxin confirm") {
		t.Errorf("a run beside one that waits for its confirmation: %+v", r)
	}
	m.MustReboot()
	t.Logf("rebooted:")
	reverts(t, m, before, was)

	m.goxin(t, 0, append(apply, deadline.String())...)
	m.goxin(t, 0, "confirm")
	m.MustReboot() // which takes longer than the deadline
	if !tuned() {
		t.Error("a confirmed change went back")
	}
	m.goxin(t, 0, "check")
	m.goxin(t, 0, "undo")
	if tree := m.written(); tree != before {
		t.Errorf("after undo:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
}
