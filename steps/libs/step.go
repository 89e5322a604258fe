package libs

import (
	"regexp"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/stock"
)

// Step is the libraries step. The zero value asks the machine's own package
// manager.
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
	keyRequire  = "require"
	keyPaths    = "paths"
	keyPackages = "packages"
	keyIgnore   = "ignore"
)

// ID is "libs".
func (Step) ID() string { return "libs" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Libraries", "依赖库") }

func (s Step) asker() stock.Ask {
	if s.ask != nil {
		return *s.ask
	}
	return stock.Real()
}

// Fields are the keys under steps.libs.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyRequire, Kind: engine.Many, Default: slices.Clone(all),
			Title: lang.T("Which libraries must be there?", "必须具备哪些库？"),
			Help: lang.T("What is missing is installed by the package manager; what is there is left alone, whichever package or person brought it.",
				"缺少的由包管理器安装；已有的保持不变，无论来自软件包还是手工安装。"),
			Options: []engine.Option{
				{Value: "glibc", Title: lang.T("glibc", "glibc（C 库）"), Help: lang.T("the C library: everything that is not static", "C 标准库：凡非静态程序都需要")},
				{Value: "libaio", Title: lang.T("libaio", "libaio（异步 I/O）"), Help: lang.T("asynchronous I/O: databases", "异步 I/O：数据库常用")},
				{Value: "openssl", Title: lang.T("openssl", "openssl（TLS 加密）"), Help: lang.T("TLS for programs that link to C", "供链接 C 库的程序使用 TLS")},
				{Value: "zlib", Title: lang.T("zlib", "zlib（压缩）"), Help: lang.T("compression", "压缩")},
			},
		},
		{
			Key: keyPaths, Kind: engine.List, Check: checkPath,
			Title: lang.T("Programs or directories to look at", "要检查的程序或目录"),
			Help: lang.T("What the programs and shared objects there need is found out from their headers; nothing is run.",
				"从文件头得出其中的程序和共享库需要什么；不运行任何程序。"),
		},
		{
			Key: keyPackages, Kind: engine.List, Check: stock.CheckName,
			Title: lang.T("Further packages", "另外安装的软件包"),
			Help:  lang.T("By the names of this system's package manager.", "按本系统包管理器的名称填写。"),
		},
		{
			Key: keyIgnore, Kind: engine.List, Check: checkSoname,
			Title: lang.T("Libraries not to care about", "忽略的库"),
			Help: lang.T("By the name they are needed under (libfoo.so.1): of plugins that nobody uses, for instance.",
				"按被依赖的名称填写（libfoo.so.1），例如无人使用的插件所需的库。"),
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Require, Paths, Packages, Ignore []string
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{Require: all, Paths: v.List(keyPaths), Packages: v.List(keyPackages), Ignore: v.List(keyIgnore)}
	if _, said := v[keyRequire]; said {
		a.Require = v.List(keyRequire)
	}
	for _, r := range a.Require {
		if !slices.Contains(all, r) {
			return a, lang.Errorf(nil, "cannot require %q: goxin does not know that library", "无法要求 %q：goxin 不认识这个库", r).
				WithHint("%s; for others name the package under packages", "可用：%s；其他库请在 packages 中填写软件包名", strings.Join(all, ", "))
		}
	}
	for _, l := range []struct {
		values []string
		check  func(string) error
	}{{a.Paths, checkPath}, {a.Packages, stock.CheckName}, {a.Ignore, checkSoname}} {
		for _, s := range l.values {
			if err := l.check(s); err != nil {
				return a, err
			}
		}
	}
	for _, err := range (Step{}).Cross(v) {
		return a, err
	}
	return a, nil
}

// Cross finds a library that is both required and not to be cared about.
func (Step) Cross(v engine.Values) map[string]error {
	require := all
	if _, said := v[keyRequire]; said {
		require = v.List(keyRequire)
	}
	for _, name := range require {
		for _, soname := range sonames[name] {
			if slices.Contains(v.List(keyIgnore), soname) {
				return map[string]error{keyIgnore: lang.Errorf(nil, "%s is %s, which is required", "%s 属于 %s，而它是必须具备的", soname, name).
					WithHint("take it out of ignore, or %s out of require", "请从 ignore 中去掉它，或从 require 中去掉 %s", name)}
			}
		}
	}
	return nil
}

func checkPath(s string) error {
	if strings.HasPrefix(s, "/") && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil
	}
	return lang.Errorf(nil, "%q is no absolute path", "%q 不是绝对路径", s).
		WithHint("write it from the top: /opt/app", "请从根目录写起，例如 /opt/app")
}

var soname = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9+._:-]{0,127}$`)

func checkSoname(s string) error {
	if soname.MatchString(s) {
		return nil
	}
	return lang.Errorf(nil, "%q is no name of a library", "%q 不是库名", s).
		WithHint("the name it is needed under, without directory: libfoo.so.1", "请填被依赖的名称，不带目录，例如 libfoo.so.1")
}
