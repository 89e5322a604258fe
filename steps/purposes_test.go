package steps

import (
	"slices"
	"strings"
	"testing"

	"goxin/steps/engine"
)

func TestPurposesPickStepsInTheirOrderAndAnswerTheirFields(t *testing.T) {
	var order []string
	fields := map[string][]engine.Field{}
	for _, s := range All() {
		order = append(order, s.ID())
		fields[s.ID()] = s.Fields()
	}
	if len(Purposes()) < 2 {
		t.Fatal("a machine can become fewer than two things")
	}
	for _, p := range Purposes() {
		at := -1
		for _, id := range p.Steps {
			i := slices.Index(order, id)
			if i <= at {
				t.Errorf("%s: %s stands at the wrong place in %s", p.ID, id, strings.Join(p.Steps, " "))
			}
			at = i
		}
		for step, vs := range p.Answers {
			if !slices.Contains(p.Steps, step) {
				t.Errorf("%s answers %s, which it does not pick", p.ID, step)
			}
			for k, v := range vs {
				ok := slices.ContainsFunc(fields[step], func(f engine.Field) bool {
					return f.Key == k && (f.Kind != engine.Choice || slices.ContainsFunc(f.Options, func(o engine.Option) bool { return o.Value == v }))
				})
				if !ok {
					t.Errorf("%s answers %s.%s with %v, which is no answer", p.ID, step, k, v)
				}
			}
		}
	}
}
