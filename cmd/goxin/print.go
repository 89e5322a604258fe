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
	"strings"

	"github.com/mattn/go-isatty"

	"goxin/assets/lang"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

func (a *app) printError(err error) {
	var ps *answers.Problems
	if errors.As(err, &ps) {
		fmt.Fprintln(a.errs, ps.In(a.lang))
		return
	}
	fmt.Fprintf(a.errs, "goxin: %s\n", a.message(err))
	if h := a.hintOf(err); h != "" {
		a.hint(h)
	}
}

func (a *app) hint(h string) {
	fmt.Fprintln(a.errs, a.s("hint: ", "提示：")+h)
}

// message words err in the person's language, the engine's own errors too.
func (a *app) message(err error) string {
	var busy *engine.BusyError
	if errors.As(err, &busy) {
		switch {
		case busy.Due > 0:
			return lang.F("cannot start: run %d waits for its confirmation", "无法开始：运行 %d 正等待确认", busy.Due).In(a.lang)
		case busy.Interrupted > 0:
			return lang.F("cannot start: run %d was interrupted and is neither finished nor undone", "无法开始：运行 %d 曾被中断，既未完成也未撤销", busy.Interrupted).In(a.lang)
		case busy.Holder.PID == 0:
			return lang.T("cannot start: another run is at work", "无法开始：另一个运行正在进行").In(a.lang)
		}
		return lang.F("cannot start: another run is at work (pid %d, since %s)", "无法开始：另一个运行正在进行（进程 %d，始于 %s）", busy.Holder.PID, busy.Holder.Since.Local().Format("15:04:05")).In(a.lang)
	}
	var stale *engine.StaleError
	if errors.As(err, &stale) {
		return lang.F("cannot apply: changed since the plan was reviewed: %s", "无法执行：计划审阅之后又有改动：%s", strings.Join(stale.Targets, ", ")).In(a.lang)
	}
	return lang.Message(err, a.lang)
}

func (a *app) hintOf(err error) string {
	var busy *engine.BusyError
	if errors.As(err, &busy) {
		switch {
		case busy.Due > 0:
			return a.s("`goxin confirm` lets it stand, `goxin undo` undoes it now", "`goxin confirm` 予以保留，`goxin undo` 立即撤销")
		case busy.Interrupted > 0:
			return a.s("`goxin resume` finishes it, `goxin undo` undoes it", "`goxin resume` 继续完成，`goxin undo` 撤销")
		}
		return a.s("wait for it to end", "请等待其结束")
	}
	return lang.Hint(err, a.lang)
}

// say tells a person something that is no result.
func (a *app) say(en, zh string, args ...any) {
	if !a.quiet {
		fmt.Fprintln(a.errs, lang.F(en, zh, args...).In(a.lang))
	}
}

// result prints a line of what was asked for.
func (a *app) result(s string) { fmt.Fprintln(a.out, s) }

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

func isTerminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }

// ink is how diffs are coloured on w.
type ink struct{ on bool }

func (a *app) ink(f *os.File) ink {
	t := os.Getenv("TERM")
	return ink{!a.noColor && !a.plain && os.Getenv("NO_COLOR") == "" && t != "" && t != "dumb" && isTerminal(f)}
}

func (i ink) action(act engine.Action, s string) string {
	code := map[engine.Action]string{engine.Create: "32", engine.Delete: "31", engine.Update: "33", engine.CannotUndo: "31;1"}[act]
	if !i.on || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// printPlan draws a step's plan as text: what cmd prints, what a pipe gets.
func (a *app) printPlan(w io.Writer, i ink, title lang.Text, p *engine.StepPlan) {
	n := p.Changes()
	switch n {
	case 0:
		fmt.Fprintln(w, lang.F("%s: nothing to change", "%s：无需改动", title).In(a.lang))
	case 1:
		fmt.Fprintln(w, lang.F("%s: 1 change", "%s：1 处改动", title).In(a.lang))
	default:
		fmt.Fprintln(w, lang.F("%s: %d changes", "%s：%d 处改动", title, n).In(a.lang))
	}
	table := ""
	for _, it := range p.Items {
		if it.Unknown != "" {
			fmt.Fprintf(w, "  ? %s\n", lang.F("known after %s", "%s 之后才能确定", it.Unknown).In(a.lang))
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
			if d.Action != engine.None {
				fmt.Fprintln(w, i.action(d.Action, strings.TrimRight(fmt.Sprintf("  %c %-42s %s", rune(d.Action), it.Target, d.Note.In(a.lang)), " ")))
			}
		}
		for _, r := range d.Rows {
			s := fmt.Sprintf("    %c %-34s %s", rune(r.Action), r.Name, r.Now)
			switch {
			case r.Action != engine.None:
				s += " -> " + r.Then
			case r.Now == "":
				s += r.Then
			}
			if n := r.Note.In(a.lang); n != "" {
				s += "   " + n
			}
			fmt.Fprintln(w, i.action(r.Action, s))
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
		fmt.Fprintln(w, mark+note.Text.In(a.lang))
	}
}

// printOutcome tells of what did not come out as asked.
func (a *app) printDeviations(ds []engine.Deviation) {
	for _, d := range ds {
		s := fmt.Sprintf("  ! %s: %s", d.Target, outcomeWord(d.Outcome.Kind).In(a.lang))
		if d.Outcome.Got != "" {
			s += lang.F(", now %s", "，现为 %s", d.Outcome.Got).In(a.lang)
		}
		if by := d.Outcome.By.In(a.lang); by != "" {
			s += ": " + by
		}
		fmt.Fprintln(a.errs, s)
	}
}

func outcomeWord(k engine.OutcomeKind) lang.Text {
	switch k {
	case engine.Clamped:
		return lang.T("clamped", "被限幅")
	case engine.Refused:
		return lang.T("refused", "被拒绝")
	case engine.Overridden:
		return lang.T("overridden", "会被覆盖")
	}
	return lang.T("applied", "已生效")
}

// printUndo tells what an undo did.
func (a *app) printUndo(u engine.UndoResult) {
	a.say("undone: %d of run %d", "已撤销 %[1]d 处（运行 %[2]d）", u.Undone, u.Run)
	for _, l := range u.Left {
		fmt.Fprintf(a.errs, "  ! %s: %s\n", l.Target, l.Reason.In(a.lang))
	}
}
