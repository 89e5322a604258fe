package peer

import (
	"io"
	"testing"
	"time"

	"goxin/detect/machine"
)

type idle struct{ io.Closer }

func (idle) Close() error { return nil }

// The client came back before the agent noticed that the old line was cut: the new one was
// turned away once.
func TestTheNewestLineHasTheSeat(t *testing.T) {
	a := newAgent(machine.Root(t.TempDir()), ServeOptions{})
	s := newSeat(a, "c", owner{}, nil)
	close(s.ended)
	old, fresh := &idle{}, &idle{}
	if !s.turn(old) {
		t.Fatal("the first line")
	}
	got := make(chan bool)
	go func() { got <- s.turn(fresh) }()
	for {
		s.mu.Lock()
		waits := s.coming == io.Closer(fresh)
		s.mu.Unlock()
		if waits {
			break
		}
		time.Sleep(time.Millisecond)
	}
	s.rise(time.Minute) // the old line is over
	if !<-got {
		t.Error("the newest line was turned away")
	}
}
