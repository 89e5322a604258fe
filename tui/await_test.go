package tui

import (
	"strings"
	"testing"

	"goxin/assets/lang"
)

// k also moves in the log, which closes when the writing ends.
func TestAKeyAlreadyOnItsWayKeepsNoRunThatIsToBeConfirmed(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f).toDiff().keys("W", "enter").at(atResult)
	d.send(keyMsg("k")) // at once
	if got := f.called(); strings.Contains(got, "confirm") {
		t.Fatal(got)
	}
	d.keys("k")
	if got := f.called(); !strings.HasSuffix(got, "confirm:1") {
		t.Error(got)
	}
}

// The undo of a finished step ends the run under way: where that one is to be
// confirmed, it is from then on.
func TestARunThatTheUndoOfAStepEndsStillWaitsToBeConfirmed(t *testing.T) {
	f := &fakeSession{}
	d := drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter").at(atAsk).sees("Kernel")
	f.applyErr = lang.Errorf(nil, "cannot write it", "无法写入")
	d.keys("enter", "enter").at(atDiff).keys("W", "enter").at(atResult) // a run of its own, and it is held
	d.keys("esc")
	if d.app.place.stage != atFinished {
		d.keys("r").at(atDiff).keys("esc", "esc")
	}
	d.at(atFinished).sees("Mirror").keys("u", "enter").sees("its changes are put back")
	if got := f.called(); !strings.Contains(got, "end:2 undo:1:mirror") {
		t.Fatal(got)
	}
	if d.app.awaited == nil || d.app.awaited.run != 2 {
		t.Fatalf("nobody is told that run 2 is taken back by itself: %+v", d.app.awaited)
	}
	if r := d.ends(); r.What != Awaiting {
		t.Errorf("%+v", r)
	}
}

func TestARunThatCouldNotBeEndedIsAFailure(t *testing.T) {
	for name, walk := range map[string]func(*driver) *driver{
		"at the end":        func(d *driver) *driver { return d.keys("s").at(atDone).sees("not everything is as you asked") },
		"for a step's undo": func(d *driver) *driver { return d.keys("esc").at(atFinished).keys("u", "enter").sees("no room") },
	} {
		f := &fakeSession{endErr: lang.Errorf(nil, "cannot write the journal: no room", "无法写入运行日志：空间不足")}
		d := walk(drive(t, f, twoSteps).toDiff().keys("w", "enter", "enter").at(atAsk))
		if r := d.ends(); r.What != Failed || r.Failure == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
