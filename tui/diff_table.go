package tui

import (
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
	}
	now, then := p.say("now", "现在"), p.say("then", "之后")
	nameW, nowW, thenW := 0, width(now), width(then)
	for _, r := range rows {
		nameW = max(nameW, width(p.raw(r.Name)))
		if r.Action != engine.None {
			nowW, thenW = max(nowW, width(value(r.Now))), max(thenW, width(value(r.Then)))
		}
	}
	nameW = max(nameW, width(p.s(title)))
	columns := 2+nameW+2+nowW+2+thenW <= w
	if columns {
		spare := min(w-(2+nameW+2+nowW+2+thenW), 12)
		nameW += spare / 2
		thenW += min(spare/2, 4)
	}

	top := p.mark(head) + " " + p.theme.Title.Render(p.s(title))
	if head == engine.None {
		top = p.theme.Dim.Render(p.s(title))
	}
	if columns && head != engine.None {
		top = p.mark(head) + " " + p.theme.Title.Render(pad(p.s(title), nameW)) + "  " + p.theme.Dim.Render(padLeft(now, nowW)+"  "+padLeft(then, thenW))
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
			out = append(out, p.sameRow(name, value(r.Now), note, nameW, nowW, w, r.item)...)
		case columns:
			t := "  " + pad(name, nameW) + "  " + p.theme.Dim.Render(padLeft(value(r.Now), nowW)) + "  " + p.theme.Add.Render(padLeft(value(r.Then), thenW))
			out = append(out, diffLine{t, r.item, true})
			out = p.rowNote(out, r.Note, w, r.item)
		default:
			out = append(out, diffLine{"  " + cut(name, w-2, p.theme.Ellipsis), r.item, true})
			for _, l := range hang(value(r.Now)+" "+p.theme.Arrow+" "+value(r.Then), w-4, 2) {
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
