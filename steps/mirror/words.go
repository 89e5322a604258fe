package mirror

import (
	"fmt"
	"time"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/race"
)

// rate is bytes a second as people say it.
func rate(r float64) lang.Text {
	switch {
	case r <= 0:
		return lang.Same("—")
	case r >= 10e6:
		return lang.Same(fmt.Sprintf("%.0f MB/s", r/1e6))
	case r >= 1e6:
		return lang.Same(fmt.Sprintf("%.1f MB/s", r/1e6))
	}
	return lang.Same(fmt.Sprintf("%.0f kB/s", r/1e3))
}

func latency(d time.Duration) lang.Text {
	if d <= 0 {
		return lang.Same("—")
	}
	return lang.Same(fmt.Sprintf("%d ms", max(d.Milliseconds(), 1)))
}

func published(t time.Time) lang.Text {
	if t.IsZero() {
		return lang.Same("—")
	}
	return lang.Same(t.UTC().Format(time.DateOnly))
}

// behind is how much older a site's package lists are than the newest seen.
func behind(r race.Result) lang.Text {
	switch d := r.Behind; {
	case r.Published.IsZero():
		return lang.Same("—")
	case d < 24*time.Hour:
		return lang.T("newest", "最新")
	default:
		return lang.F("%d d behind", "落后 %d 天", int(d.Hours()/24))
	}
}

// Columns of the table of candidates, in the wizard and on the command line.
func columns() []engine.Column {
	return []engine.Column{
		{Title: lang.T("mirror", "候选")},
		{Title: lang.T("age", "新鲜度")},
		{Title: lang.T("first byte", "首字节"), Right: true},
		{Title: lang.T("rate", "速率"), Right: true},
		{Title: lang.T("verdict", "结论")},
	}
}

// Table is how the candidates stand.
func (s *Seen) Table(rs []race.Result, over bool) *engine.Table {
	t := &engine.Table{Columns: columns()}
	for i, r := range rs {
		row := engine.TableRow{Key: r.ID, Cells: []lang.Text{s.name(r.ID), behind(r), latency(r.FirstByte), rate(r.Rate), r.Brief()}}
		switch {
		case r.Usable && i == 0 && over:
			row.Mark = engine.Best
			row.Cells[4] = lang.T("the best", "最优")
		case r.Usable && r.Why == race.Slow:
			row.Mark = engine.Good
			row.Cells[4] = lang.T("good as a fallback", "可作后备")
		case r.Usable:
			row.Mark = engine.Good
		case r.Why != "":
			row.Mark = engine.Unusable
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func (l *looker) progress(rs []race.Result) engine.Progress {
	known := 0
	for _, r := range rs {
		if r.Usable || r.Why != "" {
			known++
		}
	}
	return engine.Progress{
		Text:  lang.F("comparing %d candidates with this machine's own repositories, %d known", "正以本机所用的软件仓库比较 %d 个候选，已知 %d 个", len(rs), known),
		Table: l.seen.Table(rs, false),
	}
}
