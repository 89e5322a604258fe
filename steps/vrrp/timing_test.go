package vrrp

import (
	"testing"
	"time"
)

const ms = time.Millisecond

// The configurations that tools and blogs hand out, and goxin's own.
var (
	blog    = Timing{Version: 2, Advert: time.Second, Priority: 100, CheckEvery: 2 * time.Second, Weighted: true}
	plus    = Timing{Version: 3, Advert: time.Second, Priority: 100, CheckEvery: 3 * time.Second, Weighted: true}
	kubeasz = Timing{Version: 2, Advert: 3 * time.Second, Priority: 61, Detect: 3 * time.Second, Weighted: true}
	harbor  = Timing{Version: 2, Advert: time.Second, Priority: 50, CheckEvery: 10 * time.Second, Fall: 2}
	quick   = Timing{Version: 3, Advert: 200 * ms, Priority: 253, Detect: 20 * ms, CheckEvery: time.Second, Fall: 2, CheckTimeout: 800 * ms}
	calm    = Timing{Advert: time.Second, Priority: 253, Detect: 20 * ms, CheckEvery: time.Second, Fall: 3, CheckTimeout: 900 * ms, Settle: 40 * ms}
)

func TestPredictIsWhatTheFormulasSay(t *testing.T) {
	for _, c := range []struct {
		name  string
		t     Timing
		fault Fault
		want  time.Duration
	}{
		{"blog: a dead host", blog, FaultOff, 3609375 * time.Microsecond},
		{"blog: a dead nginx", blog, FaultNginxKilled, 5609375 * time.Microsecond},
		{"NGINX Plus: a dead host", plus, FaultOff, 3609375 * time.Microsecond},
		{"NGINX Plus: a dead nginx", plus, FaultNginxKilled, 6609375 * time.Microsecond},
		{"kubeasz: a dead host", kubeasz, FaultOff, 9761718750},
		{"kubeasz: a dead service", kubeasz, FaultNginxStopped, 12761718750},
		{"harbor: a dead host", harbor, FaultLink, 3804687500},
		{"harbor: a dead service", harbor, FaultNginxKilled, 20804687500},

		{"quick: a dead host", quick, FaultOff, 602343750},
		{"quick: a cut link", quick, FaultLink, 602343750},
		{"quick: keepalived killed", quick, FaultKeepalivedKilled, 602343750},
		{"quick: keepalived stopped", quick, FaultKeepalivedStopped, 2343750},
		{"quick: switched over", quick, FaultSwitchover, 2343750},
		{"quick: nginx stopped", quick, FaultNginxStopped, 22343750},
		{"quick: nginx killed", quick, FaultNginxKilled, 22343750},
		{"quick: nginx hangs", quick, FaultNginxHangs, 2802343750},
		{"quick: split and healed", quick, FaultSplit, 200 * ms},
		{"quick: a full disk", quick, FaultDisk, 0},

		{"calm: a dead host", calm, FaultOff, 3051718750},
		{"calm: nginx hangs", calm, FaultNginxHangs, 3951718750},
		{"calm: a full disk", calm, FaultDisk, 40 * ms},
	} {
		if got := Predict(c.t, c.fault); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestEveryFaultOfADrillHasAPredictionOfItsOwnKind(t *testing.T) {
	for _, f := range Faults() {
		if f != FaultDisk && Predict(quick, f) <= 0 {
			t.Errorf("%s is predicted to go unseen", f)
		}
	}
}

func TestAFreezeThatIsTolerated(t *testing.T) {
	if got, want := quick.Tolerates(), 402343750*time.Nanosecond; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestTheIntervalIsChosenForTheMachine(t *testing.T) {
	for _, c := range []struct {
		virtual bool
		want    time.Duration
	}{{false, 200 * ms}, {true, time.Second}} {
		got := Choose(quick, c.virtual)
		if got != c.want || Weigh(quick, got, c.virtual).Risky {
			t.Errorf("virtual %t: %s, want %s", c.virtual, got, c.want)
		}
	}
	if w := Weigh(quick, 200*ms, true); !w.Risky || w.NodeDown != 602343750 {
		t.Errorf("200 ms on a virtual machine: %+v", w)
	}
}
