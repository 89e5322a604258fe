package tui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func TestEscLeadsToAFinishedStepWhichOffersItsUndo(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter").at(atAsk)
	d.keys("esc").at(atFinished).sees("Mirror", "was gone through before", "5 changes hold as asked", "undo this step")
	d.keys("u").sees("Undo Mirror?", "the other steps stand").keys("enter").sees("as it was before", "its changes are put back")
	if got := f.called(); !strings.HasSuffix(got, "end:1 undo:1:mirror") {
		t.Error(got)
	}
	d.keys("enter").at(atAsk).keys("enter", "enter").at(atDiff).keys("w", "enter", "enter").at(atDone)
	if r := d.ends(); r.What != Applied {
		t.Errorf("%+v", r)
	}
}

func TestAStepThatAloneWasWrittenAndUndoneLeavesTheRunUndone(t *testing.T) {
	d := drive(t, &fakeSession{}, twoSteps).toDiff().keys("w", "enter", "enter", "esc", "u", "enter").at(atFinished)
	if r := d.ends(); r.What != Undone {
		t.Errorf("%+v", r)
	}
}

func TestWhatTheUndoOfAStepLeftAloneIsListed(t *testing.T) {
	f := &fakeSession{left: []engine.Left{{Target: "vm.swappiness", Reason: lang.T("changed by somebody since, so it was left alone", "之后被他人改动过，因此保持原样")}}}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter", "esc", "u", "enter").at(atFinished)
	d.sees("not everything is as it was", "vm.swappiness: changed by somebody since")
	if r := d.ends(); r.Kept != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAFinishedStepCanBePlannedAgain(t *testing.T) {
	d := drive(t, &fakeSession{}, twoSteps).toDiff().keys("w", "enter", "enter", "esc").at(atFinished).keys("e").at(atAsk).sees("Mirror")
	d.keys("enter", "enter").at(atDiff).keys("w", "enter").at(atResult).keys("enter").at(atAsk).sees("Kernel")
}

// A person who goes back as far as the purpose has not taken back what was
// written on the way.
func TestWhatIsDoneIsNotAskedAgainAfterThePurpose(t *testing.T) {
	d := drive(t, &fakeSession{}, withPurposes).keys("enter", "down", "enter").at(atAsk).sees("Mirror")
	d.keys("enter", "enter").at(atDiff).keys("w", "enter", "enter").at(atAsk).sees("Kernel")
	d.keys("esc").at(atFinished).keys("esc").at(atPurpose).keys("enter").at(atAsk).sees("Kernel")
	d.keys("esc").at(atFinished).sees("Mirror", "was gone through before")
}

func TestSkippingAStepThatWasWrittenLeavesItDone(t *testing.T) {
	d := drive(t, &fakeSession{}, twoSteps).toDiff().keys("w", "enter", "enter").at(atAsk)
	with := copyValues(d.app.answers["mirror"])
	d.keys("esc").at(atFinished).keys("e").at(atAsk).sees("Mirror").keys("s").at(atAsk).sees("Kernel")
	if got := d.app.answers["mirror"]; d.app.progress[0] != done || with == nil || !same(got, with) {
		t.Errorf("progress %v, answers %v, written with %v", d.app.progress[0], got, with)
	}
	d.keys("esc").at(atFinished).sees("undo this step")
}

func TestAFailedStepThatIsComeBackToSaysSo(t *testing.T) {
	f := &fakeSession{applyErr: lang.Errorf(nil, "cannot write it", "无法写入")}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter").at(atResult).keys("s").at(atAsk).keys("esc").at(atFinished)
	d.sees("Mirror", "failed", "cannot write it")
	if strings.Contains(d.app.View(), "was gone through before") {
		t.Error(d.app.View())
	}
}

// Half of the step is in the run that failed, half in the one that finished it.
func TestTheUndoOfAStepThatTookTwoRunsIsOfBoth(t *testing.T) {
	f := &fakeSession{applyErr: lang.Errorf(nil, "cannot write it", "无法写入")}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter").at(atResult)
	f.applyErr = nil
	d.keys("r").at(atDiff).keys("W", "enter").at(atResult).keys("k", "enter").at(atAsk).sees("Kernel")
	d.keys("esc").at(atFinished).keys("u", "enter").sees("its changes are put back")
	if got := f.called(); !strings.HasSuffix(got, "undo:2:mirror undo:1:mirror") {
		t.Error(got)
	}
}

// A service that is stopped for its new file and started after it is one change
// more than the plan has.
func TestNoMoreChangesHoldThanWereAskedFor(t *testing.T) {
	f := &fakeSession{plan: func(step string) *engine.StepPlan {
		p := fakePlan(step)
		for i := range p.Items {
			if p.Items[i].Kind == "sysctl" {
				p.Items[i].Diff.Action = engine.None
			}
		}
		return p
	}}
	drive(t, f, twoSteps).toDiff().sees("2 changes").keys("w", "enter").at(atResult).sees("2 changes hold as asked")
}

func TestAServiceThatStaysAsItIsHasARow(t *testing.T) {
	f := &fakeSession{plan: func(step string) *engine.StepPlan {
		return &engine.StepPlan{Step: step, Items: []engine.Planned{
			{Kind: "unit", Target: "chronyd.service", Diff: engine.Diff{Action: engine.None, Table: lang.T("services", "服务")}},
			{Kind: "unit", Target: "sshd.service", Diff: engine.Diff{Action: engine.None, Table: lang.T("services", "服务"), Note: lang.T("at the next boot", "下次启动时")}},
		}}
	}}
	drive(t, f, twoSteps).toDiff().sees("= chronyd.service", "already so", "= sshd.service", "at the next boot")
}

// The width at which huh breaks a line is where it lost count of its lines.
func TestAQuestionKeepsItsTitleWhereItsAnswerIsBroken(t *testing.T) {
	long := map[string]any{"servers": []string{"ntp.aliyun.com", "ntp.tencent.com", "cn.pool.ntp.org", "ntp.ntsc.ac.cn"}}
	d := drive(t, &fakeSession{}, func(c *Config) {
		c.Steps = []engine.Step{serversStep{fakeStep{"time"}}}
		c.Answers = engine.Answers{"time": long}
	})
	d.app.Update(tea.WindowSizeMsg{Width: 40, Height: 12})
	d.keys("enter", "enter").at(atAsk).sees("question 2 of 3", "Which time servers?", "ntp.ntsc.ac.cn")
}

type serversStep struct{ fakeStep }

func (serversStep) Fields() []engine.Field {
	var os []engine.Option
	for _, v := range []string{"auto", "chrony", "timesyncd", "keep"} {
		os = append(os, engine.Option{Value: v})
	}
	return []engine.Field{
		{Key: "service", Kind: engine.Choice, Title: lang.T("Which service?", "哪个服务？"), Options: os, Default: "auto"},
		{Key: "servers", Kind: engine.List, Title: lang.T("Which time servers?", "哪些服务器？")},
		{Key: "step", Kind: engine.Confirm, Title: lang.T("Set a clock that is far off at once?", "立即校正偏差过大的时钟？"), Default: true},
	}
}

func (s serversStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	var qs []engine.Question
	for _, f := range s.Fields() {
		qs = append(qs, engine.Question{Field: f, Default: f.Default})
	}
	return qs
}
