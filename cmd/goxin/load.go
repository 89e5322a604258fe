package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

// asked is which answers a command works with: the flags plan and apply share.
type asked struct {
	file string
	sets []string
	only []string
}

func (a *app) askedFlags(c *cobra.Command, q *asked) {
	c.Flags().StringVarP(&q.file, "file", "f", "", a.s("answers file; - reads standard input", "应答文件；- 表示标准输入"))
	c.Flags().StringArrayVar(&q.sets, "set", nil, a.s("one answer more: STEP.KEY=VALUE", "追加一项应答：步骤.键=值"))
	c.Flags().StringSliceVar(&q.only, "only", nil, a.s("only these steps, comma-separated", "只做这些步骤，以逗号分隔"))
}

// load reads the answers for this machine: the file, what --set adds, and of it
// the steps --only names.
func (a *app) load(ctx context.Context, e *engine.Engine, q asked) (engine.Answers, error) {
	h, err := e.Detect(ctx)
	if err != nil {
		return nil, err
	}
	_, facts := h.First()
	got := engine.Answers{}
	if q.file != "" {
		f, err := a.readAnswers(q.file)
		if err != nil {
			return nil, err
		}
		got = f.For(facts.Hostname.Value, facts)
	}
	if err := answers.Set(got, steps.All(), q.sets...); err != nil {
		return nil, err
	}
	if q.only != nil {
		for i := range q.only {
			q.only[i] = strings.TrimSpace(q.only[i])
		}
		for _, id := range q.only {
			if _, ok := got[id]; !ok {
				return nil, usageError{lang.Errorf(nil, "cannot do only %q: the answers have no such step", "无法只做 %q：应答中没有这个步骤", id).
					WithHint("these are there: %s", "其中有：%s", strings.Join(slices.Sorted(maps.Keys(got)), ", "))}
			}
		}
		for id := range got {
			if _, joins := e.Step(id).(engine.Joiner); joins && slices.ContainsFunc(q.only, func(id string) bool { return paired(e.Step(id)) }) {
				continue // the step is done on that machine too
			}
			if !slices.Contains(q.only, id) {
				delete(got, id)
			}
		}
	}
	if len(got) == 0 {
		return nil, usageError{lang.Errorf(nil, "cannot do anything: there are no answers", "无事可做：没有任何应答").
			WithHint("give a file with -f, or an answer with --set kernel.profile=web; `goxin answers new` prints a template", "用 -f 指定文件，或用 --set kernel.profile=web 给出应答；`goxin answers new` 打印模板")}
	}
	return got, nil
}

func paired(s engine.Step) bool {
	p, ok := s.(engine.Paired)
	return ok && p.Paired()
}

// readAnswers reads and checks an answers file.
func (a *app) readAnswers(name string) (*answers.File, error) {
	in := a.in
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, badFile(err)
		}
		defer f.Close()
		if fi, err := f.Stat(); err != nil || fi.IsDir() {
			return nil, badFile(errors.Join(err, lang.Errorf(nil, "%s is a directory", "%s 是目录", name)))
		}
		in = f
	}
	return answers.Read(name, in, steps.All())
}

func badFile(err error) error {
	return usageError{lang.Errorf(err, "cannot read the answers file", "无法读取应答文件").
		WithHint("`goxin answers new > answers.yaml` makes one", "可用 `goxin answers new > answers.yaml` 生成")}
}
