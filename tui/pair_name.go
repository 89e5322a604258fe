package tui

import (
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// A run may be about two machines. Everywhere a person has to know on which of them
// something is, it is called by its name; a run about one machine never says it.

// several reports whether the run is about more than one machine.
func (a *App) several() bool { return len(a.hosts.Order) > 1 }

// machineName is what a machine is called.
func (a *App) machineName(id machine.ID) lang.Text {
	n := a.hosts.Name(id)
	return lang.Text{EN: clean(n.EN), ZH: clean(n.ZH)}
}

// on is target with its machine, where there are several.
func (a *App) on(id machine.ID, target string) string {
	if !a.several() || id == "" {
		return target
	}
	return target + " (" + a.s(a.machineName(id)) + ")"
}

// onText is on in both languages.
func (a *App) onText(id machine.ID, target string) lang.Text {
	if !a.several() || id == "" {
		return lang.Same(target)
	}
	return lang.F("%s (%s)", "%s（%s）", target, a.machineName(id))
}

// machinesIn are the machines that a plan's items are on, in the run's order.
func (a *App) machinesIn(items []engine.Planned) []machine.ID {
	if !a.several() {
		return nil
	}
	var ids []machine.ID
	for i := range items {
		if on := items[i].On; (i == 0 || on != items[i-1].On) && !slices.Contains(ids, on) {
			ids = append(ids, on)
		}
	}
	place := func(id machine.ID) int {
		if i := slices.Index(a.hosts.Order, id); i >= 0 {
			return i
		}
		return len(a.hosts.Order)
	}
	slices.SortStableFunc(ids, func(x, y machine.ID) int { return place(x) - place(y) })
	return ids
}

// writtenTo are the machines that a plan changes something on, in words.
func (a *App) writtenTo(plan *engine.StepPlan) lang.Text {
	var to lang.Text
	for _, id := range a.machinesIn(plan.Items) {
		if !slices.ContainsFunc(plan.Items, func(it engine.Planned) bool { return it.On == id && changes(it) }) {
			continue
		}
		if to.Empty() {
			to = a.machineName(id)
			continue
		}
		to = lang.F("%s and %s", "%s 和 %s", to, a.machineName(id))
	}
	if to.Empty() {
		return a.hostname()
	}
	return to
}

// changes reports whether an item would change something, as StepPlan.Changes counts.
func changes(it engine.Planned) bool { return it.Unknown != "" || it.Diff.Action != engine.None }

// pairNames are the names of the machines that the run is about.
func (a *App) pairNames() lang.Text {
	var all lang.Text
	for _, id := range a.hosts.Order {
		if all.Empty() {
			all = a.machineName(id)
			continue
		}
		all = lang.F("%s + %s", "%s + %s", all, a.machineName(id))
	}
	return all
}

// saidOfPair is what a page has to say of the pair in the header.
func (a *App) saidOfPair() lang.Text {
	if p, ok := a.page.(interface{ Headline() lang.Text }); ok {
		return p.Headline()
	}
	return lang.Text{}
}

// pairTitle is the header of a run about several machines: their names, then what is
// alike of them said once, and what differs said of each; or what is more to be said of
// the pair.
func (a *App) pairTitle(said lang.Text) string {
	const dot = " · "     // of detect.Facts.Title
	var titles [][]string // without the names
	for _, id := range a.hosts.Order {
		if f := a.hosts.Facts[id]; f != nil {
			parts := strings.Split(clean(a.header(f).In(a.lang)), dot)
			titles = append(titles, parts[1:])
		}
	}
	out := []string{a.say("pair %s", "双机 %s", a.pairNames())}
	comparable := len(titles) == len(a.hosts.Order) && !slices.ContainsFunc(titles, func(t []string) bool { return len(t) != len(titles[0]) })
	switch {
	case !said.Empty():
		return a.theme.fold(strings.Join(append(out, said.In(a.lang)), dot))
	case !comparable: // of one of them less is known
		return out[0]
	}
	for i := range titles[0] {
		var parts []string
		for _, t := range titles {
			if !slices.Contains(parts, t[i]) {
				parts = append(parts, t[i])
			}
		}
		out = append(out, strings.Join(parts, " + "))
	}
	return a.theme.fold(strings.Join(out, dot))
}
