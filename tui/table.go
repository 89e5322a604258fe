package tui

import (
	"slices"
	"strings"

	"goxin/steps/engine"
)

// leastClause is the room that the last column of a table keeps, where it needs
// so much: the clause that says why outweighs a number.
const leastClause = 14

// tableLines draws a table w cells wide. Where not all of it fits, numbers go
// first, from the right; what a row is about and the clause at its end stay.
func (a *App) tableLines(t *engine.Table, w int) (head string, rows []string) {
	const mark = 2
	head, rows = a.columns(t, w-mark)
	for i, r := range t.Rows {
		rows[i] = a.marking(r.Mark, rows[i])
	}
	return strings.Repeat(" ", mark) + head, rows
}

// columns are the cells of a table in columns, without marks.
func (a *App) columns(t *engine.Table, w int) (head string, rows []string) {
	n := len(t.Columns)
	cells := make([][]string, len(t.Rows)+1)
	cells[0] = make([]string, n)
	for c, col := range t.Columns {
		cells[0][c] = a.raw(col.Title.In(a.lang))
	}
	for i, r := range t.Rows {
		cells[i+1] = make([]string, n)
		for c := range min(n, len(r.Cells)) {
			cells[i+1][c] = a.raw(r.Cells[c].In(a.lang))
		}
	}
	wide := make([]int, n)
	for _, line := range cells {
		for c, s := range line {
			wide[c] = max(wide[c], width(s))
		}
	}
	const gap = 2
	shown := fitColumns(t.Columns, wide, w, gap)
	draw := func(line []string) string {
		var b strings.Builder
		for i, c := range shown {
			s := cut(line[c], wide[c], a.theme.Ellipsis)
			if t.Columns[c].Right {
				s = padLeft(s, wide[c])
			}
			if i < len(shown)-1 {
				s = pad(s, wide[c]+gap)
			}
			b.WriteString(s)
		}
		return strings.TrimRight(b.String(), " ")
	}
	for i := range t.Rows {
		rows = append(rows, draw(cells[i+1]))
	}
	return draw(cells[0]), rows
}

// marking says how a row stands, by a character as well as by colour.
func (a *App) marking(m engine.Mark, s string) string {
	th := a.theme
	switch m {
	case engine.Best:
		return th.Accent.Render(th.Best + " " + s)
	case engine.Good:
		return th.Good.Render(th.Usable) + " " + s
	case engine.Unusable:
		return th.Dim.Render(th.Unusable + " " + s)
	}
	return th.Dim.Render(th.Waiting) + " " + s
}

// fitColumns picks the columns that fit into w cells and sets how wide the first
// and the last of them are.
func fitColumns(cols []engine.Column, wide []int, w, gap int) []int {
	n := len(cols)
	if n == 0 {
		return nil
	}
	var shown []int
	for c := range n {
		shown = append(shown, c)
	}
	last := n - 1
	if n == 1 {
		wide[0] = min(wide[0], w)
		return shown
	}
	wide[0] = min(wide[0], max(w*2/5, 12))
	before := func() int { // the room left of the last column
		used := 0
		for _, c := range shown {
			if c != last {
				used += wide[c] + gap
			}
		}
		return used
	}
	clause := min(wide[last], leastClause)
	for before()+clause > w && len(shown) > 2 {
		drop := len(shown) - 2
		for i := drop; i > 0; i-- {
			if cols[shown[i]].Right {
				drop = i
				break
			}
		}
		shown = slices.Delete(shown, drop, drop+1)
	}
	wide[0] = max(min(wide[0], w-clause-gap), 1)
	wide[last] = max(min(wide[last], w-before()), 1)
	return shown
}
