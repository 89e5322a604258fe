package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// The notes of a plan stand above its changes, as far as they leave those their room:
// the diff is what a person signs, and begins on the first screen. All of them are
// behind n.

// noteRoom is how many lines of the page the changes have, and the notes above them.
func (p *diffPage) noteRoom() int {
	w, h := p.bodySize()
	_, dh, _, _ := p.areas(w, h)
	return dh - 2
}

// warnings are how many notes warn.
func warnings(ns []engine.Note) int {
	n := 0
	for _, nt := range ns {
		if nt.Warn {
			n++
		}
	}
	return n
}

// notesAbove are the lines above the changes: all notes where they take no more than a
// third of the room, or nothing is to be changed; else what fits, warnings first and up to
// half of the room, and how many more there are; nothing else stands where a warning is
// left out.
func (p *diffPage) notesAbove(w int) []string {
	most, mostWarned := max(p.kept.above/3, 1), max(p.kept.above/2, 1)
	if out := p.noteLines(p.plan.Notes, w); len(out) <= most || p.plan.Changes() == 0 {
		return out
	}
	var out []string
	var more []engine.Note
	for _, warn := range []bool{true, false} {
		room := mostWarned
		if !warn {
			room = most
		}
		for _, n := range p.plan.Notes {
			if n.Warn != warn {
				continue
			}
			ls := p.noteLines([]engine.Note{n}, w)
			if len(out)+len(ls) < room && (warn || warnings(more) == 0) { // a line is for how many more
				out = append(out, ls...)
			} else {
				more = append(more, n)
			}
		}
	}
	if len(more) == 0 {
		return out
	}
	return append(out, p.marked(p.noteMark(warnings(more) > 0), moreNotes(more, len(out) > 0), w)...)
}

// moreNotes says how many notes are not shown; more: others are.
func moreNotes(ns []engine.Note, more bool) lang.Text {
	n, warn := len(ns), warnings(ns)
	var t lang.Text
	switch {
	case more && n == 1:
		t = lang.T("1 more note", "另有 1 条说明")
	case more:
		t = lang.F("%d more notes", "另有 %d 条说明", n)
	case n == 1:
		t = lang.T("1 note", "1 条说明")
	default:
		t = lang.F("%d notes", "%d 条说明", n)
	}
	switch {
	case warn == 0:
	case warn == n && n == 1:
		t = lang.F("%s, a warning", "%s，为警告", t)
	case warn == n:
		t = lang.F("%s, all of them warnings", "%s，均为警告", t)
	case warn == 1:
		t = lang.F("%s, 1 of them a warning", "%s，其中 1 条警告", t)
	default:
		t = lang.F("%s, %d of them warnings", "%s，其中 %d 条警告", t, warn)
	}
	return lang.T(t.EN+" (n)", t.ZH+"（n）")
}

func (p *diffPage) noteLines(ns []engine.Note, w int) []string {
	var out []string
	for _, n := range ns {
		out = append(out, p.marked(p.noteMark(n.Warn), n.Text, w)...)
	}
	return out
}

func (p *diffPage) noteMark(warn bool) string {
	if warn {
		return p.theme.Warn.Render(p.theme.Note)
	}
	return p.bullet()
}

// notesKeys are there where there are notes; line mode says them all.
func (p *diffPage) notesKeys() []binding {
	if len(p.plan.Notes) == 0 || p.theme.Tier == Line {
		return nil
	}
	return []binding{{keys: []string{"n"}, desc: lang.T("notes", "说明"), rare: true, do: p.showNotes}}
}

func (p *diffPage) showNotes() (nav, tea.Cmd) {
	return p.push(&textOverlay{App: p.App, title: lang.T("Notes", "说明"), state: p.step().Title(), body: func(w int) []string {
		return p.noteLines(p.plan.Notes, min(w, 100))
	}})
}
