package detect

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
)

// Title is the machine in one line, as a header says it:
// "kp-01 · Kunpeng 920, 64 cores · Kylin V10 SP3 · aarch64". What is not known
// is left out.
func (f *Facts) Title() lang.Text {
	var en, zh []string
	add := func(t lang.Text) {
		if !t.Empty() {
			en, zh = append(en, t.EN), append(zh, t.ZH)
		}
	}
	add(lang.Same(f.Hostname.Value))
	add(f.cpuTitle())
	add(f.osTitle())
	add(lang.Same(f.Arch.Machine.Value))
	return lang.T(strings.Join(en, " · "), strings.Join(zh, " · "))
}

func (f *Facts) cpuTitle() lang.Text {
	name := f.CPU.Name()
	n := f.CPU.Cores
	if !n.Known {
		n = f.CPU.Logical
	}
	switch {
	case name.Empty() && !n.Known:
		return lang.Text{}
	case !n.Known:
		return name
	case name.Empty():
		return lang.F("%d cores", "%d 核", n.Value)
	case n.Value == 1:
		return lang.F("%s, 1 core", "%s 单核", name)
	}
	return lang.F("%s, %d cores", "%s %d 核", name, n.Value)
}

// Name is the processor as people call it: Kunpeng 920, 鲲鹏 920.
func (c CPU) Name() lang.Text {
	m := shortModel(c.Model.Value)
	for _, brand := range []struct{ prefix, en, zh string }{
		{"Kunpeng-", "Kunpeng ", "鲲鹏 "},
		{"Kunpeng ", "Kunpeng ", "鲲鹏 "},
		{"Phytium ", "Phytium ", "飞腾 "},
		{"Loongson-", "Loongson ", "龙芯 "},
		{"Hygon ", "Hygon ", "海光 "},
		{"ZHAOXIN KaiXian ", "Zhaoxin ", "兆芯开先 "},
		{"ZHAOXIN KaiSheng ", "Zhaoxin ", "兆芯开胜 "},
		{"ZHAOXIN ", "Zhaoxin ", "兆芯 "},
	} {
		if rest, ok := strings.CutPrefix(m, brand.prefix); ok {
			return lang.T(brand.en+rest, brand.zh+rest)
		}
	}
	if m == "" {
		return lang.Same(c.Vendor.Value)
	}
	return lang.Same(m)
}

// shortModel drops what model strings say beyond the model: clock, core count,
// "(R)", "Processor".
func shortModel(s string) string {
	s, _, _ = strings.Cut(s, "@")
	words := strings.Fields(strings.NewReplacer("(R)", "", "(TM)", "", "(tm)", "", "CPU", "", "Processor", "", "-HV", "").Replace(s))
	kept := words[:0]
	for _, w := range words {
		if !strings.HasSuffix(w, "-core") && !strings.HasSuffix(w, "-Core") {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}

func (f *Facts) osTitle() lang.Text {
	if !f.OS.Product.Known {
		return lang.Same(f.OS.Name.Value)
	}
	name := productName(f.OS.Product.Value)
	version := f.OS.Version.Value
	pack := f.OS.ServicePack.Value
	if pack != "" && !strings.Contains(version, pack) {
		version = strings.TrimSpace(version + " " + pack)
	}
	// UnionTech writes 1060e: the edition belongs to the minor version.
	if f.OS.Product.Value == "uos-server" && len(f.OS.Edition.Value) == 1 {
		if pack == "" {
			version += " "
		}
		version += f.OS.Edition.Value
	}
	return lang.F("%s %s", "%s %s", name, version)
}

// productName is a product as its maker calls it.
func productName(product string) lang.Text {
	switch product {
	case "kylin-server":
		return lang.T("Kylin", "银河麒麟")
	case "kylin-desktop":
		return lang.T("Kylin Desktop", "银河麒麟桌面")
	case "neokylin":
		return lang.T("NeoKylin", "中标麒麟")
	case "uos-server":
		return lang.T("UOS Server", "统信 UOS 服务器版")
	case "uos-desktop":
		return lang.T("UOS Desktop", "统信 UOS 桌面版")
	case "openeuler":
		return lang.Same("openEuler")
	case "anolis":
		return lang.T("Anolis OS", "龙蜥 Anolis OS")
	case "opencloudos":
		return lang.Same("OpenCloudOS")
	case "tencentos":
		return lang.Same("TencentOS")
	case "loongnix":
		return lang.Same("Loongnix")
	case "loongnix-server":
		return lang.T("Loongnix-Server", "Loongnix 服务器版")
	case "deepin":
		return lang.T("deepin", "深度 deepin")
	case "openkylin":
		return lang.T("openKylin", "开放麒麟")
	case "debian":
		return lang.Same("Debian")
	}
	return lang.Same(product)
}

// bytesText writes a size in binary units, rounded: 256 GiB.
func bytesText(n uint64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	v, u := float64(n), 0
	for v >= 1023.5 && u < len(units)-1 {
		v, u = v/1024, u+1
	}
	if v < 10 && u > 0 {
		return fmt.Sprintf("%.1f %s", v, units[u])
	}
	return fmt.Sprintf("%.0f %s", v, units[u])
}
