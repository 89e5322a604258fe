package ha

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
	"goxin/steps/stock"
	"goxin/steps/vrrp"
	"goxin/steps/wire"
)

func TestAPlanIsTheStandbyFirst(t *testing.T) {
	const somebodys = "vrrp_instance VI_1 {\n virtual_ipaddress {\n 10.9.0.100\n }\n}\n"
	w := newWorld()
	w.v[KeyReplace] = replace
	for _, c := range []struct {
		name  string
		owner machine.ID
		conf  string // its keepalived.conf; "": goxin's
		first machine.ID
	}{
		{"nobody owns the address", "", "", there},
		{"this machine owns it", machine.LocalID, "", there},
		{"the other one owns it", there, "", machine.LocalID},
		{"this machine owns it by somebody's configuration", machine.LocalID, somebodys, machine.LocalID},
		{"the other one owns it by somebody's configuration", there, somebodys, there},
	} {
		for _, id := range w.hosts.Order {
			w.seen[id].Holds, w.seen[id].Conf = "", ""
			if id == c.owner {
				w.seen[id].Holds, w.seen[id].Conf = "eth0", cmp.Or(c.conf, keepalivedText(words{vip: netip.MustParsePrefix("10.9.0.100/24")}))
			}
		}
		items, err := w.ops(t)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var order []machine.ID
		for _, it := range items {
			if len(order) == 0 || order[len(order)-1] != it.On {
				order = append(order, it.On)
			}
		}
		if len(order) != 2 || order[0] != c.first {
			t.Errorf("%s: %v", c.name, order)
		}
	}
}

func TestTheFilesOfAPair(t *testing.T) {
	for _, version := range []string{"2.0.10", "2.0.20", "2.1.5", "2.2.7", "2.3.3", "2.4.0"} {
		t.Run(version, func(t *testing.T) {
			w := newWorld()
			for _, n := range w.seen {
				n.Keepalived, n.Exits = version, true
			}
			steptest.Golden(t, "pair-"+version+".txt", files(t, w))
		})
	}
	t.Run("answered", func(t *testing.T) {
		w := newWorld()
		w.v = engine.Values{
			KeyVIP: "10.9.0.100/32", KeyVRID: int64(7), KeyAdvert: "1s", KeyPort: int64(8443), KeyUpstream: []string{"127.0.0.1:9000", "127.0.0.1:9001"},
			KeyHealth: "/healthz", KeyCheckEvery: int64(5), KeyFirewall: false, KeyNonlocal: true,
		}
		steptest.Golden(t, "answered.txt", files(t, w))
	})
}

// files are what a plan writes, in its order.
func files(t *testing.T, w *world) string {
	t.Helper()
	items, err := w.ops(t)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, it := range items {
		fmt.Fprintf(&b, "== %s: %s %s\n", it.On, it.Op.Kind(), it.Op.Target())
		if f, ok := it.Op.(*op.File); ok && f.Mode != 0o755 {
			fmt.Fprintf(&b, "   restarts %q\n%s", f.Restart, f.Content)
		}
	}
	return b.String()
}

func TestTheTwoConfigurationsAgree(t *testing.T) {
	for _, version := range []string{"2.0.10", "2.2.7", "2.4.0"} {
		w := newWorld()
		w.seen[there].Keepalived = version
		items, err := w.ops(t)
		if err != nil {
			t.Fatal(err)
		}
		var confs []vrrp.Conf
		for _, it := range items {
			if f, ok := it.Op.(*op.File); ok && f.Path == keepalivedConf {
				c, err := vrrp.ParseConf([]byte(f.Content))
				if err != nil {
					t.Fatal(err)
				}
				confs = append(confs, c)
			}
		}
		if len(confs) != 2 || len(confs[0].Instances) != 1 || !confs[0].Security {
			t.Fatalf("%+v", confs)
		}
		if found := vrrp.Agree(confs[0], confs[1]); len(found) > 0 {
			t.Errorf("2.2.7 with %s: %+v", version, found)
		}
	}
}

func TestNothingInTheFilesChangesByItself(t *testing.T) {
	w := newWorld()
	first := files(t, w)
	w.hosts.Facts[machine.LocalID].Hostname = steptest.Fact("another-name")
	w.seen[machine.LocalID].Found = &wire.Found{MACs: []string{w.seen[there].MAC}}
	w.seen[machine.LocalID].Heard.Routers = []wire.Router{router(100, "10.9.0.2")} // the pair's own
	w.seen[there].Skew = 40 * time.Millisecond
	if second := files(t, w); second != first {
		t.Error("what was seen when the pair already runs changes its files")
	}
}

func TestBadInputIsRefusedByName(t *testing.T) {
	const foreign = "02:00:00:00:00:66"
	big := strings.Repeat("x", 300)
	for _, c := range []struct {
		name  string
		spoil func(w *world)
		says  string
	}{
		{"no address", func(w *world) { delete(w.v, KeyVIP) }, "without an address"},
		{"an address that is none", func(w *world) { w.v[KeyVIP] = "10.9.0.300" }, "no address"},
		{"IPv6", func(w *world) { w.v[KeyVIP] = "fd00::1" }, "IPv6"},
		{"multicast", func(w *world) { w.v[KeyVIP] = "224.0.0.18" }, "no machine can have"},
		{"one machine", func(w *world) { w.hosts.Order = w.hosts.Order[:1] }, "one machine"},
		{"in use", func(w *world) { w.seen[there].Found.MACs = []string{foreign} }, foreign + " has it already"},
		{"in another network", func(w *world) {
			w.v[KeyVIP] = "172.16.0.1"
			for _, n := range w.seen {
				n.Interface, n.Address = "", netip.Prefix{}
			}
		}, "another network"},
		{"in another network, on the interface asked for", func(w *world) {
			w.v[KeyInterface] = "eth9"
			w.seen[there].Interface = ""
		}, "eth9 of b"},
		{"equal to a node", func(w *world) { w.v[KeyVIP] = "10.9.0.2"; w.seen[there].Holds = "eth0" }, "b's own address"},
		{"the network's own", func(w *world) { w.v[KeyVIP] = "10.9.0.0" }, "address of the network"},
		{"of all in the network", func(w *world) { w.v[KeyVIP] = "10.9.0.255" }, "address of the network"},
		{"VRID taken", func(w *world) {
			w.v[KeyVRID] = int64(51)
			w.seen[there].Heard.Routers = []wire.Router{router(51, "10.9.0.77")}
		}, "10.9.0.77 advertises"},
		{"not one segment", func(w *world) { w.seen[machine.LocalID].Peer.MACs = []string{foreign} }, "nobody answers"},
		{"VRRP is dropped", func(w *world) { w.v[KeyFirewall] = false; w.seen[there].Passes.Received = 0 }, "protocol 112"},
		{"deaf", func(w *world) { w.seen[there].Deaf = lang.T("operation not permitted", "不允许") }, "cannot listen"},
		{"clock an hour off", func(w *world) { w.seen[there].Skew = -time.Hour }, "1h0m0s behind"},
		{"another major version", func(w *world) { w.seen[there].Keepalived = "3.0.1" }, "2.2.7 and 3.0.1"},
		{"too old", func(w *world) { w.seen[there].Keepalived = "1.3.5" }, "1.3.5"},
		{"written by hand", func(w *world) {
			w.seen[there].Conf = "vrrp_instance VI_1 {\nvirtual_ipaddress { 10.9.0.7\n}\n}\n"
		}, "somebody wrote one"},
		{"written by hand, unreadable", func(w *world) { w.seen[there].Conf = "vrrp_instance {" }, "somebody wrote one"},
		{"nginx is broken", func(w *world) { w.seen[there].NginxSays = "unknown directive \"listne\"" }, "listne"},
		{"full disk", func(w *world) {
			w.hosts.Facts[there].Disks = []detect.Disk{{Path: "/var", Space: steptest.Fact(machine.Space{Free: 1 << 20})}}
		}, "1 MiB left"},
		{"no systemd", func(w *world) { w.hosts.Facts[there].Init.Name = steptest.Fact("sysvinit") }, "not systemd"},
		{"a tree", func(w *world) { w.hosts.Facts[there].Running = false }, "not running"},
		{"an interface with a quote", func(w *world) { w.v[KeyInterface] = "eth0\"" }, "no name of an interface"},
		{"an interface with a line", func(w *world) { w.v[KeyInterface] = "eth0\nstate" }, "no name of an interface"},
		{"a path that is shell", func(w *world) { w.v[KeyHealth] = "/$(reboot)" }, "no plain path"},
		{"a path without end", func(w *world) { w.v[KeyHealth] = "/" + big }, "no plain path"},
		{"an upstream that is nginx", func(w *world) { w.v[KeyUpstream] = []string{"127.0.0.1:80; }"} }, "no address with a port"},
		{"no upstream", func(w *world) { w.v[KeyUpstream] = []string{} }, "nothing is there"},
		{"an interval below a packet's", func(w *world) { w.v[KeyAdvert] = "5ms" }, "50ms"},
		{"an interval between two packets'", func(w *world) { w.v[KeyAdvert] = "205ms" }, "steps of 10ms"},
	} {
		w := newWorld()
		c.spoil(w)
		items, err := w.ops(t)
		if err == nil || !strings.Contains(lang.Message(err, lang.EN), c.says) {
			t.Errorf("%s: %v, want %s", c.name, err, c.says)
			continue
		}
		var told *lang.Error
		if len(items) > 0 || !errors.As(err, &told) || lang.Message(err, lang.ZH) == "" || hint(err) == "" {
			t.Errorf("%s: %d operations, %q: no hint", c.name, len(items), lang.Message(err, lang.ZH))
		}
		if notes, proofs := (Step{}).Notes(w.hosts, w.survey(t), w.v), (Step{}).Proofs(w.hosts, w.survey(t), w.v); len(notes)+len(proofs) > 0 {
			t.Errorf("%s: refused, and told of all the same", c.name)
		}
	}
}

// hint is what an error or one of its causes says to do.
func hint(err error) string {
	for ; err != nil; err = errors.Unwrap(err) {
		var told *lang.Error
		if !errors.As(err, &told) {
			return ""
		}
		if told.Hint.EN != "" {
			return told.Hint.EN
		}
		err = told
	}
	return ""
}

func TestWhatLooksWrongAndIsNot(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(w *world)
	}{
		{"the pair runs: the other node answers for the address", func(w *world) {
			for _, n := range w.seen {
				n.Conf = keepalivedText(words{vip: netip.MustParsePrefix("10.9.0.100/24")})
			}
			w.seen[there].Holds = "eth0"
			w.seen[machine.LocalID].Found.MACs = []string{w.seen[there].MAC}
			w.seen[there].Found.Local = true
		}},
		{"a configuration of the hand that may go", func(w *world) {
			w.v[KeyReplace] = replace
			w.seen[there].Conf = "vrrp_instance VI_1 {\nvirtual_ipaddress { 10.9.0.7\n}\n}\n"
		}},
		{"the distribution's example", func(w *world) {
			w.seen[there].Conf = "vrrp_instance VI_1 {\n virtual_ipaddress {\n 192.168.200.16\n 192.168.200.17\n 192.168.200.18\n }\n}\n"
		}},
		{"VRRP is dropped by a firewall that will be opened", func(w *world) { w.seen[there].Passes.Received = 0 }},
		{"somebody else's VRID", func(w *world) { w.seen[there].Heard.Routers = []wire.Router{router(51, "10.9.0.77")} }},
		{"another minor version", func(w *world) { w.seen[there].Keepalived = "2.0.20" }},
		{"a clock that is a second off", func(w *world) { w.seen[there].Skew = time.Second }},
	} {
		w := newWorld()
		c.make(w)
		if items, err := w.ops(t); err != nil || len(items) == 0 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestAFreeVRIDIsTheAddressesLastNumberOrTheNext(t *testing.T) {
	for _, c := range []struct {
		vip   string
		taken []int
		want  int
	}{
		{"10.9.0.100", nil, 100},
		{"10.9.0.100", []int{100, 101}, 102},
		{"10.9.0.255", []int{255}, 1},
		{"10.9.1.0", nil, 255},
	} {
		w := newWorld()
		for _, n := range c.taken {
			w.seen[there].Heard.Routers = append(w.seen[there].Heard.Routers, router(n, "10.9.0.77"))
		}
		p, err := newPair(w.hosts, w.survey(t), engine.Values{KeyVIP: c.vip})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.vrid(); got != c.want {
			t.Errorf("%s with %v: %d, want %d", c.vip, c.taken, got, c.want)
		}
	}
}

func TestWhatCannotBeKnownYetIsKnownAfterTheMirror(t *testing.T) {
	for _, spoil := range []func(w *world){
		func(w *world) { w.seen[there].Keepalived = "" },
		func(w *world) { w.seen[there].Packages.Lists = lang.T("no lists", "没有列表") },
	} {
		w := newWorld()
		spoil(w)
		items, err := w.ops(t)
		if err != nil || !slices.ContainsFunc(items, func(it engine.Item) bool { return it.On == there && it.Unknown == "mirror" }) {
			t.Errorf("%v, %v", items, err)
		}
	}
}

// SELinux lets nginx answer, and nothing comes from behind it.
func TestWhereSELinuxIsInForceNginxMayConnect(t *testing.T) {
	w := newWorld()
	w.hosts.Facts[there].Security.SELinux = steptest.Fact("enforcing")
	items, err := w.ops(t)
	if err != nil {
		t.Fatal(err)
	}
	var on []machine.ID
	for _, it := range items {
		if o, ok := it.Op.(*op.Boolean); ok && o.On && o.Name == "httpd_can_network_connect" {
			on = append(on, it.On)
		}
	}
	if !slices.Equal(on, []machine.ID{there}) {
		t.Errorf("it is switched on on %q", on)
	}
}

func TestQuestionsSayWhy(t *testing.T) {
	w := newWorld()
	w.hosts.Facts[there].Virt = steptest.Fact("kvm")
	w.seen[there].Conf = "vrrp_instance VI_1 {\n state MASTER\n nopreempt\n virtual_ipaddress { 10.9.0.7\n}\n}\n"
	w.seen[there].Passes.Received = 0
	w.seen[there].Heard.Routers = []wire.Router{router(100, "10.9.0.77")}
	w.seen[machine.LocalID].Files = map[string]string{"/etc/nginx/conf.d/tls.conf": "a", "/etc/nginx/nginx.conf": "c"}
	w.seen[there].Files = map[string]string{"/etc/nginx/conf.d/tls.conf": "b", "/etc/nginx/nginx.conf": "c"}
	w.hosts.Facts[there].Security.SELinux = steptest.Fact("enforcing")
	w.v[KeyPort] = int64(8081)
	w.seen[there].Relays = false
	w.v[KeyReplace] = replace
	w.v[KeyAdvert] = "200ms"
	var b strings.Builder
	for _, q := range (Step{}).Questions(w.hosts, w.survey(t), w.v) {
		fmt.Fprintf(&b, "? %s (%v): %s\n  %s\n", q.Key, q.Default, q.Why.EN, q.Why.ZH)
		if q.Why.Empty() {
			t.Errorf("%s is asked without a reason", q.Key)
		}
	}
	for _, n := range (Step{}).Notes(w.hosts, w.survey(t), w.v) {
		fmt.Fprintf(&b, "%s %s\n  %s\n", map[bool]string{true: "!", false: "-"}[n.Warn], n.Text.EN, n.Text.ZH)
	}
	steptest.Golden(t, "questions.txt", b.String())
}

func TestInterfacesAreReadAsIPTellsThem(t *testing.T) {
	const said = `[{"ifname":"lo","link_type":"loopback","address":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8}]},` +
		`{"ifname":"eth0","link_type":"ether","address":"02:FC:00:00:00:01","addr_info":[{"family":"inet","local":"10.9.0.1","prefixlen":24},{"family":"inet","local":"10.9.0.100","prefixlen":24,"secondary":true}]},` +
		`{"ifname":"eth1","address":"02:fc:00:00:00:02","addr_info":[{},{"local":"fe80::1","prefixlen":64},{"local":"nonsense","prefixlen":9},{"local":"1.2.3.4","prefixlen":99}]},{}]`
	all, err := parseInterfaces(said)
	if err != nil || len(all) != 2 || all[1].Name != "eth0" || all[1].MAC != "02:fc:00:00:00:01" {
		t.Fatalf("%+v, %v", all, err)
	}
	n := &node{Interfaces: all}
	n.choose(answers{VIP: netip.MustParseAddr("10.9.0.100"), Interface: auto})
	if n.Interface != "eth0" || n.Address.Addr().String() != "10.9.0.1" || n.Holds != "eth0" {
		t.Errorf("%+v", n)
	}
	if _, err := parseInterfaces("Option \"-j\" is unknown"); err == nil {
		t.Error("an old ip is taken for one that says nothing")
	}
}

// An interface's name stands in keepalived.conf, in units and in commands: the kernel lets
// it be what each of them would read a meaning into.
func TestANameOfAnInterfaceThatMeansSomethingElsewhereIsRefused(t *testing.T) {
	for _, name := range []string{"eth%H", "-j", "eth0;", "a b", "a{", "$x", "!x", "a#", "x\ny", "..", "interfacenamelong"} {
		if checkInterface(name) == nil {
			t.Errorf("%q got in", name)
		}
	}
	for _, name := range []string{"eth0", "enp1s0f0np0", "bond0.100", "br-lan", "wg_0", "eth0:1"} {
		if err := checkInterface(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzInterfaces(f *testing.F) {
	f.Add(`[{"ifname":"eth0","addr_info":[{"local":"10.9.0.1","prefixlen":24}]}]`)
	f.Fuzz(func(t *testing.T, s string) {
		all, err := parseInterfaces(s)
		if err != nil {
			return
		}
		for _, i := range all {
			if checkInterface(i.Name) != nil {
				t.Errorf("%q got in", i.Name)
			}
		}
	})
}

// What could not be read on one of the two was told without a word about which.
func TestAMachineThatCannotBeReadIsNamed(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/etc/keepalived/keepalived.conf", 0o755); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	ms := map[machine.ID]machine.Machine{machine.LocalID: machine.Root(t.TempDir()), there: machine.Root(dir)}
	for id, name := range map[machine.ID]string{machine.LocalID: "node-a", there: "node-b"} {
		w.hosts.Facts[id].Hostname = steptest.Fact(name)
		w.hosts.Facts[id].Running = false
	}
	none := func(context.Context, machine.Machine, string, ...string) (map[string]string, error) { return nil, nil }
	_, err := Step{Ask: &stock.Ask{Installed: none, Available: none}}.Survey(t.Context(), ms, w.hosts, w.v, nil)
	if want := "cannot look at node-b: cannot read /etc/keepalived/keepalived.conf: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s…", err, want)
	}
}
