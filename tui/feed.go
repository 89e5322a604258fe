package tui

import (
	"sync"

	"goxin/steps/engine"
)

// feed takes events from the engine and never makes it wait: a terminal that is
// stopped or gone must not stop a run in the middle of an operation. The wizard
// fetches what has come in batches.
type feed struct {
	mu     sync.Mutex
	events []engine.Event
	ready  chan struct{} // holds one token while events wait
}

// feedMost bounds what waits when nobody fetches; what programs print, and what was
// told on the way, goes first.
const feedMost = 4096

func newFeed() *feed { return &feed{ready: make(chan struct{}, 1)} }

// notify is what the engine calls.
func (f *feed) notify(ev engine.Event) {
	f.mu.Lock()
	n := len(f.events)
	switch {
	case n > 0 && ev.What == engine.Surveying && f.events[n-1].What == ev.What && f.events[n-1].Step == ev.Step:
		f.events[n-1] = ev // it replaces the one before
	case n >= feedMost:
		f.events = append(withoutWords(f.events), ev)
	default:
		f.events = append(f.events, ev)
	}
	f.mu.Unlock()
	f.wake()
}

// wake has whoever fetches look.
func (f *feed) wake() {
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

// take empties the feed.
func (f *feed) take() []engine.Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	evs := f.events
	f.events = nil
	return evs
}

func withoutWords(evs []engine.Event) []engine.Event {
	kept := evs[:0]
	for _, ev := range evs {
		if ev.What == engine.Output {
			continue
		}
		if ev.What == engine.Telling { // but for what became of a fault
			if s, ok := sampleOf(ev); !ok || s.Done == nil {
				continue
			}
		}
		kept = append(kept, ev)
	}
	return kept
}
