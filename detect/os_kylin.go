package detect

import (
	"strings"

	"goxin/assets/lang"
)

// kylinPacks are the service packs of Kylin server by codename: os-release has
// no other trace of them, and the repository's path depends on them.
func kylinPack(codename string) string {
	switch codename {
	case "Tercel":
		return "SP1"
	case "Sword":
		return "SP2"
	case "Lance":
		return "SP3"
	case "Halberd":
		return "SP3-2403"
	case "Swan25":
		return "2503"
	}
	return ""
}

// kylin tells apart the three products that share ID=kylin.
func kylin(r release, o *OS) {
	o.Version = r.fact("VERSION_ID")
	o.Version.Value = strings.ToUpper(o.Version.Value)
	server := strings.Contains(r.get("NAME"), "Server")
	switch {
	case r.family.Known && r.family.Value == "rpm", !r.family.Known && server:
		o.Product = known("kylin-server", r.withFamily("ID", "NAME"))
		kylinServer(r, o)
	case r.family.Known && r.family.Value == "deb" && !server:
		kylinDesktop(r, o)
	default:
		why := r.otherFamily(lang.Same(r.from("ID", "NAME")))
		o.Product, o.ServicePack, o.Edition = why, why, why
	}
}

func kylinServer(r release, o *OS) {
	o.Codename = parenthesised(r)
	o.ServicePack = r.kylinServerPack(o.Codename)
}

// kylinServerPack asks /etc/.productinfo, then the codename. SP3-2403 is an SP3
// to some files, so the longer name wins where one extends the other.
func (r release) kylinServerPack(codename Fact[string]) Fact[string] {
	byName := kylinPack(codename.Value)
	const file = "/etc/.productinfo"
	text, _ := r.h.read(file)
	info := parseProductInfo(text)
	switch {
	case info.pack == "" && byName != "":
		return known(byName, lang.F("%s: codename %s", "%s：代号 %s", codename.From, codename.Value))
	case info.pack == "":
		if m := kyinfoPack(r.h); m.Known {
			return m
		}
		return unknown[string](lang.F("codename %q of no known service pack, and none in %s", "代号 %q 不对应任何已知的 SP，%s 中也没有", codename.Value, file))
	case strings.HasPrefix(byName, info.pack):
		return known(byName, lang.F("%s: %s; codename %s", "%s：%s；代号 %s", file, info.line, codename.Value))
	case byName != "":
		return known(info.pack, lang.F("%s: %s (os-release's codename %s would be %s)", "%s：%s（按 os-release 的代号 %s 应为 %s）", file, info.line, codename.Value, byName))
	}
	return known(info.pack, remark(file, info.line))
}

type productInfo struct{ line, version, pack, codename string }

// parseProductInfo reads the second line of /etc/.productinfo:
// "release V10 (SP3) /(Lance)-x86_64-Build23/20230324".
func parseProductInfo(s string) productInfo {
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "release ")
		if !ok {
			continue
		}
		p := productInfo{line: line}
		p.version, rest, _ = strings.Cut(rest, " ")
		if i := strings.Index(rest, "(SP"); i >= 0 {
			p.pack, _, _ = strings.Cut(rest[i+1:], ")")
		}
		if i := strings.Index(rest, "/("); i >= 0 {
			p.codename, _, _ = strings.Cut(rest[i+2:], ")")
		}
		return p
	}
	return productInfo{}
}

// kyinfoPack reads milestone=10-SP1-Release-Build04-20200711 of /etc/.kyinfo.
func kyinfoPack(h *host) Fact[string] {
	text, err := h.read("/etc/.kyinfo")
	if err != nil {
		return unknown[string](told(err))
	}
	milestone := parseINI(text)["milestone"]
	for _, part := range strings.Split(milestone, "-") {
		if isPack(part) {
			return known(strings.ToUpper(part), "/etc/.kyinfo milestone="+milestone)
		}
	}
	return unknown[string]("/etc/.kyinfo milestone=" + milestone)
}

// isPack reports whether s is SP and a digit.
func isPack(s string) bool {
	return len(s) >= 3 && strings.EqualFold(s[:2], "sp") && s[2] >= '0' && s[2] <= '9'
}

// kylinDesktop knows V10 and later; 4.0 also came as a server with apt.
func kylinDesktop(r release, o *OS) {
	if v := o.Version.Value; !o.Version.Known || !strings.HasPrefix(v, "V1") {
		why := unknown[string](remark(r.from("ID", "NAME", "VERSION_ID"), lang.T("neither V10 nor later", "早于 V10")))
		o.Product, o.ServicePack, o.Edition = why, why, why
		return
	}
	o.Product = known("kylin-desktop", r.withFamily("ID", "NAME"))
	from := r.from("VERSION")
	pack := ""
	if i := strings.Index(r.get("VERSION"), "(SP"); i >= 0 {
		pack, _, _ = strings.Cut(r.get("VERSION")[i+1:], ")")
	}
	if project := r.get("PROJECT_CODENAME"); pack == "" && len(project) > 3 && isPack(project[3:]) {
		pack, from = strings.ToUpper(project[3:]), r.from("PROJECT_CODENAME")
	}
	if pack == "" {
		if m := kyinfoPack(r.h); m.Known {
			o.ServicePack = m
			return
		}
	}
	o.ServicePack = known(pack, from)
}
