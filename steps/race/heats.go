package race

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"goxin/steps/verify"
)

// sound are the runners whose index is in order, the most trustworthy and newest
// first.
func (r *race) sound() []*runner {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*runner
	for _, n := range r.runners {
		if n.sound {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b *runner) int {
		return cmp.Or(
			-cmp.Compare(min(1, len(a.res.Signed)), min(1, len(b.res.Signed))),
			-a.res.Published.Compare(b.res.Published),
			cmp.Compare(a.res.FirstByte, b.res.FirstByte))
	})
	return out
}

// find picks the package to measure with: from the list of the first who has one that
// somebody else lists too, else of the first at all.
func (r *race) find(ctx context.Context) {
	sound := r.sound()
	var best pkg
	for _, n := range sound {
		p := n.found.best
		if p.path == "" {
			continue
		}
		if best.path == "" {
			best = p
		}
		if slices.ContainsFunc(sound, func(o *runner) bool { return o != n && o.found.best.path == p.path }) {
			best = p
			break
		}
	}
	if best.size < wantSize/3 && len(sound) > 0 { // look further
		ctx, cancel := context.WithTimeout(ctx, r.limits.Time/8)
		defer cancel()
		if l, _ := sound[0].list(ctx, sound[0].idx, moreBytes); l.best.size > best.size {
			best = l.best
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pick = best
}

// sample reads the beginning of the package, which also shows what it is.
func (n *runner) sample(ctx context.Context) {
	n.race.mu.Lock()
	sound, p, own := n.sound, n.race.pick, n.found.best
	signed := n.res.Signed != ""
	n.race.mu.Unlock()
	if !sound {
		return
	}
	if p.path == "" {
		if n.target.Format == "rpm" && n.judged && !signed {
			n.lose(flawed(Unsigned, "no package to judge by"))
			return
		}
		n.race.set(n, func(n *runner) { n.res.Usable = true })
		return
	}
	head, in, first, err := n.measure(ctx, p.path, 0, sampleBytes, sampleBytes)
	var s *statusError
	if errors.As(err, &s) && s.why() == NotFound && own.path != "" && own.path != p.path {
		p = own // it has other versions: its own will do to measure it
		head, in, first, err = n.measure(ctx, p.path, 0, sampleBytes, sampleBytes)
	}
	if errors.As(err, &s) && s.why() == NotFound {
		err = flawed(NoPackages, p.path)
	}
	if in == nil || err != nil && ctx.Err() == nil {
		n.lose(err)
		return
	}
	key, err := n.known(head, err == nil)
	if err != nil {
		n.lose(err)
		return
	}
	n.race.set(n, func(n *runner) {
		n.own, n.res.Usable = p, true
		if key != "" && n.res.Signed == "" {
			n.res.Signed = key
		}
		n.res.provisional = in.peak()
		n.res.Rate = in.median(first)
		n.res.sampled = in.span() >= n.race.limits.Time/12
	})
}

// known checks a package's first bytes: its kind, its architecture and, for RPM, its
// signature where the index had none. all says that nothing is missing of them.
func (n *runner) known(head []byte, all bool) (key string, err error) {
	if n.target.Format == "deb" {
		if !bytes.HasPrefix(head, []byte("!<arch>\n")) {
			return "", flawed(NoPackages, "not a Debian package")
		}
		return "", nil
	}
	p, err := verify.ReadRPM(head)
	var malformed *verify.MalformedError
	switch {
	case errors.Is(err, verify.ErrShort) && !all:
		return "", flawed(Slow, "")
	case errors.As(err, &malformed):
		return "", flawed(NoPackages, err.Error())
	case err != nil:
		return "", flawed(CutShort, err.Error())
	case p.Arch != n.target.Arch && p.Arch != "noarch":
		return "", flawed(WrongArch, p.Name+"."+p.Arch)
	case !n.judged:
		return "", nil
	}
	ev, err := n.target.Keys.RPMHeader(head, n.race.m.Now())
	return signer(ev), signatureFlaw(err)
}

// final gives the best few the line to themselves, one after another.
func (r *race) final(ctx context.Context) {
	all := r.finalists()
	for i, n := range all {
		left := time.Duration(len(all) - i)
		slot, cancel := context.WithTimeout(ctx, r.until(wholeShare)/left)
		done := make(chan struct{})
		go func() {
			defer close(done)
			n.last(slot, r.budget.Left()/int64(left))
		}()
		select {
		case <-done:
		case <-slot.Done():
			select { // what was read counts
			case <-done:
			case <-time.After(r.limits.Time / 200):
			}
		}
		cancel()
	}
}

// finalists are those who may still win and were not measured for long already.
func (r *race) finalists() []*runner {
	rank := r.order(false)
	var out []*runner
	for _, n := range rank {
		if n.res.Usable && n.res.Why == "" && n.res.provisional > 0 {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b *runner) int { return -cmp.Compare(a.res.provisional, b.res.provisional) })
	out = out[:min(len(out), r.limits.Best)]
	out = slices.DeleteFunc(out, func(n *runner) bool { return n.res.sampled })
	for i, n := range out {
		out[i] = n.of
	}
	return out
}

// last measures behind the sample, where nothing is in anyone's cache.
func (n *runner) last(ctx context.Context, allowed int64) {
	from := int64(sampleBytes)
	length := min(n.race.last, allowed)
	if rest := n.own.size - from; rest < minSize {
		from = 0
	} else {
		length = min(length, rest)
	}
	if length <= 0 {
		return
	}
	_, in, first, _ := n.measure(ctx, n.own.path, from, length, 0)
	if in == nil || in.total() < minSize/4 {
		return
	}
	n.race.set(n, func(n *runner) { n.res.Rate = in.median(first) })
}
