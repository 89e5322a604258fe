package race

import (
	"context"
	"sync"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/fetch"
)

// Shares of the time: until then the package must be found, the samples taken, and
// everything over. The rest of the last is for letting go.
const (
	findShare   = 0.40
	sampleShare = 0.60
	wholeShare  = 0.97
)

// race is one race under way.
type race struct {
	m       machine.Machine
	targets []Target
	main    int
	limits  Limits
	budget  *fetch.Budget
	start   time.Time
	last    int64 // bytes for each in the final

	mu      sync.Mutex
	over    bool // nobody writes results any more
	runners []*runner
	changed chan struct{}
	found   chan struct{} // closed when pick is final
	pick    pkg           // what is measured with; no path: nothing was found
}

// Run races the candidates for targets on m's network. say is handed all results, in
// their order so far, when something changed, at most ten times a second, and never
// twice at once; it may be nil. The results of a race that was cancelled are returned
// together with the context's error. It ends within the limits whatever the network
// does; of a connection that does not even let itself be closed, the goroutine stays.
func Run(ctx context.Context, m machine.Machine, targets []Target, candidates []Candidate, l Limits, say func([]Result)) (Report, error) {
	r := newRace(m, l.orDefaults(Defaults()), finalBytes)
	r.targets = targets
	if err := r.check(candidates); err != nil {
		return Report{}, err
	}
	for i, t := range targets {
		if t.Main {
			r.main = i
			break
		}
	}
	for _, c := range candidates {
		r.runners = append(r.runners, newRunner(r, c))
	}
	return r.report(ctx, r.run, say)
}

// newRace is one that begins now.
func newRace(m machine.Machine, l Limits, last int64) *race {
	return &race{
		m: m, limits: l, start: m.Now(), last: last, changed: make(chan struct{}, 1), found: make(chan struct{}),
		budget: fetch.NewBudget(l.Bytes - min(1<<20, l.Bytes/8)), // the rest: what is under way when it ends
	}
}

// report runs the race and lets go of everything.
func (r *race) report(ctx context.Context, run func(context.Context), say func([]Result)) (Report, error) {
	whole, cancel := context.WithTimeout(ctx, r.share(wholeShare))
	defer cancel()
	said := r.tell(whole, say)
	run(whole)
	cancel()
	for _, n := range r.runners {
		n.client.Close()
	}
	<-said
	r.settle()
	report := Report{Results: r.results(true), Package: r.pick.path, Took: r.m.Now().Sub(r.start), Bytes: r.budget.Used()}
	if say != nil {
		say(report.Results)
	}
	return report, ctx.Err()
}

func (r *race) check(candidates []Candidate) error {
	if len(r.targets) == 0 || len(candidates) == 0 {
		return lang.Errorf(nil, "cannot compare mirrors: there is nothing to compare", "无法比较软件源：没有可比较的对象")
	}
	for _, c := range candidates {
		if len(c.URLs) != len(r.targets) {
			return lang.Errorf(nil, "cannot compare mirrors: %s has %d addresses for %d repositories", "无法比较软件源：%s 有 %d 个地址，而软件源共 %d 个", c.ID, len(c.URLs), len(r.targets))
		}
	}
	return nil
}

// share is a part of the time.
func (r *race) share(part float64) time.Duration {
	return time.Duration(part * float64(r.limits.Time))
}

// until is how long it is to a part of the time.
func (r *race) until(part float64) time.Duration {
	return r.share(part) - r.m.Now().Sub(r.start)
}

func (r *race) run(whole context.Context) {
	heats, stop := context.WithTimeout(whole, r.share(sampleShare))
	defer stop()
	var scouted, done sync.WaitGroup
	for _, n := range r.runners {
		scouted.Add(1)
		done.Go(func() {
			n.scout(heats)
			scouted.Done()
			select {
			case <-r.found:
				n.sample(heats)
			case <-heats.Done():
			}
		})
		done.Go(func() { n.others(heats) })
	}
	r.await(heats, &scouted)
	r.find(heats)
	close(r.found)
	wait(heats, &done)
	stop()
	r.final(whole)
}

// await is over when all have their index, when one has it and the others had the
// time for a first byte, or when it is time.
func (r *race) await(ctx context.Context, scouted *sync.WaitGroup) {
	early, cancel := context.WithTimeout(ctx, r.limits.FirstByte)
	defer cancel()
	if wait(early, scouted) || len(r.sound()) > 0 {
		return
	}
	late, cancel := context.WithTimeout(ctx, r.until(findShare))
	defer cancel()
	wait(late, scouted)
}

// wait waits for a group as long as the context lives.
func wait(ctx context.Context, g *sync.WaitGroup) bool {
	all := make(chan struct{})
	go func() {
		g.Wait()
		close(all)
	}()
	select {
	case <-all:
		return true
	case <-ctx.Done():
		return false
	}
}

// tell calls say as things change, until ctx ends; the channel closes then.
func (r *race) tell(ctx context.Context, say func([]Result)) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-r.changed:
			case <-ctx.Done():
				return
			}
			if say == nil {
				continue
			}
			say(r.results(false))
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return
			}
		}
	}()
	return done
}

// set changes a runner's result, unless the race is over.
func (r *race) set(n *runner, change func(*runner)) {
	r.mu.Lock()
	if !r.over {
		change(n)
	}
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// settle ends the race: whoever is not done was too slow.
func (r *race) settle() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	for _, n := range r.runners {
		if !n.res.Usable && n.res.Why == "" {
			n.res.Why = Slow
		}
	}
}
