package race

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
)

// objectBytes are measured of each object in the final.
const objectBytes = 2 << 20

// The first bytes of files.
const (
	MagicGzip = "\x1f\x8b"
	MagicZip  = "PK\x03\x04"
)

// Object is one file at one source.
type Object struct {
	ID       string
	Name     lang.Text
	URL      string
	Official bool   // the publisher's own; it has no advantage
	Magic    string // what the file begins with; empty: not known
	Size     int64  // in bytes; 0: not known
}

// ObjectDefaults are the limits of a race for one file.
func ObjectDefaults() Limits {
	return Limits{Time: 4 * time.Second, Bytes: 12 << 20, FirstByte: time.Second, Best: 3}
}

// Objects puts sources of a file, or of files that serve alike, in the order of how
// quickly they send: the first 256 KiB of all at once, then 2 MiB of the best few, one
// after another. Whoever answers with something else than the file has lost, and every
// loser has a reason. Limits that are zero are those of ObjectDefaults; say and the rest
// are as with Run. Serves, Published, Behind and Signed of the results stay empty.
func Objects(ctx context.Context, m machine.Machine, all []Object, l Limits, say func([]Result)) (Report, error) {
	if len(all) == 0 {
		return Report{}, lang.Errorf(nil, "cannot compare sources: there is none", "无法比较下载来源：没有任何来源")
	}
	r := newRace(m, l.orDefaults(ObjectDefaults()), objectBytes)
	for _, o := range all {
		n := &runner{race: r, m: r.lane(o.ID), object: o, res: Result{ID: o.ID}}
		n.client = fetch.New(n.m, fetch.Options{Budget: r.budget, UserAgent: userAgent, FirstByte: r.limits.FirstByte})
		r.runners = append(r.runners, n)
	}
	return r.report(ctx, r.objects, say)
}

func (r *race) objects(whole context.Context) {
	heats, stop := context.WithTimeout(whole, r.share(sampleShare))
	defer stop()
	var done sync.WaitGroup
	for _, n := range r.runners {
		done.Go(func() { n.open(heats) })
	}
	wait(heats, &done)
	stop()
	r.final(whole)
}

// open reads the first bytes, which also show whether it is the file.
func (n *runner) open(ctx context.Context) {
	head, in, first, err := n.measure(ctx, "", 0, sampleBytes, pageBytes)
	if err == nil {
		err = n.object.short(in)
	}
	if e := n.object.is(head, in); e != nil {
		err = e
	}
	if enough := in != nil && in.total() > pageBytes; err != nil && !(enough && ctx.Err() != nil) {
		n.lose(n.object.flaw(err))
		return
	}
	n.race.set(n, func(n *runner) {
		if n.own.size = in.of; in.of == 0 {
			n.own.size = math.MaxInt64
		}
		n.res.Usable, n.res.FirstByte = true, first
		n.res.provisional, n.res.Rate = in.peak(), in.median(first)
		n.res.sampled = in.span() >= n.race.limits.Time/12
	})
}

// pageBytes are enough to know an HTML page by.
const pageBytes = 512

// is says what is wrong with a file that begins with head.
func (o Object) is(head []byte, in *reading) error {
	switch {
	case in == nil, len(head) < len(o.Magic):
	case htmlText(head) && o.Magic != "":
		return flawed(Page, "")
	case !strings.HasPrefix(string(head), o.Magic):
		return flawed(NotFile, fmt.Sprintf("%.8q", head))
	case o.Size > 0 && in.of > 0 && in.of != o.Size:
		return flawed(WrongSize, fmt.Sprintf("%d, not %d", in.of, o.Size))
	}
	return nil
}

// short says whether a sample ended that should have gone on.
func (o Object) short(in *reading) error {
	if want := min(sampleBytes, max(1, int64(len(o.Magic)), in.of, o.Size)); in.total() < want {
		return flawed(BrokenOff, fmt.Sprintf("%d, not %d", in.total(), want))
	}
	return nil
}

// flaw gives an error the reason it has of a file.
func (o Object) flaw(err error) error {
	var s *statusError
	switch {
	case errors.As(err, &s) && s.why() == NotFound:
		return flawed(NoFile, fmt.Sprint(s.status))
	case errors.Is(err, io.ErrUnexpectedEOF):
		return flawed(BrokenOff, err.Error())
	}
	return err
}

// size is the whole file's, as an answer tells it; 0: it does not.
func size(resp *fetch.Response) int64 {
	if resp.Status == 200 {
		return max(0, resp.Length)
	}
	var total int64
	if _, after, ok := strings.Cut(resp.Header.Get("Content-Range"), "/"); ok {
		if _, err := fmt.Sscan(after, &total); err != nil {
			return 0
		}
	}
	return max(0, total)
}
