package devtools

import (
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/stock"
)

// host is one machine as the step sees it.
type host struct {
	id    machine.ID
	facts *detect.Facts
	seen  *stock.Seen
	a     answers
}

func newHost(hs engine.Hosts, sv engine.Survey, id machine.ID, a answers) (*host, error) {
	seen, err := seenOn(sv, id, hs.Facts[id])
	return &host{id, hs.Facts[id], seen, a}, err
}

// group is what stands for the group of development tools: its name, or the
// packages to take instead where the lists do not know it.
func (h *host) group() (names []string, known bool) {
	all := groupsOf(h.seen.Manager)
	if !h.seen.Asked {
		return all[:1], true
	}
	for _, g := range all {
		if h.seen.Knows(g) {
			return []string{g}, true
		}
	}
	return instead(h.seen.Manager), false
}

// names are the packages that should be there.
func (h *host) names() []string {
	names := tools(h.seen.Manager, h.a)
	if h.a.Group {
		g, _ := h.group()
		names = append(names, g...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// missing are those of them that are not installed.
func (h *host) missing() []string {
	return slices.DeleteFunc(h.names(), h.seen.Has)
}

// blind says whether something has to come and the package lists know nothing.
func (h *host) blind() bool {
	return h.seen.Asked && !h.seen.Lists.Empty() && len(h.missing()) > 0
}

// runs says whether programs run there.
func (h *host) runs() bool {
	return h.facts.Running && (h.seen.Asked || h.seen.Manager == "")
}

// Ops is one set of packages on each machine. What is installed is wanted too, so
// that a plan wants the same before and after; only what is missing comes.
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
		switch names := h.names(); {
		case h.seen.Manager == "" || len(names) == 0:
		case h.blind():
			items = append(items, engine.Item{On: id, Unknown: "mirror"})
		default:
			items = append(items, engine.Item{On: id, Op: &op.Packages{Manager: h.seen.Manager, Names: names, Reason: reason()}})
		}
	}
	return items, nil
}

func reason() lang.Text {
	return lang.T(
		"Go needs a C compiler for cgo and for the race detector, and git for modules that no proxy has.\nSource: cmd/cgo, go help modules\nRisk: a compiler on a machine that serves is one more tool for whoever breaks in; leave the step out where programs are only run.",
		"cgo 与竞态检测需要 C 编译器，代理上没有的模块需要 git。\n依据：cmd/cgo、go help modules\n风险：生产机上的编译器会成为入侵者的工具；只运行程序的机器可不做这一步。")
}
