package detect

import (
	"slices"
	"strings"

	"goxin/assets/lang"
)

// The keys of Facts.Warnings. Warn has their texts.
const (
	WarnUnknownPlatform = "unknown-platform"
	WarnNoGoPort        = "no-go-port"
	WarnOldWorld        = "old-world"
	WarnWorldsDiffer    = "worlds-differ"
	WarnNoLSE           = "no-lse"
	WarnPages64K        = "pages-64k"
	WarnKYSEC           = "kysec-exec-control"
	WarnUOSIntegrity    = "uos-integrity"
	WarnClockPast       = "clock-past"
	WarnClock           = "clock-not-synced"
	WarnNotActivated    = "not-activated"
	WarnContainer       = "container"
	WarnMemoryLimit     = "memory-limit"
	WarnNotRoot         = "not-root"
	WarnCapabilities    = "capabilities"
	WarnTuner           = "tuner-active"
	WarnNoSystemd       = "no-systemd"
	WarnReadOnly        = "read-only"
	WarnTree            = "tree"
)

// warnings picks what a person should know before starting, gravest first.
func warnings(f *Facts) []string {
	out := []string{}
	add := func(key string, is bool) {
		if is {
			out = append(out, key)
		}
	}
	kysec := f.Security.KYSEC.Value
	add(WarnUnknownPlatform, !f.OS.Product.Known)
	add(WarnNoGoPort, f.Arch.GOARCH.Known && f.Arch.GOARCH.Value == "")
	add(WarnOldWorld, f.Kernel.World.Value == "old")
	add(WarnWorldsDiffer, f.Kernel.World.Value != "" && f.Kernel.UserWorld.Value != "" && f.Kernel.World.Value != f.Kernel.UserWorld.Value)
	add(WarnNoLSE, f.CPU.LSE.Known && !f.CPU.LSE.Value)
	add(WarnPages64K, f.Memory.PageSize.Value == 65536)
	add(WarnKYSEC, kysec == "on" || kysec == "warning")
	add(WarnUOSIntegrity, f.Security.UOSIntegrity.Value == "on")
	add(WarnClockPast, f.Clock.Past.Value)
	add(WarnClock, f.Clock.Synced.Known && !f.Clock.Synced.Value && !f.Clock.Past.Value)
	add(WarnNotActivated, f.Packages.Activated.Known && !f.Packages.Activated.Value)
	add(WarnContainer, f.Container.Value)
	add(WarnMemoryLimit, f.Memory.Limit.Value > 0)
	add(WarnNotRoot, f.User.Root.Known && !f.User.Root.Value)
	add(WarnCapabilities, f.User.Root.Value && len(f.User.Missing.Value) > 0)
	add(WarnTuner, len(activeTuners(f)) > 0)
	add(WarnNoSystemd, f.Init.Name.Known && f.Init.Name.Value != "systemd")
	add(WarnReadOnly, len(readOnly(f)) > 0)
	add(WarnTree, !f.Running)
	return out
}

func activeTuners(f *Facts) []string {
	var names []string
	for _, t := range f.Tuners.Value {
		if !t.Enabled {
			continue
		}
		name := t.Name
		if t.Profile != "" {
			name += " (" + t.Profile + ")"
		}
		names = append(names, name)
	}
	return names
}

// isReadOnly ends what a place on a read-only mount says of itself, in English.
const isReadOnly = " is read-only"

func readOnly(f *Facts) []string {
	var places []string
	for _, d := range f.Disks {
		if d.Writable.Known && !d.Writable.Value && strings.HasSuffix(d.Writable.From.EN, isReadOnly) && !slices.Contains(places, d.Path) {
			places = append(places, d.Path)
		}
	}
	return places
}

// Warn is the text of a warning; for a key it does not know, the key.
func Warn(key string, f *Facts) lang.Text {
	switch key {
	case WarnUnknownPlatform:
		name := lang.Same(f.OS.Name.Value)
		if name.Empty() {
			name = f.OS.Product.From
		}
		return lang.F("goxin does not know this platform: %s", "goxin 不认识这个平台：%s", name)
	case WarnNoGoPort:
		return lang.F("Go has no port for %s", "Go 不支持 %s", f.Arch.Machine.Value)
	case WarnOldWorld:
		return lang.T("old-world LoongArch kernel: programs built by upstream Go die without a word",
			"旧世界龙架构内核：上游 Go 编译的程序会直接段错误退出，没有任何提示")
	case WarnWorldsDiffer:
		return lang.F("the kernel is %s-world, the C library %s-world: what runs is decided by both",
			"内核属于%s，C 库属于%s：程序能否运行由两者共同决定", worldText(f.Kernel.World.Value), worldText(f.Kernel.UserWorld.Value))
	case WarnNoLSE:
		return lang.T("no LSE atomics: build for arm64 with GOARM64=v8.0 only", "不支持 LSE 原子指令：arm64 程序只能按 GOARM64=v8.0 编译")
	case WarnPages64K:
		return lang.T("64 KiB pages: programs with a 4 KiB jemalloc will not start", "64 KiB 内存页：按 4 KiB 页编译 jemalloc 的程序无法启动")
	case WarnKYSEC:
		if f.Security.KYSEC.Value == "warning" {
			return lang.T("KYSEC warns of unsigned programs: goxin marks what it installs", "KYSEC 会对未签名程序告警：goxin 会标记它所安装的程序")
		}
		return lang.T("KYSEC blocks unsigned programs: goxin marks what it installs", "KYSEC 会阻止未签名程序：goxin 会标记它所安装的程序")
	case WarnUOSIntegrity:
		return lang.T("UOS runs signed programs only, unless developer mode is on", "UOS 只允许已签名程序运行，除非开启开发者模式")
	case WarnClockPast:
		return lang.T("the clock is dead: it stands before this goxin was made. The time step sets it; until then every signature looks wrong", "时钟停摆：早于本程序的制作时间。请先做“时间”步骤，否则所有签名都会校验失败")
	case WarnNotActivated:
		return lang.T("the system is not activated: its own package sources may answer with 401. Activate it, or give a mirror of your site's", "系统未激活：官方软件源可能返回 401。请先激活，或使用本单位的镜像")
	case WarnClock:
		return lang.T("fix the clock first: signatures are judged by time", "先校准时钟：签名是否有效取决于时间")
	case WarnContainer:
		return lang.F("this is a container (%s): vm.*, fs.* and most of kernel.* belong to its host",
			"这是容器（%s）：vm.*、fs.* 和大部分 kernel.* 参数属于宿主机", f.Virt.Value)
	case WarnMemoryLimit:
		return lang.F("a cgroup limits memory to %s of %s", "cgroup 把内存限制为 %s（共 %s）", bytesText(f.Memory.Limit.Value), bytesText(f.Memory.Total.Value))
	case WarnNotRoot:
		return lang.T("not root: goxin can look and plan, but change nothing", "不是 root：goxin 只能查看和规划，不能修改")
	case WarnCapabilities:
		return lang.F("root without %s: some settings will be refused", "root 缺少 %s：部分设置会被拒绝", strings.Join(f.User.Missing.Value, " "))
	case WarnTuner:
		return lang.F("%s also sets kernel parameters and may undo ours", "%s 也在设置内核参数，可能覆盖 goxin 的设置", lang.List(activeTuners(f)...))
	case WarnNoSystemd:
		return lang.F("process 1 is %s, not systemd: no units, no settings at boot", "1 号进程是 %s，不是 systemd：没有服务单元，重启后设置不会生效", f.Init.Name.Value)
	case WarnReadOnly:
		return lang.F("read-only: %s", "只读：%s", strings.Join(readOnly(f), " "))
	case WarnTree:
		return lang.T("a tree, not a running machine: what runs takes effect at its next boot", "这是目录树，不是运行中的机器：运行时设置在下次启动时生效")
	}
	return lang.Same(key)
}

func worldText(world string) lang.Text {
	if world == "old" {
		return lang.T("old", "旧世界")
	}
	return lang.T("new", "新世界")
}
