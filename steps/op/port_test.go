package op

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// What is let through now stands in a file of the world, so that it counts as part of it.
const fakeLive = "/run/fake-firewall"

func (w *world) live() []string {
	data, err := os.ReadFile(filepath.Join(w.dir, fakeLive))
	if err != nil {
		return nil
	}
	return slices.Collect(strings.Lines(string(data)))
}

func (w *world) setLive(l []string) {
	w.write(fakeLive, strings.Join(l, ""), 0o600)
}

const fakeZone = `<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>Public</short>
  <service name="ssh"/>
</zone>
`

// firewalldWorld has a zone for eth0 and one for the rest.
func firewalldWorld(w *world) {
	w.write("/usr/lib/firewalld/zones/public.xml", fakeZone, 0o644)
	w.write("/usr/lib/firewalld/zones/trusted.xml", "<zone target=\"ACCEPT\">\n</zone>\n", 0o644)
	w.mkdir("/etc/firewalld/zones")
	w.setLive(nil)
	w.write("/proc/net/route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n", 0o444)
	w.tools = map[string]tool{"firewall-cmd": func(w *world, c machine.Command, say func(string)) error {
		zone, permanent := "", false
		for _, a := range c.Argv[1:] {
			verb, value, _ := strings.Cut(a, "=")
			switch {
			case a == "--state":
				say("running")
			case verb == "--zone":
				zone = value
			case a == "--permanent":
				permanent = true
			case verb == "--get-zone-of-interface" && value == "eth0":
				say("public")
			case verb == "--get-zone-of-interface" && value == "tun0":
				say("trusted")
			case a == "--get-default-zone":
				say("other")
			case strings.HasPrefix(verb, "--query-"):
				is := slices.Contains(w.live(), zone+" "+value+"\n")
				if permanent {
					is = strings.Contains(w.read("/etc/firewalld/zones/"+zone+".xml"), value)
				}
				if !is {
					return &machine.ExitError{Argv: c.Argv, Code: 1}
				}
				say("yes")
			case strings.HasPrefix(verb, "--add-"), strings.HasPrefix(verb, "--remove-"):
				if err := w.effect("run", a); err != nil {
					return err
				}
				l := slices.DeleteFunc(w.live(), func(s string) bool { return s == zone+" "+value+"\n" })
				if strings.HasPrefix(verb, "--add-") {
					l = append(l, zone+" "+value+"\n")
				}
				w.setLive(l)
			default:
				return &machine.ExitError{Argv: c.Argv, Code: 2, Stderr: "no such option"}
			}
		}
		return nil
	}}
}

// nftWorld has one chain that drops.
func nftWorld(w *world) {
	w.setLive([]string{"inet filter input\t1\tct state established accept\n"})
	w.write("/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n}\n", 0o755)
	w.tools = map[string]tool{"nft": func(w *world, c machine.Command, say func(string)) error {
		if c.Argv[1] == "--json" {
			objects := []map[string]any{{"metainfo": map[string]any{"version": "1.0.6"}}, {"chain": map[string]any{
				"family": "inet", "table": "filter", "name": "input", "hook": "input", "prio": 0, "policy": "drop", "handle": 1,
			}}}
			for _, r := range w.live() {
				f := strings.Split(strings.TrimSpace(r), "\t")
				_, comment, _ := strings.Cut(f[2], "comment ")
				var handle int
				_, err := fmt.Sscan(f[1], &handle)
				must(err)
				objects = append(objects, map[string]any{"rule": map[string]any{
					"family": "inet", "table": "filter", "chain": "input", "handle": handle, "comment": strings.Trim(comment, `"`),
					"expr": []any{map[string]any{"match": map[string]any{}}, map[string]any{"accept": nil}},
				}})
			}
			b, err := json.Marshal(map[string]any{"nftables": objects})
			must(err)
			say(string(b))
			return nil
		}
		script, err := io.ReadAll(c.Stdin)
		must(err)
		if err := w.effect("run", "nft"); err != nil {
			return err
		}
		l := w.live()
		for line := range strings.Lines(string(script)) {
			rest, insert := strings.CutPrefix(line, "insert rule inet filter input ")
			if insert {
				l = append([]string{fmt.Sprintf("inet filter input\t%d\t%s", 40+len(l), rest)}, l...)
				continue
			}
			handle, ok := strings.CutPrefix(strings.TrimSpace(line), "delete rule inet filter input handle ")
			if !ok {
				return &machine.ExitError{Argv: c.Argv, Code: 1, Stderr: "syntax error: " + line}
			}
			l = slices.DeleteFunc(l, func(s string) bool { return strings.Split(s, "\t")[1] == handle })
		}
		w.setLive(l)
		return nil
	}}
}

const fakeSave = "# saved\n*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j X\nCOMMIT\n*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n"

// iptablesWorld has both programs; only the first one's chain filters.
func iptablesWorld(w *world) {
	w.write("/proc/net/ip_tables_names", "nat\nfilter\n", 0o440)
	w.write("/proc/net/ip6_tables_names", "filter\n", 0o440)
	w.setLive(nil)
	w.write("/etc/sysconfig/iptables", fakeSave, 0o600)
	w.tools = map[string]tool{
		"ip6tables": func(_ *world, c machine.Command, say func(string)) error {
			if !slices.Contains(c.Argv, "-S") {
				return &machine.ExitError{Argv: c.Argv, Code: 2, Stderr: "nothing to do here"}
			}
			say("-P INPUT ACCEPT")
			return nil
		},
		"iptables": func(w *world, c machine.Command, say func(string)) error {
			verb, rule := c.Argv[2], strings.Join(c.Argv[min(4, len(c.Argv)):], " ")+"\n"
			l := w.live()
			switch verb {
			case "-S":
				say("-P INPUT ACCEPT")
				for _, r := range l {
					say("-A INPUT " + strings.TrimSpace(r))
				}
				say("-A INPUT -j REJECT --reject-with icmp-host-prohibited")
				return nil
			case "-C":
				if !slices.Contains(l, rule) {
					return &machine.ExitError{Argv: c.Argv, Code: 1, Stderr: "Bad rule (does a matching rule exist in that chain?)."}
				}
				return nil
			}
			if err := w.effect("run", "iptables "+verb); err != nil {
				return err
			}
			if verb == "-I" {
				l = append([]string{rule}, l...)
			} else {
				l = slices.DeleteFunc(l, func(s string) bool { return s == rule })
			}
			w.setLive(l)
			return nil
		},
	}
}

func portSituations() []situation {
	web := &Port{Port: 8080, Protocol: "tcp", Reason: why}
	peer := &Port{Protocol: "vrrp", From: []netip.Prefix{netip.MustParsePrefix("10.0.0.2/32"), netip.MustParsePrefix("10.1.0.0/16")}, Interface: "eth0", Reason: why}
	const ok, nothing = engine.Applied, engine.OutcomeKind("")
	edited := func(w *world) {
		firewalldWorld(w)
		w.write("/etc/firewalld/zones/public.xml", strings.Replace(fakeZone, "ssh", "cockpit", 1), 0o600)
	}
	return []situation{
		{"a port where nothing filters", web, func(*world) {}, nothing},
		{"a port of firewalld", web, firewalldWorld, ok},
		{"a port of firewalld, in a zone that was changed", web, edited, ok},
		{"a protocol of firewalld from a peer", peer, firewalldWorld, ok},
		{"a protocol of firewalld from everybody", &Port{Protocol: "vrrp", Reason: why}, firewalldWorld, ok},
		{"a port of firewalld that is open until it restarts", web, func(w *world) { firewalldWorld(w); w.setLive([]string{"public 8080/tcp\n"}) }, ok},
		{"a port of firewalld's zone that takes everything", &Port{Port: 8080, Protocol: "tcp", Interface: "tun0", Reason: why}, firewalldWorld, nothing},
		{"a port of nftables", web, nftWorld, ok},
		{"a protocol of nftables from a peer", peer, nftWorld, ok},
		{"a port of nftables that no file keeps", web, func(w *world) { nftWorld(w); must(os.Remove(filepath.Join(w.dir, "/etc/nftables.conf"))) }, ok},
		{"a port of iptables", web, iptablesWorld, ok},
		{"a protocol of iptables from a peer", peer, iptablesWorld, ok},
		{"a port of ufw", web, func(w *world) { w.write("/etc/ufw/ufw.conf", "# on\nENABLED=yes\n", 0o644) }, engine.Refused},
		{"a port of ufw that is off", web, func(w *world) { w.write("/etc/ufw/ufw.conf", "ENABLED=no\n", 0o644) }, nothing},
	}
}

func TestAPortIsSavedWhereItsFirewallReadsIt(t *testing.T) {
	web := &Port{Port: 8080, Protocol: "tcp"}
	for name, c := range map[string]struct {
		world      func(*world)
		file, want string
	}{
		"firewalld": {firewalldWorld, "/etc/firewalld/zones/public.xml", strings.Replace(fakeZone, "</zone>", "  <port port=\"8080\" protocol=\"tcp\"/>\n</zone>", 1)},
		"nftables":  {nftWorld, "/etc/nftables.conf", "#!/usr/sbin/nft -f\nflush ruleset\ntable inet filter {\n}\ninsert rule inet filter input tcp dport 8080 accept comment \"goxin: 8080/tcp\"\n"},
		"iptables":  {iptablesWorld, "/etc/sysconfig/iptables", strings.Replace(fakeSave, "-A INPUT -i lo", "-A INPUT -p tcp -m tcp --dport 8080 -m comment --comment \"goxin: 8080/tcp\" -j ACCEPT\n-A INPUT -i lo", 1)},
	} {
		w := newWorld(t)
		c.world(w)
		if _, err := web.Do(context.Background(), w, nil); err != nil {
			t.Fatal(err)
		}
		if got := w.read(c.file); got != c.want {
			t.Errorf("%s:\n%s", name, got)
		}
		if len(w.live()) == 0 {
			t.Errorf("%s: not open now", name)
		}
	}
}

func TestWhatOthersAddToAFirewallStays(t *testing.T) {
	ctx := context.Background()
	for name, world := range map[string]func(*world){"firewalld": firewalldWorld, "nftables": nftWorld, "iptables": iptablesWorld} {
		w := newWorld(t)
		world(w)
		mine, theirs := &Port{Port: 8080, Protocol: "tcp"}, &Port{Port: 9090, Protocol: "tcp"}
		before := observe(t, mine, w)
		for _, o := range []*Port{mine, theirs} {
			if _, err := o.Do(ctx, w, nil); err != nil {
				t.Fatal(err)
			}
		}
		if err := mine.Undo(ctx, w, before, observe(t, mine, w)); err != nil {
			t.Fatal(err)
		}
		if mine.Diff(observe(t, mine, w)).Action == engine.None || theirs.Diff(observe(t, theirs, w)).Action != engine.None {
			t.Errorf("%s: %q", name, w.live())
		}
	}
}

func TestAnotherFirewallSinceIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	firewalldWorld(w)
	o := &Port{Port: 8080, Protocol: "tcp"}
	before := observe(t, o, w)
	if _, err := o.Do(context.Background(), w, nil); err != nil {
		t.Fatal(err)
	}
	w.tools = nil
	if err := o.Undo(context.Background(), w, before, engine.State{}); !errors.Is(err, engine.ErrNotOurs) {
		t.Errorf("%v", err)
	}
}

func TestWhichChainsFilter(t *testing.T) {
	chain := func(hook, policy string) string {
		return fmt.Sprintf(`{"chain":{"family":"ip","table":"t","name":"c","hook":%q,"policy":%q}}`, hook, policy)
	}
	rule := func(expr string) string {
		return `{"rule":{"family":"ip","table":"t","chain":"c","handle":1,"expr":[` + expr + `]}}`
	}
	for name, c := range map[string]struct {
		objects []string
		want    int
	}{
		"policy drop":          {[]string{chain("input", "drop")}, 1},
		"policy accept":        {[]string{chain("input", "accept")}, 0},
		"a last rule rejects":  {[]string{chain("input", "accept"), rule(`{"match":{}},{"accept":null}`), rule(`{"counter":{}},{"reject":{}}`)}, 1},
		"a rule drops some":    {[]string{chain("input", "accept"), rule(`{"match":{}},{"drop":null}`)}, 0},
		"a drop, then accepts": {[]string{chain("input", "accept"), rule(`{"drop":null}`), rule(`{"accept":null}`)}, 0},
		"another hook":         {[]string{chain("forward", "drop")}, 0},
		"no chains":            {nil, 0},
	} {
		r, err := parseRuleset([]byte(`{"nftables":[` + strings.Join(c.objects, ",") + `]}`))
		if err != nil || len(r.filtering()) != c.want {
			t.Errorf("%s: %v %v", name, r.filtering(), err)
		}
	}
	if _, err := parseRuleset([]byte("table ip t {")); lang.Message(err, lang.ZH) == "" || err == nil {
		t.Errorf("text is not refused: %v", err)
	}
	for rules, want := range map[string]bool{
		"-P INPUT DROP":   true,
		"-P INPUT ACCEPT": false,
		"-P INPUT ACCEPT\n-A INPUT -p tcp -j ACCEPT\n-A INPUT -j REJECT --reject-with icmp": true,
		"-P INPUT ACCEPT\n-A INPUT -s 1.2.3.4/32 -j DROP":                                   false,
	} {
		if filters(strings.Split(rules, "\n")) != want {
			t.Errorf("%q", rules)
		}
	}
}

func FuzzRuleset(f *testing.F) {
	f.Add([]byte(`{"nftables":[{"metainfo":{}},{"chain":{"family":"inet","table":"a","name":"b","hook":"input","policy":"drop"}},{"rule":{"family":"inet","table":"a","chain":"b","handle":4,"expr":[{"drop":null}]}}]}`))
	f.Add([]byte(`{"nftables":[{"rule":{"expr":[{}]}}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := parseRuleset(b)
		if err != nil && (r.chains != nil || r.rules != nil) {
			t.Error("chains of what was not understood")
		}
		for _, c := range r.filtering() {
			if c.Hook != "input" {
				t.Errorf("%v", c)
			}
		}
	})
}

// firewalld could not be asked; somebody opened the port by hand, and the undo shut it.
func TestAPortThatSomebodyOpenedAfterTheFailureIsHis(t *testing.T) {
	w := newWorld(t)
	firewalldWorld(w)
	o := &Port{Port: 8080, Protocol: "tcp", Reason: why}
	before := observe(t, o, w)
	after := before // it failed before anything was opened
	w.setLive([]string{"public 8080/tcp\n"})
	if err := o.Undo(context.Background(), w, before, after); len(w.live()) != 1 {
		t.Errorf("%v: %s", err, w.live())
	}
}

// Somebody saved what was in force, with our rule in it: the undo took it out now, said that
// all was well, and the next boot let it in again.
func TestARuleThatStandsOtherwiseInTheSavedFileIsTold(t *testing.T) {
	w := newWorld(t)
	nftWorld(w)
	o := &Port{Port: 8080, Protocol: "tcp", Reason: why}
	before, after := did(t, o, w)
	// nft list ruleset > /etc/nftables.conf
	w.write("/etc/nftables.conf", "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority 0; policy drop;\n\t\ttcp dport 8080 accept comment \"goxin: 8080/tcp\"\n\t}\n}\n", 0o755)
	err := o.Undo(context.Background(), w, before, after)
	if err == nil && strings.Contains(w.read("/etc/nftables.conf"), "8080") {
		t.Errorf("undone, and open again after the next boot:\n%s", w.read("/etc/nftables.conf"))
	}
}
