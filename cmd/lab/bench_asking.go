package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"goxin/cmd/lab/agent"
	"goxin/steps/wire"
)

// asking is the client asking the virtual address over and over. It asks no ARP: the
// answers would put right what the client believes about the address, and a client
// whose neighbour table nobody updates must be seen to lose.
type asking struct {
	process *agent.Process
	errs    bytes.Buffer

	mu   sync.Mutex
	rest []byte  // of a line
	at   []int64 // microseconds of the asker's clock, as in wire.Batch
	took []int64
	late int64
	why  map[string]int
}

// loss is what became of the requests while something happened.
type loss struct {
	Asked, Lost int
	Gap         time.Duration // longest time between two complete answers
	Late        time.Duration // the most that a request was made after its time
	Why         map[string]int
}

func (l loss) String() string {
	return fmt.Sprintf("%d of %d lost %v, longest gap %v, the client late by %v", l.Lost, l.Asked, l.Why, l.Gap.Round(time.Millisecond), l.Late.Round(time.Millisecond))
}

// ask begins to ask.
func (b *benchPair) ask(ctx context.Context, every time.Duration) (*asking, error) {
	a := &asking{why: map[string]int{}}
	p, err := b.client.Start(ctx, agent.Command{
		Argv: []string{
			program, "wire", "ask", "--address", pairVIP, "--port", "80", "--path", "/healthz",
			"--every", every.String(), "--for", time.Hour.String(),
		},
		Stdout: a, Stderr: &a.errs,
	})
	if err != nil {
		return nil, err
	}
	a.process = p
	return a, nil
}

// stop ends it.
func (a *asking) stop() {
	_ = a.process.Signal(syscall.SIGTERM)
	_, _ = a.process.Wait()
}

// Write takes its batches, one a line.
func (a *asking) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rest = append(a.rest, p...)
	for {
		line, rest, whole := bytes.Cut(a.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		var b wire.Batch
		if err := json.Unmarshal(line, &b); err != nil {
			return 0, err
		}
		a.at, a.took, a.late = append(a.at, b.At...), append(a.took, b.Took...), max(a.late, b.Late)
		for why, n := range b.Lost {
			a.why[why] += n
		}
		a.rest = rest
	}
}

// newest is when the last request was made whose end is known; -1: none is.
func (a *asking) newest() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.at) == 0 {
		return -1
	}
	return a.at[len(a.at)-1]
}

// calmFor is how long no request has been lost, of those made after from.
func (a *asking) calmFor(from int64) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.at) == 0 {
		return 0
	}
	for i := len(a.at) - 1; i >= 0 && a.at[i] > from; i-- {
		if a.took[i] < 0 {
			from = a.at[i]
			break
		}
	}
	return time.Duration(a.at[len(a.at)-1]-max(from, a.at[0])) * time.Microsecond
}

// calm is how long every request has to be answered for nothing to be the matter, and
// calmLimit how long that may take.
const (
	calm      = time.Second
	calmLimit = time.Minute
)

// settle waits until that holds, and what else is asked for.
func (a *asking) settle(ctx context.Context, also func() (bool, error)) error {
	from := a.newest()
	for limit := time.Now().Add(calmLimit); ; {
		if a.calmFor(from) >= calm {
			if well, err := also(); well || err != nil {
				return err
			}
		}
		if time.Now().After(limit) {
			return fmt.Errorf("the pair did not come to rest within %v %s", calmLimit, a.errs.String())
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// during is what is lost while something is done, until all is well again.
func (a *asking) during(ctx context.Context, do func() error, well func() (bool, error)) (loss, error) {
	if a.newest() < 0 {
		return loss{}, errors.New("nobody asks")
	}
	from := a.newest()
	a.mu.Lock()
	a.late, a.why = 0, map[string]int{}
	a.mu.Unlock()
	if err := do(); err != nil {
		return loss{}, err
	}
	err := a.settle(ctx, well)
	return a.since(from), err
}

// since is what became of the requests made after from.
func (a *asking) since(from int64) loss {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := loss{Late: time.Duration(a.late) * time.Microsecond, Why: maps.Clone(a.why)}
	before := int64(-1) // the last complete answer until then
	var answered []int64
	for i, at := range a.at {
		end := at + a.took[i]
		switch {
		case at <= from && a.took[i] >= 0:
			before = max(before, end)
		case at > from:
			l.Asked++
			if a.took[i] < 0 {
				l.Lost++
			} else {
				answered = append(answered, end)
			}
		}
	}
	if before >= 0 {
		answered = append(answered, before)
	}
	slices.Sort(answered)
	for i := 1; i < len(answered); i++ {
		l.Gap = max(l.Gap, time.Duration(answered[i]-answered[i-1])*time.Microsecond)
	}
	return l
}
