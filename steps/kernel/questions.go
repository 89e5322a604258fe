package kernel

import (
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// Questions are asked of the machine the run is about.
func (s Step) Questions(hs engine.Hosts, sv engine.Survey, v engine.Values) []engine.Question {
	id, _ := hs.First()
	h, err := newHost(hs, sv, id)
	if err != nil {
		h = &host{id: id, facts: hs.Facts[id], seen: &Seen{}}
	}
	a, err := readAnswers(v)
	if err != nil {
		// What is wrong with the answers is said where they are planned; the
		// questions are asked as if there were none.
		a, _ = readAnswers(nil)
	}
	var out []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f, Default: f.Default}
		if was, answered := v[f.Key]; answered {
			q.Default = was
		}
		switch f.Key {
		case keyProfile:
			q.Options = h.profiles(f.Options, a)
			q.Why = h.whyProfile(q.Default)
		case keyNofile:
			q.Why = h.whyNofile(a)
		case keySoft:
			if a.Hard == 0 {
				continue
			}
			q.Why = lang.T("1024 is right where services are written in Go: they help themselves.", "服务用 Go 编写时 1024 就合适：它们会自行调高。")
		case keyConflict:
			n := h.editable(a)
			if len(n) == 0 {
				continue
			}
			q.Why = lang.F("Here: %s.", "本机：%s。", joined(n))
		}
		out = append(out, q)
	}
	return out
}

// profiles says of each profile what it would change on this machine.
func (h *host) profiles(options []engine.Option, a answers) []engine.Option {
	a.Set = nil
	out := make([]engine.Option, len(options))
	a.Profile = profileBase
	base, _, _ := h.settle(a)
	for i, o := range options {
		a.Profile = o.Value
		list, _, _ := h.settle(a)
		if o.Value != profileBase {
			list = beyond(list, base)
		}
		var rows []lang.Text
		for _, s := range list {
			if row, changes := h.row(s); changes {
				rows = append(rows, row)
			}
		}
		switch {
		case len(rows) > 0 && o.Value == profileBase:
			o.Help = lang.F("%s Here: %s.", "%s本机：%s。", o.Help, joined(rows))
		case len(rows) > 0:
			o.Help = lang.F("%s Beyond base, here: %s.", "%s本机在“基础”之外：%s。", o.Help, joined(rows))
		default:
			o.Help = lang.F("%s Here it is so already.", "%s本机已经如此。", o.Help)
		}
		out[i] = o
	}
	return out
}

// beyond is what list has that base has not.
func beyond(list, base []setting) []setting {
	in := make(map[string]string, len(base))
	for _, s := range base {
		in[s.Key] = s.Value
	}
	var out []setting
	for _, s := range list {
		if in[s.Key] != s.Value {
			out = append(out, s)
		}
	}
	return out
}

// row is a setting's present and future value, and whether they differ.
func (h *host) row(s setting) (lang.Text, bool) {
	p := h.seen.Params[s.Key]
	if !p.Readable {
		return lang.Same(s.Key + " = " + s.Value), true
	}
	if s.Value == tidy(p.Value) || s.AtLeast && above(s.Key, p.Value, s.Value) {
		return lang.Text{}, false
	}
	return lang.Same(s.Key + " " + op.Visible(tidy(p.Value)) + " → " + s.Value), true
}

func (h *host) whyProfile(profile any) lang.Text {
	if h.container() {
		return lang.T("Base: this is a container. Only net.* is its own; vm.*, fs.* and kernel.* belong to the host and will most likely be refused.", "选“基础”：这是容器。只有 net.* 归它自己；vm.*、fs.*、kernel.* 属于宿主机，多半会被拒绝。")
	}
	if p := h.seen.Params["net.core.somaxconn"]; p.Readable && p.Value == "128" {
		return lang.F("Base is right whatever the machine is for. The running kernel (%s) queues only 128 connections for a listening program, which base cures.", "无论用途，“基础”都合适。当前内核（%s）只为监听程序排队 128 个连接，“基础”会改正。", h.release)
	}
	if profile != profileBase {
		return lang.T("Nothing seen on the machine tells what it is for: this is by its purpose, or by the answers there are.", "从本机看不出用途：此处依据所选用途，或已有的应答。")
	}
	return lang.T("Base is right whatever the machine is for; nothing seen here tells more.", "无论用途，“基础”都合适；从本机看不出更多。")
}

func (h *host) whyNofile(a answers) lang.Text {
	now := h.builtin()
	for _, l := range h.seen.Limits.Service {
		now = l
	}
	if h.seen.NrOpen == 0 {
		return lang.F("Without it services get %d. A million is what every kernel allows.", "不设置时，服务最多 %d 个。一百万是任何内核都允许的值。", now.Hard)
	}
	return lang.F("Without it services get %d; the kernel allows %d (fs.nr_open).", "不设置时，服务最多 %d 个；内核允许 %d 个（fs.nr_open）。", min(now.Hard, h.seen.NrOpen), h.nrOpen(a))
}

// editable are the lines that would win, are in force, and can be commented out.
func (h *host) editable(a answers) []lang.Text {
	list, _, err := h.settle(a)
	if err != nil {
		return nil
	}
	var out []lang.Text
	for _, c := range h.conflicts(list) {
		if c.Editable() && !c.Ours {
			out = append(out, lang.F("%s sets %s to %s", "%s 把 %s 设为 %s", c.where(), c.Key, c.says()))
		}
	}
	return out
}

func joined(rows []lang.Text) lang.Text {
	en, zh := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		en[i], zh[i] = r.EN, r.ZH
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "，"))
}
