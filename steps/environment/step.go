package environment

import (
	"slices"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Step is the environment step.
type Step struct{}

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Prover   = Step{}
)

// Field keys, as they stand in an answers file.
const (
	keyShells    = "shells"
	keyProxy     = "goproxy"
	keySumDB     = "gosumdb"
	keyToolchain = "gotoolchain"
	keyPrivate   = "goprivate"
	keyDirenv    = "direnv"
)

// The shells that need more than /etc/profile.d.
const (
	shellBash = "bash"
	shellZsh  = "zsh"
	shellFish = "fish"
)

// What GOTOOLCHAIN may be.
const (
	toolchainLocal = "local"
	toolchainPath  = "path"
	toolchainAuto  = "auto"
)

var (
	allShells    = []string{shellBash, shellZsh, shellFish}
	usualProxies = []string{"https://goproxy.cn", "https://proxy.golang.org", "direct"}
)

const usualSumDB = "sum.golang.org"

// ID is "environment".
func (Step) ID() string { return "environment" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Environment", "环境") }

// Fields are the keys under steps.environment.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyShells, Kind: engine.Many, Default: slices.Clone(allShells),
			Title: lang.T("Which shells besides login shells?", "除登录 shell 外还配置哪些 shell？"),
			Help: lang.T("Login shells read /etc/profile.d by themselves. The others get a few lines in their own file, where they are installed.",
				"登录 shell 会自行读取 /etc/profile.d；其他 shell 在已安装时，于其自身的配置文件中加入几行。"),
			Options: []engine.Option{
				{Value: shellBash, Title: lang.Same("bash"), Help: lang.T("terminals that start no login shell", "不启动登录 shell 的终端")},
				{Value: shellZsh, Title: lang.Same("zsh"), Help: lang.T("every zsh, scripts included", "所有 zsh，包括脚本")},
				{Value: shellFish, Title: lang.Same("fish"), Help: lang.T("every fish: it reads no /etc/profile", "所有 fish：它不读取 /etc/profile")},
			},
		},
		{
			Key: keyProxy, Kind: engine.List, Check: checkProxy,
			Title: lang.T("Where modules come from, in order (GOPROXY)", "模块来源，按顺序（GOPROXY）"),
			Help: lang.T("Go asks the next one only after a 404 or 410; after any error where two are written as one element with | between them. direct: from the repository itself; off: from nowhere.",
				"只有返回 404 或 410 时 Go 才询问下一个；把两个写在同一项中并以 | 分隔，则任何错误都会转向下一个。direct：直接访问代码仓库；off：禁止下载。"),
		},
		{
			Key: keySumDB, Kind: engine.Text, Default: usualSumDB, Check: checkSumDB,
			Title: lang.T("Which checksum database modules are checked against (GOSUMDB)", "用哪个校验和数据库核对模块（GOSUMDB）"),
			Help: lang.T("sum.golang.org is asked through the proxies above where they carry it. sum.golang.google.cn is the same database under Google's address in China, asked directly and not through a proxy. off checks nothing that is new.",
				"sum.golang.org 会经由上面的代理查询（若代理支持）。sum.golang.google.cn 是同一数据库在国内的地址，直接访问、不经代理。off 表示新模块不作核对。"),
		},
		{
			Key: keyToolchain, Kind: engine.Choice, Default: toolchainPath,
			Title: lang.T("Where a project's own Go version may come from (GOTOOLCHAIN)", "项目所需的 Go 版本从哪里来（GOTOOLCHAIN）"),
			Help:  lang.T("go.mod may ask for a newer Go than the one in use.", "go.mod 可以要求比当前更新的 Go。"),
			Options: []engine.Option{
				{Value: toolchainPath, Title: lang.T("Those installed", "已安装的版本"), Help: lang.T("nothing is downloaded; what is missing is an error that names it", "不会下载；缺少时报错并指明版本")},
				{Value: toolchainLocal, Title: lang.T("Only the one in use", "只用当前版本"), Help: lang.T("a go.mod that asks for more is an error", "go.mod 要求更新的版本时报错")},
				{Value: toolchainAuto, Title: lang.T("Downloaded when asked for", "按需下载"), Help: lang.T("what any go.mod asks for is fetched from GOPROXY and run", "任何 go.mod 要求的版本都会从 GOPROXY 下载并运行")},
			},
		},
		{
			Key: keyPrivate, Kind: engine.List, Check: checkPrivate,
			Title: lang.T("Modules of your own (GOPRIVATE)", "内部模块（GOPRIVATE）"),
			Help: lang.T("Patterns of module paths, such as git.example.com/*. Neither the proxies nor the checksum database are told of them.",
				"模块路径的通配模式，如 git.example.com/*。这些模块不会发往代理，也不会查询校验和数据库。"),
		},
		{
			Key: keyDirenv, Kind: engine.Confirm, Default: false,
			Title: lang.T("Let direnv change Go with the directory?", "用 direnv 随目录切换 Go？"),
			Help: lang.T("A hook in the shells, and `use goxin` for a project's .envrc: Go then follows .go-version and go.mod. Without direnv, eval \"$(goxin toolchain env)\" does the same by hand.",
				"在 shell 中加入钩子，并提供 .envrc 可用的 `use goxin`：Go 随 .go-version 与 go.mod 切换。不用 direnv 时，可手工执行 eval \"$(goxin toolchain env)\"。"),
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Shells  []string
	Proxies []string // nil: not answered
	SumDB   string
	// Toolchain is GOTOOLCHAIN.
	Toolchain string
	Private   []string
	Direnv    bool
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Shells: allShells, Proxies: v.List(keyProxy), SumDB: v.Text(keySumDB, usualSumDB),
		Toolchain: v.Text(keyToolchain, toolchainPath), Private: v.List(keyPrivate), Direnv: v.Bool(keyDirenv, false),
	}
	if _, said := v[keyShells]; said {
		a.Shells = v.List(keyShells)
	}
	for _, s := range a.Shells {
		if !slices.Contains(allShells, s) {
			return a, lang.Errorf(nil, "cannot set up the shell %q", "不支持 shell %q", s).
				WithHint("these are known: %s; login shells are always set up", "支持 %s；登录 shell 总会配置", lang.List(allShells...))
		}
	}
	switch a.Toolchain {
	case toolchainLocal, toolchainPath, toolchainAuto:
	default:
		return a, lang.Errorf(nil, "cannot use %q for gotoolchain", "gotoolchain 不能是 %q", a.Toolchain).WithHint("path, local or auto", "可用：path、local、auto")
	}
	if a.SumDB == "" {
		a.SumDB = usualSumDB
	}
	if err := checkSumDB(a.SumDB); err != nil {
		return a, err
	}
	for _, p := range a.Proxies {
		if err := checkProxy(p); err != nil {
			return a, err
		}
	}
	for _, p := range a.Private {
		if err := checkPrivate(p); err != nil {
			return a, err
		}
	}
	return a, nil
}

// has says whether a shell is asked for.
func (a answers) has(shell string) bool { return slices.Contains(a.Shells, shell) }
