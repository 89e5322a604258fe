package devtools

import (
	"context"
	"encoding/json"
	"slices"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/stock"
)

// packages are the tools' packages: of rpm, and of Debian and those made from it.
var packages = map[string]struct{ rpm, deb string }{
	toolGit:   {"git", "git"},
	toolGCC:   {"gcc", "gcc"},
	toolGXX:   {"gcc-c++", "g++"},
	toolMake:  {"make", "make"},
	toolZlib:  {"zlib-devel", "zlib1g-dev"},
	toolGDB:   {"gdb", "gdb"},
	toolTrace: {"strace", "strace"},
}

// groups are the names dnf's group goes by: el and openEuler, Fedora.
var groups = []string{"@development", "@development-tools"}

// instead are the packages that make up the group, where it is not known.
func instead(manager string) []string {
	if manager == "apt" {
		return []string{"g++", "gcc", "libc6-dev", "make"}
	}
	return []string{"gcc", "gcc-c++", "glibc-devel", "make"}
}

// groupsOf are the names the group may have, the likeliest first.
func groupsOf(manager string) []string {
	if manager == "apt" {
		return []string{"build-essential"}
	}
	return groups
}

func packageOf(manager, tool string) string {
	if manager == "apt" {
		return packages[tool].deb
	}
	return packages[tool].rpm
}

// survey is what the step looks up, by machine.
type survey map[machine.ID]*stock.Seen

// Survey asks the package manager which tools are installed and could be.
func (s Step) Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h engine.Hosts, v engine.Values, say func(engine.Progress)) (engine.Survey, error) {
	a, err := readAnswers(v)
	if err != nil {
		a, _ = readAnswers(nil) // Ops says it
	}
	out := make(survey, len(h.Order))
	for _, id := range h.Order {
		m, ok := ms[id]
		if !ok {
			return nil, engine.NoMachine(id)
		}
		if say != nil {
			say(engine.Say(lang.F("asking the package manager of %s", "正在查询 %s 的包管理器", string(id))))
		}
		if out[id], err = look(ctx, s.asker(), m, h.Facts[id], a); err != nil {
			return nil, err
		}
	}
	return json.Marshal(out)
}

// look asks for the tools, then for the group by all its names, then for what makes
// it up: no further than what is known.
func look(ctx context.Context, ask stock.Ask, m machine.Machine, f *detect.Facts, a answers) (*stock.Seen, error) {
	manager := stock.Manager(f)
	seen, err := ask.Look(ctx, m, f, tools(manager, a)...)
	if err != nil || !a.Group {
		return seen, err
	}
	if err := ask.Also(ctx, m, seen, groupsOf(manager)...); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(groupsOf(manager), seen.Knows) {
		return seen, nil
	}
	return seen, ask.Also(ctx, m, seen, instead(manager)...)
}

// tools are the packages asked for, the group aside.
func tools(manager string, a answers) []string {
	names := slices.Clone(a.Packages)
	for _, t := range a.Tools {
		names = append(names, packageOf(manager, t))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// seenOn decodes what was seen on one machine. A step planned without a survey
// knows nothing of it.
func seenOn(sv engine.Survey, id machine.ID, f *detect.Facts) (*stock.Seen, error) {
	if len(sv) > 0 {
		var s survey
		if err := json.Unmarshal(sv, &s); err != nil {
			return nil, engine.BadSurvey(err)
		}
		if seen := s[id]; seen != nil {
			return seen, nil
		}
	}
	return &stock.Seen{Manager: stock.Manager(f)}, nil
}
