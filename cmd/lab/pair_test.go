//go:build e2e

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/cmd/lab/agent"
)

// Pair is two fresh machines on one segment that are to become a pair, and a
// client that is neither. The first one reaches the second by SSH as root; goxin
// is on the first alone. Both get packages from the client, which is the archive
// of their release by Debian's own name. Nothing else is on the segment, and
// addresses survive a reboot.
type Pair struct {
	A1, A2, Client *Box

	// HostKey is the fingerprint of the second machine's one host key.
	HostKey string

	t     *testing.T
	group string
}

// NewPair makes a pair of what the lab has most of: bookworm on this processor.
func NewPair(t *testing.T, l *TestLab) *Pair {
	t.Helper()
	return NewPairOf(t, l, Spec{}, Spec{})
}

// NewPairOf makes a pair of two releases or architectures.
func NewPairOf(t *testing.T, l *TestLab, first, second Spec) *Pair {
	t.Helper()
	begin := time.Now()
	ctx := context.Background()
	p := &Pair{t: t, group: l.group}
	daemon, err := run.lab.program(ctx, "mirrorsd")
	ok(t, err)
	watcher, err := run.lab.program(ctx, "watcher")
	ok(t, err)
	client := Spec{Name: "client", Uses: []string{daemon, watcher}, Binds: []string{daemon + ":/srv/mirrorsd", watcher + ":/srv/watcher"}}
	var legs []leg
	for i, s := range []*Spec{&first, &second} {
		dir, err := run.lab.Archive(ctx, cmp.Or(s.Release, "bookworm"), s.Arch)
		ok(t, err)
		at := fmt.Sprintf("/srv/archive%d", i+1)
		client.Uses, client.Binds = append(client.Uses, dir), append(client.Binds, dir+":"+at)
		legs = append(legs, leg{Name: at, Address: archiveAddress(i), Device: "host0", Root: at + "/" + Good})
		s.Name = fmt.Sprintf("a%d", i+1)
	}
	for _, m := range []struct {
		box     **Box
		spec    Spec
		address string
	}{{&p.Client, client, clientAddress}, {&p.A1, first, firstAddress}, {&p.A2, second, secondAddress}} {
		*m.box = l.startSpec(t, m.spec)
		(*m.box).lives(m.address)
	}
	p.serves(legs)
	for i, b := range []*Box{p.A1, p.A2} {
		b.getsPackagesFrom(archiveAddress(i), hostFile(t, client.Uses[2+i]+"/lab.asc"))
	}
	p.opensDoors()
	p.puts(first.Arch, second.Arch)
	t.Logf("a pair is up in %v", time.Since(begin).Round(time.Millisecond))
	return p
}

// lives gives a machine its address, now and whenever it boots.
func (b *Box) lives(address string) {
	b.t.Helper()
	b.Write("/etc/systemd/system/lab-address.service", addressUnit(address), 0o644)
	b.Write("/etc/hosts", pairNames, 0o644)
	b.Sh("systemctl -q enable --now lab-address")
}

// serves has the client be the archives.
func (p *Pair) serves(archives []leg) {
	p.t.Helper()
	config, err := json.Marshal(archives)
	ok(p.t, err)
	p.Client.Do("mkdir", "-p", "/run/mirrorsd")
	p.Client.Write("/run/legs.json", string(config), 0o644)
	for _, a := range archives {
		p.Client.Sh("ip address add " + a.Address + "/24 dev host0")
	}
	p.Client.Do("systemd-run", "--quiet", "--unit=mirrorsd", "--property=Type=notify", "--property=NotifyAccess=all", "/srv/mirrorsd", "/run/legs.json")
}

// getsPackagesFrom has apt know one archive, and what is in it.
func (b *Box) getsPackagesFrom(address, key string) {
	b.t.Helper()
	b.Do("mkdir", "-p", "/etc/apt/keyrings")
	b.Write("/etc/apt/keyrings/lab.asc", key, 0o644)
	b.Write("/etc/dpkg/dpkg.cfg.d/lab", "force-unsafe-io\n", 0o644) // durability is not dpkg's to prove
	b.Sh(packagesFrom(address))
}

// opensDoors gives each machine a host key of its own, and root of the first one
// and of the client a key to the second.
func (p *Pair) opensDoors() {
	p.t.Helper()
	for _, b := range []*Box{p.A1, p.A2} {
		b.Sh(ownHostKey)
	}
	p.A1.Sh("mkdir -pm 700 /root/.ssh; ssh-keygen -q -t ed25519 -N '' -C lab -f " + pairKey)
	private, public := p.A1.Read(pairKey), p.A1.Read(pairKey+".pub")
	p.A2.Do("mkdir", "-pm", "700", "/root/.ssh")
	p.A2.Write("/root/.ssh/authorized_keys", public, 0o600)
	p.Client.Do("mkdir", "-pm", "700", "/root/.ssh")
	p.Client.Write(pairKey, private, 0o600)
	p.HostKey = strings.Fields(p.A2.Do("ssh-keygen", "-lf", "/etc/ssh/ssh_host_ed25519_key.pub"))[1]
}

// KnowsPeer puts the second machine's host key where the first one's ssh looks.
func (p *Pair) KnowsPeer() {
	p.t.Helper()
	key := strings.Fields(p.A2.Read("/etc/ssh/ssh_host_ed25519_key.pub"))
	p.A1.Write("/root/.ssh/known_hosts", fmt.Sprintf("a2,%s %s %s\n", secondAddress, key[0], key[1]), 0o600)
}

// puts puts goxin on the first machine, and beside it what it brings to a second
// one of another architecture.
func (p *Pair) puts(first, second string) {
	p.t.Helper()
	p.A1.Install(programFor(p.t, first), program)
	if second != first {
		p.A1.Install(programFor(p.t, second), program+"-"+cmp.Or(second, "amd64"))
	}
}

// pairLeaves is what may be left on a pair's machines beside what apt leaves: logs,
// the page and the list of configuration files that nginx's packages do not take
// with them when they are purged; and what systemd calls anew whenever a machine boots.
var pairLeaves = append([]string{"/var/tmp/systemd-private-*", "/var/log/nginx", "/var/log/firewalld", "/var/www", "/var/lib/ucf"}, aptLeaves...)

// Packaged is both machines as they are to be found again: packages and files.
func (p *Pair) Packaged() [2]packaged {
	p.t.Helper()
	return [2]packaged{p.A1.packaged(pairLeaves), p.A2.packaged(pairLeaves)}
}

// Same fails unless both machines are as they were.
func (p *Pair) Same(before [2]packaged) {
	p.t.Helper()
	for i, now := range p.Packaged() {
		p.t.Logf("a%d:", i+1)
		before[i].same(p.t, now)
	}
}

// Seen is what the client saw of an address while something happened.
type Seen struct {
	Asked, Lost int
	Gap         time.Duration  // longest time between two answered requests with lost ones between them
	Misses      []string       // when lost requests began, and why they were; the first hundred
	Nodes       map[string]int // answers by X-Goxin-Node
	Owners      map[string]int // ARP answers by hardware address
	Both        int            // how often the segment was asked and two answered
}

func (s Seen) String() string {
	return fmt.Sprintf("%d of %d requests lost, longest gap %v, answered by %v, owned by %v, %d times by both",
		s.Lost, s.Asked, s.Gap.Round(time.Millisecond), s.Nodes, s.Owners, s.Both)
}

// Watch has the client ask an address every so often, for a path, while something
// happens.
func (p *Pair) Watch(address string, port int, path string, every time.Duration, during func()) Seen {
	p.t.Helper()
	in, more := io.Pipe()
	defer more.Close()
	out, errs := &awaited{line: make(chan struct{})}, &bytes.Buffer{}
	w, err := p.Client.Start(context.Background(), agent.Command{
		Argv:  []string{"/srv/watcher", "host0", address, fmt.Sprint(port), path, every.String()},
		Stdin: in, Stdout: out, Stderr: errs,
	})
	ok(p.t, err)
	select {
	case <-out.line:
	case <-time.After(answerTime):
		p.t.Fatalf("nobody watches: %s", errs)
	}
	during()
	ok(p.t, more.Close())
	if code, err := w.Wait(); code != 0 || err != nil {
		p.t.Fatalf("the watcher: exit code %d, %v\n%s", code, err, errs)
	}
	var s Seen
	_, text, _ := strings.Cut(out.String(), "\n")
	ok(p.t, json.Unmarshal([]byte(text), &s))
	return s
}

// awaited tells when a first line has come.
type awaited struct {
	mu   sync.Mutex
	text strings.Builder
	line chan struct{}
}

func (a *awaited) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := !strings.Contains(a.text.String(), "\n")
	a.text.Write(b)
	if first && bytes.Contains(b, []byte("\n")) {
		close(a.line)
	}
	return len(b), nil
}

func (a *awaited) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.text.String()
}

// HardwareAddress is what an owner is called in Seen.
func (p *Pair) HardwareAddress(b *Box) string {
	p.t.Helper()
	return b.Do("cat", "/sys/class/net/host0/address")
}
