package build

import (
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
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
		h = &host{id, f, &seen{Stock: stock.Seen{Manager: stock.Manager(f)}}, a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if f.Key == keyTargets {
			q.Default = names(h.targets())
		}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keyTargets:
			q.Why = h.whyTargets()
		case keyOften:
			q.Why = h.whyOften()
		case keyCGO:
			q.Why = h.whyCGO()
		case keyRun:
			q.Why = h.whyRun()
		case keyMode:
			q.Why = h.whyMode()
		}
		out = append(out, q)
	}
	return out
}

func names(ports []port) []string {
	out := make([]string, len(ports))
	for i, p := range ports {
		out[i] = p.target()
	}
	return out
}

func (h *host) whyTargets() lang.Text {
	if h.own() == "" {
		return lang.T("Go has no port for this machine's own processor.", "Go 不支持本机的处理器。")
	}
	return lang.F("This machine is linux/%s.", "本机是 linux/%s。", h.own())
}

func (h *host) whyOften() lang.Text {
	if c := h.cannot(); !c.Empty() {
		return lang.F("This machine cannot compile: %s.", "本机无法编译：%s。", c)
	}
	if h.strong() {
		return lang.T("This machine can be a build server.", "本机可以充当构建服务器。")
	}
	return lang.T("This machine can compile; a build server has 8 processors and 16 GiB of memory or more.", "本机可以编译；构建服务器宜有 8 核、16 GiB 内存以上。")
}

func (h *host) whyCGO() lang.Text {
	var have []string
	for _, p := range h.targets() {
		if c := h.seen.Compilers[p.arch]; c != "" {
			have = append(have, p.target()+" "+c)
		}
	}
	if len(have) == 0 {
		return lang.T("Most services do without.", "多数服务不需要。")
	}
	return lang.F("C compilers that are here: %s.", "本机已有的 C 编译器：%s。", lang.List(have...))
}

func (h *host) whyRun() lang.Text {
	var have []string
	for _, p := range h.targets() {
		if e := h.seen.Emulators[p.arch]; e != "" {
			have = append(have, e)
		}
	}
	if len(have) == 0 {
		return lang.T("There is no emulator here: only this machine's own programs can be run.", "本机没有模拟器：只能运行本机平台的程序。")
	}
	return lang.F("Emulators that are here: %s.", "本机已有的模拟器：%s。", lang.List(have...))
}

func (h *host) whyMode() lang.Text {
	en, zh := make([]string, 0, 3), make([]string, 0, 3)
	for _, p := range h.targets() {
		mode := lang.T("native", "本机编译")
		if h.verdict(p).Mode == cross {
			mode = lang.T("cross", "交叉编译")
		}
		en, zh = append(en, p.target()+" "+mode.EN), append(zh, p.target()+" "+mode.ZH)
	}
	if len(en) == 0 {
		return lang.T("No target is asked for.", "没有指定目标平台。")
	}
	return lang.F("By the answers so far: %[1]s.", "按目前的应答：%[2]s。", strings.Join(en, ", "), strings.Join(zh, "，"))
}
