package report

import (
	"fmt"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

func machineOf(id machine.ID, f *detect.Facts) Machine {
	m := Machine{ID: id, Title: lang.Same(clean(string(id))), Facts: []Fact{}}
	if f == nil {
		return m
	}
	if t := f.Title(); !t.Empty() {
		m.Title = cleanText(t)
	}
	for _, fact := range factsOf(f) {
		m.Facts = append(m.Facts, Fact{cleanText(fact.Name), cleanText(fact.Value), cleanText(fact.From)})
	}
	for _, key := range f.Warnings {
		m.Warnings = append(m.Warnings, cleanText(detect.Warn(key, f)))
	}
	return m
}

// sheet gathers rows. What is not known of a tree, because nothing runs there, is
// gathered in one.
type sheet struct {
	rows    []Fact
	running bool
	unknown []lang.Text
}

// row adds a fact as say writes it.
func row[T any](s *sheet, name lang.Text, f detect.Fact[T], say func(T) lang.Text) {
	from := lang.F("%s", "%s", f.From)
	switch {
	case f.Known:
		s.rows = append(s.rows, Fact{name, say(f.Value), from})
	case s.running:
		s.rows = append(s.rows, Fact{name, lang.T("not known", "未知"), from})
	default:
		s.unknown = append(s.unknown, name)
	}
}

func same(s string) lang.Text {
	if s == "" {
		return lang.T("none", "无")
	}
	return lang.Same(s)
}

func number(n int) lang.Text { return lang.Same(fmt.Sprint(n)) }

func words(l []string) lang.Text { return same(strings.Join(l, " ")) }

func yes(b bool) lang.Text {
	if b {
		return lang.T("yes", "是")
	}
	return lang.T("no", "否")
}

func factsOf(f *detect.Facts) []Fact {
	s := &sheet{running: f.Running}
	c, m := f.CPU, f.Memory
	row(s, lang.T("Host name", "主机名"), f.Hostname, same)
	row(s, lang.T("Architecture", "架构"), f.Arch.Machine, same)
	row(s, lang.T("Processor", "处理器"), c.Model, func(model string) lang.Text {
		if name := c.Name(); !name.Empty() && name.EN != model {
			return lang.F("%s (%s)", "%s（%s）", name, model)
		}
		return same(model)
	})
	row(s, lang.T("Vendor", "厂商"), c.Vendor, same)
	row(s, lang.T("Sockets", "处理器插槽"), c.Sockets, number)
	row(s, lang.T("Cores", "核数"), c.Cores, number)
	row(s, lang.T("CPUs online", "在线 CPU"), c.Logical, number)
	row(s, lang.T("NUMA nodes", "NUMA 节点"), c.NUMA, number)
	row(s, lang.T("Vector units", "向量指令"), c.SIMD, words)
	if f.Arch.GOARCH.Value == "arm64" {
		row(s, lang.T("LSE atomics", "LSE 原子指令"), c.LSE, yes)
	}
	row(s, lang.T("Level for Go", "Go 可用的指令级别"), c.Level, same)
	row(s, lang.T("Memory", "内存"), m.Total, size)
	row(s, lang.T("Swap", "交换区"), m.Swap, size)
	row(s, lang.T("Page size", "内存页"), m.PageSize, func(n int) lang.Text { return size(uint64(max(n, 0))) })
	row(s, lang.T("Memory limit", "内存限制"), m.Limit, func(n uint64) lang.Text {
		if n == 0 {
			return lang.T("none", "无")
		}
		return size(n)
	})
	row(s, lang.T("System", "操作系统"), f.OS.Name, same)
	row(s, lang.T("Version", "版本"), f.OS.Version, func(v string) lang.Text {
		return same(strings.TrimSpace(v + " " + f.OS.ServicePack.Value))
	})
	row(s, lang.T("Kernel", "内核"), f.Kernel.Release, same)
	if f.Kernel.World.Value != "" {
		row(s, lang.T("LoongArch world", "龙架构世界"), f.Kernel.World, func(w string) lang.Text {
			if w == "old" {
				return lang.T("old (ABI 1.0)", "旧世界（ABI 1.0）")
			}
			return lang.T("new", "新世界")
		})
	}
	row(s, lang.T("C library", "C 库"), f.Libc.Version, func(v string) lang.Text { return same(strings.TrimSpace(f.Libc.Name.Value + " " + v)) })
	row(s, lang.T("Package manager", "包管理器"), f.Packages.Manager, same)
	row(s, lang.T("Process 1", "1 号进程"), f.Init.Name, func(n string) lang.Text {
		if v := f.Init.Version; v.Known && v.Value > 0 {
			return lang.Same(fmt.Sprintf("%s %d", n, v.Value))
		}
		return same(n)
	})
	row(s, lang.T("Virtualisation", "虚拟化"), f.Virt, func(v string) lang.Text {
		switch {
		case v == "none":
			return lang.T("none: a physical machine", "无：物理机")
		case f.Container.Value:
			return lang.F("container (%s)", "容器（%s）", v)
		}
		return lang.F("virtual machine (%s)", "虚拟机（%s）", v)
	})
	row(s, lang.Same("SELinux"), f.Security.SELinux, detect.StateText)
	row(s, lang.T("KYSEC", "KYSEC 安全机制"), f.Security.KYSEC, detect.StateText)
	if f.Security.UOSIntegrity.Value != "absent" {
		row(s, lang.T("UOS integrity check", "UOS 完整性保护"), f.Security.UOSIntegrity, detect.StateText)
	}
	row(s, lang.T("Clock synchronised", "时钟已同步"), f.Clock.Synced, yes)
	row(s, lang.T("Time service", "校时服务"), f.Clock.Source, func(v string) lang.Text {
		if v == "none" {
			v = ""
		}
		return same(v)
	})
	row(s, lang.T("Other tuners", "其他调优程序"), f.Tuners, tuners)
	row(s, lang.T("goxin ran as root", "以 root 运行 goxin"), f.User.Root, yes)
	s.places(f)
	if len(s.unknown) > 0 {
		var en, zh []string
		for _, n := range s.unknown {
			en, zh = append(en, n.EN), append(zh, n.ZH)
		}
		s.rows = append(s.rows, Fact{
			lang.T("Not known", "未知"), lang.T(strings.Join(en, ", "), strings.Join(zh, "、")),
			lang.T("a tree: nothing runs there", "目录树：其中没有任何程序在运行"),
		})
	}
	return s.rows
}

func tuners(ts []detect.Tuner) lang.Text {
	var names []string
	for _, t := range ts {
		if t.Enabled {
			names = append(names, strings.TrimSpace(t.Name+" "+t.Profile))
		}
	}
	return same(strings.Join(names, ", "))
}

// places are the disks and the interfaces that are more than the machine's own.
func (s *sheet) places(f *detect.Facts) {
	for i, d := range f.Disks {
		if !d.Space.Known || slices.ContainsFunc(f.Disks[:i], func(o detect.Disk) bool { return o.Space.Known && o.Space.Value == d.Space.Value }) {
			continue
		}
		var on []string // the same disk, as far as one can see
		for _, o := range f.Disks[i:] {
			if o.Space.Known && o.Space.Value == d.Space.Value {
				on = append(on, o.For)
			}
		}
		s.rows = append(s.rows, Fact{
			lang.T("Room on disk", "磁盘可用空间"),
			lang.F("%s of %s: %s", "%s / %s：%s", size(d.Space.Value.Free), size(d.Space.Value.Total), strings.Join(on, " ")), lang.F("%s", "%s", d.Space.From),
		})
	}
	for _, i := range f.Network {
		if i.Virtual {
			continue
		}
		en := []string{i.State, fmt.Sprintf("MTU %d", i.MTU)}
		if i.Speed > 0 {
			en = append(en, fmt.Sprintf("%d Mbit/s", i.Speed))
		}
		s.rows = append(s.rows, Fact{lang.F("Interface %s", "网卡 %s", i.Name), lang.T(strings.Join(en, ", "), strings.Join(en, "，")), lang.Text{}})
	}
}

// size writes a size in bytes with a binary unit, to at most one decimal.
func size(n uint64) lang.Text {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, u := float64(n), 0
	for v >= 1024 && u < len(units)-1 {
		v /= 1024
		u++
	}
	if v == float64(uint64(v)) || v >= 100 {
		return lang.Same(fmt.Sprintf("%.0f %s", v, units[u]))
	}
	return lang.Same(fmt.Sprintf("%.1f %s", v, units[u]))
}
