package tui

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

const peerID machine.ID = "peer:10.77.0.12"

// pairSession is a fake session about two machines.
type pairSession struct {
	*fakeSession
	names [2]string
}

func (s pairSession) Detect(ctx context.Context) (engine.Hosts, error) {
	_, err := s.fakeSession.Detect(ctx)
	here, there := fakeFacts(), fakeFacts()
	here.Hostname, there.Hostname = known(s.names[0], "uname"), known(s.names[1], "uname")
	return engine.Hosts{Order: []machine.ID{machine.LocalID, peerID}, Facts: map[machine.ID]*detect.Facts{machine.LocalID: here, peerID: there}}, err
}

// asPair makes the wizard be about a1 and a2.
func asPair(c *Config) { c.Session = pairSession{c.Session.(*fakeSession), [2]string{"a1", "a2"}} }

// pairPlan is a pair of keepalived and nginx, first on the peer: one file of the same
// content, one that differs in three lines, one that is on the peer alone.
func pairPlan(step string) *engine.StepPlan {
	file := func(on machine.ID, kind, target string, act engine.Action, text ...string) engine.Planned {
		var ls []engine.Line
		for i, t := range text {
			l := engine.Line{Action: engine.Create, New: i + 1, Text: strings.TrimPrefix(t, "-")}
			if strings.HasPrefix(t, "-") {
				l = engine.Line{Action: engine.Delete, Old: i + 1, Text: l.Text}
			}
			ls = append(ls, l)
		}
		return engine.Planned{
			On: on, Kind: kind, Target: target, ByHand: []string{"install -m 0644 /dev/stdin " + target},
			Why:  lang.F("What %s does of the pair. Source: keepalived.conf(5). Risk: none known.", "%s 在双机中的作用。来源：keepalived.conf(5)。风险：未见。", target),
			Diff: engine.Diff{Action: act, Note: lang.T("0644 root", "0644 root"), Hunks: []engine.Hunk{{Lines: ls}}},
		}
	}
	var items []engine.Planned
	for _, m := range []struct {
		on       machine.ID
		self, ip string
		priority int
	}{{peerID, "10.77.0.12", "10.77.0.11", 253}, {machine.LocalID, "10.77.0.11", "10.77.0.12", 254}} {
		items = append(items, engine.Planned{
			On: m.on, Kind: "packages", Target: "keepalived nginx", ByHand: []string{"apt-get install keepalived nginx"},
			Diff: engine.Diff{Action: engine.Create, Rows: []engine.Row{{Action: engine.Create, Name: "keepalived", Then: "2.2.7"}, {Action: engine.Create, Name: "nginx", Then: "1.22.1"}}},
		})
		if m.on == peerID {
			items = append(items, file(m.on, "file", "/etc/nginx/sites-enabled/default", engine.Delete, "-server { listen 80; }"))
		}
		items = append(items,
			file(m.on, "file", "/etc/keepalived/keepalived.conf", engine.Create, "vrrp_instance web-vip {", "  state BACKUP", "  nopreempt", fmt.Sprintf("  priority %d", m.priority), "  unicast_src_ip "+m.self, "  unicast_peer { "+m.ip+" }", "}"),
			file(m.on, "file", "/etc/nginx/conf.d/goxin.conf", engine.Create, "server {", "  listen 80;", "  add_header X-Goxin-Node $hostname;", "}"),
			engine.Planned{
				On: m.on, Kind: "sysctl", Target: "net.ipv4.tcp_retries2", Why: lang.T("So that a lost peer is noticed.", "以便尽快发现对端失联。"),
				Diff: engine.Diff{Action: engine.Update, Table: lang.T("running kernel", "运行中的内核"), Rows: []engine.Row{{Action: engine.Update, Name: "net.ipv4.tcp_retries2", Now: "15", Then: "8"}}},
			},
			engine.Planned{On: m.on, Kind: "unit", Target: "keepalived.service", Diff: engine.Diff{Action: engine.Update, Rows: []engine.Row{{Action: engine.Update, Name: "active", Now: "no", Then: "yes"}}}},
			engine.Planned{On: m.on, Kind: "dir", Target: "/etc/keepalived", Diff: engine.Diff{Action: engine.None}})
	}
	return &engine.StepPlan{Step: step, Items: items, Notes: []engine.Note{{Text: lang.T("a1 and a2 agree but in what is marked", "a1 与 a2 除标记处外一致")}}}
}

func pairDriver(t testing.TB, configure ...func(*Config)) *driver {
	return drive(t, &fakeSession{plan: pairPlan}, append([]func(*Config){asPair}, configure...)...).toDiff()
}

// pairSizes are those at which a pair looks another way.
var pairSizes = [][2]int{{80, 24}, {40, 12}, {100, 30}, {132, 43}, {210, 50}}

func pairScreens(t *testing.T) map[string]*driver {
	return map[string]*driver{
		"pair-diff":  pairDriver(t),
		"pair-end":   pairDriver(t).keys("end"),
		"pair-write": pairDriver(t).keys("w"),
	}
}

func TestPairScreens(t *testing.T) {
	for name, d := range pairScreens(t) {
		t.Run(name, func(t *testing.T) {
			pairGolden(t, name, d, pairSizes)
		})
	}
}

// pairedLines makes a talk be about a1 and a2.
func pairedLines(d *liner) {
	d.session = pairSession{d.session.(*fakeSession), [2]string{"a1", "a2"}}
}

func TestTheLineTierSaysTheMachineOfEachChange(t *testing.T) {
	for _, l := range langs {
		k := lineTalk(t, &fakeSession{plan: pairPlan}, l, strings.NewReader(script("", "", "", "3", "4", "8", "?", "w", "yes", "", "")), pairedLines)
		steptest.GoldenFile(t, filepath.Join("..", "testdata", "lines", "pair-"+string(l)+".txt"), k.out)
		if l == lang.EN {
			k.has(t, "3. /etc/keepalived/keepalived.conf (a2): 0644 root", "8. /etc/keepalived/keepalived.conf (a1): 0644 root", "priority 253", "Write 11 changes to a1 and a2?", "running kernel (a2): 1 value", "done: 1 of 13, keepalived nginx (a2)")
		}
	}
}

func TestThePairsTitleSaysOnceWhatIsAlike(t *testing.T) {
	d := pairDriver(t)
	d.app.header = (*detect.Facts).Title
	there := d.app.hosts.Facts[peerID]
	there.Kernel.Release = known("5.10", "uname -r")
	d.draw([2]int{200, 30}, Rich, lang.EN)
	d.sees("pair a1 + a2 · Kunpeng 920, 64 cores · Kylin")
	if strings.Contains(d.app.View(), "aarch64 + ") {
		t.Errorf("what is alike is said twice:\n%s", d.app.View())
	}
	there.Arch.Machine = known("x86_64", "uname -m")
	d.sees("aarch64 + x86_64")
	there.OS.Product, there.OS.Name = detect.Fact[string]{}, detect.Fact[string]{}
	there.CPU = detect.CPU{}
	d.sees("pair a1 + a2")
}

func TestMachinesOfTheSameNameAreToldApart(t *testing.T) {
	d := drive(t, &fakeSession{plan: pairPlan}, func(c *Config) {
		c.Session = pairSession{c.Session.(*fakeSession), [2]string{"localhost", "localhost"}}
	}).toDiff()
	d.draw([2]int{132, 43}, Rich, lang.EN)
	d.sees("localhost, here", "localhost at 10.77.0.12")
	d.app.hosts.Facts[peerID].Hostname = known("\x1b[2Jevil", "uname")
	if v := d.app.View(); strings.Contains(v, "\x1b") {
		t.Errorf("a host's name gets through: %q", v)
	}
}

func TestTheCursorGoesOverToTheOtherMachine(t *testing.T) {
	d := pairDriver(t)
	d.draw([2]int{132, 43}, Rich, lang.EN)
	on := func() machine.ID {
		it, _ := d.app.page.(*diffPage).current()
		return it.On
	}
	d.keys("down", "down")
	if on() != machine.LocalID {
		t.Fatal("it begins at the right")
	}
	d.keys("right").sees("▸ + /etc/keepalived/keepalived.conf", "why · a2")
	if on() != peerID {
		t.Fatal("it does not go over")
	}
	d.keys("up") // what is on the peer alone
	if on() != peerID {
		t.Fatal("it leaves the column")
	}
	d.keys("left")
	if it, _ := d.app.page.(*diffPage).current(); it.Target != "/etc/nginx/sites-enabled/default" {
		t.Fatalf("where the left has nothing, the cursor stands on %s", it.Target)
	}
	d.draw([2]int{80, 24}, Rich, lang.EN) // there is but one column
	d.keys("right").at(atDiff)
}

func TestEveryChangeOfAPairIsShown(t *testing.T) {
	d := pairDriver(t)
	for _, w := range []int{60, 80, 100, 132, 210} {
		d.draw([2]int{w, 300}, Rich, lang.EN)
		v := d.app.View()
		for _, it := range pairPlan("").Items {
			if it.Diff.Action == engine.None {
				continue
			}
			for _, h := range it.Diff.Hunks {
				for _, l := range h.Lines {
					if !strings.Contains(v, cut(l.Text, 28, "")) { // what is longer is broken
						t.Errorf("at %d columns %s is not shown whole: %q\n%s", w, it.Target, l.Text, v)
					}
				}
			}
		}
		if n := strings.Count(v, "priority 25"); n != 2 {
			t.Errorf("at %d columns the priority is shown %d times", w, n)
		}
	}
}

// TestBlocksAreAlignedInTheirOrder: what stands in another order on the other machine
// is not torn out of its own.
func TestBlocksAreAlignedInTheirOrder(t *testing.T) {
	bs := func(names string) []block {
		var out []block
		for _, n := range strings.Fields(names) {
			out = append(out, block{of: n, lines: []diffLine{{text: n, item: len(out)}}})
		}
		return out
	}
	for _, c := range []struct{ left, right, want string }{
		{"a b c", "a b c", "aa bb cc"},
		{"a b c", "b", "a- bb c-"},
		{"a", "b", "a- -b"},
		{"", "a b", "-a -b"},
		{"a b c d", "d a b c", "-d aa bb cc d-"},
		{"a x b", "b y a", "a- x- bb -y -a"},
	} {
		var got []string
		for _, r := range setBeside(bs(c.left), bs(c.right)) {
			side := func(s string) string {
				if s == "" {
					return "-"
				}
				return s
			}
			got = append(got, side(r.text[0])+side(r.text[1]))
		}
		for _, b := range []string{c.left, c.right} { // nothing is lost, and the order stays
			var seen []string
			for _, g := range got {
				if s := string(g[len(g)-1]); b == c.right && s != "-" {
					seen = append(seen, s)
				}
				if s := string(g[0]); b == c.left && s != "-" {
					seen = append(seen, s)
				}
			}
			if b != "" && c.left != c.right && strings.Join(seen, " ") != b {
				t.Errorf("%q beside %q: %v", c.left, c.right, got)
			}
		}
		if c.left != "a x b" && strings.Join(got, " ") != c.want {
			t.Errorf("%q beside %q: %v, want %s", c.left, c.right, got, c.want)
		}
	}
}

func TestWhatDiffersIsMarkedAndWhatIsAlikeIsNot(t *testing.T) {
	d := pairDriver(t)
	d.draw([2]int{132, 60}, Rich, lang.EN)
	for _, l := range strings.Split(d.app.View(), "\n") {
		marked := strings.Contains(l, "≠") && !strings.Contains(l, "here the two")
		differs := strings.Contains(l, "priority") || strings.Contains(l, "unicast_")
		if marked != differs {
			t.Errorf("%q", l)
		}
	}
}

// TestLinesOfTwoFilesStandBesideTheirLikes: one has a line more, and all below it is
// still beside its like.
func TestLinesOfTwoFilesStandBesideTheirLikes(t *testing.T) {
	line := func(n int, s string) diffLine { return diffLine{text: fmt.Sprintf("  %2d + %s", n, s)} }
	l := []diffLine{line(1, "a"), line(2, "b"), line(3, "c")}
	r := []diffLine{line(1, "a"), line(2, "new"), line(3, "b"), line(4, "c")}
	got := fmt.Sprint(alignment(l, r, true))
	if got != "[[0 0] [-1 1] [1 2] [2 3]]" {
		t.Error(got)
	}
	if rows := rows(&block{lines: []diffLine{line(1, "  x")}, exact: true}, &block{lines: []diffLine{line(1, " x")}, exact: true}); !rows[0].differs {
		t.Error("in a file a space makes a difference")
	}
}
