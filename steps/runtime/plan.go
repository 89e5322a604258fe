package runtime

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Files the step writes.
const (
	Dir        = "/etc/goxin"
	RuntimeEnv = Dir + "/runtime.env" // what Go programs run with
	BuildEnv   = Dir + "/build.env"   // what the go command here builds with
	tmpfiles   = "/etc/tmpfiles.d"
	thpAtBoot  = tmpfiles + "/goxin-thp.conf"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	s, err := seenOn(sv, id)
	return &host{id, hs.Facts[id], s, a}, err
}

// limit is the smallest of what may hold a service's memory, in bytes, and which it is;
// 0 where nothing is known.
func (h *host) limit() (uint64, lang.Text) {
	f := h.facts.Memory
	var least uint64
	var which lang.Text
	take := func(n uint64, t lang.Text) {
		if n > 0 && (least == 0 || n < least) {
			least, which = n, t
		}
	}
	if f.Total.Known {
		take(f.Total.Value, lang.T("all of the machine's memory", "整机内存"))
	}
	if f.Limit.Known && !inSession(f.Limit.From.EN) {
		take(f.Limit.Value, lang.F("the limit in %s", "%s 中的上限", op.VisibleText(f.Limit.From)))
	}
	asked := h.a.Memory.bytes
	if h.a.Memory.percent > 0 && f.Total.Known {
		asked = f.Total.Value / 100 * uint64(h.a.Memory.percent)
	}
	take(asked, lang.F("memory_max (%s)", "应答中 memory_max 的 %s", h.a.MemoryText))
	return least, which
}

// variable is one line of an environment file, and the answer it comes from.
type variable struct {
	key, name, value string
	guard            bool // see measure.Knob
}

func (v variable) String() string { return v.name + "=" + v.value }

// runtimeVars are what Go programs get. What would only repeat Go's own judgement is
// not among them.
func (h *host) runtimeVars() []variable {
	var out []variable
	if h.a.GOGC != fmt.Sprint(goGC) {
		out = append(out, variable{KeyGOGC, "GOGC", h.a.GOGC, false})
	}
	if n, _ := h.limit(); n > 0 {
		out = append(out, variable{KeyMemoryMax, "GOMEMLIMIT", mib(n / 100 * uint64(100-h.a.Headroom)), true})
	}
	if p := h.procs(); p != "" {
		out = append(out, variable{KeyGOMAXPROCS, "GOMAXPROCS", p, false})
	}
	if d := h.debug(); d != "" {
		out = append(out, variable{KeyTHP, "GODEBUG", d, true})
	}
	return out
}

// procs is GOMAXPROCS; "" leaves it to Go.
func (h *host) procs() string {
	switch {
	case h.a.Procs != auto:
		return h.a.Procs
	case h.seen.Quota > 0 && older(h.seen.Go, 25) && h.facts.CPU.Logical.Known:
		if n := procs(h.seen.Quota, h.facts.CPU.Logical.Value); n < h.facts.CPU.Logical.Value {
			return fmt.Sprint(n)
		}
	}
	return ""
}

// debug is GODEBUG; "" where nothing is needed.
func (h *host) debug() string {
	var all []string
	if older(h.seen.Go, 16) && !older(h.seen.Go, 12) {
		all = append(all, "madvdontneed=1")
	}
	if h.mips() && h.seen.THP == "always" && h.thp() == "" && !older(h.seen.Go, 21) {
		all = append(all, "disablethp=1")
	}
	return strings.Join(all, ",")
}

func (h *host) mips() bool { return strings.HasPrefix(h.facts.Arch.GOARCH.Value, "mips") }

func (h *host) container() bool { return h.facts.Container.Known && h.facts.Container.Value }

// thp is what transparent huge pages shall be; "" leaves them as they are.
func (h *host) thp() string {
	switch {
	case h.a.THP == keep, h.container(), h.facts.Running && h.seen.THP == "":
		return ""
	case h.a.THP != auto:
		return h.a.THP
	}
	want := "madvise"
	if p := h.facts.Memory.PageSize; h.mips() && (!p.Known || p.Value > 4<<10) {
		want = "never"
	}
	if len(h.seen.Offered) > 0 && !slices.Contains(h.seen.Offered, want) {
		return ""
	}
	return want
}

// level is the variable that tells the compiler what it may use, and its value; "" for
// an architecture that has none here.
func (h *host) level() (name, value string) {
	switch h.facts.Arch.GOARCH.Value {
	case "amd64":
		name, value = "GOAMD64", "v1"
	case "arm64":
		name, value = "GOARM64", "v8.0"
	default:
		return "", ""
	}
	if l := h.facts.CPU.Level; h.a.Level == thisCPU && l.Known {
		value = l.Value
	}
	return name, value
}

func (h *host) systemd() bool {
	return h.facts.Init.Name.Value == "systemd" || !h.facts.Running
}

// runtimeEnv is the file that services read.
func (h *host) runtimeEnv() string {
	var b strings.Builder
	b.WriteString("# goxin: what Go programs on this machine run with.\n# A unit reads it with EnvironmentFile=-" + RuntimeEnv + "\n")
	vars := h.runtimeVars()
	for _, v := range vars {
		fmt.Fprintln(&b, v)
	}
	for _, own := range []struct{ name, why string }{
		{"GOGC", "Go's own is 100"},
		{"GOMEMLIMIT", "how much memory there is was not known"},
		{"GOMAXPROCS", "Go counts the processors, from 1.25 on under a CPU quota too"},
	} {
		if !slices.ContainsFunc(vars, func(v variable) bool { return v.name == own.name }) {
			fmt.Fprintf(&b, "# %s is not set: %s\n", own.name, own.why)
		}
	}
	return b.String()
}

func (h *host) buildEnv(name, value string) string {
	return "# goxin: what the go command on this machine builds for.\n" + name + "=" + value + "\n"
}

// Ops are the two environment files and huge pages, now and at boot.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	return hs.Ops(func(id machine.ID) ([]engine.Op, error) {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		return h.ops(), nil
	})
}

func (h *host) ops() []engine.Op {
	file := func(name, content string, why lang.Text) engine.Op {
		return &op.File{Path: name, Content: content, Mode: 0o644, Owner: machine.RootOwner, Reason: why}
	}
	dir := func(name string, why lang.Text) engine.Op {
		return &op.Dir{Path: name, Mode: 0o755, Owner: machine.RootOwner, Reason: why}
	}
	out := []engine.Op{dir(Dir, whyRuntime()), file(RuntimeEnv, h.runtimeEnv(), whyRuntime())}
	if name, value := h.level(); name != "" {
		out = append(out, file(BuildEnv, h.buildEnv(name, value), whyBuild()))
	}
	if want := h.thp(); want != "" {
		if h.systemd() {
			out = append(out, dir(tmpfiles, whyTHP()),
				file(thpAtBoot, "# goxin: transparent huge pages at boot\nw "+hugePages+" - - - - "+want+"\n", whyTHP()))
		}
		out = append(out, &op.Sysfs{Path: hugePages, Value: want, Reason: whyTHP()})
	}
	return out
}

func whyRuntime() lang.Text {
	return lang.T(
		"One file says what Go services here run with; a unit that names it as EnvironmentFile= gets it at its next start.\nSource: Go, package runtime, Environment Variables; Go's guide to the garbage collector\nRisk: a memory limit below what a program really keeps makes it collect without end (Go stops at half of the CPU time).",
		"本机 Go 服务的运行参数只写在这一个文件里；服务单元用 EnvironmentFile= 引用，下次启动即生效。\n依据：Go runtime 包文档 Environment Variables；Go 官方 GC 指南\n风险：内存上限若低于程序实际存活的数据，回收会不停进行（Go 会把它限制在一半 CPU 时间内）。")
}

func whyBuild() lang.Text {
	return lang.T(
		"What the compiler may assume of the processor, taken from what this kernel reports of every CPU, never from a name.\nSource: go.dev/wiki/MinimumRequirements; Go, internal/buildcfg\nRisk: a program built for this processor refuses to start on an older one.",
		"编译器可以假定处理器具备哪些指令：取自内核对每个 CPU 的报告，绝不按型号名推断。\n依据：go.dev/wiki/MinimumRequirements；Go 源码 internal/buildcfg\n风险：按本机处理器编译的程序，在更旧的处理器上会拒绝启动。")
}

func whyTHP() lang.Text {
	return lang.T(
		"Huge pages for programs that ask for them, instead of for everybody: no memory taken that nobody uses, no pauses while the kernel makes room. On MIPS with big pages Go programs met wrong memory with them, so there they are off.\nSource: kernel admin-guide/mm/transhuge; Go's guide to the garbage collector; golang/go#43091, #26898\nRisk: a program with a big heap that lived from “always” gets slower; measure it with goxin tune runtime --measure.",
		"透明大页只给主动申请的程序，而不是人人都有：不白占内存，也没有内核整理内存造成的停顿。MIPS 大页内核上，Go 程序曾因此读到错误的内存，故在那里关闭。\n依据：内核文档 admin-guide/mm/transhuge；Go 官方 GC 指南；golang/go#43091、#26898\n风险：原本受益于 always 的大堆程序会变慢，可用 goxin tune runtime --measure 实测。")
}
