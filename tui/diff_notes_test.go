package tui

import (
	"fmt"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// noted20 is a plan with more notes than a page has lines, the last of which warns.
func noted20(step string) *engine.StepPlan {
	p := fakePlan(step)
	p.Notes = nil
	for i := range 19 {
		p.Notes = append(p.Notes, engine.Note{Text: lang.Same(fmt.Sprintf("remark %02d: %s", i, strings.Repeat("as it is ", 9)))})
	}
	p.Notes = append(p.Notes, engine.Note{Warn: true, Text: lang.T("beware", "当心")})
	return p
}

func TestTheDiffBeginsOnTheFirstScreenHoweverMuchThereIsToNote(t *testing.T) {
	d := drive(t, &fakeSession{plan: noted20}).toDiff()
	first := "/etc/sysctl.d/zz-goxin.conf"
	for _, size := range windows {
		for _, look := range looks {
			v := d.draw(size, look.tier, look.lang)
			if !strings.Contains(v, first) {
				t.Errorf("%v %s: no change to be seen:\n%s", size, look.name, v)
			}
			if more := lang.T(" more notes (n)", "条说明（n）").In(look.lang); size == windows[0] && (!strings.Contains(v, more) || !strings.Contains(v, lang.T("beware", "当心").In(look.lang))) {
				t.Errorf("%s: the warning, and how many more notes there are, is not told:\n%s", look.name, v)
			}
		}
	}
	d.draw(windows[0], Rich, lang.EN)
	d.keys("n").sees("Notes", "remark 00").keys("end")
	for range 4 {
		d.keys("pgdown")
	}
	d.sees("remark 18", "beware").keys("n").sees(first)
}

func TestWhereNothingChangesAllNotesHaveTheRoom(t *testing.T) {
	d := drive(t, &fakeSession{plan: func(step string) *engine.StepPlan {
		p := noted20(step)
		p.Items, p.Proves, p.Notes = nil, true, p.Notes[:5]
		return p
	}}).toDiff()
	if v := d.draw(windows[0], Rich, lang.EN); strings.Contains(v, "(n)") || !strings.Contains(v, "remark 04") {
		t.Errorf("notes are folded over nothing:\n%s", v)
	}
}
