package engine

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Note is a remark on a plan.
type Note struct {
	Warn bool      `json:"warn"`
	Text lang.Text `json:"text"`
}

// Noter is a step that has something to tell about its plan beyond the changes.
type Noter interface {
	Notes(Hosts, Survey, Values) []Note
}

// Notes gathers what of has to tell of each machine. Where there are several, what it
// tells of all of them alike is told once, and of the rest each says of which machine it
// is. An error of of ends it without notes: Ops tells it.
func (h Hosts) Notes(of func(machine.ID) ([]Note, error)) []Note {
	told := make([][]Note, len(h.Order))
	for i, id := range h.Order {
		var err error
		if told[i], err = of(id); err != nil {
			return nil
		}
	}
	var out []Note
	for i, id := range h.Order {
		for _, n := range told[i] {
			alike := !slices.ContainsFunc(told, func(its []Note) bool { return !slices.Contains(its, n) })
			switch {
			case len(h.Order) == 1:
			case alike && i > 0:
				continue // told with the first machine's
			case alike && len(h.Order) == 2:
				n.Text = lang.F("both machines: %s", "两台机器：%s", n.Text)
			case alike:
				n.Text = lang.F("all machines: %s", "所有机器：%s", n.Text)
			default:
				n.Text = lang.F("%s: %s", "%s：%s", h.Name(id), n.Text)
			}
			out = append(out, n)
		}
	}
	return out
}

// Name is what a person calls a machine of a run: by its host name, as long as that
// tells it from the others; a peer without one by its address.
func (h Hosts) Name(id machine.ID) lang.Text {
	name := h.hostname(id)
	alone := name != "" && !slices.ContainsFunc(h.Order, func(o machine.ID) bool { return o != id && h.hostname(o) == name })
	address, away := strings.CutPrefix(string(id), "peer:")
	switch {
	case alone:
		return lang.Same(name)
	case away && name == "":
		return lang.Same(address)
	case away:
		return lang.F("%s at %s", "%s（%s）", name, address)
	case id == machine.LocalID && name == "":
		return lang.T("this machine", "本机")
	case id == machine.LocalID:
		return lang.F("%s, here", "%s（本机）", name)
	}
	return lang.Same(string(id))
}

func (h Hosts) hostname(id machine.ID) string {
	if f := h.Facts[id]; f != nil && f.Hostname.Known {
		return f.Hostname.Value
	}
	return ""
}
