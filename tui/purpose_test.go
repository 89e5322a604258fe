package tui

import (
	"reflect"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func withPurposes(c *Config) {
	c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}, fakeStep{"service"}}
	c.Purposes = []engine.Purpose{
		{ID: "service", Title: lang.T("Go service host", "Go 服务主机"), Help: lang.T("Runs Go services.", "运行 Go 服务。"), Steps: []string{"kernel", "service"}, Answers: engine.Answers{"kernel": {"profile": "web"}}},
		{ID: "build", Title: lang.T("Build host", "构建主机"), Help: lang.T("Compiles Go programs.", "编译 Go 程序。"), Steps: []string{"mirror", "kernel"}, Answers: engine.Answers{"kernel": {"profile": "build"}}},
	}
}

func TestAPurposePicksTheStepsAndWhatTheyBeginWith(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes).keys("enter").at(atPurpose).sees("What shall this machine become?", "Go service host", "Build host", "Let me pick")
	d.keys("down", "enter").at(atAsk).sees("Mirror")
	if strings.Contains(d.app.View(), "Service") {
		t.Errorf("a step that was not picked stands on the rail:\n%s", d.app.View())
	}
	d.keys("s").at(atAsk).keys("enter", "enter").at(atDiff).keys("w", "enter", "enter").at(atDone)
	if strings.Contains(d.app.View(), "Service") {
		t.Errorf("a step that was not picked stands at the end:\n%s", d.app.View())
	}
	want := engine.Answers{"kernel": {"profile": "build"}}
	if last := d.saved[len(d.saved)-1]; !reflect.DeepEqual(last, want) {
		t.Errorf("saved %v, want %v", last, want)
	}
}

func TestAnotherPurposeTakesBackWhatTheFirstSuggested(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes).keys("enter", "down", "enter").at(atAsk).keys("esc").at(atPurpose).keys("up", "enter").at(atAsk).sees("Kernel")
	d.keys("enter", "enter").at(atDiff)
	if got := d.app.answers; !reflect.DeepEqual(got, engine.Answers{"kernel": {"profile": "web"}}) {
		t.Error(got)
	}
}

func TestStepsArePickedOneByOne(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes).keys("enter", "up", "enter").at(atPurpose).sees("Which steps?")
	d.keys(" ", "down", " ", "down", " ", "enter").at(atPurpose).sees("nothing is picked")
	d.keys(" ", "enter").at(atAsk).sees("Mirror")
}

func TestAStartThatWasCutShortIsGoneOnWith(t *testing.T) {
	left := engine.Answers{"mirror": {"profile": "web"}}
	d := drive(t, &fakeSession{}, withPurposes, func(c *Config) { c.Earlier = left }).keys("enter").at(atPurpose).sees("Go on from last time", "saved then: Mirror")
	// The build host is what the one step fits into: the service is not marked.
	d.keys("enter").at(atPurpose).sees("[x] Mirror", "[x] Kernel", "[ ] Service service")
	d.keys("enter").at(atAsk).keys("enter", "enter").at(atDiff).keys("s").at(atAsk).sees("Kernel")
	d.keys("enter", "enter").at(atDiff).keys("s").at(atDone)
}

func TestAnAnswersFileIsOfferedAsItIs(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes, func(c *Config) { c.Answers = engine.Answers{"kernel": {"profile": "database"}} })
	d.keys("enter").sees("As in the answers file").keys("enter").at(atAsk).keys("enter", "enter").at(atDiff)
	if got := d.app.answers; !reflect.DeepEqual(got, engine.Answers{"kernel": {"profile": "database"}}) {
		t.Error(got)
	}
	d.keys("s").at(atDone)
}

func TestWhatWasAnsweredForAPurposeIsThereWhenItIsComeBackTo(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes).keys("enter", "down", "enter").at(atAsk).sees("Mirror")
	d.keys("down", "enter").at(atAsk) // web
	want := copyValues(d.app.answers["mirror"])
	if want["profile"] != "web" {
		t.Fatal(want)
	}
	d.keys("shift+tab", "esc").at(atPurpose).keys("up", "enter").at(atAsk).sees("Kernel")
	if _, still := d.app.answers["mirror"]; still {
		t.Error("an answers file of a service host has the mirror in it")
	}
	d.keys("esc").at(atPurpose).keys("down", "enter").at(atAsk).sees("Mirror")
	if got := d.app.answers["mirror"]; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, was %v", got, want)
	}
}

// The file was read, and stays what it is while another purpose is looked at.
func TestTheAnswersFileIsWholeAfterAnotherPurpose(t *testing.T) {
	file := engine.Answers{"mirror": {"profile": "database"}}
	d := drive(t, &fakeSession{}, withPurposes, func(c *Config) { c.Answers = file }).keys("enter").at(atPurpose)
	d.keys("down", "enter").at(atAsk).sees("Kernel").keys("esc").at(atPurpose).keys("up", "enter").at(atAsk).sees("Mirror")
	if got := d.app.answers; !reflect.DeepEqual(got, file) {
		t.Errorf("%v, want %v", got, file)
	}
}

func TestAFileThatWasNamedComesBeforeWhatWasLeft(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes, func(c *Config) {
		c.Answers, c.Earlier = engine.Answers{"kernel": {"profile": "database"}}, engine.Answers{"mirror": {}}
	})
	d.keys("enter").at(atPurpose).sees("▸ As in the answers file", "Go on from last time").keys("enter").at(atAsk).sees("Kernel")
}
