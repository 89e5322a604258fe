package engine

import (
	"errors"
	"slices"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// hostsCalled are machines of those host names; "" is not known.
func hostsCalled(names map[machine.ID]string, order ...machine.ID) Hosts {
	h := Hosts{Order: order, Facts: map[machine.ID]*detect.Facts{}}
	for id, name := range names {
		h.Facts[id] = &detect.Facts{Hostname: detect.Fact[string]{Value: name, Known: name != ""}}
	}
	return h
}

func TestWhatHoldsOfBothMachinesIsToldOnce(t *testing.T) {
	const here, there machine.ID = machine.LocalID, "peer:10.0.0.2"
	pair := hostsCalled(map[machine.ID]string{here: "a1", there: "a2"}, here, there)
	plain := func(s string) Note { return Note{Text: lang.Same(s)} }
	warn := func(s string) Note { return Note{Warn: true, Text: lang.Same(s)} }
	of := func(notes map[machine.ID][]Note) func(machine.ID) ([]Note, error) {
		return func(id machine.ID) ([]Note, error) { return notes[id], nil }
	}
	for name, c := range map[string]struct {
		hosts  Hosts
		told   map[machine.ID][]Note
		en, zh []string
	}{
		"one machine says it plainly": {hostsCalled(map[machine.ID]string{here: "a1"}, here), map[machine.ID][]Note{here: {plain("x")}}, []string{"x"}, []string{"x"}},
		"alike on both":               {pair, map[machine.ID][]Note{here: {plain("x")}, there: {plain("x")}}, []string{"both machines: x"}, []string{"两台机器：x"}},
		"on one alone":                {pair, map[machine.ID][]Note{there: {plain("x")}}, []string{"a2: x"}, []string{"a2：x"}},
		"in the first one's order, then the other's own": {
			pair,
			map[machine.ID][]Note{here: {plain("x"), plain("y")}, there: {plain("z"), plain("x")}},
			[]string{"both machines: x", "a1: y", "a2: z"},
			[]string{"两台机器：x", "a1：y", "a2：z"},
		},
		"a warning on one of them": {pair, map[machine.ID][]Note{here: {warn("x")}, there: {plain("x")}}, []string{"a1: x", "a2: x"}, []string{"a1：x", "a2：x"}},
		"three": {
			hostsCalled(map[machine.ID]string{here: "a", "peer:b": "b", "peer:c": "c"}, here, "peer:b", "peer:c"),
			map[machine.ID][]Note{here: {plain("x"), plain("y")}, "peer:b": {plain("x"), plain("y")}, "peer:c": {plain("x")}},
			[]string{"all machines: x", "a: y", "b: y"},
			[]string{"所有机器：x", "a：y", "b：y"},
		},
	} {
		var en, zh []string
		for _, n := range c.hosts.Notes(of(c.told)) {
			en, zh = append(en, n.Text.EN), append(zh, n.Text.ZH)
		}
		if !slices.Equal(en, c.en) || !slices.Equal(zh, c.zh) {
			t.Errorf("%s: %q, %q", name, en, zh)
		}
	}
	if got := pair.Notes(func(id machine.ID) ([]Note, error) {
		if id == there {
			return nil, errors.New("no plan")
		}
		return []Note{plain("x")}, nil
	}); got != nil {
		t.Errorf("notes on what cannot be planned: %v", got)
	}
}

func TestAMachineIsCalledByAHostNameThatTellsItApart(t *testing.T) {
	const here, there machine.ID = machine.LocalID, "peer:10.0.0.2"
	for name, c := range map[string]struct {
		names       map[machine.ID]string
		here, there string
	}{
		"two names":        {map[machine.ID]string{here: "a1", there: "a2"}, "a1", "a2"},
		"the same name":    {map[machine.ID]string{here: "a", there: "a"}, "a, here", "a at 10.0.0.2"},
		"no names":         {map[machine.ID]string{here: "", there: ""}, "this machine", "10.0.0.2"},
		"nothing is known": {nil, "this machine", "10.0.0.2"},
	} {
		h := hostsCalled(c.names, here, there)
		if a, b := h.Name(here).EN, h.Name(there).EN; a != c.here || b != c.there {
			t.Errorf("%s: %q and %q", name, a, b)
		}
	}
}
