package demo

import (
	"slices"

	"goxin/assets"
	"goxin/assets/lang"
)

// Machine is a captured machine to choose.
type Machine struct {
	Name    string
	Title   lang.Text
	Special lang.Text // what it has to show; may be empty
}

// known are the machines that goxin carries, the best to be shown first.
var known = []Machine{
	{"kylin-v10-sp3-kunpeng920", lang.T("Kunpeng 920, Kylin V10 SP3", "鲲鹏 920，银河麒麟 V10 SP3"), lang.T("64 KiB pages, execution control, a wrong clock", "64 KiB 页、执行控制、时钟不准")},
	{"loongnix-25-3a6000", lang.T("Loongson 3A6000, Loongnix 25", "龙芯 3A6000，Loongnix 25"), lang.T("LoongArch, new world, apt", "龙架构新世界，apt")},
	{"kylin-v11-3c6000", lang.T("Loongson 3C6000, Kylin V11", "龙芯 3C6000，银河麒麟 V11"), lang.T("LoongArch, new world", "龙架构新世界")},
	{"loongnix-20", lang.T("Loongson 3A5000, Loongnix 20", "龙芯 3A5000，Loongnix 20"), lang.T("LoongArch, old world: no release of Go runs", "龙架构旧世界：官方 Go 无法运行")},
	{"hygon-c86-7285", lang.T("Hygon C86 7285, Kylin V10 SP3", "海光 C86 7285，银河麒麟 V10 SP3"), lang.T("x86-64-v3, tuned at work", "x86-64-v3，tuned 在运行")},
	{"uos-server-20e", lang.T("Kunpeng 920, UOS Server 20 e", "鲲鹏 920，统信 UOS 服务器版 20（e）"), lang.T("sources that ask for a licence", "软件源需要授权")},
	{"uos-server-20d", lang.T("Phytium FT-2000+/64, UOS Server 20 d", "飞腾 FT-2000+/64，统信 UOS 服务器版 20（d）"), lang.T("apt, no LSE atomics", "apt，无 LSE 原子指令")},
	{"openeuler-24.03", lang.T("KVM guest on Kunpeng 920, openEuler 24.03", "鲲鹏 920 虚拟机，openEuler 24.03"), lang.T("a memory limit", "有内存限额")},
	{"openeuler-22.03", lang.T("Kunpeng 920, openEuler 22.03", "鲲鹏 920，openEuler 22.03"), lang.T("SELinux enforcing", "SELinux 强制模式")},
	{"kylin-desktop-v10sp1-d2000", lang.T("Phytium D2000/8, Kylin Desktop V10 SP1", "飞腾 D2000/8，银河麒麟桌面版 V10 SP1"), lang.T("apt, execution control warns", "apt，执行控制为告警模式")},
	{"zhaoxin-kx-u6780a", lang.T("Zhaoxin KX-U6780A, Kylin Desktop V10 SP1", "兆芯 KX-U6780A，银河麒麟桌面版 V10 SP1"), lang.T("x86-64 without AVX2", "无 AVX2 的 x86-64")},
	{"anolis-8", lang.T("Kunpeng 920, Anolis OS 8", "鲲鹏 920，龙蜥 Anolis OS 8"), lang.T("tuned installed and off", "已安装 tuned 但未启用")},
	{"anolis-23", lang.T("Loongson 3C5000, Anolis OS 23", "龙芯 3C5000，龙蜥 Anolis OS 23"), lang.T("LoongArch, new world on kernel 5.10", "龙架构新世界，5.10 内核")},
	{"debian-12", lang.T("KVM guest, Debian 12", "KVM 虚拟机，Debian 12"), lang.T("apt with mirror lists", "apt 镜像列表")},
	{"deepin-23", lang.T("Phytium D3000, deepin 23", "飞腾 D3000，deepin 23"), lang.T("apt, LSE atomics", "apt，有 LSE 原子指令")},
	{"uos-desktop-20", lang.T("Phytium FT-2000/4, UOS Desktop 20", "飞腾 FT-2000/4，统信 UOS 桌面版 20"), lang.T("runs signed programs only", "只运行已签名的程序")},
	{"uos-server-20a", lang.T("Hygon C86 7285, UOS Server 20 a", "海光 C86 7285，统信 UOS 服务器版 20（a）"), lang.T("made from Anolis 8", "源自龙蜥 8")},
	{"loongnix-server-23", lang.T("Loongson 3C5000, Loongnix Server 23", "龙芯 3C5000，Loongnix Server 23"), lang.T("LoongArch, new world", "龙架构新世界")},
	{"loongnix-server-8", lang.T("Loongson 3A5000, Loongnix Server 8", "龙芯 3A5000，Loongnix Server 8"), lang.T("LoongArch, old world", "龙架构旧世界")},
	{"loongson-3a4000", lang.T("Loongson 3A4000, Kylin Desktop V10 SP1", "龙芯 3A4000，银河麒麟桌面版 V10 SP1"), lang.T("MIPS, 16 KiB pages", "MIPS，16 KiB 页")},
	{"kylin-v10-sp2-kunpeng920", lang.T("Kunpeng 920, Kylin V10 SP2", "鲲鹏 920，银河麒麟 V10 SP2"), lang.T("96 cores, 64 KiB pages", "96 核，64 KiB 页")},
	{"kylin-v10-sp1-kunpeng920", lang.T("Kunpeng 920, Kylin V10 SP1", "鲲鹏 920，银河麒麟 V10 SP1"), lang.T("64 KiB pages", "64 KiB 页")},
}

// Machines are all there are, best first.
func Machines() []Machine {
	there := assets.Machines()
	out := slices.DeleteFunc(slices.Clone(known), func(m Machine) bool { return !slices.Contains(there, m.Name) })
	for _, name := range there {
		if !slices.ContainsFunc(out, func(m Machine) bool { return m.Name == name }) {
			out = append(out, Machine{Name: name, Title: lang.Same(name)})
		}
	}
	return out
}
