package main

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/whichgo"
)

// toolchainWhyCommand tells which Go runs, and who decided.
func (a *app) toolchainWhyCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "why [DIR]",
		Short: a.s("Which Go runs in a directory, and which setting decided; exit 1 if none would", "在某个目录里运行的是哪个 Go、由哪项设置决定；无法运行时退出码为 1"),
		Long: a.s("Asks what the go command asks, in its order: PATH, the environment, the file of `go env -w`, go.env in GOROOT, go.work and go.mod.\n"+
			"Each is listed with what it says; the one that decided is marked with *. Runs nothing, changes nothing.",
			"按 go 命令的顺序逐项查看：PATH、环境变量、`go env -w` 的文件、GOROOT 中的 go.env、go.work 与 go.mod。\n"+
				"列出每一项的内容，起决定作用的标 *。不运行任何程序，不做任何改动。"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := a.goSituation(args)
			if err != nil {
				return err
			}
			return a.toolchainWhy(s, asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

// goSituation is what the go command would look at in the directory of args, or in
// this one, with this process's environment.
func (a *app) goSituation(args []string) (*whichgo.Situation, error) {
	if a.root != "" {
		return nil, usageError{lang.Errorf(nil, "cannot tell which Go runs in a tree: nothing runs there, and nobody's environment is known", "无法判断系统树中运行哪个 Go：其中没有程序在运行，也没有环境变量可看").
			WithHint("leave out --root", "请去掉 --root")}
	}
	dir := "."
	if len(args) == 1 {
		dir = args[0]
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		if err == nil {
			err = lang.Errorf(nil, "it is not a directory", "它不是目录")
		}
		return nil, usageError{lang.Errorf(err, "cannot look at %s", "无法查看 %s", dir).WithHint("give a project's directory", "请给出项目所在目录")}
	}
	m := a.machine()
	return whichgo.Look(m, m.Getenv, dir), nil
}

func (a *app) toolchainWhy(s *whichgo.Situation, asJSON bool) error {
	d := whichgo.Decide(s)
	err := d.Err(s)
	if asJSON {
		if failed := a.json(struct {
			Version int `json:"version"`
			whichgo.Decision
			Says      lang.Text          `json:"says"`
			Warnings  []lang.Text        `json:"warnings"`
			Situation *whichgo.Situation `json:"situation"`
		}{1, d, d.Text(s), append([]lang.Text{}, d.Warnings(s)...), s}); failed != nil {
			return failed
		}
		return err
	}
	if err == nil {
		a.result(d.Text(s).In(a.lang))
	}
	a.printTable(d.Table(s))
	for _, w := range d.Warnings(s) {
		a.result("! " + w.In(a.lang))
	}
	return err
}
