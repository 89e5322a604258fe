//go:build e2e

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/cmd/lab/agent"
	"goxin/steps/vrrp"
)

// badPair is what a person got wrong about a pair.
type badPair struct {
	name string
	make func(*Pair) // on the machines; nil: it is in the answers alone
	mend func(*Pair) // undoes make; nil: nothing is to be mended
	set  []string    // answers beside those of a pair that can be made
	code int
	says []string // in what is told; the hint too
}

// Whatever is wrong with a pair that is to be is said by name, with what to do about
// it, before a file of either machine is touched. That a clock is an hour off no
// container can show: the clock is everybody's. steps/peer and steps/ha judge it in
// their own tests.
func TestBadInputOfAPairTouchesNeitherMachine(t *testing.T) {
	t.Parallel()
	p := NewPair(t, NewLab(t))
	p.HasService()
	p.A1.Write("/root/pair.yaml", p.withoutService("drill: none\n"), 0o600)
	for _, b := range p.badPairs() {
		t.Run(b.name, func(t *testing.T) { p.in(t).refuses(b) })
	}
	p.isHalfDoneByHand()
	t.Run("an nginx that is broken already", func(t *testing.T) {
		p.in(t).refuses(badPair{
			code: 5, set: []string{"ha.replace=replace"},
			make: func(p *Pair) {
				p.A2.Write("/etc/nginx/conf.d/site.conf", "server { listen 8000; proxy_pas http://a1; }\n", 0o644)
			},
			mend: func(p *Pair) { p.A2.Do("rm", "/etc/nginx/conf.d/site.conf") },
			says: []string{"cannot build on the nginx of " + p.A2.Name(), `unknown directive "proxy_pas"`, "nginx -t"},
		})
	})
	p.A1.Write("/root/pair.yaml", p.answers("replace: replace\ndrill: none\n"), 0o600)
	before := p.Packaged()
	t.Run("the line dies between the two commits", func(t *testing.T) { p.in(t).losesItsLine(before) })
	t.Run("the peer reboots in mid-apply", func(t *testing.T) { p.in(t).losesItsPeer(before) })
	t.Run("and can be made all the same", func(t *testing.T) { p.in(t).isMade(before) })
}

// in is the pair in a test of its own.
func (p *Pair) in(t *testing.T) *Pair {
	q := *p
	q.t = t
	q.A1, q.A2, q.Client = &Box{t, p.A1.Machine}, &Box{t, p.A2.Machine}, &Box{t, p.Client.Machine}
	return &q
}

func (p *Pair) refuses(b badPair) {
	t := p.t
	if b.make != nil {
		b.make(p)
	}
	if b.mend != nil {
		defer b.mend(p)
	}
	before := [2]Tree{p.A1.written(), p.A2.written()}
	args := []string{program, "apply", "-f", "/root/pair.yaml", "--yes"}
	for _, s := range b.set {
		args = append(args, "--set", s)
	}
	begin := time.Now()
	r := p.A1.Try(args...)
	_, said, _ := strings.Cut(r.Err, "goxin: ")
	t.Logf("exit code %d after %v: %s", r.Code, time.Since(begin).Round(10*time.Millisecond), said)
	if r.Code != b.code {
		t.Errorf("exit code %d, want %d\n%s", r.Code, b.code, r.Err)
	}
	for _, s := range append(b.says, "hint: ") {
		if !strings.Contains(said, s) {
			t.Errorf("%q is not said:\n%s", s, r.Err)
		}
	}
	for i, now := range [2]Tree{p.A1.written(), p.A2.written()} {
		if diff := before[i].Diff(now); len(diff) > 0 {
			t.Errorf("a%d was touched:\n%s", i+1, strings.Join(diff, "\n"))
		}
	}
	if r := p.A1.Try(program, "runs"); strings.TrimSpace(r.Out) != "" {
		t.Errorf("a run stands: %s", r.Out)
	}
}

func (p *Pair) badPairs() []badPair {
	const uname = "/usr/local/bin/uname"
	nobodys := "SHA256:" + strings.Repeat("A", 43)
	says := func(s ...string) []string { return s }
	isA := func(system, processor string) func(*Pair) {
		return func(p *Pair) {
			p.A2.Write(uname, fmt.Sprintf("#!/bin/sh\ncase $1 in -s) echo %s ;; -m) echo %s ;; *) exec /usr/bin/uname \"$@\" ;; esac\n", system, processor), 0o755)
		}
	}
	isItself := func(p *Pair) { p.A2.Do("rm", uname) }
	return []badPair{
		{
			name: "the address is another machine's", code: 5,
			make: func(p *Pair) { p.Client.Do("ip", "address", "add", pairVIP+"/24", "dev", "host0") },
			mend: func(p *Pair) { p.Client.Do("ip", "address", "del", pairVIP+"/24", "dev", "host0") },
			says: says("cannot share "+pairVIP+": "+p.HardwareAddress(p.Client)+" has it already", "choose a free address"),
		},
		{
			name: "the address is in another network", code: 5, set: says("ha.vip=10.99.0.100"),
			says: says("cannot share 10.99.0.100", "is in another network", firstAddress+"/24"),
		},
		{
			name: "the address is a node's own", code: 5, set: says("ha.vip=" + secondAddress),
			says: says("cannot share "+secondAddress+": it is "+p.A2.Name()+"'s own address, on host0", "a third one"),
		},
		{
			name: "the VRID is taken", code: 5, set: says("ha.vrid=77"),
			make: func(p *Pair) { p.advertises(77) }, mend: func(p *Pair) { p.Client.Do("systemctl", "stop", "stranger") },
			says: says("cannot use VRID 77: "+clientAddress+" advertises with it", "vrid: 0 chooses a free one"),
		},
		{
			name: "nobody is there", code: 1, set: says("peer.address=root@10.77.0.99"),
			says: says("cannot reach 10.77.0.99:22", "is it up"),
		},
		{
			name: "a key that opens nothing", code: 1, set: says("peer.identity=/root/stranger"),
			make: func(p *Pair) { p.A1.Do("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/root/stranger") },
			mend: func(p *Pair) { p.A1.Do("rm", "/root/stranger", "/root/stranger.pub") },
			says: says("cannot log in to "+secondAddress+" as root", "`ssh -p 22 root@"+secondAddress+"` has to work from here"),
		},
		{
			name: "another host key than the one that is pinned", code: 5, set: says("peer.host_key=" + nobodys),
			says: says(p.HostKey, nobodys, "somebody stands between"),
		},
		{
			name: "another host key than the one that was known", code: 5, set: says("peer.host_key="),
			make: func(p *Pair) {
				key := strings.Fields(p.A1.Read("/etc/ssh/ssh_host_ed25519_key.pub"))
				p.A1.Write("/root/.ssh/known_hosts", fmt.Sprintf("%s %s %s\n", secondAddress, key[0], key[1]), 0o600)
			},
			mend: func(p *Pair) { p.A1.Do("rm", "/root/.ssh/known_hosts") },
			says: says(p.HostKey, "/root/.ssh/known_hosts:1", "goxin does not go on by itself"),
		},
		{
			name: "a host key that nobody vouches for", code: 5, set: says("peer.host_key="),
			says: says(p.HostKey, "ssh-keygen -lf"),
		},
		{
			name: "a processor that goxin was not brought for", code: 5, make: isA("Linux", "aarch64"), mend: isItself,
			says: says("cannot find goxin for arm64: there is no "+program+"-arm64", "release folder"),
		},
		{
			name: "another system", code: 5, make: isA("FreeBSD", "amd64"), mend: isItself,
			says: says("it runs FreeBSD, not Linux"),
		},
		{
			name: "a user who may not become root", code: 5, set: says("peer.address=deploy@" + secondAddress),
			make: func(p *Pair) {
				p.A2.Sh("useradd -m -s /bin/sh deploy; cp -r /root/.ssh /home/deploy/; chown -R deploy: /home/deploy/.ssh")
			},
			mend: func(p *Pair) { p.A2.Do("userdel", "-r", "-f", "deploy") },
			says: says("cannot become root on "+secondAddress, "let deploy use sudo"),
		},
		{
			name: "a disk that is full", code: 1,
			make: func(p *Pair) { p.A2.Sh("mkdir -p /var/lib/goxin; mount -t tmpfs -o size=4m lab /var/lib/goxin") },
			mend: func(p *Pair) { p.A2.Do("umount", "-l", "/var/lib/goxin") },
			says: says("cannot bring goxin to "+secondAddress, "No space left on device", "50 MB"),
		},
		{
			name: "a disk that is nearly full", code: 5,
			make: func(p *Pair) { p.A2.Sh("mount -t tmpfs -o size=60m lab /var/lib/goxin") },
			mend: func(p *Pair) { p.A2.Do("umount", "-l", "/var/lib/goxin") },
			says: says("/var/lib/goxin has", "MiB left", "free 64 MiB"),
		},
		{
			name: "a program for another processor", code: 1, set: says("service.name=web", "service.binary=/root/foreign"),
			make: func(p *Pair) {
				p.A1.Sh(`cp /root/web /root/foreign; printf '\267\000' | dd of=/root/foreign bs=1 seek=18 conv=notrunc status=none`)
			},
			mend: func(p *Pair) { p.A1.Do("rm", "/root/foreign") },
			says: says("cannot run /root/foreign on "+p.A1.Name()+": it is for aarch64", "GOARCH=amd64"),
		},
		{
			name: "another major version of keepalived", code: 5,
			make: func(p *Pair) {
				p.A2.Write("/usr/local/sbin/keepalived", "#!/bin/sh\necho 'Keepalived v3.0.1 (01/01,2031)' >&2\n", 0o755)
			},
			mend: func(p *Pair) { p.A2.Do("rm", "/usr/local/sbin/keepalived") },
			says: says("cannot make a pair of keepalived 2.2.7 and 3.0.1", "the same major version"),
		},
		{
			name: "a configuration that somebody wrote", code: 5,
			make: func(p *Pair) {
				p.A2.Do("mkdir", "/etc/keepalived")
				p.A2.Write("/etc/keepalived/keepalived.conf", fmt.Sprintf(byHand, 100, secondAddress, firstAddress), 0o644)
			},
			says: says("cannot write /etc/keepalived/keepalived.conf on "+p.A2.Name()+": somebody wrote one already", "replace: replace"),
		},
	}
}

// isHalfDoneByHand has nginx and keepalived on both machines, and the address on the
// second one, by a configuration that a person wrote.
func (p *Pair) isHalfDoneByHand() {
	p.t.Helper()
	var both sync.WaitGroup
	for _, b := range []*Box{p.A1, p.A2} {
		both.Go(func() {
			b.Sh("DEBIAN_FRONTEND=noninteractive apt-get install -qq -y -o Dpkg::Options::=--force-confold nginx keepalived >/dev/null")
		})
	}
	both.Wait()
	p.A2.Sh("systemctl restart keepalived; until ip -o address show host0 | grep -q " + pairVIP + "; do sleep 0.1; done")
}

// applying is an apply that is under way.
func (p *Pair) applying() (end func() Result) {
	p.t.Helper()
	var out, errs bytes.Buffer
	c, err := p.A1.Start(context.Background(), agent.Command{Argv: []string{program, "apply", "-f", "/root/pair.yaml", "--yes"}, Stdout: &out, Stderr: &errs})
	ok(p.t, err)
	return func() Result {
		p.t.Helper()
		code, err := c.Wait()
		ok(p.t, err)
		return Result{Code: code, Out: out.String(), Err: errs.String()}
	}
}

// awaits waits until a file is there.
func (b *Box) awaits(name string) {
	b.t.Helper()
	b.Sh("for i in $(seq 1200); do [ -e " + name + " ] && exit; sleep 0.1; done; echo it does not come >&2; exit 1")
}

const scriptOfPair = "/usr/libexec/keepalived/goxin-health"

// losesItsLine has the line cut when the second machine is done and the first one has
// begun, for good.
func (p *Pair) losesItsLine(before [2]packaged) {
	t := p.t
	end := p.applying()
	p.A1.awaits(scriptOfPair) // the second machine is done by then
	begin := time.Now()
	p.Cut(p.A2)
	r := end()
	t.Logf("exit code %d %v after the cut:\n%s", r.Code, time.Since(begin).Round(time.Millisecond), r.Err)
	if r.Code != 1 || !strings.Contains(r.Err, "hint: ") {
		t.Errorf("exit code %d, want 1, and a hint", r.Code)
	}
	if !strings.Contains(r.Err, "- vrrp_instance lab {") || !strings.Contains(r.Err, p.A2.Name()+": /etc/keepalived/keepalived.conf is replaced; undo brings it back") {
		t.Error("what is replaced is not shown")
	}
	p.Plug(p.A2)
	t.Log(p.A1.goxin(t, 0, "undo"))
	p.Same(before)
	p.A2.Sh("systemctl -q is-active keepalived; until ip -o address show host0 | grep -q " + pairVIP + "; do sleep 0.1; done")
}

// losesItsPeer has the second machine reboot while it is being set up.
func (p *Pair) losesItsPeer(before [2]packaged) {
	t := p.t
	end := p.applying()
	p.A2.awaits(scriptOfPair)
	begin := time.Now()
	p.A2.MustReboot()
	r := end()
	t.Logf("exit code %d %v after the reboot began:\n%s", r.Code, time.Since(begin).Round(time.Millisecond), r.Err)
	if r.Code != 1 && r.Code != 4 || !strings.Contains(r.Err, "hint: ") {
		t.Errorf("exit code %d, want 4, or 1 where something is left, and a hint", r.Code)
	}
	t.Log(p.A1.goxin(t, 0, "undo"))
	p.Same(before)
}

// isMade makes the pair, and takes it back.
func (p *Pair) isMade(before [2]packaged) {
	t := p.t
	p.A1.goxin(t, 0, "apply", "-f", "/root/pair.yaml", "--yes")
	if s := p.Watch(pairVIP, 80, "/healthz", 10*time.Millisecond, func() { time.Sleep(time.Second) }); s.Lost > 0 || len(s.Nodes) != 1 || len(s.Owners) != 1 {
		t.Errorf("the client sees %v", s)
	}
	p.A1.goxin(t, 0, "check")
	p.A1.goxin(t, 0, "undo")
	p.Same(before)
}

// withoutService are answers for a pair whose service is there already.
func (p *Pair) withoutService(ha string) string {
	return "version: 1\nsteps:\n  peer:\n    address: root@" + secondAddress + "\n    host_key: " + p.HostKey +
		"\n  ha:\n    vip: " + pairVIP + "\n" + indent(ha)
}

// advertises has the client be somebody else's router, by a unit named stranger.
func (p *Pair) advertises(vrid int) {
	p.t.Helper()
	client := netip.MustParseAddr(clientAddress)
	a := vrrp.Advert{Version: 3, VRID: vrid, Priority: 100, Interval: time.Second, Addresses: []netip.Addr{netip.MustParseAddr("10.77.0.200")}}
	p.Client.Do("systemd-run", "--quiet", "--unit=stranger", "perl", "-MSocket", "-e", fmt.Sprintf(`
socket(S, PF_INET, SOCK_RAW, %d) or die;
setsockopt(S, 0, 33, pack("C", 255)) and setsockopt(S, 0, 32, inet_aton("%s")) or die; # IP_MULTICAST_TTL, IP_MULTICAST_IF
while (1) { send(S, pack("H*", "%x"), 0, pack_sockaddr_in(0, inet_aton("%s"))) or die; select(undef, undef, undef, 0.5) }`,
		vrrp.Protocol, client, a.Bytes(client, vrrp.Group), vrrp.Group))
}
