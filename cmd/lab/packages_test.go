//go:build e2e

package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func hostFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	ok(t, err)
	return string(b)
}

// aptSources is what an administrator left on the apt machine.
const aptSources = `# the archive of this site

deb     [signed-by=/etc/apt/keyrings/lab.asc]  http://deb.debian.org/debian bookworm main  # as installed
#deb-src http://deb.debian.org/debian bookworm main
`

// AptMachine makes a Debian machine in the mirrors' network whose vendor is the
// slow mirror. It has read no package lists yet.
func (l *TestLab) AptMachine(t *testing.T, m *Mirrors) *Box {
	t.Helper()
	b := l.Container(t, "apt")
	m.join(b, "10.9.0.2")
	b.Sh("rm -rf /var/lib/apt/lists/*; mkdir -p /etc/apt/keyrings")
	b.Write("/etc/apt/keyrings/lab.asc", m.key(), 0o644)
	b.Write("/etc/apt/sources.list", aptSources, 0o644)
	// As in Debian's own container images: durability is not dpkg's to prove.
	b.Write("/etc/dpkg/dpkg.cfg.d/lab", "force-unsafe-io\n", 0o644)
	return b
}

const openEulerRelease = `NAME="openEuler"
VERSION="22.03 (LTS-SP4)"
ID="openEuler"
VERSION_ID="22.03"
PRETTY_NAME="openEuler 22.03 (LTS-SP4)"
ANSI_COLOR="0;31"
`

// openEulerRepo is the file that openEuler brings, as far as the lab has it.
const openEulerRepo = `# generic-repos is licensed under the Mulan PSL v2.

[OS]
name=OS
baseurl=http://repo.openeuler.org/openEuler-22.03-LTS-SP4/OS/$basearch/
metalink=https://mirrors.openeuler.org/metalink?repo=$releasever/OS&arch=$basearch
metadata_expire=1h
enabled=1
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-openEuler

[source]
name=source
baseurl=http://repo.openeuler.org/openEuler-22.03-LTS-SP4/source/
enabled=0
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-openEuler
`

// dnfConf is the one that openEuler brings.
const dnfConf = `[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
`

// DnfMachine makes a machine that dnf rules and that calls itself openEuler.
// Its rpm database is empty: what is there by dpkg, dnf does not know.
func (l *TestLab) DnfMachine(t *testing.T, m *Mirrors) *Box {
	t.Helper()
	b := l.startSpec(t, Spec{Name: "dnf", Packages: dnfPackages})
	m.join(b, "10.9.0.3")
	b.Sh("rm -f /etc/os-release /etc/debian_version; mkdir -p /etc/pki/rpm-gpg /etc/yum.repos.d /etc/dnf/vars /etc/rpm")
	b.Write("/etc/os-release", openEulerRelease, 0o644)
	b.Write("/etc/rpm/macros", "%_dbpath /var/lib/rpm\n", 0o644) // Debian's is below $HOME
	b.Write("/etc/dnf/dnf.conf", dnfConf, 0o644)
	b.Write("/etc/dnf/vars/releasever", "22.03LTS_SP4\n", 0o644)
	b.Write("/etc/pki/rpm-gpg/RPM-GPG-KEY-openEuler", m.key(), 0o644)
	b.Write("/etc/yum.repos.d/openEuler.repo", openEulerRepo, 0o644)
	b.Do("rpm", "--initdb")
	return b
}

// What the tests of goxin build on: the mirrors differ as they are said to, and
// apt and dnf take what is good and refuse what is not, goxin or no goxin.
func TestTheLabServesSignedRepositoriesToApt(t *testing.T) {
	t.Parallel()
	l := NewLab(t)
	m := l.Mirrors(t, [3]int{16, 80, 32})
	if best := m.Best(); best.Name != "good-b" {
		t.Errorf("the best is %+v", best)
	}
	b := l.AptMachine(t, m)
	took := map[string]time.Duration{}
	for _, name := range []string{"good-a", "good-b", "good-c"} {
		begin := time.Now()
		b.Do("/usr/lib/apt/apt-helper", "download-file", "http://"+m.leg(name).Address+"/debian/pool/main/goxin-lab-big_1.0-1_amd64.deb", "/tmp/"+name)
		took[name] = time.Since(begin)
		t.Logf("%s (%d Mbit/s): 8 MiB in %v", name, m.leg(name).rate, took[name].Round(time.Millisecond))
	}
	b.Do("rm", "-r", "/tmp/good-a", "/tmp/good-b", "/tmp/good-c")
	if took["good-a"] < took["good-c"] || took["good-c"] < took["good-b"] {
		t.Error("rates do not tell")
	}

	from := func(name string) {
		b.Write("/etc/apt/sources.list", strings.ReplaceAll(aptSources, "deb.debian.org", m.leg(name).Address), 0o644)
		b.Sh("rm -rf /var/lib/apt/lists/*")
	}
	b.Do("apt-get", "update", "-qq") // the vendor's, by name
	for name, says := range map[string]string{
		"good-b": "", "stale": "", "stranger": "NO_PUBKEY", "foreign": "", "refusing": "refused",
	} {
		from(name)
		r := b.Try("apt-get", "update", "-o", "APT::Update::Error-Mode=any")
		if said := r.Out + r.Err; (says == "" && r.Code != 0) || !strings.Contains(said, says) {
			t.Errorf("%s: exit code %d, %q is not said:\n%s", name, r.Code, says, said)
		}
	}
	from("foreign")
	b.Do("apt-get", "update", "-qq")
	if r := b.Try("apt-get", "install", "-y", "goxin-lab-small"); r.Code == 0 {
		t.Errorf("a package for another processor: %s", r.Out)
	}
	from("good-b")
	m.Turn("good-b", "index managers")
	if r := b.Try("apt-get", "update"); r.Code == 0 {
		t.Errorf("an index that was tampered with: %s", r.Out)
	}
	m.Turn("good-b", "packages")
	b.Do("apt-get", "update", "-qq")
	if r := b.Try("apt-get", "install", "-y", "goxin-lab-small"); r.Code == 0 {
		t.Errorf("a package that was tampered with: %s", r.Out)
	}
	m.Turn("good-b", "")
	before := b.packaged(aptLeaves)
	begin := time.Now()
	b.Do("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qq", "-y", "make", "zlib1g-dev", "libaio1")
	t.Logf("make and headers by apt in %v", time.Since(begin).Round(time.Millisecond))
	// By name, all of them: autoremove spares what another package suggests.
	purge := []string{"apt-get", "purge", "-qq", "-y"}
	for _, line := range Tree(before.list + "\n").Diff(Tree(b.packaged(aptLeaves).list + "\n")) {
		if f := strings.Fields(line); f[0] == "+" && f[1] == "ii" {
			purge = append(purge, f[2])
		}
	}
	b.Do(purge...)
	before.same(t, b.packaged(aptLeaves))
}

func TestTheLabServesSignedRepositoriesToDnf(t *testing.T) {
	t.Parallel()
	l := NewLab(t)
	m := l.Mirrors(t, [3]int{16, 80, 32})
	b := l.DnfMachine(t, m)
	from := func(name string) {
		repo := strings.ReplaceAll(openEulerRepo, "repo.openeuler.org", m.leg(name).Address+"/openeuler")
		b.Write("/etc/yum.repos.d/openEuler.repo", strings.ReplaceAll(repo, "metalink=", "repo_gpgcheck=1\n#metalink="), 0o644)
		b.Do("dnf", "-q", "clean", "all")
	}
	for name, says := range map[string]string{"stranger": "GPG", "foreign": "", "refusing": "Couldn't connect", "stale": "", "good-b": ""} {
		from(name)
		r := b.Try("dnf", "-y", "makecache")
		if said := r.Out + r.Err; (r.Code == 0) != (says == "") || !strings.Contains(said, says) {
			t.Errorf("%s: exit code %d, %q is not said\n%s", name, r.Code, says, said)
		}
	}
	from("foreign")
	if r := b.Try("dnf", "-y", "install", "goxin-lab-small"); r.Code == 0 {
		t.Errorf("a package for another processor: %s", r.Out)
	}
	from("good-b")
	m.Turn("good-b", "packages")
	if r := b.Try("dnf", "-y", "install", "goxin-lab-small"); r.Code == 0 {
		t.Errorf("a package that was tampered with: %s", r.Out)
	}
	m.Turn("good-b", "")
	before := b.packaged(dnfLeaves)
	begin := time.Now()
	b.Do("dnf", "-q", "-y", "install", "make", "zlib-devel", "libaio")
	t.Logf("make and headers by dnf in %v", time.Since(begin).Round(time.Millisecond))
	b.Do("dnf", "-q", "-y", "history", "undo", "last")
	b.Sh("rpm -e $(rpm -q gpg-pubkey)") // which dnf leaves; goxin does not
	t.Logf("and back in %v", time.Since(begin).Round(time.Millisecond))
	before.same(t, b.packaged(dnfLeaves))
}

// What apt and dnf leave by themselves when they install and remove: caches,
// logs, the backups and counters of their databases. The tests of the lab see
// them do it without goxin.
var (
	aptLeaves = []string{
		"/var/lib/apt/lists", "/var/cache/apt", "/var/log/apt", "/var/log/dpkg.log", "/var/log/alternatives.log",
		"/var/lib/dpkg/*-old", "/var/lib/dpkg/status", "/var/cache/debconf", "/var/cache/ldconfig", "/var/lib/apt/extended_states",
	}
	dnfLeaves = []string{"/var/cache/dnf", "/var/lib/dnf", "/var/lib/rpm", "/var/log/dnf*", "/var/log/hawkey.log"}
)

// packaged is what package managers are to leave as they found it. The key that
// dnf took into its database from the file its repository names is not in it: dnf
// asks for that once, and keeps it when packages go.
type packaged struct {
	list  string // every package with its version, and which were asked for by hand
	files Tree
}

// packaged looks at everything, which takes seconds; settings looks at all but
// the packages' own files, for what installs nothing.
func (b *Box) packaged(leaves []string) packaged {
	b.t.Helper()
	return b.packagedBelow(leaves, "/etc", "/usr", "/opt", "/root", "/var")
}

func (b *Box) settings(leaves []string) packaged {
	b.t.Helper()
	return b.packagedBelow(leaves, "/etc", "/root", "/var")
}

func (b *Box) packagedBelow(leaves []string, paths ...string) packaged {
	b.t.Helper()
	return packaged{
		b.Sh(`dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version} ${Architecture}\n'; apt-mark showmanual; if command -v rpm >/dev/null; then rpm -qa | sort; dnf -qC repoquery --userinstalled; fi`),
		b.Files(paths, append(append([]string{"/var/log/journal", "/var/log/lastlog", "/var/log/wtmp"}, kept...), leaves...)...),
	}
}

func (p packaged) same(t *testing.T, now packaged) {
	t.Helper()
	if p.list != now.list {
		t.Errorf("other packages:\n%s", strings.Join(Tree(p.list+"\n").Diff(Tree(now.list+"\n")), "\n"))
	}
	if diff := p.files.Diff(now.files); len(diff) > 0 {
		t.Errorf("other files:\n%s", strings.Join(diff[:min(len(diff), 60)], "\n"))
	}
}

// compiles fails unless a program that uses zlib can be made and run.
func compiles(t *testing.T, b *Box) {
	t.Helper()
	got := b.Sh(`mkdir -p /tmp/made; cd /tmp/made
printf '#include <stdio.h>\n#include <zlib.h>\nint main(void){puts(zlibVersion()[0]?"made":"");return 0;}\n' >a.c
printf 'a: a.c\n\tcc -o a a.c -lz\n' >Makefile
make -s; ./a; git --version >/dev/null`)
	if got != "made" {
		t.Errorf("the program says %q", got)
	}
}
