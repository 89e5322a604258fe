package detect

import (
	"strings"

	"goxin/assets/lang"
)

// uos tells apart UnionTech's server 20 in its three editions (a, e: rpm; d:
// deb, with the same NAME and VERSION), server 25 and the desktops.
func uos(r release, o *OS) {
	codename := strings.ToLower(r.get("VERSION_CODENAME"))
	version, _ := r.h.read("/etc/os-version")
	v := parseINI(version)
	said := strings.ToLower(r.get("NAME") + " " + r.get("PRETTY_NAME"))
	o.Edition = unknown[string](lang.T("nothing names an edition", "没有任何文件标明版别"))
	o.ServicePack = unknown[string](lang.T("neither /etc/system-release-cpe nor /etc/os-version says", "/etc/system-release-cpe 与 /etc/os-version 均未标明"))
	rpm := r.family.Known && r.family.Value == "rpm"
	deb := r.family.Known && r.family.Value == "deb"
	switch {
	case rpm:
		o.Product = known("uos-server", r.withFamily("ID"))
	case deb && (codename == "fou" || strings.Contains(said, "server")):
		o.Product = known("uos-server", r.withFamily("ID", "VERSION_CODENAME"))
	case deb && (codename == "eagle" || codename == "uranus" || codename == "snipe" ||
		strings.Contains(said, "desktop") || strings.EqualFold(v["producttype"], "desktop")):
		o.Product = known("uos-desktop", r.withFamily("ID", "VERSION_CODENAME"))
	default:
		o.Product = r.otherFamily(lang.Same(r.from("ID", "PRETTY_NAME", "VERSION_CODENAME")))
		return
	}
	// The home edition's VERSION_ID is "20 Home".
	if number, edition, ok := strings.Cut(o.Version.Value, " "); ok {
		o.Version.Value = number
		o.Edition = known(edition, r.from("VERSION_ID"))
	}
	if o.Product.Value == "uos-server" {
		uosServer(r, o, codename)
	} else {
		uosDesktop(r, o, v)
	}
	if minor := v["minorversion"]; minor != "" && !o.ServicePack.Known {
		o.ServicePack = known(minor, "/etc/os-version MinorVersion")
	}
}

func uosServer(r release, o *OS, codename string) {
	if o.Version.Value != "20" {
		o.Edition = known("", lang.T("only version 20 has editions", "只有 20 版区分版别"))
		return
	}
	// cpe:/o:UOS:UOS Server 20:1060e:ga:server
	const file = "/etc/system-release-cpe"
	cpe := r.h.line(file)
	for _, part := range strings.Split(cpe, ":") {
		minor := strings.TrimRight(part, "abcdefghijklmnopqrstuvwxyz")
		if edition := part[len(minor):]; len(minor) == 4 && isDigits(minor) && len(edition) <= 1 {
			o.ServicePack = known(minor, file+" "+cpe)
			if edition != "" {
				o.Edition = known(edition, file+" "+cpe)
				return
			}
		}
	}
	platform := r.get("PLATFORM_ID")
	switch {
	case platform == "platform:uelc20":
		o.Edition = known("a", r.from("PLATFORM_ID"))
	case platform == "platform:uel20":
		o.Edition = known("e", r.from("PLATFORM_ID"))
	case codename == "kongzi" || codename == "kongli":
		o.Edition = known("a", r.from("VERSION_CODENAME"))
	case codename == "fuyu":
		o.Edition = known("e", r.from("VERSION_CODENAME"))
	case codename == "fou" && r.family.Value == "deb":
		o.Edition = known("d", r.withFamily("VERSION_CODENAME"))
	}
}

func uosDesktop(r release, o *OS, v map[string]string) {
	switch {
	case v["editionname"] != "":
		o.Edition = known(v["editionname"], "/etc/os-version EditionName")
	case strings.HasSuffix(r.get("PRETTY_NAME"), " Pro"), strings.HasSuffix(r.get("PRETTY_NAME"), " Professional"):
		o.Edition = known("Professional", r.from("PRETTY_NAME"))
	case strings.HasSuffix(r.get("PRETTY_NAME"), " Home"):
		o.Edition = known("Home", r.from("PRETTY_NAME"))
	case strings.HasSuffix(r.get("PRETTY_NAME"), " E"):
		o.Edition = known("E", r.from("PRETTY_NAME"))
	}
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
