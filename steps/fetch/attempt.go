package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
)

// attempt is one request at a source, and the answer's body.
type attempt struct {
	from  *supplier
	ctx   context.Context
	stop  context.CancelCauseFunc
	stall time.Duration
	timer *time.Timer
	body  io.ReadCloser
	got   int64 // bytes delivered

	now    func() time.Time
	others func() bool   // whether another source is left
	waited time.Duration // for bytes, since it was last judged how many come
	came   int64         // in that time
}

// slowest is what a source has to bring over the stall time, in bytes a second, where
// another one is left.
const slowest = 1 << 10

var (
	errNoByte = lang.Because(nil, "no byte in time", "规定时间内没有收到数据")
	errDrips  = lang.Because(nil, "hardly a byte in time", "规定时间内几乎没有收到数据")
)

func (s *Stream) attempt(from *supplier) *attempt {
	a := &attempt{from: from, stall: s.o.Stall, now: s.c.now}
	a.others = func() bool {
		return slices.ContainsFunc(s.sources, func(other *supplier) bool { return other != from && !other.out })
	}
	a.ctx, a.stop = context.WithCancelCause(s.ctx)
	a.timer = time.AfterFunc(a.stall, func() { a.stop(errNoByte) })
	return a
}

func (a *attempt) close() {
	a.timer.Stop()
	a.stop(nil)
	if a.body != nil {
		a.body.Close()
	}
}

// Read waits no longer than the stall time, and for a drip not much longer. Whoever
// reads slowly is not its fault: only the time that bytes are waited for counts.
func (a *attempt) Read(p []byte) (int, error) {
	if a.drips() && a.others() {
		return 0, errDrips
	}
	a.timer.Reset(a.stall)
	defer a.timer.Stop()
	start := a.now()
	n, err := a.body.Read(p)
	a.waited += max(0, a.now().Sub(start)) // a clock may be set back meanwhile
	a.came += int64(n)
	return n, err
}

// drips says, once in a stall time, whether less came than slowest.
func (a *attempt) drips() bool {
	if a.waited < a.stall {
		return false
	}
	few := float64(a.came) < slowest*a.waited.Seconds()
	a.waited, a.came = 0, 0
	return few
}

// ends says whether the body does.
func (a *attempt) ends() error {
	var one [1]byte
	a.waited, a.came = 0, 0 // all is there: how quickly it came does not matter any more
	switch n, err := a.Read(one[:]); {
	case n > 0:
		return &Error{Grown, nil}
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

// failure is what an error of the request or of the body says about the source.
func (a *attempt) failure(err error) *Error {
	var e *Error
	if errors.Is(context.Cause(a.ctx), errNoByte) || errors.Is(err, errNoByte) {
		return &Error{Stalled, lang.Because(nil, "no byte for %v", "%v 内没有收到任何数据", a.stall)}
	}
	if errors.Is(err, errDrips) {
		return &Error{Stalled, lang.Because(nil, "less than 1 KiB/s for %v", "%v 内平均不足 1 KiB/s", a.stall)}
	}
	if !errors.As(err, &e) {
		e = &Error{why(err, stageBody), err}
	}
	if e.Failure == NotHTTP && a.body != nil {
		return &Error{Shrunk, e.Cause}
	}
	return e
}

// ask makes the request for what is not there yet and reads what the answer repeats.
func (s *Stream) ask(a *attempt) error {
	from, header := s.at-int64(len(s.tail)), http.Header{}
	if s.at > 0 {
		header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		if v := a.from.validator; v != "" {
			header.Set("If-Range", v)
		}
	}
	resp, err := s.c.get(a.ctx, a.from.url, header, Range{})
	a.timer.Stop()
	if err != nil {
		return err
	}
	a.body = resp.Body
	total, err := s.whole(resp, from)
	if err != nil {
		return err
	}
	if kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); kind == "text/html" {
		return &Error{Page, nil}
	}
	if err := s.fits(total); err != nil {
		return err
	}
	if v := validator(resp.Header); v != "" || resp.Status == http.StatusOK {
		if was := a.from.validator; was != "" && v != was && resp.Status == http.StatusPartialContent {
			return &Error{Changed, lang.Because(nil, "%q, not %q", "是 %q，而不是 %q", v, was)} // If-Range was not heeded
		}
		a.from.validator = v
	}
	if resp.Status == http.StatusOK {
		return s.repeatsAll(a)
	}
	return s.repeats(a)
}

// whole is the size of the file that an answer is of, 0 where it does not tell. The
// answer has to be all of the file, or, when some is there, what begins at from.
func (s *Stream) whole(resp *Response, from int64) (int64, error) {
	switch resp.Status {
	case http.StatusOK:
		return max(0, resp.Length), nil
	case http.StatusPartialContent:
		told := resp.Header.Get("Content-Range")
		var first, last, total int64
		if _, err := fmt.Sscanf(told, "bytes %d-%d/%d", &first, &last, &total); err != nil ||
			told != fmt.Sprintf("bytes %d-%d/%d", from, total-1, total) || s.at == 0 ||
			resp.Length >= 0 && resp.Length != total-from {
			return 0, &Error{NoRange, lang.Quote(strconv.Quote(told))}
		}
		return total, nil
	case http.StatusRequestedRangeNotSatisfiable:
		return 0, &Error{WrongSize, lang.Quote(strconv.Quote(resp.Header.Get("Content-Range")))}
	}
	return 0, &Error{Status, &StatusError{resp.Status}}
}

// fits compares a source's size with what is known, and learns it while nothing is.
func (s *Stream) fits(total int64) error {
	switch {
	case s.at == 0 && s.o.Size <= 0:
		s.know(total) // also instead of what another source said that then gave nothing
	case total == 0:
	case s.size > 0 && total != s.size, total < s.at:
		return &Error{WrongSize, lang.Because(nil, "%d bytes, not %d", "%d 字节，而不是 %d 字节", total, max(s.size, s.at))}
	default:
		s.know(total)
	}
	return nil
}

// validator is what RFC 9110, 13.1.5 lets If-Range have: a strong entity tag, else a
// date.
func validator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// repeats reads the bytes that a range was begun early by.
func (s *Stream) repeats(a *attempt) error {
	again := make([]byte, len(s.tail))
	if _, err := io.ReadFull(a, again); err != nil {
		return err
	}
	if !bytes.Equal(again, s.tail) {
		return &Error{Changed, nil}
	}
	return nil
}

// repeatsAll reads what was delivered once more, from its first byte.
func (s *Stream) repeatsAll(a *attempt) error {
	sum := sha256.New()
	if n, err := io.CopyBuffer(sum, io.LimitReader(a, s.at), make([]byte, readBuffer)); err != nil {
		return err
	} else if n < s.at {
		return &Error{Shrunk, nil}
	}
	if !bytes.Equal(sum.Sum(nil), s.sum.Sum(nil)) {
		return &Error{Changed, nil}
	}
	return nil
}
