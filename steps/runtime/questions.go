package runtime

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
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
		h = &host{id, f, new(seen), a}
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		if name, _ := h.level(); f.Key == KeyLevel && name == "" {
			continue // one level only on this architecture
		}
		q := engine.Question{Field: f, Default: f.Default, Why: h.why(f.Key)}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		out = append(out, q)
	}
	return out
}

func (h *host) why(key string) lang.Text {
	switch key {
	case KeyGOGC:
		return lang.T("Go's own is right for most services; lower it only where the peak of memory is the trouble.", "多数服务用 Go 默认值即可；仅当内存峰值成问题时才调低。")
	case KeyMemoryMax:
		if n, which := h.limit(); n > 0 {
			return lang.F("As it stands: %s, %s.", "目前为%[2]s（%[1]s）。", amount(n), which)
		}
		return lang.T("How much memory there is is not known here.", "此处无法得知内存大小。")
	case KeyHeadroom:
		return lang.T("10 is enough unless the service calls C code or maps files.", "除非服务调用 C 代码或映射文件，10 就够了。")
	case KeyGOMAXPROCS:
		return h.whyProcs()
	case KeyTHP:
		return h.whyTHP()
	case KeyLevel:
		name, _ := h.level()
		if l := h.facts.CPU.Level; l.Known {
			return lang.F("This processor takes %s=%s (%s).", "本机处理器可用 %s=%s（%s）。", name, l.Value, learnt(l.From))
		}
		return lang.T("What this processor can do is not known; `goxin detect` says why.", "无法得知处理器支持的指令；原因见 `goxin detect`。")
	}
	return lang.Text{}
}

// learnt is where a fact is from, without the remarks behind a colon: a question's
// reason is one line.
func learnt(from lang.Text) lang.Text {
	en, _, _ := strings.Cut(from.EN, ": ")
	zh, _, _ := strings.Cut(from.ZH, "：")
	return op.VisibleText(lang.T(en, zh))
}

func (h *host) whyProcs() lang.Text {
	switch {
	case h.seen.Go == "" && h.seen.Quota > 0:
		return lang.F("No Go was found; a quota of %s CPUs holds here.", "未找到 Go；本机有 %s 个 CPU 的配额。", formatQuota(h.seen.Quota))
	case h.seen.Go == "":
		return lang.T("No Go was found; no CPU quota holds here.", "未找到 Go；本机没有 CPU 配额。")
	case h.seen.Quota > 0:
		return lang.F("%s is here, and a quota of %s CPUs.", "本机有 %s，以及 %s 个 CPU 的配额。", h.seen.Go, formatQuota(h.seen.Quota))
	}
	return lang.F("%s is here, and no CPU quota.", "本机有 %s，没有 CPU 配额。", h.seen.Go)
}

func (h *host) whyTHP() lang.Text {
	switch {
	case h.container():
		return lang.T("A container: the host decides.", "容器内：由宿主机决定。")
	case !h.facts.Running:
		return lang.T("What the kernel will have is not known before it runs.", "内核启动之前无法得知其取值。")
	case h.seen.THP == "":
		return lang.T("This kernel has none.", "此内核不支持。")
	}
	return lang.F("Now: %s.", "当前：%s。", op.Visible(h.seen.THP))
}

func formatQuota(q float64) string { return fmt.Sprintf("%.2f", q) }
