package build

import (
	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Notes are the decision for each target with its reason, and what stands in the way
// of a proof.
func (Step) Notes(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Note {
	a, err := readAnswers(v)
	if err != nil {
		return nil // Ops says it
	}
	return hs.Notes(func(id machine.ID) ([]engine.Note, error) {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		return h.notes(), nil
	})
}

func (h *host) notes() []engine.Note {
	var out []engine.Note
	say := func(warn bool, t lang.Text) { out = append(out, engine.Note{Warn: warn, Text: t}) }
	for _, p := range h.targets() {
		v := h.verdict(p)
		say(v.Warn, lang.F("%s: %s, since %s.", "%s：%s。理由：%s。", p.target(), h.how(p, v), v.Why))
		switch {
		case p.arch == "loong64" && h.needsFork():
			say(true, lang.T("What Go itself builds for linux/loong64 is for the new world and does not run on this machine.", "Go 官方工具链为 linux/loong64 构建的程序属于新世界，无法在本机运行。"))
		case p.arch == "loong64" && h.seen.World != "old":
			say(false, lang.T("Programs for linux/loong64 run on the new world only (Kylin V11, UOS 25, openEuler, Loongnix 25); Kylin V10, UOS 20 and Loongnix 20 are of the old one and take Loongson's own Go.",
				"linux/loong64 程序只能在新世界（麒麟 V11、统信 25、openEuler、Loongnix 25）运行；麒麟 V10、统信 20、Loongnix 20 属于旧世界，需用龙芯自己的 Go 构建。"))
		}
	}
	if len(out) == 0 {
		return nil
	}
	if len(h.packages()) > 0 && !h.seen.Stock.Asked {
		say(false, lang.T("Nothing can be asked of the package manager here; the cross compilers' names are Debian's.", "此处无法查询包管理器；交叉编译器的软件包名按 Debian 的命名给出。"))
	}
	if h.blind() {
		say(true, lang.F("%s cannot be planned before the package lists are there: %s. %s", "没有软件包列表，无法为 %s 制定计划：%s。%s", lang.List(h.packages()...), h.seen.Stock.Lists, h.seen.Stock.Refresh(h.facts.OS.Product.Value)))
	}
	if h.a.CGO && h.runs() && h.wantsOwn() && h.seen.Compilers[h.own()] == "" {
		say(true, lang.T("There is no gcc here, which cgo takes for programs of this machine: the devtools step brings it.", "本机没有 gcc，而为本机构建含 cgo 的程序需要它：可由「开发工具」步骤安装。"))
	}
	if h.runs() && h.cannot().Empty() {
		if h.seen.Go == "" {
			say(false, lang.T("There is no Go here yet to prove this with: the toolchain step brings it.", "本机尚无 Go，无法验证：可由「Go 工具链」步骤安装。"))
		}
		if h.a.Run {
			out = append(out, h.emulation()...)
		}
	}
	return out
}

func (h *host) wantsOwn() bool {
	for _, p := range h.targets() {
		if p.arch == h.own() {
			return true
		}
	}
	return false
}

// how is the verdict as what is to be done.
func (h *host) how(p port, v verdict) lang.Text {
	switch own := p.arch == h.own(); {
	case own && v.Mode == native:
		return lang.T("compile on this machine (go build)", "在本机编译（go build）")
	case own && h.needsFork():
		return lang.T("compile on another machine by Loongson's own Go, of which there is one for linux/amd64, and bring it here", "在其他机器上用龙芯自己的 Go 编译（它有 linux/amd64 版本）后拷贝到本机")
	case own:
		return lang.F("compile on another machine (%s) and bring it here", "在其他机器上编译（%s）后拷贝到本机", h.command(p))
	case v.Mode == native:
		return lang.T("compile on the target itself (go build)", "在目标机上编译（go build）")
	}
	return lang.F("cross-compile (%s)", "交叉编译（%s）", h.command(p))
}

// command is what a person types to cross-compile for p.
func (h *host) command(p port) string {
	c := "GOOS=linux GOARCH=" + p.arch + " CGO_ENABLED=0 go build"
	if h.a.CGO && p.cgo && h.noC(p).Empty() {
		c = "GOOS=linux GOARCH=" + p.arch + " CGO_ENABLED=1 CC=" + p.compiler() + " go build"
	}
	return c
}

// emulation tells which programs are run by what, and which are not.
func (h *host) emulation() []engine.Note {
	var with, without []string
	for _, p := range h.targets() {
		switch e := h.seen.Emulators[p.arch]; {
		case p.arch == h.own() || h.skips(p):
		case e != "":
			with = append(with, p.target()+" ("+e+")")
		default:
			without = append(without, p.target())
		}
	}
	var out []engine.Note
	if len(with) > 0 {
		out = append(out, engine.Note{Text: lang.F("Run by an emulator once built: %s.", "构建后由模拟器运行：%s。", lang.List(with...))})
	}
	if len(without) > 0 {
		text := lang.F("Built and not run, since there is no emulator here: %s.", "只构建、不运行（本机没有模拟器）：%s。", lang.List(without...))
		if h.seen.Stock.Manager == "apt" {
			text = lang.F("%s Package qemu-user-static has them.", "%s可安装软件包 qemu-user-static。", text)
		}
		out = append(out, engine.Note{Text: text})
	}
	return out
}
