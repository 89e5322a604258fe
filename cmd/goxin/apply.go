package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

type applyFlags struct {
	asked
	yes     bool
	json    bool
	strict  bool
	onError string
	digest  string
	confirm time.Duration
}

func (a *app) applyCommand() *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "apply -f ANSWERS",
		Short: a.s("Make it so: plan, review, apply, verify, step by step", "执行：逐步计划、审阅、执行、验证"),
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return a.apply(c.Context(), f) },
	}
	a.askedFlags(c, &f.asked)
	a.runFlags(c, &f)
	c.Flags().BoolVar(&f.strict, "strict", false, a.s("a value that is clamped, refused or overridden is a failure", "被限幅、拒绝或覆盖的值视为失败"))
	c.Flags().StringVar(&f.digest, "plan-digest", "", a.s("refuse any other plan than this one", "只执行摘要与此相同的计划"))
	c.Flags().DurationVar(&f.confirm, "confirm", 0, a.s("undo all of it by itself unless \"goxin confirm\" comes within this time", "若在此时间内没有执行 goxin confirm，自动全部撤销"))
	return c
}

// runFlags are those of every command that changes something.
func (a *app) runFlags(c *cobra.Command, f *applyFlags) {
	c.Flags().BoolVarP(&f.yes, "yes", "y", false, a.s("do not ask", "不再询问"))
	c.Flags().BoolVar(&f.json, "json", false, a.s("one JSON event a line", "每行一个 JSON 事件"))
	c.Flags().StringVar(&f.onError, "on-error", "undo", a.s("undo or stop", "出错时：undo 撤销，stop 停下"))
}

func (a *app) apply(ctx context.Context, f applyFlags) error {
	return a.applyWith(ctx, f, func(e *engine.Engine) (engine.Answers, error) { return a.load(ctx, e, f.asked) })
}

// applyWith makes answers true, wherever they come from.
func (a *app) applyWith(ctx context.Context, f applyFlags, load func(*engine.Engine) (engine.Answers, error)) error {
	switch {
	case f.onError != "undo" && f.onError != "stop":
		return usageError{lang.Errorf(nil, "cannot %q on an error", "出错时不能 %q", f.onError).WithHint("use --on-error undo or --on-error stop", "请用 --on-error undo 或 --on-error stop")}
	case f.confirm < 0 || f.confirm > 0 && f.confirm < time.Second:
		return badConfirm(f.confirm)
	case !f.yes && (f.json || !isTerminal(a.in) || f.file == "-"):
		return usageError{lang.Errorf(nil, "cannot ask before each step: nobody is at the terminal", "无法在每步之前询问：终端前没有人").WithHint("look at `goxin plan` first, then give --yes", "先看 `goxin plan` 的结果，再加 --yes")}
	}
	e, err := a.engine(nil)
	if err != nil {
		return err
	}
	ans, err := load(e)
	if err != nil {
		return err
	}
	// Even where nothing would change: what is there may be about to go.
	switch pending, err := e.Pending(); {
	case err != nil:
		return err
	case pending != nil && pending.Status == engine.StatusAwaiting:
		return &engine.BusyError{Due: pending.ID}
	case pending != nil:
		return &engine.BusyError{Interrupted: pending.ID}
	}
	tell := a.listener(f.json)
	e.Listen(onlySurveys(tell)) // the plans are told of when their turn comes
	p, err := a.plan(ctx, e, ans)
	if err != nil {
		return err
	}
	if f.digest != "" && f.digest != p.Wanted && f.digest != p.Reviewed {
		return lang.Errorf(&engine.StaleError{Targets: []string{"--plan-digest"}}, "cannot apply this plan", "无法执行该计划").
			WithHint("this plan's digest is %s; look at it with `goxin plan`", "当前计划的摘要为 %s；请用 `goxin plan` 查看", p.Wanted)
	}
	if p.Changes == 0 {
		if f.json {
			a.jsonLine(engine.Event{Version: 1, Time: time.Now(), What: engine.RunEnded, Text: lang.T("nothing to change", "无需改动")})
		}
		for _, s := range p.Steps {
			if !f.json && !a.quiet {
				a.printPlan(a.errs, a.ink(a.errs), e.Step(s.Step).Title(), s, e.Name)
			}
		}
		e.Listen(tell)
		for _, s := range p.Steps {
			if err := e.Prove(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}
	e.Listen(tell)
	run, err := e.Start(ctx, engine.RunOptions{Answers: ans, Strict: f.strict, Confirm: f.confirm})
	if err != nil {
		return err
	}
	var devs []engine.Deviation
	for _, s := range e.Steps() {
		v, ok := ans[s.ID()]
		if !ok {
			continue
		}
		var res engine.StepResult
		res, err = run.Step(ctx, s, v, func(now *engine.StepPlan) error {
			if f.digest != "" && !slices.ContainsFunc(p.Steps, func(s *engine.StepPlan) bool { return s.Reviewed == now.Reviewed || s.Changes() > 0 && unknown(s) }) {
				return lang.Errorf(&engine.StaleError{Targets: []string{now.Step}}, "cannot apply this plan", "无法执行该计划")
			}
			return a.review(ctx, e, now, f)
		})
		devs = append(devs, res.Deviations...)
		if err != nil {
			break
		}
	}
	return a.finish(ctx, run, devs, err, f.onError == "undo")
}

// unknown reports whether part of a plan could not be known when it was made.
func unknown(p *engine.StepPlan) bool {
	return slices.ContainsFunc(p.Items, func(it engine.Planned) bool { return it.Unknown != "" })
}

func badConfirm(d time.Duration) error {
	return usageError{lang.Errorf(nil, "cannot wait %s for a confirmation", "无法用 %s 等待确认", d).WithHint("give a second or more, like --confirm 120s", "请给出一秒以上的时间，如 --confirm 120s")}
}

// finish ends a run: told, undone where that is asked, and with its exit code.
func (a *app) finish(ctx context.Context, run *engine.Run, devs []engine.Deviation, failure error, undo bool) error {
	if failure != nil {
		a.printError(failure)
	}
	var undone engine.UndoResult
	var undoErr error
	if failure != nil && undo {
		if undone, undoErr = run.Undo(ctx); undone.Undone > 0 || len(undone.Left) > 0 {
			a.printUndo(undone)
		}
	}
	sum, endErr := run.End(context.WithoutCancel(ctx))
	for _, err := range []error{undoErr, endErr} {
		if err != nil {
			a.printError(err)
		}
	}
	switch {
	case undoErr != nil || endErr != nil:
		return exitError(exitFailed)
	case failure != nil && undo && undone.Undone == 0 && len(undone.Left) == 0:
		return exitError(exitCode(failure)) // nothing had been changed
	case failure != nil && undo && len(undone.Left) == 0:
		return exitError(afterUndo(failure))
	case failure != nil && sum.Changes == 0:
		return exitError(exitCode(failure))
	case failure != nil:
		if sum.Changes > 0 {
			a.say("what was done stands (run %d); `goxin undo` undoes it", "已完成的部分保留（运行 %d）；`goxin undo` 可撤销", run.ID())
		}
		return exitError(exitFailed)
	}
	if sum.Status == engine.StatusAwaiting {
		a.say("run %d is undone in %s unless `goxin confirm` comes first", "运行 %d 将在 %s 后自动撤销，除非先执行 `goxin confirm`", run.ID(), sum.Deadline)
	} else {
		switch sum.Changes {
		case 0:
			a.say("done: run %d, nothing to change", "完成：运行 %d，无需改动", run.ID())
		case 1:
			a.say("done: run %d, 1 change; `goxin undo` undoes it", "完成：运行 %d，1 处改动；`goxin undo` 可撤销", run.ID())
		default:
			a.say("done: run %d, %d changes; `goxin undo` undoes them", "完成：运行 %d，%d 处改动；`goxin undo` 可撤销", run.ID(), sum.Changes)
		}
	}
	if len(devs) > 0 {
		a.printDeviations(devs)
		return exitError(exitDeviates)
	}
	return nil
}

// afterUndo is what the end of a run means that failed and left nothing: a refusal
// stays one, and a full disk is for a person to clear before it is tried again.
func afterUndo(failure error) int {
	code := exitCode(failure)
	switch {
	case code == exitRefused:
		return code
	case errors.Is(failure, syscall.ENOSPC), errors.Is(failure, syscall.EDQUOT):
		return exitFailed
	}
	return exitUndone
}

// review shows a step's plan and, unless --yes was given, asks.
func (a *app) review(ctx context.Context, e *engine.Engine, p *engine.StepPlan, f applyFlags) error {
	if !f.json && !a.quiet {
		a.printPlan(a.errs, a.ink(a.errs), e.Step(p.Step).Title(), p, e.Name)
	}
	if f.yes || p.Changes() == 0 {
		return nil
	}
	return a.agreed(ctx, a.s("write these changes? type yes: ", "写入这些改动？输入 yes 确认："))
}

// agreed asks the person at the terminal; anything but yes is a no.
func (a *app) agreed(ctx context.Context, question string) error {
	fmt.Fprint(a.errs, question)
	answer := make(chan string, 1)
	go func() { // reading cannot be called off; leaving can
		s, err := bufio.NewReader(a.in).ReadString('\n')
		if err != nil {
			s = ""
		}
		answer <- strings.TrimSpace(s)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case s := <-answer:
		if s == "yes" {
			return nil
		}
	}
	return stopped{lang.T("stopped: the changes were not agreed to", "已停止：改动未获同意")}
}

// listener tells a person, or with --json a program, what happens.
func (a *app) listener(asJSON bool) func(engine.Event) {
	if asJSON {
		return func(ev engine.Event) { a.jsonLine(ev) }
	}
	slow := slowSurvey{say: func(t lang.Text) { a.say("  %s", "  %s", t) }}
	return func(ev engine.Event) {
		slow.hear(ev)
		switch ev.What {
		case engine.Done:
			a.say("  [%d/%d] %s: %s", "  [%d/%d] %s：%s", ev.N, ev.Of, brief(ev.Target), ev.Outcome.Kind.Text())
		case engine.Output:
			a.say("        %s", "        %s", ev.Text)
		case engine.Proving:
			a.say("  trying: %s", "  正在验证：%s", ev.Text)
		case engine.Proved:
			a.say("  proved: %s", "  已验证：%s", ev.Text)
		}
	}
}

// onlySurveys passes on how far surveys are, and nothing else.
func onlySurveys(tell func(engine.Event)) func(engine.Event) {
	return func(ev engine.Event) {
		if ev.What == engine.Surveying || ev.What == engine.Surveyed {
			tell(ev)
		}
	}
}
