package tui

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
)

// factRow is one entry of the machine page: what it is called, what is known,
// and how that was learnt.
type factRow struct {
	label  lang.Text
	values []string
	from   []lang.Text
}

func (a *App) factRows(f *detect.Facts) []factRow {
	rows := []factRow{a.processorRow(f), a.memoryRow(f), a.systemRow(f), a.placeRow(f)}
	if !f.Running {
		return append(rows, a.securityRow(f)) // a tree has no clock and nobody in it
	}
	return append(rows, a.clockRow(f), a.securityRow(f), a.userRow(f))
}

// from says how one fact was learnt; known or not.
func from[T any](what lang.Text, f detect.Fact[T]) lang.Text {
	if !f.Known {
		return lang.F("%s: not known: %s", "%s：未知：%s", what, f.From)
	}
	return lang.F("%s: %s", "%s：%s", what, f.From)
}

func (a *App) processorRow(f *detect.Facts) factRow {
	c := f.CPU
	model := a.say("unknown processor", "未知处理器")
	if c.Model.Known {
		model = a.raw(c.Model.Value)
	}
	if c.Vendor.Known && !strings.Contains(strings.ToLower(model), strings.ToLower(c.Vendor.Value)) {
		model += " (" + a.raw(c.Vendor.Value) + ")"
	}
	var cores string
	switch {
	case c.Sockets.Known && c.Cores.Known && c.Sockets.Value > 1 && c.Cores.Value%c.Sockets.Value == 0:
		cores = a.say("%d × %d cores", "%d × %d 核", c.Sockets.Value, c.Cores.Value/c.Sockets.Value)
	case c.Cores.Known && c.Cores.Value > 0:
		cores = a.say("%d cores", "%d 核", c.Cores.Value)
	case c.Logical.Known:
		cores = a.say("%d CPUs", "%d 个 CPU", c.Logical.Value)
	}
	if cores != "" {
		model += a.say(", ", "，") + cores
	}
	arch := ""
	if f.Arch.Machine.Known {
		arch = a.raw(f.Arch.Machine.Value)
	}
	lse := ""
	if c.LSE.Known && f.Arch.GOARCH.Value == "arm64" {
		lse = a.say("LSE atomics %s", "LSE 原子指令：%s", yesNo(c.LSE.Value))
	}
	simd := ""
	if c.SIMD.Known && len(c.SIMD.Value) > 0 {
		simd = a.raw(strings.Join(c.SIMD.Value, " "))
	}
	numa := ""
	if c.NUMA.Known && c.NUMA.Value > 1 {
		numa = a.say("%d NUMA nodes", "%d 个 NUMA 节点", c.NUMA.Value)
	}
	return factRow{lang.T("Processor", "处理器"), lines(model, a.join(arch, lse, simd, numa)), []lang.Text{
		from(lang.T("model", "型号"), c.Model), from(lang.T("vendor", "厂商"), c.Vendor), from(lang.T("architecture", "架构"), f.Arch.Machine),
		from(lang.T("cores", "核数"), c.Cores), from(lang.T("vector units", "向量指令"), c.SIMD), from(lang.Same("NUMA"), c.NUMA),
	}}
}

func (a *App) memoryRow(f *detect.Facts) factRow {
	m := f.Memory
	total := a.say("size unknown", "容量未知")
	if m.Total.Known {
		total = bytesIEC(m.Total.Value)
	}
	page, swap, limit := "", "", ""
	if m.PageSize.Known {
		page = a.say("pages of %s", "页大小 %s", bytesIEC(uint64(m.PageSize.Value)))
	}
	if m.Swap.Known {
		swap = a.say("swap %s", "交换区 %s", bytesIEC(m.Swap.Value))
		if m.Swap.Value == 0 {
			swap = a.say("no swap", "无交换区")
		}
	}
	if m.Limit.Known && m.Limit.Value > 0 {
		limit = a.say("limited to %s", "限制为 %s", bytesIEC(m.Limit.Value))
	}
	return factRow{lang.T("Memory", "内存"), lines(a.join(total, page, swap, limit)), []lang.Text{
		from(lang.T("size", "容量"), m.Total), from(lang.T("page size", "页大小"), m.PageSize), from(lang.T("limit", "限制"), m.Limit),
	}}
}

func (a *App) systemRow(f *detect.Facts) factRow {
	name := a.say("unknown system", "未知系统")
	if f.OS.Name.Known {
		name = a.raw(f.OS.Name.Value)
	}
	if !f.OS.Product.Known {
		name += " " + a.say("(not a platform goxin knows)", "（goxin 尚不认识的平台）")
	}
	kernel, init, pm := "", "", ""
	if f.Kernel.Release.Known {
		kernel = a.say("kernel %s", "内核 %s", f.Kernel.Release.Value)
	}
	if f.Init.Name.Known {
		init = f.Init.Name.Value
		if f.Init.Version.Known && f.Init.Version.Value > 0 {
			init = fmt.Sprintf("%s %d", init, f.Init.Version.Value)
		}
	}
	if f.Packages.Manager.Known {
		pm = f.Packages.Manager.Value
	}
	return factRow{lang.T("System", "系统"), lines(name, a.join(a.raw(kernel), a.raw(init), a.raw(pm))), []lang.Text{
		from(lang.T("name", "名称"), f.OS.Name), from(lang.T("product", "产品"), f.OS.Product), from(lang.T("kernel", "内核"), f.Kernel.Release),
		from(lang.T("init", "初始化系统"), f.Init.Name), from(lang.T("package manager", "包管理器"), f.Packages.Manager),
	}}
}

func (a *App) placeRow(f *detect.Facts) factRow {
	virt := ""
	switch {
	case !f.Running:
		virt = a.say("a tree, not a running machine", "目录树，并非运行中的机器")
	case !f.Virt.Known:
		virt = a.say("unknown", "未知")
	case f.Virt.Value == "none":
		virt = a.say("physical machine", "物理机")
	case f.Container.Value:
		virt = a.say("container (%s): shares its host's kernel", "容器（%s）：与宿主机共用内核", f.Virt.Value)
	default:
		virt = a.say("virtual machine (%s)", "虚拟机（%s）", f.Virt.Value)
	}
	return factRow{lang.T("Runs on", "运行环境"), lines(virt), []lang.Text{from(lang.T("virtualisation", "虚拟化"), f.Virt)}}
}

func (a *App) clockRow(f *detect.Facts) factRow {
	v := a.say("not known whether synchronised", "是否同步未知")
	if f.Clock.Synced.Known {
		v = a.say("not synchronised", "未同步")
		if f.Clock.Synced.Value {
			v = a.say("synchronised", "已同步")
		}
	}
	source := ""
	if f.Clock.Source.Known && f.Clock.Source.Value != "none" {
		source = a.raw(f.Clock.Source.Value)
	}
	return factRow{lang.T("Clock", "时钟"), lines(a.join(v, source)), []lang.Text{
		from(lang.T("synchronised", "是否同步"), f.Clock.Synced), from(lang.T("source", "来源"), f.Clock.Source),
	}}
}

func (a *App) securityRow(f *detect.Facts) factRow {
	var parts []string
	s := f.Security
	if s.SELinux.Known && s.SELinux.Value != "absent" {
		parts = append(parts, "SELinux "+a.s(detect.StateText(s.SELinux.Value)))
	}
	if s.KYSEC.Known && s.KYSEC.Value != "absent" {
		parts = append(parts, "KYSEC "+a.s(kysecText(s.KYSEC.Value)))
	}
	if s.UOSIntegrity.Known && s.UOSIntegrity.Value != "absent" {
		parts = append(parts, a.say("UOS integrity check on", "UOS 完整性保护已启用"))
	}
	if len(parts) == 0 {
		parts = []string{a.say("nothing that forbids root anything", "没有限制 root 的机制")}
	}
	return factRow{lang.T("Security", "安全"), lines(a.join(parts...)), []lang.Text{
		from(lang.Same("SELinux"), s.SELinux), from(lang.Same("KYSEC"), s.KYSEC), from(lang.T("UOS integrity", "UOS 完整性"), s.UOSIntegrity),
	}}
}

func (a *App) userRow(f *detect.Facts) factRow {
	v := a.say("not root: goxin can look, not write", "非 root：只能查看，无法写入")
	if !f.User.Root.Known {
		v = a.say("unknown", "未知")
	} else if f.User.Root.Value {
		v = "root"
	}
	if m := f.User.Missing; m.Known && len(m.Value) > 0 {
		miss := slices.Clone(m.Value)
		v += a.s(lang.F(" without %s", "，缺少 %s", strings.Join(miss, " ")))
	}
	return factRow{lang.T("You are", "当前用户"), lines(v), []lang.Text{from(lang.T("user", "用户"), f.User.Root)}}
}

func yesNo(b bool) lang.Text {
	if b {
		return lang.T("yes", "有")
	}
	return lang.T("no", "无")
}

// kysecText says what of KYSEC is on: it can be more than that which stops programs.
func kysecText(s string) lang.Text {
	if s == "on" {
		return lang.T("exec control on", "执行控制已启用")
	}
	return detect.StateText(s)
}

func lines(ls ...string) []string {
	return slices.DeleteFunc(ls, func(s string) bool { return s == "" })
}

// bytesIEC writes a size in bytes with a binary unit, to at most one decimal.
func bytesIEC(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v /= 1024
		u++
	}
	if v == float64(uint64(v)) || v >= 100 {
		return fmt.Sprintf("%.0f %s", v, units[u])
	}
	return fmt.Sprintf("%.1f %s", v, units[u])
}
