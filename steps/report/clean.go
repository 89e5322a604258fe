package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// What a report takes of what a machine or a mirror made up: beyond it a page cannot
// be printed, or read.
const (
	mostText  = 4000 // characters of one text
	mostLines = 2000 // lines, and rows, of one diff
)

// clean is s as it may stand on a page: what would act on a screen, turn the text
// round or hide is written out, passwords in addresses are left out, and what never
// ends is cut.
func clean(s string) string {
	if len(s) > 4*utf8.UTFMax*mostText { // before anything is done with it
		s = s[:4*utf8.UTFMax*mostText]
	}
	s = engine.MaskText(s)
	var b strings.Builder
	n := 0
	for len(s) > 0 {
		if n == mostText {
			b.WriteString(" …")
			break
		}
		n++
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1, acts(r) && r <= 0xff && r != '\n' && r != '\t':
			fmt.Fprintf(&b, `\x%02x`, s[size-1])
		case acts(r) && r != '\n' && r != '\t':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// acts says whether a screen does something at r instead of showing it.
func acts(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

// cleanLine is s on one line.
func cleanLine(s string) string { return strings.ReplaceAll(clean(s), "\n", `\x0a`) }

func cleanText(t lang.Text) lang.Text { return lang.T(clean(t.EN), clean(t.ZH)) }

func cleanTexts(ts []lang.Text) []lang.Text {
	var out []lang.Text
	for _, t := range ts {
		out = append(out, cleanText(t))
	}
	return out
}

// cleanDiff is d as it may stand on a page, and how many lines and rows it lacks.
func cleanDiff(d engine.Diff) (engine.Diff, int) {
	out := engine.Diff{Action: d.Action, Note: cleanText(d.Note), Table: cleanText(d.Table)}
	room, more := mostLines, 0
	for _, h := range d.Hunks {
		n := min(room, len(h.Lines))
		room, more = room-n, more+len(h.Lines)-n
		if n == 0 {
			continue
		}
		var ls []engine.Line
		for _, l := range h.Lines[:n] {
			l.Text = cleanLine(l.Text)
			ls = append(ls, l)
		}
		out.Hunks = append(out.Hunks, engine.Hunk{Lines: ls})
	}
	n := min(room, len(d.Rows))
	for _, r := range d.Rows[:n] {
		r.Name, r.Now, r.Then, r.Note = cleanLine(r.Name), clean(r.Now), clean(r.Then), cleanText(r.Note)
		out.Rows = append(out.Rows, r)
	}
	return out, more + len(d.Rows) - n
}
