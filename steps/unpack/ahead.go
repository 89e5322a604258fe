package unpack

import "io"

const (
	aheadBuffers = 4
	aheadBytes   = 128 << 10
)

// ahead is a reader that another goroutine reads some buffers ahead of whoever reads
// this one.
type ahead struct {
	full chan chunk
	free chan []byte
	stop chan struct{}
	over chan struct{} // the goroutine is

	chunk
	left []byte // of the chunk
	n    int64  // bytes read
}

type chunk struct {
	b   []byte
	err error
}

func readAhead(r io.Reader) *ahead {
	a := &ahead{
		full: make(chan chunk, aheadBuffers), free: make(chan []byte, aheadBuffers),
		stop: make(chan struct{}), over: make(chan struct{}),
	}
	for range aheadBuffers {
		a.free <- make([]byte, aheadBytes)
	}
	go a.run(r)
	return a
}

func (a *ahead) run(r io.Reader) {
	defer close(a.over)
	for {
		var b []byte
		select {
		case b = <-a.free:
		case <-a.stop:
			return
		}
		n, err := 0, error(nil)
		for n < len(b) && err == nil {
			var k int
			k, err = r.Read(b[n:])
			n += k
		}
		select {
		case a.full <- chunk{b[:n], err}:
		case <-a.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.left) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		if a.b != nil {
			a.free <- a.b[:cap(a.b)]
		}
		a.chunk = <-a.full
		a.left = a.b
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	a.n += int64(n)
	return n, nil
}

// close waits until the reader is read no more: for its present Read to return.
func (a *ahead) close() {
	close(a.stop)
	<-a.over
}
