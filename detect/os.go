package detect

import (
	"strings"

	"goxin/assets/lang"
)

// release is what the files that name a distribution say.
type release struct {
	h      *host
	file   string            // the os-release that was read
	values map[string]string // its content
	id     string            // ID, lower-cased
	family Fact[string]
}

func (r release) get(key string) string { return r.values[key] }

func (r release) from(keys ...string) string {
	for i, k := range keys {
		keys[i] = k + "=" + r.values[k]
	}
	return r.file + " " + strings.Join(keys, " ")
}

// fact is the value of key, or unknown where the file has none.
func (r release) fact(key string) Fact[string] {
	v, ok := r.values[key]
	if !ok || v == "" {
		return unknown[string](lacks(r.file, key))
	}
	return known(v, r.file+" "+key)
}

// probeOS tells the distribution: the family is decided (probePackages), then
// the names are read in its light. A platform that is not in the table below
// stays unknown and says what was found.
func probeOS(h *host, f *Facts) {
	values, file, err := h.osRelease()
	if err != nil {
		why := unknown[string](told(err))
		o := &f.OS
		o.ID, o.Product, o.Name, o.Version, o.Edition, o.ServicePack, o.Codename = why, why, why, why, why, why, why
		return
	}
	r := release{h: h, file: file, values: values, id: strings.ToLower(values["ID"]), family: f.OS.Family}
	o := &f.OS
	o.ID = r.fact("ID")
	o.ID.Value = r.id
	o.Name = r.fact("PRETTY_NAME")
	o.Version = r.fact("VERSION_ID")
	o.Codename = r.fact("VERSION_CODENAME")
	o.Edition = known("", lang.T("no editions", "该系统不分版别"))
	o.ServicePack = known("", lang.T("no service packs", "该系统没有 SP"))
	switch r.id {
	case "kylin":
		kylin(r, o)
	case "neokylin":
		o.Product = r.product("neokylin", "rpm")
	case "uos":
		uos(r, o)
	case "openeuler":
		o.Product = r.product("openeuler", "rpm")
		openEuler(r, o)
	case "anolis", "opencloudos", "tencentos", "loongnix-server":
		o.Product = r.product(r.id, "rpm")
		o.Codename = parenthesised(r)
	case "loongnix", "deepin", "openkylin", "debian":
		o.Product = r.product(r.id, "deb")
	default:
		o.Product = r.otherFamily(remark(r.from("ID", "PRETTY_NAME"), lang.T("not a platform goxin knows", "goxin 尚不认识的平台")))
		o.Edition, o.ServicePack = unknown[string](o.Product.From), unknown[string](o.Product.From)
	}
}

// product is name where the package manager agrees that it is of that family.
func (r release) product(name, family string) Fact[string] {
	if r.family.Known && r.family.Value != family {
		return unknown[string](lang.F("%s, but the package manager is %s", "%s，但包管理器是 %s", r.from("ID"), r.family.From))
	}
	if r.family.Known {
		return known(name, r.withFamily("ID"))
	}
	return known(name, r.from("ID"))
}

// parenthesised is the codename in VERSION="V10 (Lance)"; "" where there is none.
func parenthesised(r release) Fact[string] {
	if v := r.get("VERSION_CODENAME"); v != "" {
		return known(v, r.file+" VERSION_CODENAME")
	}
	v := r.get("VERSION")
	_, after, ok := strings.Cut(v, "(")
	name, _, closed := strings.Cut(after, ")")
	if !ok || !closed {
		return known("", r.from("VERSION"))
	}
	return known(strings.TrimSpace(name), r.file+" VERSION")
}

// openEuler names its repository directories after VERSION: "22.03 (LTS-SP4)"
// and, of the one release without parentheses, "22.03 LTS".
func openEuler(r release, o *OS) {
	v := r.get("VERSION")
	fields := strings.FieldsFunc(v, func(c rune) bool { return strings.ContainsRune("()\" _", c) })
	o.Codename = known("", lang.T("no codenames", "该系统没有代号"))
	if len(fields) == 0 {
		o.Version = unknown[string](lacks(r.file, "VERSION"))
		o.ServicePack = o.Version
		return
	}
	o.Version = known(strings.Join(fields, "-"), r.file+" VERSION="+v)
	o.ServicePack = known("", r.file+" VERSION="+v)
	for _, part := range strings.Split(o.Version.Value, "-") {
		if strings.HasPrefix(part, "SP") {
			o.ServicePack.Value = part
		}
	}
}

// withFamily is what os-release says under keys, and what tells the family.
func (r release) withFamily(keys ...string) lang.Text {
	return and(r.from(keys...), r.family.From)
}

// otherFamily is what a platform cannot be told by: what was found, and the family.
func (r release) otherFamily(found lang.Text) Fact[string] {
	family := lang.T("unknown", "未知")
	if r.family.Known {
		family = lang.Same(r.family.Value)
	}
	return unknown[string](lang.F("%s; package family %s (%s)", "%s；软件包系列为 %s（%s）", found, family, r.family.From))
}
