package race

import (
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
)

func TestWhatATableSaysFitsItsColumnInBothLanguages(t *testing.T) {
	results := []Result{
		{Why: Unauthorized, Status: 401, Gated: true},
		{Why: Unauthorized, Status: 403},
		{Why: Unauthorized, Status: 401},
		{Why: Status, Status: 503},
		{Why: NotFound, Status: 404},
		{Why: Stale, Behind: 400 * 24 * time.Hour},
		{Why: Stale, Behind: 12 * 24 * time.Hour},
		{Usable: true, Rate: 112e6},
		{Usable: true, Why: Slow, Rate: 899e3},
	}
	for why := range clauses {
		results = append(results, Result{Why: why, Status: 404})
	}
	for _, r := range results {
		for _, l := range []lang.Lang{lang.EN, lang.ZH} {
			s := r.Brief().In(l)
			if w := ansi.StringWidth(s); w > BriefCells || w == 0 {
				t.Errorf("%s in %s: %q, %d cells", r.Why, l, s, w)
			}
		}
	}
}
