package devtools

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/stock"
)

// Questions are asked of the machine the run is about.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // what is wrong is said where it is planned
	}
	id, f := hs.First()
	h, err := newHost(hs, sv, id, a)
	if err != nil {
		h = &host{id, f, &stock.Seen{Manager: stock.Manager(f)}, a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keyGroup:
			q.Why = h.whyGroup()
		case keyTools:
			q.Why = h.whyTools()
		case keyPackages:
			q.Why = lang.T("Empty: the tools above are enough for Go with cgo.", "留空即可：以上工具已够 Go 与 cgo 使用。")
		}
		out = append(out, q)
	}
	return out
}

func (h *host) whyGroup() lang.Text {
	g, known := h.group()
	names := strings.Join(g, ", ")
	switch {
	case h.seen.Manager == "":
		return lang.T("There is no package manager that goxin knows.", "本机没有 goxin 认识的包管理器。")
	case !h.a.Group, !h.seen.Asked:
		return lang.F("Here it is %s.", "在本系统上是 %s。", groupsOf(h.seen.Manager)[0])
	case !h.seen.Lists.Empty():
		return lang.F("Whether there is one is not known: %s.", "尚不清楚是否有工具组：%s。", h.seen.Lists)
	case !known:
		return lang.F("This system's sources have no such group; it would be %s.", "本系统的软件源中没有工具组，将改为 %s。", names)
	case h.seen.Has(names):
		return lang.F("Here it is %s, and it is installed.", "在本系统上是 %s，已安装。", names)
	}
	return lang.F("Here it is %s.", "在本系统上是 %s。", names)
}

func (h *host) whyTools() lang.Text {
	if !h.seen.Asked {
		return lang.T("These are enough for Go with cgo.", "这些已够 Go 与 cgo 使用。")
	}
	var there, not []string
	for _, t := range h.a.Tools {
		if p := packageOf(h.seen.Manager, t); h.seen.Has(p) {
			there = append(there, t+" "+op.Visible(h.seen.Installed[p]))
		} else {
			not = append(not, t)
		}
	}
	slices.Sort(not)
	switch {
	case len(h.a.Tools) == 0:
		return lang.T("None is asked for.", "目前一个也没有要求。")
	case len(not) == 0:
		return lang.F("All are here already: %s.", "本机已全部具备：%s。", strings.Join(there, ", "))
	case len(there) == 0:
		return lang.F("Missing here: %s.", "本机缺少：%s。", strings.Join(not, ", "))
	}
	return lang.F("Here already: %s; missing: %s.", "本机已有 %s；缺少 %s。", strings.Join(there, ", "), strings.Join(not, ", "))
}
