package replay

import (
	"maps"
	"slices"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// step stands for a step of the run: its answers are given, so it asks nothing, and
// what it planned is in the record.
type step struct {
	id    string
	title lang.Text
}

func (s step) ID() string             { return s.id }
func (s step) Title() lang.Text       { return s.title }
func (s step) Fields() []engine.Field { return nil }

func (s step) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question { return nil }

func (s step) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) { return nil, nil }

// stepsOf are the steps a run began, and the one it failed of before that began.
func stepsOf(r *engine.RunRecord, known []engine.Step) []step {
	var out []step
	at := make(map[string]int) // where a step stands in out
	done := make(map[string]bool)
	for _, st := range r.Steps {
		if _, again := at[st.Step]; !again {
			at[st.Step] = len(out)
			out = append(out, step{st.Step, st.Title})
		}
		done[st.Step] = st.Done
	}
	if r.Error.Empty() || slices.Contains(slices.Collect(maps.Values(done)), false) {
		return out
	}
	for _, k := range known {
		_, asked := r.Answers[k.ID()]
		if _, began := at[k.ID()]; asked && !began {
			return append(out, step{k.ID(), k.Title()})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.Answers)) { // steps of another goxin
		if _, began := at[id]; !began {
			return append(out, step{id, lang.Same(id)})
		}
	}
	return out
}
