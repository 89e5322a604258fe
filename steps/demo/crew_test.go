package demo

import (
	"context"
	"net/netip"
	"sync"
	"testing"
)

// A machine whose line was cut dials again at once: it does while the demo is closed,
// which cuts it.
func TestADemoIsClosedWhileSomebodyDialsAgainAndAgain(t *testing.T) {
	d := opened(t, kunpeng)
	port := netip.AddrPortFrom(secondAddress, 22).String()
	dial := func() error {
		conn, err := d.Machine.Dial(context.Background(), "tcp", port)
		if err == nil {
			_ = conn.Close()
		}
		return err
	}
	if err := dial(); err != nil {
		t.Fatal(err)
	}
	var dialling sync.WaitGroup
	for range 4 {
		dialling.Go(func() {
			for dial() == nil {
			}
		})
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	dialling.Wait() // nobody answers a demo that is over
}

func TestACrewThatIsClosedTakesNobodyOn(t *testing.T) {
	for range 50 {
		c := newCrew()
		var mu sync.Mutex
		at, closed, late := 0, false, 0
		work := func() {
			mu.Lock()
			defer mu.Unlock()
			if at++; closed {
				late++
			}
		}
		var outside sync.WaitGroup
		for range 4 {
			outside.Go(func() {
				for c.begin(work) {
				}
			})
		}
		inside := make(chan struct{})
		c.begin(func() {
			close(inside)
			for c.begin(work) {
			}
		})
		<-inside
		c.close()
		mu.Lock()
		closed = true
		mu.Unlock()
		outside.Wait()
		if late > 0 || c.begin(work) {
			t.Fatalf("%d came late", late)
		}
		c.close() // once more is nothing
	}
}
