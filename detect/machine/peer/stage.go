package peer

import (
	"context"
	"io"
	"io/fs"
	"sync"

	"goxin/detect/machine"
)

// stage is one of the peer's. It goes with its session.
type stage struct {
	m    *Machine
	s    *session
	id   uint64
	path string

	mu   sync.Mutex
	over bool
}

// Stage opens one there.
func (m *Machine) Stage(dir string) (machine.Stage, error) {
	var st *stage
	err := m.do(context.Background(), func(s *session) error {
		r, err := s.ask(context.Background(), "stage", request{Name: raw(dir)}, nil)
		st = &stage{m: m, s: s, id: r.ID, path: string(r.Text)}
		return err
	})
	if err != nil {
		return nil, err
	}
	return st, nil
}

func (st *stage) Path() string { return st.path }

func (st *stage) tell(method string, q request) error {
	q.ID = st.id
	return st.m.heard(st.s, st.s.tell(context.Background(), method, q, nil))
}

func (st *stage) Mkdir(name string, mode fs.FileMode) error {
	return st.tell("stage-mkdir", request{Name: raw(name), Mode: mode})
}

func (st *stage) Symlink(target, name string) error {
	return st.tell("stage-symlink", request{Name: raw(name), To: raw(target)})
}

// Create streams: what a Write gives is on its way, and Close says whether it arrived.
func (st *stage) Create(name string, mode fs.FileMode) (io.WriteCloser, error) {
	r, w := io.Pipe()
	c, err := st.s.start(context.Background(), "stage-create", request{ID: st.id, Name: raw(name), Mode: mode}, &framed{r: r, stop: func() { _ = r.Close() }})
	if err == nil {
		if _, err = c.reply(); err != nil {
			_ = c.close()
		}
	}
	if err != nil {
		_ = r.Close()
		return nil, st.m.heard(st.s, err)
	}
	f := &staged{m: st.m, w: w, end: make(chan struct{})}
	go func() {
		defer close(f.end)
		defer c.close()
		f.err = st.m.heard(st.s, c.lines(nothing))
		broken := f.err
		if broken == nil {
			broken = fs.ErrClosed
		}
		_ = r.CloseWithError(broken) // a Write hears of it
	}()
	return f, nil
}

// staged is a file of a stage.
type staged struct {
	m   *Machine
	w   *io.PipeWriter
	end chan struct{}
	err error // once end is closed
}

func (f *staged) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err != nil {
		if <-f.end; f.err != nil { // why nobody takes it
			err = f.err
		}
	}
	return n, err
}

func (f *staged) Close() error {
	_ = f.w.Close()
	<-f.end
	return f.err
}

func (st *stage) Commit() error {
	err := st.tell("stage-commit", request{})
	if err == nil {
		st.mu.Lock()
		st.over = true
		st.mu.Unlock()
	}
	return err
}

// Discard after Commit does nothing.
func (st *stage) Discard() error {
	st.mu.Lock()
	over := st.over
	st.over = true
	st.mu.Unlock()
	if over {
		return nil
	}
	return st.tell("stage-discard", request{})
}
