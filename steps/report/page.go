package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// page is a report in one language: what all renderings say, and in which words.
type page struct {
	*Report
	Lang lang.Lang
}

// Say picks a text of the page's own.
func (p page) Say(en, zh string) string { return lang.T(en, zh).In(p.Lang) }

// In picks a text of the report's.
func (p page) In(t lang.Text) string { return t.In(p.Lang) }

// When is a time to the second, as everywhere in a report: absolute.
func (p page) When(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return t.Format(time.DateTime)
}

// Zone is the zone that all times are in.
func (p page) Zone() string { return p.Made.Format("UTC-07:00") }

// Took is how long something lasted. The journal counts in seconds.
func (p page) Took(from, to time.Time) string {
	d := to.Sub(from)
	switch {
	case from.IsZero() || to.IsZero():
		return "—"
	case d < 0:
		return p.Say("the clock was set", "其间校过时钟")
	case d < time.Second:
		return p.Say("< 1 s", "不到 1 秒")
	case d < time.Minute:
		return fmt.Sprintf(p.Say("%d s", "%d 秒"), int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf(p.Say("%d min %d s", "%d 分 %d 秒"), int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf(p.Say("%d h %d min", "%d 小时 %d 分"), int(d.Hours()), int(d.Minutes())%60)
}

// Status is the run's status.
func (p page) Status() string {
	t := p.Run.Status.Text()
	if p.Run.Forgotten {
		t = lang.F("%s, forgotten", "%s，已遗忘", t)
	}
	return p.In(t)
}

// By is who ran goxin.
func (p page) By() string {
	switch p.Run.Owner {
	case "person":
		return p.Say("a person", "人工操作")
	case "ansible":
		return "Ansible"
	}
	return p.Run.Owner
}

// Mark is the verdict's sign; it needs no colour.
func (p page) Mark() string {
	return map[Verdict]string{Good: "✓", Remarks: "!", Bad: "✗"}[p.Verdict]
}

// Judgement is the verdict in a sentence.
func (p page) Judgement() string {
	switch p.Verdict {
	case Good:
		return p.Say("Applied as asked, and still so when this report was made.", "已按要求执行，生成本报告时核对一致。")
	case Remarks:
		return p.Say("Applied; what is listed here has to be looked at before it is accepted.", "已执行；验收前请逐条确认下列事项。")
	}
	return p.Say("Not in the state that was asked for; see what is listed here.", "未达到所要求的状态，原因见下。")
}

// Tally is the numbers of changes in one line.
func (p page) Tally() string {
	c := p.Run.Counts
	var parts []string
	for _, n := range []struct {
		of     int
		en, zh string
		always bool
	}{
		{c.Done, "%d changed", "改动 %d 处", true},
		{c.Skipped, "%d already so", "原已如此 %d 处", true},
		{c.Deviations, "%d deviations", "偏差 %d 处", true},
		{c.Failed, "%d failed", "失败 %d 处", true},
		{c.Undone, "%d undone", "已撤销 %d 处", false},
		{c.Left, "%d left by undo", "撤销时保留 %d 处", false},
		{c.Planned, "%d not reached", "未执行 %d 处", false},
	} {
		if n.of > 0 || n.always {
			parts = append(parts, fmt.Sprintf(p.Say(n.en, n.zh), n.of))
		}
	}
	return strings.Join(parts, " · ")
}

// Remarks are what a person has to look at, gravest first.
func (p page) Remarks() []string {
	var out []string
	say := func(en, zh string, args ...any) { out = append(out, lang.F(en, zh, args...).In(p.Lang)) }
	switch p.Run.Status {
	case engine.StatusInterrupted:
		say("the run was interrupted: it is neither finished nor undone", "本次运行曾被中断，既未完成也未撤销")
	case engine.StatusAwaiting:
		say("the run waits for its confirmation, and is undone by itself without one", "本次运行正等待确认；若不确认，将自动撤销")
	}
	if !p.Run.Error.Empty() {
		say("%s", "%s", p.Run.Error)
	}
	p.changes(func(_ Step, c Change) {
		target := brief(c.Target)
		switch {
		case c.Status == "doing":
			say("%s: begun and not finished", "%s：已开始，未完成", target)
		case c.Status == "failed":
			say("%s: failed: %s", "%s：失败：%s", target, c.Error)
		case c.Status == "left":
			say("%s: not undone: %s", "%s：未撤销：%s", target, c.Error)
		case c.Status == "done" && c.Outcome.Deviates():
			say("%s: %s", "%s：%s", target, p.Outcome(c))
		}
	})
	if n := p.Run.Counts.Planned; n > 0 {
		say("%d changes were not reached", "%d 处改动未执行到", n)
	}
	if n := p.Run.Counts.Undone; n > 0 {
		say("%d changes were undone", "%d 处改动已撤销", n)
	}
	for _, r := range p.failedFaults() {
		say("failover drill, %s: not as predicted: %s", "故障切换演练，%s：与预测不符：%s", r.Title, lang.T(strings.TrimSpace(p.Millis(r, r.Gap)+", "+r.Why.EN), strings.TrimSpace(p.Millis(r, r.Gap)+"，"+r.Why.ZH)))
	}
	for _, d := range p.Check.Drift {
		say("%s: no longer as goxin left it (run %d)", "%s：已不是 goxin 留下的状态（运行 %d）", brief(d.Target), int(d.Run))
	}
	if !p.Check.Error.Empty() {
		say("not everything could be checked: %s", "有内容无法核对：%s", p.Check.Error)
	}
	for _, s := range p.Steps {
		for _, n := range s.Notes {
			if n.Warn {
				say("%s: %s", "%s：%s", s.Title, n.Text)
			}
		}
	}
	return out
}

func (p page) changes(each func(Step, Change)) {
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			each(s, c)
		}
	}
}

// Outcome is what became of a change.
func (p page) Outcome(c Change) string {
	switch c.Status {
	case "planned":
		return p.Say("not reached", "未执行")
	case "skipped":
		return p.Say("already so", "原已如此")
	case "doing":
		return p.Say("not finished", "未完成")
	case "failed":
		return p.Say("failed", "失败")
	case "undone":
		return p.Say("undone", "已撤销")
	case "left":
		return p.Say("not undone", "未撤销")
	}
	if !c.Outcome.Deviates() {
		return p.Say("done", "已完成")
	}
	s := p.In(c.Outcome.Kind.Text())
	if c.Outcome.Got != "" {
		s += fmt.Sprintf(p.Say(", now %s", "，现为 %s"), c.Outcome.Got)
	}
	if by := p.In(c.Outcome.By); by != "" {
		s += p.Say(": ", "：") + by
	}
	return s
}

// Kind is a kind of operation in words.
func (p page) Kind(kind string) string {
	t, ok := map[string]lang.Text{
		"account":  lang.T("system account", "系统账户"),
		"block":    lang.T("part of a file", "文件片段"),
		"clock":    lang.T("clock", "时钟"),
		"comment":  lang.T("line of a file", "文件中的行"),
		"copy":     lang.T("program", "程序"),
		"dir":      lang.T("directory", "目录"),
		"file":     lang.T("file", "文件"),
		"label":    lang.T("mark", "标记"),
		"limit":    lang.T("limit", "限制"),
		"link":     lang.T("link", "链接"),
		"lists":    lang.T("package lists", "软件包列表"),
		"packages": lang.T("packages", "软件包"),
		"port":     lang.T("firewall opening", "防火墙放行"),
		"sysctl":   lang.T("kernel parameter", "内核参数"),
		"sysfs":    lang.T("kernel setting", "内核设置"),
		"tree":     lang.T("directory tree", "目录树"),
		"unit":     lang.T("service", "服务"),
	}[kind]
	if !ok {
		return kind
	}
	return p.In(t)
}

// Sign is what a change does to its target, as one character.
func (p page) Sign(a engine.Action) string {
	switch a {
	case 0:
		return "?"
	case engine.Delete:
		return "−"
	}
	return string(rune(a))
}

// Shown are the step's changes that are shown with what was there before.
func (p page) Shown(s Step) []Change {
	return slices.DeleteFunc(slices.Clone(s.Changes), func(c Change) bool { return c.Status == "skipped" || c.Status == "planned" })
}

// Several says whether the run was about more than one machine.
func (p page) Several() bool { return len(p.Machines) > 1 }

// Evidence is something that vouches for where things come from.
type Evidence struct{ What, Says string }

// origins are the steps whose business is where things come from.
var origins = []string{"mirror", "libs", "devtools", "toolchain"}

// Origin is the evidence of origin: what trees of files were held against, and what
// the steps that fetch things noted and proved.
func (p page) Origin() []Evidence {
	var out []Evidence
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			if c.Kind != "tree" || c.Status == "planned" {
				continue
			}
			for _, r := range c.Diff.Rows {
				out = append(out, Evidence{c.Target, strings.TrimSpace(p.In(r.Note) + p.Say(": ", "：") + strings.TrimSpace(r.Name+" "+r.Then))})
			}
		}
		if !slices.Contains(origins, s.ID) {
			continue
		}
		for _, n := range s.Notes {
			if !n.Warn {
				out = append(out, Evidence{p.In(s.Title), p.In(n.Text)})
			}
		}
		for _, t := range s.Proved {
			out = append(out, Evidence{p.In(s.Title), p.In(t)})
		}
	}
	return out
}

// Proofs are what the steps tried, and what was seen. A proof that could not be held
// says so itself: no mark stands before it.
func (p page) Proofs() []Evidence {
	var out []Evidence
	for _, s := range p.Steps {
		for _, t := range s.Proved {
			out = append(out, Evidence{p.In(s.Title), p.In(t)})
		}
	}
	return out
}

// Aside is something that was left as it was, and why.
type Aside struct{ What, Why string }

// Left is all that was left alone, but for what was already so, and what the steps
// had to say beside their changes.
func (p page) Left() []Aside {
	var out []Aside
	for _, s := range p.Steps {
		for _, c := range s.Changes {
			switch {
			case c.Status == "left":
				out = append(out, Aside{c.Target, p.Outcome(c) + p.Say(": ", "：") + p.In(c.Error)})
			case c.Status == "planned", c.Status == "done" && c.Outcome.Deviates():
				out = append(out, Aside{c.Target, p.Outcome(c)})
			}
		}
		for _, n := range s.Notes {
			if n.Warn || !slices.Contains(origins, s.ID) { // the others are evidence
				out = append(out, Aside{p.In(s.Title), p.In(n.Text)})
			}
		}
	}
	return out
}

// Failed is what failed, and of what.
func (p page) Failed() []Aside {
	var out []Aside
	p.changes(func(_ Step, c Change) {
		switch {
		case c.Status == "doing":
			out = append(out, Aside{c.Target, p.Say("begun and not finished", "已开始，未完成")})
		case c.Status != "left" && !c.Error.Empty():
			out = append(out, Aside{c.Target, p.In(c.Error)})
		}
	})
	if !p.Run.Error.Empty() {
		out = append(out, Aside{p.Say("the run", "本次运行"), p.In(p.Run.Error)})
	}
	return out
}

// Drifted is how a drifted target differs, in a few words a piece.
func (p page) Drifted(d Drift) string {
	var parts []string
	if n := p.In(d.Diff.Note); n != "" {
		parts = append(parts, n)
	}
	for _, r := range d.Diff.Rows {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf(p.Say("%s is %s, goxin set %s %s", "%s 现为 %s，goxin 设为 %s %s"), r.Name, dash(r.Now), dash(r.Then), p.In(r.Note))))
	}
	if len(parts) == 0 {
		parts = []string{p.Say("its content was changed", "内容已改动")}
	}
	return strings.Join(parts, p.Say("; ", "；"))
}

func dash(s string) string {
	if s == "" {
		return "—"
	}
	return s
}

// Brief is a target for a heading.
func (p page) Brief(target string) string { return brief(target) }

// brief is a target on one line: of sixty packages, the first few.
func brief(target string) string {
	const most = 90
	if r := []rune(target); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return target
}
