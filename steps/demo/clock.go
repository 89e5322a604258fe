package demo

import (
	"context"
	"sync"
	"time"
)

// wrong is how far the clock of a machine without time service is behind: enough that
// goxin sets it, and little enough to be met in the field.
const wrong = 4*time.Minute + 11*time.Second

// clock is a machine's clock and how its programs take their time.
type clock struct {
	pace  float64
	right func() time.Time
	start time.Time

	mu     sync.Mutex
	behind time.Duration
	passed time.Duration // at pace 0: what would have passed
}

func newClock(o Options, unsynced bool) *clock {
	c := &clock{pace: o.Pace, right: o.Now}
	if c.right == nil {
		c.right = time.Now
	}
	c.start = c.right()
	if unsynced {
		c.behind = wrong
	}
	return c
}

// now is what the machine's clock shows, truth what it should show.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.truth().Add(-c.behind)
}

func (c *clock) rightNow() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.truth()
}

func (c *clock) truth() time.Time {
	if c.pace > 0 {
		return c.right()
	}
	return c.start.Add(c.passed)
}

// set makes the clock show t.
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.behind = c.truth().Sub(t)
}

// wait lets d pass: what a program takes at pace 1.
func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.pass(d)
	return c.rest(ctx, d)
}

// pass notes that d has passed where nobody waits for it.
func (c *clock) pass(d time.Duration) {
	if c.pace > 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.passed += d
}

// rest waits without anybody's clock being asked.
func (c *clock) rest(ctx context.Context, d time.Duration) error {
	if c.pace <= 0 || d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(time.Duration(float64(d) * c.pace))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
