package toolchain

import (
	"go/version"
	"regexp"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
	"goxin/steps/origin"
)

// Notes are what proves each version, from where it comes, what else of Go is on the
// machine, and what to beware of.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		s, err := SeenOn(sv, id)
		if err != nil {
			return nil, err
		}
		p, err := newPlan(hs.Facts[id], s, a)
		if p == nil {
			return nil, nil
		}
		var out []engine.Note
		say := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
		if err == nil {
			p.tell(say)
		}
		p.others(say)
		return out, nil
	})
}

func (p *plan) tell(say func(bool, lang.Text)) {
	for _, w := range p.wanted {
		p.tellOf(w, say)
	}
	if p.seen.Asked && !p.seen.Silent.Empty() {
		say(true, lang.F("it could not be asked which releases there are (%s): latest and lines mean the newest that goxin's own catalogue knows.", "无法查询版本列表（%s）：latest 与版本系列按 goxin 内置目录中的最新版本处理。", p.seen.Silent))
	}
	if p.seen.Secret {
		say(true, lang.T("a GOPROXY of the environment carries a password and is not used: what goxin uses stands in its journal.", "环境变量 GOPROXY 中含有密码，因此未使用：goxin 用到的内容会记入日志。"))
	}
	for _, v := range p.missing {
		say(false, lang.F("%s is not installed: there is nothing to remove.", "%s 未安装：无需移除。", v))
	}
	for _, i := range p.gone {
		say(false, lang.F("%s is moved aside; `goxin undo` brings it back, `goxin prune` removes it for good.", "%s 移到一旁；`goxin undo` 可恢复，`goxin prune` 彻底删除。", i.Version))
	}
	if now, there := p.seen.current(); there && p.use != "" && p.use != now.Dir {
		then := lang.Same(p.version)
		if now.Version == p.version {
			then = lang.F("the one in %s", "%s 中的同一版本", op.Visible(p.use))
		}
		say(false, lang.F("in use: %s → %s. A build that runs goes on with %s, which stays where it is.", "默认版本：%s → %s。正在进行的编译仍使用 %s，它保持原位。", now.Version, then, now.Version))
	}
	p.gate(say)
}

func (p *plan) tellOf(w Wanted, say func(bool, lang.Text)) {
	if w.Passed != "" {
		say(true, lang.F("%s is listed, and nothing proves it here: %s is taken, the newest that is proved.", "%s 已在列表中，但此处无法验证：改用可验证的最新版本 %s。", w.Passed, w.Version))
	}
	switch {
	case w.Adopted:
		say(false, lang.F("%s is in %s already, as the Go project released it: it is used where it stands. Whoever replaces that directory replaces the Go in use.", "%s 已在 %s 中，确为官方发布版本：在原处使用。若该目录被替换，所用的 Go 也随之改变。", w.Version, op.Visible(w.Dir)))
		return
	case w.There:
		return
	}
	what := lang.Same(w.Version)
	if p.a.How == howVendor {
		say(true, lang.F("%s is Loongson's own build: no log knows it and nobody signs it. Its SHA-256 is the one that %s demand.", "%s 为龙芯自行编译：不在透明日志中，也没有签名。其 SHA-256 取自%s。", w.Version, w.From))
	}
	if w.Build != nil {
		what = lang.F("%s's source", "%s 源码", w.Version)
	}
	proofs := w.proofs()
	if len(proofs) == 1 {
		say(false, lang.F("%s will be proved by %s, and by nothing else.", "%s：验证依据只有一项：%s。", what, proofs[0]))
	} else {
		say(false, lang.F("%s will be proved by %s.", "%s：验证依据为 %s。", what, joined(proofs)))
	}
	p.tellFrom(w, say)
	if w.Build != nil {
		say(false, lang.F("it is built with %s in %s; that takes some minutes.", "用 %[2]s 中的 %[1]s 编译，需要几分钟。", w.Build.Version, op.Visible(w.Build.Bootstrap)))
		if w.Build.Distro {
			say(true, lang.F("%s is the distribution's own build, which Go's log does not know: what is built rests on the signatures of its packages too.", "%s 是发行版自行编译的，不在 Go 的透明日志中：编译结果同时取决于其软件包签名。", w.Build.Version))
		}
		if w.Build.Overlay != 0 {
			say(true, lang.F("experimental: overlay %d changes four files of the runtime, so that this Go and what it builds run in both of LoongArch's worlds. Proved under emulation, not yet on old-world hardware: a self-test here decides whether it is accepted.", "试验性功能：第 %d 版补丁修改运行时的 4 个文件，使该 Go 及其编译的程序在新旧世界都能运行。目前只在模拟器上验证过，尚未在旧世界真机上验证：以本机自检结果决定是否接受。", w.Build.Overlay))
		}
	}
}

// tellFrom says from where it comes.
func (p *plan) tellFrom(w Wanted, say func(bool, lang.Text)) {
	switch {
	case len(w.Sources) == 0:
	case !isURL(w.Sources[0]):
		say(false, lang.F("it comes from %s; that file has been read once, to the end.", "来自 %s；该文件已完整读过一遍。", op.Visible(w.Sources[0])))
	case len(w.Sources) == 1:
		say(false, lang.F("it comes from %s; no other site has it: should that one fail, the run fails.", "来自 %s；没有其他站点可用，若它中断则本次运行失败。", name(w.Sources[0])))
	default:
		var rest []string
		for _, s := range w.Sources[1:] {
			rest = append(rest, name(s))
		}
		say(false, lang.F("it comes from %s; should that one fail, in mid-file too: %s.", "来自 %s；若中断（包括下载到一半时），依次改用：%s。", name(w.Sources[0]), lang.List(rest...)))
	}
}

// proofs is what proves w, each with whom that rests on.
func (w Wanted) proofs() []lang.Text {
	var out []lang.Text
	if w.Proof != "" {
		out = append(out, lang.T("Go's transparency log", "Go 的透明日志"))
	}
	if w.Signature != nil {
		out = append(out, lang.T("Google's signature", "Google 的签名"))
	}
	if w.SHA256 != "" && w.Format == formatTar {
		out = append(out, lang.T("the digest that goxin carries", "goxin 内置的摘要"))
	}
	return out
}

func joined(all []lang.Text) lang.Text {
	en, zh := make([]string, len(all)), make([]string, len(all))
	for i, t := range all {
		en[i], zh[i] = t.EN, t.ZH
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "、"))
}

// oldest is the Go below which a distribution's is of no use for what is written
// today: it knows no toolchain line, and takes "go 1.26.0" for a mistake
// (go.dev/doc/toolchain).
const oldest = "go1.21"

// others are the Gos that goxin did not install.
func (p *plan) others(say func(bool, lang.Text)) {
	told := false
	for _, o := range p.seen.Others {
		v := o.Version
		if v == "" {
			v = "Go"
		}
		dir := op.Visible(o.Dir)
		switch {
		case o.Distro && o.Version != "" && version.Compare(o.Version, oldest) < 0:
			say(true, lang.F("the distribution's Go in %s is %s, too old for what is written today: before 1.21 a go.mod with \"go 1.26.0\" is a mistake (\"invalid go version\"), and it cannot fetch a newer one. It stays, and comes after goxin's in PATH.",
				"%s 中发行版自带的 Go 为 %s，过于陈旧：1.21 之前的版本会把 go.mod 中的 \"go 1.26.0\" 视为错误（invalid go version），也不会自动获取新版。它保持不变，在 PATH 中排在 goxin 之后。", dir, v))
			told = true
		case o.Verdict == string(origin.Vendor) || o.Distro:
			say(false, lang.F("%s in %s is no release of the Go project's but somebody's own build. It stays.", "%[2]s 中的 %[1]s 不是官方发布版本，而是第三方编译的。它保持不变。", v, dir))
		case o.Verdict == string(origin.Except):
			say(false, lang.F("%s in %s is the release, except for what `goxin verify %s` names (%d). It stays.", "%[2]s 中的 %[1]s 与官方发布版本基本一致，有 %[4]d 个文件不同（`goxin verify %[3]s` 可列出）。它保持不变。", v, dir, dir, o.Differs))
		case o.Verdict == string(origin.Overlaid):
			say(false, lang.F("%s in %s is the release plus goxin's overlay. It stays.", "%[2]s 中的 %[1]s 为官方发布版本加 goxin 补丁。它保持不变。", v, dir))
		case o.Exposed != "":
			say(true, lang.F("%s in %s is as the Go project released it, but others than root can change %s: root runs none of it. It stays.", "%[2]s 中的 %[1]s 与官方发布版本一致，但非 root 用户可以修改 %[3]s：不会以 root 身份运行它。它保持不变。", v, dir, op.Visible(o.Exposed)))
		case o.Verdict == authentic:
			if w, ok := p.seen.wanted(o.Version); !ok || !w.Adopted {
				say(false, lang.F("%s in %s is as the Go project released it. It stays.", "%[2]s 中的 %[1]s 与官方发布版本一致。它保持不变。", v, dir))
			}
		default:
			say(true, lang.F("%s in %s could not be proved to be a release of the Go project's; something in it may have been changed. It stays.", "无法证明 %[2]s 中的 %[1]s 是官方发布版本，内容可能被改动过。它保持不变。", v, dir))
		}
	}
	if pkg := p.seen.Package; !told && pkg.Name != "" {
		was := pkg.Installed
		if was == "" {
			was = pkg.Available
		}
		if v := upstream(was); v != "" && version.Compare(v, oldest) < 0 {
			say(false, lang.F("the distribution's package %s is %s, too old for what is written today (below 1.21).", "发行版的软件包 %s 为 %s，过于陈旧（低于 1.21）。", pkg.Name, op.Visible(was)))
		}
	}
}

var upstreamVersion = regexp.MustCompile(`^(?:[0-9]+:)?(1\.[0-9]+(?:\.[0-9]+)?)`)

// upstream is Go's version in a package's: of 2:1.15.7-1.ky10 "go1.15.7".
func upstream(pkg string) string {
	m := upstreamVersion.FindStringSubmatch(pkg)
	if m == nil {
		return ""
	}
	return "go" + m[1]
}

// reason is why a tree is installed.
func (w Wanted) reason() lang.Text {
	return lang.F("Go programs are built and tested with it; it stands in a directory of its own that is never changed.\nSource: %s\nRisk: none known; other Gos on the machine stay as they are.",
		"用于编译和测试 Go 程序；独占一个目录，此后不再改动。\n依据：%s\n风险：暂无已知风险；机器上其他 Go 保持不变。", joined(w.proofs()))
}

var (
	whyDir   = lang.F("goxin's toolchains stand below %s, away from the distribution's.\nSource: FHS 3.0, /usr/local\nRisk: none.", "goxin 的工具链位于 %s 之下，与发行版的文件分开。\n依据：FHS 3.0，/usr/local\n风险：无。", goroot.Top)
	whyLink  = lang.T("The go command looks for a go.mod's toolchain by this name in PATH (GOTOOLCHAIN=path).\nSource: go.dev/doc/toolchain\nRisk: none.", "go 命令按此名称在 PATH 中查找 go.mod 指定的工具链（GOTOOLCHAIN=path）。\n依据：go.dev/doc/toolchain\n风险：无。")
	whyUse   = lang.T("The link says which Go is in use. It is replaced in one step, so there is never none; programs that run keep the one they began with.\nSource: rename(2)\nRisk: programs started later are built with another version.", "此链接决定使用哪个 Go。它以原子方式替换，任何时刻都有可用的 Go；正在运行的程序仍用原来的版本。\n依据：rename(2)\n风险：此后的编译将使用另一个版本。")
	whyLabel = lang.T("What controls execution here lets only marked programs run; a file that is replaced loses its mark.\nSource: kysec_set, restorecon(8)\nRisk: none: only these files are marked, the control stays on.", "本机的执行控制只允许运行已标记的程序；文件被替换后标记随之失效。\n依据：kysec_set、restorecon(8)\n风险：无：只标记这些文件，执行控制保持开启。")
	whyGone  = lang.T("It is no longer wanted.\nSource: the answers\nRisk: projects that ask for this version fetch or miss it; goxin undo brings it back.", "不再需要。\n依据：应答\n风险：指定此版本的项目会重新下载或报错；可用 goxin undo 恢复。")
)
