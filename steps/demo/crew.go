package demo

import "sync"

// crew are goroutines that may begin others, from anywhere and at any time, until it is
// closed. A WaitGroup alone cannot tell those that come while it is waited for from those
// of another round, and panics.
type crew struct {
	mu     sync.Mutex
	n      int
	closed bool
	over   sync.Cond // of mu: n is 0
}

func newCrew() *crew {
	c := new(crew)
	c.over.L = &c.mu
	return c
}

// begin has f run on its own, and reports whether it does: not once the crew is closed.
func (c *crew) begin(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.n++
	go func() {
		defer c.end()
		f()
	}()
	return true
}

func (c *crew) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 {
		c.over.Broadcast()
	}
}

// close lets nobody begin any more, and waits for those who have.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for c.n > 0 {
		c.over.Wait()
	}
}
