package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"goxin/assets"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// kylin is the engine of the real steps on a captured machine's tree.
func kylin(t *testing.T) (*engine.Engine, string) {
	a, err := assets.OpenMachine("kylin-v10-sp3-kunpeng920")
	ok(t, err)
	defer a.Close()
	dir := t.TempDir()
	_, err = machine.OpenRecorded("kylin", a, dir)
	ok(t, err)
	root := filepath.Join(dir, "root")
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(root)}, Steps: steps.All(), Kinds: op.Kinds(), Detect: detect.Detect, Owner: "test", Version: "1.2",
	}), root
}

func diffsOf(t *testing.T, changes []engine.ChangeRecord) string {
	var b strings.Builder
	for _, c := range changes {
		j, err := json.Marshal(c.Diff)
		ok(t, err)
		b.WriteString(c.Kind + " " + c.Target + " " + string(j) + "\n")
	}
	return b.String()
}

func planned(t *testing.T, p *engine.StepPlan) string {
	var cs []engine.ChangeRecord
	for _, it := range p.Items {
		cs = append(cs, engine.ChangeRecord{Kind: it.Kind, Target: it.Target, Diff: it.Diff})
	}
	return diffsOf(t, cs)
}

func TestTheRecordOfARunHasTheDiffsThatWereReviewed(t *testing.T) {
	e, root := kylin(t)
	// One file that is changed, one that is so already, and many that are new.
	ok(t, os.WriteFile(root+"/etc/sysctl.d/zz-goxin.conf", []byte("# an old one\nvm.swappiness = 60\n"), 0o600))
	ctx := context.Background()
	asked := engine.Answers{"kernel": {"profile": "web"}, "runtime": {}, "time": {"wait": int64(0)}}
	run, err := e.Start(ctx, engine.RunOptions{Answers: asked})
	ok(t, err)
	reviewed := map[string]*engine.StepPlan{}
	for _, s := range e.Steps() {
		if v, in := asked[s.ID()]; in {
			_, err := run.Step(ctx, s, v, func(p *engine.StepPlan) error { reviewed[s.ID()] = p; return nil })
			ok(t, err)
		}
	}
	_, err = run.End(ctx)
	ok(t, err)

	r, err := e.Record(0)
	ok(t, err)
	if r.Version != 1 || r.Info.ID != run.ID() || r.Goxin != "1.2" || len(r.Steps) != 3 || r.Ended.IsZero() || !r.Error.Empty() || !reflect.DeepEqual(r.Answers, asked) {
		t.Errorf("%+v", r)
	}
	actions := map[engine.Action]int{}
	for _, st := range r.Steps {
		p := reviewed[st.Step]
		if got, want := diffsOf(t, st.Changes), planned(t, p); got != want {
			t.Errorf("%s: recorded\n%s\nreviewed\n%s", st.Step, got, want)
		}
		if !st.Done || st.Reviewed != p.Reviewed || st.Wanted != p.Wanted || !reflect.DeepEqual(st.Notes, p.Notes) || st.Title != e.Step(st.Step).Title() {
			t.Errorf("%+v", st)
		}
		for i, c := range st.Changes {
			actions[c.Diff.Action]++
			if want := map[bool]string{true: "skipped", false: "done"}[c.Diff.Action == engine.None]; c.Status != want || c.Began.IsZero() || c.Ended.Before(c.Began) {
				t.Errorf("%s: %s from %v to %v, want %s", c.Target, c.Status, c.Began, c.Ended, want)
			}
			if c.Why != p.Items[i].Why || !reflect.DeepEqual(c.ByHand, p.Items[i].ByHand) {
				t.Errorf("%s: other reasons than were reviewed", c.Target)
			}
		}
	}
	if actions[engine.Create] == 0 || actions[engine.Update] == 0 || actions[engine.None] == 0 {
		t.Errorf("the tree shows not every kind of change: %v", actions)
	}
	f := r.Facts[r.Order[0]]
	if f == nil || f.Arch.Machine.Value != "aarch64" || f.Arch.Machine.From.Empty() {
		t.Errorf("facts %+v", f)
	}

	// Its JSON form reads back.
	b, err := json.Marshal(r)
	ok(t, err)
	var back engine.RunRecord
	ok(t, json.Unmarshal(b, &back))
	again, err := json.Marshal(&back)
	ok(t, err)
	if !bytes.Equal(b, again) || !reflect.DeepEqual(back.Answers, r.Answers) {
		i := 0
		for i < min(len(b), len(again)) && b[i] == again[i] {
			i++
		}
		t.Errorf("read back it is another from byte %d on: %.80s, was %.80s", i, again[i:], b[i:])
	}

	// What was undone is told too, and what was forgotten as far as it can be.
	_, err = e.Undo(ctx, run.ID(), "runtime")
	ok(t, err)
	ok(t, e.Forget(t.Context(), run.ID()))
	r, err = e.Record(run.ID())
	ok(t, err)
	if !r.Info.Forgotten {
		t.Error("not told as forgotten")
	}
	for _, st := range r.Steps {
		for _, c := range st.Changes {
			want := map[bool]string{true: "undone", false: "done"}[st.Step == "runtime"]
			if c.Status != want && c.Status != "skipped" || (c.Status == "undone") != !c.Back.IsZero() {
				t.Errorf("%s: %s at %v", c.Target, c.Status, c.Back)
			}
			if c.Target == "/etc/sysctl.d/zz-goxin.conf" && (c.Diff.Action != engine.Update || c.Diff.Hunks != nil || !strings.Contains(c.Diff.Note.EN, "no longer kept")) {
				t.Errorf("a diff without the content it is made of: %+v", c.Diff)
			}
		}
	}
}

func TestTheRecordOfAFailedRunSaysWhatFailedAndWhatWasNotReached(t *testing.T) {
	w := newWorld(t, "a=0")
	e := w.engine()
	if _, err := w.apply(e, engine.RunOptions{Answers: answers("a=1 b!=2 c=3", "")}, true); err == nil {
		t.Fatal("no error")
	}
	r, err := e.Record(1)
	ok(t, err)
	var got []string
	for _, c := range r.Steps[0].Changes {
		got = append(got, c.Target+":"+c.Status)
	}
	if s := strings.Join(got, " "); s != "a:undone b!:undone c:planned" {
		t.Error(s)
	}
	b, c := r.Steps[0].Changes[1], r.Steps[0].Changes[2]
	if !strings.Contains(b.Error.EN, "it broke") || !strings.Contains(b.Error.ZH, "无法完成") || !strings.Contains(r.Error.ZH, "it broke") {
		t.Errorf("change %+v, run %+v", b.Error, r.Error)
	}
	if c.Diff.Action != engine.Create || !c.Began.IsZero() {
		t.Errorf("what was not reached has %+v", c)
	}
}

func TestTheRecordOfARunThatNeverEndedHasNoEnd(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	if _, err := e.Record(0); err == nil {
		t.Error("a run where there was none")
	}
	run, err := e.Start(context.Background(), engine.RunOptions{Answers: answers("a=1", "")})
	ok(t, err)
	ok(t, run.Leave())
	r, err := e.Record(0)
	ok(t, err)
	if r.Info.Status != engine.StatusInterrupted || !r.Ended.IsZero() || len(r.Steps) != 0 {
		t.Errorf("%+v", r)
	}
	if _, err := e.Record(9); err == nil {
		t.Error("a run that there is not")
	}
}

// A stick is mounted elsewhere tomorrow, and where it was is nobody's business.
func TestTheRecordOfATreeThatWasMovedIsAllAboutWhereItIsNow(t *testing.T) {
	e, root := kylin(t)
	run, err := e.Start(t.Context(), engine.RunOptions{Answers: engine.Answers{"kernel": {}}})
	ok(t, err)
	_, err = run.Step(t.Context(), e.Step("kernel"), engine.Values{}, nil)
	ok(t, err)
	_, err = run.End(t.Context())
	ok(t, err)
	to := filepath.Join(t.TempDir(), "moved")
	ok(t, os.Rename(root, to))
	e = engine.New(engine.Config{Machines: []machine.Machine{machine.Root(to)}, Steps: steps.All(), Kinds: op.Kinds(), Detect: detect.Detect})
	r, err := e.Record(0)
	ok(t, err)
	b, err := json.Marshal(r)
	ok(t, err)
	if strings.Contains(string(b), root) || !strings.Contains(string(r.Steps[0].Survey), to) {
		t.Errorf("survey %.200s", r.Steps[0].Survey)
	}
	if drift, err := e.Check(t.Context()); err != nil || len(drift) > 0 {
		t.Errorf("%v, %v", drift, err)
	}
	res, err := e.Undo(t.Context(), 0, "kernel")
	if err != nil || len(res.Left) > 0 || res.Undone == 0 {
		t.Errorf("%+v, %v", res, err)
	}
}

// Steps of one run build on one another; a person comes back to any of them.
func TestTheStepsOfARunCanBeUndoneOldestFirst(t *testing.T) {
	e, root := kylin(t)
	asked := engine.Answers{"kernel": {"profile": "web"}, "runtime": {}, "build": {}, "environment": {}}
	run, err := e.Start(t.Context(), engine.RunOptions{Answers: asked})
	ok(t, err)
	var done []string
	for _, s := range e.Steps() {
		if v, in := asked[s.ID()]; in {
			if _, err := run.Step(t.Context(), s, v, nil); err == nil {
				done = append(done, s.ID())
			}
		}
	}
	_, _ = run.End(t.Context())
	if len(done) < 3 {
		t.Fatalf("only %v were done", done)
	}
	for _, id := range done { // oldest first: the wrong way round
		_, err := e.Undo(t.Context(), run.ID(), id)
		ok(t, err)
	}
	res, err := e.Undo(t.Context(), run.ID(), "")
	ok(t, err)
	if len(res.Left) > 0 {
		t.Errorf("left in the end: %+v", res.Left)
	}
	if _, err := os.Lstat(root + "/etc/sysctl.d/zz-goxin.conf"); err == nil {
		t.Error("a file stands")
	}
	if i := infoOf(t, e, run.ID()); i.Status != engine.StatusUndone || i.Changes != 0 {
		t.Errorf("%+v", i)
	}
}

func infoOf(t *testing.T, e *engine.Engine, id engine.RunID) engine.RunInfo {
	r, err := e.Record(id)
	ok(t, err)
	return r.Info
}

// Somebody looked at a diff and said no: from then on the report was one of that empty run,
// and not of the good one before it.
func TestTheNewestRunToTellOfIsOneThatCameToAStep(t *testing.T) {
	w := newWorld(t, "a=0")
	_, err := w.apply(w.engine(), engine.RunOptions{Answers: answers("a=1", "")}, false)
	ok(t, err)
	e := w.engine()
	run, err := e.Start(t.Context(), engine.RunOptions{Answers: answers("a=2", "")})
	ok(t, err)
	no := errors.New("no")
	if _, err := run.Step(t.Context(), e.Step("one"), engine.Values{"ops": "a=2"}, func(*engine.StepPlan) error { return no }); !errors.Is(err, no) {
		t.Fatal(err)
	}
	_, err = run.End(t.Context())
	ok(t, err)
	r, err := w.engine().Record(0)
	ok(t, err)
	if r.Info.ID != 1 {
		t.Errorf("run %d, not 1", r.Info.ID)
	}
}
