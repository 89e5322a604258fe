package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/answers"
	"goxin/steps/engine"
	"goxin/steps/toolchain"
)

func (a *app) toolchainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "toolchain",
		Short: a.s("Go toolchains: list, install, use, remove; which one runs, and why", "Go 工具链：列出、安装、切换、移除；运行的是哪个、为什么"),
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(a.toolchainListCommand(), a.toolchainInstallCommand(), a.toolchainUseCommand(), a.toolchainRemoveCommand(),
		a.toolchainWhyCommand(), a.toolchainSelftestCommand(), a.toolchainEnvCommand())
	return c
}

// listed is one Go as `goxin toolchain list --json` prints it.
type listed struct {
	Version  string   `json:"version"` // "" where it does not tell
	Arch     string   `json:"arch,omitempty"`
	Dir      string   `json:"dir"`
	Current  bool     `json:"current"`
	By       string   `json:"by"`                 // "goxin", "distribution", "other"
	Evidence []string `json:"evidence,omitempty"` // what its origin was proved by when it was installed
}

func (a *app) toolchainListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: a.s("The Gos on this machine, and by what each was proved", "本机上的 Go，以及各自的验证依据"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			m := a.machine()
			here, err := toolchain.Here(m)
			if err != nil {
				return err
			}
			out := []listed{}
			for _, i := range here.Installed {
				out = append(out, listed{i.Version, i.Arch, i.Dir, i.Current, "goxin", toolchain.ProvedBy(m, i.Dir)})
			}
			for _, o := range here.Others {
				by := "other"
				if o.Distro {
					by = "distribution"
				}
				out = append(out, listed{o.Version, o.Arch, o.Dir, o.Current, by, nil})
			}
			if asJSON {
				return a.json(struct {
					Version    int      `json:"version"`
					Toolchains []listed `json:"toolchains"`
				}{1, out})
			}
			a.printToolchains(out)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.s("as one JSON document", "输出一个 JSON 文档"))
	return c
}

func (a *app) printToolchains(all []listed) {
	if len(all) == 0 {
		a.say("there is no Go here; `goxin toolchain install latest` installs one", "这里没有 Go；可用 `goxin toolchain install latest` 安装")
		return
	}
	t := &engine.Table{Columns: []engine.Column{
		{Title: lang.T("version", "版本")}, {Title: lang.T("proved by", "验证依据")}, {Title: lang.T("directory", "目录")},
	}}
	words := map[string]lang.Text{"log": lang.T("log", "透明日志"), "detached": lang.T("signature", "签名"), "digest": lang.T("digest", "摘要")}
	for _, l := range all {
		var by []string
		for _, e := range l.Evidence {
			by = append(by, words[e].In(a.lang))
		}
		proved := lang.List(by...)
		switch {
		case l.By == "distribution":
			proved = lang.T("the distribution's", "发行版自带")
		case len(by) == 0:
			proved = lang.F("not here: goxin verify %s", "未验证：goxin verify %s", l.Dir)
		}
		row := engine.TableRow{Key: l.Dir, Cells: []lang.Text{lang.Same(l.Version), proved, lang.Same(l.Dir)}}
		if l.Current {
			row.Mark = engine.Best
		}
		t.Rows = append(t.Rows, row)
	}
	a.printTable(t)
}

// toolchainRun is a command that changes toolchains: through the engine, as apply does.
func (a *app) toolchainRun(c *cobra.Command, f applyFlags, v engine.Values) error {
	return a.applyWith(c.Context(), f, func(e *engine.Engine) (engine.Answers, error) {
		s := e.Step(toolchain.Step{}.ID())
		if s == nil {
			return nil, lang.Errorf(nil, "cannot change toolchains: this goxin has no such step", "无法更改工具链：此 goxin 没有该步骤")
		}
		ans := engine.Answers{s.ID(): v}
		for _, f := range s.Fields() {
			if err := check(s, f, v); err != nil {
				return nil, usageError{err}
			}
		}
		for _, err := range (toolchain.Step{}).Cross(v) {
			return nil, usageError{err}
		}
		if _, err := e.Detect(c.Context()); err != nil {
			return nil, err
		}
		return ans, nil
	})
}

// check judges an answer that came from the command line as the answers file's are.
func check(step engine.Step, f engine.Field, v engine.Values) error {
	if s := v.Text(f.Key, ""); s != "" && f.Kind == engine.Choice {
		return answers.Set(engine.Answers{}, []engine.Step{step}, step.ID()+"."+f.Key+"="+s)
	}
	all := v.List(f.Key)
	if s := v.Text(f.Key, ""); s != "" {
		all = append(all, s)
	}
	for _, s := range all {
		if f.Check == nil {
			continue
		}
		if err := f.Check(s); err != nil {
			return lang.Errorf(err, "cannot use %s", "无法使用 %s", step.ID()+"."+f.Key)
		}
	}
	return nil
}

func (a *app) toolchainInstallCommand() *cobra.Command {
	var f applyFlags
	var use, build, fresh bool
	var source, how string
	var goproxy []string
	c := &cobra.Command{
		Use:   "install VERSION…",
		Short: a.s("Install Go: 1.26.8, 1.26 (its newest) or latest; proved, beside those there are", "安装 Go：1.26.8、1.26（该系列最新）或 latest；经过验证，与已有版本并存"),
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			v := engine.Values{"versions": args, "use": "keep"}
			if use {
				delete(v, "use")
			}
			switch {
			case build && how != "" && how != "build":
				return usageError{lang.Errorf(nil, "cannot install by --build and by --how %s at once", "--build 与 --how %s 不能同时使用", how).WithHint("leave one of them out", "请去掉其中一个")}
			case build:
				v["how"] = "build"
			case how != "":
				v["how"] = how
			}
			if fresh {
				v["adopt"] = false
			}
			if source != "" {
				v["source"] = source
			}
			if len(goproxy) > 0 {
				v["goproxy"] = goproxy
			}
			return a.toolchainRun(c, f, v)
		},
	}
	a.runFlags(c, &f)
	c.Flags().BoolVar(&use, "use", false, a.s("switch to the first of them too", "同时切换到其中第一个"))
	c.Flags().BoolVar(&build, "build", false, a.s("build it from proved source", "用验证过的源码编译"))
	c.Flags().StringVar(&how, "how", "", a.s("official, build, or on a LoongArch kernel of the old world: vendor (Loongson's own), overlay (built here with goxin's overlay, experimental)", "official、build；龙架构旧世界内核上还可用 vendor（龙芯自行编译）、overlay（用 goxin 补丁在本机编译，试验性）"))
	c.Flags().BoolVar(&fresh, "no-adopt", false, a.s("install it also where the same release is there already", "即使本机已有同一官方版本，也另行安装"))
	c.Flags().StringVar(&source, "source", "", a.s("an archive, a directory with archives, or the URL of a mirror or GOPROXY", "安装包或其所在目录，或镜像、GOPROXY 的网址"))
	c.Flags().StringSliceVar(&goproxy, "goproxy", nil, a.s("GOPROXYs to ask, comma-separated", "要查询的 GOPROXY，以逗号分隔"))
	return c
}

func (a *app) toolchainUseCommand() *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "use VERSION",
		Short: a.s("Switch to an installed Go; what runs keeps the one it has", "切换到已安装的 Go；正在运行的程序不受影响"),
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.toolchainRun(c, f, engine.Values{"versions": []string{}, "use": args[0]})
		},
	}
	a.runFlags(c, &f)
	return c
}

func (a *app) toolchainRemoveCommand() *cobra.Command {
	var f applyFlags
	c := &cobra.Command{
		Use:   "remove VERSION…",
		Short: a.s("Move installed Gos aside; undo brings them back, prune removes them for good", "把已安装的 Go 移到一旁；undo 可恢复，prune 彻底删除"),
		Args:  cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			here, err := toolchain.Here(a.machine())
			if err != nil {
				return err
			}
			var there []string
			for _, i := range here.Installed {
				there = append(there, strings.TrimPrefix(i.Version, "go"))
			}
			for _, v := range args {
				if short := strings.TrimPrefix(v, "go"); !slices.Contains(there, short) {
					return notInstalled(v, there)
				}
			}
			return a.toolchainRun(c, f, engine.Values{"versions": []string{}, "use": "keep", "remove": args})
		},
	}
	a.runFlags(c, &f)
	return c
}

func notInstalled(v string, there []string) error {
	err := lang.Errorf(nil, "cannot remove Go %s: goxin did not install it", "无法移除 Go %s：它不是由 goxin 安装的", fmt.Sprintf("%q", v))
	if len(there) == 0 {
		return usageError{err.WithHint("goxin has installed none here", "goxin 未在此安装任何版本")}
	}
	return usageError{err.WithHint("these are there: %s", "已安装：%s", lang.List(there...))}
}
