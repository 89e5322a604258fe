package kernel

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/detect/sysctl"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// host is one machine as the step sees it.
type host struct {
	id      machine.ID
	facts   *detect.Facts
	seen    *Seen
	kernel  Version // zero: unknown
	release string
}

func newHost(h engine.Hosts, sv engine.Survey, id machine.ID) (*host, error) {
	seen, err := seenOn(sv, id)
	if err != nil {
		return nil, err
	}
	f := h.Facts[id]
	out := &host{id: id, facts: f, seen: seen}
	if f.Kernel.Release.Known {
		out.release = f.Kernel.Release.Value
		out.kernel, _ = parseRelease(out.release)
	}
	return out, nil
}

func (h *host) container() bool { return h.facts.Container.Known && h.facts.Container.Value }

// setting is one parameter as it should be.
type setting struct {
	Key     string
	Value   string
	AtLeast bool
	InFile  bool // it is written to goxin's file, not only to the running kernel
	Asked   bool // by the answers, not by the profile
	Comment string
	Reason  lang.Text
}

// skipped is a parameter that is left out, and why.
type skipped struct {
	Key string
	Why lang.Text
}

// settle works out which parameters the machine should have: the profile's, in
// the order of Knobs, then those only the answers name, by name.
func (h *host) settle(a answers) (list []setting, left []skipped, err error) {
	rest := maps.Clone(a.Set)
	for _, k := range Knobs() {
		value, asked := a.Set[k.Key]
		delete(rest, k.Key)
		if !asked {
			value = k.In(a.Profile)
		}
		if value == "" {
			continue
		}
		why := h.missing(k.Key)
		if !asked && why.Empty() {
			why = h.unsuited(&k)
		}
		if !why.Empty() {
			left = append(left, skipped{k.Key, why})
			continue
		}
		if err := k.CheckOn(h.kernel, value); err != nil {
			return nil, nil, err
		}
		s := setting{
			Key: k.Key, Value: tidy(value), AtLeast: k.Floor || k.Raise && !asked,
			InFile: true, Asked: asked, Comment: k.Note, Reason: k.reason(),
		}
		s.InFile = h.persists(&k, &s, a)
		list = append(list, s)
	}
	for _, key := range sortedKeys(rest) {
		value := tidy(rest[key])
		if why := h.missing(key); !why.Empty() {
			left = append(left, skipped{key, why})
			continue
		}
		if err := h.tooMuch(key, value); err != nil {
			return nil, nil, err
		}
		list = append(list, setting{Key: key, Value: value, InFile: true, Asked: true, Comment: "set in the answers", Reason: asked(key, value)})
	}
	return list, left, nil
}

// missing says why a key cannot be set here; empty when it can, or when the
// machine does not run and nobody knows.
func (h *host) missing(key string) lang.Text {
	if h.facts.Running {
		if p, looked := h.seen.Params[key]; looked && !p.Present {
			return absent(key, h.release, h.kernel, h.container())
		}
		return lang.Text{}
	}
	if t, is := gone(key, h.kernel); is {
		return t
	}
	if since := arrived(key); h.kernel != (Version{}) && h.kernel.Before(since) {
		return tooNew(h.release, since)
	}
	return lang.Text{}
}

// unsuited says why a profile leaves a knob alone on this machine.
func (h *host) unsuited(k *Knob) lang.Text {
	if m := h.facts.Memory.Total; m.Known && m.Value < k.MinMemory {
		return lang.F("left alone: it is for machines with %d GiB and more.", "保持不变：适用于内存 %d GiB 及以上的机器。", k.MinMemory/gib)
	}
	if k.Unless != "" {
		if p := h.seen.Params[k.Unless]; p.Readable && p.Value != "0" {
			return lang.F("left alone: somebody chose %s = %s, and the two exclude each other.", "保持不变：已有人设置 %s = %s，两者互斥。", k.Unless, op.Visible(p.Value))
		}
	}
	return lang.Text{}
}

// persists decides whether a setting stands in goxin's file. What only raises
// must not: written down, it would lower a higher value at the next boot.
func (h *host) persists(k *Knob, s *setting, a answers) bool {
	if !s.AtLeast {
		return true
	}
	p := h.seen.Params[s.Key]
	if !p.Readable {
		return !k.Scales
	}
	if above(s.Key, p.Value, s.Value) {
		// Higher now, but another file makes it lower at the next boot.
		early, set := h.seen.Before[s.Key]
		return set && above(s.Key, s.Value, early)
	}
	// Where only a line that goes keeps fs.file-max low, the service manager's
	// own value returns at the next boot, and it is the largest there is.
	if s.Key == "fs.file-max" && a.Conflict && h.facts.Init.Version.Known && h.facts.Init.Version.Value >= 240 {
		for _, c := range h.conflicts([]setting{*s}) {
			if c.Editable() {
				return false
			}
		}
	}
	return true
}

// tooMuch refuses what would leave the machine without memory.
func (h *host) tooMuch(key, value string) error {
	memory := h.facts.Memory.Total
	n, err := strconv.ParseUint(value, 10, 64)
	if err != nil || !memory.Known || memory.Value == 0 {
		return nil
	}
	switch key {
	case "vm.min_free_kbytes":
		if n > memory.Value>>10/10 {
			return lang.Errorf(nil, "cannot set %s to %s: that is more than a tenth of the memory, and programs would be killed at once", "无法把 %s 设为 %s：超过内存的十分之一，程序会立即被杀死", key, value).
				WithHint("at most %d on this machine", "本机最多 %d", memory.Value>>10/10)
		}
	case "vm.nr_hugepages":
		if h.seen.HugePage > 0 && n > memory.Value/4*3/h.seen.HugePage {
			return lang.Errorf(nil, "cannot set %s to %s: a huge page is %d MiB here, so that is more than three quarters of the memory", "无法把 %s 设为 %s：本机一个大页是 %d MiB，合计超过内存的四分之三", key, value, h.seen.HugePage>>20).
				WithHint("kernels with 64 KiB pages have huge pages of 512 MiB; at most %d on this machine", "64 KiB 页的内核，大页为 512 MiB；本机最多 %d 个", memory.Value/4*3/h.seen.HugePage)
		}
	}
	return nil
}

func asked(key, value string) lang.Text {
	why := lang.T("Set because the answers say so.", "按应答文件的要求设置。")
	if t := advice(key, value); !t.Empty() {
		return lang.F("%s\nSource: the answers, %s\nRisk: %s", "%s\n依据：应答文件的 %s\n风险：%s", why, keySet, t)
	}
	return lang.F("%s\nSource: the answers, %s\nRisk: not known to goxin.", "%s\n依据：应答文件的 %s\n风险：goxin 不了解。", why, keySet)
}

// conflict is a line that wins over a setting and says something else.
type conflict struct {
	Line
	Then string // what the setting says
}

// conflicts are the lines that would beat settings, those goxin has commented
// out already included, in the order of files and lines.
func (h *host) conflicts(list []setting) []conflict {
	var out []conflict
	for _, l := range h.seen.Lines {
		i := slices.IndexFunc(list, func(s setting) bool { return s.Key == l.Key })
		if i < 0 {
			continue
		}
		s := list[i]
		if sysctl.Equal(s.Key, l.Value, s.Value) || s.AtLeast && above(s.Key, l.Value, s.Value) {
			continue
		}
		out = append(out, conflict{l, s.Value})
	}
	return out
}

// above reports whether value a is above b, or in no field below it and in some
// above.
func above(key, a, b string) bool {
	r, ok := sysctl.Raise(a, b)
	return ok && sysctl.Equal(key, r, a) && !sysctl.Equal(key, a, b)
}

// tidy writes the fields of a value with one blank between them.
func tidy(value string) string { return strings.Join(strings.Fields(value), " ") }

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
