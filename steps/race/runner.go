package race

import (
	"context"
	"errors"
	"io"
	"time"

	"goxin/detect/machine"
	"goxin/steps/fetch"
)

const (
	userAgent   = "goxin/1 (+mirror probe)"
	listBytes   = 48 << 10  // of every candidate's package list
	moreBytes   = 1 << 20   // of the list the package is looked for in
	sampleBytes = 256 << 10 // of a package, everywhere
	finalBytes  = 4 << 20   // of a package, in the final
	peekBytes   = 2 << 10   // of another target's index
)

// Laned is a machine whose network is a simulation, with a time for each of those who
// are asked at once: what one of them takes is then the same whatever the others do.
type Laned interface {
	Lane(name string) machine.Machine
}

// lane is the machine that a candidate is asked through.
func (r *race) lane(name string) machine.Machine {
	if l, ok := r.m.(Laned); ok {
		return l.Lane(name)
	}
	return r.m
}

// runner is one candidate. res, idx, found and own are the race's mutex's.
type runner struct {
	race   *race
	m      machine.Machine
	c      Candidate
	target Target
	base   string // the main target's URL
	object Object // of a race for objects: its URL is all there is to get
	client *fetch.Client
	judged bool // there are keys to judge with

	res   Result
	idx   *index
	found listing
	sound bool    // index and list are in order, as far as they tell
	own   pkg     // what it is measured with
	of    *runner // of a copy: what it is a copy of
}

func newRunner(r *race, c Candidate) *runner {
	t := r.targets[r.main]
	n := &runner{race: r, m: r.lane(c.ID), c: c, target: t, base: c.URLs[r.main], judged: !t.Keys.Empty()}
	n.target.Keys = t.Keys.Only(t.Fingerprints...)
	n.client = fetch.New(n.m, fetch.Options{Budget: r.budget, HTTP1: c.HTTP1, UserAgent: userAgent, FirstByte: r.limits.FirstByte})
	n.res = Result{ID: c.ID, Serves: make([]bool, len(c.URLs)), Gated: c.Gated}
	return n
}

// lose says why this candidate is out. The first reason stays.
func (n *runner) lose(err error) {
	why, status := NotIndex, 0
	var f *flaw
	var s *statusError
	switch {
	case errors.As(err, &f):
		why = f.why
	case errors.As(err, &s):
		why, status = s.why(), s.status
	case errors.Is(err, io.ErrUnexpectedEOF):
		why = CutShort
	default:
		why = ofFailure[fetch.Why(err)]
	}
	n.race.set(n, func(n *runner) {
		if n.res.Why != "" {
			return
		}
		n.res.Why, n.res.Status, n.res.Usable, n.sound = why, status, false, false
		n.res.Detail = err.Error()
		if f != nil {
			n.res.Detail = f.detail
		}
	})
}

// statusError is an answer that is not the file.
type statusError struct{ status int }

func (e *statusError) Error() string { return "" }

func (e *statusError) why() Reason {
	switch e.status {
	case 401, 403:
		return Unauthorized
	case 404, 410:
		return NotFound
	}
	return Status
}

// get is a file's beginning, if the answer is that of a file. At most limit bytes
// are asked for.
func (n *runner) get(ctx context.Context, name string, from, limit int64) (*fetch.Response, error) {
	url := n.object.URL
	if url == "" {
		var err error
		if url, err = fetch.Join(n.base, name); err != nil {
			return nil, flawed(BadURL, err.Error())
		}
	}
	resp, err := n.client.Get(ctx, url, fetch.Range{From: from, Length: limit})
	if err != nil {
		return nil, err
	}
	if resp.Status != 200 && resp.Status != 206 {
		resp.Body.Close()
		return nil, &statusError{resp.Status}
	}
	return resp, nil
}

// whole is a file of at most limit bytes, and how long its first byte took.
func (n *runner) whole(ctx context.Context, name string, limit int64) ([]byte, time.Duration, error) {
	asked := n.m.Now()
	resp, err := n.get(ctx, name, 0, limit+1)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	first := n.m.Now().Sub(asked)
	b, err := io.ReadAll(resp.Body)
	switch {
	case int64(len(b)) > limit:
		return b, first, flawed(Endless, "")
	case err == nil && html(resp, b):
		return b, first, flawed(HTML, "")
	}
	return b, first, err
}

// measure reads a range of a package: its bytes (kept up to keep), when they came,
// and how long the first took.
func (n *runner) measure(ctx context.Context, name string, from, length int64, keep int) (head []byte, in *reading, first time.Duration, err error) {
	asked := n.m.Now()
	resp, err := n.get(ctx, name, from, length)
	if err != nil {
		return nil, nil, 0, err
	}
	defer resp.Body.Close()
	in = &reading{of: size(resp)}
	buf := make([]byte, 64<<10)
	var total int64
	for {
		k, err := resp.Body.Read(buf)
		if k > 0 {
			if total == 0 {
				first = n.m.Now().Sub(asked)
			}
			total += int64(k)
			in.add(n.m.Now().Sub(asked), total)
			head = append(head, buf[:min(k, max(0, keep-len(head)))]...)
		}
		if errors.Is(err, io.EOF) {
			return head, in, first, nil
		}
		if err != nil {
			return head, in, first, err
		}
	}
}
