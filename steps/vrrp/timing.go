package vrrp

import "time"

// Fault is something that is done to one node of a pair.
type Fault string

// The faults. Each but FaultSplit is done to the node that owns the address.
const (
	FaultSwitchover        Fault = "switchover"         // it is told to hand the address over
	FaultNginxStopped      Fault = "nginx-stopped"      // systemctl stop
	FaultNginxHangs        Fault = "nginx-hangs"        // SIGSTOP
	FaultNginxKilled       Fault = "nginx-killed"       // SIGKILL
	FaultKeepalivedStopped Fault = "keepalived-stopped" // systemctl stop: it says goodbye
	FaultKeepalivedKilled  Fault = "keepalived-killed"  // SIGKILL to all of it: no goodbye, the address stays behind
	FaultSplit             Fault = "split-brain"        // IP protocol 112 is dropped both ways, nothing else
	FaultLink              Fault = "link-cut"
	FaultDisk              Fault = "disk-full"
	FaultOff               Fault = "node-off"
)

// Faults are all of them, in the order a drill goes through them: from the gentlest to
// the roughest.
func Faults() []Fault {
	return []Fault{
		FaultSwitchover, FaultNginxStopped, FaultNginxKilled, FaultNginxHangs, FaultKeepalivedStopped,
		FaultKeepalivedKilled, FaultDisk, FaultSplit, FaultLink, FaultOff,
	}
}

// Timing is what decides how long a failover takes.
type Timing struct {
	Version  int           // of VRRP: 2, or 3 (also 0)
	Advert   time.Duration // advert_int
	Priority int           // of the node that takes over, 1 to 254
	// Detect is how long keepalived takes to know that nginx is gone, where something
	// tells it; 0 where only the check finds out.
	Detect time.Duration
	// CheckEvery, Fall and CheckTimeout are interval, fall and timeout of the check that
	// asks nginx. A Fall of 0 is 1.
	CheckEvery   time.Duration
	Fall         int
	CheckTimeout time.Duration
	// Weighted checks take from the priority instead of giving the address up: no
	// goodbye is sent, and the other node has to wait as if this one were dead.
	Weighted bool
	// Settle is what the machines add to the formula: a process is scheduled, the
	// announcement is read by the neighbours, and a question comes after it.
	Settle time.Duration
}

// Skew is how long the node that takes over waits after a goodbye (an advertisement with
// priority 0), and what it adds to the silence it waits for: RFC 5798 §6.1 for version 3,
// RFC 3768 §6.1 for version 2; keepalived, include/vrrp.h, VRRP_TIMER_SKEW.
func (t Timing) Skew() time.Duration {
	unit := t.Advert
	if t.Version == 2 {
		unit = time.Second
	}
	return unit * time.Duration(256-t.Priority) / 256
}

// MasterDown is the silence after which a node takes over: three advertisements and the skew.
func (t Timing) MasterDown() time.Duration { return 3*t.Advert + t.Skew() }

// Tolerates is the longest that the owner may be frozen without losing the address,
// whenever that comes: the freeze may begin right before it advertises.
func (t Timing) Tolerates() time.Duration { return t.MasterDown() - t.Advert }

// found is how long until keepalived knows that nginx no longer answers; gone: since its
// process has ended, so that a connection is refused at once.
func (t Timing) found(gone bool) time.Duration {
	byCheck := t.CheckEvery * time.Duration(max(t.Fall, 1)) // a fault comes right after a check at worst
	if !gone {
		return byCheck + t.CheckTimeout
	}
	if t.Detect > 0 {
		return t.Detect
	}
	return byCheck
}

// handOver is from the moment the owner gives up to the moment the other node has the address.
func (t Timing) handOver() time.Duration {
	if t.Weighted {
		return t.MasterDown()
	}
	return t.Skew()
}

// Predict is the longest gap in the answers that a fault may cause. For FaultSplit it
// is the gap when it is healed: the node that gives up does so on the other's next
// advertisement.
func Predict(t Timing, f Fault) time.Duration {
	switch f {
	case FaultSwitchover, FaultKeepalivedStopped:
		return t.Skew() + t.Settle
	case FaultNginxStopped, FaultNginxKilled:
		return t.found(true) + t.handOver() + t.Settle
	case FaultNginxHangs:
		return t.found(false) + t.handOver() + t.Settle
	case FaultKeepalivedKilled, FaultLink, FaultOff:
		return t.MasterDown() + t.Settle
	case FaultSplit:
		return t.Advert + t.Settle
	}
	return t.Settle // FaultDisk: nothing of the pair writes in order to serve
}
