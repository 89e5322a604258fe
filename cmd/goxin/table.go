package main

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/term"
	"github.com/mattn/go-runewidth"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// marks are how a table's rows stand, beside their words.
var marks = map[engine.Mark]string{engine.Best: "*", engine.Good: "+", engine.Unusable: "-", engine.Waiting: "."}

func isMarked(r engine.TableRow) bool { return r.Mark != engine.Waiting }

// printTable prints a table; on a terminal it keeps to its width.
func (a *app) printTable(t *engine.Table) {
	width, _, err := term.GetSize(a.out.Fd())
	if err != nil {
		width = 0
	}
	for _, l := range tableLines(t, a.lang, width) {
		a.result(l)
	}
}

// tableLines are a table whose columns stand under one another, or, where width
// columns have no room for that, whose cells do; 0 is room for all. Marks that tell
// no row from another are left out.
func tableLines(t *engine.Table, l lang.Lang, width int) []string {
	wide := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		wide[i] = runewidth.StringWidth(c.Title.In(l))
		for _, r := range t.Rows {
			wide[i] = max(wide[i], runewidth.StringWidth(visible(r.Cells[i].In(l))))
		}
	}
	marked := slices.ContainsFunc(t.Rows, isMarked)
	var out []string
	line := func(mark string, cell func(int) string) {
		var b strings.Builder
		if marked {
			b.WriteString(mark + "  ")
		}
		for i := range t.Columns {
			if i > 0 {
				b.WriteString("  ")
			}
			s := visible(cell(i))
			gap := strings.Repeat(" ", wide[i]-runewidth.StringWidth(s))
			if t.Columns[i].Right {
				s = gap + s
			} else {
				s += gap
			}
			b.WriteString(s)
		}
		out = append(out, strings.TrimRight(b.String(), " "))
	}
	line(" ", func(i int) string { return t.Columns[i].Title.In(l) })
	for _, r := range t.Rows {
		line(marks[r.Mark], func(i int) string { return r.Cells[i].In(l) })
	}
	for _, s := range out {
		if width > 0 && runewidth.StringWidth(s) > width {
			return stacked(t, l)
		}
	}
	return out
}

// stacked has a line for each cell that says something.
func stacked(t *engine.Table, l lang.Lang) []string {
	var out []string
	marked := slices.ContainsFunc(t.Rows, isMarked)
	for _, r := range t.Rows {
		mark := ""
		if marked {
			mark = marks[r.Mark] + "  "
		}
		out = append(out, mark+visible(r.Cells[0].In(l)))
		for i, c := range r.Cells[1:] {
			if s := visible(c.In(l)); s != "" && s != "-" {
				out = append(out, "     "+lang.F("%s: %s", "%s：%s", t.Columns[i+1].Title, lang.Same(s)).In(l))
			}
		}
	}
	return out
}
