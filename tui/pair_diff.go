package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// The changes of two machines stand beside each other from pairFrom on, what is the
// same on both in one row; where there is less room one machine stands below the
// other. From pairAsideFrom on their reasons have room beside them.
const (
	pairFrom      = 100
	pairAsideFrom = 210
)

// paired reports whether the plan is about two machines.
func (p *diffPage) paired() bool {
	return p.several() && p.plan != nil && len(p.machinesIn(p.plan.Items)) > 1
}

// onOf is target with its machine, in a plan that is about several.
func (p *diffPage) onOf(id machine.ID, target string) string {
	if !p.paired() {
		return target
	}
	return p.on(id, target)
}

// beside reports whether two machines stand beside each other.
func (p *diffPage) beside() bool {
	return p.width >= pairFrom && p.theme.Tier != Line && p.several() && p.plan != nil && len(p.machinesIn(p.plan.Items)) == 2
}

// pairLine is a line of which each half is of another machine. left and right are
// indices of items; -1: the half is of none.
type pairLine struct {
	text        [2]string
	left, right int
	stop        bool // the cursor can stand on it
	differs     bool
}

// isRight reports whether a cursor that was set to the right stands there: a half
// that is of nothing has no place for it.
func (l pairLine) isRight(right bool) bool { return l.right >= 0 && (right || l.left < 0) }

func (l pairLine) item(right bool) int {
	if l.isRight(right) {
		return l.right
	}
	return l.left
}

// pairLines draws the plan of several machines below out, which are its notes.
func (p *diffPage) pairLines(out []diffLine, ms []machine.ID, w int) []diffLine {
	at := make([][]int, len(ms))
	for i, it := range p.plan.Items {
		m := slices.Index(ms, it.On)
		at[m] = append(at[m], i)
	}
	if p.kept.pairs {
		half := pairHalf(w)
		rows := setBeside(p.blocks(at[0], half), p.blocks(at[1], half))
		if slices.ContainsFunc(rows, func(r pairLine) bool { return r.differs }) {
			legend := p.theme.Warn.Render(p.theme.Differs) + " " + p.theme.Dim.Render(p.say("here the two machines differ", "此处两台机器不同"))
			out = append(out, diffLine{text: legend, item: -1})
		}
		if len(out) > 0 {
			out = append(out, diffLine{item: -1})
		}
		p.kept.pair = slices.Repeat([]pairLine{{left: -1, right: -1}}, len(out)) // the notes are about both
		for _, r := range rows {
			out = append(out, diffLine{p.pairText(r, half, false), r.item(false), r.stop})
		}
		p.kept.pair = append(p.kept.pair, rows...)
		return out
	}
	for m, id := range ms {
		if len(out) > 0 {
			out = append(out, diffLine{item: -1})
		}
		p.kept.titles = append(p.kept.titles, titled{len(out), id})
		out = append(out, diffLine{text: p.machineTitle(id, w), item: -1}, diffLine{item: -1})
		out = append(out, below(nil, p.blocks(at[m], w))...)
	}
	return out
}

// titled is the line that a machine's changes begin at.
type titled struct {
	line int
	on   machine.ID
}

// pairHalf is how wide each of two columns is.
func pairHalf(w int) int { return (w - 3) / 2 }

// setBeside puts blocks of the same into the same rows.
func setBeside(left, right []block) []pairLine {
	var out []pairLine
	put := func(l, r *block) {
		gap := l != nil && l.gap || r != nil && r.gap
		if gap && len(out) > 0 {
			out = append(out, pairLine{left: -1, right: -1})
		}
		out = append(out, rows(l, r)...)
	}
	i, j := 0, 0
	for _, m := range append(matched(left, right), [2]int{len(left), len(right)}) {
		for ; i < m[0]; i++ {
			put(&left[i], nil)
		}
		for ; j < m[1]; j++ {
			put(nil, &right[j])
		}
		if i < len(left) && j < len(right) {
			put(&left[i], &right[j])
		}
		i, j = m[0]+1, m[1]+1
	}
	return out
}

// matched are the pairs of blocks that are of the same, as many as there are whose
// order is the same on both sides: the longest rising sequence of places.
func matched(left, right []block) [][2]int {
	place := make(map[string]int, len(right))
	for j, b := range right {
		place[b.of] = j
	}
	type link struct {
		at   [2]int
		prev int
	}
	var links []link
	var ends []int // by length less one: the link that ends the sequence lowest
	for i, b := range left {
		j, there := place[b.of]
		if !there {
			continue
		}
		n, _ := slices.BinarySearchFunc(ends, j, func(e, j int) int { return links[e].at[1] - j })
		l := link{[2]int{i, j}, -1}
		if n > 0 {
			l.prev = ends[n-1]
		}
		links = append(links, l)
		if n == len(ends) {
			ends = append(ends, 0)
		}
		ends[n] = len(links) - 1
	}
	var out [][2]int
	if len(ends) > 0 {
		for e := ends[len(ends)-1]; e >= 0; e = links[e].prev {
			out = append(out, links[e].at)
		}
	}
	slices.Reverse(out)
	return out
}

// rows are the lines of two blocks of the same, or of one that the other machine has
// not.
func rows(l, r *block) []pairLine {
	var left, right []diffLine
	exact := false
	if l != nil {
		left, exact = l.lines, l.exact
	}
	if r != nil {
		right, exact = r.lines, exact || r.exact
	}
	out := make([]pairLine, 0, max(len(left), len(right)))
	for _, at := range alignment(left, right, exact) {
		row := pairLine{left: -1, right: -1}
		if at[0] >= 0 {
			row.text[0], row.left, row.stop = left[at[0]].text, left[at[0]].item, left[at[0]].stop
		}
		if at[1] >= 0 {
			row.text[1], row.right, row.stop = right[at[1]].text, right[at[1]].item, row.stop || right[at[1]].stop
		}
		row.differs = at[0] >= 0 && at[1] >= 0 && row.text[0] != row.text[1] && likeness(row.text[0], exact) != likeness(row.text[1], exact)
		out = append(out, row)
	}
	return out
}

// likeness is what is compared of two lines: a line's number, and, but in a file, how
// wide its columns are, make no difference.
func likeness(s string, exact bool) string {
	s = strings.TrimLeft(ansi.Strip(s), " 0123456789")
	if exact {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// alignment says which lines stand in the same row; -1: there is none. Lines that are
// alike do, and between those the others in their order.
func alignment(l, r []diffLine, exact bool) [][2]int {
	var out [][2]int
	i, j := 0, 0
	upTo := func(a, b int) {
		for ; i < a || j < b; i, j = i+1, j+1 {
			at := [2]int{-1, -1}
			if i < a {
				at[0] = i
			}
			if j < b {
				at[1] = j
			}
			out = append(out, at)
		}
		i, j = a, b
	}
	// Two files that differ in a few values have as many lines: there is nothing to look for.
	if len(l) != len(r) && len(l)*len(r) <= mostCompared {
		for _, m := range alike(l, r, exact) {
			upTo(m[0], m[1])
			upTo(m[0]+1, m[1]+1)
		}
	}
	upTo(len(l), len(r))
	return out
}

// mostCompared bounds the lines that are compared with each other to be aligned;
// longer files stand line by line.
const mostCompared = 1 << 18

// alike are the lines of a longest common part.
func alike(l, r []diffLine, exact bool) [][2]int {
	key := func(ls []diffLine) []string {
		out := make([]string, len(ls))
		for i := range ls {
			out[i] = likeness(ls[i].text, exact)
		}
		return out
	}
	a, b := key(l), key(r)
	long := make([][]int, len(a)+1) // of what follows
	for i := range long {
		long[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case long[i+1][j] >= long[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// pairText is a row; at: the cursor stands in its right half.
func (p *diffPage) pairText(r pairLine, half int, at bool) string {
	between := p.theme.Dim.Render(p.theme.Side)
	if r.differs {
		between = p.theme.Warn.Render(p.theme.Differs)
	}
	if at {
		between = p.theme.Accent.Render(p.theme.Cursor)
	}
	return strings.TrimRight(pad(cut(r.text[0], half, p.theme.Ellipsis), half)+" "+between+" "+cut(r.text[1], half, p.theme.Ellipsis), " ")
}

// diffPane is the pane with the plan in it. Whose changes one looks at stands above
// them and stays there.
func (p *diffPage) diffPane(w, h int, head string, d *drawn, cur int) string {
	mark := cur
	line := func(i int) string { return d.lines[i].text }
	if d.pair != nil && cur >= 0 && d.pair[cur].isRight(p.right) {
		mark = -1
		line = func(i int) string {
			if i == cur {
				return p.pairText(d.pair[i], pairHalf(w-2), true)
			}
			return d.lines[i].text
		}
	}
	view := p.paneOf(w, h, head, len(d.lines), line, p.scroll, mark)
	above := p.above(d, w-2, h)
	if above == "" {
		return view
	}
	first, rest, _ := strings.Cut(view, "\n")
	_, rest, _ = strings.Cut(rest, "\n")
	return first + "\n " + above + "\n" + rest
}

// above is the line over the changes: the titles of two columns, or of which machine
// the lines are whose title has been scrolled away.
func (p *diffPage) above(d *drawn, w, h int) string {
	if !p.paired() || p.theme.Tier == Line {
		return ""
	}
	ms := p.machinesIn(p.plan.Items)
	if d.pair != nil {
		half := pairHalf(w)
		return p.pairText(pairLine{text: [2]string{p.machineTitle(ms[0], half), p.machineTitle(ms[1], half)}}, half, false)
	}
	sc := p.scroll
	sc.clamp(len(d.lines), paneRoom(len(d.lines), h))
	for _, t := range slices.Backward(d.titles) {
		if t.line < sc.top {
			return p.machineTitle(t.on, w)
		}
		if t.line == sc.top {
			break
		}
	}
	return ""
}

// machineTitle names a machine, says how much is changed on it, and whether before
// or after the other.
func (p *diffPage) machineTitle(id machine.ID, w int) string {
	n, first, last := 0, -1, -1
	otherFirst, otherLast := -1, -1
	for i, it := range p.plan.Items {
		switch {
		case !changes(it):
		case it.On == id:
			n++
			if first < 0 {
				first = i
			}
			last = i
		default:
			if otherFirst < 0 {
				otherFirst = i
			}
			otherLast = i
		}
	}
	said := p.say("%d changes", "%d 项改动", n)
	if n == 1 {
		said = p.say("1 change", "1 项改动")
	}
	when := ""
	switch {
	case first < 0 || otherFirst < 0:
	case last < otherFirst:
		when = p.say("written first", "先写入")
	case first > otherLast:
		when = p.say("written after", "后写入")
	}
	name, here := p.s(p.machineName(id)), ""
	if id == machine.LocalID && name != p.say("this machine", "本机") {
		here = p.say("this machine", "本机")
	}
	name = cut(name, w, p.theme.Ellipsis)
	for _, s := range []string{p.join(here, said, when), p.join(said, when), said} {
		if width(name)+2+width(s) <= w {
			return p.theme.Title.Render(name) + "  " + p.theme.Dim.Render(s)
		}
	}
	return p.theme.Title.Render(name)
}

// otherMachineKey goes over to the other column.
func (p *diffPage) otherMachineKey() binding {
	return binding{keys: []string{"left", "right", "tab"}, show: p.theme.LeftRight, desc: lang.T("machine", "切换机器"), do: func() (nav, tea.Cmd) {
		p.right = !p.right
		return stay, nil
	}}
}
