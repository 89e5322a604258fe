package engine

import (
	"context"
	"errors"
	"io"
	"maps"
	"reflect"
	"slices"

	"goxin/detect"
	"goxin/detect/machine"
)

// joined is a machine that a step's answers brought into the run.
type joined struct {
	values  Values
	machine machine.Machine // nil: they name none
}

// join brings the machine that s's answers v name into the run; the one they named
// before leaves it.
func (e *Engine) join(ctx context.Context, s Step, v Values) error {
	j, ok := s.(Joiner)
	if !ok {
		return nil
	}
	e.mu.Lock()
	old, known := e.joined[s.ID()]
	home := e.machines[e.first]
	e.mu.Unlock()
	if known && reflect.DeepEqual(old.values, v) {
		return nil
	}
	m, err := j.Join(ctx, home, v, func(p Progress) {
		e.notify(Event{What: Surveying, Step: s.ID(), Text: p.Text, Table: p.Table})
	})
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if old.machine != nil {
		e.leaveLocked(old.machine)
	}
	if e.joined == nil {
		e.joined = make(map[string]joined)
	}
	e.joined[s.ID()] = joined{maps.Clone(v), m}
	if m != nil {
		if _, there := e.machines[m.ID()]; !there {
			e.order = append(slices.Clone(e.order), m.ID())
		}
		e.machines = maps.Clone(e.machines)
		e.machines[m.ID()] = m
	}
	e.hosts, e.surveyed = Hosts{}, nil
	return nil
}

// leaveLocked takes m out of the run and hangs up.
func (e *Engine) leaveLocked(m machine.Machine) {
	e.machines = maps.Clone(e.machines)
	delete(e.machines, m.ID())
	e.order = slices.DeleteFunc(slices.Clone(e.order), func(id machine.ID) bool { return id == m.ID() })
	hangUp(m)
}

func hangUp(m machine.Machine) {
	if c, ok := m.(io.Closer); ok {
		_ = c.Close() // nothing is done there any more
	}
}

// rejoin brings the machines of a run that has been into this engine.
func (e *Engine) rejoin(ctx context.Context, h *history) error {
	for _, s := range e.steps {
		v, ok := h.header.Answers[s.ID()]
		for _, st := range h.steps { // as it was carried out, where it was
			if st.id == s.ID() {
				v, ok = st.values, true
			}
		}
		if how, joined := h.joins[s.ID()]; joined {
			v, ok = how, true
		}
		if !ok {
			continue
		}
		if err := e.join(WithMachines(ctx, nil), s, v); err != nil {
			return err
		}
	}
	return nil
}

// joinedBy is the step whose answers brought a machine into the run, with these.
func (e *Engine) joinedBy(id machine.ID) (string, Values) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for step, j := range e.joined {
		if j.machine != nil && j.machine.ID() == id {
			return step, j.values
		}
	}
	return "", nil
}

// Close hangs up on the machines that were joined.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, j := range e.joined {
		if c, ok := j.machine.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	e.joined = nil
	return errors.Join(errs...)
}

// HostsOf are the machines that s is done on.
func HostsOf(s Step, h Hosts) Hosts {
	if p, ok := s.(Paired); ok && p.Paired() || len(h.Order) < 2 {
		return h
	}
	id, f := h.First()
	return Hosts{Order: h.Order[:1], Facts: map[machine.ID]*detect.Facts{id: f}}
}

// of are the machines of h.
func (e *Engine) of(h Hosts) map[machine.ID]machine.Machine {
	e.mu.Lock()
	defer e.mu.Unlock()
	ms := make(map[machine.ID]machine.Machine, len(h.Order))
	for _, id := range h.Order {
		ms[id] = e.machines[id]
	}
	return ms
}

// within is ctx for work on the machines of a run, whose telling becomes events.
func (e *Engine) within(ctx context.Context, ev Event) context.Context {
	e.mu.Lock()
	ms := e.machines
	e.mu.Unlock()
	return HearTold(WithMachines(ctx, ms), func(t Event) {
		ev := ev
		ev.What, ev.Kind, ev.Data = Telling, t.Kind, t.Data
		e.notify(ev)
	})
}
