package clock

import (
	"testing"

	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// A captured machine plans, converges, and then wants the same and changes
// nothing; nothing runs there, so nothing is proved.
func TestCapturedMachinesConverge(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		steptest.Golden(t, "captured-"+name, told(t, h, steptest.Survey(t, Step{}, m, h, nil), nil))

		v := engine.Values{keyServers: []string{"10.0.0.1", "10.0.0.2"}}
		sv := steptest.Survey(t, Step{}, m, h, v)
		items, err := Step{}.Ops(h, sv, v)
		if err != nil {
			t.Fatal(err)
		}
		if len(still(t, m, items)) == 0 {
			t.Error("the servers of the site are written nowhere")
		}
		if p := (Step{}).Proofs(h, sv, v); p != nil {
			t.Errorf("%d proofs where nothing runs", len(p))
		}
		write(t, m, items)
		again, err := Step{}.Ops(h, steptest.Survey(t, Step{}, m, h, v), v)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := steptest.Wanted(t, items), steptest.Wanted(t, again); a != b {
			t.Errorf("wanted before:\n%s\nafter:\n%s", a, b)
		}
		if left := still(t, m, again); left != nil {
			t.Errorf("still differs: %v", left)
		}
	})
}
