package runtime

import (
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Notes say what was left to Go and why, and what other hands may undo.
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
	say := func(warn bool, en, zh string, args ...any) {
		out = append(out, engine.Note{Warn: warn, Text: lang.F(en, zh, args...)})
	}
	h.memoryNotes(say)
	h.procsNotes(say)
	if strings.Contains(h.debug(), "madvdontneed") {
		say(false, "GODEBUG=madvdontneed=1: %s gives memory back in a way that the kernel counts as used until it is short of it, so services look as if they leak; from Go 1.16 on this is the default.",
			"GODEBUG=madvdontneed=1：%s 归还内存的方式会让内核在内存紧张前一直计为已用，服务看上去像在泄漏；Go 1.16 起默认即如此。", h.seen.Go)
	}
	h.thpNotes(say)
	h.levelNotes(say)
	return out
}

type sayer func(warn bool, en, zh string, args ...any)

func (h *host) memoryNotes(say sayer) {
	n, which := h.limit()
	if n == 0 {
		say(false, "GOMEMLIMIT is not set: how much memory there is is not known here; answer memory_max with an amount.", "未设置 GOMEMLIMIT：此处无法得知内存大小；请在 memory_max 中写明具体数值。")
		return
	}
	say(false, "GOMEMLIMIT is %s: %d %% of %s, %s.", "GOMEMLIMIT 为 %[1]s：%[3]s（%[4]s）的 %[2]d%%。", mib(n/100*uint64(100-h.a.Headroom)), 100-h.a.Headroom, which, amount(n))
	if h.a.MemoryText == "" {
		say(false, "that limit is the machine's, for every program that reads the file. Where several services share the machine, give each its own in its unit: MemoryMax= and a GOMEMLIMIT of 90 %% of it.",
			"该上限按整机计算，对读取此文件的每个程序都一样。多个服务共用一台机器时，请在各自单元里分别设置 MemoryMax= 以及其 90%% 的 GOMEMLIMIT。")
	}
	if older(h.seen.Go, 19) {
		say(true, "%s does not know GOMEMLIMIT, which came with Go 1.19: nothing holds its heap back before the kernel kills.", "%s 不支持 GOMEMLIMIT（Go 1.19 引入）：在内核杀进程之前，没有任何机制约束其堆。", h.seen.Go)
	}
	if h.a.GOGC == off {
		say(true, "GOGC=off: the heap grows up to the memory limit before it is collected at all; right only for a service that has the memory of memory_max to itself.", "GOGC=off：堆涨到内存上限才会回收；仅适合独占 memory_max 内存的服务。")
	}
}

func (h *host) procsNotes(say sayer) {
	const seedEN = " The often copied GOGC=20 and GOMAXPROCS=cores are there to be answered; goxin leaves them because collecting five times as often costs processor time on every request, and a count of cores is wrong under a quota."
	const seedZH = "常见的 GOGC=20、GOMAXPROCS=核数 仍可在应答中填写；goxin 默认不采用，是因为回收频率变为约五倍会在每个请求上消耗处理器时间，而按核数设置在有 CPU 配额时是错的。"
	q := strings.TrimRight(strings.TrimRight(formatQuota(h.seen.Quota), "0"), ".")
	switch p := h.procs(); {
	case h.a.Procs != auto && !older(h.seen.Go, 25):
		say(true, "GOMAXPROCS=%s turns off what Go 1.25 and newer do by themselves: follow the CPU quota, also when it changes.", "GOMAXPROCS=%s 会关闭 Go 1.25 及以上自动跟随 CPU 配额的能力（配额变化时也不再跟随）。", p)
	case h.a.Procs != auto:
		say(false, "GOMAXPROCS=%s for %s, as answered.", "按应答为 %[2]s 设置 GOMAXPROCS=%[1]s。", p, h.seen.Go)
	case p != "":
		say(false, "GOMAXPROCS=%s: %s is older than 1.25 and counts processors, not the quota of %s CPUs in %s; as many threads as processors would use the quota up early in each period and then all wait."+seedEN,
			"GOMAXPROCS=%s：%s 早于 1.25，只数处理器，不看 %[4]s 中 %[3]s 个 CPU 的配额；线程数与处理器一样多时，会在每个周期之初用光配额，然后全部停下等待。"+seedZH, p, h.seen.Go, q, op.Visible(h.seen.QuotaFrom))
	case h.seen.Quota > 0 && h.seen.Go == "":
		say(true, "a quota of %s CPUs holds here (%s) and no Go was found: programs built with Go below 1.25 need GOMAXPROCS; answer gomaxprocs if there are such.",
			"本机有 %s 个 CPU 的配额（%s），但未找到 Go：用 1.25 以下版本构建的程序需要 GOMAXPROCS；若有这类程序，请填写 gomaxprocs。", q, op.Visible(h.seen.QuotaFrom))
	case older(h.seen.Go, 25):
		say(false, "GOMAXPROCS is not set: no CPU quota holds for the whole machine. %s is older than 1.25 and does not see a CPUQuota= of a unit; such a unit needs GOMAXPROCS in its own Environment=."+seedEN,
			"未设置 GOMAXPROCS：整机没有 CPU 配额。但 %s 早于 1.25，看不到服务单元的 CPUQuota=；带配额的单元需在自己的 Environment= 里设置 GOMAXPROCS。"+seedZH, h.seen.Go)
	default:
		say(false, "GOMAXPROCS is not set: Go 1.25 and newer follow the CPU quota by themselves, and setting it turns that off."+seedEN,
			"未设置 GOMAXPROCS：Go 1.25 及以上会自动跟随 CPU 配额，手动设置反而会关闭这一能力。"+seedZH)
	}
}

func (h *host) thpNotes(say sayer) {
	want := h.thp()
	switch {
	case h.container():
		say(false, "transparent huge pages are the host's affair: this is a container.", "透明大页由宿主机决定：本机是容器。")
		return
	case h.facts.Running && h.seen.THP == "":
		say(false, "this kernel has no transparent huge pages.", "此内核不支持透明大页。")
		return
	case want == "" && h.a.THP == auto:
		say(true, "this kernel does not offer what goxin would choose for transparent huge pages, only %s: they stay.", "此内核的透明大页没有 goxin 要选的取值，只有 %s：保持不变。", op.Visible(strings.Join(h.seen.Offered, " ")))
		return
	case h.mips() && want != "never":
		say(true, "on MIPS with big pages Go programs met wrong memory with transparent huge pages (golang/go#43091): never is the safe answer.", "MIPS 大页内核上，透明大页曾让 Go 程序读到错误的内存（golang/go#43091）：选 never 才稳妥。")
	}
	if want == "" {
		return
	}
	if want == "madvise" {
		say(false, "under madvise Go's own heap gets no huge pages: the runtime asks for them only for its bookkeeping. A service with a heap of many GiB may gain from always; measure with: goxin tune runtime --measure.",
			"madvise 下 Go 自己的堆得不到大页：运行时只为内部管理数据申请。堆达到许多 GiB 的服务可能受益于 always，可实测：goxin tune runtime --measure。")
	}
	if !h.systemd() {
		say(true, "no systemd here, so nothing sets huge pages at boot: put transparent_hugepage=%s on the kernel's command line.", "本机没有 systemd，开机时无人设置透明大页：请在内核命令行加上 transparent_hugepage=%s。", want)
	}
	if b := h.seen.THPAtBoot; b != "" && b != want {
		say(true, "the kernel's command line says transparent_hugepage=%s: somebody wanted it so. goxin's value follows later in the boot; thp: keep leaves theirs.", "内核命令行写有 transparent_hugepage=%s：说明有人有意为之。goxin 的值在启动后期才写入；填 thp: keep 可保留原设置。", op.Visible(b))
	}
	for _, t := range h.facts.Tuners.Value {
		if t.Enabled {
			say(true, "%s runs here and may set huge pages again after goxin: look at its profile %s.", "本机运行着 %s，可能在 goxin 之后再次设置透明大页：请检查其方案 %s。", op.Visible(t.Name), op.Visible(t.Profile))
		}
	}
}

func (h *host) levelNotes(say sayer) {
	name, value := h.level()
	l := h.facts.CPU.Level
	switch {
	case name == "":
		return
	case h.a.Level == thisCPU && !l.Known:
		say(true, "what this processor can do is not known (`goxin detect` says why): %s stays %s.", "无法得知处理器支持的指令（原因见 `goxin detect`）：%s 保持 %s。", name, value)
	case h.a.Level == thisCPU:
		say(false, "%s=%s, by %s. What is built so refuses to start on an older processor.", "%s=%s，依据 %s。这样编译的程序在更旧的处理器上会拒绝启动。", name, value, learnt(l.From))
		if name == "GOARM64" && h.facts.CPU.LSE.Value {
			say(false, "the atomic instructions of ARMv8.1 (LSE) are not faster everywhere: under contention some processors are slower with them (golang/go#60905). goxin tune runtime --measure compares on this one.",
				"ARMv8.1 的原子指令（LSE）并非处处更快：竞争激烈时，有的处理器反而更慢（golang/go#60905）。可用 goxin tune runtime --measure 在本机比较。")
		}
	case l.Known && l.Value != value:
		say(false, "this processor could take %s=%s; level: this-cpu builds for it, and portable is what goxin keeps unless you say so.", "本机处理器可用 %s=%s；填 level: this-cpu 即按此编译，否则 goxin 保持可移植。", name, l.Value)
	}
	if name == "GOARM64" && older(h.seen.Go, 23) || name == "GOAMD64" && older(h.seen.Go, 18) {
		say(false, "%s does not know %s and ignores it.", "%s 不认识 %s，会忽略它。", h.seen.Go, name)
	}
}
