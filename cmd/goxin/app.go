package main

import (
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/tui/cast"
)

// version is set by the release build.
var version = "dev"

// app is what all commands share: the streams, the flags that are everywhere,
// and what is made from them.
type app struct {
	in, errs       *os.File
	out            *output
	lang           lang.Lang
	langFlag       string
	plain          bool
	line           bool
	root           string
	state          string
	noColor        bool
	quiet          bool
	cast           *cast.Writer // the recording that is under way; nil: none
	machineOptions []machine.Option
	engines        []*engine.Engine // to hang up on the machines they joined, at the end
}

func (a *app) command() *cobra.Command {
	var file string
	var review bool
	var confirm time.Duration
	root := &cobra.Command{
		Use:           "goxin",
		Short:         a.s("Turn this machine into a verified, tuned host for Go services", "把本机变成经过验证、调优的 Go 服务主机"),
		Version:       version,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			return a.globals(c)
		},
		RunE: func(c *cobra.Command, _ []string) error { return a.wizard(c.Context(), file, review, confirm) },
	}
	root.Flags().StringVarP(&file, "file", "f", "", a.s("answers file to begin with", "预先填入的应答文件"))
	root.Flags().BoolVar(&review, "review", false, a.s("walk the given answers file without asking again", "按给定的应答文件走一遍，不再提问"))
	root.Flags().DurationVar(&confirm, "confirm", 2*time.Minute, a.s("how long a change written with W stands unless it is confirmed", "用 W 写入的改动在确认之前保留多久"))
	p := root.PersistentFlags()
	p.StringVar(&a.langFlag, "lang", "", a.s("language: zh or en", "语言：zh 或 en"))
	p.BoolVar(&a.plain, "plain", false, a.s("ASCII and few bytes, for serial lines", "纯 ASCII、少量字节，适合串口"))
	p.BoolVar(&a.line, "line", false, a.s("line by line, for screen readers and pipes", "逐行问答，适合读屏软件和管道"))
	p.StringVar(&a.root, "root", "", a.s("work on the tree in this directory, not on this machine", "在该目录的系统树上操作，而不是本机"))
	p.StringVar(&a.state, "state", "", a.s("where runs are journalled (default "+engine.DefaultDir+")", "运行日志目录（默认 "+engine.DefaultDir+"）"))
	p.BoolVar(&a.noColor, "no-color", false, a.s("no colours", "不用颜色"))
	p.BoolVarP(&a.quiet, "quiet", "q", false, a.s("only results and errors", "只输出结果和错误"))
	root.SetVersionTemplate("goxin {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usageError{lang.Errorf(understood(err), "cannot understand the command line", "无法理解命令行").
			WithHint("see `%s --help`", "请看 `%s --help`", c.CommandPath())}
	})
	root.AddCommand(a.detectCommand(), a.planCommand(), a.applyCommand(), a.confirmCommand(), a.resumeCommand(),
		a.checkCommand(), a.undoCommand(), a.runsCommand(), a.forgetCommand(), a.answersCommand(), a.captureCommand(), a.demoCommand(), a.recordCommand(), a.libsCommand(), a.mirrorsCommand(), a.toolchainCommand(), a.pruneCommand(), a.guardCommand(), a.tuneCommand(), a.profileCommand(), a.verifyCommand(), a.reportCommand(), a.wireCommand(), a.drillCommand())
	root.AddCommand(a.agentCommand(), a.probeCommand(), a.selftestCommand())
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = true
	strictArgs(root)
	a.translate(root)
	return root
}

// strictArgs makes every wrong argument a usage error with a hint; cobra's own
// are plain errors.
func strictArgs(c *cobra.Command) {
	check := c.Args
	c.Args = func(c *cobra.Command, args []string) error {
		if check == nil {
			check = cobra.ArbitraryArgs
		}
		if err := check(c, args); err != nil {
			e := lang.Errorf(understood(err), "cannot understand the command line", "无法理解命令行")
			if near := c.SuggestionsFor(strings.Join(args, " ")); len(near) > 0 {
				return usageError{e.WithHint("did you mean `%s %s`?", "是否想用 `%s %s`？", c.CommandPath(), near[0])}
			}
			return usageError{e.WithHint("see `%s --help`", "请看 `%s --help`", c.CommandPath())}
		}
		return nil
	}
	for _, sub := range c.Commands() {
		strictArgs(sub)
	}
}

// globals checks the flags that are everywhere.
func (a *app) globals(c *cobra.Command) error {
	for _, f := range []string{"root", "state"} {
		// goxin --root "$UNSET" apply must not tune this machine.
		if fl := c.Flags().Lookup(f); fl != nil && fl.Changed && fl.Value.String() == "" {
			return usageError{lang.Errorf(nil, "cannot use --%s: it is empty", "无法使用 --%s：值为空", f).WithHint("name a directory, or leave it out", "请写明目录，或不加此参数")}
		}
	}
	if a.langFlag != "" && a.langFlag != "zh" && a.langFlag != "en" {
		return usageError{lang.Errorf(nil, "cannot speak %q", "不支持语言 %q", a.langFlag).WithHint("use --lang zh or --lang en", "请用 --lang zh 或 --lang en")}
	}
	if a.root != "" {
		if fi, err := os.Stat(a.root); err != nil || !fi.IsDir() {
			if err == nil {
				err = lang.Errorf(nil, "it is no directory", "它不是目录")
			}
			return usageError{lang.Errorf(err, "cannot work on the tree %s", "无法在系统树 %s 上操作", a.root).WithHint("--root takes the top directory of an unpacked or mounted system", "--root 应为已解开或已挂载系统的顶层目录")}
		}
	}
	return nil
}

// s picks a text for help, whose language is known before flags are parsed.
func (a *app) s(en, zh string) string { return lang.T(en, zh).In(a.lang) }

// machine is the one the command is about.
func (a *app) machine() machine.Machine {
	if a.root != "" {
		return machine.Root(a.root, a.machineOptions...)
	}
	return machine.Local(a.machineOptions...)
}

// engine puts it together. notify may be nil.
func (a *app) engine(notify func(engine.Event)) (*engine.Engine, error) {
	c := engine.Config{
		Machines: []machine.Machine{a.machine()},
		Steps:    steps.All(),
		Kinds:    op.Kinds(),
		Detect:   detect.Detect,
		Notify:   notify,
		Owner:    "person",
		Version:  version,
	}
	if a.state != "" {
		dir, err := filepath.Abs(a.state)
		if err != nil {
			return nil, err
		}
		c.Dir = dir
		if a.root != "" { // a place outside the tree
			c.Home = machine.Local(a.machineOptions...)
		}
	}
	e := engine.New(c)
	a.engines = append(a.engines, e)
	return e, nil
}
