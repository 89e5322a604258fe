package detect

import (
	"strings"

	"goxin/assets/lang"
)

// probePackages decides the family by the package manager that is there: names
// lie (three products call themselves ID=kylin), programs do not.
func probePackages(h *host, f *Facts) {
	rpm := h.first("/usr/bin/dnf", "/usr/bin/yum", "/usr/bin/dnf5", "/usr/bin/rpm", "/bin/rpm")
	deb := ""
	if h.exists("/usr/bin/apt-get") && h.first("/usr/bin/dpkg", "/usr/bin/dpkg.real") != "" {
		deb = "/usr/bin/apt-get"
	}
	switch {
	case rpm != "" && deb != "":
		// Debian ships dnf and rpm as tools; the database in use decides.
		if h.first("/var/lib/dpkg/status", "/usr/lib/dpkg/var/status") == "" {
			f.OS.Family = known("rpm", lang.F("%s and %s, but no /var/lib/dpkg/status", "有 %s 与 %s，但没有 /var/lib/dpkg/status", rpm, deb))
		} else if db := h.rpmDatabase(); db == "" {
			f.OS.Family = known("deb", lang.F("%s and %s, but no rpm database", "有 %s 与 %s，但没有 rpm 数据库", deb, rpm))
		} else {
			f.OS.Family = h.familyByName(rpm, deb)
		}
	case rpm != "":
		f.OS.Family = known("rpm", rpm)
	case deb != "":
		f.OS.Family = known("deb", deb)
	default:
		f.OS.Family = unknown[string](lang.T("neither dnf, yum, rpm nor apt-get with dpkg in /usr/bin", "/usr/bin 中既没有 dnf、yum、rpm，也没有 apt-get 与 dpkg"))
	}
	f.Packages.Manager = h.manager(f.OS.Family)
	f.Packages.Activated = h.activation(f.OS.Family)
}

func (h *host) manager(family Fact[string]) Fact[string] {
	if !family.Known {
		return unknown[string](family.From)
	}
	if family.Value == "deb" {
		return known("apt", "/usr/bin/apt-get")
	}
	for _, p := range []struct{ file, name string }{
		{"/usr/bin/dnf", "dnf"}, {"/usr/bin/dnf5", "dnf"}, {"/usr/bin/yum", "yum"},
	} {
		if h.exists(p.file) {
			return known(p.name, p.file)
		}
	}
	return unknown[string](lang.T("rpm without dnf and yum", "有 rpm，但没有 dnf 与 yum"))
}

func (h *host) rpmDatabase() string {
	return h.first("/var/lib/rpm/Packages", "/var/lib/rpm/Packages.db", "/var/lib/rpm/rpmdb.sqlite",
		"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db")
}

// familyByName is asked only where both families' databases are there.
func (h *host) familyByName(rpm, deb string) Fact[string] {
	rel, file, err := h.osRelease()
	if err != nil {
		return unknown[string](and(lang.F("%s and %s", "%s 与 %s", rpm, deb), told(err)))
	}
	id := strings.ToLower(rel["ID"])
	from := and(lang.F("%s and %s", "%s 与 %s", rpm, deb), file+" ID="+id)
	switch id {
	case "openeuler", "anolis", "opencloudos", "tencentos", "loongnix-server", "neokylin":
		return known("rpm", from)
	case "debian", "deepin", "loongnix", "openkylin":
		return known("deb", from)
	case "kylin":
		if strings.Contains(rel["NAME"], "Server") {
			return known("rpm", lang.F("%s %s", "%s %s", from, "NAME="+rel["NAME"]))
		}
	}
	return unknown[string](from)
}
