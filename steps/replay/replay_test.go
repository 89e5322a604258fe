package replay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/replay"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// told is everything a walk through steps shows: plans, events, errors in both
// languages and their hints.
type told struct {
	plans, events, errs []string
}

func (w *told) hear(ev engine.Event) {
	out := ""
	if ev.Outcome != nil {
		out = string(ev.Outcome.Kind) + ev.Outcome.By.ZH
	}
	switch ev.What {
	case engine.Doing, engine.Done, engine.Skipped, engine.Failed, engine.StepStarted, engine.StepDone, engine.Proved, engine.PlanReady,
		engine.Undoing, engine.Undone, engine.LeftAlone, engine.RunStarted:
		w.events = append(w.events, fmt.Sprint(ev.What, " ", ev.Step, " ", ev.Kind, " ", ev.Target, " ", ev.N, "/", ev.Of, " ", out, ev.Text, ev.Error, ev.Hint))
	}
}

func (w *told) plan(t *testing.T, p *engine.StepPlan) {
	for i := range p.Items {
		p.Items[i].Op, p.Items[i].On = nil, "" // a replay has no ops
	}
	b, err := json.MarshalIndent(struct {
		Items  []engine.Planned
		Notes  []engine.Note
		Values engine.Values
		Digest string
	}{p.Items, p.Notes, p.Values, p.Reviewed}, "", " ")
	ok(t, err)
	w.plans = append(w.plans, string(b))
}

func (w *told) err(err error) {
	w.errs = append(w.errs, fmt.Sprintf("%q %q %q %q", lang.Message(err, lang.EN), lang.Message(err, lang.ZH), lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH)))
}

// kylin is an engine of the real steps on a captured machine's tree.
func kylin(t *testing.T, opts ...machine.Option) *engine.Engine {
	a, err := assets.OpenMachine("kylin-v10-sp3-kunpeng920")
	ok(t, err)
	defer a.Close()
	dir := t.TempDir()
	_, err = machine.OpenRecorded("kylin", a, dir)
	ok(t, err)
	return engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(filepath.Join(dir, "root"), opts...)},
		Steps:    steps.All(), Kinds: op.Kinds(), Detect: detect.Detect, Owner: "person", Version: "1.2",
	})
}

var asked = engine.Answers{"kernel": {"profile": "web", "set": map[string]string{"vm.swappiness": "1"}}, "runtime": {}, "time": {"zone": "Asia/Shanghai"}}

// real applies what is asked, step by step as the wizard does, until a step fails.
func real(t *testing.T, e *engine.Engine, undo bool) (*told, *engine.RunRecord) {
	ctx, w := context.Background(), &told{}
	e.Listen(w.hear)
	_, err := e.Detect(ctx)
	ok(t, err)
	run, err := e.Start(ctx, engine.RunOptions{Answers: asked})
	ok(t, err)
	for _, s := range e.Steps() {
		v, in := asked[s.ID()]
		if !in {
			continue
		}
		sv, err := e.Survey(ctx, s, v, nil)
		ok(t, err)
		p, err := e.Plan(ctx, s, sv, v)
		ok(t, err)
		_, err = run.Apply(ctx, p)
		w.plan(t, p)
		w.err(err)
		if err != nil {
			break
		}
	}
	if undo {
		_, err := run.Undo(ctx)
		w.err(err)
	}
	_, err = run.End(ctx)
	ok(t, err)
	r, err := e.Record(0)
	ok(t, err)
	return w, r
}

// again walks through a session as the wizard does.
func again(t *testing.T, s *replay.Session, undo bool) *told {
	ctx, w := context.Background(), &told{}
	s.Listen(w.hear)
	_, err := s.Detect(ctx)
	ok(t, err)
	run, err := s.Start(ctx, engine.RunOptions{})
	ok(t, err)
	for _, st := range s.Steps() {
		sv, err := s.Survey(ctx, st, nil, nil)
		ok(t, err)
		p, err := s.Plan(ctx, st, sv, s.Answers()[st.ID()])
		ok(t, err)
		_, err = run.Apply(ctx, p)
		w.plan(t, p)
		w.err(err)
		if err != nil {
			break
		}
	}
	if undo {
		_, err := run.Undo(ctx)
		w.err(err)
	}
	_, err = run.End(ctx)
	ok(t, err)
	return w
}

// carried is a record as it comes out at the other end.
func carried(t *testing.T, r *engine.RunRecord) *engine.RunRecord {
	t.Helper()
	clean, err := replay.Scrub(r, replay.Scrubbing{Public: func(string) bool { return true }})
	ok(t, err)
	var b bytes.Buffer
	ok(t, replay.Pack(&b, clean, nil))
	got, err := replay.Read(&b)
	ok(t, err)
	return got
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("%s, %d: replayed\n%s\nreal\n%s", what, i, g, w)
		}
	}
}

func compare(t *testing.T, got, want *told) {
	t.Helper()
	same(t, "plans", got.plans, want.plans)
	same(t, "events", got.events, want.events)
	same(t, "errors", got.errs, want.errs)
}

// refusing lets no file of that name be written.
func refusing(name string) machine.Option {
	return machine.WithEffects(func(_, at string) error {
		if strings.Contains(at, name) {
			return syscall.EROFS
		}
		return nil
	})
}

func TestARunIsWalkedThroughAgainOnAnotherComputer(t *testing.T) {
	for name, c := range map[string]struct {
		opts   []machine.Option
		undo   bool
		failed bool
	}{
		"one that went well":         {},
		"one that failed":            {opts: []machine.Option{refusing("/etc/security/limits.d")}, failed: true},
		"one that failed at once":    {opts: []machine.Option{refusing("/etc/chrony.conf")}, failed: true},
		"one that failed, undone":    {opts: []machine.Option{refusing("/etc/security/limits.d")}, failed: true, undo: true},
		"one that was undone at end": {undo: true},
	} {
		t.Run(name, func(t *testing.T) {
			want, r := real(t, kylin(t, c.opts...), c.undo)
			if failed := !r.Error.Empty(); failed != c.failed {
				t.Fatalf("failed %v: %v", failed, want.errs)
			}
			compare(t, again(t, replay.New(carried(t, r), replay.Options{}), c.undo), want)
		})
	}
}

func TestAReplaySaysTheSameTwice(t *testing.T) {
	_, r := real(t, kylin(t, refusing("/etc/security/limits.d")), false)
	got := carried(t, r)
	compare(t, again(t, replay.New(got, replay.Options{}), false), again(t, replay.New(got, replay.Options{}), false))
}

func TestAReplayUndoesOnlyWhatWasUndone(t *testing.T) {
	_, r := real(t, kylin(t), false)
	_, err := replay.New(carried(t, r), replay.Options{}).Undo(context.Background(), 1, "")
	if err == nil || !strings.Contains(lang.Hint(err, lang.ZH), "goxin undo 1") {
		t.Errorf("%v", err)
	}
}

// change is a line of a hand-made record.
func change(target, status string, more ...func(*engine.ChangeRecord)) engine.ChangeRecord {
	c := engine.ChangeRecord{On: "local", Kind: "file", Target: target, Status: status, Diff: engine.Diff{Action: engine.Create}}
	if status == "done" || status == "undone" {
		c.Outcome = engine.OK
	}
	for _, f := range more {
		f(&c)
	}
	return c
}

func broken(c *engine.ChangeRecord) {
	c.Outcome, c.Error, c.Hint = engine.Outcome{}, lang.T("cannot install gcc: no room", "无法安装 gcc：没有空间"), lang.T("make room", "请腾出空间")
	c.Output = []lang.Text{lang.Same("Error: 12 MiB needed")}
}

func made(st ...engine.StepRecord) *engine.RunRecord {
	return &engine.RunRecord{
		Version: engine.RecordVersion, Info: engine.RunInfo{ID: 7, Status: engine.StatusFailed}, Order: []machine.ID{"local"},
		Answers: engine.Answers{}, Steps: st, Error: lang.T("it broke", "出错了"), Hint: lang.T("mend it", "请修复"),
	}
}

func TestHowTriesEnd(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		step  engine.StepRecord
		err   string // in Chinese, with its hint
		heard string
	}{
		"a failed change tells its output": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/a", "done"), change("/b", "failed", broken), change("/c", "planned")}},
			"无法安装 gcc：没有空间|请腾出空间", "doing:/a done:/a doing:/b output:Error: 12 MiB needed failed:/b",
		},
		"so does one that was undone": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/b", "undone", broken)}},
			"无法安装 gcc：没有空间|请腾出空间", "doing:/b output:Error: 12 MiB needed failed:/b",
		},
		"what was left alone after a failure says why the run failed": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/b", "left", func(c *engine.ChangeRecord) { c.Error = lang.Same("changed since") })}},
			"出错了|请修复", "doing:/b failed:/b",
		},
		"what was left alone had been done": {
			engine.StepRecord{Done: true, Changes: []engine.ChangeRecord{change("/b", "left", func(c *engine.ChangeRecord) { c.Outcome = engine.OK })}},
			"|", "doing:/b done:/b",
		},
		"a trial that failed comes before every change": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/a", "planned")}}, "出错了|请修复", "",
		},
		"a proof that failed comes after them": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/a", "done"), change("/s", "skipped")}, Proved: []lang.Text{lang.Same("it compiles")}},
			"出错了|请修复", "doing:/a done:/a skipped:/s proved:it compiles",
		},
		"a machine that died": {
			engine.StepRecord{Changes: []engine.ChangeRecord{change("/a", "doing")}}, "出错了|请修复", "doing:/a failed:/a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c.step.Step = "x"
			s := replay.New(made(c.step), replay.Options{})
			var heard []string
			s.Listen(func(ev engine.Event) {
				switch ev.What {
				case engine.Doing, engine.Done, engine.Failed, engine.Skipped:
					heard = append(heard, string(ev.What)+":"+ev.Target)
				case engine.Output, engine.Proved:
					heard = append(heard, string(ev.What)+":"+ev.Text.ZH)
				}
			})
			run, err := s.Start(ctx, engine.RunOptions{})
			ok(t, err)
			p, err := s.Plan(ctx, s.Steps()[0], nil, nil)
			ok(t, err)
			_, err = run.Apply(ctx, p)
			if got := lang.Message(err, lang.ZH) + "|" + lang.Hint(err, lang.ZH); got != c.err {
				t.Errorf("%q, want %q", got, c.err)
			}
			if got := strings.Join(heard, " "); got != c.heard {
				t.Errorf("%q, want %q", got, c.heard)
			}
		})
	}
}

func TestAStepThatWasTriedAgainFailsFirstAndThenDoesNot(t *testing.T) {
	ctx := context.Background()
	r := made(
		engine.StepRecord{Step: "x", Values: engine.Values{"n": int64(1)}, Changes: []engine.ChangeRecord{change("/a", "failed", broken)}},
		engine.StepRecord{Step: "x", Values: engine.Values{"n": int64(2)}, Done: true, Changes: []engine.ChangeRecord{change("/a", "done")}},
	)
	s := replay.New(r, replay.Options{})
	if n := len(s.Steps()); n != 1 || s.Answers()["x"].Number("n", 0) != 2 {
		t.Errorf("%d steps, %v", n, s.Answers())
	}
	run, err := s.Start(ctx, engine.RunOptions{})
	ok(t, err)
	var errs []bool
	for range 3 {
		p, err := s.Plan(ctx, s.Steps()[0], nil, nil)
		ok(t, err)
		_, err = run.Apply(ctx, p)
		errs = append(errs, err != nil)
	}
	if !reflect.DeepEqual(errs, []bool{true, false, false}) {
		t.Error(errs)
	}
}

func TestAStepThatNeverBeganSaysWhy(t *testing.T) {
	r := made(engine.StepRecord{Step: "kernel", Done: true, Changes: []engine.ChangeRecord{change("/a", "done")}})
	r.Answers = engine.Answers{"kernel": {}, "toolchain": {"versions": []string{"stable"}}, "environment": {}}
	s := replay.New(r, replay.Options{Known: steps.All()})
	all := s.Steps()
	if len(all) != 2 || all[1].ID() != "toolchain" || all[1].Title().ZH == "" || len(s.Answers()["toolchain"].List("versions")) != 1 {
		t.Fatalf("%v", all)
	}
	_, err := s.Survey(context.Background(), all[1], nil, nil)
	if lang.Message(err, lang.ZH) != "出错了" || lang.Hint(err, lang.EN) != "mend it" {
		t.Errorf("%v", err)
	}
}

func TestARecordOfAnOlderGoxinIsShownAsFarAsItGoes(t *testing.T) {
	ctx := context.Background()
	c := change("/a", "planned")
	c.Diff = engine.Diff{}
	s := replay.New(made(engine.StepRecord{Step: "x", Changes: []engine.ChangeRecord{c}}), replay.Options{})
	h, err := s.Detect(ctx)
	ok(t, err)
	if _, f := h.First(); f == nil {
		t.Error("no facts at all")
	}
	p, err := s.Plan(ctx, s.Steps()[0], nil, nil)
	ok(t, err)
	if p.Changes() != 1 || p.Items[0].Diff.Note.ZH == "" {
		t.Errorf("%+v", p.Items)
	}
}

func TestAReplayThatIsStoppedBeginsNothingNew(t *testing.T) {
	s := replay.New(made(engine.StepRecord{Step: "x", Changes: []engine.ChangeRecord{change("/a", "done"), change("/b", "done")}}), replay.Options{})
	ctx, stop := context.WithCancel(context.Background())
	s.Listen(func(ev engine.Event) {
		if ev.What == engine.Done {
			stop()
		}
	})
	run, err := s.Start(ctx, engine.RunOptions{})
	ok(t, err)
	p, err := s.Plan(ctx, s.Steps()[0], nil, nil)
	ok(t, err)
	res, err := run.Apply(ctx, p)
	if !errors.Is(err, context.Canceled) || res.Applied != 1 || !strings.Contains(lang.Message(err, lang.ZH), "/b") {
		t.Errorf("%+v, %v", res, err)
	}
}
