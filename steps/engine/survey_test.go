package engine_test

import (
	"context"
	"fmt"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// surveyed is a step that looks something up in three words and then stops.
type surveyed struct {
	step
	stop func()
}

func (s surveyed) Survey(_ context.Context, _ map[machine.ID]machine.Machine, _ engine.Hosts, _ engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	say(engine.Say(lang.Same("asking")))
	say(engine.Progress{Text: lang.Same("comparing"), Table: &engine.Table{Rows: []engine.TableRow{{Key: "a"}}}})
	s.stop()
	say(engine.Say(lang.Same("late")))
	return engine.Survey(`{}`), nil
}

func TestASurveyIsHeardByEveryFrontEndUntilItIsCalledOff(t *testing.T) {
	for _, off := range []bool{false, true} {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		s := surveyed{"one", func() {
			if off {
				cancel()
			}
		}}
		var events, said []string
		e := engine.New(engine.Config{
			Machines: []machine.Machine{machine.Root(t.TempDir())},
			Steps:    []engine.Step{s},
			Detect:   func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
			Notify: func(ev engine.Event) {
				events = append(events, fmt.Sprintf("%s:%s:%s:%v", ev.What, ev.Step, ev.Text.EN, ev.Table != nil))
			},
		})
		if _, err := e.Survey(ctx, s, nil, func(p engine.Progress) { said = append(said, p.Text.EN) }); err != nil {
			t.Fatal(err)
		}
		want, words := "[surveying:one::false surveying:one:asking:false surveying:one:comparing:true surveying:one:late:false surveyed:one::false]", "[asking comparing late]"
		if off {
			want, words = "[surveying:one::false surveying:one:asking:false surveying:one:comparing:true surveyed:one::false]", "[asking comparing]"
		}
		if fmt.Sprint(events) != want || fmt.Sprint(said) != words {
			t.Errorf("called off: %v\n%v\n%v", off, events, said)
		}
	}
}
