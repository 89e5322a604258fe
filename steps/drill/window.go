package drill

import (
	"slices"
	"strings"
	"time"

	"goxin/steps/wire"
)

// window is all that an asker told of one fault. Its times are the asker's own, in
// microseconds.
type window struct {
	every  int64             // between two questions
	names  map[string]string // MAC → node
	self   string            // the node that asks; "": neither
	arp    bool              // owners come from ARP, else from what the answers say
	at     []int64
	took   []int64 // -1: lost
	owners []span
	set    int64 // when the fault was set; -1: not yet
	back   int64 // when it was taken back; -1: not yet
	asked  int   // since it was set
	lost   int
	why    map[string]int
	late   int64 // since it was set
	newest int64 // the latest that is known of
}

// span is who owned the address from a time on: "a1", "a1+a2", "".
type span struct {
	from int64
	who  string
	n    int
}

func newWindow(every time.Duration, names map[string]string, self string, arp bool) *window {
	return &window{every: every.Microseconds(), names: names, self: self, arp: arp, set: -1, back: -1, why: map[string]int{}}
}

func (w *window) add(b wire.Batch) {
	for i, at := range b.At {
		took := b.Took[i]
		w.at, w.took = append(w.at, at), append(w.took, took)
		w.newest = max(w.newest, at+max(took, 0))
		if w.set < 0 || at < w.set {
			continue
		}
		w.asked++
		if took < 0 {
			w.lost++
		}
	}
	if w.set >= 0 {
		for why, n := range b.Lost {
			w.why[why] += n
		}
		w.late = max(w.late, b.Late)
	}
	if w.arp {
		for _, o := range b.Owners {
			w.newest = max(w.newest, o.At)
			w.own(o.At, w.called(o), o.Count())
		}
		return
	}
	i := 0
	for k, node := range b.Nodes {
		if n := b.Runs[k]; node != "" && i < len(b.At) {
			w.own(b.At[i], node, 1)
			i += n
		} else {
			i += n
		}
	}
}

// called are the names of those who answer ARP.
func (w *window) called(o wire.Owners) string {
	var all []string
	if o.Local {
		all = append(all, w.self)
	}
	for _, mac := range o.MACs {
		name, known := w.names[mac]
		if !known {
			name = mac
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), "+")
}

func (w *window) own(at int64, who string, n int) {
	if k := len(w.owners); k > 0 && w.owners[k-1].who == who {
		return
	}
	w.owners = append(w.owners, span{at, who, n})
}

// owner is who has it now.
func (w *window) owner() span {
	if len(w.owners) == 0 {
		return span{}
	}
	return w.owners[len(w.owners)-1]
}

// calm says whether for that long, and since the time from, every question was answered
// and one alone owned the address.
func (w *window) calm(from int64, d time.Duration) bool {
	since := w.calmSince(from)
	return since >= 0 && w.newest-since >= d.Microseconds()
}

// calmSince is when the last disturbance after from ended; -1: it has not.
func (w *window) calmSince(from int64) int64 {
	since := from
	for i := len(w.at) - 1; i >= 0 && w.at[i] >= from; i-- {
		if w.took[i] < 0 {
			since = w.at[i] + w.every
			break
		}
	}
	if o := w.owner(); len(w.owners) > 0 {
		if o.n != 1 {
			return -1
		}
		if k := len(w.owners); k > 1 && w.owners[k-2].n != 1 {
			since = max(since, o.from)
		}
	}
	if len(w.at) == 0 || w.at[len(w.at)-1] < since {
		return -1
	}
	return since
}

// mark is now, as far as the asker has told.
func (w *window) mark() int64 {
	if len(w.at) == 0 {
		return 0
	}
	return w.at[len(w.at)-1]
}

// gap is the longest time between two complete answers since the fault was set. What
// stays without an answer counts until the last that was asked. A time in which the asker
// itself was late, and nobody asked, does not count: nothing is known of it.
func (w *window) gap() time.Duration {
	var done []int64
	before := int64(-1) // the last answer that was complete before the fault
	for i, took := range w.took {
		if took < 0 {
			continue
		}
		if t := w.at[i] + took; t < w.set {
			before = max(before, t)
		} else {
			done = append(done, t)
		}
	}
	slices.Sort(done)
	if before >= 0 {
		done = slices.Insert(done, 0, before)
	}
	if len(done) == 0 {
		return time.Duration(max(0, w.newest-w.set)) * time.Microsecond
	}
	done = append(done, max(w.mark(), done[len(done)-1]))
	longest, next := int64(0), 1
	for i := 1; i < len(done); i++ {
		d := done[i] - done[i-1]
		for ; next < len(w.at) && w.at[next] <= done[i-1]; next++ {
		}
		for k := next; k < len(w.at) && w.at[k-1] < done[i]; k++ {
			from, to := max(w.at[k-1]+w.every, done[i-1]), min(w.at[k], done[i])
			d -= max(0, to-from)
		}
		longest = max(longest, d)
	}
	return time.Duration(longest) * time.Microsecond
}

// least is how long two must answer ARP before that is more than one answer that was late.
const least = 3 * wire.ArpEvery

// seen are the owners one after the other since the fault was set, and how long there
// were two.
func (w *window) seen() (who []string, both time.Duration) {
	for i, o := range w.owners {
		end := w.newest
		if i+1 < len(w.owners) {
			end = w.owners[i+1].from
		}
		if end <= w.set {
			continue
		}
		d := time.Duration(end-max(o.from, w.set)) * time.Microsecond
		if o.n > 1 {
			if d < least {
				continue
			}
			both += d
		}
		if o.who != "" && (len(who) == 0 || who[len(who)-1] != o.who) {
			who = append(who, o.who)
		}
	}
	return who, both
}

// plotEvery is a column of a plot.
const plotEvery = 20 * time.Millisecond

// What a column of a plot has instead of milliseconds.
const (
	PlotLost  = -1
	PlotEmpty = -2
)

// plot is all of it, the worst of each column.
func (w *window) plot() Plot {
	step := max(plotEvery.Microseconds(), w.every)
	p := Plot{
		Every: time.Duration(step) * time.Microsecond,
		Set:   time.Duration(w.set) * time.Microsecond, Back: time.Duration(w.back) * time.Microsecond, Worst: []float64{},
	}
	for i, at := range w.at {
		for int64(len(p.Worst)) <= at/step {
			p.Worst = append(p.Worst, PlotEmpty)
		}
		col := &p.Worst[at/step]
		switch {
		case w.took[i] < 0:
			*col = PlotLost
		case *col != PlotLost:
			*col = max(*col, milliseconds(w.took[i]))
		}
	}
	return p
}

func milliseconds(us int64) float64 { return float64(us/10) / 100 }
