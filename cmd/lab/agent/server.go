package agent

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Serve answers one stream until it ends. What the stream's client started is
// hung up (terminals) or killed when the stream ends or another client says
// hello on it.
func Serve(rw io.ReadWriter) error {
	s := &server{stream: newStream(rw), tasks: map[uint32]task{}}
	defer s.reset()
	for {
		m, err := s.receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		s.handle(m)
	}
}

type server struct {
	*stream
	nonce string

	mu    sync.Mutex
	tasks map[uint32]task
}

// task is something in the works that later messages speak to.
type task interface {
	input(data []byte) // nil: end of input
	resize(cols, rows int)
	signal(sig unix.Signal)
	abandon() // the client is gone
}

func (s *server) handle(m message) {
	switch m.Op {
	case opHello:
		s.hello(m)
	case opStart:
		s.start(m)
	case opPut:
		s.put(m)
	case opGet:
		go s.get(m)
	case opTree:
		go s.tree(m)
	default:
		t := s.task(m.ID)
		if t == nil {
			return
		}
		switch m.Op {
		case opIn:
			t.input(m.Data)
		case opResize:
			t.resize(m.Cols, m.Rows)
		case opSignal:
			t.signal(unix.Signal(m.Signal))
		case opHangUp:
			t.abandon()
		}
	}
}

func (s *server) hello(m message) {
	if m.Nonce != s.nonce {
		s.reset()
		s.nonce = m.Nonce
		if m.Now != 0 {
			setClock(time.Unix(0, m.Now))
		}
	}
	_ = s.send(message{Op: opHello, Nonce: m.Nonce, Boot: bootID()})
}

// setClock moves the clock of a machine that was restored from a snapshot to
// the present. Small differences stay: a step would only disturb timers.
func setClock(now time.Time) {
	if d := time.Since(now); d > -2*time.Second && d < 2*time.Second {
		return
	}
	tv := unix.NsecToTimeval(now.UnixNano())
	_ = unix.Settimeofday(&tv)
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

func (s *server) task(id uint32) task {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tasks[id]
}

func (s *server) add(id uint32, t task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks[id] = t
}

// end sends the last message of a task.
func (s *server) end(id uint32, code int, err error) {
	s.mu.Lock()
	delete(s.tasks, id)
	s.mu.Unlock()
	m := message{Op: opExit, ID: id, Code: code}
	if err != nil {
		m.Error = err.Error()
	}
	_ = s.send(m)
}

func (s *server) reset() {
	s.mu.Lock()
	tasks := s.tasks
	s.tasks = map[uint32]task{}
	s.mu.Unlock()
	for _, t := range tasks {
		t.abandon()
	}
}
