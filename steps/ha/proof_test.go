package ha

import (
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
)

func TestADrillIsToldWithWhatWasNotTried(t *testing.T) {
	r := drill.Result{Rows: []drill.Row{
		{Title: lang.T("switch over", "切换"), OK: true, Gap: 20 * time.Millisecond, Lost: 1},
		{Title: lang.T("nginx hangs", "卡死"), OK: true, Gap: 2 * time.Second, Predicted: 3 * time.Second, Lost: 190},
		{Title: lang.T("disk full", "写满"), Skipped: true},
	}}
	const want = "2 faults, 191 requests lost in all; the longest gap is 2s (nginx hangs), predicted 3s; not tried here: disk full"
	if got := told(r); got.EN != want || !strings.Contains(got.ZH, "写满") {
		t.Errorf("%+v", got)
	}
}

func TestTheProofsBeginWithATrialOnTheStandby(t *testing.T) {
	w := newWorld()
	for _, c := range []struct {
		answer string
		want   int
	}{{full, 9}, {quick, 9}, {none, 8}} {
		w.v[KeyDrill] = c.answer
		proofs := Step{}.Proofs(w.hosts, w.survey(t), w.v)
		if len(proofs) != c.want || !proofs[0].First || proofs[0].On != there || proofs[1].On != machine.LocalID {
			t.Errorf("%s: %d proofs", c.answer, len(proofs))
		}
	}
}

// A drill breaks things: a run that changes nothing does not repeat it.
func TestTheDrillIsNotRepeatedWhereNothingChanges(t *testing.T) {
	w := newWorld()
	proofs := Step{}.Proofs(w.hosts, w.survey(t), w.v)
	for i, p := range proofs {
		if last := i == len(proofs)-1; p.Always == (last || p.First) {
			t.Errorf("%s: always %t", p.Title.EN, p.Always)
		}
	}
}

func TestAPairIsSurveyedAnewWhereTheWireHasToBeAskedAgain(t *testing.T) {
	old := engine.Values{KeyVIP: "10.9.0.100", KeyAdvert: "1s"}
	for _, c := range []struct {
		now  engine.Values
		want bool
	}{
		{engine.Values{KeyVIP: "10.9.0.100", KeyAdvert: "2s", KeyInterface: auto}, false},
		{engine.Values{KeyVIP: "10.9.0.101", KeyAdvert: "1s"}, true},
		{engine.Values{KeyVIP: "10.9.0.100", KeyInterface: "eth1"}, true},
		{engine.Values{KeyVIP: "10.9.0.100", KeyReplace: replace}, true}, // nobody listened as long as it said no
	} {
		if got := (Step{}).Resurvey(old, c.now); got != c.want {
			t.Errorf("%v: %t", c.now, got)
		}
	}
}

func TestATestOfNginxIsMadeAsTheUserItWorksAs(t *testing.T) {
	for conf, want := range map[string]string{
		"user www-data;\nworker_processes auto;\n": "user www-data;\n",
		"# user nobody;\n  user  nginx  nginx ;\n": "user  nginx  nginx ;\n",
		"worker_processes 1;\n":                    "",
	} {
		if got := nginxUser(conf); got != want {
			t.Errorf("%q: %q", conf, got)
		}
	}
}
