package tui

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// ends leaves the wizard and returns what it says of itself.
func (d *driver) ends() Result {
	d.t.Helper()
	r, err := d.app.finish(context.Background(), false, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

// later lets time pass while nobody presses a key.
func (d *driver) later(by time.Duration) *driver {
	d.clock = d.clock.Add(by)
	d.send(reply{epoch: d.app.epoch, msg: tick{}})
	return d
}

func twoSteps(c *Config) { c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}} }

func TestARunThatHasEndedIsNotWrittenToAgain(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter", "enter", "enter").at(atDiff)
	f.startErr = errors.New("systemd does not run here")
	d.keys("W", "enter").at(atResult).sees("systemd does not run here", "nothing written")
	f.startErr = nil
	d.keys("r", "w", "enter").at(atResult).sees("5 changes hold as asked")
	want := "start:0s apply:mirror detect survey:kernel detect survey:kernel plan:kernel:base end:1 start:2m0s detect survey:kernel plan:kernel:base start:0s apply:kernel"
	if got := f.called(); !strings.HasSuffix(got, want) {
		t.Errorf("calls\n got %s\nwant %s", got, want)
	}
	if r := d.ends(); r.What != Applied {
		t.Errorf("%+v", r)
	}
}

func TestAnEndThatFailsLetsGoOfTheRunAllTheSame(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter", "enter", "enter").at(atDiff)
	f.endErr = errors.New("no space left")
	d.keys("W", "enter").at(atResult).sees("no space left")
	f.endErr = nil
	d.keys("r", "w", "enter").at(atResult).sees("5 changes hold as asked")
	if got := f.called(); strings.Count(got, "start") != 2 {
		t.Error(got)
	}
}

func TestARunIsStartedWithNoAnswersButThoseReviewed(t *testing.T) {
	given := engine.Answers{"mirror": {"profile": "web"}, "kernel": {"profile": "build"}, "service": {"profile": "web"}}
	f := &fakeSession{}
	drive(t, f, func(c *Config) {
		twoSteps(c)
		c.Answers = given
	}).toDiff().keys("w", "enter").at(atResult)
	if want := []engine.Answers{{"mirror": {"profile": "web"}}}; !reflect.DeepEqual(f.answers, want) {
		t.Errorf("the run would be taken up again with %v, want %v", f.answers, want)
	}
}

func TestAWriteAfterAnUndoEndsAsItself(t *testing.T) {
	for name, c := range map[string]struct {
		second func(*fakeSession)
		want   What
	}{
		"deviates": {func(f *fakeSession) { f.deviate = true }, Deviations},
		"fails":    {func(f *fakeSession) { f.applyErr = errLock }, Failed},
		"starts":   {func(f *fakeSession) { f.startErr = errLock }, Failed},
		"holds":    {func(*fakeSession) {}, Applied},
	} {
		f := &fakeSession{}
		d := drive(t, f).toDiff().keys("w", "enter", "u", "enter").at(atUndo).keys("m").at(atMachine)
		c.second(f)
		d.toDiff().keys("w", "enter").at(atResult)
		if r := d.ends(); r.What != c.want {
			t.Errorf("%s: %+v", name, r)
		}
	}
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("w", "enter", "u", "enter").at(atUndo).keys("m", "q")
	if r := d.ends(); r.What != Undone || !errors.Is(r.Failure, errLock) {
		t.Errorf("failed, undone, and left at the start of another walk: %+v", r)
	}
}

func TestAnUndoThatFailedIsNotUndoneAndMayBeTriedAgain(t *testing.T) {
	broken := lang.Errorf(nil, "cannot undo vm.swappiness", "无法撤销 vm.swappiness")
	f := &fakeSession{applyErr: errLock, undoErr: broken}
	d := drive(t, f).toDiff().keys("w", "enter", "u", "enter").at(atUndo).sees("not everything is as it was", "cannot undo vm.swappiness")
	if r := d.ends(); r.What != Failed || !errors.Is(r.Failure, broken) || !errors.Is(r.Failure, errLock) {
		t.Errorf("%+v", r)
	}
	f.undoErr = nil
	d.keys("r").at(atUndo).sees("5 changes put back", "as it was before")
	if got := f.called(); !strings.HasSuffix(got, "run-undo:1 end:1 undo:1") {
		t.Error(got)
	}
	if r := d.ends(); r.What != Undone || !errors.Is(r.Failure, errLock) || r.Kept != 0 {
		t.Errorf("%+v", r)
	}
}

func TestAWalkAfterAnUndoThatFailedCountsOnlyItself(t *testing.T) {
	f := &fakeSession{undoErr: errLock}
	d := drive(t, f).toDiff().keys("w", "enter", "u", "enter").at(atUndo).keys("m").at(atMachine)
	d.toDiff().keys("w", "enter", "enter").at(atDone).sees("5 changes")
	if r := d.ends(); r.What != Failed || !errors.Is(r.Failure, errLock) {
		t.Errorf("the undo that failed is forgotten: %+v", r)
	}
}

func TestWhatAnUndoLeftAloneIsCountedOnce(t *testing.T) {
	f := &fakeSession{left: []engine.Left{{Run: 1, Target: "vm.swappiness", Reason: lang.T("changed since", "之后被改动")}}}
	d := drive(t, f).toDiff().keys("w", "enter", "enter", "u", "enter").at(atUndo)
	d.app.tally.keep(f.left)
	if r := d.ends(); r.What != Undone || r.Kept != 1 {
		t.Errorf("%+v", r)
	}
}

func TestAFailedStepThatIsSkippedStaysFailed(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "r", "s").at(atAsk)
	f.applyErr = nil
	d.keys("enter", "enter", "w", "enter", "enter").at(atDone).sees("not everything is as you asked", "failed")
	if r := d.ends(); r.What != Failed || !errors.Is(r.Failure, errLock) {
		t.Errorf("%+v", r)
	}
}

func TestDoneDoesNotCallASkippedStepAsAsked(t *testing.T) {
	d := drive(t, &fakeSession{}, twoSteps).toDiff().keys("s", "enter", "enter", "w", "enter", "enter").at(atDone)
	d.sees("done, but for what was skipped")
	if strings.Contains(d.app.View(), "as you asked") {
		t.Error(d.app.View())
	}
}

func TestAStepThatFailedIsProvedAgainEvenWhereNothingIsLeftToChange(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("w", "enter", "r").at(atDiff)
	f.applyErr = nil
	f.plan = func(step string) *engine.StepPlan {
		p := fakePlan(step)
		p.Items = p.Items[5:]
		return p
	}
	d.keys("esc", "enter", "enter").at(atDiff).sees("nothing to write").keys("enter").at(atResult).sees("nothing was left to change")
	if got := f.called(); strings.Count(got, "apply:kernel") != 2 {
		t.Error(got)
	}
	if r := d.ends(); r.What != Applied {
		t.Errorf("%+v", r)
	}
}

func TestAwaitingDoesNotHideDeviationsOrAFailure(t *testing.T) {
	d := drive(t, &fakeSession{deviate: true}).toDiff().keys("W", "enter").at(atResult)
	if r := d.ends(); r.What != Awaiting || r.Deviations != 1 {
		t.Errorf("%+v", r)
	}
	d = drive(t, &fakeSession{applyErr: errLock}).toDiff().keys("W", "enter").at(atResult).sees("unless it is confirmed")
	d.keys("q").sees("is taken back by itself unless").keys("enter")
	if r := d.ends(); r.What != Awaiting || !errors.Is(r.Failure, errLock) {
		t.Errorf("%+v", r)
	}
}

func TestAFailedRunToBeConfirmedIsFinishedInItself(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("W", "enter", "r")
	f.applyErr = nil
	d.keys("w").sees("120 s").keys("enter").at(atResult).sees("press k")
	if got := f.called(); strings.Count(got, "start") != 1 || !strings.HasSuffix(got, "apply:kernel end:1") {
		t.Error(got)
	}
}

func TestARunThatAwaitsAtTheEndIsKeptThere(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("W", "enter", "r", "s").at(atDone).sees("waits for you", "press k", "goxin confirm")
	d.keys("k").at(atDone).sees("not everything is as you asked")
	if got := f.called(); !strings.HasSuffix(got, "end:1 confirm:1") {
		t.Error(got)
	}
	if r := d.ends(); r.What != Failed {
		t.Errorf("%+v", r)
	}
}

func TestWhenTheTimeIsUpTheJournalsSayWhatBecameOfTheRun(t *testing.T) {
	for name, c := range map[string]struct {
		became engine.Status
		sees   string
		want   What
		failed bool
	}{
		"taken back":             {engine.StatusUndone, "not confirmed in time: taken back", Undone, true},
		"partly":                 {engine.StatusFailed, "not all taken back", Failed, true},
		"confirmed elsewhere":    {engine.StatusApplied, "written and read back", Applied, false},
		"not yet, and never was": {engine.StatusAwaiting, "the machine is taking the changes back", Failed, true},
	} {
		f := &fakeSession{}
		d := drive(t, f).toDiff().keys("W", "enter").at(atResult)
		f.became(1, c.became)
		d.later(121 * time.Second).at(atResult).sees(c.sees)
		if c.became == engine.StatusUndone && strings.Contains(d.app.View(), "hold as asked") {
			t.Errorf("%s: %s", name, d.app.View())
		}
		if r := d.ends(); r.What != c.want || (r.Failure != nil) != c.failed {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestLeavingAfterTheDeadlineIsNeverAwaiting(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f).toDiff().keys("W", "enter").at(atResult)
	d.clock = d.clock.Add(time.Hour) // asleep: nobody has looked since
	f.became(1, engine.StatusUndone)
	if r := d.ends(); r.What != Undone || r.Failure == nil {
		t.Errorf("%+v", r)
	}
}

func TestAStepTakenBackBesideOneThatStandsIsAFailure(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter", "enter", "enter", "W", "enter").at(atResult)
	f.became(2, engine.StatusUndone)
	d.later(121*time.Second).keys("enter").at(atDone).sees("not everything stands", "taken back", "5 changes")
	if r := d.ends(); r.What != Failed || r.Failure == nil {
		t.Errorf("%+v", r)
	}
	d.keys("u", "enter").at(atUndo)
	if got := f.called(); !strings.HasSuffix(got, "undo:1") {
		t.Error(got)
	}
}

func TestAStepTakenBackIsTriedAgain(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f).toDiff().keys("W", "enter")
	f.became(1, engine.StatusUndone)
	d.later(121*time.Second).keys("r").at(atDiff).keys("w", "enter", "enter").at(atDone).sees("is as you asked")
	if r := d.ends(); r.What != Applied || r.Failure != nil {
		t.Errorf("%+v", r)
	}
}

func TestAConfirmationThatFailsAsksWhatBecameOfTheRun(t *testing.T) {
	f := &fakeSession{confirmErr: errors.New("it is applied")}
	d := drive(t, f).toDiff().keys("W", "enter")
	f.became(1, engine.StatusApplied) // confirmed in another session
	d.keys("k").at(atResult).sees("written and read back")
	if d.later(121 * time.Second); strings.Contains(d.app.View(), "taken back") {
		t.Error(d.app.View())
	}
	if r := d.ends(); r.What != Applied {
		t.Errorf("%+v", r)
	}
	f = &fakeSession{confirmErr: errors.New("the disk is full")}
	d = drive(t, f).toDiff().keys("W", "enter", "k").at(atResult).sees("the disk is full", "press k")
	if r := d.ends(); r.What != Awaiting {
		t.Errorf("%+v", r)
	}
}

func interrupted() *engine.RunInfo {
	return &engine.RunInfo{ID: 7, Status: engine.StatusInterrupted, Owner: "person", Steps: []string{"kernel"}, Changes: 3}
}

func TestAFinishThatFailedLeavesOnlyLookingAgainOrUndoing(t *testing.T) {
	f := &fakeSession{pending: interrupted(), resumeErr: errLock, results: []engine.StepResult{{Applied: 2}}}
	d := drive(t, f).keys("f").at(atPending).sees("cannot install gcc", "could not be finished", "u undo it", "r look again")
	if hasKey(d.app.page.Keys(), "f") {
		t.Error("a run that has ended is offered to be finished")
	}
	if r := d.ends(); r.What != Failed || !errors.Is(r.Failure, errLock) {
		t.Errorf("%+v", r)
	}
	d.keys("u", "enter").at(atMachine).sees("Run 7 is undone.")
	if r := d.ends(); r.What != Undone || !errors.Is(r.Failure, errLock) {
		t.Errorf("%+v", r)
	}
}

func TestFinishingWhatIsNoLongerThereSaysSo(t *testing.T) {
	f := &fakeSession{pending: interrupted()}
	d := drive(t, f)
	f.pending = nil // finished in another session meanwhile
	d.keys("f").at(atPending).sees("nothing to finish any more", "look again")
	if strings.Contains(d.app.View(), "is finished") {
		t.Error(d.app.View())
	}
	if r := d.keys("r").at(atMachine).ends(); r.What != Nothing {
		t.Errorf("%+v", r)
	}
}

func TestDeviationsOfARunFinishedReachThePageAndTheEnd(t *testing.T) {
	out := engine.Outcome{Kind: engine.Clamped, By: lang.T("fs.nr_open", "fs.nr_open"), Got: "1048576"}
	f := &fakeSession{pending: interrupted(), results: []engine.StepResult{{Applied: 3, Deviations: []engine.Deviation{{Kind: "sysctl", Target: "fs.file-max", Outcome: out}}}}}
	d := drive(t, f).keys("f").at(atPending).sees("The run is finished", "fs.file-max: clamped, in force: 1048576")
	d.keys("enter").at(atMachine).keys("q")
	if r := d.ends(); r.What != Deviations || r.Deviations != 1 {
		t.Errorf("%+v", r)
	}
}

func TestARunThatIsAtWorkIsNotCalledInterrupted(t *testing.T) {
	busy := &engine.BusyError{Holder: engine.Holder{PID: 1184}}
	for _, key := range []string{"f", "u"} {
		f := &fakeSession{pending: interrupted(), resumeErr: busy, undoErr: busy}
		d := drive(t, f).keys(key, "enter").at(atPending).sees("A run is at work", "another goxin is at work (pid 1184")
		if v := d.app.View(); strings.Contains(v, "interrupted") || hasKey(d.app.page.Keys(), key) {
			t.Errorf("%s: %s", key, v)
		}
		if r := d.ends(); r.What != Nothing {
			t.Errorf("%+v", r)
		}
	}
}

func TestAPlanThatMovedWhileFinishingIsLeftAsItStood(t *testing.T) {
	f := &fakeSession{pending: interrupted(), resumeErr: &engine.StaleError{Targets: []string{"vm.swappiness"}}}
	drive(t, f).keys("f").at(atPending).sees("changed since the plan was reviewed: vm.swappiness")
	if got := f.called(); !strings.HasSuffix(got, "resume leave:7") {
		t.Error(got)
	}
}

func TestAFinishCutShortFromOutsideIsInterrupted(t *testing.T) {
	f := &fakeSession{pending: interrupted()}
	d := drive(t, f)
	f.resumed = func(context.Context) { d.app.pageStop() }
	d.clock = d.clock.Add(time.Second)
	_, cmd := d.app.Update(keyMsg("f"))
	abandon(cmd)
	r, _ := d.app.finish(context.Background(), true, nil)
	if r.What != Interrupted || !strings.HasSuffix(f.called(), "leave:7") {
		t.Errorf("%+v after %s", r, f.called())
	}
}

func TestAPendingRunThatIsKeptIsWaitedForNoMore(t *testing.T) {
	f := &fakeSession{pending: interrupted()}
	d := drive(t, f)
	d.app.awaited = &awaited{run: 7, due: d.clock.Add(time.Minute)}
	d.app.page.(*pendingPage).info.Status = engine.StatusAwaiting
	d.keys("k").at(atMachine)
	if r := d.ends(); r.What != Nothing {
		t.Errorf("%+v", r)
	}
}

// seen is a page that only notes what it is told.
type seen struct {
	page
	msgs []tea.Msg
}

func (s *seen) Update(m tea.Msg) (nav, tea.Cmd) {
	s.msgs = append(s.msgs, m)
	return stay, nil
}

func TestLateRepliesComeInTheirOrderAndNoStaleOnes(t *testing.T) {
	d := drive(t, &fakeSession{})
	p := &seen{page: d.app.page}
	d.app.page = p
	var want []tea.Msg
	for i := range 40 {
		if i%3 == 0 {
			d.app.crew.sent(d.app.epoch-1, i)
			continue
		}
		d.app.crew.sent(d.app.epoch, i)
		want = append(want, i)
	}
	d.ends()
	if !reflect.DeepEqual(p.msgs, want) {
		t.Errorf("got %v, want %v", p.msgs, want)
	}
}

func TestAHangupIsToldInBothLanguages(t *testing.T) {
	var err error = ErrHangup
	if en, zh := lang.Message(err, lang.EN), lang.Message(err, lang.ZH); en == zh || !strings.Contains(zh, "终端") {
		t.Errorf("%q, %q", en, zh)
	}
}

func TestCommandsShownNameTheTreeTheyAreAbout(t *testing.T) {
	f := &fakeSession{deviate: true}
	d := drive(t, f, func(c *Config) { c.Flags = " --root /mnt/new" }).toDiff().keys("w", "enter").at(atResult).sees("goxin --root /mnt/new check")
	d.keys("enter").at(atDone).sees("goxin --root /mnt/new check", "goxin --root /mnt/new undo", "goxin --root /mnt/new apply -f")
	f = &fakeSession{startErr: &engine.BusyError{Due: 3}}
	drive(t, f, func(c *Config) { c.Flags = " --root /mnt/new" }).toDiff().keys("w", "enter").sees("`goxin --root /mnt/new confirm`")
}

func TestAFormWithoutReasonsUsesTheHeightThereIs(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{longStep{fakeStep{"kernel"}}} })
	d.draw([2]int{80, 24}, Rich, lang.EN)
	d.keys("enter").at(atAsk).sees("Number 1?", "Number 6?")
	if n := strings.Count(d.app.View(), ">"); n != 6 {
		t.Errorf("%d of 6 answers are in sight:\n%s", n, d.app.View())
	}
	d.keys("x", "enter").sees("x is not a whole number", "Number 1?").keys("backspace").sees("Number 6?")
}

// longStep asks six things without a reason.
type longStep struct{ fakeStep }

func (longStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	var qs []engine.Question
	for _, n := range []string{"1", "2", "3", "4", "5", "6"} {
		qs = append(qs, engine.Question{Field: engine.Field{Key: n, Kind: engine.Number, Title: lang.T("Number "+n+"?", "数字 "+n+"？")}})
	}
	return qs
}

// A report compares the whole machine, which may take minutes where that is slow.
func TestAReportBeingWrittenDoesNotHoldUpTheEnd(t *testing.T) {
	began := make(chan struct{})
	d := drive(t, &fakeSession{})
	ctx, stop := context.WithCancel(context.Background())
	d.app.ctx, d.app.runs = ctx, []engine.RunID{1}
	d.app.reporter = func(ctx context.Context, _ engine.RunID, _ lang.Lang) (string, error) {
		close(began)
		<-ctx.Done()
		return "", ctx.Err()
	}
	write, over := d.app.writeReport(), make(chan any)
	go func() { over <- write() }()
	<-began
	stop()
	if r, ok := (<-over).(reply).msg.(reported); !ok || r.err != nil || r.path != "" {
		t.Errorf("%+v", r)
	}
}
