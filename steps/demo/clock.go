package demo

import (
	"context"
	"sync"
	"time"
)

// wrong is how far the clock of a machine without time service is behind: enough that
// goxin sets it, and little enough to be met in the field.
const wrong = 4*time.Minute + 11*time.Second

// flow is the time that passes, the same for all machines of a demo.
type flow struct {
	pace  float64
	right func() time.Time
	start time.Time

	mu     sync.Mutex
	passed time.Duration // at pace 0: what would have passed
}

func newFlow(o Options) *flow {
	f := &flow{pace: o.Pace, right: o.Now}
	if f.right == nil {
		f.right = time.Now
	}
	f.start = f.right()
	return f
}

// rightNow is what clocks should show.
func (f *flow) rightNow() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pace > 0 {
		return f.right()
	}
	return f.start.Add(f.passed)
}

// wait lets d pass: what a program takes at pace 1.
func (f *flow) wait(ctx context.Context, d time.Duration) error {
	f.pass(d)
	return f.rest(ctx, d)
}

// pass notes that d has passed where nobody waits for it.
func (f *flow) pass(d time.Duration) {
	if f.pace > 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.passed += d
}

// rest waits without anybody's clock being asked.
func (f *flow) rest(ctx context.Context, d time.Duration) error {
	if f.pace <= 0 || d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(time.Duration(float64(d) * f.pace))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// clock is one machine's clock, which may be behind.
type clock struct {
	*flow

	own    sync.Mutex
	behind time.Duration
}

// now is what the machine's clock shows.
func (c *clock) now() time.Time {
	c.own.Lock()
	defer c.own.Unlock()
	return c.rightNow().Add(-c.behind)
}

// set makes the clock show t.
func (c *clock) set(t time.Time) {
	c.own.Lock()
	defer c.own.Unlock()
	c.behind = c.rightNow().Sub(t)
}
