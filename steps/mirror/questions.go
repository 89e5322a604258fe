package mirror

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Questions are asked of the machine the run is about: where from, with how each
// candidate did, and whether to write fallbacks.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	id, _ := hs.First()
	seen, err := SeenOn(sv, id)
	if err != nil {
		seen = &Seen{}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keySource:
			q.Options = seen.options()
			q.Why = seen.why()
		case keyFallbacks:
			if !seen.Ordered || v.Text(keySource, sourceFastest) == sourceKeep {
				continue
			}
		default: // the catalogue and the note belong to the file
			if _, answered := v[f.Key]; !answered || f.Key == keyGave {
				continue
			}
		}
		out = append(out, q)
	}
	return out
}

// options are the candidates that can be used, as lines of one table, and the two
// answers that are none.
func (s *Seen) options() []engine.Option {
	var out []engine.Option
	best := lang.T("the fastest that is fresh and signed, on every machine anew", "最快且新鲜、签名有效的源，每台机器重新比较")
	if len(s.Race.Results) > 0 && s.Race.Results[0].Usable {
		best = lang.F("fastest: here %s", "最快的源：本机为 %s", s.name(s.Race.Results[0].ID))
	}
	out = append(out, engine.Option{Value: sourceFastest, Title: best, Help: lang.T("Replay compares again.", "重放时会重新比较。")})
	t := s.Table(s.Race.Results, true)
	// The age is in the verdict where it counts; a line of a form has no room for both.
	t.Columns = slices.Delete(t.Columns, 1, 2)
	for i := range t.Rows {
		t.Rows[i].Cells = slices.Delete(t.Rows[i].Cells, 1, 2)
	}
	en, zh := aligned(t, lang.EN), aligned(t, lang.ZH)
	for i, r := range s.Race.Results {
		if r.ID == sitePresent {
			continue
		}
		o := engine.Option{Value: r.ID, Title: lang.T(en[i], zh[i])}
		if !r.Usable {
			o.Help = lang.F("Cannot be used: %s.", "不可用：%s。", r.Text())
		} else if i > 0 {
			o.Help = r.Text()
		}
		out = append(out, o)
	}
	return append(out, engine.Option{
		Value: sourceKeep, Title: lang.T("keep the sources there are", "保持现有软件源"),
		Help: lang.T("Only the package lists are read anew.", "仅刷新软件包列表。"),
	})
}

// why says why a candidate with a higher rate was not taken.
func (s *Seen) why() lang.Text {
	if len(s.Race.Results) == 0 {
		return lang.Text{}
	}
	if !s.Race.Results[0].Usable {
		r, _ := s.result(siteOfficial)
		return lang.F("None of %d candidates can be used from here; the vendor's own: %s.", "%d 个候选从本机均不可用；官方源：%s。", len(s.Race.Results), r.Text())
	}
	best := s.Race.Results[0]
	for _, r := range s.Race.Results[1:] {
		if r.Rate > best.Rate {
			return lang.F("Not %s, which is faster: %s.", "不选更快的 %s：%s。", s.name(r.ID), r.Text())
		}
	}
	return lang.F("%d candidates compared in %.1f s with %.1f MiB.", "共比较 %d 个候选，用时 %.1f 秒，流量 %.1f MiB。",
		len(s.Race.Results), s.Race.Took.Seconds(), float64(s.Race.Bytes)/(1<<20))
}

// aligned are a table's rows as lines, columns under one another.
func aligned(t *engine.Table, l lang.Lang) []string {
	wide := make([]int, len(t.Columns))
	for _, r := range t.Rows {
		for i, c := range r.Cells {
			wide[i] = max(wide[i], cells(c.In(l)))
		}
	}
	out := make([]string, len(t.Rows))
	for n, r := range t.Rows {
		var b strings.Builder
		for i, c := range r.Cells {
			s := c.In(l)
			gap := strings.Repeat(" ", wide[i]-cells(s))
			switch {
			case i == len(r.Cells)-1:
				b.WriteString(s)
			case t.Columns[i].Right:
				b.WriteString(gap + s + "  ")
			default:
				b.WriteString(s + gap + "  ")
			}
		}
		out[n] = b.String()
	}
	return out
}

// cells is how many columns of a terminal s takes: what is written here is ASCII,
// Chinese, or a dash.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x2e80 {
			n++
		}
	}
	return n
}
