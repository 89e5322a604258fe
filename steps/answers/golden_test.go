package answers

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

var update = flag.Bool("update", false, "rewrite the expected outputs")

const testdata = "../../testdata"

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join(testdata, "answers", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

// hostileFiles are the bad files by name, without what they should say.
func hostileFiles(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata, "hostile/answers/*.yaml"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = data
	}
	return out
}

func TestHostileFilesAreRefusedInBothLanguages(t *testing.T) {
	for name, data := range hostileFiles(t) {
		t.Run(name, func(t *testing.T) {
			_, err := Decode(name, data, fakeSteps())
			p := problems(err)
			if p == nil {
				t.Fatalf("not refused: %v", err)
			}
			golden(t, "../hostile/answers/"+strings.TrimSuffix(name, ".yaml")+".txt", []byte(p.In(lang.EN)+"\n\n"+p.In(lang.ZH)+"\n"))
		})
	}
}

func TestTheTemplateReadsWell(t *testing.T) {
	golden(t, "template.en.yaml", New(fakeSteps(), engine.Hosts{}, lang.EN))
	golden(t, "template.zh.yaml", New(fakeSteps(), engine.Hosts{}, lang.ZH))
}

func TestTheTemplateAnswersNothingUntilItsMarksAreTaken(t *testing.T) {
	src := New(fakeSteps(), engine.Hosts{}, lang.ZH)
	f, err := Decode("new", src, fakeSteps())
	if err != nil || len(f.Steps) != 0 || len(f.Hosts) != 0 {
		t.Fatalf("%v, %v", f, err)
	}
	var all strings.Builder
	for line := range strings.Lines(string(src)) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "#  ") {
			line = line[1:]
		}
		all.WriteString(line)
	}
	f, err = Decode("new", []byte(all.String()), fakeSteps())
	if err != nil {
		t.Fatalf("%v\n%s", err, all.String())
	}
	for _, s := range fakeSteps() {
		v, ok := f.Steps[s.ID()]
		if !ok {
			t.Errorf("no %s", s.ID())
		}
		for _, field := range s.Fields() {
			if !same(v[field.Key], field.Default) {
				t.Errorf("%s.%s is %v, its default %v", s.ID(), field.Key, v[field.Key], field.Default)
			}
		}
	}
	if len(f.Hosts) != 1 || f.Hosts[0].Match.Hostname != "web-*" {
		t.Errorf("hosts: %v", f.Hosts)
	}
}

func TestTheTemplateOffersWhatSuitsTheMachine(t *testing.T) {
	s := fakeSteps()[1].(crossStep)
	s.questions = []engine.Question{{Field: s.fields[0], Default: "database", Why: lang.T("it has much memory", "内存较大")}}
	h := engine.Hosts{Order: []machine.ID{machine.LocalID}}
	got := string(New([]engine.Step{s}, h, lang.EN))
	if !strings.Contains(got, "#    # it has much memory\n#    profile: database\n") {
		t.Errorf("got\n%s", got)
	}
}

func TestTheSchemaFollowsTheFields(t *testing.T) {
	golden(t, "schema.json", Schema(fakeSteps(), lang.EN))
}

// same compares as answers do: a missing value and no default are alike.
func same(a, b any) bool { return fmt.Sprint(a) == fmt.Sprint(b) }
