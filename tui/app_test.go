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

// driver plays the part of tea.Program: it runs commands at once and feeds what
// they return back, until nothing is left to do.
type driver struct {
	t     testing.TB
	app   *App
	fake  *fakeSession
	quit  bool
	clock time.Time
	saved []engine.Answers

	inside bool // Update or View is at work
}

func drive(t testing.TB, f *fakeSession, configure ...func(*Config)) *driver {
	t.Helper()
	d := &driver{t: t, fake: f, clock: time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)}
	c := Config{
		Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN, Tier: Rich, Han: true,
		Save: func(a engine.Answers) (string, error) {
			d.saved = append(d.saved, a)
			return "/var/lib/goxin/answers/kp-01.yaml", nil
		},
	}
	for _, f := range configure {
		f(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	d.app = newApp(ctx, c)
	d.app.now = func() time.Time { return d.clock }
	d.app.timer = func(time.Duration, tea.Msg) tea.Cmd { return nil }
	d.app.pause = func(d0 time.Duration) { d.clock = d.clock.Add(d0) }
	d.app.header, d.app.warning = fakeTitle, fakeWarning
	d.run(d.app.Init())
	return d
}

func (d *driver) run(cmd tea.Cmd) {
	if cmd == nil || d.quit {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.QuitMsg:
		d.quit = true
	case tea.BatchMsg:
		for _, c := range msg {
			d.run(c)
		}
	default:
		d.send(msg)
	}
	if len(d.app.feed.ready) > 0 {
		<-d.app.feed.ready
		d.send(wake{})
	}
}

func (d *driver) send(msg tea.Msg) {
	d.inside = true
	_, cmd := d.app.Update(msg)
	d.inside = false
	d.run(cmd)
}

// keys types keys by the names bubbletea gives them; a second passes between
// them, so that no question is answered too soon.
func (d *driver) keys(names ...string) *driver {
	for _, n := range names {
		d.clock = d.clock.Add(time.Second)
		d.send(keyMsg(n))
	}
	return d
}

func keyMsg(name string) tea.KeyMsg {
	for t := tea.KeyType(-200); t < 200; t++ {
		if t != tea.KeyRunes && (tea.KeyMsg{Type: t}).String() == name && name != "" {
			return tea.KeyMsg{Type: t}
		}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

func (d *driver) at(want stage) *driver {
	d.t.Helper()
	if d.app.place.stage != want {
		d.t.Fatalf("at stage %d, want %d; the screen is\n%s", d.app.place.stage, want, d.app.View())
	}
	return d
}

func (d *driver) sees(texts ...string) *driver {
	d.t.Helper()
	v := d.app.View()
	for _, s := range texts {
		if !strings.Contains(v, s) {
			d.t.Fatalf("the screen does not say %q:\n%s", s, v)
		}
	}
	return d
}

// toDiff goes through machine and questions with the defaults.
func (d *driver) toDiff() *driver { return d.keys("enter", "enter", "enter").at(atDiff) }

func TestWizardWalksFromTheMachineToTheEnd(t *testing.T) {
	d := drive(t, &fakeSession{}).at(atMachine).sees("This machine", "256 GiB", "To know before we start")
	d.keys("enter").at(atAsk).sees("What is this machine for?")
	d.keys("down", "enter", "enter").at(atDiff).sees("5 changes, 1 warning", "nothing written yet")
	if got := d.fake.called(); strings.Contains(got, "start") {
		t.Fatalf("a run was started before anybody asked for it: %s", got)
	}
	d.keys("w").sees("Write 5 changes to kp-01?").keys("enter").at(atResult).sees("5 changes hold as asked")
	d.keys("enter").at(atDone).sees("/var/lib/goxin/answers/kp-01.yaml", "goxin check", "goxin undo")
	d.keys("enter")
	if !d.quit {
		t.Fatal("Enter on the last page did not leave")
	}
	want := "detect survey:kernel survey:kernel plan:kernel:web start:0s apply:kernel end:1"
	if got := d.fake.called(); got != want {
		t.Errorf("calls\n got %s\nwant %s", got, want)
	}
	if w := d.app.what(); w != Applied {
		t.Errorf("what = %d, want Applied", w)
	}
	last := d.saved[len(d.saved)-1]
	if !reflect.DeepEqual(last, engine.Answers{"kernel": {"profile": "web"}}) {
		t.Errorf("saved %v", last)
	}
}

func TestEnterAloneNeverWrites(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff()
	d.keys("enter", "enter", "enter", "y", " ").at(atDiff)
	if got := d.fake.called(); strings.Contains(got, "start") {
		t.Fatalf("written without w: %s", got)
	}
}

func TestAKeyAlreadyOnItsWayDoesNotAnswerAQuestion(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w")
	for range 3 { // enter held down: the keyboard is never quiet
		d.clock = d.clock.Add(100 * time.Millisecond)
		d.send(keyMsg("enter"))
	}
	d.at(atDiff)
	d.clock = d.clock.Add(500 * time.Millisecond)
	d.send(keyMsg("enter"))
	d.at(atResult)
}

func TestPastedTextAnswersNothing(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w")
	d.clock = d.clock.Add(5 * time.Second)
	d.send(tea.KeyMsg{Type: tea.KeyEnter, Paste: true})
	d.at(atDiff)
}

func TestEscGoesBackAndDestroysNothing(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("enter", "down", "enter", "enter").at(atDiff)
	d.keys("esc").at(atAsk).keys("esc").at(atMachine)
	d.keys("enter").at(atAsk)
	if v := d.app.answers["kernel"]["profile"]; v != "web" {
		t.Errorf("going back lost the answer: %v", v)
	}
	d.keys("enter", "enter", "w", "esc").at(atDiff)
	if len(d.app.overlays) != 0 {
		t.Error("Esc did not close the question")
	}
}

func TestReviewWalksAFileWithoutAsking(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) {
		c.Review, c.Answers = true, engine.Answers{"kernel": {"profile": "web"}}
		c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}, fakeStep{"service"}}
	}).keys("enter").at(atDiff)
	if d.app.step().ID() != "kernel" {
		t.Fatalf("at %s", d.app.step().ID())
	}
	d.keys("w", "enter", "enter").at(atDone)
	if got := d.app.progress; !reflect.DeepEqual(got, []progress{unasked, done, unasked}) {
		t.Errorf("progress = %v", got)
	}
}

func TestOneRunHoldsAllSteps(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}} })
	d.toDiff().keys("w", "enter", "enter").at(atAsk).keys("enter", "enter", "w", "enter", "enter").at(atDone)
	got := d.fake.called()
	if strings.Count(got, "start") != 1 || strings.Count(got, "end") != 1 || !strings.Contains(got, "apply:mirror detect survey:kernel") {
		t.Errorf("calls: %s", got)
	}
}

func TestASkippedStepLeavesTheAnswers(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("s").at(atDone).sees("skipped", "nothing was changed")
	if _, there := d.app.answers["kernel"]; there {
		t.Error("the step is still in the answers")
	}
	if d.app.what() != Nothing {
		t.Error(d.app.what())
	}
}

func TestNothingToChangeIsGoneOnFrom(t *testing.T) {
	f := &fakeSession{plan: func(step string) *engine.StepPlan {
		p := fakePlan(step)
		p.Items = p.Items[5:]
		return p
	}}
	d := drive(t, f).toDiff().sees("already as wanted, nothing to write", "kept: above 1000000")
	d.keys("w").at(atDiff).keys("enter").at(atDone)
	if strings.Contains(f.called(), "start") {
		t.Error(f.called())
	}
}

func TestDeviationsAreNamedWithWhatCausedThem(t *testing.T) {
	d := drive(t, &fakeSession{deviate: true}).toDiff().keys("w", "enter").at(atResult)
	d.sees("4 changes hold as asked", "vm.swappiness: refused, in force: 60", "read-only")
	d.keys("enter").at(atDone)
	if d.app.what() != Deviations {
		t.Error(d.app.what())
	}
}

func TestAFailureOffersRetryAndUndo(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("w", "enter").at(atResult)
	d.sees("cannot install gcc: dnf is waiting for a lock", "Next: wait until packagekitd", "Stands", "3 changes of this step")
	if d.app.what() != Failed {
		t.Error(d.app.what())
	}
	d.keys("enter").at(atResult) // Enter does nothing here
	f.applyErr = nil
	d.keys("r").at(atDiff).sees("part of it is written").keys("w", "enter").at(atResult).sees("hold as asked")
	if n := strings.Count(f.called(), "start"); n != 1 {
		t.Errorf("%d runs were started for one", n)
	}
	f2 := &fakeSession{applyErr: errLock, left: []engine.Left{{Target: "vm.swappiness", Reason: lang.T("changed by somebody since", "之后被他人改动过")}}}
	d = drive(t, f2).toDiff().keys("w", "enter", "u", "enter").at(atUndo)
	d.sees("4 changes put back", "vm.swappiness: changed by somebody since")
	if !strings.Contains(f2.called(), "run-undo:1 end:1") {
		t.Error(f2.called())
	}
	d.keys("enter")
	if d.app.what() != Undone || !d.quit {
		t.Errorf("what = %v, quit = %v", d.app.what(), d.quit)
	}
}

func TestUndoAtTheEndIsAskedForTwice(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w", "enter", "enter").at(atDone)
	d.keys("u").at(atDone).sees("Undo what was written").keys("esc").at(atDone)
	d.keys("u", "enter").at(atUndo).sees("5 changes put back")
	if !strings.Contains(d.fake.called(), "end:1 undo:1") {
		t.Error(d.fake.called())
	}
	d.keys("m").at(atMachine)
	if !reflect.DeepEqual(d.app.progress, []progress{open}) {
		t.Error(d.app.progress)
	}
}

func TestAnUnconfirmedRunCountsDownAndIsKeptByOneKey(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("W").sees("120 s").keys("enter").at(atResult).sees("02:00", "press k")
	d.keys("enter").at(atResult)
	if d.app.what() != Awaiting {
		t.Error(d.app.what())
	}
	d.keys("k").at(atResult).sees("written and read back")
	if got := d.fake.called(); !strings.HasSuffix(got, "start:2m0s apply:kernel end:1 confirm:1") {
		t.Error(got)
	}
	if d.app.what() != Applied {
		t.Error(d.app.what())
	}

	d = drive(t, &fakeSession{}).toDiff().keys("W", "enter")
	d.clock = d.clock.Add(121 * time.Second)
	d.sees("taking the changes back").keys("k")
	if strings.Contains(d.fake.called(), "confirm") {
		t.Error("confirmed after its deadline")
	}
}

func TestAnInterruptedRunComesFirst(t *testing.T) {
	info := func(s engine.Status) *engine.RunInfo {
		return &engine.RunInfo{ID: 7, Status: s, Owner: "person", Steps: []string{"kernel"}, Changes: 3}
	}
	f := &fakeSession{pending: info(engine.StatusInterrupted)}
	d := drive(t, f).at(atPending).sees("A run was interrupted", "3 of its changes stand")
	d.keys("enter").at(atPending).keys("f").at(atMachine)
	if got := f.called(); got != "detect resume end:7 detect" {
		t.Error(got)
	}
	f = &fakeSession{pending: info(engine.StatusInterrupted)}
	drive(t, f).keys("u", "enter").at(atMachine)
	if got := f.called(); got != "detect undo:7 detect" {
		t.Error(got)
	}
	f = &fakeSession{pending: info(engine.StatusAwaiting)}
	drive(t, f).sees("waits to be confirmed").keys("k").at(atMachine).sees("The changes of run 7 are kept.")
	if got := f.called(); got != "detect confirm:7 detect" {
		t.Error(got)
	}
}

func TestErrorsAreShownWithTheNextThingToDo(t *testing.T) {
	f := &fakeSession{detectErr: errLock}
	d := drive(t, f).at(atMachine).sees("dnf is waiting for a lock", "Next:")
	f.detectErr = nil
	d.keys("r").sees("256 GiB")
	f.planErr = errLock
	d.keys("enter", "enter", "enter").at(atDiff).sees("cannot be planned")
	f.planErr = nil
	d.keys("r").sees("5 changes")
	f.startErr = &engine.BusyError{Holder: engine.Holder{PID: 1184}}
	d.keys("w", "enter").at(atResult).sees("nothing was written, nothing to undo", "cannot start: another goxin is at work (pid 1184")
}

func TestAPanicBecomesAnErrorOnTheScreen(t *testing.T) {
	for _, call := range []string{"detect", "survey", "plan", "start", "apply", "end"} {
		f := &fakeSession{panicIn: call}
		d := drive(t, f).keys("enter", "enter", "enter", "w", "enter", "enter")
		d.sees("goxin itself failed: boom in " + call)
		d.keys("l").sees("goroutine")
		if l := d.app.log; !strings.Contains(l[len(l)-1].text.EN, "panic: boom") {
			t.Errorf("%s: the log ends with %v", call, l[len(l)-1])
		}
	}
}

func TestAStaleReplyIsDropped(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff()
	old := reply{epoch: d.app.epoch, msg: broken{errors.New("late")}}
	d.keys("esc").at(atAsk)
	d.send(old)
	if p := d.app.page.(*askPage); p.err != nil {
		t.Errorf("a reply to the page before reached this one: %v", p.err)
	}
}

func TestLeavingAsksOnceSomethingIsAtStake(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("q")
	if !d.quit {
		t.Error("q on the first page asks")
	}
	d = drive(t, &fakeSession{}).toDiff().keys("ctrl+c").sees("Leave goxin?", "Nothing has been written").keys("esc")
	if d.quit {
		t.Error("left in spite of Esc")
	}
	if d.keys("ctrl+c", "ctrl+c"); !d.quit {
		t.Error("ctrl+c twice does not leave")
	}
}

func TestSuspendIsOffWhileWriting(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff()
	if !hasKey(d.app.globalKeys(), "ctrl+z") {
		t.Fatal("no suspend on the diff")
	}
	d.app.outcome.plan = fakePlan("kernel")
	d.app.place, d.app.page = place{atWrite, 0}, &writePage{App: d.app}
	if hasKey(d.app.globalKeys(), "ctrl+z") || hasKey(d.app.globalKeys(), "ctrl+c") {
		t.Error("suspend or leave while a machine is written to")
	}
	if !hasKey(d.app.page.Keys(), "ctrl+c") {
		t.Error("ctrl+c does not ask to stop")
	}
}

func hasKey(bs []binding, k string) bool {
	for _, b := range bs {
		for _, n := range b.keys {
			if n == k {
				return true
			}
		}
	}
	return false
}

func TestEveryKeyIsBoundOnceOnAPage(t *testing.T) {
	for name, d := range screens(t) {
		bs := append(d.app.globalKeys(), d.app.page.Keys()...)
		if n := len(d.app.overlays); n > 0 {
			bs = d.app.overlays[n-1].Keys()
		}
		seen := make(map[string]string)
		for _, b := range bs {
			for _, k := range b.keys {
				if other, twice := seen[k]; twice && b.do != nil {
					t.Errorf("%s: %s is %q and %q", name, k, other, b.desc.EN)
				}
				seen[k] = b.desc.EN
			}
		}
	}
}

func TestLanguageAndTierSwitchAnywhere(t *testing.T) {
	for name, d := range screens(t) {
		before := d.app.View()
		for _, k := range []string{"f2", "f4", "f4", "f2"} {
			d.send(keyMsg(k))
		}
		if got := d.app.View(); got != before {
			t.Errorf("%s: F2 F4 F4 F2 does not come back to the same screen:\n%s\n---\n%s", name, before, got)
		}
	}
}

func TestChineseIsNotShownWhereTheFontHasNone(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Han, c.Tier = false, VT }).keys("f2").sees("--lang zh")
	if d.app.lang != lang.EN {
		t.Error("switched to Chinese")
	}
}

func TestResultSaysWhatHappened(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w", "enter", "enter", "enter")
	r, err := d.app.finish(context.Background(), false, nil)
	if err != nil || r.What != Applied || r.Answers != "/var/lib/goxin/answers/kp-01.yaml" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestARunStillHeldIsEndedOnLeaving(t *testing.T) {
	d := drive(t, &fakeSession{}, func(c *Config) { c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}} })
	d.toDiff().keys("w", "enter", "enter", "ctrl+c").sees("What has been written stays").keys("enter")
	if _, err := d.app.finish(context.Background(), false, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(d.fake.called(), "end:1") {
		t.Error(d.fake.called())
	}
}

func TestWhatEndsAfterTheProgramIsStillCounted(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w", "enter", "enter", "u")
	d.clock = d.clock.Add(time.Second)
	_, cmd := d.app.Update(keyMsg("enter")) // to the undo page; the program stops before its reply comes
	abandon(cmd)
	r, _ := d.app.finish(context.Background(), true, nil)
	if r.What != Undone || !strings.HasSuffix(d.fake.called(), "end:1 undo:1") {
		t.Errorf("what = %d after %s", r.What, d.fake.called())
	}
}

// abandon runs commands whose messages nobody receives.
func abandon(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	if batch, ok := cmd().(tea.BatchMsg); ok {
		for _, c := range batch {
			abandon(c)
		}
	}
}

func TestAStepThatOnlyProvesIsTriedOutWithoutARun(t *testing.T) {
	f := &fakeSession{plan: func(step string) *engine.StepPlan { return &engine.StepPlan{Step: step, Proves: true} }}
	d := drive(t, f).toDiff().sees("nothing to write, to be tried out", "try it out")
	d.keys("enter").at(atResult).sees("proved", "a program is built: ELF 64-bit")
	if c := f.called(); strings.Contains(c, "start") || !strings.Contains(c, "prove:kernel") {
		t.Error(c)
	}
	f = &fakeSession{plan: f.plan, proveErr: lang.Errorf(nil, "cannot prove: it is no ELF file", "验证未通过：不是 ELF 文件")}
	d = drive(t, f).toDiff().keys("enter").at(atResult).sees("cannot prove: it is no ELF file", "try again")
	if hasKey(d.app.page.Keys(), "u") {
		t.Error("offers to undo nothing")
	}
}

func TestAFailureIsAnsweredWhenItHasBeenSeen(t *testing.T) {
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f).toDiff().keys("w", "enter").at(atResult).sees("try again", "skip this step, go on with the next")
	d.app.hush = &hush{d.clock} // as it has just come
	d.send(keyMsg("s"))
	d.at(atResult)
	d.clock = d.clock.Add(200 * time.Millisecond)
	d.send(keyMsg("s")) // the keyboard has not been quiet since
	d.at(atResult).keys("s").at(atDone)
}

func TestAShellIsOfferedWhereSomethingFailed(t *testing.T) {
	var opened int
	f := &fakeSession{applyErr: errLock}
	d := drive(t, f, func(c *Config) {
		c.Shell = func() tea.ExecCommand {
			opened++
			return nil
		}
	}).toDiff().keys("w", "enter").sees("!  open a shell and look")
	d.app.page.(*resultPage).openShell()
	if opened != 1 || d.app.found != nil {
		t.Errorf("opened %d, found %v", opened, d.app.found)
	}
	d.send(shellOver{errors.New("no such file")})
	d.sees("cannot open a shell: no such file").keys("esc").at(atResult)
}

func TestAKeyHeldDownAnswersNothing(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff().keys("w").sees("Write 5 changes")
	for range 100 {
		d.clock = d.clock.Add(33 * time.Millisecond) // as keyboards repeat
		d.send(keyMsg("enter"))
	}
	d.at(atDiff).keys("enter").at(atResult)
}

func TestWhatIsSaidAfterTheWizardIsInItsLastLanguage(t *testing.T) {
	d := drive(t, &fakeSession{}).keys("f2", "enter", "q")
	if r := d.ends(); r.Lang != lang.ZH {
		t.Errorf("the wizard ended in Chinese, and says %q", r.Lang)
	}
}

// On a tree, where nothing runs that could take a change back, the wizard offered to, and
// the step failed on a flag that nobody had given.
func TestOnATreeNothingIsPromisedToBeTakenBack(t *testing.T) {
	d := drive(t, &fakeSession{})
	d.app.confirmWithin = -1
	d.toDiff().keys("W").at(atDiff)
	if s := d.draw([2]int{80, 24}, Rich, lang.EN); !strings.Contains(s, "nothing written yet") || strings.Contains(s, "read back once it is written") {
		t.Error(s)
	}
}

// A service that was waiting for the toolchain could be written, and failed: nobody was told
// before that the toolchain had to be there first.
func TestWhatIsKnownAfterAnotherStepCannotBeWrittenYet(t *testing.T) {
	d := drive(t, &fakeSession{}).toDiff()
	p := d.app.page.(*diffPage)
	p.plan.Items = append(p.plan.Items, engine.Planned{On: p.plan.Items[0].On, Unknown: "toolchain"})
	d.keys("w").at(atDiff)
	if s := d.draw([2]int{80, 24}, Rich, lang.EN); strings.Contains(s, "write these changes") || strings.Contains(s, "read back once it is written") {
		t.Error(s)
	}
	d.sees("skip this step")
}
