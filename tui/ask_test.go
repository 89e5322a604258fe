package tui

import (
	"reflect"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func TestAnswersAreSavedAsTheyAreGiven(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("enter", "down", "down", "enter")
	if len(d.saved) != 1 || d.saved[0]["kernel"]["profile"] != "database" {
		t.Fatalf("after the first answer: %v", d.saved)
	}
	for _, r := range "vm.max_map_count = 262144; net.core.somaxconn=1" {
		d.keys(string(r))
	}
	d.keys("enter").at(atDiff)
	want := map[string]string{"vm.max_map_count": "262144", "net.core.somaxconn": "1"}
	if got := d.saved[len(d.saved)-1]["kernel"]["set"]; !reflect.DeepEqual(got, want) {
		t.Errorf("saved set = %v, want %v", got, want)
	}
}

func TestAnAnswerThatIsRefusedSaysWhyInTheLanguageAtHand(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("enter", "enter")
	for _, r := range "kernel.panic=1" {
		d.keys(string(r))
	}
	d.keys("enter").at(atAsk).sees("kernel.panic is not tuning")
	d.keys("f2", "enter").at(atAsk).sees("kernel.panic 不属于调优")
	if _, there := d.app.answers["kernel"]["set"]; there {
		t.Error("a refused answer was taken over")
	}
}

func TestGivenAnswersAreOffered(t *testing.T) {
	given := engine.Answers{"kernel": {"profile": "build", "set": map[string]string{"b": "2", "a": "1"}}}
	d := drive(t, &fakeSession{}, func(c *Config) { c.Answers = given }).keys("enter").sees("a=1; b=2")
	d.keys("enter", "enter").at(atDiff)
	if !strings.Contains(d.fake.called(), "plan:kernel:build") {
		t.Error(d.fake.called())
	}
	if len(given["kernel"]) != 2 {
		t.Error("the caller's answers were changed")
	}
}

func TestFollowUpQuestionsAppear(t *testing.T) {
	s := followStep{fakeStep{"kernel"}}
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{s} }).keys("enter").at(atAsk)
	d.keys("down", "enter").at(atAsk).sees("How many ports?")
	for _, r := range "70000" {
		d.keys(string(r))
	}
	d.keys("enter").at(atAsk).sees("70000 is not between 1 and 65535")
	d.keys("backspace", "enter").at(atDiff)
	if v := d.app.answers["kernel"]["ports"]; v != int64(7000) {
		t.Errorf("ports = %v (%T)", v, v)
	}
}

// followStep asks for ports only of a web machine.
type followStep struct{ fakeStep }

func (s followStep) Questions(h engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	qs := s.fakeStep.Questions(h, sv, v)[:1]
	if v["profile"] == "web" {
		qs = append(qs, engine.Question{Field: engine.Field{Key: "ports", Kind: engine.Number, Title: lang.T("How many ports?", "多少个端口？"), Min: 1, Max: 65535}})
	}
	return qs
}
