package devtools

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

func TestWorldsGiveTheirPlans(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			s, m, h := w.build(t)
			steptest.Golden(t, w.name, plan(t, s, h, steptest.Survey(t, s, m, h, w.values), w.values))
		})
	}
}

func TestStepIsPure(t *testing.T) {
	for _, w := range worlds() {
		s, m, h := w.build(t)
		sv := steptest.Survey(t, s, m, h, w.values)
		if second := steptest.Survey(t, s, m, h, w.values); string(second) != string(sv) {
			t.Errorf("%s: two surveys of one machine differ", w.name)
		}
		_, f := h.First()
		was := func() string {
			a, _ := json.Marshal(f)
			b, _ := json.Marshal(w.values)
			return string(a) + string(b) + string(sv)
		}
		before := was()
		if first, second := plan(t, s, h, sv, w.values), plan(t, s, h, sv, w.values); first != second {
			t.Errorf("%s: asked twice, answered differently", w.name)
		}
		if was() != before {
			t.Errorf("%s: the step changed what it was given", w.name)
		}
	}
}

func TestAConvergedMachineWantsTheSame(t *testing.T) {
	for _, w := range worlds() {
		s, m, h := w.build(t)
		items, err := s.Ops(h, steptest.Survey(t, s, m, h, w.values), w.values)
		if err != nil || len(items) == 0 || items[0].Op == nil {
			continue
		}
		want := items[0].Op.(*op.Packages).Names
		if !slices.IsSorted(want) {
			t.Errorf("%s: not sorted: %v", w.name, want)
		}
		if !w.manager.silent {
			w.manager.installed = map[string]string{}
			for _, n := range want {
				w.manager.installed[n] = "1.0-1"
			}
		}
		s = Step{w.manager.ask()}
		again, err := s.Ops(h, steptest.Survey(t, s, m, h, w.values), w.values)
		if err != nil || !slices.Equal(want, again[0].Op.(*op.Packages).Names) {
			t.Errorf("%s: %v wanted before, %v after (%v)", w.name, want, again, err)
		}
	}
}

func TestCapturedMachinesPlanFromTheTable(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		s := Step{}
		sv := steptest.Survey(t, s, m, h, nil)
		steptest.Golden(t, "captured-"+name, plan(t, s, h, sv, nil))
		for _, p := range s.Proofs(h, sv, nil) {
			said, err := p.Prove(context.Background(), m)
			if err != nil || !strings.Contains(said.EN, "not proved here") {
				t.Errorf("proof: %q, %v", said.EN, err)
			}
		}
	})
}

func TestAnswersThatCannotBePlannedAreRefused(t *testing.T) {
	s, m, h := worlds()[0].build(t)
	for name, v := range map[string]engine.Values{
		"another tool":           {"tools": []string{"emacs"}},
		"a package with blanks":  {"packages": []string{"gdb; reboot"}},
		"an option":              {"packages": []string{"-y"}},
		"the group asked for by": {"group": false, "packages": []string{"build-essential"}},
	} {
		t.Run(name, func(t *testing.T) {
			sv := steptest.Survey(t, s, m, h, v)
			items, err := s.Ops(h, sv, v)
			if err == nil || items != nil {
				t.Fatalf("planned %d items", len(items))
			}
			if lang.Hint(err, lang.EN) == "" || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("no hint, or no Chinese: %v", err)
			}
			if s.Notes(h, sv, v) != nil || s.Proofs(h, sv, v) != nil || len(s.Questions(h, sv, v)) != 3 {
				t.Error("notes, proofs or questions of wrong answers")
			}
		})
	}
}

func TestFieldsAreTheAnswersFilesKeys(t *testing.T) {
	var keys []string
	for _, f := range (Step{}).Fields() {
		keys = append(keys, f.Key)
		if f.Title.EN == f.Title.ZH || f.Help.EN == f.Help.ZH || f.Help.ZH == "" {
			t.Errorf("%s: a text is not in both languages", f.Key)
		}
		for _, o := range f.Options {
			if _, known := packages[o.Value]; !known || o.Title.EN == o.Title.ZH || o.Help.EN == o.Help.ZH {
				t.Errorf("%s: option %s", f.Key, o.Value)
			}
		}
	}
	if got := strings.Join(keys, " "); got != "group tools packages" {
		t.Errorf("keys: %s", got)
	}
}

func TestGitIsTooOldBelow2_24(t *testing.T) {
	for v, want := range map[string]bool{
		"2.20.1": true, "1:2.20.1-2+deb10u9": true, "1:2.20.1.4-1+deepin": true, "1.8.3.1-23.el7": true, "2.23.9": true,
		"2.24.0": false, "2.24": false, "2.27.0-18.ky10": false, "1:2.39.5-0+deb12u2": false, "3": false, "": false, "master": false,
	} {
		if tooOld(v) != want {
			t.Errorf("%q: %t", v, !want)
		}
	}
}

func TestAStepWithoutSurveyPlansFromTheTable(t *testing.T) {
	s, _, h := worlds()[0].build(t)
	items, err := s.Ops(h, nil, nil)
	if err != nil || items[0].Op.Target() != "build-essential gcc git make zlib1g-dev" {
		t.Errorf("%v, %v", items, err)
	}
	if _, err := s.Ops(h, engine.Survey("{"), nil); err == nil {
		t.Error("a broken survey is taken")
	}
}
