package demo

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/detect/machine/peer"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/vrrp"
)

// goneTo is the second machine, as goxin has it.
func goneTo(t *testing.T, d *Demo, target peer.Target) *peer.Machine {
	t.Helper()
	var err error
	target.Host = Address().String()
	if target.HostKey, _, _, err = peer.HostKey(t.Context(), d.Machine, target); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	m, err := peer.Dial(t.Context(), d.Machine, target)
	if err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), d.Close()); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestTheSecondMachineIsMadeWhenSomebodyGoesThere(t *testing.T) {
	d := opened(t, kunpeng)
	dir := filepath.Join(d.dir, "second")
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("it is there already: %v", err)
	}
	m := goneTo(t, d, peer.Target{})
	if _, err := os.Lstat(dir); err != nil {
		t.Error(err)
	}
	k, err := m.Kernel()
	if err != nil || k.Hostname != "kp-02" || k.Machine != "aarch64" {
		t.Errorf("%+v %v", k, err)
	}
	if got := m.Now().Sub(noon).Abs(); got > time.Minute {
		t.Errorf("its clock is off by %v", got)
	}
	if err := m.WriteFile("/etc/x", []byte("x"), 0o600, machine.RootOwner); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Machine.Stat("/etc/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is written there is here: %v", err)
	}
	if lines, err := run(t, m, "ip", "-o", "-4", "address", "show", "dev", "enp125s0f0"); err != nil || len(lines) != 1 || !strings.Contains(lines[0], " 192.0.2.11/24 ") {
		t.Errorf("%q %v", lines, err)
	}
}

func TestTheSecondMachineLetsInWhoHasTheKeyOrThePassword(t *testing.T) {
	word := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	for name, c := range map[string]struct {
		target peer.Target
		home   func(*testing.T, *Demo)
		want   string // in the refusal; "": it lets in
	}{
		"root's key":              {},
		"a password":              {target: peer.Target{Password: word(Password)}, home: noKey},
		"another password":        {target: peer.Target{Password: word("guess")}, home: noKey, want: "accepts no key or password"},
		"nothing":                 {home: noKey, want: "accepts no key or password"},
		"a user with sudo":        {target: peer.Target{User: "ops", Become: word(Password)}},
		"a user who cannot do it": {target: peer.Target{User: "ops", Become: word("guess")}, want: "cannot become root"},
		"a user without sudo's":   {target: peer.Target{User: "ops"}, want: "cannot become root"},
		"another key of the host": {target: peer.Target{HostKey: "SHA256:" + strings.Repeat("A", 43)}, want: "shows another host key"},
	} {
		t.Run(name, func(t *testing.T) {
			d := opened(t, "debian-12")
			defer d.Close()
			if c.home != nil {
				c.home(t, d)
			}
			c.target.Host = Address().String()
			if c.target.HostKey == "" {
				key, _, _, err := peer.HostKey(t.Context(), d.Machine, c.target)
				if err != nil {
					t.Fatal(err)
				}
				c.target.HostKey = key
			}
			m, err := peer.Dial(t.Context(), d.Machine, c.target)
			if err == nil {
				defer m.Close()
				_, err = m.Stat("/etc/passwd")
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(lang.Message(err, lang.EN), c.want)) {
				t.Errorf("%v", lang.Message(err, lang.EN))
			}
		})
	}
}

func noKey(t *testing.T, d *Demo) {
	t.Helper()
	if err := d.Machine.Remove("/root/.ssh/id_ed25519"); err != nil {
		t.Fatal(err)
	}
}

// The drill of the demo is the real one, on a simulated pair: it has to come out as a
// drill does, with every kind of fault seen.
func TestEveryFaultOfTheDrillIsSeenAndHeals(t *testing.T) {
	d := opened(t, kunpeng)
	answers := given(t, d, "full")
	for id := range answers {
		if !slices.Contains([]string{"peer", "time", "toolchain", "service", "ha"}, id) {
			delete(answers, id)
		}
	}
	var rows []drill.Row
	var samples int
	walk(t, d, answers, func(ev engine.Event) {
		if ev.What != engine.Telling || ev.Kind != "drill" {
			return
		}
		var s drill.Sample
		if err := json.Unmarshal(ev.Data, &s); err != nil {
			t.Error(err)
		}
		if samples++; s.Done != nil {
			rows = append(rows, *s.Done)
		}
	})
	if samples < 100 {
		t.Errorf("only %d samples were told", samples)
	}
	want := drill.Usual()
	if len(rows) != len(want) {
		t.Fatalf("%d faults of %d", len(rows), len(want))
	}
	for i, r := range rows {
		t.Logf("%-20s asked %4d lost %3d gap %-8v predicted %-8v owners %v healed %v %s", r.Fault, r.Asked, r.Lost, r.Gap.Round(time.Millisecond), r.Predicted.Round(time.Millisecond), r.Owners, r.Healed, r.Why.EN)
		if r.Fault != want[i] || !r.OK || r.Skipped {
			t.Errorf("%s: %+v", want[i], r)
		}
		none := r.Fault == vrrp.FaultSwitchover || r.Fault == vrrp.FaultNginxStopped || r.Fault == vrrp.FaultDisk
		if r.Fault != vrrp.FaultSplit && r.Fault != vrrp.FaultKeepalivedStopped && none != (r.Lost == 0) {
			t.Errorf("%s: %d lost", r.Fault, r.Lost)
		}
		if moves := r.Fault != vrrp.FaultDisk; moves != (len(r.Owners) > 1) {
			t.Errorf("%s: owners %v", r.Fault, r.Owners)
		}
		if (r.Both > 0) != (r.Fault == vrrp.FaultSplit) && r.Fault != vrrp.FaultLink {
			t.Errorf("%s: two owners for %v", r.Fault, r.Both)
		}
	}
}

// pairOf is the demo's two machines on their segment, each with a keepalived that is to
// share an address.
func pairOf(t *testing.T) (g *segment, x, y *node, pass func(time.Duration)) {
	t.Helper()
	d := opened(t, "debian-12")
	t.Cleanup(func() { _ = d.Close() })
	second, err := d.pair.other()
	if err != nil {
		t.Fatal(err)
	}
	g = d.pair.lan
	for s, priority := range map[*sim]string{d.sim: "254", second: "253"} {
		conf := "vrrp_instance goxin {\n interface ens3\n virtual_router_id 7\n priority " + priority + "\n advert_int 1\n virtual_ipaddress {\n  192.0.2.100/24\n }\n}\n"
		if err := s.write(keepalivedConf, []byte(conf), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	g.do(func() {
		x, y = g.node(d.sim), g.node(second)
		for _, n := range []*node{y, x} {
			n.started("nginx.service")
			n.started("keepalived.service")
		}
	})
	return g, x, y, func(d time.Duration) {
		t.Helper()
		g.flow.pass(d)
		g.do(nil)
	}
}

func holders(nodes ...*node) (out []string) {
	for _, n := range nodes {
		if n.holds {
			out = append(out, n.sim.place.String())
		}
	}
	return out
}

func TestTheAddressMovesAsTheElectionHasIt(t *testing.T) {
	first, second := firstAddress.String(), secondAddress.String()
	for name, c := range map[string]struct {
		do     func(g *segment, x, y *node)
		owners []string // after 10 ms, 100 ms, 2 s, 4 s
	}{
		"nginx stopped": {func(_ *segment, x, _ *node) { x.stopped("nginx.service") }, []string{"", second, second, second}},
		"nginx killed": {func(_ *segment, x, _ *node) {
			x.killed("nginx.service", func() { x.started("nginx.service") })
		}, []string{first, second, second, second}},
		"nginx hangs":        {func(_ *segment, x, _ *node) { x.hang(true) }, []string{first, first, first, second}},
		"keepalived stopped": {func(_ *segment, x, _ *node) { x.stopped("keepalived.service") }, []string{"", second, second, second}},
		"keepalived killed": {func(_ *segment, x, _ *node) {
			x.killed("keepalived.service", func() { x.started("keepalived.service") })
		}, []string{first, "", "", second}},
		"split":          {func(_ *segment, x, _ *node) { x.deaf = true }, []string{first, first, first, first + "+" + second}},
		"the other dies": {func(_ *segment, _, y *node) { y.cut = true }, []string{first, first, first, first + "+" + second}},
		"nothing":        {func(*segment, *node, *node) {}, []string{first, first, first, first}},
	} {
		t.Run(name, func(t *testing.T) {
			g, x, y, pass := pairOf(t)
			pass(10 * time.Second)
			if got := holders(x, y); !slices.Equal(got, []string{first}) {
				t.Fatalf("at rest it is on %v", got)
			}
			g.do(func() { c.do(g, x, y) })
			last := time.Duration(0)
			for i, at := range []time.Duration{10 * time.Millisecond, 100 * time.Millisecond, 2 * time.Second, 4 * time.Second} {
				pass(at - last)
				last = at
				if got := strings.Join(holders(x, y), "+"); got != c.owners[i] {
					t.Errorf("after %v it is on %q, not on %q", at, got, c.owners[i])
				}
			}
			g.do(func() { x.deaf, y.cut = false, false })
			x.hang(false)
			pass(5 * time.Second)
			if got := holders(x, y); len(got) != 1 {
				t.Errorf("in the end it is on %v", got)
			}
		})
	}
}

func TestAccountsComeAndGoWithAllTheirFiles(t *testing.T) {
	d := opened(t, kunpeng)
	before := tree(t, d.Machine)
	for _, argv := range [][]string{
		{"groupadd", "--system", "web"},
		{"useradd", "--system", "--no-create-home", "--no-log-init", "--gid", "web", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", "web"},
	} {
		if said, err := run(t, d.Machine, argv...); err != nil {
			t.Fatalf("%q: %q %v", argv, said, err)
		}
	}
	if said, err := run(t, d.Machine, "getent", "passwd", "web"); err != nil || len(said) != 1 || said[0] != "web:x:999:999::/nonexistent:/usr/sbin/nologin" {
		t.Errorf("%q %v", said, err)
	}
	var exit *machine.ExitError
	if _, err := run(t, d.Machine, "useradd", "--system", "--gid", "web", "web"); !errors.As(err, &exit) || exit.Code != 9 {
		t.Errorf("a second time: %v", err)
	}
	if _, err := run(t, d.Machine, "userdel", "web"); err != nil {
		t.Fatal(err)
	}
	after := tree(t, d.Machine)
	for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow"} {
		if after[file] != before[file] {
			t.Errorf("%s is %q", file, after[file])
		}
	}
}

func TestAServiceThatCannotRunIsNotStarted(t *testing.T) {
	d := opened(t, kunpeng)
	foreign := stub{Source: "package main", Arch: "amd64"}.encode("amd64")
	if err := d.sim.write("/usr/local/bin/foreign", foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, unit := range map[string]string{
		"no program": "[Service]\nExecStart=/usr/local/bin/nothing\n", "another processor's": "[Service]\nExecStart=/usr/local/bin/foreign\n",
		"nobody's": "[Service]\nExecStart=" + sampleProgram + "\nUser=ghost\n",
	} {
		if err := d.sim.write(etcUnits+"x.service", []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, d.Machine, "systemctl", "start", "x.service"); err == nil {
			t.Errorf("%s: it was started", name)
		}
		if lines, err := run(t, d.Machine, "journalctl", "--no-pager", "--output=cat", "--lines=10", "--unit=x.service"); err != nil || len(lines) == 0 {
			t.Errorf("%s: the journal says nothing: %v", name, err)
		}
	}
}

func TestStreamsEndAndNeverKeepAWriterWaiting(t *testing.T) {
	a, b := newStream("a", "b")
	for range 1000 {
		if _, err := a.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b)
	if err != nil || len(got) != 5000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := b.Write([]byte("x")); err == nil {
		t.Error("it could be written to after the end")
	}
}

func TestScriptsAreCutIntoTheirCommands(t *testing.T) {
	for script, want := range map[string][]string{
		"":                                nil,
		"sleep 0.5; nft 'add table x; y'": {"sleep 0.5", "nft add table x; y"},
		`/bin/sh -c 'ip address del 1/32 dev lo 2>/dev/null || true'`: {"/bin/sh -c ip address del 1/32 dev lo 2>/dev/null || true"},
		"ip address del 1/32 dev lo 2>/dev/null || true":              {"ip address del 1/32 dev lo"},
		"if iptables -C X 2>/dev/null; then iptables -D X; fi":        {"iptables -D X"},
		"echo 1 > /proc/x":             {"echo 1 > /proc/x"},
		`printf 'it'\''s' "two words"`: {"printf it's two words"},
	} {
		all, ok := shellCommands(script)
		var got []string
		for _, c := range all {
			line := strings.Join(c.argv, " ")
			if c.file != "" {
				line += " > " + c.file
			}
			got = append(got, line)
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%q: %q %v", script, got, ok)
		}
	}
	for _, script := range []string{"echo 'open", `echo "open`} {
		if _, ok := shellCommands(script); ok {
			t.Errorf("%q is understood", script)
		}
	}
}

// FuzzScripts: whatever is asked for, it is cut into words that stood in it.
func FuzzScripts(f *testing.F) {
	f.Add("sh -c 'a b' c; d || e > f; if g; then h; fi")
	f.Add(`'\''"'"\\ `)
	f.Add("\xb0")
	f.Fuzz(func(t *testing.T, script string) {
		all, _ := shellCommands(script)
		for _, c := range all {
			if len(c.argv) == 0 {
				t.Errorf("%q: a command without a name", script)
			}
			for _, w := range c.argv {
				if len(w) > len(script) {
					t.Errorf("%q: the word %q", script, w)
				}
			}
		}
	})
}

// Who is asked for much at a time, and leaves in the middle, leaves nothing behind.
func TestAnAskerEndsWithItsCaller(t *testing.T) {
	d := opened(t, kunpeng)
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	err := d.Machine.Run(ctx, machine.Command{Argv: []string{machine.Self, "wire", "ask", "--address", "192.0.2.100", "--port", "80", "--every", "10ms", "--for", "30m"}}, func(line string) {
		if n++; n == 3 {
			cancel()
		}
		if !strings.HasPrefix(line, "{") {
			t.Errorf("it says %q", line)
		}
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("after %d lines: %v", n, err)
	}
	due := len(d.pair.lan.due)
	d.pair.lan.flow.pass(time.Minute)
	d.pair.lan.do(nil)
	if now := len(d.pair.lan.due); now >= due && due > 0 {
		t.Errorf("%d events wait, and %d did", now, due)
	}
}

func TestWhereSELinuxIsInForceItsBooleanIsSetAndPutBack(t *testing.T) {
	d := opened(t, "openeuler-22.03")
	defer d.Close()
	o := &op.Boolean{Name: "httpd_can_network_connect", On: true}
	look := func() (engine.State, engine.Action) {
		s, err := o.Observe(t.Context(), d.Machine)
		if err != nil {
			t.Fatal(err)
		}
		return s, o.Diff(s).Action
	}
	before, was := look()
	_, err := o.Do(t.Context(), d.Machine, nil)
	after, is := look()
	if err != nil || was != engine.Update || is != engine.None {
		t.Errorf("%v: %c, then %c", err, was, is)
	}
	if err := o.Undo(t.Context(), d.Machine, before, after); err != nil {
		t.Fatal(err)
	}
	if _, is := look(); is != was {
		t.Errorf("put back, it is %c", is)
	}
}
