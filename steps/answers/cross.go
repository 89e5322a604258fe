package answers

import (
	"maps"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// section is a step's answers in one place of the file.
type section struct {
	fields
	at     place // of the step's key
	node   *node
	values engine.Values
	over   bool // in an override
}

// cross judges each step's answers together, once each was right by itself. An
// override is judged as it stands on what holds for every machine; what several
// overrides make of one another is seen when a machine is planned.
func (d decoder) cross(base engine.Answers, sections []section) {
	for _, s := range sections {
		if s.cross == nil {
			continue
		}
		values, known := s.values, map[string]error{}
		if s.over {
			if below, ok := base[s.id]; ok {
				known = s.cross(below)
				both := clone(engine.Answers{s.id: below})
				merge(both, engine.Answers{s.id: values})
				values = both[s.id]
			}
		}
		wrong := s.cross(values)
		for _, key := range slices.Sorted(maps.Keys(wrong)) {
			n := s.node.find(key)
			if _, said := known[key]; said && n == nil {
				continue // of what holds for every machine
			}
			d.crossed(s.id+"."+key, n, s.at, wrong[key])
		}
	}
}

// crossed complains of a field, which n is, or which stands elsewhere.
func (d decoder) crossed(name string, n *node, at place, err error) {
	text := lang.F("cannot use %s: %s", "无法使用 %s：%s", name, err)
	if n != nil {
		at = n.at
		if n.kind == scalarNode {
			text = lang.F("cannot use %s for %s: %s", "无法将 %s 用于 %s：%s", quote(n.text), name, err)
		}
	}
	d.add(at, text, hintOf(err))
}

// find gives the value of a step's key, or of one name of a map, KEY.NAME.
func (n *node) find(key string) *node {
	if v := n.get(key); v != nil {
		return v
	}
	key, name, ok := strings.Cut(key, ".")
	if v := n.get(key); ok && v != nil {
		return v.get(name)
	}
	return nil
}

// crossSet judges what assignments made of a, which is left as it was, step by
// step, and blames the assignment of the field in question, or else the last one
// of its step.
func (d decoder) crossSet(a, next engine.Answers, assignments []string) {
	last := map[string]string{} // step, or step and key: the assignment
	for _, s := range assignments {
		name, _, _ := strings.Cut(s, "=")
		id, _, _ := strings.Cut(name, ".")
		last[id], last[name] = name, name
	}
	for _, id := range d.steps.ids {
		cross := d.steps.byID[id].cross
		by, touched := last[id]
		if cross == nil || !touched {
			continue
		}
		known, wrong := cross(a[id]), cross(next[id])
		for _, key := range slices.Sorted(maps.Keys(wrong)) {
			if own, ok := last[id+"."+key]; ok {
				by = own
			} else if _, before := known[key]; before {
				continue
			}
			d.file = assignment(by)
			d.crossed(id+"."+key, nil, place{}, wrong[key])
		}
	}
}
