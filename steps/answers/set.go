package answers

import (
	"maps"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Set changes a by assignments as the command line's --set gives them, each
// with the checks of a file:
//
//	kernel.profile=web                one value
//	devtools.packages=gcc,make        a list; nothing after = empties it
//	kernel.set.vm.swappiness=1        one key of a map; the others stay
//
// It is for what File.For gave, so that the command line wins over overrides.
// Setting a key of a step that is not in a puts the step there. A wrong
// assignment leaves a as it was, and all of them come back as a *Problems.
func Set(a engine.Answers, steps []engine.Step, assignments ...string) error {
	c := &complaints{}
	d := decoder{complaints: c, steps: index(steps)}
	next := clone(a)
	for _, s := range assignments {
		name, text, eq := strings.Cut(s, "=")
		c.file = "--set " + quote(name)
		if eq {
			c.file = assignment(name)
		}
		d.assign(next, name, text, eq)
	}
	if len(c.list) == 0 {
		d.crossSet(a, next, assignments)
	}
	if err := c.err(); err != nil {
		return err
	}
	clear(a)
	maps.Copy(a, next)
	return nil
}

// assignment is how an assignment is called in messages. Its value is not shown:
// it may be a secret.
func assignment(name string) string { return "--set " + quote(name) + "=…" }

func (d decoder) assign(a engine.Answers, name, text string, eq bool) {
	id, rest, dot := strings.Cut(name, ".")
	if !eq || !dot || rest == "" {
		d.add(place{}, lang.T("cannot read it: STEP.KEY=VALUE is expected", "无法识别：应为 STEP.KEY=VALUE"),
			lang.T("such as --set kernel.profile=web", "例如 --set kernel.profile=web"))
		return
	}
	step, ok := d.steps.byID[id]
	if !ok {
		d.stray(pair{key: id}, "steps.", d.steps.ids)
		return
	}
	key, inner, isInner := strings.Cut(rest, ".")
	field, ok := step.byKey[rest]
	if ok {
		key, isInner = rest, false // a key may itself have a dot
	} else if field, ok = step.byKey[key]; !ok || field.Kind != engine.Map {
		d.stray(pair{key: rest}, id+".", step.keys)
		return
	}
	n := &node{text: text, plain: true}
	switch field.Kind {
	case engine.Map:
		if !isInner || inner == "" {
			d.add(place{}, lang.F("cannot set %s.%s as a whole: it is a map", "无法整体设置 %s.%s：它是映射", id, key),
				lang.F("--set %s.%s.NAME=VALUE", "请用 --set %s.%s.NAME=VALUE", id, key))
			return
		}
		n = &node{kind: mapNode, pairs: []pair{{key: inner, value: n}}}
	case engine.Many, engine.List:
		n = &node{kind: listNode}
		for _, s := range strings.Split(text, ",") {
			if s = strings.TrimSpace(s); s != "" {
				n.items = append(n.items, &node{text: s})
			}
		}
	}
	if v := d.value(id+"."+key, field, n); v != nil {
		merge(a, engine.Answers{id: {key: v}})
	}
}
