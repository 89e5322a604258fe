package build

import (
	"testing"

	"goxin/assets/lang"
)

func TestTheChart(t *testing.T) {
	no := lang.T("REASON", "REASON")
	noC := lang.T("NO-C", "NO-C")
	for name, c := range map[string]struct {
		q    question
		want mode
		warn bool
		why  string // what the reason begins with
	}{
		"own, seldom":                    {question{Own: true}, native, false, "it is built seldom: native will do"},
		"own, often":                     {question{Own: true, Often: true}, cross, false, "it is built often: let a machine with 8"},
		"own, often, a build server":     {question{Own: true, Often: true, Strong: true}, native, false, "it is built often, and this machine has"},
		"own, cannot":                    {question{Own: true, Cannot: no, Here: no}, cross, true, "cross is a must: REASON"},
		"own, cannot, a build server":    {question{Own: true, Cannot: no, Here: no, Often: true, Strong: true}, cross, true, "cross is a must: REASON"},
		"own, native asked for":          {question{Own: true, Often: true, Asked: native}, native, false, "native is what the answers say"},
		"own, native asked for, cannot":  {question{Own: true, Cannot: no, Here: no, Asked: native}, native, true, "native is what the answers say; but REASON"},
		"own, cross asked for":           {question{Own: true, Asked: cross, Cannot: no, Here: no}, cross, false, "cross is what the answers say"},
		"other, seldom":                  {question{}, native, false, "it is built seldom: native will do"},
		"other, often":                   {question{Often: true}, cross, false, "it is built often: a cross build"},
		"other, cannot, seldom":          {question{Cannot: no}, cross, false, "cross is a must: REASON"},
		"other, cannot, no C":            {question{Cannot: no, NoC: noC}, cross, true, "cross is a must: REASON; but only without C: NO-C"},
		"other, often, no C":             {question{Often: true, NoC: noC}, native, true, "C has to be compiled where it runs: NO-C"},
		"other, this one cannot":         {question{Often: true, Here: no}, native, true, "this machine cannot compile: REASON"},
		"other, neither can":             {question{Cannot: noC, Here: no}, cross, true, "the target cannot compile for itself (NO-C), and neither can this machine (REASON)"},
		"other, native asked for":        {question{Often: true, Asked: native}, native, false, "native is what"},
		"other, native, and it cannot":   {question{Cannot: no, Asked: native}, native, true, "native is what the answers say; but REASON"},
		"other, cross asked for":         {question{Asked: cross}, cross, false, "cross is what"},
		"other, cross, no C":             {question{Asked: cross, NoC: noC}, cross, true, "cross is what the answers say; but NO-C"},
		"other, cross, this one cannot":  {question{Asked: cross, Here: no}, cross, true, "cross is what the answers say; but REASON"},
		"a build server for other, once": {question{Strong: true}, native, false, "it is built seldom"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.q.Asked == "" {
				c.q.Asked = auto
			}
			v := decide(c.q)
			if v.Mode != c.want || v.Warn != c.warn || len(v.Why.EN) < len(c.why) || v.Why.EN[:len(c.why)] != c.why {
				t.Errorf("%s, warn %t: %s", v.Mode, v.Warn, v.Why.EN)
			}
			if v.Why.ZH == "" || v.Why.ZH == v.Why.EN {
				t.Errorf("not in Chinese: %s", v.Why.ZH)
			}
		})
	}
}
