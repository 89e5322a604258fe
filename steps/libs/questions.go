package libs

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
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
		h = &host{id: id, facts: f, seen: &Seen{}, a: a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keyRequire:
			q.Why = h.whyRequire()
		case keyPaths:
			q.Why = lang.T("Empty: only the libraries above are looked for. Name the programs that will run here, if they link to C libraries; Go programs built with CGO_ENABLED=0 need none.",
				"留空则只检查上面的库。若要运行的程序链接了 C 库，请填写其路径；用 CGO_ENABLED=0 编译的 Go 程序不需要任何库。")
		case keyPackages:
			q.Why = lang.T("Empty: nothing but what is missing comes.", "留空则只安装缺少的。")
		case keyIgnore:
			missing := h.missing()
			if missing == nil && len(a.Ignore) == 0 {
				continue
			}
			q.Why = lang.T("Besides these nothing is missing.", "除此之外没有缺失。")
			if missing != nil {
				q.Why = lang.F("Missing now: %s.", "目前缺少：%s。", some(missing, len(missing)))
			}
		}
		out = append(out, q)
	}
	return out
}

func (h *host) whyRequire() lang.Text {
	var there, not []string
	for _, name := range h.a.Require {
		if h.seen.Found[name] != "" {
			there = append(there, name)
		} else {
			not = append(not, name)
		}
	}
	switch {
	case len(h.a.Require) == 0:
		return lang.T("None is asked for.", "目前一个也没有要求。")
	case len(not) == 0:
		return lang.T("All of them are here already.", "本机已全部具备。")
	case len(there) == 0:
		return lang.F("Missing here: %s.", "本机缺少：%s。", strings.Join(not, ", "))
	}
	return lang.F("Here already: %s; missing: %s.", "本机已有 %s；缺少 %s。", strings.Join(there, ", "), strings.Join(not, ", "))
}

// missing names the libraries that programs lack, sorted.
func (h *host) missing() []string {
	var names []string
	for _, n := range h.seen.Needs {
		if checkSoname(n.Library) == nil {
			names = append(names, n.Library)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
