package fetch

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"goxin/assets/lang"
)

// StreamOptions are how a Stream goes about it. Zero values are replaced.
type StreamOptions struct {
	Stall    time.Duration     // a source that sends no byte for so long, or less than 1 KiB/s while there is another, is left; 15 s
	Attempts int               // how often a source is asked that brings next to nothing; 3
	Size     int64             // of the file in bytes; 0: whatever the first source says
	Say      func(StreamState) // called by Read, at every piece and change of source; may be nil
}

// StreamState is how far a Stream is.
type StreamState struct {
	URL  string    // of the source
	At   int64     // bytes delivered
	Size int64     // of the file; 0: not known
	Why  lang.Text // why the source is left; else empty
}

// Part is what one source gave: the bytes [From, To), possibly none.
type Part struct {
	URL  string    `json:"url"`
	From int64     `json:"from"`
	To   int64     `json:"to"`
	Why  lang.Text `json:"why,omitzero"` // why it ended; empty of the last
}

// Bytes that decide.
const (
	overlap    = 4 << 10   // what a source repeats of what there is before it goes on
	worthwhile = 256 << 10 // what an attempt brings that does not count as a vain one
)

// pause is between the first vain attempt at a source and the second; it doubles.
const pause = time.Second

// Stream is one file, from several sources one after another. Whether it is the right
// file is for its reader to find out: sources that agree in size and in the bytes around
// the change may still differ elsewhere.
//
// Its methods may be called at the same time, but Close not by Say; Close interrupts a
// Read.
type Stream struct {
	c      *Client
	o      StreamOptions
	ctx    context.Context
	cancel context.CancelCauseFunc

	reading sync.Mutex // what follows is whose who reads
	sources []*supplier
	turn    int
	open    *attempt
	sum     hash.Hash // SHA-256 of what was delivered
	tail    []byte    // the last of that, at most overlap bytes
	err     error

	mu    sync.Mutex // what follows can be asked for
	at    int64
	size  int64 // 0: not known
	parts []Part
}

// supplier is one source.
type supplier struct {
	url       string
	validator string // what the file there is known by, for If-Range; may be empty
	vain      int    // attempts in a row
	err       *Error // of the last one
	out       bool
}

// Stream is the file that lies at urls, which are tried in their order. Nothing is
// opened before the first Read. Close it.
//
// A source that fails, stalls or breaks off is left, and the next one (the same one, if
// it was good until then) goes on at the same byte. At the same source, If-Range holds
// the file to what it was; at another, its size must be the same; both repeat some bytes
// that are there already. Of a source that sends all of the file instead of the rest, the
// beginning must have the SHA-256 of what is there.
//
// When all sources are used up, the error of Read has a *SourceError for each.
func (c *Client) Stream(ctx context.Context, urls []string, o StreamOptions) *Stream {
	if o.Stall <= 0 {
		o.Stall = 15 * time.Second
	}
	if o.Attempts <= 0 {
		o.Attempts = 3
	}
	s := &Stream{c: c, o: o, sum: sha256.New(), size: max(0, o.Size)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	for _, u := range urls {
		s.sources = append(s.sources, &supplier{url: u})
	}
	return s
}

// Size is the file's in bytes; 0: not known (yet).
func (s *Stream) Size() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// Parts are which source gave what, so far.
func (s *Stream) Parts() []Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.parts)
}

// Close ends it.
func (s *Stream) Close() error {
	s.cancel(fs.ErrClosed)
	s.reading.Lock()
	defer s.reading.Unlock()
	s.drop()
	return nil
}

func (s *Stream) drop() {
	if s.open != nil {
		s.open.close()
		s.open = nil
	}
}

func (s *Stream) Read(p []byte) (int, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for len(p) > 0 && s.err == nil {
		if s.ctx.Err() != nil {
			s.err = context.Cause(s.ctx)
			break
		}
		if s.size > 0 && s.at == s.size { // told only by the source that was to go on
			s.err = io.EOF
			break
		}
		if s.open == nil {
			s.connect()
			continue
		}
		n, err := s.piece(p)
		if n > 0 {
			return n, nil
		}
		if errors.Is(err, io.EOF) {
			s.err = err
		} else {
			s.leave(err)
		}
	}
	if s.err == nil {
		return 0, nil
	}
	s.drop()
	return 0, s.err
}

// piece is the next bytes of the source that is open. Those that end the file are
// delivered when it is sure that nothing follows, so that another source can still
// send them. An error that comes with bytes is left for the next time.
func (s *Stream) piece(p []byte) (int, error) {
	rest := s.size - s.at
	if s.size > 0 {
		p = p[:min(int64(len(p)), rest)]
	}
	n, err := s.open.Read(p)
	switch {
	case n == 0 && errors.Is(err, io.EOF):
		if s.size > 0 || s.at == 0 {
			return 0, &Error{Shrunk, nil}
		}
		s.know(s.at)
		return 0, io.EOF
	case n == 0:
		return 0, err
	case s.size > 0 && int64(n) == rest:
		if err := s.open.ends(); err != nil {
			return 0, err
		}
		s.err = io.EOF
	}
	s.deliver(p[:n])
	return n, nil
}

func (s *Stream) deliver(b []byte) {
	s.sum.Write(b)
	s.tail = append(s.tail, b[max(0, len(b)-overlap):]...)
	s.tail = slices.Delete(s.tail, 0, max(0, len(s.tail)-overlap))
	s.open.got += int64(len(b))
	s.mu.Lock()
	s.at += int64(len(b))
	s.parts[len(s.parts)-1].To = s.at
	s.mu.Unlock()
	s.say(s.open.from.url, lang.Text{})
}

func (s *Stream) know(size int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.size = size
}

func (s *Stream) say(url string, why lang.Text) {
	if s.o.Say != nil {
		s.o.Say(StreamState{URL: url, At: s.at, Size: s.size, Why: why})
	}
}

// connect opens the next source that is left, or sets the error there is when none is.
func (s *Stream) connect() {
	from := s.next()
	if from == nil {
		s.err = s.failed()
		return
	}
	if from.vain > 0 {
		rest := time.NewTimer(pause << min(from.vain-1, 4))
		defer rest.Stop()
		select {
		case <-rest.C:
		case <-s.ctx.Done():
			return
		}
	}
	s.mu.Lock()
	s.parts = append(s.parts, Part{URL: from.url, From: s.at, To: s.at})
	s.mu.Unlock()
	s.open = s.attempt(from)
	if err := s.ask(s.open); err != nil {
		s.leave(err)
	}
}

// next is whose turn it is.
func (s *Stream) next() *supplier {
	for range s.sources {
		if from := s.sources[s.turn%len(s.sources)]; !from.out {
			return from
		}
		s.turn++
	}
	return nil
}

// leave gives up the source that is open because of err, and decides who is next.
func (s *Stream) leave(err error) {
	a := s.open
	from := a.from
	s.drop()
	if s.ctx.Err() != nil {
		s.err = context.Cause(s.ctx)
		return
	}
	from.err = a.failure(err)
	if from.err.Failure == OverBudget {
		s.err = from.err
		return
	}
	good := a.got >= worthwhile
	if good {
		from.vain = 0
	} else {
		from.vain++
	}
	from.out = lasting(from.err) || from.vain >= s.o.Attempts
	if !good || from.err.Failure == Stalled {
		s.turn++
	}
	why := (&SourceError{from.url, from.err}).why()
	s.mu.Lock()
	s.parts[len(s.parts)-1].Why = why
	s.mu.Unlock()
	s.say(from.url, why)
}

// lasting says whether asking again is of no use.
func lasting(err *Error) bool {
	var status *StatusError
	switch err.Failure {
	case Status:
		return errors.As(err, &status) && status.lasting()
	case Page, Grown, WrongSize, NoRange, Changed, TLS, Clock, Redirects, NotRunnable:
		return true
	}
	return false
}

// failed is the error when no source is left.
func (s *Stream) failed() error {
	if len(s.sources) == 0 {
		return lang.Errorf(nil, "cannot download: there is no source", "无法下载：没有可用来源")
	}
	var all []error
	for _, from := range s.sources {
		all = append(all, &SourceError{from.url, from.err})
	}
	name, _, _ := strings.Cut(path.Base(s.sources[0].url), "?")
	return lang.Errorf(errors.Join(all...), "cannot download %s", "无法下载 %s", name).
		WithHint("check this machine's network and proxy, or choose another source", "请检查本机网络与代理设置，或改用其他来源")
}
