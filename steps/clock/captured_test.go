package clock

import (
	"context"
	"path/filepath"
	"testing"

	"goxin/assets"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// A captured machine plans, converges, and then wants the same and changes
// nothing; nothing runs there, so nothing is proved.
func TestCapturedMachinesConverge(t *testing.T) {
	names := assets.Machines()
	if len(names) == 0 {
		t.Fatal("no captured machines")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r, err := assets.OpenMachine(name)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			m, err := machine.OpenRecorded(name, r, filepath.Join(tempDir(t), name))
			if err != nil {
				t.Fatal(err)
			}
			f, err := detect.Detect(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			h := engine.Hosts{Order: []machine.ID{m.ID()}, Facts: map[machine.ID]*detect.Facts{m.ID(): f}}
			golden(t, "captured-"+name, told(t, h, surveyOf(t, m, h, nil), nil))

			v := engine.Values{keyServers: []string{"10.0.0.1", "10.0.0.2"}}
			sv := surveyOf(t, m, h, v)
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
			again, err := Step{}.Ops(h, surveyOf(t, m, h, v), v)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := wanted(t, items), wanted(t, again); a != b {
				t.Errorf("wanted before:\n%s\nafter:\n%s", a, b)
			}
			if left := still(t, m, again); left != nil {
				t.Errorf("still differs: %v", left)
			}
		})
	}
}
