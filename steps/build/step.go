package build

import (
	"slices"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/stock"
)

// Step is the build step. The zero value asks the machine's own package manager.
type Step struct{ ask *stock.Ask }

var (
	_ engine.Step     = Step{}
	_ engine.Surveyor = Step{}
	_ engine.Noter    = Step{}
	_ engine.Prover   = Step{}
)

// Field keys, as they stand in an answers file.
const (
	keyTargets = "targets"
	keyOften   = "often"
	keyCGO     = "cgo"
	keyRun     = "run"
	keyMode    = "mode"
)

const (
	often  = "often"
	seldom = "seldom"
)

// ID is "build".
func (Step) ID() string { return "build" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Build", "构建方式") }

func (s Step) asker() stock.Ask {
	if s.ask != nil {
		return *s.ask
	}
	return stock.Real()
}

// Fields are the keys under steps.build.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyTargets, Kind: engine.List, Check: checkTarget,
			Title: lang.T("Which platforms are programs built for?", "要为哪些平台构建程序？"),
			Help: lang.T("As Go writes them: linux/arm64, linux/loong64. Unanswered: this machine's own, linux/arm64 and linux/loong64.",
				"按 Go 的写法：linux/arm64、linux/loong64。不填则为本机平台、linux/arm64 和 linux/loong64。"),
		},
		{
			Key: keyOften, Kind: engine.Choice, Default: often,
			Title: lang.T("How often are they built?", "多久构建一次？"),
			Help:  lang.T("Series and CI are often; looking into one program is seldom.", "批量交付和 CI 属于频繁；偶尔排查单个程序属于很少。"),
			Options: []engine.Option{
				{Value: often, Title: lang.T("Often", "频繁"), Help: lang.T("with every commit, for many machines", "每次提交都构建，供多台机器使用")},
				{Value: seldom, Title: lang.T("Seldom", "很少"), Help: lang.T("now and then, by hand", "偶尔手工构建")},
			},
		},
		{
			Key: keyCGO, Kind: engine.Confirm, Default: false,
			Title: lang.T("Do the programs use cgo?", "程序是否使用 cgo？"),
			Help: lang.T("C in a program takes a C compiler for each target. Without it Go builds for all of them by itself.",
				"程序含 C 代码时，每个目标平台都需要对应的 C 编译器；不含时 Go 自身即可为所有平台构建。"),
		},
		{
			Key: keyRun, Kind: engine.Confirm, Default: true,
			Title: lang.T("Run the programs that are built as a proof?", "是否试运行构建出的程序？"),
			Help: lang.T("Those of other processors by an emulator (qemu-user) that is here already; none is installed for it.",
				"其他处理器的程序由本机已有的模拟器（qemu-user）运行；不会为此安装模拟器。"),
		},
		{
			Key: keyMode, Kind: engine.Choice, Default: string(auto),
			Title: lang.T("Native or cross?", "本机编译还是交叉编译？"),
			Help:  lang.T("Native: on the machine that the program runs on. Cross: on another machine, for it.", "本机编译：在运行程序的机器上编译。交叉编译：在另一台机器上为其编译。"),
			Options: []engine.Option{
				{Value: string(auto), Title: lang.T("Decide for each", "逐个判断"), Help: lang.T("by what the target can do and how often it is built", "依据目标机的能力和构建频度")},
				{Value: string(native), Title: lang.T("Native", "本机编译"), Help: lang.T("for looking into things where they run", "便于就地调试")},
				{Value: string(cross), Title: lang.T("Cross", "交叉编译"), Help: lang.T("for series and CI", "适合批量交付和 CI")},
			},
		},
	}
}

// answers are the step's values with their defaults.
type answers struct {
	Targets    []port // in their order, each once
	Unanswered bool   // nobody said which: the machine decides
	Often      bool
	CGO        bool
	Run        bool
	Mode       mode
}

func readAnswers(v engine.Values) (answers, error) {
	_, said := v[keyTargets]
	a := answers{Unanswered: !said, Often: true, CGO: v.Bool(keyCGO, false), Run: v.Bool(keyRun, true)}
	for _, t := range v.List(keyTargets) {
		if err := checkTarget(t); err != nil {
			return a, err
		}
		p, _ := portOf(t[len("linux/"):])
		if !slices.Contains(a.Targets, p) {
			a.Targets = append(a.Targets, p)
		}
	}
	switch o := v.Text(keyOften, often); o {
	case often:
	case seldom:
		a.Often = false
	default:
		return a, lang.Errorf(nil, "cannot tell how often %q is", "无法理解频度 %q", o).
			WithHint("often or seldom", "请填 often 或 seldom")
	}
	switch a.Mode = mode(v.Text(keyMode, string(auto))); a.Mode {
	case auto, native, cross:
	default:
		return a, lang.Errorf(nil, "cannot build in the mode %q", "没有 %q 这种构建方式", string(a.Mode)).
			WithHint("auto, native or cross", "请填 auto、native 或 cross")
	}
	return a, nil
}
