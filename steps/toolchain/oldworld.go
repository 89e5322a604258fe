package toolchain

import (
	"path"
	"slices"

	"goxin/assets/golang"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/steps/overlay"
)

// oldWorld says that the kernel has the first interface of LoongArch, on which no
// release of Go runs: its signal sets are twice as large (runtime/os_linux_generic.go
// has those of the second).
func oldWorld(f *detect.Facts) bool { return f.Kernel.World.Known && f.Kernel.World.Value == "old" }

// forOldWorld says that a way to come by a Go is one for such a kernel.
func forOldWorld(how string) bool { return how == howVendor || how == howOverlay }

func whyOldWorld() lang.Text {
	return lang.T("This LoongArch kernel has the first interface (ABI 1.0, the old world); the Go project's releases run on the second only.", "本机 LoongArch 内核为旧世界（ABI 1.0），Go 官方发布包只能在新世界运行。")
}

func noRelease(v string) *Trouble {
	return trouble(lang.Errorf(nil, "cannot install %s: this LoongArch kernel has the first interface (ABI 1.0, the old world), and the Go project's releases run on the second only", "无法安装 %s：本机 LoongArch 内核为旧世界（ABI 1.0），而 Go 官方发布包只能在新世界运行", v).
		WithHint("how: vendor takes Loongson's own Go, proved by a pinned SHA-256; how: overlay builds a release here from proved source with goxin's overlay (experimental). On a kernel of the new world (5.19 or newer) the releases run",
			"how: vendor 使用龙芯自行编译的 Go（依据内置 SHA-256 验证）；how: overlay 用验证过的源码加 goxin 补丁在本机编译（试验性）。换用新世界内核（5.19 及以上）后可用官方发布包"))
}

// unfit says, as w's trouble, that what is asked for is not for this kernel.
func (l *looker) unfit(w *Wanted) bool {
	switch old := oldWorld(l.facts); {
	case old && !forOldWorld(l.a.How):
		w.Trouble = noRelease(w.Version)
	case !l.facts.Kernel.World.Known && l.facts.Arch.GOARCH.Value == overlay.Arch && forOldWorld(l.a.How):
		w.Trouble = trouble(lang.Errorf(nil, "cannot install %s by how: %s: it is not known of which of LoongArch's worlds this kernel is (%s)", "无法以 how: %[2]s 安装 %[1]s：无法判断本机内核属于龙架构的哪个世界（%[3]s）", w.Version, l.a.How, l.facts.Kernel.World.From).
			WithHint("send what `goxin capture --oldworld` writes; without how, the Go project's release is tried", "请反馈 `goxin capture --oldworld` 生成的文件；去掉 how 则尝试官方发布包"))
	case !old && forOldWorld(l.a.How):
		w.Trouble = trouble(lang.Errorf(nil, "cannot install %s by how: %s: that is for a kernel of LoongArch's old world, and this one is not", "无法以 how: %[2]s 安装 %[1]s：它只用于龙架构旧世界内核，而本机不是", w.Version, l.a.How).
			WithHint("leave how out: the Go project's own release runs here", "去掉 how 即可：本机可以运行官方发布包"))
	case l.a.How == howOverlay && !overlay.Knows(w.Version):
		w.Trouble = trouble(lang.Errorf(nil, "cannot build %s with goxin's overlay: its runtime is not known", "无法用 goxin 补丁编译 %s：不认识它的运行时源码", w.Version).
			WithHint("it is known of these: %s", "已知版本：%s", lang.List(overlay.Releases()...)))
	default:
		return false
	}
	return true
}

// offered are the versions that a line or "latest" may mean.
func (l *looker) offered() []string {
	switch l.a.How {
	case howOverlay:
		return slices.DeleteFunc(overlay.Releases(), func(v string) bool { return !slices.Contains(l.seen.Known, v) })
	case howVendor:
		var out []string
		for _, v := range l.cat.Vendor {
			out = append(out, v.Version)
		}
		return out
	}
	return slices.Clone(l.seen.Known)
}

// fromVendor has w come from Loongson, or out of the directory that was given, if it is
// the very file whose SHA-256 is pinned.
func (l *looker) fromVendor(w *Wanted) {
	i := slices.IndexFunc(l.cat.Vendor, func(v golang.Vendor) bool { return v.Version == w.Version })
	if i < 0 {
		w.Trouble = trouble(lang.Errorf(nil, "cannot install Loongson's %s: nothing proves it: its SHA-256 is not pinned", "无法安装龙芯的 %s：无从验证，没有内置其 SHA-256", w.Version).
			WithHint("pinned are %s", "已内置：%s", lang.List(l.offered()...)))
		return
	}
	v := l.cat.Vendor[i]
	w.SHA256, w.From, w.Format, w.Sources = v.SHA256, v.From, formatTar, []string{v.URL}
	if l.shelf != nil {
		file, _ := l.shelf.find(w.Version, l.seen.Arch, false)
		if file == "" {
			w.Trouble = trouble(l.shelf.lacks(w.Version, l.seen.Arch, false))
			return
		}
		w.Sources = []string{file}
	} else if isURL(l.a.Source) {
		w.Sources = []string{l.a.Source + "/" + path.Base(v.URL)}
	}
	w.Dir = l.dir(w)
}
