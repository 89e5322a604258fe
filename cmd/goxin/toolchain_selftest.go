package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/selftest"
	"goxin/steps/toolchain"
)

// toolchainSelftestCommand tries a toolchain on the machine it is on.
func (a *app) toolchainSelftestCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "selftest [VERSION|DIR]",
		Short: a.s("Try a Go on this machine: signals, faults, preemption, profiles, programs, sockets, files; exit 1 if one fails", "在本机上自检一个 Go：信号、故障恢复、抢占、剖析、子进程、套接字、文件；有未通过项时退出码为 1"),
		Long: a.s("Compiles a program that does on purpose what a runtime does behind every program's back, and runs it: the one in use, or the one that is named.\n"+
			"Takes some seconds, a minute or two on a slow board; leaves nothing behind. In a run, toolchain.selftest does the same, and the report has the result.",
			"编译并运行一个自检程序，专门触发运行时在每个程序背后所做的事：默认检查正在使用的 Go，也可指定。\n"+
				"需要几秒，慢速板卡上需一两分钟；不留下任何内容。运行中设置 toolchain.selftest 效果相同，结果写入报告。"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return a.selftest(c.Context(), args, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

func (a *app) selftest(ctx context.Context, args []string, asJSON bool) error {
	if a.root != "" {
		return usageError{lang.Errorf(nil, "cannot run a self-test in a tree: nothing runs there", "无法在系统树中自检：其中没有程序在运行").WithHint("leave out --root", "请去掉 --root")}
	}
	m := a.machine()
	dir, err := a.whichToolchain(m, args)
	if err != nil {
		return err
	}
	f, err := detect.Detect(ctx, m)
	if err != nil {
		return err
	}
	a.say("trying the Go in %s", "正在自检 %s 中的 Go", dir)
	r, err := selftest.Run(ctx, m, dir, toolchain.Mark(m, toolchain.OnlyMarkedRun(f)))
	if err != nil {
		return err
	}
	if asJSON {
		if err := a.json(r); err != nil {
			return err
		}
	} else {
		a.printSelftest(r)
	}
	if !r.OK() {
		return exitError(exitFailed)
	}
	return nil
}

func (a *app) printSelftest(r *selftest.Result) {
	a.result(r.Said)
	t := &engine.Table{Columns: []engine.Column{{Title: lang.T("what was tried", "检查项")}, {Title: lang.T("ms", "毫秒"), Right: true}, {Title: lang.T("what was seen", "所见")}}}
	for _, c := range r.Checks {
		mark := engine.Good
		if !c.OK {
			mark = engine.Unusable
		}
		t.Rows = append(t.Rows, engine.TableRow{Mark: mark, Cells: []lang.Text{c.Title(), lang.Same(fmt.Sprint(c.MS)), lang.Same(c.Said)}})
	}
	a.printTable(t)
	a.result(r.Text().In(a.lang))
}

// whichToolchain is the directory of the Go that args name: a version, a directory, or
// the one in use.
func (a *app) whichToolchain(m machine.Machine, args []string) (string, error) {
	if len(args) == 1 && strings.Contains(args[0], "/") {
		return filepath.Abs(args[0])
	}
	here, err := toolchain.Here(m)
	if err != nil {
		return "", err
	}
	var there []string
	for _, i := range here.Installed {
		if len(args) == 0 && i.Current || len(args) == 1 && strings.TrimPrefix(args[0], "go") == strings.TrimPrefix(i.Version, "go") {
			return i.Dir, nil
		}
		there = append(there, i.Version)
	}
	for _, o := range here.Others {
		if len(args) == 0 || o.Version != "" && strings.TrimPrefix(args[0], "go") == strings.TrimPrefix(o.Version, "go") {
			return o.Dir, nil
		}
		there = append(there, o.Dir)
	}
	if len(there) == 0 {
		return "", usageError{lang.Errorf(nil, "cannot run a self-test: there is no Go here", "无法自检：这里没有 Go").
			WithHint("`goxin toolchain install latest` installs one; one elsewhere is named by its directory", "`goxin toolchain install latest` 可安装；别处的 Go 请给出目录")}
	}
	if len(args) == 0 {
		return "", usageError{lang.Errorf(nil, "cannot run a self-test: none of the Gos here is in use", "无法自检：没有正在使用的 Go").WithHint("name one: %s", "请指明一个：%s", lang.List(there...))}
	}
	return "", usageError{lang.Errorf(nil, "cannot run the self-test of Go %s: it is not here", "无法自检 Go %s：本机没有", args[0]).WithHint("these are: %s", "已有：%s", lang.List(there...))}
}
