package libs

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

func TestWorldsGiveTheirPlans(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			s, m, h := w.build(t)
			sv := steptest.Survey(t, s, m, h, w.values)
			steptest.Golden(t, w.name, plan(t, s, h, sv, w.values))
			if again := steptest.Survey(t, s, m, h, w.values); string(again) != string(sv) {
				t.Error("two surveys of one machine differ")
			}
			if len(sv) > 32<<10 {
				t.Errorf("a survey of %d bytes", len(sv))
			}
		})
	}
}

func TestStepIsPure(t *testing.T) {
	for _, w := range worlds() {
		s, m, h := w.build(t)
		sv := steptest.Survey(t, s, m, h, w.values)
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

// Captured machines have no whole libraries and no package manager that runs: the
// plan is the table's.
func TestCapturedMachinesPlanFromTheTable(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		s := Step{}
		sv := steptest.Survey(t, s, m, h, nil)
		steptest.Golden(t, "captured-"+name, plan(t, s, h, sv, nil))
		for _, p := range s.Proofs(h, sv, nil) {
			said, err := p.Prove(context.Background(), m)
			if err != nil || !strings.Contains(said.EN, "not proved here") || said.ZH == said.EN {
				t.Errorf("proof: %q, %v", said.EN, err)
			}
		}
	})
}

func TestTheProofFailsUntilWhatWasPromisedIsThere(t *testing.T) {
	w := worlds()[0]
	w.files = debian(map[string]any{"/opt/app/bin/app": program("libnuma.so.1", "libnone.so.9")})
	w.values = engine.Values{"paths": []string{"/opt/app"}}
	s, m, h := w.build(t)
	sv := steptest.Survey(t, s, m, h, w.values)
	proofs := s.Proofs(h, sv, w.values)
	if len(proofs) != 1 || proofs[0].First || proofs[0].On != m.ID() {
		t.Fatalf("proofs: %+v", proofs)
	}
	_, err := proofs[0].Prove(context.Background(), m)
	if err == nil || !strings.Contains(err.Error(), "libaio, libnuma.so.1") || strings.Contains(err.Error(), "libnone") {
		t.Fatalf("before: %v", err)
	}
	if lang.Hint(err, lang.ZH) == "" {
		t.Error("no hint")
	}
	root, _ := strings.CutPrefix(string(m.ID()), "root:")
	for _, name := range []string{"libaio.so.1", "libnuma.so.1"} {
		if err := os.WriteFile(filepath.Join(root, "/usr/lib/x86_64-linux-gnu", name), lib(name).bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	said, err := proofs[0].Prove(context.Background(), m)
	if err != nil || !strings.Contains(said.EN, "libaio.so.1 /usr/lib/x86_64-linux-gnu/libaio.so.1") || !strings.Contains(said.EN, "1 programs and libraries looked at") {
		t.Errorf("after: %q, %v", said.EN, err)
	}
}

func TestOfPackagesThatHaveALibraryTheOneTheListsKnowIsTaken(t *testing.T) {
	for name, c := range map[string]struct {
		soname    string
		available []string
		want      string
	}{
		"t64 where it is":           {"libfoo.so.1", []string{"libfoo1t64"}, "libfoo1t64"},
		"no t64 where it is not":    {"libfoo.so.1", []string{"libfoo1"}, "libfoo1"},
		"a hyphen between digits":   {"libpcre2-8.so.0", []string{"libpcre2-8-0"}, "libpcre2-8-0"},
		"none before the first":     {"libdb-5.3.so", []string{"libdb5.3"}, "libdb5.3"},
		"v5 after GCC 5":            {"libsnappy.so.1", []string{"libsnappy1v5"}, "libsnappy1v5"},
		"capitals and underscores":  {"libGL_x.so.1", []string{"libgl-x1"}, "libgl-x1"},
		"a name of letters and 6":   {"libstdc++.so.6", []string{"libstdc++6"}, "libstdc++6"},
		"one that follows no rule":  {"libz.so.1", []string{"zlib1g"}, "zlib1g"},
		"OpenSSL 1.1 is not 3":      {"libssl.so.1.1", []string{"libssl3"}, ""},
		"nothing apt would remove":  {"libfoo-.so", []string{"libfoo", "libfoo-"}, ""},
		"no version at all":         {"libplugin.so", nil, ""},
		"something that is no name": {"libx.so.1; reboot", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := world{facts: onDebian, values: engine.Values{"require": []string{}, "paths": []string{"/opt"}}}
			w.files = debian(map[string]any{"/opt/app": program(c.soname), "/usr/lib/x86_64-linux-gnu/libz.so.1": "absent"})
			w.manager.available = map[string]string{}
			for _, a := range c.available {
				w.manager.available[a] = "1"
			}
			s, m, h := w.build(t)
			items, err := s.Ops(h, steptest.Survey(t, s, m, h, w.values), w.values)
			if err != nil {
				t.Fatal(err)
			}
			if got := names(t, items); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestWhereNothingIsMissingThePackageListsAreNotAsked(t *testing.T) {
	for _, w := range worlds() {
		if w.name == "nothing-missing" {
			s, m, h := w.build(t)
			steptest.Survey(t, s, m, h, w.values)
			if len(w.manager.asked) > 0 {
				t.Errorf("asked: %v", w.manager.asked)
			}
			return
		}
	}
	t.Fatal("no such world")
}

func TestASurveyThatIsCancelledSaysSo(t *testing.T) {
	w := worlds()[0]
	_, m, h := w.build(t)
	ctx, cancel := context.WithCancel(context.Background())
	w.manager.fails = context.Canceled
	s := Step{w.manager.ask()}
	cancel()
	if _, err := s.Survey(ctx, map[machine.ID]machine.Machine{m.ID(): m}, h, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAPairIsPlannedMachineByMachine(t *testing.T) {
	a, b := worlds()[0], worlds()[1]
	s, m1, h := a.build(t)
	_, m2, h2 := b.build(t)
	h.Order = append(h.Order, m2.ID())
	h.Facts[m2.ID()] = h2.Facts[m2.ID()]
	sv, err := s.Survey(context.Background(), map[machine.ID]machine.Machine{m1.ID(): m1, m2.ID(): m2}, h, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	items, err := s.Ops(h, sv, nil)
	if err != nil || names(t, items) != "libaio1" || items[0].On != m1.ID() {
		t.Errorf("%v, %v", items, err)
	}
	for _, n := range s.Notes(h, sv, nil) {
		if !strings.HasPrefix(n.Text.EN, string(m1.ID())+": ") {
			t.Errorf("of which machine? %s", n.Text.EN)
		}
	}
	if len(s.Proofs(h, sv, nil)) != 2 {
		t.Error("not a proof for each")
	}
}

func TestAnswersThatCannotBePlannedAreRefused(t *testing.T) {
	w := worlds()[0]
	s, m, h := w.build(t)
	for name, v := range map[string]engine.Values{
		"another library":       {"require": []string{"musl"}},
		"a path from nowhere":   {"paths": []string{"opt/app"}},
		"a package with blanks": {"packages": []string{"libaio1; reboot"}},
		"an option":             {"packages": []string{"--allow-unauthenticated"}},
		"a path for a library":  {"ignore": []string{"/lib/libz.so.1"}},
		"required and ignored":  {"ignore": []string{"libz.so.1"}},
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
			if s.Notes(h, sv, v) != nil || s.Proofs(h, sv, v) != nil || len(s.Questions(h, sv, v)) < 3 {
				t.Error("notes, proofs or questions of wrong answers")
			}
		})
	}
	if (Step{}).Cross(engine.Values{"ignore": []string{"libz.so.1"}, "require": []string{"glibc"}}) != nil {
		t.Error("what is not required may be ignored")
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
			if o.Title.EN == "" || o.Title.EN == o.Title.ZH || o.Help.EN == o.Help.ZH || !slices.Contains(all, o.Value) {
				t.Errorf("%s: option %s", f.Key, o.Value)
			}
		}
	}
	if got := strings.Join(keys, " "); got != "require paths packages ignore" {
		t.Errorf("keys: %s", got)
	}
}

func TestAStepWithoutSurveyPlansFromTheTable(t *testing.T) {
	w := worlds()[0]
	s, _, h := w.build(t)
	items, err := s.Ops(h, nil, nil)
	if err != nil || names(t, items) != "libaio1 libc6 libssl3 zlib1g" {
		t.Errorf("%v, %v", items, err)
	}
	if _, err := s.Ops(h, engine.Survey("{"), nil); err == nil {
		t.Error("a broken survey is taken")
	}
}

func TestWhatAFileSaysNeverReachesTheTerminalRaw(t *testing.T) {
	w := world{facts: onDebian, values: engine.Values{"require": []string{}, "paths": []string{"/opt"}}}
	w.files = debian(map[string]any{"/opt/app": program("libx\x1b[31m.so.1")})
	w.manager = manager{fails: errForbidden}
	s, m, h := w.build(t)
	if got := plan(t, s, h, steptest.Survey(t, s, m, h, w.values), w.values); strings.Contains(got, "\x1b") {
		t.Errorf("%q", got)
	}
}

func TestManyNeedsAreCountedAndTheSurveyStaysSmall(t *testing.T) {
	w := world{facts: onKylin, files: kylin(nil), manager: dnfKnows(), values: engine.Values{"paths": []string{"/opt"}}}
	for i := range maxNeeds + 5 {
		w.files["/opt/"+string(rune('a'+i%26))+string(rune('a'+i/26))] = program("libmany" + string(rune('a'+i%26)) + string(rune('a'+i/26)) + ".so.1")
	}
	s, m, h := w.build(t)
	sv := steptest.Survey(t, s, m, h, w.values)
	if seen := seenIn(t, sv); len(seen.Needs) != maxNeeds || seen.More != 5 {
		t.Errorf("%d and %d more", len(seen.Needs), seen.More)
	}
	if got := plan(t, s, h, sv, w.values); !strings.Contains(got, "5 further needs") {
		t.Error("the rest is not counted")
	}
}
