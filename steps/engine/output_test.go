package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// talker is an op that says much and then fails, until the file /t/fixed is there.
type talker struct{ put }

func (k *talker) Kind() string { return "talker" }

func (k *talker) Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (engine.Outcome, error) {
	for i := range 30 {
		say(lang.Same(fmt.Sprintf("line %d %s", i, strings.Repeat("字", 200))))
	}
	if _, err := m.Stat("/t/fixed"); err != nil {
		return engine.Outcome{}, lang.Errorf(errors.New("exit status 1"), "cannot install gcc", "无法安装 gcc").WithHint("free some room", "请腾出空间")
	}
	return k.put.Do(ctx, m, say)
}

type talking struct{ step }

func (s talking) Ops(h engine.Hosts, _ engine.Survey, v engine.Values) ([]engine.Item, error) {
	id, _ := h.First()
	return []engine.Item{{On: id, Op: &talker{put{Name: "a", Want: "1"}}}}, nil
}

func TestTheRecordOfAFailedChangeHasTheLastOfItsOutputAndItsHint(t *testing.T) {
	w := newWorld(t, "a=0")
	s := talking{"one"}
	e := engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.dir)}, Steps: []engine.Step{s},
		Kinds:  engine.Kinds{"talker": func() engine.Op { return &talker{} }},
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
	})
	ctx := context.Background()
	run, err := e.Start(ctx, engine.RunOptions{Answers: engine.Answers{"one": {}}})
	ok(t, err)
	if _, err := run.Step(ctx, s, nil, nil); err == nil {
		t.Fatal("it did not fail")
	}
	ok(t, run.Leave())

	r, err := e.Record(0)
	ok(t, err)
	c := r.Steps[0].Changes[0]
	if want := lang.T("free some room", "请腾出空间"); c.Hint != want {
		t.Errorf("hint %v", c.Hint)
	}
	if n := len(c.Output); n != 20 || !strings.HasPrefix(c.Output[0].EN, "line 10 字") || !strings.HasPrefix(c.Output[19].ZH, "line 29 字") {
		t.Fatalf("%d lines: %.60s … %.60s", n, c.Output[0].EN, c.Output[n-1].ZH)
	}
	for _, l := range c.Output {
		if len(l.EN) > 400 || strings.ContainsRune(l.EN, '\ufffd') {
			t.Errorf("a line of %d bytes, %q", len(l.EN), l.EN[len(l.EN)-6:])
		}
	}

	// What succeeds at the next try keeps nothing of it.
	w.write("fixed", "")
	run, _, err = e.Resume(ctx)
	ok(t, err)
	_, err = run.End(ctx)
	ok(t, err)
	r, err = e.Record(0)
	ok(t, err)
	if c := r.Steps[0].Changes[0]; c.Status != "done" || c.Output != nil || !c.Hint.Empty() || !r.Hint.Empty() {
		t.Errorf("%+v", c)
	}
}

func TestTheRecordOfARunThatFailedSaysWhatToDo(t *testing.T) {
	w := newWorld(t, "a=0")
	s := talking{"one"}
	e := engine.New(engine.Config{
		Machines: []machine.Machine{machine.Root(w.dir)}, Steps: []engine.Step{s},
		Kinds:  engine.Kinds{"talker": func() engine.Op { return &talker{} }},
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
	})
	if _, err := w.apply(e, engine.RunOptions{Answers: engine.Answers{"one": {}}}, true); err == nil {
		t.Fatal("it did not fail")
	}
	r, err := e.Record(0)
	ok(t, err)
	if want := lang.T("cannot install gcc: exit status 1", "无法安装 gcc：退出码 1"); r.Error != want || r.Hint != lang.T("free some room", "请腾出空间") {
		t.Errorf("%v, %v", r.Error, r.Hint)
	}
}
