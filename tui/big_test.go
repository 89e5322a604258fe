package tui

import (
	"fmt"
	"testing"

	"goxin/steps/engine"
)

// bigPlan rewrites a file of n lines.
func bigPlan(n int) func(string) *engine.StepPlan {
	return func(step string) *engine.StepPlan {
		p := fakePlan(step)
		var h engine.Hunk
		for i := range n {
			h.Lines = append(h.Lines, ln(engine.Delete, i+1, 0, fmt.Sprintf("parameter.%d = old", i)), ln(engine.Create, 0, i+1, fmt.Sprintf("parameter.%d = new", i)))
		}
		p.Items[1].Diff.Hunks = []engine.Hunk{h}
		return p
	}
}

func TestABigDiffIsDrawnOnceForAllKeys(t *testing.T) {
	d := drive(t, &fakeSession{plan: bigPlan(5000)}).toDiff()
	d.app.View()
	p := d.app.page.(*diffPage)
	first := &p.kept.lines[0]
	d.keys("down", "pgdown", "up").app.View()
	if first != &p.kept.lines[0] {
		t.Error("ten thousand lines were drawn anew for a key")
	}
	d.keys("f2").app.View()
	if first == &p.kept.lines[0] {
		t.Error("the language was switched, and the lines were not drawn anew")
	}
}
