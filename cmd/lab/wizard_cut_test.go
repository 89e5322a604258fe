//go:build e2e

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/cmd/lab/agent"
	"goxin/cmd/lab/screen"
)

// slowPackage makes a package that takes its time to be configured, a repository
// that has it, and a way in by SSH.
const slowPackage = `mkdir -p /srv/slow/p/DEBIAN
printf 'Package: lab-slow\nVersion: 1.0\nArchitecture: all\nMaintainer: lab\nDescription: takes its time\n' >/srv/slow/p/DEBIAN/control
printf '#!/bin/sh\n[ "$1" != configure ] || sleep 4\n' >/srv/slow/p/DEBIAN/postinst
chmod 755 /srv/slow/p/DEBIAN/postinst
cd /srv/slow
dpkg-deb --root-owner-group --build p lab-slow.deb
rm -r p
{ dpkg-deb -f lab-slow.deb; echo "Filename: ./lab-slow.deb"; echo "Size: $(stat -c %s lab-slow.deb)"; echo "SHA256: $(sha256sum lab-slow.deb | cut -d' ' -f1)"; } >Packages
rm -rf /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/slow ./' >/etc/apt/sources.list
apt-get update -qq
ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id
cp /root/.ssh/id.pub /root/.ssh/authorized_keys`

// cutWizard is a wizard that is about to be cut off.
type cutWizard struct {
	*wizard
	pty *agent.Pty
	box *Box
}

// A terminal that closes, a signal, an SSH session that is killed, on every page:
// what is at work comes to a clean end, nothing stays behind, and the next start
// offers to go on from there.
func TestAWizardThatIsCutOffIsGoneOnWith(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	for _, way := range []struct {
		name string
		ssh  bool
		take string // what was interrupted: finished (f) or undone (u)
		cut  func(cutWizard) error
	}{
		{"terminal gone", false, "f", func(w cutWizard) error { return w.Close() }},
		{"told to stop", false, "u", func(w cutWizard) error { return w.pty.Signal(syscall.SIGTERM) }},
		{"sshd killed", true, "u", func(w cutWizard) error { w.box.killSession(); return nil }},
	} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			b := NewLab(t).Container(t, strings.ReplaceAll(way.name, " ", "-"))
			b.Install(goxin, program)
			b.Sh(slowPackage)
			before := b.packaged(aptLeaves)
			for _, p := range cutPages {
				begin := time.Now()
				b.Sh(p.slow)
				argv := []string{program}
				if way.ssh {
					argv = append(strings.Fields("ssh -tt -i /root/.ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1"), argv...)
				}
				s, pty := b.Screen(screen.Answers, english, argv...)
				w := cutWizard{&wizard{s, t, lang.EN}, pty, b}
				p.walk(w.wizard)
				at := w.Screen()
				ok(t, way.cut(w))
				took := b.gone(t, p.name)
				if want := p.code(); !way.ssh { // ssh tells its own
					if code, err := pty.Wait(); err != nil || code != want {
						t.Errorf("%s: exit code %d, want %d, %v", p.name, code, want, err)
					}
				}
				runs := b.goxin(t, 0, "runs").Out
				t.Logf("%s: gone in %v, the journal: %q", p.name, took.Round(10*time.Millisecond), runs)
				if strings.TrimSpace(runs) == "" == (p.after == goesOnPending || p.after == goesOnWritten) {
					t.Errorf("%s: the journal says %q of\n%s", p.name, runs, at)
				}
				b.isGoneOnWith(t, p, way.take)
				t.Logf("%s: %v in all", p.name, time.Since(begin).Round(10*time.Millisecond))
			}
			before.same(t, b.packaged(aptLeaves))
		})
	}
}

// after is what the next start finds.
type after int

const (
	startsAnew    after = iota // nothing was answered yet
	goesOn                     // answers were saved
	goesOnWritten              // and what was written stands, with its run ended
	goesOnPending              // a run in the middle of a step
)

// cutPage is a page that the wizard is cut off on.
type cutPage struct {
	name       string
	after      after
	walk       func(*wizard)
	slow, fast string // scripts: what makes it last, and an end of that
}

// code is what a wizard that was cut off exits with.
func (p cutPage) code() int {
	if p.after == startsAnew || p.after == goesOn {
		return 130 // nothing was changed
	}
	return 1
}

// A process that holds the package manager's lock (as struct flock is on x86-64),
// and a login shell that takes its time.
const (
	holdLock = `systemd-run -q --unit=holder perl -MFcntl -e 'open F, "+>>", "/var/lib/dpkg/lock-frontend"; $$l = pack("ssx4qqix4", F_WRLCK, 0, 0, 0, 0); fcntl F, F_SETLK, $$l or die; sleep 600'`
	freeLock = "systemctl stop holder"
	slowLog  = "echo 'sleep 4' >/etc/profile.d/zz-slow.sh"
	fastLog  = "rm /etc/profile.d/zz-slow.sh"
)

var cutPages = []cutPage{
	{name: "machine", walk: func(w *wizard) { w.sees("This machine", "enter go on") }},
	{name: "purpose", walk: func(w *wizard) { w.begins() }},
	{name: "question", after: goesOn, walk: func(w *wizard) {
		w.begins().picks("environment").sees("question 1").onward("enter").sees("question 2")
	}},
	{name: "diff", after: goesOn, walk: func(w *wizard) { w.begins().picks("environment").diff() }},
	{name: "agreeing", after: goesOn, walk: func(w *wizard) { w.begins().picks("environment").diff().press("w").sees("enter write") }},
	{name: "installing", after: goesOnWritten, walk: func(w *wizard) {
		w.installs().writes("w").sees("configuring lab-slow")
	}},
	{name: "waiting", after: goesOnPending, slow: holdLock, fast: freeLock, walk: func(w *wizard) {
		w.installs().writes("w").sees("waiting for perl")
	}},
	{name: "proving", after: goesOnPending, slow: slowLog, fast: fastLog, walk: func(w *wizard) {
		w.begins().picks("environment").diff().writes("w").sees("● login shells find Go")
	}},
	{name: "result", after: goesOnWritten, walk: func(w *wizard) {
		w.begins().picks("environment").diff().writes("w").sees("written and read back")
	}},
	{name: "done", after: goesOnWritten, walk: func(w *wizard) { w.begins().picks("environment").finishes() }},
}

// installs goes from the first page to a diff that installs the slow package.
func (w *wizard) installs() *wizard {
	w.t.Helper()
	w.begins().picks("libs").sees("question 1").press("down", "space", "down", "space", "down", "space") // glibc is required alone
	w.onward("enter").sees("question 2").onward("enter").sees("question 3")
	ok(w.t, w.Type("lab-slow"))
	return w.sees("> lab-slow").diff()
}

// killSession kills the process of sshd that has the wizard.
func (b *Box) killSession() {
	b.t.Helper()
	b.Sh(`pid=$(pgrep -x -o goxin)
until [ "$(cat /proc/$pid/comm)" = sshd ]; do pid=$(ps -o ppid= -p $pid | tr -d ' '); done
[ "$(ps -o ppid= -p $pid | tr -d ' ')" != 1 ] # not the one that listens
kill -9 $pid`)
}

// gone waits until no goxin is left, within ten seconds.
func (b *Box) gone(t *testing.T, page string) time.Duration {
	t.Helper()
	begin := time.Now()
	for b.Try("pgrep", "-x", "goxin").Code == 0 {
		if time.Since(begin) > 10*time.Second {
			t.Fatalf("%s: goxin is still there:\n%s", page, b.Sh("ps -eo pid,ppid,stat,wchan,args"))
		}
		time.Sleep(20 * time.Millisecond)
	}
	return time.Since(begin)
}

// isGoneOnWith starts the wizard again, looks for what it offers, takes that up, and
// puts all back.
func (b *Box) isGoneOnWith(t *testing.T, p cutPage, take string) {
	t.Helper()
	if left := b.Do("dpkg", "--audit"); left != "" {
		t.Errorf("%s: a package is half installed:\n%s", p.name, left)
	}
	b.Sh(p.fast)
	w, _ := b.Wizard()
	const offer = "Go on from last time"
	switch p.after {
	case startsAnew:
		if now := w.begins().Screen(); strings.Contains(now, offer) {
			t.Errorf("%s: there is nothing to go on with:\n%s", p.name, now)
		}
	case goesOn, goesOnWritten:
		w.begins().sees("▸ "+offer, "With the answers saved then").onward("enter").settles()
	case goesOnPending:
		w.sees("A run was interrupted", "f finish it", "u undo it")
		time.Sleep(quiet)
		if take == "f" {
			w.press("f").sees("is finished.")
			break
		}
		w.press("u").sees("enter undo")
		time.Sleep(quiet)
		w.press("enter").sees("is undone.")
	}
	ok(t, w.Close())
	b.gone(t, p.name)
	b.goxin(t, 0, "undo")
	b.Do("rm", "-rf", "/var/lib/goxin")
}
