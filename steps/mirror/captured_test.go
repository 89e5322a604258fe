package mirror

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/assets/mirrors"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

// render is a plan as a person would compare two of them.
func render(h engine.Hosts, sv engine.Survey, v engine.Values) string {
	var b strings.Builder
	for _, n := range (Step{}).Notes(h, sv, v) {
		fmt.Fprintf(&b, "- %s\n  %s\n", n.Text.EN, n.Text.ZH)
	}
	items, err := Step{}.Ops(h, sv, v)
	if err != nil {
		fmt.Fprintf(&b, "error: %s\n  hint: %s\n", lang.Message(err, lang.EN), lang.Hint(err, lang.EN))
		fmt.Fprintf(&b, "错误：%s\n  提示：%s\n", lang.Message(err, lang.ZH), lang.Hint(err, lang.ZH))
	}
	for _, it := range items {
		fmt.Fprintf(&b, "%s %s\n", it.Op.Kind(), it.Op.Target())
		if f, ok := it.Op.(*op.File); ok {
			for l := range strings.Lines(f.Content) {
				fmt.Fprintf(&b, "    %s\n", strings.TrimRight(l, "\n"))
			}
		}
	}
	return b.String()
}

func open(t *testing.T, name string) (machine.Machine, engine.Hosts) {
	t.Helper()
	r, err := assets.OpenMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := machine.OpenRecorded(name, r, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return m, hosts(t, m)
}

func hosts(t *testing.T, m machine.Machine) engine.Hosts {
	t.Helper()
	f, err := detect.Detect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Hosts{Order: []machine.ID{m.ID()}, Facts: map[machine.ID]*detect.Facts{m.ID(): f}}
}

func surveyOf(t *testing.T, m machine.Machine, h engine.Hosts, v engine.Values) engine.Survey {
	t.Helper()
	sv, err := Step{}.Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): m}, h, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return sv
}

// Nobody can be asked from a captured machine: it keeps its sources, or has the
// site written that is named, and then wants the same and changes nothing.
func TestCapturedMachinesPlanAndConverge(t *testing.T) {
	cat, err := mirrors.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range assets.Machines() {
		t.Run(name, func(t *testing.T) {
			m, h := open(t, name)
			v := engine.Values{}
			out := "fastest:\n" + render(h, surveyOf(t, m, h, v), v)
			f := h.Facts[m.ID()]
			v = engine.Values{"source": "official"}
			if p, ok := cat.For(f.OS.Product.Value, f.OS.Version.Value, f.Arch.GOARCH.Value); ok && len(p.Mirrors) > 0 {
				v["source"] = p.Mirrors[0].ID
			}
			sv := surveyOf(t, m, h, v)
			steptest.Golden(t, "captured-"+name, out+"\n"+v.Text("source", "")+":\n"+render(h, sv, v))
			items, err := Step{}.Ops(h, sv, v)
			if err != nil {
				return // the golden has it
			}
			for _, it := range items {
				if _, cache := it.Op.(*op.Lists); cache {
					continue
				}
				if _, err := it.Op.Do(context.Background(), m, nil); err != nil {
					t.Fatalf("%s: %v", it.Op.Target(), err)
				}
			}
			again := surveyOf(t, m, h, v)
			items, err = Step{}.Ops(h, again, v)
			if err != nil {
				t.Fatal(err)
			}
			for _, it := range items {
				s, err := it.Op.Observe(context.Background(), m)
				if err != nil {
					t.Fatal(err)
				}
				if d := it.Op.Diff(s); d.Action != engine.None {
					t.Errorf("%s still differs", it.Op.Target())
				}
			}
		})
	}
}
