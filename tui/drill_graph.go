package tui

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// graph keeps how long answers took over the last graphSpan. It counts time by what it
// is told, not by a clock: while nothing comes, nothing moves.
type graph struct {
	at    time.Duration // of the last answer
	first int           // the number of the first bucket there is
	past  []bucket
}

// bucket is what came in graphGrain: the slowest answer, in ms, and whether one was
// lost.
type bucket struct {
	ms   float64
	some bool
	lost bool
}

const (
	graphSpan  = 20 * time.Second
	graphGrain = 200 * time.Millisecond
	graphMost  = int(graphSpan / graphGrain)
	batch      = 100 * time.Millisecond // what answers come in, where their times say nothing
)

// add takes answers over, in ms each, less than zero for one that was lost; they came
// within the time until at. A clock that starts again goes on from where it was.
func (g *graph) add(over time.Duration, answers []float64) {
	if len(answers) == 0 {
		return
	}
	if over <= 0 || over > graphSpan {
		over = batch
	}
	from := g.at
	for i, ms := range answers {
		g.at = from + over*time.Duration(i+1)/time.Duration(len(answers))
		b := g.bucketAt(g.at - 1)
		b.some = true
		if ms < 0 {
			b.lost = true
		} else if !math.IsNaN(ms) && !math.IsInf(ms, 0) {
			b.ms = max(b.ms, ms)
		}
	}
}

func (g *graph) bucketAt(t time.Duration) *bucket {
	n := int(t / graphGrain)
	for len(g.past) == 0 || g.first+len(g.past) <= n {
		if len(g.past) == 0 {
			g.first = n
		}
		g.past = append(g.past, bucket{})
	}
	if over := len(g.past) - graphMost; over > 0 {
		g.past, g.first = slices.Delete(g.past, 0, over), g.first+over
	}
	return &g.past[n-g.first]
}

// columns are n buckets or fewer, newest last, each of as many as have to share one.
// Which share one does not change as time goes on, so nothing flickers.
func (g *graph) columns(n int) []bucket {
	each := (graphMost + n - 1) / max(n, 1)
	n = graphMost / max(each, 1)
	out := make([]bucket, n)
	if len(g.past) == 0 {
		return out
	}
	last := (g.first + len(g.past) - 1) / each
	for i, b := range g.past {
		if c := n - 1 - (last - (g.first+i)/each); c >= 0 {
			o := &out[c]
			o.ms, o.some, o.lost = max(o.ms, b.ms), o.some || b.some, o.lost || b.lost
		}
	}
	return out
}

// scale is the least of 5, 10, 20, 50, 100, … that is not less than ms.
func scale(ms float64) float64 {
	for top := 5.0; top < 1e9; top *= 10 {
		for _, s := range []float64{top, 2 * top, 4 * top} {
			if s >= ms {
				return s
			}
		}
	}
	return 1e9
}

// graphLines draws the graph h lines high, its title and the line below it included.
func (a *App) graphLines(g *graph, w, h int) []string {
	const axis = 8 // "  1000 ┤"
	rows := h - 2
	if rows < 1 || w < axis+10 {
		return nil
	}
	cols := g.columns(min(w-axis, graphMost))
	most := 0.0
	for _, c := range cols {
		most = max(most, c.ms)
	}
	top := scale(most)
	th := a.theme
	out := []string{th.Dim.Render(cut(a.say("answers in ms, last %d s", "应答用时（ms），最近 %d 秒", int(graphSpan/time.Second)), w, th.Ellipsis))}
	for r := range rows {
		label, line := "", th.AxisSide
		if r == rows-1 {
			label, line = "0", th.AxisFoot
		}
		if r == 0 {
			label, line = fmt.Sprintf("%.0f", top), th.AxisTop
		}
		var b strings.Builder
		bad := false // what is lost is drawn together
		var run strings.Builder
		flush := func() {
			if bad {
				b.WriteString(th.Bad.Render(run.String()))
			} else {
				b.WriteString(run.String())
			}
			run.Reset()
		}
		for _, c := range cols {
			s, lost := a.cell(c, top, rows, rows-1-r)
			if lost != bad {
				flush()
				bad = lost
			}
			run.WriteString(s)
		}
		flush()
		out = append(out, th.Dim.Render(padLeft(label, axis-2)+" "+line)+strings.TrimRight(b.String(), " "))
	}
	from := fmt.Sprintf("-%d s", int(graphSpan/time.Second))
	now := a.say("now", "现在")
	foot := strings.Repeat(" ", axis) + from + strings.Repeat(" ", max(len(cols)-len(from)-width(now), 1)) + now
	return append(out, th.Dim.Render(cut(foot, w, "")))
}

// cell is what stands in a column at a height, 0 at the foot.
func (a *App) cell(c bucket, top float64, rows, at int) (s string, lost bool) {
	bars := a.theme.Bars
	if c.lost && at == 0 {
		return a.theme.Lost, true
	}
	if !c.some || c.lost && c.ms == 0 {
		return " ", false
	}
	steps := len(bars)
	full := max(int(math.Ceil(c.ms/top*float64(rows*steps)-1e-9)), 1) // an answer is always seen
	switch part := full - at*steps; {
	case part <= 0:
		return " ", false
	case part >= steps:
		return bars[steps-1], false
	default:
		return bars[part-1], false
	}
}
