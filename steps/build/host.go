package build

import (
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/op"
)

// What compiling takes. Go 1.26.8 building its own go command from an empty cache on
// two processors had compilers of 320 MB, one on each, and wrote 170 MB; larger
// programs take more of both.
const (
	needMemory = 768 << 20 // bytes; a machine of 1 GiB shows a little less
	needRoom   = 1 << 30   // bytes
)

// A machine with these can be a build server.
const (
	strongCPUs   = 8
	strongMemory = 15 << 30 // bytes; a machine of 16 GiB shows a little less
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	s, err := seenOn(sv, id, hs.Facts[id])
	return &host{id, hs.Facts[id], s, a}, err
}

// own is the machine's GOARCH; "" where Go has no port for it.
func (h *host) own() string { return h.facts.Arch.GOARCH.Value }

// targets are those asked for, or the machine's own platform and the two that most
// servers with domestic processors have.
func (h *host) targets() []port {
	if !h.a.Unanswered {
		return h.a.Targets
	}
	var out []port
	for _, arch := range []string{h.own(), "arm64", "loong64"} {
		if p, ok := portOf(arch); ok && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// goroot is where the Go to build with is, or will be.
func (h *host) goroot() string {
	if h.seen.Go != "" {
		return h.seen.Go
	}
	return goroot.Current
}

// memory is what programs may use, in bytes: of the machine, or of the cgroup.
func (h *host) memory() (bytes uint64, known bool) {
	total, limit := h.facts.Memory.Total, h.facts.Memory.Limit
	if limit.Known && limit.Value > 0 && (!total.Known || limit.Value < total.Value) {
		return limit.Value, true
	}
	return total.Value, total.Known
}

// cannot is why this machine cannot compile; empty where it can.
func (h *host) cannot() lang.Text {
	memory, known := h.memory()
	switch {
	case h.own() == "":
		return lang.F("Go has no port for its processor (%s)", "Go 不支持它的处理器（%s）", op.Visible(h.facts.Arch.Machine.Value))
	case h.needsFork():
		return lang.T("it is of LoongArch's old world, for which Go itself has no release; Loongson's own Go would do", "它属于龙架构旧世界，Go 官方没有对应版本；可使用龙芯自己的 Go")
	case known && memory < needMemory:
		return lang.F("it has %d MiB of memory, and compilers take 768 and more", "内存只有 %d MiB，编译至少需要 768 MiB", memory>>20)
	case h.seen.Room.Known && h.seen.Room.Value < needRoom:
		return lang.F("%d MiB are free in /var/tmp and /root, and compiling takes 1024 and more", "/var/tmp 和 /root 仅剩 %d MiB 空间，编译至少需要 1024 MiB", h.seen.Room.Value>>20)
	}
	return lang.Text{}
}

// needsFork says that neither Go's releases nor what they build run here, and that
// Loongson's own Go is not here: the kernel is of LoongArch's old world.
func (h *host) needsFork() bool { return h.facts.Kernel.World.Value == "old" && h.seen.World != "old" }

func (h *host) strong() bool {
	memory, _ := h.memory()
	return h.facts.CPU.Logical.Value >= strongCPUs && memory >= strongMemory
}

// targetCannot is why a machine of p cannot compile, of which no more is known than p.
func (h *host) targetCannot(p port) lang.Text {
	switch {
	case p.arch == h.own():
		return h.cannot()
	case p.elf.Class == 32:
		return lang.T("the target's address space of 32 bits is too small to link large programs", "目标机地址空间为 32 位，无法链接较大的程序")
	}
	return lang.Text{}
}

// noC is why there is no C compiler here for p; empty where there is one, or will be.
// A machine's own is the devtools step's.
func (h *host) noC(p port) lang.Text {
	st := &h.seen.Stock
	switch {
	case !h.a.CGO || p.arch == h.own() && p.cgo || h.seen.Compilers[p.arch] != "":
	case !p.cgo:
		return lang.F("Go has no cgo for %s", "Go 在 %s 上不支持 cgo", p.target())
	case st.Manager == "":
		return lang.F("there is no %s here, and no package manager to bring it", "本机没有 %s，也没有可用来安装它的包管理器", p.compiler())
	case st.Manager != "apt":
		// Description of Fedora's cross-gcc: user space is not supported.
		return lang.F("there is no %s here, and the cross compilers among this family's packages are for kernels: they have no C library", "本机没有 %s；本系列系统软件包中的交叉编译器仅用于编译内核，不带 C 库", p.compiler())
	case !st.Asked, !st.Lists.Empty(), st.Knows(p.gcc) && st.Knows(p.libc):
	default:
		return lang.F("there is no %s here, and this system's sources have no %s with %s", "本机没有 %s，本系统的软件源中也没有 %s 与 %s", p.compiler(), p.gcc, p.libc)
	}
	return lang.Text{}
}

// verdict is the decision about p.
func (h *host) verdict(p port) verdict {
	return decide(question{
		Own: p.arch == h.own(), Cannot: h.targetCannot(p), Here: h.cannot(), NoC: h.noC(p),
		Strong: h.strong(), Often: h.a.Often, Asked: h.a.Mode,
	})
}

// runs says whether programs run there.
func (h *host) runs() bool {
	return h.facts.Running && (h.seen.Stock.Asked || h.seen.Stock.Manager == "")
}

// couldWant are the packages to ask for; bash, which is everywhere, for whether the
// package manager answers at all.
func (h *host) couldWant() []string {
	out := []string{"bash"}
	for _, p := range h.targets() {
		if h.a.CGO && p.cgo && p.arch != h.own() {
			out = append(out, p.gcc, p.libc)
		}
	}
	slices.Sort(out)
	return out
}

// packages are the cross compilers to install. One that is here already and did not
// come as a package is left to whoever brought it.
func (h *host) packages() []string {
	var out []string
	for _, p := range h.targets() {
		byHand := h.seen.Compilers[p.arch] != "" && !h.seen.Stock.Has(p.gcc)
		if h.a.CGO && p.arch != h.own() && h.seen.Stock.Manager == "apt" && !byHand && h.noC(p).Empty() && h.verdict(p).Mode == cross && h.cannot().Empty() {
			out = append(out, p.gcc, p.libc)
		}
	}
	slices.Sort(out)
	return out
}

// blind says whether something has to come and the package lists know nothing.
func (h *host) blind() bool {
	return h.seen.Stock.Asked && !h.seen.Stock.Lists.Empty() && slices.ContainsFunc(h.packages(), func(n string) bool { return !h.seen.Stock.Has(n) })
}

// Ops is one set of cross compilers on each machine where one is needed.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	var items []engine.Item
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		switch names := h.packages(); {
		case len(names) == 0:
		case h.blind():
			items = append(items, engine.Item{On: id, Unknown: "mirror"})
		default:
			items = append(items, engine.Item{On: id, Op: &op.Packages{Manager: h.seen.Stock.Manager, Names: names, Reason: reason()}})
		}
	}
	return items, nil
}

func reason() lang.Text {
	return lang.T(
		"cgo takes a C compiler that makes programs for the target, and the target's C library to link with.\nSource: cmd/cgo; the packages' own dependencies, of which the C library is only recommended\nRisk: programs need a C library on the target that is no older than the one they were linked with here.",
		"cgo 需要能为目标平台编译的 C 编译器，以及用于链接的目标平台 C 库。\n依据：cmd/cgo；软件包依赖关系（其中 C 库只是“推荐”项）\n风险：目标机上的 C 库版本不得低于此处链接所用的版本。")
}
