package demo

import (
	"fmt"
	"slices"
	"strings"

	"goxin/detect/machine"
)

// The databases of packages are files of the tree: dpkg's own, and where rpm has its,
// which nobody reads but rpm, a list of lines.
const (
	dpkgStatus = "/var/lib/dpkg/status"
	aptMarks   = "/var/lib/apt/extended_states"
	rpmList    = "/var/lib/rpm/Packages"
)

func (s *sim) deb() bool { return s.facts.Packages.Manager.Value == "apt" }

// load reads what is installed.
func (s *sim) load() []here {
	if !s.deb() {
		var all []here
		for line := range strings.Lines(s.read(rpmList)) {
			if f := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(f) == 4 {
				all = append(all, here{name: f[0], arch: f[1], version: f[2], auto: f[3] == "auto", group: f[3] == "group"})
			}
		}
		return all
	}
	auto := map[string]bool{}
	for stanza := range strings.SplitSeq(s.read(aptMarks), "\n\n") {
		auto[field(stanza, "Package")] = true
	}
	var all []here
	for stanza := range strings.SplitSeq(s.read(dpkgStatus), "\n\n") {
		h := here{name: field(stanza, "Package"), arch: field(stanza, "Architecture"), version: field(stanza, "Version")}
		if h.auto = auto[h.name]; h.name != "" {
			all = append(all, h)
		}
	}
	return all
}

func field(stanza, key string) string {
	for line := range strings.Lines(stanza) {
		if v, ok := strings.CutPrefix(line, key+": "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// save writes it. A file that is empty of marks goes, as it was not there at first.
func (s *sim) save(all []here) error {
	slices.SortFunc(all, byName)
	var list, marks strings.Builder
	for _, h := range all {
		how := map[[2]bool]string{{true, false}: "auto", {false, true}: "group"}[[2]bool{h.auto, h.group}]
		if !s.deb() {
			fmt.Fprintf(&list, "%s\t%s\t%s\t%s\n", h.name, h.arch, h.version, how)
			continue
		}
		p, _ := s.find(h.name)
		fmt.Fprintf(&list, "Package: %s\nStatus: install ok installed\nInstalled-Size: %d\nArchitecture: %s\nVersion: %s\n\n", h.name, p.disk>>10, h.arch, h.version)
		if h.auto {
			fmt.Fprintf(&marks, "Package: %s\nArchitecture: %s\nAuto-Installed: 1\n\n", h.name, h.arch)
		}
	}
	if !s.deb() {
		return s.write(rpmList, []byte(list.String()), 0o644)
	}
	if err := s.write(dpkgStatus, []byte(list.String()), 0o644); err != nil {
		return err
	}
	if marks.Len() == 0 {
		err := s.Machine.Remove(aptMarks)
		if err != nil && !machine.MissingProgram(err) {
			return err
		}
		return nil
	}
	return s.write(aptMarks, []byte(marks.String()), 0o644)
}

// install installs packages one by one; step is told of each.
func (c *call) install(order []pack, asked []string, step func(p pack, n int) error) error {
	for i, p := range order {
		if err := step(p, i+1); err != nil {
			return err
		}
		if err := c.put(p); err != nil {
			return err
		}
		if err := c.settle(p); err != nil {
			return err
		}
		auto := !slices.ContainsFunc(asked, func(a string) bool { return a == p.name || slices.Contains(p.libs, strings.TrimSuffix(a, "()(64bit)")) })
		if err := c.save(append(c.load(), here{name: p.name, arch: p.arch, version: p.version, auto: auto})); err != nil {
			return err
		}
	}
	return nil
}

// remove takes packages away.
func (c *call) remove(names []string, step func(h here) error) error {
	for _, n := range names {
		all := c.load()
		i := slices.IndexFunc(all, func(h here) bool {
			return !h.group && (h.name == n || h.name+"."+h.arch == n || h.name+":"+h.arch == n)
		})
		if i < 0 {
			continue
		}
		if err := step(all[i]); err != nil {
			return err
		}
		if p, ok := c.find(all[i].name); ok {
			if err := c.leave(p); err != nil {
				return err
			}
			c.take(p)
		}
		if err := c.save(slices.Delete(all, i, i+1)); err != nil {
			return err
		}
	}
	return nil
}
