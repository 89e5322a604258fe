package vrrp

import "time"

// Freezes are how long a machine may stand still without anything being wrong with it. A
// virtual machine does for a snapshot or while it is moved: acassen/keepalived#542 has
// one to two seconds.
const (
	FreezeVirtual = 2 * time.Second
	FreezeMetal   = 100 * time.Millisecond
)

// Choice is one way to set the interval, with what it costs.
type Choice struct {
	Advert time.Duration
	// NodeDown is the longest outage when a node dies without a goodbye.
	NodeDown time.Duration
	// Tolerates is the longest freeze of the owner that moves nothing.
	Tolerates time.Duration
	// Risky says that the owner may stand still for longer than that and be well.
	Risky bool
}

// Weigh says what an interval costs where the standby has the priority t has.
func Weigh(t Timing, advert time.Duration, virtual bool) Choice {
	t.Advert = advert
	freeze := FreezeMetal
	if virtual {
		freeze = FreezeVirtual
	}
	return Choice{advert, Predict(t, FaultOff), t.Tolerates(), t.Tolerates() < freeze}
}

// Adverts are the intervals worth choosing from.
func Adverts() []time.Duration {
	return []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}
}

// Choose is the shortest interval that carries no risk, but 200 ms at least: below, a busy
// node is taken for a dead one.
func Choose(t Timing, virtual bool) time.Duration {
	for _, a := range Adverts()[1:] {
		if !Weigh(t, a, virtual).Risky {
			return a
		}
	}
	return Adverts()[len(Adverts())-1]
}
