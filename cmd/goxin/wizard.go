package main

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps"
	"goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/tui"
)

// wizard opens the wizard, prefilled from file if there is one.
func (a *app) wizard(ctx context.Context, file string, review bool, confirm time.Duration) error {
	if confirm < time.Second {
		return badConfirm(confirm)
	}
	if review && file == "" {
		return usageError{lang.Errorf(nil, "cannot review: there is no answers file", "无法审阅：没有应答文件").WithHint("name it with -f", "用 -f 指定")}
	}
	if !a.line && (!isTerminal(a.in) || !isTerminal(a.out)) {
		return usageError{lang.Errorf(nil, "cannot open the wizard: this is no terminal it can draw on", "无法打开向导：这里不是可以绘制界面的终端").
			WithHint("without a terminal use `goxin detect`, `goxin plan -f ANSWERS` and `goxin apply -f ANSWERS --yes`, or answer line by line: `goxin --line`",
				"没有终端时请用 `goxin detect`、`goxin plan -f 应答文件` 和 `goxin apply -f 应答文件 --yes`，或逐行问答：`goxin --line`")}
	}
	e, err := a.engine(nil)
	if err != nil {
		return err
	}
	given := engine.Answers{}
	h, err := e.Detect(ctx)
	if err != nil {
		return err
	}
	_, facts := h.First()
	if file != "" {
		f, err := a.readAnswers(file)
		if err != nil {
			return err
		}
		given = f.For(facts.Hostname.Value, facts)
	}
	name := "answers.yaml"
	if facts.Hostname.Known && facts.Hostname.Value != "" {
		name = facts.Hostname.Value + ".yaml"
	}
	if a.root != "" {
		confirm = -1 // nothing runs there that could take anything back
	}
	res, err := a.show(ctx, tui.Config{
		Session: tui.Live(e), Steps: steps.All(), Answers: given, Review: review, ConfirmWithin: confirm,
		Purposes: steps.Purposes(), Earlier: a.earlier(e, name, facts),
		Flags:  a.flags(),
		Report: a.reportWriter(e),
		Shell:  a.shell(),
		Save: func(ans engine.Answers) (string, error) {
			return e.KeepAnswers(name, answers.Encode(ans, steps.All(), a.lang))
		},
	})
	return a.wizardEnd(res, err)
}

// earlier are the answers that an earlier start has saved. What cannot be read any
// more is not worth a failure: it is offered, not needed.
func (a *app) earlier(e *engine.Engine, name string, facts *detect.Facts) engine.Answers {
	data, err := e.KeptAnswers(name)
	if err != nil {
		return nil
	}
	f, err := answers.Read(name, bytes.NewReader(data), steps.All())
	if err != nil {
		return nil
	}
	return f.For(facts.Hostname.Value, facts)
}

// flags are those that a command shown to a person needs to mean this machine.
func (a *app) flags() string {
	s := ""
	if a.root != "" {
		s += " --root " + op.Quote(a.root)
	}
	if a.state != "" {
		s += " --state " + op.Quote(a.state)
	}
	return s
}

// wizardEnd is the wizard's result as words and an exit code.
func (a *app) wizardEnd(res tui.Result, err error) error {
	if res.Answers != "" && res.What != tui.Nothing {
		a.say("answers: %s", "应答文件：%s", res.Answers)
	}
	if res.Report != "" {
		a.say("report: %s", "验收报告：%s", res.Report)
	}
	if err != nil {
		if res.What == tui.Nothing {
			return err
		}
		a.printError(err)
	}
	if res.What == tui.Awaiting {
		a.say("the change is taken back by itself unless `goxin confirm` comes first", "若不先执行 `goxin confirm`，改动将自动撤回")
	}
	switch {
	case res.What == tui.Interrupted:
		a.say("what was done stands; `goxin resume` finishes it, `goxin undo` undoes it", "已完成的部分保留；`goxin resume` 继续完成，`goxin undo` 撤销")
		return exitError(exitFailed)
	case res.What == tui.Failed, err != nil, res.What == tui.Awaiting && res.Failure != nil:
		return exitError(exitFailed)
	case res.What == tui.Undone && res.Failure != nil && res.Kept == 0:
		return exitError(afterUndo(res.Failure))
	case res.What == tui.Deviations || res.Deviations > 0 || res.Kept > 0:
		return exitError(exitDeviates)
	}
	return nil
}

// localeOf is the locale that says how characters are written.
func localeOf(getenv func(string) string) string {
	return cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG"))
}

// terminal is what is known of the terminal without asking it anything.
func terminal(out *os.File) tui.Env {
	e := tui.Env{Term: os.Getenv("TERM"), Locale: localeOf(os.Getenv)}
	if name, err := os.Readlink("/proc/self/fd/0"); err == nil && strings.HasPrefix(name, "/dev/") {
		e.TTY = name
	}
	if ws, err := unix.IoctlGetWinsize(int(out.Fd()), unix.TIOCGWINSZ); err == nil {
		e.Width, e.Height = int(ws.Col), int(ws.Row)
	}
	e.Console = isConsole(out)
	return e
}

// isConsole reports the kernel's own console: nothing else answers KDGKBTYPE, and
// it answers with the type of its keyboard (ioctl_console(2)).
func isConsole(f *os.File) bool {
	const kdgkbtype, kb84, kb101 = 0x4b33, 0x01, 0x02
	kind, err := unix.IoctlGetInt(int(f.Fd()), kdgkbtype) // one byte of it is written
	return err == nil && (kind == kb84 || kind == kb101)
}
