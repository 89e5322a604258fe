package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/op"
	"goxin/steps/toolchain"
)

func (a *app) pruneCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "prune",
		Short: a.s("Remove for good what was moved aside, and what interrupted runs left", "彻底删除先前移除的内容和中断运行的残留"),
		Long: a.s("Shows first what it is and how large. Toolchains that were removed cannot be brought back by `goxin undo` afterwards.",
			"先列出内容与大小。之后 `goxin undo` 无法再恢复已移除的工具链。"),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.prune(c.Context(), yes) },
	}
	c.Flags().BoolVarP(&yes, "yes", "y", false, a.s("do not ask", "不再询问"))
	return c
}

func (a *app) prune(ctx context.Context, yes bool) error {
	m := a.machine()
	// Looked for once before the lock: where there is nothing, nothing is made for it.
	all, err := toolchain.FindWaste(ctx, m)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		a.say("nothing to prune", "没有可清理的内容")
		return nil
	}
	if !yes && !isTerminal(a.in) {
		a.printWaste(all)
		return usageError{lang.Errorf(nil, "cannot ask before removing: nobody is at the terminal", "删除前无法询问：终端前没有人").WithHint("this is what would go: give --yes, or run it at a terminal", "以上即为将删除的内容：请加 --yes，或在终端中执行")}
	}
	e, err := a.engine(nil)
	if err != nil {
		return err
	}
	return e.Alone(func() error {
		all, err := toolchain.FindWaste(ctx, m)
		if err != nil {
			return err
		}
		sum := a.printWaste(all)
		if !yes {
			if err := a.agreed(ctx, fmt.Sprintf(a.s("remove these %.1f MB for good? type yes: ", "彻底删除这 %.1f MB？输入 yes 确认："), float64(sum)/1e6)); err != nil {
				return err
			}
		}
		for _, w := range all {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			if err := m.RemoveAll(w.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return lang.Errorf(err, "cannot remove %s", "无法删除 %s", op.Visible(w.Path)).WithHint("run goxin as root; what is gone already is gone", "请以 root 身份运行；已删除的部分无法恢复")
			}
		}
		a.say("%.1f MB are free again", "已释放 %.1f MB", float64(sum)/1e6)
		return nil
	})
}

// printWaste lists what there is, and gives its size in bytes.
func (a *app) printWaste(all []toolchain.Waste) (sum int64) {
	for _, w := range all {
		a.result(fmt.Sprintf("%8.1f MB  %s  %s", float64(w.Size)/1e6, op.Visible(w.Path), w.What.In(a.lang)))
		sum += w.Size
	}
	return sum
}
