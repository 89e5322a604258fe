package engine

import (
	"context"
	"time"
)

// Amount is how much of an operation is done, in bytes.
type Amount struct {
	Done  int64   `json:"done"`
	Total int64   `json:"total,omitempty"` // 0: not known
	Rate  float64 `json:"rate,omitempty"`  // bytes a second; 0: not known
}

// Rest is how long the rest takes at this rate; ok is false where that is not known.
func (a Amount) Rest() (d time.Duration, ok bool) {
	if a.Total < a.Done || a.Rate <= 0 {
		return 0, false
	}
	return time.Duration(float64(a.Total-a.Done) / a.Rate * float64(time.Second)), true
}

type amountKey struct{}

// TellAmount is for an op's Do: how far it is becomes an event of the run that ctx is
// of. Outside a run nobody hears it.
func TellAmount(ctx context.Context, a Amount) {
	if f, ok := ctx.Value(amountKey{}).(func(Amount)); ok {
		f(a)
	}
}

func hearAmounts(ctx context.Context, f func(Amount)) context.Context {
	return context.WithValue(ctx, amountKey{}, f)
}
