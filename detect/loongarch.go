package detect

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

func cpuLoongArch(info cpuinfo, c *CPU) {
	if v, key := info.get("cpu family", "system type"); strings.Contains(strings.ToLower(v), "loongson") {
		c.Vendor = known("Loongson", cpuinfoFile+" "+key+" "+v)
	}
	if v, _ := info.get("model name"); v != "" {
		c.Model = known(v, cpuinfoFile+" model name")
	}
	if flags := info.flags("features"); len(flags) > 0 {
		c.SIMD = known(pick(flags, "lsx", "lasx"), onEveryCPU("features"))
	}
	c.Level = known("", lang.T("Go has no levels for loong64", "Go 对 loong64 不分级别"))
}

// probeKernel also tells which of LoongArch's two ABIs kernel and C library
// speak: a program built for the new one dies without a word on an old kernel.
func probeKernel(h *host, f *Facts) {
	k := &f.Kernel
	k.Release = unknown[string](h.why)
	if h.running {
		k.Release = known(h.kernel.Release, "uname -r")
	}
	if f.Arch.GOARCH.Known && f.Arch.GOARCH.Value != "loong64" {
		one := known("", lang.T("only LoongArch has two", "只有龙架构分新旧世界"))
		k.World, k.UserWorld = one, one
		return
	}
	if !f.Arch.GOARCH.Known {
		k.World, k.UserWorld = unknown[string](f.Arch.GOARCH.From), unknown[string](f.Arch.GOARCH.From)
		return
	}
	k.World = unknown[string](h.why)
	if h.running {
		k.World = byKernel(kernelWorld(h.kernel.Release, h.cpus), h.kernel.SigsetSizes)
	}
	k.UserWorld = h.userWorld()
}

// kernelWorld goes by the kernel's release; vendors shipped 5.10 in both
// worlds, and there the case of cpuinfo's keys decides.
func kernelWorld(release string, info cpuinfo) Fact[string] {
	keys := ""
	switch {
	case info.upper && !info.lower:
		keys = "new"
	case info.lower && !info.upper:
		keys = "old"
	}
	from := lang.F("kernel %s", "内核 %s", release)
	major, minor, ok := releaseNumber(release)
	world := ""
	switch {
	case !ok:
	case major < 5 || major == 5 && minor < 10:
		world = "old"
	case major > 5 || minor >= 19:
		world = "new"
	}
	key := map[string]string{"old": "model name", "new": "Model Name"}[keys]
	seen := lang.F(`/proc/cpuinfo says "%s"`, "/proc/cpuinfo 写作 “%s”", key)
	switch {
	case world != "" && keys == "":
		return known(world, from)
	case world != "" && keys != world:
		return known(world, lang.F("%s; %s, which speaks against it", "%s；但 %s，与此不符", from, seen))
	case world != "":
		return known(world, and(from, seen))
	case keys != "":
		return known(keys, lang.F("%s came in both worlds; %s", "%s 在新旧世界都有；%s", from, seen))
	}
	return unknown[string](lang.F("%s came in both worlds, and /proc/cpuinfo does not tell", "%s 在新旧世界都有，/proc/cpuinfo 也未说明", from))
}

// byKernel corrects what release and cpuinfo tell of a kernel's world by what the kernel
// itself said: which sizes of a signal set it takes. One that takes both is a new one with
// a layer for the old world, if it looks new; otherwise it is of neither world that is
// known: a program that asks by size would take its signal frames for the new world's and
// die of the first.
func byKernel(told Fact[string], sizes []int) Fact[string] {
	const large = 16
	if len(sizes) == 0 { // it was not asked, or refuses both as a sandbox may
		return told
	}
	said := lang.F("rt_sigaction takes signal sets of %v bytes", "rt_sigaction 接受 %v 字节的信号集", sizes)
	if len(sizes) > 1 && told.Value != "new" {
		return unknown[string](and(told.From, lang.F("%s: a hybrid of both worlds", "%s：新旧世界混合的内核", said)))
	}
	world := "new"
	if sizes[0] == large {
		world = "old"
	}
	if told.Known && told.Value != world {
		return known(world, lang.F("%s; %s, which speaks against it", "%s；但 %s，与此不符", said, told.From))
	}
	return known(world, and(said, told.From))
}

// releaseNumber reads 4 and 19 off "4.19.90-52.22.v2207.ky10.aarch64".
func releaseNumber(release string) (major, minor int, ok bool) {
	a, rest, _ := strings.Cut(release, ".")
	end := strings.IndexFunc(rest, func(c rune) bool { return c < '0' || c > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	major, err1 := strconv.Atoi(a)
	minor, err2 := strconv.Atoi(rest)
	return major, minor, err1 == nil && err2 == nil
}

// userWorld goes by the program loaders there are, then by the object version in
// a program's ELF flags. Hosts with libLoL have both loaders and are new.
func (h *host) userWorld() Fact[string] {
	head, file, err := h.programELF()
	with := func(loader lang.Text) lang.Text {
		if err != nil {
			return loader
		}
		return and(loader, lang.F("%s has ELF flags %#x", "%s 的 ELF 标志为 %#x", file, head.Flags))
	}
	if l := h.first("/lib64/ld-linux-loongarch-lp64d.so.1", "/lib/ld-musl-loongarch64.so.1"); l != "" {
		return known("new", with(lang.Same(l)))
	}
	if l := h.first("/lib64/ld.so.1"); l != "" {
		return known("old", with(lang.Same(l)))
	}
	if err == nil && head.Machine == 258 {
		const objectVersion = 0xc0 // EF_LOONGARCH_OBJABI_MASK
		world := "old"
		if head.Flags&objectVersion == 0x40 {
			world = "new"
		}
		return known(world, with(lang.T("no loader", "没有加载器")))
	}
	return unknown[string](lang.T("no loader of either world, and no program to look at", "新旧世界的加载器都没有，也没有可供检查的程序"))
}
