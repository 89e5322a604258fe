package main

// The rules of this command line, all kept in this file, the only one that
// prints:
//
//   - Results go to standard output: what a script wants to read, or a person
//     asked to see. Everything else goes to standard error.
//   - An error is one line "goxin: cannot …: cause" and one line "hint: …".
//   - No capital at the start, no full stop at the end.
//   - With --json, standard output is JSON and nothing else.
//   - Nothing is told by colour alone; there is colour only on a terminal.

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/mattn/go-isatty"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/steps/op"
)

func (a *app) printError(err error) {
	var ps *answers.Problems
	if errors.As(err, &ps) {
		fmt.Fprintln(a.errs, visible(ps.In(a.lang)))
		return
	}
	fmt.Fprintf(a.errs, "goxin: %s\n", a.visible(lang.Message(err, a.lang)))
	if h := lang.Hint(err, a.lang); h != "" {
		a.hint(h)
	}
}

func (a *app) hint(h string) {
	fmt.Fprintln(a.errs, a.s("hint: ", "提示：")+a.visible(h))
}

// visible is s as it may be shown; the commands in it mean the machine that this one is
// about.
func (a *app) visible(s string) string {
	flags := a.flags()
	s = strings.ReplaceAll(visible(s), "`goxin ", "`goxin"+flags+" ")
	return strings.ReplaceAll(s, "`goxin"+flags+" demo ", "`goxin demo ") // that one is about no machine
}

// say tells a person something that is no result.
func (a *app) say(en, zh string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.errs, a.visible(lang.F(en, zh, args...).In(a.lang)))
	}
}

// result prints a line of what was asked for.
func (a *app) result(s string) { fmt.Fprintln(a.out, visible(s)) }

// json prints v as the command's one document.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// jsonLine prints v as one line of a stream.
func (a *app) jsonLine(v any) {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // a closed pipe must not stop the engine in mid-run
}

func isTerminal(f interface{ Fd() uintptr }) bool { return isatty.IsTerminal(f.Fd()) }

// ink is how diffs are coloured on w.
type ink struct{ on bool }

func (a *app) ink(f interface{ Fd() uintptr }) ink {
	t := os.Getenv("TERM")
	return ink{!a.noColor && !a.plain && os.Getenv("NO_COLOR") == "" && t != "" && t != "dumb" && isTerminal(f)}
}

func (i ink) action(act engine.Action, s string) string {
	s = visible(s)
	code := map[engine.Action]string{engine.Create: "32", engine.Delete: "31", engine.Update: "33", engine.CannotUndo: "31;1"}[act]
	if !i.on || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// printPlan draws a step's plan as text: what cmd prints, what a pipe gets. called names
// the machines, where it is about several.
func (a *app) printPlan(w io.Writer, i ink, title lang.Text, p *engine.StepPlan, called func(machine.ID) lang.Text) {
	n := p.Changes()
	switch n {
	case 0:
		fmt.Fprintln(w, lang.F("%s: nothing to change", "%s：无需改动", title).In(a.lang))
	case 1:
		fmt.Fprintln(w, lang.F("%s: 1 change", "%s：1 处改动", title).In(a.lang))
	default:
		fmt.Fprintln(w, lang.F("%s: %d changes", "%s：%d 处改动", title, n).In(a.lang))
	}
	table, on, two := "", machine.ID(""), onSeveral(p)
	for _, it := range p.Items {
		if two && it.On != on {
			on, table = it.On, ""
			fmt.Fprintln(w, visible(lang.F("  on %s:", "  %s：", called(on)).In(a.lang)))
		}
		if it.Unknown != "" {
			fmt.Fprintf(w, "  ? %s\n", lang.F("known after %s", "%s 之后才能确定", titled(it.Unknown)).In(a.lang))
			continue
		}
		d := it.Diff
		if len(d.Rows) > 0 && !d.Table.Empty() {
			if t := d.Table.In(a.lang); t != table {
				table = t
				fmt.Fprintf(w, "  %s\n", t)
			}
		} else {
			table = ""
			if d.Action != engine.None || !d.Note.Empty() {
				target := it.Target
				if len(d.Rows) > 1 {
					target = brief(target) // the rows name them all
				}
				fmt.Fprintln(w, i.action(d.Action, strings.TrimRight(fmt.Sprintf("  %c %-42s %s", rune(d.Action), target, d.Note.In(a.lang)), " ")))
			}
		}
		for _, r := range d.Rows {
			fmt.Fprintln(w, i.action(r.Action, a.row(r)))
		}
		for _, h := range d.Hunks {
			for _, l := range h.Lines {
				no := l.New
				if l.Action == engine.Delete {
					no = l.Old
				}
				mark := ' '
				if l.Action != engine.None {
					mark = rune(l.Action)
				}
				fmt.Fprintln(w, i.action(l.Action, fmt.Sprintf("    %4d %c %s", no, mark, l.Text)))
			}
		}
	}
	for _, note := range p.Notes {
		mark := "  - "
		if note.Warn {
			mark = "  ! "
		}
		fmt.Fprintln(w, visible(mark+note.Text.In(a.lang)))
	}
}

// thereHint is for a file that was named and could not be read.
func thereHint(name string) (en, zh string, arg any) {
	return "is it there, and may you read it? ls -l %s", "请确认它存在且可读：ls -l %s", op.Quote(name)
}

// titled is the title of a step, or its name.
func titled(id string) lang.Text {
	for _, s := range steps.All() {
		if s.ID() == id {
			return s.Title()
		}
	}
	return lang.Same(id)
}

// onSeveral reports whether a plan changes more than one machine.
func onSeveral(p *engine.StepPlan) bool {
	return slices.ContainsFunc(p.Items, func(it engine.Planned) bool { return it.On != p.Items[0].On })
}

// row is one value of a diff: what it is, what it becomes, and what is to be said
// of that.
func (a *app) row(r engine.Row) string {
	s := fmt.Sprintf("    %c %-34s ", rune(r.Action), r.Name)
	switch {
	case r.Action == engine.None && r.Now != "", r.Then == "":
		s += r.Now
	case r.Action == engine.None, r.Now == "":
		s += r.Then
	default:
		s += r.Now + " -> " + r.Then
	}
	if n := r.Note.In(a.lang); n != "" {
		s += "   " + n
	}
	return strings.TrimRight(s, " ")
}

// brief is a target on one line: of sixty packages, the first few.
func brief(target string) string {
	const most = 60
	if r := []rune(target); len(r) > most {
		return string(r[:most-3]) + "..."
	}
	return target
}

// printDeviations tells of what did not come out as asked.
func (a *app) printDeviations(ds []engine.Deviation) {
	for _, d := range ds {
		s := fmt.Sprintf("  ! %s: %s", d.Target, d.Outcome.Kind.Text().In(a.lang))
		if d.Outcome.Got != "" {
			s += lang.F(", now %s", "，现为 %s", d.Outcome.Got).In(a.lang)
		}
		if by := d.Outcome.By.In(a.lang); by != "" {
			s += ": " + by
		}
		fmt.Fprintln(a.errs, visible(s))
	}
}

// printUndo tells what an undo did.
func (a *app) printUndo(u engine.UndoResult) {
	a.say("undone: %d of run %d", "已撤销 %[1]d 处（运行 %[2]d）", u.Undone, u.Run)
	for _, l := range u.Left {
		fmt.Fprintln(a.errs, visible(fmt.Sprintf("  ! %s: %s", l.Target, l.Reason.In(a.lang))))
	}
}
