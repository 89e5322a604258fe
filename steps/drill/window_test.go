package drill

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"goxin/steps/wire"
)

// asked is a batch of questions one every 10 ms, which took so many milliseconds each;
// -1 is lost.
func asked(from int64, took ...int64) wire.Batch {
	var b wire.Batch
	for i, ms := range took {
		b.At = append(b.At, from+int64(i)*10_000)
		if ms >= 0 {
			ms *= 1000
		}
		b.Took = append(b.Took, ms)
	}
	return b
}

func TestAGapIsBetweenTwoCompleteAnswers(t *testing.T) {
	for _, c := range []struct {
		name string
		b    []wire.Batch
		set  int64
		want time.Duration
	}{
		{"all answered", []wire.Batch{asked(0, 1, 1, 1, 1)}, 0, 10 * time.Millisecond},
		{"two lost", []wire.Batch{asked(0, 1, -1, -1, 1)}, 0, 30 * time.Millisecond},
		{"a slow one is a gap too", []wire.Batch{asked(0, 1, 40, 30, 20)}, 0, 49 * time.Millisecond},
		{"what was lost before the fault is not its", []wire.Batch{asked(0, 1, -1, -1, 1, 1, 1)}, 40_000, 10 * time.Millisecond},
		{"from the last answer before the fault", []wire.Batch{asked(0, 1, 1, -1, 1)}, 20_000, 20 * time.Millisecond},
		{"it never comes back", []wire.Batch{asked(0, 1, -1, -1, -1, -1)}, 10_000, 39 * time.Millisecond},
		{"nothing was ever answered", []wire.Batch{asked(0, -1, -1, -1)}, 0, 20 * time.Millisecond},
		{"the asker slept", []wire.Batch{asked(0, 1, 1), asked(110_000, 1, 1)}, 0, 10 * time.Millisecond},
		{"the asker slept in an outage", []wire.Batch{asked(0, 1, -1), asked(110_000, -1, 1)}, 0, 30 * time.Millisecond},
	} {
		w := newWindow(10*time.Millisecond, nil, "", true)
		w.set = c.set
		for _, b := range c.b {
			w.add(b)
		}
		if got := w.gap(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestAGapIsNeverNegativeNorLongerThanTheWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		w := newWindow(10*time.Millisecond, nil, "", true)
		at := int64(0)
		for range r.IntN(6) {
			var took []int64
			for range r.IntN(20) {
				took = append(took, r.Int64N(250)-50)
			}
			for i := range took {
				took[i] = max(took[i], -1)
			}
			w.add(asked(at, took...))
			at += int64(len(took))*10_000 + r.Int64N(50_000)
		}
		w.set = r.Int64N(at + 1)
		if g := w.gap(); g < 0 || g > time.Duration(at)*time.Microsecond+time.Second {
			t.Fatalf("%s of %d µs", g, at)
		}
		w.plot()
		w.seen()
		w.calm(w.set, time.Second)
	}
}

func TestOwnersAreNamedAndABlinkIsNone(t *testing.T) {
	w := newWindow(10*time.Millisecond, map[string]string{"0a": "a1", "0b": "a2"}, "a2", true)
	w.set = 0
	for _, o := range []wire.Owners{
		{At: 0, MACs: []string{"0a"}},
		{At: 100_000, MACs: []string{"0a", "0b"}}, // one late answer
		{At: 110_000, MACs: []string{"0a"}},
		{At: 200_000},
		{At: 300_000, MACs: []string{"0a"}, Local: true},
		{At: 500_000, Local: true},
		{At: 600_000, MACs: []string{"ff"}}, // a stranger
	} {
		w.add(wire.Batch{Owners: []wire.Owners{o}})
	}
	w.add(asked(690_000, 1))
	who, both := w.seen()
	if got := strings.Join(who, " "); got != "a1 a1+a2 a2 ff" || both != 200*time.Millisecond {
		t.Errorf("%s, both for %s", got, both)
	}
}

func TestWhereARPCannotBeAskedTheAnswersSayWhoGaveThem(t *testing.T) {
	w := newWindow(10*time.Millisecond, nil, "", false)
	w.set = 0
	b := asked(0, 1, 1, -1, 1, 1)
	b.Nodes, b.Runs = []string{"a1", "", "a2"}, []int{2, 1, 2}
	w.add(b)
	if who, _ := w.seen(); strings.Join(who, " ") != "a1 a2" {
		t.Error(who)
	}
}

func TestAPlotShowsTheWorstOfEachColumn(t *testing.T) {
	w := newWindow(10*time.Millisecond, nil, "", true)
	w.set, w.back = 40_000, 80_000
	w.add(asked(0, 1, 2, 20, 1, -1, 1, 100, 1))
	w.add(asked(120_000, 1))
	p := w.plot()
	if got, _ := json.Marshal(p.Worst); string(got) != "[2,20,-1,100,-2,-2,1]" {
		t.Errorf("%s", got)
	}
	answers, marks := p.Strip(80)
	if answers != ".:x|  ." || marks != "  v ^" {
		t.Errorf("%q\n%q", answers, marks)
	}
	if answers, _ := p.Strip(3); answers != "x|." {
		t.Errorf("%q", answers)
	}
	for _, empty := range []Plot{{}, {Worst: []float64{1}}, {Every: 1}} {
		if a, m := empty.Strip(10); a != "" || m != "" {
			t.Errorf("%q %q", a, m)
		}
	}
}
