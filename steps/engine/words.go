package engine

import (
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Text is the outcome in a word.
func (k OutcomeKind) Text() lang.Text {
	switch k {
	case Clamped:
		return lang.T("clamped", "被限幅")
	case Refused:
		return lang.T("refused", "被拒绝")
	case Overridden:
		return lang.T("overridden", "会被覆盖")
	}
	return lang.T("applied", "已生效")
}

// Text is the status in a word.
func (s Status) Text() lang.Text {
	switch s {
	case StatusInterrupted:
		return lang.T("interrupted", "被中断")
	case StatusWorking:
		return lang.T("at work now", "正在运行")
	case StatusFailed:
		return lang.T("failed", "失败")
	case StatusUndone:
		return lang.T("undone", "已撤销")
	case StatusAwaiting:
		return lang.T("awaiting confirmation", "待确认")
	case StatusUnreadable:
		return lang.T("unreadable", "无法读取")
	}
	return lang.T("applied", "已执行")
}

// StaleError says that the machine moved since a plan was reviewed.
type StaleError struct{ Targets []string }

// Text is the error for people.
func (s *StaleError) Text() lang.Text {
	t := strings.Join(s.Targets, ", ")
	return lang.F("changed since the plan was reviewed: %s", "计划审阅之后又有改动：%s", t)
}

func (s *StaleError) Error() string { return s.Text().EN }

// BusyError says that another run holds the lock (Holder), that one waits for its
// confirmation (Due), or that one was interrupted and must be finished or undone
// first.
type BusyError struct {
	Holder      Holder
	Due         RunID
	Interrupted RunID
}

// Holder is who holds the lock: the note in the lock file.
type Holder struct {
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Command string    `json:"command"`
}

// Text is the error for people.
func (b *BusyError) Text() lang.Text {
	switch {
	case b.Due > 0:
		return lang.F("run %d waits for its confirmation", "运行 %d 正等待确认", b.Due)
	case b.Interrupted > 0:
		return lang.F("run %d was interrupted and is neither finished nor undone", "运行 %d 曾被中断，既未完成也未撤销", b.Interrupted)
	case b.Holder.PID == 0:
		return lang.T("another goxin is at work", "另一个 goxin 正在工作")
	}
	return lang.F("another goxin is at work (pid %d, since %s)", "另一个 goxin 正在工作（进程 %d，始于 %s）", b.Holder.PID, b.Holder.Since.Local().Format(time.DateTime))
}

// Hint is what to do about it.
func (b *BusyError) Hint() lang.Text {
	switch {
	case b.Due > 0:
		return lang.T("`goxin confirm` lets it stand, `goxin undo` undoes it now", "`goxin confirm` 予以保留，`goxin undo` 立即撤销")
	case b.Interrupted > 0:
		return lang.T("`goxin resume` finishes it, `goxin undo` undoes it", "`goxin resume` 继续完成，`goxin undo` 撤销")
	}
	return lang.T("wait for it to end", "请等待其结束")
}

func (b *BusyError) Error() string { return b.Text().EN }

// DeviationError is the failure of a strict run.
type DeviationError struct {
	Target  string
	Outcome Outcome
}

// Text is the error for people.
func (d *DeviationError) Text() lang.Text {
	return lang.F("%s (%s), and nothing but what was asked was allowed", "%s（%s），而本次运行不接受任何偏差", d.Outcome.Kind.Text(), d.Outcome.By)
}

func (d *DeviationError) Error() string { return d.Text().EN }

// NoMachine is the reason why a survey cannot look at a machine: it was not given it.
func NoMachine(id machine.ID) error {
	return lang.Because(nil, "there is no machine %q in this run", "本次运行中没有机器 %q", string(id))
}

// BadSurvey is the reason why a step cannot use what its survey found.
func BadSurvey(cause error) error {
	return lang.Because(cause, "what the survey found cannot be understood", "收集到的信息无法理解")
}

// Refusal marks an error as goxin's own no: a verification that failed, a policy,
// unsafe input. Its text is that of the error it wraps.
type Refusal struct{ Err error }

func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the error.
func (r Refusal) Unwrap() error { return r.Err }
