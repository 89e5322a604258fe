package tui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/steps/engine"
)

// percentile reports how long nearly all of the times were, in milliseconds.
func percentile(b *testing.B, times []time.Duration, name string) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, name)
}

// BenchmarkSerialLine presses keys on a line of 9600 baud and waits until the last
// byte of what they change is there. The goal is 300 ms, for 95 of 100 keys.
func BenchmarkSerialLine(b *testing.B) {
	x := wizard(b, 80, 24, "TERM=vt100")
	x.sees("This machine").types("\r").sees("What is this machine for?")
	x.baud.Store(9600)
	press := func(key, text string) time.Duration {
		begun := time.Now()
		x.types(key).sees(text)
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.last.Sub(begun)
	}
	var moves, opens []time.Duration
	for b.Loop() {
		moves = append(moves, press("\x1b[B", "Also ports and backlogs"), press("\x1b[B", "write-back."), press("\x1b[A", "busy server."), press("\x1b[A", "three values."))
		opens = append(opens, press("\t", "[shift+tab] previous"), press("\x1b[Z", "[up/down] choose"))
	}
	percentile(b, moves, "ms/key-p95")
	percentile(b, opens, "ms/question-p95")
}

// BenchmarkKeyToRepaint is from a key to the last byte of the screen it changes, of the
// wizard in a process of its own: 200x60, with a diff of 10,000 lines. The goal is
// 16 ms, for 95 of 100 keys.
func BenchmarkKeyToRepaint(b *testing.B) {
	x := wizard(b, 200, 60, "FAKE_BIG=5000")
	x.sees("This machine").types("\r").sees("What is this machine for?").types("\r\r").sees("nothing written yet")
	var times []time.Duration
	for b.Loop() {
		for _, key := range []string{"\x1b[6~", "\x1b[B", "\x1b[B", "\x1b[A", "\x1b[5~", "\x1b[B"} {
			before := len(x.bytes())
			begun := time.Now()
			x.types(key)
			for size := 0; size != len(x.bytes()) || size == before; time.Sleep(25 * time.Millisecond) {
				if size = len(x.bytes()); time.Since(begun) > 20*time.Second {
					b.Fatalf("%q changed nothing on\n%s", key, x.screen())
				}
			}
			x.mu.Lock()
			times = append(times, x.last.Sub(begun))
			x.mu.Unlock()
		}
	}
	percentile(b, times, "ms/key-p95")
}

// BenchmarkLongDiff moves through a diff of 10,000 lines at 200x60: Update and
// View of one key. The goal is 16 ms, for 95 of 100 keys.
func BenchmarkLongDiff(b *testing.B) {
	lines := make([]engine.Line, 10000)
	for i := range lines {
		lines[i] = ln([]engine.Action{engine.None, engine.Create, engine.Delete}[i%3], i+1, i+1, fmt.Sprintf("net.ipv4.parameter.number.%d = %d\t# 说明", i, i*7919))
	}
	for _, tier := range []Tier{Rich, Plain} {
		b.Run([]string{Rich: "rich", Plain: "plain"}[tier], func(b *testing.B) {
			d := drive(b, &fakeSession{plan: func(step string) *engine.StepPlan {
				p := fakePlan(step)
				p.Items[0].Diff.Hunks = []engine.Hunk{{Lines: lines}}
				return p
			}}).toDiff()
			d.draw([2]int{200, 60}, tier, "en")
			x := newWire(Plain, 200, 60)
			keys := []tea.KeyMsg{keyMsg("pgdown"), keyMsg("down"), keyMsg("down"), keyMsg("up"), keyMsg("pgup"), keyMsg("down")}
			var times []time.Duration
			for b.Loop() {
				for _, k := range keys {
					begun := time.Now()
					d.app.Update(k)
					v := d.app.View()
					if tier == Plain {
						x.frame(v)
					}
					times = append(times, time.Since(begun))
				}
			}
			percentile(b, times, "ms/key-p95")
		})
	}
}

// BenchmarkLongPair is BenchmarkLongDiff with two machines beside each other, whose
// files differ in every hundredth line. What it takes to draw them at first is
// reported beside it.
func BenchmarkLongPair(b *testing.B) {
	file := func(on string) []engine.Line {
		lines := make([]engine.Line, 10000)
		for i := range lines {
			lines[i] = ln([]engine.Action{engine.None, engine.Create, engine.Delete}[i%3], i+1, i+1, fmt.Sprintf("net.ipv4.parameter.number.%d = %d\t# 说明", i, i*7919))
			if i%100 == 0 {
				lines[i].Text += " " + on
			}
		}
		return lines
	}
	for _, tier := range []Tier{Rich, Plain} {
		b.Run([]string{Rich: "rich", Plain: "plain"}[tier], func(b *testing.B) {
			d := drive(b, &fakeSession{plan: func(step string) *engine.StepPlan {
				p := pairPlan(step)
				for i := range p.Items {
					if p.Items[i].Target == "/etc/keepalived/keepalived.conf" {
						p.Items[i].Diff.Hunks = []engine.Hunk{{Lines: file(string(p.Items[i].On))}}
					}
				}
				return p
			}}, asPair).toDiff()
			d.draw([2]int{200, 60}, tier, "en")
			d.app.page.(*diffPage).kept = drawn{}
			begun := time.Now()
			d.app.View()
			first := time.Since(begun)
			x := newWire(Plain, 200, 60)
			keys := []tea.KeyMsg{keyMsg("pgdown"), keyMsg("down"), keyMsg("right"), keyMsg("up"), keyMsg("pgup"), keyMsg("down")}
			var times []time.Duration
			for b.Loop() {
				for _, k := range keys {
					begun := time.Now()
					d.app.Update(k)
					v := d.app.View()
					if tier == Plain {
						x.frame(v)
					}
					times = append(times, time.Since(begun))
				}
			}
			percentile(b, times, "ms/key-p95")
			b.ReportMetric(float64(first.Microseconds())/1000, "ms/first")
		})
	}
}
