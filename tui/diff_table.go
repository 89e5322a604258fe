package tui

import (
	"cmp"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// table draws the values of neighbouring changes in columns: name, now, then,
// the numbers at the right of theirs.
func (p *diffPage) table(title lang.Text, group []int, w int) []diffLine {
	type row struct {
		engine.Row
		item int
	}
	var rows []row
	head := engine.None
	for _, i := range group {
		it := p.plan.Items[i]
		if it.Diff.Action != engine.None {
			head = engine.Update
		}
		for _, r := range it.Diff.Rows {
			if r.Note.Empty() {
				r.Note = it.Diff.Note
			}
			rows = append(rows, row{r, i})
		}
		if len(it.Diff.Rows) == 0 { // nothing of it changes, or it cannot tell what
			rows = append(rows, row{engine.Row{Action: it.Diff.Action, Name: it.Target, Note: it.Diff.Note}, i})
		}
	}
	now, then := p.say("now", "现在"), p.say("then", "之后")
	nameW, nowW, thenW := 0, width(now), width(then)
	for _, r := range rows {
		nameW = max(nameW, width(p.raw(r.Name)))
		if r.Action != engine.None {
			nowW, thenW = max(nowW, width(p.value(r.Now))), max(thenW, width(p.value(r.Then)))
		}
	}
	nameW = max(nameW, width(p.s(title)))
	columns := 2+nameW+2+nowW+2+thenW <= w
	if columns {
		spare := min(w-(2+nameW+2+nowW+2+thenW), 12)
		nameW += spare / 2
		thenW += min(spare/2, 4)
	}

	top := p.actionMark(head) + " " + p.theme.Title.Render(p.s(title))
	if head == engine.None {
		top = p.theme.Dim.Render(p.s(title))
	}
	if columns && head != engine.None {
		top = p.actionMark(head) + " " + p.theme.Title.Render(pad(p.s(title), nameW)) + "  " + p.theme.Dim.Render(padLeft(now, nowW)+"  "+padLeft(then, thenW))
	}
	out := []diffLine{{text: top, item: -1}}
	if len(group) > 0 {
		out[0].item = group[0]
	}
	for _, r := range rows {
		name := p.raw(r.Name)
		switch {
		case r.Action == engine.None:
			note := p.s(r.Note)
			if note == "" {
				note = p.say("already so", "已是此值")
			}
			out = append(out, p.sameRow(name, p.value(cmp.Or(r.Now, r.Then)), note, nameW, nowW, w, r.item)...)
		case columns:
			t := "  " + pad(name, nameW) + "  " + p.theme.Dim.Render(padLeft(p.value(r.Now), nowW)) + "  " + p.theme.Add.Render(padLeft(p.value(r.Then), thenW))
			out = append(out, diffLine{t, r.item, true})
			out = p.rowNote(out, r.Note, w, r.item)
		default:
			out = append(out, diffLine{"  " + cut(name, w-2, p.theme.Ellipsis), r.item, true})
			for _, l := range hang(p.value(r.Now)+" "+p.theme.Arrow+" "+p.value(r.Then), w-4, 2) {
				out = append(out, diffLine{"    " + p.theme.Add.Render(l), r.item, false})
			}
			out = p.rowNote(out, r.Note, w, r.item)
		}
	}
	return out
}

func (p *diffPage) rowNote(out []diffLine, note lang.Text, w, item int) []diffLine {
	if note.Empty() {
		return out
	}
	for _, l := range wrap(p.s(note), w-4) {
		out = append(out, diffLine{"    " + p.theme.Dim.Render(l), item, false})
	}
	return out
}

// sameRow is a value that stays, with what is to be said of that.
func (p *diffPage) sameRow(name, now, note string, nameW, nowW, w, item int) []diffLine {
	line := "= " + pad(name, min(nameW, w-2)) + "  " + padLeft(now, nowW)
	if width(now) > nowW {
		line = "= " + name + "  " + strings.Repeat(" ", max(nameW-width(name)-(width(now)-nowW), 0)) + now
	}
	if width(line)+3+width(note) <= w {
		return []diffLine{{p.theme.Dim.Render(line + "   " + note), item, true}}
	}
	var out []diffLine
	if width(line) > w {
		out = append(out, diffLine{p.theme.Dim.Render(cut("= "+name, w, p.theme.Ellipsis)), item, true})
		note = now + "  " + note
	} else {
		out = append(out, diffLine{p.theme.Dim.Render(line), item, true})
	}
	for _, l := range wrap(note, w-4) {
		out = append(out, diffLine{"    " + p.theme.Dim.Render(l), item, false})
	}
	return out
}

// rows draws the values of a change that stands alone, each with its mark: name,
// what comes of it, and what is to be said of that. They line up where there is
// room, and are never cut: this is what a person signs.
func (p *diffPage) rows(rs []engine.Row, item, w int) []diffLine {
	nameW, changeW, noteW := 0, 0, 0
	for _, r := range rs {
		nameW = max(nameW, width(p.raw(r.Name)))
		changeW = max(changeW, width(p.change(r)))
		noteW = max(noteW, width(p.s(r.Note)))
	}
	columns := 4+nameW+2+changeW <= w
	var out []diffLine
	add := func(s string) { out = append(out, diffLine{strings.TrimRight(s, " "), item, false}) }
	for _, r := range rs {
		name, change, note := p.raw(r.Name), p.change(r), p.s(r.Note)
		mark := "  " + p.actionMark(r.Action) + " "
		switch {
		case columns:
			s := mark + pad(name, nameW) + "  " + p.changed(r.Action, change)
			if noteW > 0 && 4+nameW+2+changeW+2+noteW <= w {
				s += strings.Repeat(" ", changeW-width(change)+2) + p.theme.Dim.Render(note)
				note = ""
			}
			add(s)
		case 4+width(name)+2+width(change) <= w:
			add(mark + name + "  " + p.changed(r.Action, change))
		default:
			for i, l := range hang(name, w-4, 0) {
				if i > 0 {
					mark = "    "
				}
				add(mark + l)
			}
			for _, l := range hang(change, w-6, 0) {
				add("      " + p.changed(r.Action, l))
			}
		}
		if note != "" {
			out = p.rowNote(out, r.Note, w, item)
		}
	}
	return out
}

// change is what comes of a value.
func (p *diffPage) change(r engine.Row) string {
	now, then := p.value(r.Now), p.value(r.Then)
	switch {
	case r.Action == engine.None, then == "", now == "":
		return cmp.Or(now, then)
	}
	return p.theme.fold(now + " " + p.theme.Arrow + " " + then)
}

func (p *diffPage) changed(act engine.Action, s string) string {
	switch act {
	case engine.None:
		return p.theme.Dim.Render(s)
	case engine.Delete, engine.CannotUndo:
		return p.theme.Del.Render(s)
	}
	return p.theme.Add.Render(s)
}
