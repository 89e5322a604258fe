package main

import (
	"context"

	"github.com/spf13/cobra"

	"goxin/steps/engine"
)

// planned is a whole plan: what `goxin plan --json` prints.
type planned struct {
	Version  int                `json:"version"`
	Changes  int                `json:"changes"`
	Wanted   string             `json:"wanted"`
	Reviewed string             `json:"reviewed"`
	Steps    []*engine.StepPlan `json:"steps"`
}

func (a *app) planCommand() *cobra.Command {
	var q asked
	var asJSON bool
	c := &cobra.Command{
		Use:   "plan -f ANSWERS",
		Short: a.s("What would change; exit 3 if anything would", "会改动什么；有改动时退出码为 3"),
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e, err := a.engine(onlySurveys(a.listener(false)))
			if err != nil {
				return err
			}
			ans, err := a.load(c.Context(), e, q)
			if err != nil {
				return err
			}
			p, err := a.plan(c.Context(), e, ans)
			if err != nil {
				return err
			}
			if asJSON {
				err = a.json(p)
			} else {
				for _, s := range p.Steps {
					a.printPlan(a.out, a.ink(a.out), e.Step(s.Step).Title(), s, e.Name)
				}
				a.say("digest of what is wanted: %s", "目标状态摘要：%s", p.Wanted)
			}
			if err == nil && p.Changes > 0 {
				err = exitError(exitDiffers)
			}
			return err
		},
	}
	a.askedFlags(c, &q)
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

// plan plans every step that was asked for, in order.
func (a *app) plan(ctx context.Context, e *engine.Engine, ans engine.Answers) (*planned, error) {
	all := &planned{Version: 1, Steps: []*engine.StepPlan{}}
	var wanted, reviewed []string
	for _, s := range e.Steps() {
		v, ok := ans[s.ID()]
		if !ok {
			continue
		}
		sv, err := e.Survey(ctx, s, v, nil)
		if err != nil {
			return nil, err
		}
		p, err := e.Plan(ctx, s, sv, v)
		if err != nil {
			return nil, err
		}
		all.Steps = append(all.Steps, p)
		all.Changes += p.Changes()
		wanted, reviewed = append(wanted, p.Wanted), append(reviewed, p.Reviewed)
	}
	all.Wanted, all.Reviewed = engine.Digest(wanted...), engine.Digest(reviewed...)
	return all, nil
}
