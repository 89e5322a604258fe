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

// wordyStep asks many things whose titles and reasons take several lines each.
type wordyStep struct{ fakeStep }

func (wordyStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	var qs []engine.Question
	for _, k := range []string{"one", "two", "three", "four", "five", "six"} {
		if k == "five" || k == "six" {
			qs = append(qs, engine.Question{Field: engine.Field{
				Key: k, Kind: engine.Choice, Title: lang.T("How much of "+k+"?", "一个服务最多可以使用多少 "+k+"？"), Default: "auto",
				Help:    lang.T("What it is, at some length.", "说明它是什么。"),
				Options: []engine.Option{{Value: "auto"}, {Value: "madvise"}, {Value: "never"}, {Value: "always"}, {Value: "keep"}},
			}, Default: "auto", Why: lang.T("That is so here.", "本机情况如此。")})
			continue
		}
		qs = append(qs, engine.Question{Field: engine.Field{
			Key: k, Kind: engine.Text,
			Title: lang.T("How much of "+k+" may a service have before it is told that there is no more of it? ("+k+")", "一个服务最多可以使用多少 "+k+"，超过之后就不再分配给它？（"+k+"）"),
			Help: lang.T("What it is, at some length, so that it takes more than one line of the room there is for it. It goes on for a while, since what is asked needs explaining, and comes to an end.",
				"说明它是什么；这段文字较长，因此在现有的宽度下需要不止一行才能写完。它还会继续一段，因为所问的内容需要解释，然后到此结束。"),
		}, Why: lang.T("That is so here.", "本机情况如此。")})
	}
	return qs
}

func TestTheQuestionAtHandIsSeenFromItsFirstWord(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{wordyStep{fakeStep{"kernel"}}} }).keys("enter")
	for _, k := range []string{"one", "two", "three", "four", "five", "six"} {
		d.at(atAsk).sees("How much of "+k, "What it is, at some length")
		d.keys("f2").sees("一个服务最多可以使用多少", "说明它是什么").keys("f2", "enter")
	}
}

// What a file gave is an answer of this session once it has been gone past: a cut line
// must not lose it.
func TestAnswersThatAreLeftAsGivenAreSaved(t *testing.T) {
	given := engine.Answers{"kernel": {"profile": "web"}}
	d := drive(t, &fakeSession{}, func(c *Config) { c.Answers = given }).keys("enter").at(atAsk).keys("enter")
	if len(d.saved) == 0 || !reflect.DeepEqual(d.saved[len(d.saved)-1], given) {
		t.Errorf("saved %v", d.saved)
	}
}
