package build

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

func TestWorldsGiveTheirPlans(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			s, m, h := w.build(t)
			sv := steptest.Survey(t, s, m, h, w.values)
			items, err := s.Ops(h, sv, w.values)
			if err != nil {
				t.Fatal(err)
			}
			steptest.Golden(t, w.name, steptest.Plan(t, wordsOnly{s}, m, h, sv, w.values)+steptest.Wanted(t, items))
		})
	}
}

// wordsOnly is the step without its ops, which no package manager here can simulate.
type wordsOnly struct{ Step }

func (wordsOnly) Ops(engine.Hosts, engine.Survey, engine.Values) ([]engine.Item, error) {
	return nil, nil
}

func TestCapturedMachinesGiveTheirPlans(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		s := Step{}
		v := engine.Values{"cgo": true}
		sv := steptest.Survey(t, s, m, h, v)
		items, err := s.Ops(h, sv, v)
		if err != nil {
			t.Fatal(err)
		}
		steptest.Golden(t, "captured-"+name, steptest.Plan(t, wordsOnly{s}, m, h, sv, v)+steptest.Wanted(t, items))
		proofs := s.Proofs(h, sv, v)
		if len(proofs) == 0 {
			t.Error("nothing to prove")
		}
		for _, p := range proofs {
			if said, err := p.Prove(context.Background(), m); err != nil || !strings.Contains(said.EN, "not proved here") {
				t.Errorf("%q, %v", said.EN, err)
			}
		}
	})
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
		plan := func() string { return steptest.Plan(t, wordsOnly{s}, m, h, sv, w.values) }
		if first, second := plan(), plan(); first != second || was() != before {
			t.Errorf("%s: answers differ, or what was given has changed", w.name)
		}
	}
}

// The machine that has the compilers wants the same as the one that gets them.
func TestAConvergedMachineWantsTheSame(t *testing.T) {
	v := engine.Values{"cgo": true, "targets": []string{"linux/arm64", "linux/riscv64"}}
	wants := func(w world) string {
		s, m, h := w.build(t)
		items, err := s.Ops(h, steptest.Survey(t, s, m, h, v), v)
		if err != nil {
			t.Fatal(err)
		}
		return steptest.Wanted(t, items)
	}
	fresh := wants(world{facts: debian, files: []string{lists}, available: crosses})
	done := wants(world{facts: debian, files: []string{lists, armGCC, "/usr/bin/riscv64-linux-gnu-gcc"}, installed: crosses})
	if fresh != done || !strings.Contains(fresh, `["gcc-aarch64-linux-gnu","gcc-riscv64-linux-gnu","libc6-dev-arm64-cross","libc6-dev-riscv64-cross"]`) {
		t.Errorf("before:\n%safter:\n%s", fresh, done)
	}
}

func TestTheGoToBuildWithIsFound(t *testing.T) {
	const base = "/usr/local/goxin/go/"
	for name, c := range map[string]struct {
		files []string
		want  string
	}{
		"none":                         {nil, ""},
		"one that cannot be run":       {[]string{"/usr/local/go/VERSION"}, ""},
		"the one in use":               {[]string{base + "current/bin/go", base + "1.26.8-linux-amd64-ZOmGe1On/bin/go", someGo}, base + "current"},
		"the newest of this processor": {[]string{base + "1.9.7-linux-amd64-aaaaaaaa/bin/go", base + "1.26.8-linux-amd64-bbbbbbbb/bin/go", base + "1.27.1-linux-arm64-cccccccc/bin/go", someGo}, base + "1.26.8-linux-amd64-bbbbbbbb"},
		"what somebody unpacked":       {[]string{someGo, "/usr/lib/golang/bin/go"}, "/usr/local/go"},
		"an rpm's":                     {[]string{"/usr/lib/golang/bin/go"}, "/usr/lib/golang"},
		"Debian's newest":              {[]string{"/usr/lib/go-1.9/bin/go", "/usr/lib/go-1.19/bin/go", "/usr/lib/go-1.x/bin/go"}, "/usr/lib/go-1.19"},
	} {
		t.Run(name, func(t *testing.T) {
			_, m, _ := world{facts: debian, files: c.files}.build(t)
			if got, err := findGo(m, "amd64"); err != nil || got != c.want {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestAnswersThatCannotBePlannedAreRefused(t *testing.T) {
	s, m, h := worlds()[0].build(t)
	for name, c := range map[string]struct {
		v    engine.Values
		hint string
	}{
		"a name of uname's":    {engine.Values{"targets": []string{"linux/aarch64"}}, "write linux/arm64"},
		"another system":       {engine.Values{"targets": []string{"windows/amd64"}}, "GOOS=… GOARCH=… go build"},
		"no platform":          {engine.Values{"targets": []string{"linux/vax"}}, "go tool dist list"},
		"a processor alone":    {engine.Values{"targets": []string{"arm64"}}, "go tool dist list"},
		"nothing":              {engine.Values{"targets": []string{""}}, "go tool dist list"},
		"more than a target":   {engine.Values{"targets": []string{"linux/arm64/v8"}}, "go tool dist list"},
		"climbing":             {engine.Values{"targets": []string{"linux/../arm64"}}, "go tool dist list"},
		"an unknown mode":      {engine.Values{"mode": "emulated"}, "auto, native or cross"},
		"an unknown how often": {engine.Values{"often": "daily"}, "often or seldom"},
	} {
		t.Run(name, func(t *testing.T) {
			sv := steptest.Survey(t, s, m, h, c.v)
			items, err := s.Ops(h, sv, c.v)
			if err == nil || items != nil {
				t.Fatalf("planned %d items", len(items))
			}
			if !strings.Contains(lang.Hint(err, lang.EN), c.hint) || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("hint %q, or no Chinese: %v", lang.Hint(err, lang.EN), err)
			}
			if s.Notes(h, sv, c.v) != nil || s.Proofs(h, sv, c.v) != nil || len(s.Questions(h, sv, c.v)) != 5 {
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
			if o.Title.EN == o.Title.ZH || o.Help.EN == o.Help.ZH {
				t.Errorf("%s: option %s", f.Key, o.Value)
			}
		}
	}
	if got := strings.Join(keys, " "); got != "targets often cgo run mode" {
		t.Errorf("keys: %s", got)
	}
}

func TestATargetAskedForTwiceIsBuiltOnce(t *testing.T) {
	s, m, h := worlds()[0].build(t)
	v := engine.Values{"targets": []string{"linux/riscv64", "linux/arm64", "linux/riscv64"}}
	proofs := s.Proofs(h, steptest.Survey(t, s, m, h, v), v)
	if len(proofs) != 2 || !strings.Contains(proofs[0].Title.EN, "riscv64") {
		t.Errorf("%d proofs", len(proofs))
	}
}

func TestAStepWithoutSurveyPlansFromTheTable(t *testing.T) {
	s, _, h := world{facts: debian}.build(t)
	v := engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}
	items, err := s.Ops(h, nil, v)
	if err != nil || len(items) != 1 || items[0].Op.Target() != "gcc-aarch64-linux-gnu libc6-dev-arm64-cross" {
		t.Errorf("%v, %v", items, err)
	}
	if _, err := s.Ops(h, engine.Survey("{"), v); err == nil {
		t.Error("a broken survey is taken")
	}
}

func TestThePortsAreThoseOfDetection(t *testing.T) {
	for _, p := range ports {
		if p.cgo != (p.triplet != "") || p.cgo != (p.gcc != "") || p.cgo != (p.libc != "") {
			t.Errorf("%s: a C compiler without packages, or the other way round", p.arch)
		}
		if err := checkTarget(p.target()); err != nil {
			t.Error(err)
		}
		want := map[string]string{"i386": "i686"}[p.qemu]
		if want == "" {
			want = p.qemu
		}
		if p.elf.String() != want {
			t.Errorf("%s: the header would say %s, the emulator is of %s", p.arch, p.elf.String(), p.qemu)
		}
	}
	for from, to := range aliases {
		if _, ok := portOf(to); !ok {
			t.Errorf("%s leads to %s", from, to)
		}
		if _, ok := portOf(from); ok {
			t.Errorf("%s is a port", from)
		}
	}
}

func TestTwoMachinesAreToldApart(t *testing.T) {
	s, m, h := world{facts: debian}.build(t)
	f := &detect.Facts{}
	kunpeng(f)
	h.Order, h.Facts["peer:b"] = append(h.Order, "peer:b"), f
	notes := s.Notes(h, nil, nil)
	if len(notes) == 0 || !strings.HasPrefix(notes[0].Text.EN, string(m.ID())+": linux/amd64: ") || !strings.HasPrefix(notes[len(notes)-1].Text.EN, "b: ") {
		t.Errorf("%v", notes)
	}
	if _, err := s.Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): m}, h, nil, nil); err == nil {
		t.Error("a machine that is not there is surveyed")
	}
}
