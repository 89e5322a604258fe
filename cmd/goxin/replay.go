package main

import (
	"context"
	"os"

	"goxin/assets/lang"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/replay"
	"goxin/tui"
)

// replay walks through a packed run in the wizard. Nothing is written, and no
// operation runs, whatever the file says.
func (a *app) replay(ctx context.Context, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return usageError{lang.Errorf(err, "cannot replay %s", "无法回放 %s", file).WithHint("`goxin capture --run` makes such a file", "此类文件由 `goxin capture --run` 生成")}
	}
	defer f.Close()
	r, err := replay.Read(f)
	if err != nil {
		return usageError{err}
	}
	s := replay.New(r, replay.Options{Pace: 1, Known: steps.All()})
	_, err = a.show(ctx, tui.Config{
		Session: replayed{s}, Steps: s.Steps(), Answers: s.Answers(), Review: true, Mark: replay.Mark,
	})
	return err
}

// replayed is a replay as the wizard takes it: its Run becomes an interface.
type replayed struct{ *replay.Session }

func (s replayed) Start(ctx context.Context, o engine.RunOptions) (tui.RunUnderWay, error) {
	return s.Session.Start(ctx, o)
}

func (s replayed) Resume(context.Context) (tui.RunUnderWay, []engine.StepResult, error) {
	return nil, nil, nil
}

var _ tui.Session = replayed{}
