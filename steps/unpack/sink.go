package unpack

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"

	"goxin/detect/machine"
	"goxin/steps/verify"
)

// errStopped is what the parser gets when the sink has failed; the sink's own error
// is what is told.
var errStopped = errors.New("stopped")

const (
	batches    = 4
	batchBytes = 256 << 10
)

// sink hashes files and writes them, one after another, in a goroutine of its own. It
// is given many small files at a time: waking a goroutine for each costs more than
// hashing it.
type sink struct {
	st    machine.Stage // nil: files are hashed only
	cur   *batch
	full  chan *batch
	free  chan *batch
	over  chan struct{} // the goroutine is
	files []verify.ManifestFile
	err   error // of the goroutine, once it is over
}

// batch is some bytes and what they are.
type batch struct {
	data  []byte
	parts []part
}

// part is the next thing to do.
type part struct {
	do   action
	name string
	mode fs.FileMode
	n    int // bytes of data
}

type action int

const (
	makeDir action = iota
	beginFile
	moreBytes
	endFile
)

func newSink(st machine.Stage) *sink {
	s := &sink{st: st, full: make(chan *batch, batches), free: make(chan *batch, batches), over: make(chan struct{})}
	for range batches {
		s.free <- &batch{data: make([]byte, 0, batchBytes)}
	}
	s.cur = <-s.free
	go s.run()
	return s
}

func (s *sink) mkdir(name string) error { return s.add(part{do: makeDir, name: name}) }

func (s *sink) begin(name string, mode fs.FileMode) error {
	return s.add(part{do: beginFile, name: name, mode: mode})
}

func (s *sink) end() error { return s.add(part{do: endFile}) }

func (s *sink) add(p part) error {
	s.cur.parts = append(s.cur.parts, p)
	if len(s.cur.parts) < 1024 {
		return nil
	}
	return s.flush()
}

// from reads once: into the file that was begun, or, to skip it, to nowhere. The bytes
// are good until the next call.
func (s *sink) from(r io.Reader, skip bool) ([]byte, error) {
	if len(s.cur.data) == cap(s.cur.data) {
		if err := s.flush(); err != nil {
			return nil, err
		}
	}
	at := len(s.cur.data)
	n, err := r.Read(s.cur.data[at:cap(s.cur.data)])
	b := s.cur.data[at : at+n]
	if skip {
		return b, err
	}
	s.cur.data = s.cur.data[:at+n]
	if last := len(s.cur.parts) - 1; last >= 0 && s.cur.parts[last].do == moreBytes {
		s.cur.parts[last].n += n
	} else if n > 0 {
		s.cur.parts = append(s.cur.parts, part{do: moreBytes, n: n})
	}
	return b, err
}

func (s *sink) flush() error {
	select {
	case s.full <- s.cur:
	case <-s.over:
		return errStopped
	}
	select {
	case s.cur = <-s.free:
		return nil
	case <-s.over:
		return errStopped
	}
}

// close waits for all that was given, if there is to be all of it.
func (s *sink) close(all bool) error {
	if all {
		_ = s.flush() // its error is that of the goroutine
	}
	close(s.full)
	<-s.over
	return s.err
}

func (s *sink) run() {
	defer close(s.over)
	w := writer{st: s.st, sum: sha256.New()}
	defer w.abandon()
	for b := range s.full {
		data := b.data
		for _, p := range b.parts {
			if s.err = w.part(p, data[:p.n]); s.err != nil {
				return
			}
			data = data[p.n:]
			if p.do == endFile {
				s.files = append(s.files, w.file)
			}
		}
		b.data, b.parts = b.data[:0], b.parts[:0]
		s.free <- b
	}
}

// writer is the file being written.
type writer struct {
	st   machine.Stage
	to   io.WriteCloser
	sum  hash.Hash
	file verify.ManifestFile
}

func (w *writer) part(p part, data []byte) (err error) {
	switch p.do {
	case makeDir:
		if w.st != nil {
			err = w.st.Mkdir(p.name, 0o755)
		}
	case beginFile:
		w.sum.Reset()
		w.file = verify.ManifestFile{Name: p.name, Mode: p.mode}
		if w.st != nil {
			w.to, err = w.st.Create(p.name, p.mode)
		}
	case moreBytes:
		w.sum.Write(data)
		w.file.Size += int64(len(data))
		if w.to != nil {
			_, err = w.to.Write(data)
		}
	case endFile:
		w.sum.Sum(w.file.SHA256[:0])
		if w.to != nil {
			err, w.to = w.to.Close(), nil
		}
	}
	return err
}

// abandon closes a file that did not come to its end.
func (w *writer) abandon() {
	if w.to != nil {
		_ = w.to.Close() // it is discarded anyway
	}
}
