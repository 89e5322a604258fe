package report

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Markdown is the report as GitHub's Markdown, for a ticket or a wiki.
func (r *Report) Markdown(l lang.Lang) []byte {
	w := &mark{page: page{r, l}}
	w.cover()
	w.result()
	w.machines()
	w.decisions()
	w.changeList()
	w.origin()
	w.checks()
	w.asides()
	w.times()
	return []byte(w.String())
}

// mark writes Markdown. What comes from the report goes through text or code, so
// that none of it is taken for markup.
type mark struct {
	page
	strings.Builder
}

func (w *mark) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`,
	"|", `\|`, "~", `\~`, "#", `\#`, "&", `\&`, "!", `\!`, "\t", " ", "://", `:\//`,
)

// text is s as text: all on one line, where its lines stay lines.
func text(s string) string {
	return strings.ReplaceAll(escapes.Replace(strings.TrimSpace(s)), "\n", "<br>")
}

// code is s as code, on one line. What would have to be escaped there, which tables and
// code do each in their own way, is text.
func code(s string) string {
	if s == "" || strings.ContainsAny(s, "`|") {
		return text(s)
	}
	return "`" + strings.NewReplacer("\n", " ", "\t", " ").Replace(s) + "`"
}

// fenceOf is a run of backticks, three at least, that is longer than any in s.
func fenceOf(s string) string {
	n, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		n = max(n, run)
	}
	return strings.Repeat("`", max(3, n+1))
}

func (w *mark) head(level int, s string) {
	w.line("\n%s %s\n", strings.Repeat("#", level), s)
}

// table begins a table; right are the columns with numbers, from 0.
func (w *mark) table(right int, names ...string) {
	w.line("| %s |", strings.Join(names, " | "))
	for i := range names {
		if i >= right {
			w.WriteString("| ---: ")
		} else {
			w.WriteString("| --- ")
		}
	}
	w.line("|")
}

func (w *mark) row(cells ...string) { w.line("| %s |", strings.Join(cells, " | ")) }

func (w *mark) cover() {
	w.line("# %s", w.Say("Acceptance report", "验收报告"))
	w.line("\n%s\n", text(w.In(w.Title)))
	w.table(9, "", "")
	w.row(w.Say("Run", "运行编号"), fmt.Sprint(int(w.Run.ID)))
	w.row(w.Say("Status", "状态"), text(w.Status()))
	w.row(w.Say("Began", "开始"), w.When(w.Run.Began))
	w.row(w.Say("Ended", "结束"), w.When(w.Run.Ended))
	w.row(w.Say("Took", "用时"), text(w.Took(w.Run.Began, w.Run.Ended)))
	w.row(w.Say("Run by", "执行方式"), text(w.By()))
	w.row(w.Say("Run with goxin", "执行所用 goxin"), text(w.Run.Goxin))
	w.row(w.Say("Report made", "报告生成"), w.When(w.Made))
	w.row(w.Say("Time zone", "时区"), w.Zone())
	w.row(w.Say("Operator", "操作人"), "")
	w.line("")
	w.table(9, "", w.Say("For the customer", "客户方"), w.Say("For the engineers", "实施方"))
	for _, t := range []lang.Text{lang.T("Organisation", "单位"), lang.T("Name", "姓名"), lang.T("Signature", "签字"), lang.T("Date", "日期")} {
		w.row(w.In(t), "", "")
	}
}

func (w *mark) result() {
	w.head(2, w.Say("1 Result", "1 结论"))
	w.line("**%s %s**  \n%s\n", w.Mark(), w.Judgement(), w.Tally())
	remarks := w.Remarks()
	for _, s := range remarks {
		w.line("- %s", text(s))
	}
	if len(remarks) == 0 {
		w.line("%s", w.Say("Nothing needs to be looked at.", "没有需要确认的事项。"))
	}
}

func (w *mark) machines() {
	w.head(2, w.Say("2 Machine", "2 机器"))
	for _, m := range w.Machines {
		if w.Several() {
			w.head(3, text(w.In(m.Title)))
		}
		if len(m.Facts) == 0 {
			w.line("%s", w.Say("The journal of this run did not keep them.", "本次运行的日志未保存这些内容。"))
			continue
		}
		w.table(9, w.Say("Fact", "项目"), w.Say("Value", "内容"), w.Say("Learnt from", "来源"))
		for _, f := range m.Facts {
			w.row(text(w.In(f.Name)), text(w.In(f.Value)), code(w.In(f.From)))
		}
		w.line("")
		for _, t := range m.Warnings {
			w.line("- ! %s", text(w.In(t)))
		}
	}
}

func (w *mark) decisions() {
	w.head(2, w.Say("3 Decisions", "3 决定"))
	for _, s := range w.Steps {
		w.head(3, text(w.In(s.Title)))
		if len(s.Decisions) == 0 {
			w.line("%s", w.Say("There was nothing to decide.", "没有需要决定的内容。"))
			continue
		}
		w.table(9, w.Say("Question", "问题"), w.Say("Answer", "答案"), w.Say("Key", "键"))
		for _, d := range s.Decisions {
			answer := text(w.In(d.Answer))
			if d.Default {
				answer += w.Say(" (default)", "（默认）")
			}
			w.row(text(w.In(d.Title)), answer, code(d.Key))
		}
	}
}

func (w *mark) changeList() {
	w.head(2, w.Say("4 Changes", "4 改动"))
	w.line("%s", w.Say("`+` made, `~` changed, `−` removed, `=` already so, `!` cannot be undone.", "`+` 新建，`~` 修改，`−` 删除，`=` 原已如此，`!` 不可撤销。"))
	for _, s := range w.Steps {
		w.head(3, text(w.In(s.Title)))
		if len(s.Changes) == 0 {
			w.line("%s", w.Say("Nothing had to be changed.", "无需改动。"))
			continue
		}
		w.table(4, "", w.Say("What", "对象"), w.Say("Kind", "类型"), w.Say("Result", "结果"), w.Say("Took", "用时"))
		for _, c := range s.Changes {
			what := code(brief(c.Target))
			if w.Several() {
				what += " " + text(string(c.On))
			}
			w.row(code(w.Sign(c.Diff.Action)), what, text(w.Kind(c.Kind)), text(w.Outcome(c)), text(w.Took(c.Began, c.Ended)))
		}
		for _, c := range w.Shown(s) {
			w.change(c)
		}
	}
}

func (w *mark) change(c Change) {
	w.head(4, code(w.Sign(c.Diff.Action))+" "+code(c.Target))
	said := []string{text(w.Outcome(c))}
	if n := w.In(c.Diff.Note); n != "" {
		said = append(said, text(n))
	}
	if !c.Back.IsZero() {
		said = append(said, w.When(c.Back))
	}
	w.line("%s\n", strings.Join(said, " · "))
	if !c.Error.Empty() {
		w.line("**%s**\n", text(w.In(c.Error)))
	}
	for _, t := range c.Why {
		w.line("> %s\n>", text(w.In(t)))
	}
	w.line("")
	w.hunks(c.Diff.Hunks)
	if len(c.Diff.Rows) > 0 {
		w.table(9, "", w.Say("Name", "名称"), w.Say("Before", "改动前"), w.Say("After", "改动后"), w.Say("Remark", "说明"))
		for _, r := range c.Diff.Rows {
			w.row(code(w.Sign(r.Action)), code(r.Name), code(r.Now), code(r.Then), text(w.In(r.Note)))
		}
		w.line("")
	}
	if c.More > 0 {
		w.line("%s%d\n", w.Say("not shown, for want of room: ", "篇幅所限未展示的行数："), c.More)
	}
}

func (w *mark) hunks(hs []engine.Hunk) {
	if len(hs) == 0 {
		return
	}
	var b strings.Builder
	for _, h := range hs {
		var old, now int
		for _, l := range h.Lines {
			if old == 0 {
				old = l.Old
			}
			if now == 0 {
				now = l.New
			}
		}
		fmt.Fprintf(&b, "@@ -%d +%d @@\n", old, now)
		for _, l := range h.Lines {
			sign := string(rune(l.Action))
			if l.Action != engine.Create && l.Action != engine.Delete {
				sign = " "
			}
			b.WriteString(sign + l.Text + "\n")
		}
	}
	fence := fenceOf(b.String())
	w.line("%sdiff\n%s%s\n", fence, b.String(), fence)
}

func (w *mark) origin() {
	w.head(2, w.Say("5 Evidence of origin", "5 来源证据"))
	all := w.Origin()
	if len(all) == 0 {
		w.line("%s", w.Say("This run fetched nothing that has an origin to be proved.", "本次运行没有获取需要证明来源的内容。"))
		return
	}
	w.table(9, w.Say("What", "对象"), w.Say("What vouches for it", "证据"))
	for _, e := range all {
		w.row(text(e.What), text(e.Says))
	}
}

func (w *mark) checks() {
	w.head(2, w.Say("6 Checks", "6 检查"))
	for _, e := range w.Proofs() {
		w.line("- %s%s%s", text(e.What), w.Say(": ", "："), text(e.Says))
	}
	w.drills()
	w.hardening()
	w.selfTests()
	w.line("\n%s %s\n", w.Say("Compared when this report was made:", "生成本报告时的核对："), w.When(w.Check.Time))
	for _, d := range w.Check.Drift {
		w.line("- ! %s%s%s", code(brief(d.Target)), w.Say(": ", "："), text(w.Drifted(d)))
	}
	switch {
	case !w.Check.Error.Empty():
		w.line("- ! %s", text(w.In(w.Check.Error)))
	case len(w.Check.Drift) == 0:
		w.line("- ✓ %s", w.Say("All is as goxin left it.", "一切如 goxin 所留。"))
	}
}

func (w *mark) drills() {
	for _, s := range w.Drills() {
		w.head(3, w.Say("Failover drill", "故障切换演练")+" · "+text(w.In(s.Title)))
		w.line("%s\n", text(w.Asker(s.Drill)))
		w.line("|  | %s | %s | %s | %s | %s | %s | %s |", w.Say("Fault", "故障"), w.Say("Lost", "丢失"), w.Say("Longest gap", "最长中断"),
			w.Say("Predicted", "预测"), w.Say("Healed after", "恢复用时"), w.Say("Owners", "持有者"), w.Say("Remark", "说明"))
		w.line("| --- | --- | ---: | ---: | ---: | ---: | --- | --- |")
		for _, r := range s.Drill.Rows {
			w.row(w.RowMark(r), text(w.In(r.Title)), w.LostOf(r), w.Millis(r, r.Gap), w.Millis(r, r.Predicted), w.Millis(r, r.Healed), text(w.OwnersOf(r)), text(w.In(r.Why)))
		}
		if t := w.In(s.Drill.Ended); t != "" {
			w.line("\n! %s", text(t))
		}
	}
}

func (w *mark) hardening() {
	for _, h := range w.Hardened() {
		title := w.Say("Hardening", "加固") + " · " + code(h.Unit)
		if w.Several() {
			title += " " + text(string(h.On))
		}
		w.head(3, title)
		w.line("%s\n", w.HardeningSum(h))
		w.table(9, "", w.Say("Line", "配置行"), w.Say("What it forbids", "所禁止的行为"), w.Say("What was seen", "所见"))
		for _, l := range h.Results {
			w.row(w.LineMark(l), code(l.Line), text(w.In(l.Why)), text(w.In(l.Seen)))
		}
	}
}

func (w *mark) selfTests() {
	for _, t := range w.SelfTested() {
		title := w.Say("Self-test of", "自检：") + " " + text(t.Said) + " · " + code(t.Goroot)
		if w.Several() {
			title += " " + text(string(t.On))
		}
		w.head(3, title)
		w.line("%s\n", text(w.In(t.Text)))
		w.table(9, "", w.Say("What was tried", "检查项"), w.Say("What was seen", "所见"))
		for _, c := range t.Checks {
			mark := "✗"
			if c.OK {
				mark = "✓"
			}
			w.row(mark, text(w.In(c.Title)), text(c.Seen))
		}
	}
}

func (w *mark) asides() {
	list := func(all []Aside) {
		w.table(9, w.Say("What", "对象"), w.Say("Why", "原因"))
		for _, a := range all {
			w.row(text(brief(a.What)), text(a.Why))
		}
		w.line("")
	}
	w.head(2, w.Say("7 Left alone, and notes", "7 未改动的内容与说明"))
	if left := w.Left(); len(left) > 0 {
		list(left)
	}
	w.line("%s%d", w.Say("Already so, and not touched: ", "原已如此、未触碰的："), w.Run.Counts.Skipped)
	w.head(2, w.Say("8 Failed", "8 失败"))
	if failed := w.Failed(); len(failed) > 0 {
		list(failed)
		return
	}
	w.line("%s", w.Say("Nothing.", "无。"))
}

func (w *mark) times() {
	w.head(2, w.Say("9 Times", "9 时间"))
	w.table(1, w.Say("Step", "步骤"), w.Say("Began", "开始"), w.Say("Ended", "结束"), w.Say("Took", "用时"))
	for _, s := range w.Steps {
		w.row(text(w.In(s.Title)), w.When(s.Began), w.When(s.Ended), text(w.Took(s.Began, s.Ended)))
	}
	w.row("**"+w.Say("The run", "本次运行")+"**", w.When(w.Run.Began), w.When(w.Run.Ended), text(w.Took(w.Run.Began, w.Run.Ended)))
}
