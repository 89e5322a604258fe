package race

import (
	"cmp"
	"slices"
	"time"
)

// results are copies, best first. A final one says of everyone why they lost.
func (r *race) results(final bool) []Result {
	order := r.order(final)
	out := make([]Result, len(order))
	for i, n := range order {
		out[i] = n.res
	}
	return out
}

// order puts copies of the runners in their order and works out who is behind.
func (r *race) order(final bool) []*runner {
	r.mu.Lock()
	out := make([]*runner, len(r.runners))
	for i, n := range r.runners {
		c := *n
		c.of, c.res.Serves = n, slices.Clone(n.res.Serves)
		out[i] = &c
	}
	r.mu.Unlock()
	suits(out)
	newest := newest(out, r.m.Now())
	for _, n := range out {
		if !n.res.Published.IsZero() && !newest.IsZero() {
			n.res.Behind = max(0, newest.Sub(n.res.Published))
		}
		if n.res.Usable && n.res.Why == "" && n.res.Behind > Fresh {
			n.res.Why = Stale
		}
	}
	slices.SortStableFunc(out, func(a, b *runner) int { return better(a.res, b.res) })
	if !final {
		return out
	}
	for i, n := range out {
		if i == 0 || !n.res.Usable || n.res.Why != "" {
			continue
		}
		n.res.Why = Slow
		if n.res.Rate == 0 {
			n.res.Why = NotDone
		}
	}
	return out
}

// better compares by usable, fresh, throughput, latency.
func better(a, b Result) int {
	rank := func(r Result) int {
		switch {
		case r.Usable && r.Why == "":
			return 0
		case r.Usable:
			return 1
		case r.Why == "":
			return 2 // still running
		}
		return 3
	}
	stale := func(r Result) time.Duration {
		if r.Why == Stale {
			return r.Behind
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(rank(a), rank(b)),
		cmp.Compare(stale(a), stale(b)),
		-cmp.Compare(a.Rate, b.Rate),
		cmp.Compare(a.FirstByte, b.FirstByte))
}

// newest is the newest index seen: of those with a good signature if there is one,
// since anyone can write a date. What is from the future is nobody's.
func newest(all []*runner, now time.Time) (out time.Time) {
	for _, signed := range []bool{true, false} {
		for _, n := range all {
			t := n.res.Published
			if n.res.Usable && (!signed || n.res.Signed != "") && t.After(out) && !t.After(now.Add(time.Hour)) {
				out = t
			}
		}
		if !out.IsZero() {
			break
		}
	}
	return out
}

// suits takes those out whose Release file has another name than the suite asked for,
// if somebody's has it: vendors name suites as they like, so that only a difference
// between mirrors means something.
func suits(all []*runner) {
	best := 0
	for _, n := range all {
		if n.sound && n.idx != nil && n.target.Format == "deb" {
			best = max(best, n.idx.fits(n.target.Suite))
		}
	}
	for _, n := range all {
		if n.sound && n.idx != nil && n.target.Format == "deb" && n.idx.fits(n.target.Suite) < best {
			n.res.Usable, n.res.Why = false, NoRelease
		}
	}
}
