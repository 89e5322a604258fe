package main

import (
	"github.com/spf13/cobra"

	"goxin/steps/engine"
)

func (a *app) forgetCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "forget RUN",
		Short: a.s("Destroy what was kept to undo a run; it can never be undone", "销毁某次运行的还原内容；此后无法撤销"),
		Args:  cobra.ExactArgs(1),
		RunE: a.onRun(func(c *cobra.Command, e *engine.Engine, id engine.RunID) error {
			if err := e.Forget(c.Context(), id); err != nil {
				return err
			}
			if r, err := e.Record(id); err == nil && len(r.Order) > 1 {
				a.say("run %d is forgotten, on every machine it was about", "运行 %d 已遗忘，涉及的每台机器均已销毁还原内容", id)
				return nil
			}
			a.say("run %d is forgotten", "运行 %d 已遗忘", id)
			return nil
		}),
	}
}
