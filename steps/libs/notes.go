package libs

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Notes are what is missing and no package cures, and why something is not
// planned.
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

// notes is a list of them.
type notes []engine.Note

func (n *notes) warn(en, zh string, args ...any) {
	*n = append(*n, engine.Note{Warn: true, Text: lang.F(en, zh, args...)})
}

func (n *notes) tell(en, zh string, args ...any) {
	*n = append(*n, engine.Note{Text: lang.F(en, zh, args...)})
}

func (h *host) notes() notes {
	var out notes
	for _, p := range h.seen.Absent {
		out.warn("%s is not there: nothing was looked at.", "%s 不存在，未检查。", op.Visible(p))
	}
	h.noteStock(&out)
	if !h.blind() {
		for _, l := range h.lacks() {
			h.noteLack(l, &out)
		}
	}
	h.noteGlibc(&out)
	for _, n := range h.seen.Needs {
		h.noteNeed(n, &out)
	}
	if h.seen.More > 0 {
		out.warn("%d further needs are not met; goxin libs PATH lists them all.", "另有 %d 项依赖未满足；用 goxin libs 路径 可全部列出。", h.seen.More)
	}
	for _, p := range h.seen.Static {
		out.warn("%s: made for LoongArch's new world; this kernel is of the old one and would kill it without a word. No package cures that: build it with a toolchain of the old world (ABI 1.0).",
			"%s：为龙架构新世界编译，而本机内核属于旧世界，会直接段错误退出且无任何提示。没有软件包能解决：请用旧世界（ABI 1.0）工具链编译。", op.Visible(p))
	}
	if h.seen.Objects > 0 && len(h.seen.Needs) == 0 {
		out.tell("%d programs and libraries looked at, nothing is missing.", "共检查 %d 个程序和库，没有缺失。", h.seen.Objects)
	}
	return out
}

// noteStock tells what the package manager could not.
func (h *host) noteStock(out *notes) {
	s := h.seen.Stock
	lacks := h.lacks()
	names := make([]string, len(lacks))
	for i, l := range lacks {
		names[i] = op.Visible(l.Name)
	}
	switch {
	case len(lacks) == 0 && !h.blind() && (s.Manager != "" || len(h.a.Packages) == 0):
	case s.Manager == "":
		out.warn("no package manager that goxin knows is on this machine (%s): bring %s by hand.", "本机没有 goxin 认识的包管理器（%s）：请自行安装 %s。",
			op.VisibleText(h.facts.Packages.Manager.From), strings.Join(append(names, h.a.Packages...), ", "))
	case h.blind():
		missing := lang.T("what is asked for", "所要求的软件包")
		if len(names) > 0 {
			missing = lang.Same(strings.Join(names, ", "))
		}
		out.warn("which package has %s cannot be told before the package lists are there: %s. %s", "没有软件包列表，无法得知 %s 由哪个软件包提供：%s。%s", missing, s.Lists, h.seen.Stock.Refresh(h.facts.OS.Product.Value))
	case !s.Asked:
		out.tell("nothing can be asked of the package manager here; the names are those this family gives its packages.", "此处无法查询包管理器；软件包名按本系列系统的命名给出。")
	}
}

// noteLack tells what is not planned for a missing library, or chosen.
func (h *host) noteLack(l lack, out *notes) {
	who := lang.F("required: %s", "必须具备：%s", either(l.Sonames))
	if l.Need != nil {
		who = by(*l.Need)
	}
	lib := op.Visible(l.Name)
	switch {
	case h.seen.Stock.Manager == "":
	case l.Offer.Installed != "":
		p := l.Offer.Packages[0]
		out.warn("%s (%s) is missing though its package %s is installed: run ldconfig; if that does not help, install the package again.",
			"缺少 %s（%s），但其软件包 %s 已安装：请执行 ldconfig，若仍不行请重新安装该软件包。", lib, who, p)
	case len(l.Offer.Packages) == 0 && !h.seen.Stock.Asked:
		out.warn("%s is missing (%s), and which package has it can be asked only on the running machine.", "缺少 %s（%s）；由哪个软件包提供，需在机器运行后查询。", lib, who)
	case len(l.Offer.Packages) == 0 && l.Need == nil:
		out.warn("%s is missing (%s), and no package of this system's sources has it: add the source that does, or take it out of require.", "缺少 %s（%s），而本系统的软件源中没有任何软件包提供它：请添加相应的软件源，或从 require 中去掉。", lib, who)
	case len(l.Offer.Packages) == 0:
		out.warn("%s is missing (%s), and no package of this system's sources has it: put the library beside the program, add the source that has it, or list it under ignore.",
			"缺少 %s（%s），而本系统的软件源中没有任何软件包提供它：请把该库放在程序旁，或添加提供它的软件源，或列入 ignore。", lib, who)
	default:
		t := lang.F("%s is missing (%s); package %s has it.", "缺少 %s（%s），由软件包 %s 提供。", lib, who, l.Offer.Packages[0])
		if others := l.Offer.Packages[1:]; len(others) > 0 && l.Offer.From == "lists" {
			t = lang.F("%s So have: %s.", "%s同样提供它的还有：%s。", t, some(others, len(others)))
		}
		out.tell("%s", "%s", t)
	}
}

// noteGlibc says once which C library the programs want.
func (h *host) noteGlibc(out *notes) {
	var newest *Need
	most := -1
	for i, n := range h.seen.Needs {
		if minor, ok := age(n); ok && minor > most {
			newest, most = &h.seen.Needs[i], minor
		}
	}
	if newest == nil {
		return
	}
	has := lang.T("an older one", "版本更低")
	if v := h.facts.Libc.Version; v.Known {
		has = lang.Same(v.Value)
	}
	out.warn("glibc 2.%d is wanted (%s), this machine has %s. No package cures that, since every other program here counts on the one there is: build the program on a system as old as this one, build it statically (CGO_ENABLED=0), or run it in a container.",
		"需要 glibc 2.%d（%s），本机为 %s。没有软件包能解决，因为系统里其他程序都依赖现有的 C 库：请在同样旧的系统上编译，或静态编译（CGO_ENABLED=0），或放在容器中运行。", most, by(*newest), has)
}

// noteNeed tells of a need that no package meets.
func (h *host) noteNeed(n Need, out *notes) {
	if n.curable() {
		return // noteLack
	}
	what := n.Text()
	switch n.Problem {
	case elf.OtherWorld:
		if h.facts.Kernel.UserWorld.Value == "new" {
			out.warn("%s (%s). No package cures that: ask its vendor for a build of the new world (ABI 2.0). Where there is none, libLoL (liblol.aosc.io) lets some programs of the old world run.",
				"%s（%s）。没有软件包能解决：请向厂商索取新世界（ABI 2.0）版本；若没有，libLoL（liblol.aosc.io）可让部分旧世界程序运行。", what, by(n))
			return
		}
		out.warn("%s (%s). No package cures that, and there is no layer in this direction: ask its vendor for a build of the old world (ABI 1.0), or move to a system of the new one.",
			"%s（%s）。没有软件包能解决，也没有这个方向的兼容层：请向厂商索取旧世界（ABI 1.0）版本，或改用新世界的系统。", what, by(n))
	case elf.LacksVersion:
		if _, glibc := age(n); glibc {
			return // noteGlibc
		}
		out.warn("%s (%s). A newer version of the library is wanted: see whether its package has an upgrade, or put the library beside the program.", "%s（%s）。需要更新版本的库：请看其软件包是否有更新，或把该库放在程序旁。", what, by(n))
	case elf.NotLoadable:
		out.warn("%s (%s). Install the package that owns the file again.", "%s（%s）。请重新安装该文件所属的软件包。", what, by(n))
	case elf.NoInterpreter:
		out.warn("%s (%s). Install the package that has it, or the program for this system.", "%s（%s）。请安装提供它的软件包，或换用适合本系统的程序。", what, by(n))
	case elf.NotFound:
		if n.Arch != "" {
			out.warn("%s (%s). It is needed for %s, which is not this machine's own: allow packages of that architecture and install it by hand, or use the program for this machine.", "%s（%s）。需要的是 %s 的库，不是本机架构：请启用该架构的软件包后自行安装，或换用本机架构的程序。", what, by(n), n.Arch)
			return
		}
		out.warn("%s (%s). It is named by a path: put it there.", "%s（%s）。它以路径指定：请放到该位置。", what, by(n))
	default:
		out.warn("%s (%s). No package cures that: get the program for this machine.", "%s（%s）。没有软件包能解决：请换用适合本机的程序。", what, by(n))
	}
}

// either lists names of which one will do.
func either(names []string) lang.Text {
	return lang.T(strings.Join(names, " or "), strings.Join(names, " 或 "))
}

// by is who needs it.
func by(n Need) lang.Text {
	return lang.F("needed by %s", "被 %s 依赖", some(n.By, n.Count))
}

// some names the first few of count.
func some(names []string, count int) lang.Text {
	shown := make([]string, 0, maxBy)
	for _, n := range names[:min(len(names), maxBy)] {
		shown = append(shown, op.Visible(n))
	}
	t := lang.T(strings.Join(shown, ", "), strings.Join(shown, "、"))
	if more := count - len(shown); more > 0 {
		return lang.T(fmt.Sprintf("%s and %d more", t.EN, more), fmt.Sprintf("%s 等，另有 %d 个", t.ZH, more))
	}
	return t
}
