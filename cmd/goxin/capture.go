package main

import (
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/engine"
)

func (a *app) captureCommand() *cobra.Command {
	var name, run string
	var oldWorld bool
	c := &cobra.Command{
		Use:   "capture [--run [RUN]]",
		Short: a.s("Write what goxin sees of this machine to a file, without names, addresses and serials", "把 goxin 所见的本机情况写成文件，不含主机名、地址和序列号"),
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if oldWorld {
				if len(args) > 0 || c.Flags().Changed("run") {
					return usageError{lang.Errorf(nil, "cannot capture a run and an old world at once", "不能同时打包运行与采集旧世界信息").WithHint("leave one of them out", "请去掉其中一个")}
				}
				return a.captureTo(name, 0o644, func(w io.Writer) error { return a.captureOldWorld(c.Context(), w) })
			}
			if !c.Flags().Changed("run") {
				if len(args) > 0 {
					return usageError{lang.Errorf(nil, "cannot capture %q", "无法采集 %q", args[0]).WithHint("a run is packed with --run %s, a file is named with -o", "用 --run %s 打包一次运行，用 -o 指定文件", args[0])}
				}
				return a.captureTo(name, 0o644, func(w io.Writer) error {
					m := a.machine()
					f, err := detect.Detect(c.Context(), m)
					if err != nil {
						return err
					}
					return detect.Capture(c.Context(), m, f, w)
				})
			}
			if run != newest {
				args = append([]string{run}, args...)
			}
			if len(args) > 1 {
				return usageError{lang.Errorf(nil, "cannot pack two runs", "无法同时打包两次运行").WithHint("give one number: --run %s", "只给一个编号：--run %s", args[0])}
			}
			id, err := runArg(args)
			if err != nil {
				return err
			}
			if !c.Flags().Changed("output") {
				name = "goxin-run.tar.gz"
			}
			var r *engine.RunRecord
			err = a.captureTo(name, 0o600, func(w io.Writer) (err error) {
				r, err = a.captureRun(c.Context(), id, w)
				return err
			})
			if err == nil {
				a.tellRun(r, name)
			}
			return err
		},
	}
	c.Flags().StringVar(&run, "run", "", a.s("pack a run with it (none named: the newest), to walk through on another computer", "连同一次运行打包（不写编号则为最近一次），可在另一台电脑上回放"))
	c.Flags().Lookup("run").NoOptDefVal = newest
	c.Flags().BoolVar(&oldWorld, "oldworld", false, a.s("of a LoongArch machine also what tells whether goxin's overlay holds there: how its kernel takes signal sets, and a self-test of this very program", "龙架构机器：另附判断 goxin 补丁是否有效所需的信息，即内核对信号集的处理方式与本程序自身的自检结果"))
	c.Flags().StringVarP(&name, "output", "o", "goxin-capture.tar.gz", a.s("the file", "输出文件"))
	return c
}

// newest is --run without a number.
const newest = "newest"

// captureTo writes a capture to a new file, or none.
func (a *app) captureTo(name string, mode fs.FileMode, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return lang.Errorf(err, "cannot write the capture", "无法写入采集文件").WithHint("choose another name with -o", "请用 -o 另选文件名")
	}
	err = write(f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(name) // half a capture is none
		if lang.Hint(err, lang.EN) != "" {
			return err
		}
		return lang.Errorf(err, "cannot write the capture", "无法写入采集文件")
	}
	a.say("written to %s; look through it before you pass it on", "已写入 %s；转交他人之前请先过目", name)
	return nil
}
