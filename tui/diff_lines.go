package tui

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// diffLine is one line of the diff as it is drawn; item says of which change it
// is, stop whether the cursor can stand on it.
type diffLine struct {
	text string
	item int
	stop bool
}

func stops(ls []diffLine) []int {
	var out []int
	for i, l := range ls {
		if l.stop {
			out = append(out, i)
		}
	}
	return out
}

// drawn is a plan as lines, and for what it was drawn.
type drawn struct {
	plan  *engine.StepPlan
	w     int
	sides bool // a hunk's two sides stand beside each other
	pairs bool // two machines stand beside each other
	lang  lang.Lang
	tier  Tier
	above int // lines that there are for the notes and the changes
	lines []diffLine
	stops []int

	pair   []pairLine // where two machines stand beside each other, each line's halves
	titles []titled   // where they stand below each other
}

// drawing is the plan drawn for a width. Ten thousand lines are not drawn anew for
// every key.
func (p *diffPage) drawing(w int) *drawn {
	d := &p.kept
	pairs, above := p.beside(), p.noteRoom()
	sides := p.width >= sidesFrom && !pairs
	if d.plan != p.plan || d.w != w || d.sides != sides || d.pairs != pairs || d.lang != p.lang || d.tier != p.theme.Tier || d.above != above {
		*d = drawn{plan: p.plan, w: w, sides: sides, pairs: pairs, lang: p.lang, tier: p.theme.Tier, above: above}
		d.lines = p.lines(w)
		d.stops = stops(d.lines)
	}
	return d
}

// lines draws the plan for a width: notes as far as there is room, then the changes in their order,
// neighbours of one table together, then how much is already as wanted.
func (p *diffPage) lines(w int) []diffLine {
	var out []diffLine
	for _, l := range p.notesAbove(w) {
		out = append(out, diffLine{text: l, item: -1})
	}
	if ms := p.machinesIn(p.plan.Items); len(ms) > 1 {
		return p.pairLines(out, ms, w)
	}
	all := make([]int, len(p.plan.Items))
	for i := range all {
		all[i] = i
	}
	return below(out, p.blocks(all, w))
}

// block is what stands together: a change, or neighbours of one table.
type block struct {
	lines []diffLine
	gap   bool   // there is an empty line before it
	of    string // what it is of, to find the same on another machine
	exact bool   // its lines are a file's: a space more or less makes another
}

// below sets blocks below what there is.
func below(out []diffLine, bs []block) []diffLine {
	for _, b := range bs {
		if b.gap && len(out) > 0 {
			out = append(out, diffLine{item: -1})
		}
		out = append(out, b.lines...)
	}
	return out
}

// blocks draws the items that at are the indices of.
func (p *diffPage) blocks(at []int, w int) []block {
	var out []block
	showSame := p.plan.Changes() == 0
	same := 0
	items := p.plan.Items
	for i := 0; i < len(at); {
		it := items[at[i]]
		if it.Unknown == "" && it.Diff.Action == engine.None && !showSame && noted(it.Diff).Empty() {
			same++
			i++
			continue
		}
		if !it.Diff.Table.Empty() {
			var group []int
			for ; i < len(at) && items[at[i]].Diff.Table == it.Diff.Table; i++ {
				d := items[at[i]].Diff
				if d.Action == engine.None && !showSame && noted(d).Empty() {
					same++
					continue
				}
				group = append(group, at[i])
			}
			out = append(out, block{lines: p.table(it.Diff.Table, group, w), gap: true, of: "table " + it.Diff.Table.EN})
			continue
		}
		b := block{of: it.Kind + " " + it.Target, exact: it.Diff.Hunks != nil}
		b.gap = i == 0 || b.exact || items[at[i-1]].Diff.Hunks != nil || !items[at[i-1]].Diff.Table.Empty()
		b.lines = p.item(at[i], it, w)
		out = append(out, b)
		i++
	}
	if same > 0 {
		l := diffLine{text: p.theme.Dim.Render("= " + p.say("%d more already as wanted", "另有 %d 项已符合要求", same)), item: -1}
		out = append(out, block{lines: []diffLine{l}, gap: true, of: "same"})
	}
	return out
}

// bullet stands before what is only told.
func (a *App) bullet() string {
	if b := strings.TrimSpace(a.theme.Dot); b != "," && b != "，" {
		return b
	}
	return "-"
}

// noted is a remark on a diff or on one of its values.
func noted(d engine.Diff) lang.Text {
	if !d.Note.Empty() {
		return d.Note
	}
	for _, r := range d.Rows {
		if !r.Note.Empty() {
			return r.Note
		}
	}
	return lang.Text{}
}

// item draws a change that stands alone: its target, then hunks or values.
func (p *diffPage) item(i int, it engine.Planned, w int) []diffLine {
	if it.Unknown != "" {
		return []diffLine{{text: p.theme.Dim.Render(p.say("? known after %s", "? 待 %s 完成后确定", p.stepTitle(it.Unknown))), item: i, stop: true}}
	}
	target := p.raw(it.Target)
	if !p.paired() { // else a title says it
		target = p.onOf(it.On, target)
	}
	mark := p.actionMark(it.Diff.Action)
	note := p.s(it.Diff.Note)
	if note == "" && it.Diff.Action == engine.None {
		note = p.say("already as wanted", "已符合要求")
	}
	var out []diffLine
	style := p.theme.Title
	if it.Diff.Action == engine.None {
		style = p.theme.Dim
	}
	if len(it.Diff.Rows) > 1 && width(target)+2 > w {
		target = cut(target, w-2, p.theme.Ellipsis) // sixty packages: the rows name them
	}
	if width(target)+width(note)+5 <= w {
		gap := strings.Repeat(" ", w-2-width(target)-width(note))
		out = append(out, diffLine{mark + " " + style.Render(target) + gap + p.theme.Dim.Render(note), i, true})
	} else {
		for j, l := range hang(target, w-2, 2) {
			if j == 0 {
				out = append(out, diffLine{mark + " " + style.Render(l), i, true})
			} else {
				out = append(out, diffLine{"  " + style.Render(l), i, false})
			}
		}
		for _, l := range wrap(note, w-4) {
			out = append(out, diffLine{"    " + p.theme.Dim.Render(l), i, false})
		}
	}
	out = append(out, p.rows(it.Diff.Rows, i, w)...)
	for j, h := range it.Diff.Hunks {
		if j > 0 {
			out = append(out, diffLine{"  " + p.theme.Dim.Render(p.theme.Ellipsis), i, false})
		}
		hl := p.hunk(h, w)
		for k, l := range hl {
			out = append(out, diffLine{l, i, j > 0 && k == 0})
		}
	}
	return out
}

func (a *App) stepTitle(id string) string {
	for _, s := range a.steps {
		if s.ID() == id {
			return a.s(s.Title())
		}
	}
	return a.raw(id)
}

func (a *App) actionMark(act engine.Action) string {
	s := string(rune(act))
	switch act {
	case engine.Create:
		return a.theme.Add.Render(s)
	case engine.Delete, engine.CannotUndo:
		return a.theme.Del.Render(s)
	case engine.Update:
		return a.theme.Accent.Render(s)
	}
	return a.theme.Dim.Render(s)
}

// value writes a kernel value of several numbers with single spaces.
func (a *App) value(s string) string { return a.raw(strings.Join(strings.Fields(s), " ")) }

// hunk draws changed lines under one another, or, where there is room and both
// sides have something, beside each other.
func (p *diffPage) hunk(h engine.Hunk, w int) []string {
	dels, adds, most := 0, 0, 0
	for _, l := range h.Lines {
		switch l.Action {
		case engine.Delete:
			dels++
		case engine.Create:
			adds++
		}
		most = max(most, l.Old, l.New)
	}
	nw := len(strconv.Itoa(most))
	if p.kept.sides && dels > 0 && adds > 0 {
		return p.sides(h, w, nw)
	}
	var out []string
	for _, l := range h.Lines {
		n := l.New
		if n == 0 {
			n = l.Old
		}
		out = append(out, p.hunkLine(l, n, nw, w)...)
	}
	return out
}

// hunkLine is one line with its number, broken where it is longer than w.
func (p *diffPage) hunkLine(l engine.Line, n, nw, w int) []string {
	num := strings.Repeat(" ", nw)
	if n > 0 {
		num = padLeft(strconv.Itoa(n), nw)
	}
	act, style := " ", p.theme.Dim
	switch l.Action {
	case engine.Create:
		act, style = "+", p.theme.Add
	case engine.Delete:
		act, style = "-", p.theme.Del
	}
	var out []string
	for i, t := range hardWrap(p.raw(l.Text), w-nw-5) {
		if i > 0 {
			num, act = strings.Repeat(" ", nw), " "
		}
		out = append(out, "  "+p.theme.Dim.Render(num)+" "+style.Render(strings.TrimRight(act+" "+t, " ")))
	}
	return out
}

// sides sets what goes beside what comes.
func (p *diffPage) sides(h engine.Hunk, w, nw int) []string {
	half := (w - 3) / 2
	var out []string
	emit := func(left, right []string) {
		for i := range max(len(left), len(right)) {
			var l, r string
			if i < len(left) {
				l = left[i]
			}
			if i < len(right) {
				r = right[i]
			}
			out = append(out, strings.TrimRight(pad(l, half)+" "+p.theme.Dim.Render(p.theme.Side)+" "+r, " "))
		}
	}
	var del, add []engine.Line
	flush := func() {
		for i := range max(len(del), len(add)) {
			var l, r []string
			if i < len(del) {
				l = p.hunkLine(del[i], del[i].Old, nw, half)
			}
			if i < len(add) {
				r = p.hunkLine(add[i], add[i].New, nw, half)
			}
			emit(l, r)
		}
		del, add = nil, nil
	}
	for _, l := range h.Lines {
		switch l.Action {
		case engine.Delete:
			del = append(del, l)
		case engine.Create:
			add = append(add, l)
		default:
			flush()
			emit(p.hunkLine(l, l.Old, nw, half), p.hunkLine(l, l.New, nw, half))
		}
	}
	flush()
	return out
}
