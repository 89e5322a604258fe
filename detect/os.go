package detect

import (
	"fmt"
	"strings"
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
		return unknown[string](r.file + " has no " + key)
	}
	return known(v, r.file+" "+key)
}

// probeOS tells the distribution: the family is decided (probePackages), then
// the names are read in its light. A platform that is not in the table below
// stays unknown and says what was found.
func probeOS(h *host, f *Facts) {
	values, file, err := h.osRelease()
	if err != nil {
		why := unknown[string](err.Error())
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
	o.Edition = known("", "no editions")
	o.ServicePack = known("", "no service packs")
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
		o.Product = unknown[string](fmt.Sprintf("%s: %s; package family %s", r.from("ID", "PRETTY_NAME"),
			"not a platform goxin knows", orWhy(r.family)))
		o.Edition, o.ServicePack = unknown[string](o.Product.From), unknown[string](o.Product.From)
	}
}

// product is name where the package manager agrees that it is of that family.
func (r release) product(name, family string) Fact[string] {
	if r.family.Known && r.family.Value != family {
		return unknown[string](fmt.Sprintf("%s, but the package manager is %s", r.from("ID"), r.family.From))
	}
	from := r.from("ID")
	if r.family.Known {
		from += "; " + r.family.From
	}
	return known(name, from)
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
	o.Codename = known("", "no codenames")
	if len(fields) == 0 {
		o.Version = unknown[string](r.file + " has no VERSION")
		o.ServicePack = unknown[string](r.file + " has no VERSION")
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

func orWhy(f Fact[string]) string {
	if f.Known {
		return f.Value + " (" + f.From + ")"
	}
	return "unknown (" + f.From + ")"
}
