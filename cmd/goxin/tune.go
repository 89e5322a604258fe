package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/mattn/go-runewidth"
	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/steps/runtime"
	"goxin/steps/runtime/measure"
)

func (a *app) tuneCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "tune",
		Short: a.s("Whether a setting makes a difference on this machine", "某项设置在本机上是否真的有效"),
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.tuneRuntimeCommand())
	return c
}

// tuning are the flags of tune runtime.
type tuning struct {
	asked
	measure, asJSON bool
	goroot, write   string
}

func (a *app) tuneRuntimeCommand() *cobra.Command {
	var t tuning
	c := &cobra.Command{
		Use:   "runtime --measure",
		Short: a.s("Measure the Go runtime's settings with a small load, beside Go's defaults", "用小型负载实测 Go 运行时设置，与 Go 默认值对照"),
		Long: a.s("Compiles a small load with the Go that is installed (allocation, maps, goroutines, HTTP over loopback) and runs it with each\n"+
			"setting and without, 32 times in alternating blocks. A setting whose differences are inside the noise is not kept. Nothing is\n"+
			"changed and nothing left behind; it takes about 20 seconds a setting. Without -f and --set the usual ones are tried.",
			"用已安装的 Go 编译一个小型负载（内存分配、map、goroutine、回环 HTTP），对每项设置交替分组，有无该设置共运行 32 次。\n"+
				"差异落在噪声之内的设置不保留。不改动系统，也不留下任何文件；每项设置约需 20 秒。不带 -f 与 --set 时试测常用的几项。"),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !t.measure {
				return usageError{lang.Errorf(nil, "cannot tune without measuring", "无法在不测量的情况下调优").
					WithHint("say --measure; `goxin plan --set runtime.gogc=20` shows what a setting writes", "请加 --measure；某项设置会写入什么，可用 `goxin plan --set runtime.gogc=20` 查看")}
			}
			return a.tuneRuntime(c, t)
		},
	}
	c.Flags().BoolVar(&t.measure, "measure", false, a.s("measure", "进行实测"))
	c.Flags().StringVar(&t.goroot, "go", "", a.s("the Go to compile with: its top directory", "用于编译的 Go：其顶层目录"))
	c.Flags().StringVarP(&t.file, "file", "f", "", a.s("answers file whose runtime step is measured", "应答文件，测量其中的 runtime 步骤"))
	c.Flags().StringArrayVar(&t.sets, "set", nil, a.s("one answer more: runtime.KEY=VALUE", "追加一项应答：runtime.键=值"))
	c.Flags().StringVar(&t.write, "write", "", a.s("write the answers to keep to this file, which must not be there yet", "把应保留的应答写入该文件（须尚不存在）"))
	c.Flags().BoolVar(&t.asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

func (a *app) tuneRuntime(c *cobra.Command, t tuning) error {
	if t.write != "" {
		if _, err := os.Lstat(t.write); err == nil {
			return usageError{lang.Errorf(nil, "cannot write %s: it is there already", "无法写入 %s：文件已存在", t.write).WithHint("name another file", "请换一个文件名")}
		}
	}
	e, err := a.engine(nil)
	if err != nil {
		return err
	}
	h, err := e.Detect(c.Context())
	if err != nil {
		return err
	}
	asked, err := a.runtimeAnswers(h, t)
	if err != nil {
		return err
	}
	tried := []engine.Values{asked}
	if asked == nil {
		tried = runtime.Usual()
	}
	sv, err := e.Survey(c.Context(), runtime.Step{}, asked, nil)
	if err != nil {
		return err
	}
	trial, err := runtime.NewTrial(h, sv, tried...)
	if err != nil {
		return err
	}
	if err := a.chooseGo(trial, t.goroot); err != nil {
		return err
	}
	for _, n := range trial.Notes {
		a.say("%s", "%s", n)
	}
	if len(trial.Knobs) == 0 {
		a.say("nothing to measure: these answers leave everything to Go", "没有可测的设置：这些应答全部交由 Go 自行决定")
		return nil
	}
	if n := measure.Busy(a.machine()); n > 0.5 {
		a.say("other programs keep %.1f processors busy: the noise will be wide, and small differences stay hidden in it", "其他程序正占用 %.1f 个处理器：噪声会偏大，小的差别会被淹没", n)
	}
	far := a.progress()
	r, err := measure.Run(c.Context(), a.machine(), trial.Tool, trial.Knobs, func(p engine.Progress) { far.say(p.Text) })
	far.end()
	if err != nil {
		return err
	}
	return a.printTuning(r, runtime.Keep(asked, r), t)
}

// runtimeAnswers are the runtime step's of the file and of --set; nil: none were given.
func (a *app) runtimeAnswers(h engine.Hosts, t tuning) (engine.Values, error) {
	if t.file == "" && len(t.sets) == 0 {
		return nil, nil
	}
	_, facts := h.First()
	got := engine.Answers{}
	if t.file != "" {
		f, err := a.readAnswers(t.file)
		if err != nil {
			return nil, err
		}
		got = f.For(facts.Hostname.Value, facts)
	}
	if err := answers.Set(got, []engine.Step{runtime.Step{}}, t.sets...); err != nil {
		return nil, err
	}
	v, ok := got[runtime.Step{}.ID()]
	if !ok {
		return nil, usageError{lang.Errorf(nil, "cannot measure: the answers have no runtime step", "无法测量：应答中没有 runtime 步骤").
			WithHint("add one: --set runtime.gogc=20", "请追加：--set runtime.gogc=20")}
	}
	if v == nil {
		v = engine.Values{}
	}
	return v, nil
}

// chooseGo is the Go the person named, or the one that is there.
func (a *app) chooseGo(t *runtime.Trial, named string) error {
	if named != "" {
		dir, err := filepath.Abs(named)
		if err == nil {
			_, err = runtime.Version(a.machine(), dir)
		}
		if err != nil {
			return usageError{lang.Errorf(err, "cannot use the Go in %s", "无法使用 %s 中的 Go", named).
				WithHint("--go takes the top directory of a Go, with bin/go and VERSION in it", "--go 应为 Go 的顶层目录，其中有 bin/go 和 VERSION")}
		}
		t.Tool.GOROOT = dir
	}
	if t.Tool.GOROOT == "" {
		return lang.Errorf(nil, "cannot measure: there is no Go on this machine", "无法测量：本机没有 Go").
			WithHint("goxin toolchain install latest, or name one: --go DIR", "可执行 goxin toolchain install latest，或用 --go DIR 指定")
	}
	if a.root != "" {
		return usageError{lang.Errorf(machine.ErrNotRunning, "cannot measure in a tree", "无法在系统树中测量").WithHint("leave --root out", "请去掉 --root")}
	}
	return nil
}

func (a *app) printTuning(r *measure.Report, kept engine.Values, t tuning) error {
	all := engine.Answers{runtime.Step{}.ID(): kept}
	file := answers.Encode(all, []engine.Step{runtime.Step{}}, a.lang)
	if t.write != "" {
		f, err := os.OpenFile(t.write, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			_, err = f.Write(file)
			if e := f.Close(); err == nil {
				err = e
			}
		}
		if err != nil {
			return lang.Errorf(err, "cannot write the answers to keep", "无法写出应保留的应答").WithHint("name a place that is writable and has room", "请指定可写且有空间的位置")
		}
	}
	if t.asJSON {
		return a.json(struct {
			Version int `json:"version"`
			*measure.Report
			Keep engine.Values `json:"keep"`
		}{1, r, kept})
	}
	for _, k := range r.Results {
		a.printKnob(k)
	}
	a.say("%s, %d runs a setting in %d blocks (without, with, with, without), %.0f s; the three intervals of a setting hold together with 95 %%",
		"%s，每项设置 %d 次运行、%d 组（无、有、有、无），用时 %.0f 秒；每项设置的三个区间合起来置信度为 95%%", r.Go, r.Blocks*4, r.Blocks, r.Took.Seconds())
	if t.write != "" {
		a.say("the answers to keep are in %s", "应保留的应答已写入 %s", t.write)
		return nil
	}
	a.say("the answers to keep:", "应保留的应答：")
	a.result(strings.TrimSuffix(string(file), "\n"))
	return nil
}

// printKnob prints what came out for one setting: a line, and one for each measure.
func (a *app) printKnob(k measure.Result) {
	mark := "-"
	if k.Keep {
		mark = "+"
	}
	a.result(mark + " " + pad(k.Name.In(a.lang), 28) + k.Text().In(a.lang))
	for _, m := range measure.Measures() {
		said := lang.T("not measured", "未测")
		if e, ok := k.Effects[m]; ok {
			said = e.Text(m)
		}
		a.result("    " + pad(m.Title().In(a.lang), 26) + said.In(a.lang))
	}
}

// pad fills s up to a width of w columns, with one space at least.
func pad(s string, w int) string {
	return s + strings.Repeat(" ", max(w-runewidth.StringWidth(s), 1))
}
