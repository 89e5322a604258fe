package fetch

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Range is a part of a file in bytes. Length 0 is all of it.
type Range struct{ From, Length int64 }

// Response is a server's answer.
type Response struct {
	Status   int // 206 where the range was honoured, 200 where all of the file comes
	Header   http.Header
	Length   int64 // of the body as announced; -1: not announced
	ETag     string
	URL      string        // after redirects
	Protocol string        // "HTTP/1.1", "HTTP/2.0"
	Body     io.ReadCloser // ends after the range's length, whatever the server sends
}

// body is an answer's body up to a length, with its first byte read ahead.
type body struct {
	from   io.ReadCloser
	left   int64 // 0 on start: no limit
	ahead  []byte
	err    error
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// first waits for the first byte, or the end.
func (b *body) first() error {
	if b.left == 0 {
		b.left = 1<<63 - 1
	}
	var one [1]byte
	n, err := io.ReadFull(b.from, one[:])
	b.ahead = one[:n]
	if errors.Is(err, io.EOF) {
		b.err = io.EOF
		return nil
	}
	return err
}

func (b *body) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := 0
	if len(b.ahead) > 0 {
		n = copy(p, b.ahead)
		b.ahead, b.left = nil, b.left-1
		return n, nil
	}
	if b.err != nil {
		return 0, b.err
	}
	if b.left == 0 {
		return 0, io.EOF
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		if b.ctx.Err() != nil {
			err = context.Cause(b.ctx)
		}
		err = &Error{why(err, stageBody), err}
	}
	return n, err
}

// Close gives the connection up unless all was read.
func (b *body) Close() error {
	err := b.from.Close()
	b.cancel(nil)
	return err
}

// timers are those of one request.
type timers struct {
	mu   sync.Mutex
	all  []*time.Timer
	over bool
}

func (t *timers) add(d time.Duration, f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d > 0 && !t.over {
		t.all = append(t.all, time.AfterFunc(d, f))
	}
}

func (t *timers) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	for _, one := range t.all {
		one.Stop()
	}
}
