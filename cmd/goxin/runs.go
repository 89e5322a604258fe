package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// runArg reads the optional number of a run; 0 where none is given.
func runArg(args []string) (engine.RunID, error) {
	if len(args) == 0 {
		return 0, nil
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return 0, usageError{lang.Errorf(nil, "cannot find run %q: a run is a number", "找不到运行 %q：运行以数字编号", args[0]).WithHint("see `goxin runs`", "用 `goxin runs` 查看")}
	}
	return engine.RunID(n), nil
}

// onRun is a command about one run, whose number it takes as its argument.
func (a *app) onRun(do func(*cobra.Command, *engine.Engine, engine.RunID) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		id, err := runArg(args)
		if err != nil {
			return err
		}
		e, err := a.engine(nil)
		if err != nil {
			return err
		}
		return do(c, e, id)
	}
}

func (a *app) runsCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "runs",
		Short: a.s("What goxin did here, run by run", "goxin 在此做过的每次运行"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			e, err := a.engine(nil)
			if err != nil {
				return err
			}
			rs, err := e.Runs()
			if err != nil {
				return err
			}
			if asJSON {
				return a.json(struct {
					Version int              `json:"version"`
					Runs    []engine.RunInfo `json:"runs"`
				}{1, append([]engine.RunInfo{}, rs...)})
			}
			for _, r := range rs {
				when := "                "
				if !r.Time.IsZero() {
					when = r.Time.Local().Format("2006-01-02 15:04")
				}
				status := r.Status.Text()
				if r.Forgotten {
					status = lang.F("%s, forgotten", "%s，已遗忘", status)
				}
				a.result(strings.TrimRight(fmt.Sprintf("%4d  %s  %s  %s", r.ID, when, status.In(a.lang),
					lang.F("(%d standing) %s", "（%d 处仍在）%s", r.Changes, strings.Join(r.Steps, " ")).In(a.lang)), " "))
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

func (a *app) undoCommand() *cobra.Command {
	var only string
	c := &cobra.Command{
		Use:   "undo [RUN]",
		Short: a.s("Put back what the newest run (or RUN) changed", "还原最近一次运行（或 RUN）的改动"),
		Args:  cobra.MaximumNArgs(1),
		RunE: a.onRun(func(c *cobra.Command, e *engine.Engine, id engine.RunID) error {
			if c.Flags().Changed("only") && e.Step(only) == nil {
				return usageError{lang.Errorf(nil, "cannot undo %q: there is no such step", "无法撤销 %q：没有这个步骤", only).WithHint("see `goxin runs`", "用 `goxin runs` 查看")}
			}
			res, err := e.Undo(c.Context(), id, only)
			if err != nil {
				if res.Undone > 0 {
					a.printUndo(res)
				}
				return err
			}
			if res.Run == 0 {
				a.say("nothing to undo", "没有可撤销的内容")
				return nil
			}
			a.printUndo(res)
			if len(res.Left) > 0 {
				return exitError(exitDeviates)
			}
			return nil
		}),
	}
	c.Flags().StringVar(&only, "only", "", a.s("only this step of the run", "只撤销该运行中的这一步"))
	return c
}

func (a *app) resumeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resume",
		Short: a.s("Finish the run that was interrupted", "继续完成被中断的运行"),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := a.engine(a.listener(false))
			if err != nil {
				return err
			}
			run, res, err := e.Resume(c.Context())
			if run == nil {
				if err == nil {
					a.say("nothing to resume", "没有被中断的运行")
				}
				return err
			}
			var devs []engine.Deviation
			for _, r := range res {
				devs = append(devs, r.Deviations...)
			}
			var stale *engine.StaleError
			if c.Context().Err() != nil || errors.As(err, &stale) {
				// It stays interrupted: to be resumed, or undone.
				a.printError(errors.Join(err, run.Leave()))
				if stale != nil {
					return exitError(exitBusy)
				}
				return exitError(exitFailed)
			}
			return a.finish(c.Context(), run, devs, err, false)
		},
	}
}

func (a *app) checkCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: a.s("Is it still as goxin left it? exit 3 if not", "是否仍如 goxin 所留？有偏离时退出码为 3"),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := a.engine(nil)
			if err != nil {
				return err
			}
			ds, err := e.Check(c.Context())
			if asJSON {
				if jerr := a.json(struct {
					Version int            `json:"version"`
					Drift   []engine.Drift `json:"drift"`
				}{1, append([]engine.Drift{}, ds...)}); jerr != nil {
					return jerr
				}
			} else {
				for _, d := range ds {
					a.printDrift(d)
				}
			}
			switch {
			case err != nil:
				return err
			case len(ds) > 0:
				a.say("%d drifted; `goxin apply` sets it right, `goxin undo` lets go of it", "有 %d 处偏离；`goxin apply` 可改回，`goxin undo` 可放手", len(ds))
				return exitError(exitDiffers)
			}
			a.say("all as goxin left it", "一切如 goxin 所留")
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

func (a *app) printDrift(d engine.Drift) {
	// Rows of another action than the whole tell what would be done about it.
	of := func(r engine.Row) bool { return r.Action == d.Diff.Action }
	if len(d.Diff.Rows) == 0 || !d.Diff.Note.Empty() && !slices.ContainsFunc(d.Diff.Rows, of) {
		a.result(strings.TrimRight(fmt.Sprintf("%c %s  %s", rune(d.Diff.Action), d.Target, d.Diff.Note.In(a.lang)), " "))
		return
	}
	for _, r := range d.Diff.Rows {
		a.result(strings.TrimRight(lang.F("%c %s is %s, goxin set %s  %s", "%c %s 现为 %s，goxin 设为 %s  %s", rune(d.Diff.Action), r.Name, r.Now, r.Then, r.Note).In(a.lang), " "))
	}
}

func (a *app) confirmCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "confirm [RUN]",
		Short: a.s("Let a run that awaits it stand", "确认并保留等待确认的运行"),
		Args:  cobra.MaximumNArgs(1),
		RunE: a.onRun(func(c *cobra.Command, e *engine.Engine, id engine.RunID) error {
			info, err := e.Confirm(c.Context(), id)
			if err == nil {
				a.say("run %d stands", "运行 %d 已确认保留", info.ID)
			}
			return err
		}),
	}
}

// guardCommand is what the service behind --confirm runs.
func (a *app) guardCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "guard RUN",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: a.onRun(func(c *cobra.Command, e *engine.Engine, id engine.RunID) error {
			return e.Guard(c.Context(), id)
		}),
	}
}
