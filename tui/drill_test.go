package tui

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/steptest"
	"goxin/steps/vrrp"
)

func telling(kind string, data any) engine.Event {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	return engine.Event{What: engine.Telling, Step: "kernel", Kind: kind, Data: b}
}

var drillPredictions = map[vrrp.Fault]time.Duration{
	vrrp.FaultSwitchover: 15 * time.Millisecond, vrrp.FaultNginxStopped: 25 * time.Millisecond, vrrp.FaultNginxKilled: 25 * time.Millisecond, vrrp.FaultNginxHangs: 3100 * time.Millisecond,
	vrrp.FaultKeepalivedStopped: 20 * time.Millisecond, vrrp.FaultKeepalivedKilled: 610 * time.Millisecond, vrrp.FaultDisk: 10 * time.Millisecond, vrrp.FaultSplit: 210 * time.Millisecond, vrrp.FaultLink: 610 * time.Millisecond,
}

// drillSamples are a drill that has come to its fourth fault, which hangs: ten samples
// a second, of ten answers each, a second of each fault; the second fault is one that
// did worse than it should.
func drillSamples() []drill.Sample {
	faults := drill.Usual()
	var out []drill.Sample
	owners := []string{"a1", "a2", "a1", "a2"}
	rows := []drill.Row{
		{Lost: 0, Gap: 11 * time.Millisecond, OK: true},
		{Lost: 31, Gap: 318 * time.Millisecond, Why: lang.T("the gap is 12 times what was predicted", "中断时间是预测的 12 倍")},
		{Lost: 4, Gap: 42 * time.Millisecond, OK: true},
	}
	for n, f := range faults[:4] {
		for i := range 60 {
			s := drill.Sample{Fault: f, N: n + 1, Of: len(faults), Phase: drill.Broken, At: time.Duration(i+1) * 100 * time.Millisecond, Asked: 10 * (i + 1), Owner: owners[n]}
			if len(out) == 0 {
				s.Faults, s.Predicted, s.From = faults, drillPredictions, "a3"
			}
			for k := range 10 {
				ms := 0.8 + 0.1*float64(k%3)
				switch {
				case n == 1 && i >= 20 && i < 24, n == 3 && i >= 30:
					ms, s.Lost = -1, s.Lost+1
				case n == 2 && i == 10:
					ms = 41
				}
				s.LatencyMS = append(s.LatencyMS, ms)
			}
			out = append(out, s)
		}
		if n < len(rows) {
			r := rows[n]
			r.Fault, r.Title, r.Asked, r.Predicted, r.Owners = f, drill.Title(f), 600, drillPredictions[f], []string{owners[n], owners[n+1]}
			out = append(out, drill.Sample{Fault: f, N: n + 1, Of: len(faults), At: 6 * time.Second, Owner: owners[n+1], Done: &r})
		}
	}
	return out
}

var tryDrill = engine.Event{What: engine.Proving, Text: lang.T("the drill", "演练")}

// drilling is a pair's wizard in the middle of a drill.
func drilling(t testing.TB, samples ...drill.Sample) *driver {
	d := pairDriver(t)
	d.app.outcome.plan = pairPlan("kernel")
	p := &writePage{App: d.app}
	d.app.place, d.app.page = place{atWrite, 0}, p
	d.app.epoch++
	p.Enter()
	for _, ev := range whole(engine.Done) {
		p.Update(ev)
	}
	d.clock = d.clock.Add(24 * time.Second)
	p.Update(tryDrill)
	for _, s := range samples {
		p.Update(telling(tellsDrill, s))
	}
	return d
}

func drillScreens(t *testing.T) map[string]*driver {
	over := drilling(t, drillSamples()...)
	over.app.page.Update(engine.Event{What: engine.Proved, Text: lang.T("the drill: 3 faults", "演练：3 项故障")})
	_, cmd := over.app.page.Update(applied{})
	over.run(cmd)
	over.app.navigate(next)
	journal := trying(t, whole(engine.Doing)[0])
	for i := range 30 {
		journal.app.page.Update(telling(tellsJournal, fmt.Sprintf("orders[2%d]: listening\x1b[31m on :8080", i)))
	}
	two := drillSamples()[:70]
	two[69].Owner = "a1+a2"
	return map[string]*driver{
		"drill":         drilling(t, drillSamples()...),
		"drill-begins":  drilling(t, drillSamples()[0]),
		"drill-both":    drilling(t, two...),
		"drill-stop":    drilling(t, drillSamples()...).keys(" "),
		"drill-result":  over,
		"write-journal": journal,
	}
}

func TestDrillScreens(t *testing.T) {
	for name, d := range drillScreens(t) {
		t.Run(name, func(t *testing.T) { pairGolden(t, name, d, [][2]int{{80, 24}, {40, 12}, {132, 43}}) })
	}
}

func pairGolden(t *testing.T, name string, d *driver, sizes [][2]int) {
	t.Helper()
	var b strings.Builder
	for _, size := range sizes {
		for _, tier := range []string{"rich", "vt", "plain"} {
			for _, l := range langs {
				if tier == "vt" && l == lang.ZH {
					continue
				}
				v := d.draw(size, map[string]Tier{"rich": Rich, "vt": VT, "plain": Plain}[tier], l)
				fmt.Fprintf(&b, "== %dx%d %s %s\n%s\n", size[0], size[1], tier, l, v)
				checkScreen(t, fmt.Sprintf("%s %dx%d %s %s", name, size[0], size[1], tier, l), v, size, tier, l)
			}
		}
	}
	steptest.GoldenFile(t, filepath.Join("..", "testdata", "screens", name+".txt"), b.String())
}

// TestNoPairScreenOverflowsAtAnySize sweeps sizes that have no golden.
func TestNoPairScreenOverflowsAtAnySize(t *testing.T) {
	all := drillScreens(t)
	for name, d := range pairScreens(t) {
		all[name] = d
	}
	for name, d := range all {
		for _, size := range [][2]int{{41, 13}, {47, 17}, {59, 14}, {79, 23}, {81, 12}, {99, 31}, {101, 12}, {109, 24}, {111, 40}, {119, 18}, {159, 50}, {160, 24}, {200, 60}, {3, 3}} {
			for tier, tt := range tiers {
				for _, l := range langs {
					checkScreen(t, fmt.Sprintf("%s %dx%d %s %s", name, size[0], size[1], tier, l), d.draw(size, tt, l), size, tier, l)
				}
			}
		}
	}
}

// TestADrillTakesFewBytesOfASerialLine plays a minute of a drill, the clock and half a
// minute of lost answers included, to a vt100.
func TestADrillTakesFewBytesOfASerialLine(t *testing.T) {
	d := drilling(t, drillSamples()[0])
	d.draw([2]int{80, 24}, Plain, lang.EN)
	x := newWire(Plain, 80, 24)
	x.frame(d.app.View())
	sent, frames := 0, 0
	before := d.app.View()
	for i, s := range drillSamples()[1:] {
		d.app.page.Update(telling(tellsDrill, s))
		if i%10 == 9 {
			d.clock = d.clock.Add(time.Second)
			d.app.page.Update(tick{})
		} else if v := d.app.View(); v != before {
			t.Fatalf("something moves between two seconds:\n%s\n%s", before, v)
		}
		if v := d.app.View(); v != before {
			sent += x.frame(v)
			before = v
			frames++
		}
	}
	if err := x.same(); err != nil {
		t.Fatal(err)
	}
	seconds := len(drillSamples()) / 10
	t.Logf("%d bytes in %d seconds, %d frames", sent, seconds, frames)
	if sent/seconds > 240 { // a quarter of what 9600 baud carry
		t.Errorf("%d bytes a second", sent/seconds)
	}
}

func TestNothingMovesWhileNothingIsTold(t *testing.T) {
	d := drilling(t, drillSamples()...)
	body := func() string {
		_, rest, _ := strings.Cut(d.draw([2]int{80, 24}, Rich, lang.EN), "\n")
		rows := strings.Split(rest, "\n")
		return strings.Join(rows[2:], "\n") // below the clock
	}
	before := body()
	for range 30 {
		d.clock = d.clock.Add(time.Second)
		d.app.page.Update(tick{})
	}
	if after := body(); after != before {
		t.Errorf("it moved:\n%s\n--\n%s", before, after)
	}
}

func TestStoppingADrillCancelsTheProof(t *testing.T) {
	d := drilling(t, drillSamples()...)
	stopped := false
	d.app.page.(*writePage).cancel = func() { stopped = true }
	d.keys(" ").sees("Stop the drill?", "put back at once")
	if stopped {
		t.Fatal("stopped by the key alone")
	}
	d.keys("enter").sees("stopping, everything is put back")
	if !stopped {
		t.Fatal("the proof goes on")
	}
}

func TestTwoOwnersAreSeenInTheHeader(t *testing.T) {
	ss := drillSamples()[:70]
	ss[69].Owner = "a1+a2"
	drilling(t, ss...).sees("a1 and a2 own the address at once")
	drilling(t, drillSamples()...).sees("pair a1 + a2", "a2 owns the address")
}

func TestWhatADrillHasShownStandsOnTheResult(t *testing.T) {
	d := drillScreens(t)["drill-result"].at(atResult)
	d.draw([2]int{80, 40}, Rich, lang.EN)
	d.sees("longest gap", "318 ms", "12 times", "– keepalived stopped", "not reached")
}

func TestTheLineTierSaysEachFaultOnce(t *testing.T) {
	var evs []engine.Event
	for _, s := range drillSamples() {
		evs = append(evs, telling(tellsDrill, s))
	}
	f := &fakeSession{plan: pairPlan, told: append(evs, telling(tellsJournal, "orders: ready"))}
	lines := func() *strings.Reader { return strings.NewReader(script("", "", "", "w", "yes", "", "")) }
	k := lineTalk(t, f, lang.EN, lines(), pairedLines)
	k.has(t, "as predicted: switch over, planned: 0 of 600 requests lost,", "not as predicted: nginx stopped: 31 of 600 requests lost", "the gap is 12 times")
	if n := strings.Count(k.out, "switch over, planned"); n != 2 { // and on the result
		t.Errorf("a fault is told %d times:\n%s", n, k.out)
	}
	lineTalk(t, f, lang.ZH, lines(), pairedLines).has(t, "符合预测：计划内切换：600 次请求丢失 0 次")
}

// TestHostileSamplesDoNoHarm: what a proof tells may come from another machine.
func TestHostileSamplesDoNoHarm(t *testing.T) {
	for name, data := range map[string]string{
		"not an object":     `[1,2]`,
		"no number":         `{"fault":"link-cut","n":0,"of":-3}`,
		"a number too high": `{"fault":"link-cut","n":1000000000,"of":9}`,
		"many faults":       `{"fault":"x","n":1,"faults":["` + strings.Repeat(`x","`, 5000) + `x"]}`,
		"escape sequences":  `{"fault":"\u001b[2J","n":1,"of":1,"owner":"\u001b]0;x\u0007","from":"\u001b[31m","faults":["\u001b[2J"]}`,
		"time runs back":    `{"fault":"link-cut","n":2,"of":2,"at":-9223372036854775808,"latency_ms":[1,2,3]}`,
		"time leaps":        `{"fault":"link-cut","n":2,"of":2,"at":9223372036854775807,"latency_ms":[1e300,-1e300,0]}`,
		"a row of another":  `{"fault":"link-cut","n":2,"of":2,"done":{"fault":"\u001b[1m","gap":-5,"owners":["\u001b[2J"],"why":{"en":"\u001b[2J","zh":""}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			d := drilling(t, drillSamples()[:100]...)
			for range 3 {
				d.app.page.Update(engine.Event{What: engine.Telling, Kind: tellsDrill, Data: json.RawMessage(data)})
				d.app.page.Update(engine.Event{What: engine.Telling, Kind: tellsJournal, Data: json.RawMessage(data)})
				d.app.note(engine.Event{What: engine.Telling, Kind: tellsDrill, Data: json.RawMessage(data)})
			}
			for tier, tt := range tiers {
				checkScreen(t, name, d.draw([2]int{80, 24}, tt, lang.EN), [2]int{80, 24}, tier, lang.EN)
			}
		})
	}
}

func FuzzSamples(f *testing.F) {
	for _, s := range drillSamples()[:3] {
		f.Add([]byte(telling(tellsDrill, s).Data))
	}
	a := newApp(f.Context(), Config{})
	f.Fuzz(func(t *testing.T, data []byte) {
		s, ok := sampleOf(engine.Event{What: engine.Telling, Kind: tellsDrill, Data: data})
		if !ok {
			return
		}
		v := &drillView{}
		for range 3 {
			v.hear(s)
		}
		for _, tt := range tiers {
			a.theme = newTheme(tt)
			for _, l := range a.drillBody(v, 78, 19) {
				if w := ansi.StringWidth(cut(l, 78, "")); w > 78 || strings.ContainsAny(ansi.Strip(l), "\x1b\n\r\x00") {
					t.Errorf("%q", l)
				}
			}
		}
	})
}

func TestTheGraphKeepsTwentySecondsAndEveryLoss(t *testing.T) {
	var g graph
	for i := range 400 { // 40 s
		ms := 1.0
		if i == 350 {
			ms = -1
		}
		g.add(100*time.Millisecond, []float64{ms, math.NaN(), math.Inf(1)})
	}
	if len(g.past) != graphMost {
		t.Fatalf("%d buckets", len(g.past))
	}
	for _, n := range []int{1, 7, 33, 50, 100, 500} {
		cols := g.columns(n)
		if len(cols) > n || len(cols) == 0 {
			t.Fatalf("%d columns for %d", len(cols), n)
		}
		lost := 0
		for _, c := range cols {
			if c.lost {
				lost++
			}
		}
		if lost != 1 {
			t.Errorf("in %d columns %d have a loss", n, lost)
		}
	}
}

func TestTheScaleIsRound(t *testing.T) {
	for ms, want := range map[float64]float64{0: 5, 0.3: 5, 5: 5, 5.1: 10, 11: 20, 21: 50, 41: 50, 51: 100, 249: 500, 1e300: 1e9} {
		if got := scale(ms); got != want && ms < 1e9 {
			t.Errorf("scale(%v) = %v, want %v", ms, got, want)
		}
	}
}

// TestADrillOnOldTerminals: a pair's diff, a drill that is stopped, and its result, as
// a console and a vt100 show them.
func TestADrillOnOldTerminals(t *testing.T) {
	for _, tc := range []struct {
		term  string
		kinds []string
	}{{"linux", []string{"linux"}}, {"vt100", []string{"vt100", "vt220", "linux"}}} {
		t.Run(tc.term, func(t *testing.T) {
			t.Parallel()
			x := wizard(t, 80, 24, "TERM="+tc.term, "FAKE_PAIR=20")
			x.sees("pair a1 + a2").types("\r").sees("What is this machine for?").types("\r\r").sees("written after").types("G").sees("= 1 more")
			x.types("w").sees("to a1 and a2?")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").sees("answers in ms").sees("318 ms").types(" ").sees("Stop the drill?")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r").sees("not reached")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\x06").sees("link cut").types("q").sees("Leave goxin?")
			time.Sleep(grace + 50*time.Millisecond)
			x.types("\r")
			x.exits()
			s := x.replay(80, 24, tc.kinds...)
			if got, want := trimmed(s.String()), trimmed(x.screen()); got != want {
				t.Errorf("the emulations disagree:\n%s\nand\n%s", got, want)
			}
		})
	}
}

// TestAFeedThatNobodyFetchesKeepsWhatBecameOfFaults: a terminal that was stopped for
// the whole of a drill shows its table when it is let go on.
func TestAFeedThatNobodyFetchesKeepsWhatBecameOfFaults(t *testing.T) {
	f := newFeed()
	f.notify(tryDrill)
	for range 100 {
		for _, s := range drillSamples() {
			f.notify(telling(tellsDrill, s))
		}
		f.notify(telling(tellsJournal, "orders: ready"))
	}
	evs := f.take()
	done := 0
	for _, ev := range evs {
		if s, ok := sampleOf(ev); ok && s.Done != nil {
			done++
		}
	}
	if len(evs) > feedMost || evs[0].What != engine.Proving || done != 300 {
		t.Errorf("%d events wait, %d of 300 outcomes among them", len(evs), done)
	}
}

func TestAJournalIsShownOnceASecondOnAWire(t *testing.T) {
	d := drilling(t)
	d.draw([2]int{80, 24}, Plain, lang.EN)
	ev := telling(tellsJournal, "orders: ready")
	ev.On = peerID
	d.app.page.Update(ev)
	if strings.Contains(d.app.View(), "orders: ready") {
		t.Fatal("shown at once")
	}
	d.app.page.Update(tick{})
	d.sees("a2: orders: ready")
	for range 1000 {
		d.app.page.Update(telling(tellsJournal, strings.Repeat("long ", 5000)))
	}
	d.app.page.Update(tick{})
	if n := len(d.app.page.(*writePage).journal.lines); n != mostJournal {
		t.Errorf("%d lines are kept", n)
	}
	checkScreen(t, "journal", d.app.View(), [2]int{80, 24}, "plain", lang.EN)
}
