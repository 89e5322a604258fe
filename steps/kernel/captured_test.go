package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"

	"goxin/assets"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

// A captured machine plans, converges, and then wants the same and changes
// nothing.
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
			m, err := machine.OpenRecorded(name, r, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			f, err := detect.Detect(context.Background(), m)
			if err != nil {
				t.Fatal(err)
			}
			h := engine.Hosts{Order: []machine.ID{m.ID()}, Facts: map[machine.ID]*detect.Facts{m.ID(): f}}
			v := engine.Values{"profile": profileWeb}
			sv := surveyOf(t, m, h, v)
			items, err := Step{}.Ops(h, sv, v)
			if err != nil {
				t.Fatal(err)
			}
			switch name {
			case "kylin-v10-sp3-kunpeng920", "kylin-desktop-v10sp1-d2000", "uos-server-20e", "loongnix-server-8", "debian-12":
				steptest.Golden(t, "captured-"+name, render(items, Step{}.Notes(h, sv, v), nil))
			}
			onRecorded(t, m, items)
			again, err := Step{}.Ops(h, surveyOf(t, m, h, v), v)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := wanted(t, items), wanted(t, again); a != b {
				t.Errorf("wanted before:\n%s\nafter:\n%s", a, b)
			}
			for _, it := range again {
				if _, isLimit := it.Op.(*op.Limit); isLimit {
					continue // its effect needs a service manager
				}
				s, err := it.Op.Observe(context.Background(), m)
				if err != nil {
					t.Fatal(err)
				}
				if d := it.Op.Diff(s); d.Action != engine.None {
					t.Errorf("%s %s still differs", it.Op.Kind(), it.Op.Target())
				}
			}
		})
	}
}

func onRecorded(t *testing.T, m machine.Machine, items []engine.Item) {
	t.Helper()
	for _, it := range items {
		switch o := it.Op.(type) {
		case *op.File:
			// Told to reload, it would want a service manager.
			plain := *o
			plain.Reload = false
			if _, err := plain.Do(context.Background(), m, nil); err != nil {
				t.Fatal(err)
			}
		case *op.Limit:
		default:
			if _, err := it.Op.Do(context.Background(), m, nil); err != nil {
				t.Fatalf("%s %s: %v", it.Op.Kind(), it.Op.Target(), err)
			}
		}
	}
}

func TestASurveyFitsTheJournal(t *testing.T) {
	_, m, h := worlds()[0].build(t)
	sv := surveyOf(t, m, h, worlds()[0].values)
	var s survey
	if err := json.Unmarshal(sv, &s); err != nil {
		t.Fatal(err)
	}
	if len(sv) > 16<<10 {
		t.Errorf("the survey of a plain machine takes %d bytes", len(sv))
	}
	if _, err := m.ReadFile(sysctl.Path("net.core.nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if p := param(m, "net.core.nothing"); p.Present {
		t.Error("a parameter that is not there is seen")
	}
}
