package toolchain

import (
	"path"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Step is the toolchain step. The zero value asks the machine's own network.
type Step struct{ ask *Ask }

// With is the step that asks otherwise.
func With(a Ask) Step { return Step{&a} }

var (
	_ engine.Step       = Step{}
	_ engine.Surveyor   = Step{}
	_ engine.Resurveyor = Step{}
	_ engine.Noter      = Step{}
	_ engine.Prover     = Step{}
	_ engine.Recaller   = Step{}
	_ engine.Crosser    = Step{}
)

// Field keys, as they stand in an answers file.
const (
	keyVersions = "versions"
	keyUse      = "use"
	keySource   = "source"
	keyGoproxy  = "goproxy"
	keyHow      = "how"
	keyAdopt    = "adopt"
	keyRemove   = "remove"
	keyGave     = "gave"
	keySelftest = "selftest"
)

// What use may say beside a version.
const useKeep = "keep"

// How a toolchain comes.
const (
	howAuto     = "auto"
	howOfficial = "official"
	howBuild    = "build"
	howVendor   = "vendor"  // on old-world kernels of LoongArch
	howOverlay  = "overlay" // there too
)

// ID is "toolchain".
func (Step) ID() string { return "toolchain" }

// Title is the step's name on the rail.
func (Step) Title() lang.Text { return lang.T("Go", "Go 工具链") }

// Fields are the keys under steps.toolchain.
func (Step) Fields() []engine.Field {
	return []engine.Field{
		{
			Key: keyVersions, Kind: engine.List, Default: []string{latest}, Check: checkWish,
			Title: lang.T("Which versions of Go?", "安装哪些 Go 版本？"),
			Help: lang.T("1.26.8, or 1.26 for the newest of that line, or latest. Several stand side by side; an empty list installs none.",
				"可填 1.26.8、1.26（该系列最新）或 latest。多个版本并存；空列表表示不安装。"),
		},
		{
			Key: keyUse, Kind: engine.Text, Check: checkUse,
			Title: lang.T("Which of them is in use?", "默认使用哪个版本？"),
			Help: lang.T("A version that is asked for or installed; keep leaves it as it is. Without an answer: the first of versions.",
				"可填所选或已安装的版本；keep 表示保持现状。不填则为 versions 中的第一个。"),
		},
		{
			Key: keySource, Kind: engine.Text, Check: checkSource,
			Title: lang.T("Where does it come from?", "从哪里获取？"),
			Help: lang.T("Nothing: the quickest of all known sites. Or an archive on the machine, a directory with archives, or the URL of a mirror or GOPROXY. None of them is trusted: every byte is proved.",
				"不填：实测所有已知站点，取最快者。也可填本机上的安装包或其所在目录，或镜像、GOPROXY 的网址。来源一律不受信任，逐字节验证。"),
		},
		{
			Key: keyGoproxy, Kind: engine.List, Check: checkProxy,
			Title: lang.T("GOPROXYs for modules and the checksum database", "用于模块和校验和数据库的 GOPROXY"),
			Help: lang.T("In order. Without an answer: the GOPROXY of goxin's environment, else those goxin knows.",
				"按顺序填写。不填则取 goxin 运行环境中的 GOPROXY，否则用内置列表。"),
		},
		{
			Key: keyHow, Kind: engine.Choice, Default: howAuto,
			Title: lang.T("Take the release, or build it?", "用官方发布包，还是自行编译？"),
			Options: []engine.Option{
				{Value: howAuto, Title: lang.T("the release, where there is one", "有官方发布包就用")},
				{Value: howOfficial, Title: lang.T("the release only", "只用官方发布包")},
				{Value: howBuild, Title: lang.T("build from proved source", "用验证过的源码编译"), Help: lang.T("Takes some minutes, and a Go that is there to build with.", "需要几分钟，并需要一个已有的 Go 作为引导。")},
				{Value: howVendor, Title: lang.T("Loongson's own build, for an old-world kernel", "龙芯自行编译的版本（旧世界内核）"), Help: lang.T("Proved by a pinned SHA-256 alone: it is in no log, and nobody signs it.", "验证依据只有内置的 SHA-256：不在透明日志中，也没有签名。")},
				{Value: howOverlay, Title: lang.T("build here, for both worlds (experimental)", "在本机编译，新旧世界通用（试验性）"), Help: lang.T("From proved source with goxin's overlay: four files of the runtime are changed, so that programs run in both worlds; a self-test decides whether it is accepted. Proved under emulation, not yet on old-world hardware. Takes a Go that is there to build with.", "用验证过的源码加 goxin 补丁编译：修改运行时的 4 个文件，使程序在新旧世界都能运行；通过自检才会接受。目前只在模拟器上验证过，尚未在旧世界真机上验证。需要一个已有的 Go 作为引导。")},
			},
		},
		{
			Key: keyAdopt, Kind: engine.Confirm, Default: true,
			Title: lang.T("Use a Go that is there already, where it is proved to be the release?", "已有的 Go 经验证为官方版本时，直接使用？"),
			Help: lang.T("It is linked where it stands instead of being fetched again, and goes when somebody removes it there.",
				"在原处建立链接，不再下载；若有人在原处删除它，链接随之失效。"),
		},
		{
			Key: keyRemove, Kind: engine.List, Check: checkRemove,
			Title: lang.T("Which installed versions go?", "移除哪些已安装的版本？"),
			Help:  lang.T("They are moved aside, so that undo brings them back; goxin prune removes them for good.", "只是移到一旁，可用 undo 恢复；goxin prune 才彻底删除。"),
		},
		{
			Key: keySelftest, Kind: engine.Confirm, Default: false,
			Title: lang.T("Run the self-test with each of them?", "对每个版本运行自检？"),
			Help: lang.T("Compiles and runs a program that checks signals, faults, preemption, profiles, programs, sockets and files here; the report has the result. How: vendor and overlay always do.",
				"在本机编译并运行自检程序，检查信号、故障恢复、抢占、剖析、子进程、套接字与文件；结果写入报告。vendor 与 overlay 方式总会运行。"),
		},
		{
			Key: keyGave, Kind: engine.Text,
			Title: lang.T("What the versions meant (a note; changes nothing)", "所选版本的实际结果（仅作记录，不影响任何改动）"),
		},
	}
}

func checkUse(s string) error {
	if s == useKeep || s == "" {
		return nil
	}
	return checkWish(s)
}

func checkRemove(s string) error {
	if err := checkWish(s); err != nil {
		return err
	}
	if _, one := wish(s).release(); !one {
		return lang.Errorf(nil, "%q is not one release", "%q 不是具体版本", s).
			WithHint("say which: `goxin toolchain list` shows those that are there", "请写明具体版本：`goxin toolchain list` 列出已安装的版本")
	}
	return nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

func checkSource(s string) error {
	if s == "" || isURL(s) && checkProxy(s) == nil {
		return nil
	}
	if !isURL(s) && path.IsAbs(s) && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil
	}
	return lang.Errorf(nil, "%q is neither an absolute path nor a URL", "%q 既不是绝对路径，也不是网址", s).
		WithHint("a directory: /mnt/usb/go; a mirror: https://mirrors.example.com/golang; a GOPROXY: https://goproxy.example.com", "目录如 /mnt/usb/go；镜像如 https://mirrors.example.com/golang；GOPROXY 如 https://goproxy.example.com")
}

func checkProxy(s string) error {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		rest, ok = strings.CutPrefix(s, "http://")
	}
	host, _, _ := strings.Cut(rest, "/")
	if !ok || host == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`"'\<>|#@,?`, r) }) {
		return lang.Errorf(nil, "%q is no URL of a GOPROXY", "%q 不是 GOPROXY 网址", s).
			WithHint("like https://goproxy.example.com; direct and off need not be listed", "形如 https://goproxy.example.com；无需填写 direct 或 off")
	}
	return nil
}

// answers are the step's values with their defaults.
type answers struct {
	Versions []string
	Use      string
	Source   string
	Goproxy  []string
	How      string
	Adopt    bool
	Remove   []string
	Selftest bool
}

func readAnswers(v engine.Values) (answers, error) {
	a := answers{
		Versions: []string{latest}, Use: v.Text(keyUse, ""), Source: v.Text(keySource, ""), Goproxy: v.List(keyGoproxy),
		How: v.Text(keyHow, howAuto), Adopt: v.Bool(keyAdopt, true), Remove: v.List(keyRemove),
		Selftest: v.Bool(keySelftest, false),
	}
	if _, answered := v[keyVersions]; answered {
		a.Versions = v.List(keyVersions)
	}
	for _, list := range []struct {
		values []string
		check  func(string) error
	}{{a.Versions, checkWish}, {a.Remove, checkRemove}, {a.Goproxy, checkProxy}, {[]string{a.Use}, checkUse}, {[]string{a.Source}, checkSource}} {
		for _, s := range list.values {
			if err := list.check(s); err != nil {
				return a, err
			}
		}
	}
	a.Source = strings.TrimSuffix(a.Source, "/")
	return a, nil
}

// local says that the source is a directory.
func (a answers) local() bool { return a.Source != "" && !isURL(a.Source) }

// Cross refuses to install, or to use, what is to be removed.
func (Step) Cross(v engine.Values) map[string]error {
	a, err := readAnswers(v)
	if err != nil {
		return nil // each value is judged by itself
	}
	for _, r := range a.Remove {
		gone, _ := wish(r).release()
		for _, w := range append([]string{a.Use}, a.Versions...) {
			if kept, one := wish(w).release(); one && w != useKeep && w != "" && kept == gone {
				return map[string]error{keyRemove: lang.Errorf(nil, "%s is wanted and to be removed", "%s 既要安装或使用，又要移除", gone).
					WithHint("take it out of one of them", "请从其中一处去掉它")}
			}
		}
	}
	return nil
}

// Resurvey: which one is used, which are removed and what is tried with them is no
// reason to ask anybody again.
func (Step) Resurvey(old, now engine.Values) bool {
	a, err := readAnswers(old)
	b, err2 := readAnswers(now)
	if err != nil || err2 != nil {
		return true
	}
	a.Use, a.Remove, b.Use, b.Remove = "", nil, "", nil
	a.Selftest, b.Selftest = false, false
	return !a.equal(b)
}
