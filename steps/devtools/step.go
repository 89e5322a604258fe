package devtools

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/stock"
)

// Step is the development tools step. The zero value asks the machine's own
// package manager.
type Step struct{ ask *stock.Ask }

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Crosser  = Step{}
	_ engine.Prover   = Step{}
)

// Field keys, as they stand in an answers file.
const (
	keyGroup    = "group"
	keyTools    = "tools"
	keyPackages = "packages"
)

// The tools that can be asked for.
const (
	toolGit   = "git"
	toolGCC   = "gcc"
	toolGXX   = "g++"
	toolMake  = "make"
	toolZlib  = "zlib-headers"
	toolGDB   = "gdb"
	toolTrace = "strace"
)

// usual is what is asked for unless somebody says otherwise.
var usual = []string{toolGit, toolGCC, toolMake, toolZlib}

// ID is "devtools".
func (Step) ID() string { return "devtools" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Tools", "开发工具") }

func (s Step) asker() stock.Ask {
	if s.ask != nil {
		return *s.ask
	}
	return stock.Real()
}

// Fields are the keys under steps.devtools.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyGroup, Kind: engine.Confirm, Default: true,
			Title: lang.T("Install the distribution's group of development tools?", "安装发行版的开发工具组？"),
			Help: lang.T("@development of dnf, build-essential of apt: compilers, make, and the C library's headers.",
				"即 dnf 的 @development、apt 的 build-essential：编译器、make 和 C 库头文件。"),
		},
		{
			Key: keyTools, Kind: engine.Many, Default: slices.Clone(usual),
			Title: lang.T("Which tools must be there?", "必须具备哪些工具？"),
			Help:  lang.T("By themselves, whether or not the group has them.", "单独指定，无论工具组中是否包含。"),
			Options: []engine.Option{
				{Value: toolGit, Title: lang.T("git", "git（版本管理）"), Help: lang.T("go get of private repositories, versions in programs", "go get 私有仓库、把版本信息写入程序")},
				{Value: toolGCC, Title: lang.T("gcc", "gcc（C 编译器）"), Help: lang.T("cgo, the race detector", "cgo、竞态检测")},
				{Value: toolGXX, Title: lang.T("g++", "g++（C++ 编译器）"), Help: lang.T("cgo with C++", "含 C++ 的 cgo")},
				{Value: toolMake, Title: lang.T("make", "make（构建）"), Help: lang.T("most projects' builds", "多数项目的构建入口")},
				{Value: toolZlib, Title: lang.T("zlib headers", "zlib 头文件"), Help: lang.T("programs that compress through C", "通过 C 库压缩的程序")},
				{Value: toolGDB, Title: lang.T("gdb", "gdb（调试器）"), Help: lang.T("crashes in C", "排查 C 代码崩溃")},
				{Value: toolTrace, Title: lang.T("strace", "strace（系统调用跟踪）"), Help: lang.T("what a program asks of the kernel", "观察程序的系统调用")},
			},
		},
		{
			Key: keyPackages, Kind: engine.List, Check: stock.CheckName,
			Title: lang.T("Further packages", "另外安装的软件包"),
			Help:  lang.T("By the names of this system's package manager.", "按本系统包管理器的名称填写。"),
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Group           bool
	Tools, Packages []string
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{Group: v.Bool(keyGroup, true), Tools: usual, Packages: v.List(keyPackages)}
	if _, said := v[keyTools]; said {
		a.Tools = v.List(keyTools)
	}
	for _, t := range a.Tools {
		if _, known := packages[t]; !known {
			return a, lang.Errorf(nil, "cannot install %q: goxin does not know that tool", "无法安装 %q：goxin 不认识这个工具", t).
				WithHint("for others than %s name the package under packages", "除 %s 以外的工具，请在 packages 中填写软件包名", strings.Join(usual, ", "))
		}
	}
	for _, p := range a.Packages {
		if err := stock.CheckName(p); err != nil {
			return a, err
		}
	}
	for _, err := range (Step{}).Cross(v) {
		return a, err
	}
	return a, nil
}

// Cross finds a group asked for by name beside group: false.
func (Step) Cross(v engine.Values) map[string]error {
	if v.Bool(keyGroup, true) {
		return nil
	}
	for _, p := range v.List(keyPackages) {
		if slices.Contains(groups, p) || p == "build-essential" {
			return map[string]error{keyPackages: lang.Errorf(nil, "%s is the group of development tools, and group says no to it", "%s 就是开发工具组，而 group 已表示不安装", p).
				WithHint("take it out of packages, or answer group with true", "请从 packages 中去掉它，或把 group 设为 true")}
		}
	}
	return nil
}
