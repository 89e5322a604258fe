// Package engine plans, applies, verifies, journals, resumes and undoes. It is
// written once, for every step and every kind of operation, and knows none of
// them: steps come in as Step, operations as Op, machines as machine.Machine. It
// prints nothing and never exits; what happens goes out as Events.
package engine

import (
	"context"
	"strconv"
	"sync"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// RunID numbers the runs of a state directory from 1. The clock of a new
// machine is often dead, so runs are ordered by number, not by time.
type RunID int

func (r RunID) String() string { return strconv.Itoa(int(r)) }

// ErrNotOurs is returned by Op.Undo when the target is neither as we left it
// nor as it was: somebody changed it since, and it is theirs now.
var ErrNotOurs error = lang.Because(nil, "changed by somebody since", "之后被他人改动过")

// Config is what an Engine works with.
type Config struct {
	Machines []machine.Machine // the first is the one the run is about
	Home     machine.Machine   // where the journal is kept; nil: the first machine
	Dir      string            // the state directory on Home; "": /var/lib/goxin
	Steps    []Step            // all there are, in order
	Kinds    Kinds
	Detect   func(context.Context, machine.Machine) (*detect.Facts, error)
	Notify   func(Event) // called from one goroutine at a time; nil: nobody listens
	Owner    string      // who runs: "person", "ansible", …
	Version  string      // of goxin, for the journal
}

// DefaultDir is where the journal is kept.
const DefaultDir = "/var/lib/goxin"

// Engine does the work. Make one per process with New.
type Engine struct {
	shelf   // of the machine the journal is kept on
	steps   []Step
	detect  func(context.Context, machine.Machine) (*detect.Facts, error)
	owner   string
	version string

	mu       sync.Mutex // of what follows
	machines map[machine.ID]machine.Machine
	order    []machine.ID
	joined   map[string]joined // by the step whose answers name it
	hosts    Hosts
	listen   func(Event)
	// surveyed is the last survey of each step, for a run that has changed nothing
	// since: a plan and the run that applies it ask the network once.
	surveyed map[string]looked
}

// New makes an engine. It touches nothing.
func New(c Config) *Engine {
	e := &Engine{
		machines: make(map[machine.ID]machine.Machine),
		shelf:    shelf{home: c.Home, dir: c.Dir, kinds: c.Kinds, first: c.Machines[0].ID()},
		steps:    c.Steps, detect: c.Detect,
		owner: c.Owner, version: c.Version, listen: c.Notify,
	}
	for _, m := range c.Machines {
		e.machines[m.ID()] = m
		e.order = append(e.order, m.ID())
	}
	if e.home == nil {
		e.home = c.Machines[0]
	}
	if e.dir == "" {
		e.dir = DefaultDir
	}
	return e
}

// Dir is the state directory, on the machine where the journal is kept.
func (e *Engine) Dir() string { return e.dir }

// Step is the step with this ID; nil when there is none.
func (e *Engine) Step(id string) Step {
	for _, s := range e.steps {
		if s.ID() == id {
			return s
		}
	}
	return nil
}

// Detect learns the facts of all machines, anew: a step may have changed them.
func (e *Engine) Detect(ctx context.Context) (Hosts, error) {
	h := Hosts{Order: e.ordered(), Facts: make(map[machine.ID]*detect.Facts)}
	for _, id := range h.Order {
		f, err := e.detect(ctx, e.machine(id))
		if err != nil {
			return Hosts{}, lang.Errorf(err, "cannot detect machine %s", "无法检测机器 %s", id)
		}
		h.Facts[id] = f
	}
	e.mu.Lock()
	e.hosts = h
	e.mu.Unlock()
	return h, nil
}

func (e *Engine) hostsKnown(ctx context.Context) (Hosts, error) {
	e.mu.Lock()
	h := e.hosts
	e.mu.Unlock()
	if h.Facts != nil {
		return h, nil
	}
	return e.Detect(ctx)
}

// Name is what a person calls a machine of the run, as Hosts.Name has it.
func (e *Engine) Name(id machine.ID) lang.Text {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.hosts.Name(id)
}

// Listen replaces who hears of events; nil: nobody.
func (e *Engine) Listen(f func(Event)) {
	e.mu.Lock()
	e.listen = f
	e.mu.Unlock()
}

func (e *Engine) notify(ev Event) {
	ev.Version, ev.Time = 1, e.home.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listen != nil {
		e.listen(ev)
	}
}

// Steps are all steps, in order.
func (e *Engine) Steps() []Step { return e.steps }
