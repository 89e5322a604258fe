package libs

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/stock"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *Seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	seen, err := seenOn(sv, id)
	if err != nil {
		return nil, err
	}
	h := &host{id: id, facts: hs.Facts[id], seen: seen, a: a}
	if len(sv) == 0 { // nobody looked: as if nothing were there
		seen.Offers = map[string]Offer{}
		for _, q := range required(h.facts, a) {
			seen.Offers[q.Name] = Offer{Packages: q.Packages, From: "table"}
		}
		seen.Stock.Manager = stock.Manager(h.facts)
	}
	return h, nil
}

// lack is a library that is missing, and what is offered for it.
type lack struct {
	Name    string   // of the requirement, or the SONAME
	Sonames []string // any one of them
	Need    *Need    // nil for a requirement
	Offer   Offer
}

// comes says whether its package is to be installed.
func (l *lack) comes() bool { return len(l.Offer.Packages) > 0 && l.Offer.Installed == "" }

// lacks are the libraries that a package could bring: the requirements in the
// order they are listed in, then what programs need.
func (h *host) lacks() []lack {
	var out []lack
	for _, q := range required(h.facts, h.a) {
		if h.seen.Found[q.Name] == "" {
			out = append(out, lack{q.Name, q.Sonames, nil, h.seen.Offers[q.Name]})
		}
	}
	for i, n := range h.seen.Needs {
		if n.curable() {
			out = append(out, lack{n.Library, []string{n.Library}, &h.seen.Needs[i], h.seen.Offers[n.Library]})
		}
	}
	return out
}

// blind says whether something has to come and the package lists know nothing.
func (h *host) blind() bool {
	if !h.seen.Stock.Asked || h.seen.Stock.Lists.Empty() {
		return false
	}
	return len(h.lacks()) > 0 || slices.ContainsFunc(h.a.Packages, func(p string) bool { return !h.seen.Stock.Has(p) })
}

// runs says whether programs run there, so that packages can be installed.
func (h *host) runs() bool {
	return h.facts.Running && (h.seen.Stock.Asked || h.seen.Stock.Manager == "")
}

// packages are the names to be installed, and what each has.
func (h *host) packages() (names []string, has map[string][]string) {
	has = map[string][]string{}
	for _, l := range h.lacks() {
		if l.comes() {
			p := l.Offer.Packages[0]
			has[p] = append(has[p], op.Visible(l.Name))
		}
	}
	for p := range has {
		names = append(names, p)
	}
	names = append(names, h.a.Packages...)
	slices.Sort(names)
	return slices.Compact(names), has
}

// Ops is one set of packages on each machine that lacks something.
func (Step) Ops(hs engine.Hosts, sv engine.Survey, v engine.Values) ([]engine.Item, error) {
	a, err := readAnswers(v)
	if err != nil {
		return nil, err
	}
	var items []engine.Item
	for _, id := range hs.Order {
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		names, has := h.packages()
		switch {
		case h.seen.Stock.Manager == "":
		case h.blind():
			items = append(items, engine.Item{On: id, Unknown: "mirror"})
		case len(names) > 0:
			items = append(items, engine.Item{On: id, Op: &op.Packages{Manager: h.seen.Stock.Manager, Names: names, Reason: h.reason(names, has)}})
		}
	}
	return items, nil
}

func (h *host) reason(names []string, has map[string][]string) lang.Text {
	var en, zh []string
	for _, p := range names {
		t := lang.F("%s is asked for.", "%s 是应答中要求的。", p)
		if len(has[p]) > 0 {
			t = lang.F("%s has %s.", "%s 提供 %s。", p, strings.Join(has[p], ", "))
		}
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	source := lang.T("the programs' ELF headers; the package manager", "程序的 ELF 头；包管理器")
	if !h.seen.Stock.Asked {
		source = lang.T("the programs' ELF headers; the names this family gives its packages, since nothing can be asked here", "程序的 ELF 头；本系列系统的软件包命名（此处无法查询）")
	}
	return lang.F("%[1]s\nSource: %[2]s\nRisk: packages bring others along; all of them are listed.", "%[3]s\n依据：%[2]s\n风险：会连带安装其他软件包，均已列出。",
		strings.Join(en, " "), source, strings.Join(zh, ""))
}

// age reads what a version a program wants says of the C library: 34 off
// GLIBC_2.34.
func age(n Need) (minor int, ok bool) {
	v, ok := strings.CutPrefix(n.Version, "GLIBC_2.")
	if !ok || n.Problem != elf.LacksVersion {
		return 0, false
	}
	v, _, _ = strings.Cut(v, ".")
	for _, c := range v {
		if c < '0' || c > '9' || minor > 999 {
			return 0, false
		}
		minor = minor*10 + int(c-'0')
	}
	return minor, v != ""
}
