package fetch

import (
	"math"
	"net"
	"sync/atomic"

	"goxin/assets/lang"
)

// ErrOverBudget says that the bytes a Budget allows are used up.
var ErrOverBudget = lang.Because(nil, "the bytes allowed are used up", "流量配额已用尽")

// Budget is how many bytes may go over the wire, both ways, shared by any number of
// connections. What is under way in others when it ends comes on top: at most one
// read of 64 KiB each. A nil Budget counts nothing and never ends.
type Budget struct{ limit, used atomic.Int64 }

// NewBudget allows limit bytes.
func NewBudget(limit int64) *Budget {
	b := new(Budget)
	b.limit.Store(limit)
	return b
}

// Used are the bytes that went over the wire so far.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Left are the bytes that may still go, never below 0.
func (b *Budget) Left() int64 {
	if b == nil {
		return math.MaxInt64
	}
	return max(0, b.limit.Load()-b.used.Load())
}

func (b *Budget) spend(n int) {
	if b != nil {
		b.used.Add(int64(n))
	}
}

// counted is a connection whose bytes are paid from a budget. closed is told once.
type counted struct {
	net.Conn
	budget *Budget
	closed func(net.Conn)
	gone   atomic.Bool
}

func (c *counted) Read(p []byte) (int, error) {
	left := c.budget.Left()
	if left == 0 && len(p) > 0 {
		return 0, ErrOverBudget
	}
	n, err := c.Conn.Read(p[:min(int64(len(p)), left)])
	c.budget.spend(n)
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	if c.budget.Left() == 0 {
		return 0, ErrOverBudget
	}
	n, err := c.Conn.Write(p)
	c.budget.spend(n)
	return n, err
}

func (c *counted) Close() error {
	if c.gone.CompareAndSwap(false, true) {
		c.closed(c)
	}
	return c.Conn.Close()
}
