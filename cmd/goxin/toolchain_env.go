package main

import (
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"goxin/assets/lang"
	"goxin/steps/goroot"
	"goxin/steps/whichgo"
)

// keptToolchain is where the GOTOOLCHAIN from before waits while a project's stands
// in its place: "-" for none.
const keptToolchain = "GOXIN_GOTOOLCHAIN"

// toolchainEnvCommand prints what a shell has to do to use a project's Go.
func (a *app) toolchainEnvCommand() *cobra.Command {
	shell := "sh"
	c := &cobra.Command{
		Use:   "env [DIR]",
		Short: a.s(`Print what makes a shell use a project's Go: eval "$(goxin toolchain env)"`, `打印让 shell 使用项目所需 Go 的命令：eval "$(goxin toolchain env)"`),
		Long: a.s("Reads .go-version, go.work and go.mod at or above DIR, and picks of the toolchains that goxin has installed.\n"+
			"A .go-version is meant as written; go.work and go.mod ask for at least a version. Prints nothing where the Go in use will do. Installs nothing.",
			"读取 DIR 及其上级目录中的 .go-version、go.work、go.mod，从 goxin 已安装的工具链中选择。\n"+
				".go-version 按所写版本执行；go.work、go.mod 只要求不低于某个版本。当前 Go 已满足时不输出任何内容。不会安装任何东西。"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if shell != "sh" && shell != "fish" {
				return usageError{lang.Errorf(nil, "cannot write for the shell %q", "不支持 shell %q", shell).WithHint("use --shell sh (bash, zsh, dash) or --shell fish", "请用 --shell sh（bash、zsh、dash）或 --shell fish")}
			}
			s, err := a.goSituation(args)
			if err != nil {
				return err
			}
			there, err := goroot.List(a.machine())
			if err != nil {
				return err
			}
			sets, err := projectEnv(s, there, a.machine().Getenv(keptToolchain))
			for _, v := range sets {
				a.result(v.in(shell))
			}
			return err
		},
	}
	c.Flags().StringVar(&shell, "shell", shell, a.s("sh or fish", "sh 或 fish"))
	return c
}

// envChange is one variable of a shell that is set, or unset.
type envChange struct {
	name, value string
	unset       bool
}

// in is the change as a command of a shell.
func (v envChange) in(shell string) string {
	switch {
	case v.unset && shell == "fish":
		return "set -e " + v.name
	case v.unset:
		return "unset " + v.name
	case shell == "fish":
		q := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
		if v.name == "PATH" { // a list there
			var parts []string
			for p := range strings.SplitSeq(v.value, ":") {
				parts = append(parts, "'"+q.Replace(p)+"'")
			}
			return "set -gx PATH " + strings.Join(parts, " ")
		}
		return "set -gx " + v.name + " '" + q.Replace(v.value) + "'"
	}
	return "export " + v.name + "='" + strings.ReplaceAll(v.value, "'", `'\''`) + "'"
}

// release says whether dir is the bin of one release of those that goxin keeps, and
// not of the one in use.
func release(dir string) bool {
	return path.Base(dir) == "bin" && path.Dir(path.Dir(dir)) == goroot.Base && path.Dir(dir) != goroot.Current
}

// projectEnv is what has to change in the environment of s for the project's Go:
// the toolchain's own directory goes to the front of PATH, so that gofmt and
// programs that look for a GOROOT agree with it, and GOTOOLCHAIN names it as the
// least, so that nothing older is started and nothing is downloaded. What an earlier
// call changed is taken back first; kept is what it kept.
func projectEnv(s *whichgo.Situation, there []goroot.Installed, kept string) ([]envChange, error) {
	var search []string
	for p := range strings.SplitSeq(s.Env["PATH"], ":") {
		if !release(p) {
			search = append(search, p)
		}
	}
	inUse := ""
	if i := slices.IndexFunc(s.Programs, func(p whichgo.Program) bool { return !release(path.Dir(p.Path)) }); i >= 0 {
		inUse = s.Programs[i].Version
	}
	dirs := make(map[string]string)
	for _, t := range there {
		if name := t.Toolchain.Version; t.Toolchain.OS == runtime.GOOS && t.Toolchain.Arch == runtime.GOARCH && (dirs[name] == "" || t.Current) {
			dirs[name] = t.Dir
		}
	}
	choice, failed := whichgo.Choose(s, slices.Collect(maps.Keys(dirs)), inUse)
	before := s.Env["GOTOOLCHAIN"]
	if kept != "" {
		before = strings.TrimPrefix(kept, "-")
	}
	setting, keep := before, ""
	if choice.Toolchain != "" && failed == nil {
		search = append([]string{dirs[choice.Toolchain] + "/bin"}, search...)
		setting = choice.Toolchain + "+path"
		if keep = before; keep == "" {
			keep = "-"
		}
	}
	var out []envChange
	change := func(name, was, then string) {
		if was != then {
			out = append(out, envChange{name, then, then == ""})
		}
	}
	change("PATH", s.Env["PATH"], strings.Join(search, ":"))
	change("GOTOOLCHAIN", s.Env["GOTOOLCHAIN"], setting)
	change(keptToolchain, kept, keep)
	if setting != before {
		change("GOROOT", s.Env["GOROOT"], "")
	}
	return out, failed
}
