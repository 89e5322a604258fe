//go:build e2e

package main

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// On a machine with a clock of its own that is forty days slow: the clock is set
// by what the package mirrors say, chrony keeps it with the site's server, and
// undo gives chrony its old servers back.
func TestTheClockOfARealMachine(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	ctx := context.Background()
	timed, err := run.lab.program(ctx, "timed")
	ok(t, err)
	repo, err := run.lab.Repository(ctx)
	ok(t, err)
	debs, err := filepath.Glob(filepath.Join(repo, Good, "debian/pool/main/chrony_*.deb"))
	if err != nil || len(debs) != 1 {
		t.Fatalf("%v in the repository: %v", debs, err)
	}
	m := NewLab(t).VM(t, "clock")
	m.Install(goxin, program)
	m.Install(timed, "/usr/lib/goxin-lab/timed")
	m.Install(debs[0], "/root/chrony.deb")
	const site = "10.9.0.5"
	m.Sh("dpkg -i /root/chrony.deb >/dev/null 2>&1; ip address add " + site + "/32 dev lo")
	for _, host := range []string{"deb.debian.org", "mirrors.aliyun.com", "mirrors.tuna.tsinghua.edu.cn", "mirrors.ustc.edu.cn"} {
		m.Sh("echo " + site + " " + host + " >>/etc/hosts")
	}
	m.Sh("echo 'deb http://deb.debian.org/debian bookworm main' >/etc/apt/sources.list")
	m.Do("systemd-run", "-q", "--unit=lab-timed", "/usr/lib/goxin-lab/timed", site, strconv.FormatInt(time.Now().UnixNano(), 10))
	m.Sh("systemctl stop chrony; date -s '-40 days' >/dev/null; systemctl start chrony")
	before := m.Files([]string{"/etc"}, "/etc/resolv.conf")

	r := m.goxin(t, 0, "apply", "--yes", "--set", "time.servers="+site, "--set", "time.wait=120")
	t.Logf("%s", r.Err)
	seconds, err := strconv.ParseInt(m.Do("date", "+%s"), 10, 64)
	if off := time.Since(time.Unix(seconds, 0)); err != nil || off > 5*time.Second || off < -5*time.Second {
		t.Errorf("the clock is %v off (%v)", off, err)
	}
	if got := m.Do("chronyc", "-n", "sources"); !strings.Contains(got, "^* "+site) {
		t.Errorf("chrony follows another:\n%s", got)
	}
	m.goxin(t, 0, "check")
	m.goxin(t, 0, "undo")
	if tree := m.Files([]string{"/etc"}, "/etc/resolv.conf"); tree != before {
		t.Errorf("after undo the files differ:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	if got := m.Do("chronyc", "-n", "sources"); strings.Contains(got, site) {
		t.Errorf("after undo chrony still asks the site's server:\n%s", got)
	}
	m.Do("systemctl", "is-active", "chrony")
}
