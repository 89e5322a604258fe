package engine

import (
	"context"
	"encoding/json"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Joiner is a step whose answers name another machine, which the run is about too
// from then on.
type Joiner interface {
	// Join connects to the machine that v names; nil where it names none. home is the
	// machine the run is about: all files and connections that takes are its. A second
	// Join with the same answers gives a machine that may share the first one's
	// connection.
	Join(ctx context.Context, home machine.Machine, v Values, say func(Progress)) (machine.Machine, error)
}

// Paired is a step that is done on every machine of a run. The others are done on the
// machine the run is about alone: the same answers file does them on the other one.
type Paired interface{ Paired() bool }

// Telling is an event with data of a step's own, for screens that know it: Kind says
// which, Data is its JSON.
const Telling What = "telling"

type tellKey struct{}

// Tell is for a step's proof and an op's Do: data becomes an event of the run that ctx
// is of. Outside a run nobody hears it.
func Tell(ctx context.Context, kind string, data any) {
	f, ok := ctx.Value(tellKey{}).(func(Event))
	if !ok {
		return
	}
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // plain data of ours
	}
	f(Event{What: Telling, Kind: kind, Data: b})
}

// HearTold has f hear what is told with ctx.
func HearTold(ctx context.Context, f func(Event)) context.Context {
	return context.WithValue(ctx, tellKey{}, f)
}

type keepKey struct{}

// Kept is data that a proof on a machine had the journal hold.
type Kept struct {
	On   machine.ID      `json:"on"`
	Kind string          `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// Keep has the run's journal hold data that a proof of ctx has found, under a name of the
// step's own (kind), for the report; what was kept under it before is replaced. It is
// plain data of at most 256 KiB of JSON; a machine that cannot take it is an error.
// Outside a run nothing is kept.
func Keep(ctx context.Context, kind string, data any) error {
	f, ok := ctx.Value(keepKey{}).(func(string, json.RawMessage) error)
	if !ok {
		return nil
	}
	b, err := json.Marshal(data)
	if err != nil {
		panic(err) // plain data of ours
	}
	if len(b) > mostFacts {
		return lang.Because(nil, "too much to keep: %d bytes", "内容过大，无法保存：%d 字节", len(b))
	}
	return f(kind, b)
}

type machinesKey struct{}

// WithMachines makes ms known to what works with ctx.
func WithMachines(ctx context.Context, ms map[machine.ID]machine.Machine) context.Context {
	return context.WithValue(ctx, machinesKey{}, ms)
}

// MachinesOf are all machines of the run that ctx is of, for an op that brings
// something from one to another and for a proof that takes two.
func MachinesOf(ctx context.Context) map[machine.ID]machine.Machine {
	ms, _ := ctx.Value(machinesKey{}).(map[machine.ID]machine.Machine)
	return ms
}
