package tui

import (
	"fmt"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// logLine is one event as it is read.
type logLine struct {
	time time.Time
	text lang.Text
}

const logMost = 2000

// note keeps an event for the log.
func (a *App) note(ev engine.Event) {
	t := a.eventText(ev)
	if t.Empty() {
		return
	}
	if len(a.log) >= logMost {
		a.log = append(a.log[:0], a.log[len(a.log)-logMost/2:]...)
	}
	a.log = append(a.log, logLine{ev.Time, t})
}

func (a *App) eventText(ev engine.Event) lang.Text {
	if ev.Kind == ev.Target {
		ev.Kind = "" // "clock clock" says no more
	}
	what := a.onText(ev.On, strings.TrimSpace(ev.Kind+" "+ev.Target))
	switch ev.What {
	case engine.RunStarted:
		return lang.F("run %s started", "运行 %s 开始", ev.Run)
	case engine.StepStarted:
		return lang.F("step %s: %d operations", "步骤 %s：%d 项操作", ev.Step, ev.Of)
	case engine.Doing:
		return what
	case engine.Output:
		return lang.F("  | %s", "  | %s", ev.Text)
	case engine.Skipped:
		return lang.F("%s: already so", "%s：已符合", what)
	case engine.Done:
		if ev.Outcome != nil && ev.Outcome.Deviates() {
			return lang.F("%s: %s", "%s：%s", what, outcomeText(*ev.Outcome))
		}
		return lang.F("%s: done", "%s：完成", what)
	case engine.Failed:
		return lang.F("%s: failed: %s", "%s：失败：%s", what, ev.Error)
	case engine.Proving:
		return lang.F("trying: %s", "正在验证：%s", ev.Text)
	case engine.Proved:
		return lang.F("proved: %s", "已验证：%s", ev.Text)
	case engine.StepDone:
		return lang.F("step %s done", "步骤 %s 完成", ev.Step)
	case engine.Telling:
		if s, ok := sampleOf(ev); ok && s.Done != nil {
			return a.rowText(*s.Done)
		}
		if l, ok := a.journalLine(ev); ok {
			return lang.Same("  | " + clean(l))
		}
	case engine.Undoing:
		return lang.F("undoing %s", "撤销 %s", what)
	case engine.Undone:
		return lang.F("%s: as before", "%s：已恢复", what)
	case engine.LeftAlone:
		return lang.F("%s: left alone: %s", "%s：保持不动：%s", what, ev.Error)
	case engine.Awaiting:
		return lang.F("run %s waits for its confirmation", "运行 %s 等待确认", ev.Run)
	case engine.RunEnded:
		return lang.F("run %s ended: %s", "运行 %s 结束：%s", ev.Run, statusText(ev.Text))
	}
	return lang.Text{}
}

// statusText is what became of a run: a status, or its text already.
func statusText(t lang.Text) lang.Text {
	if t.EN != t.ZH {
		return t
	}
	return engine.Status(t.EN).Text()
}

// outcomeText says how an operation deviated and by what.
func outcomeText(o engine.Outcome) lang.Text {
	t := o.Kind.Text()
	if o.Got != "" {
		t = lang.F("%s, in force: %s", "%s，当前值 %s", t, o.Got)
	}
	if !o.By.Empty() {
		t = lang.F("%s (%s)", "%s（%s）", t, o.By)
	}
	return t
}

func (a *App) showLog() (nav, tea.Cmd) {
	o := &textOverlay{App: a, title: lang.T("Log", "日志"), state: lang.F("%d entries", "%d 条", len(a.log))}
	o.body = func(w int) []string {
		var out []string
		for _, l := range a.log {
			at := "         "
			if !l.time.IsZero() {
				at = l.time.Local().Format("15:04:05 ")
			}
			for _, s := range wrap(a.s(l.text), w-9) {
				out = append(out, a.theme.Dim.Render(at)+s)
				at = "         "
			}
		}
		return out
	}
	o.scroll.top = 1 << 20 // the end is what one looks for; drawing clamps it
	return a.push(o)
}

// tail is the end of the log, for pages that show work as it happens.
func (a *App) tail(w int) []string {
	var out []string
	for _, l := range a.log[max(len(a.log)-12, 0):] {
		out = append(out, a.theme.Dim.Render(cut(a.s(l.text), w, a.theme.Ellipsis)))
	}
	return out
}

// clock writes a duration as minutes and seconds.
func clock(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	s := int(d.Round(time.Second) / time.Second)
	return fmt.Sprintf("%02d:%02d", s/60, s%60)
}
