package op

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// aptBack is what an undo will do.
type aptBack struct {
	remove []change // to purge
	down   []change // to downgrade to From
	left   []leftover
}

// purge is what to remove with its configuration files: all but what had them
// here before.
func (b aptBack) purge() []change {
	return slices.DeleteFunc(slices.Clone(b.remove), func(c change) bool { return c.Config })
}

// undo removes with apt-get, which brings the marks in order as well. It does not
// where a package is half installed: there apt-get would install that one again
// first, or fail. dpkg removes it, and the marks are dropped after it.
func (a apt) undo(ctx context.Context, m machine.Machine, u undoing) ([]leftover, error) {
	all, err := dpkg(ctx, m)
	if err != nil {
		return nil, err
	}
	manual := make(map[string]bool)
	if u.whole {
		if err := a.query(ctx, m, func(line string) { manual[line] = true }, "apt-mark", "showmanual"); err != nil {
			return nil, err
		}
	}
	b := a.back(all, manual, u)
	if err := a.spare(ctx, m, &b); err != nil {
		return nil, err
	}
	broken := aptJournal(m)
	for _, c := range b.remove {
		d, _ := all.find(c.Name, c.Arch)
		broken = broken || d.half()
	}
	if broken {
		if err := a.dpkg(ctx, m, b.remove, "--force-remove-reinstreq", "--remove"); err != nil {
			return b.left, err
		}
		if err := a.dpkg(ctx, m, b.purge(), "--force-remove-reinstreq", "--purge"); err != nil {
			return b.left, err
		}
		if stuck, err := a.interrupted(ctx, m); err != nil || stuck { // triggers of others
			if err = a.repair(ctx, m, func(lang.Text) {}); err != nil {
				return b.left, err
			}
		}
		b.remove = nil
	}
	return b.left, a.takeBack(ctx, m, b)
}

// back sorts a transaction into what is still ours and what is not.
func (apt) back(all debPackages, manual map[string]bool, u undoing) (b aptBack) {
	for _, c := range u.Changes {
		d, ok := all.find(c.Name, c.Arch)
		if !ok || d.state == "not-installed" || c.Config && d.state == "config-files" {
			continue
		}
		bare, _, _ := strings.Cut(c.Name, ":")
		switch {
		case c.added() && (manual[c.Name] || manual[bare+":"+c.Arch]) && !slices.Contains(u.asked, c.Name) && !u.provides(d):
			b.left = append(b.left, claimed(c.Name))
		case c.added():
			b.remove = append(b.remove, c)
		case !c.upgraded() || c.Gone || d.version == c.From:
		case d.version != c.Version:
			b.left = append(b.left, changedSince(c.Name, d.version))
		default:
			b.down = append(b.down, c)
		}
	}
	return b
}

// provides says whether d is what an asked name was taken for.
func (u undoing) provides(d debPackage) bool {
	return slices.ContainsFunc(d.provides, func(p string) bool { return slices.Contains(u.asked, p) })
}

// "dpkg: error processing package libaio1:amd64 (--purge):"
// " fio depends on libaio1 (>= 0.3.93)."
var (
	dpkgRefused = regexp.MustCompile(`^dpkg: error processing package (\S+) `)
	dpkgNeeds   = regexp.MustCompile(`^ (\S+) depends on (\S+)`)
)

// spare takes out of b what something else depends on. dpkg removes exactly what
// it is told to, and says beforehand what it would refuse.
func (a apt) spare(ctx context.Context, m machine.Machine, b *aptBack) error {
	for len(b.remove) > 0 {
		argv := append([]string{"dpkg", "--no-act", "--force-remove-reinstreq", "--purge"}, a.specs(b.remove)...)
		lines, err := manage(ctx, m, nil, aptLocks, machine.Command{Argv: argv, Timeout: queryTime}, nil)
		if err == nil {
			return nil
		}
		if lang.Told(err) || keepsCause(err) {
			return err
		}
		refused, by, n := make(map[string]bool), []string(nil), len(b.remove)
		for _, l := range lines {
			if g := dpkgNeeds.FindStringSubmatch(l); g != nil {
				by = append(by, bareName(g[1]))
			} else if g := dpkgRefused.FindStringSubmatch(l); g != nil {
				slices.Sort(by)
				name := g[1]
				refused[name], refused[bareName(name)] = true, true
				b.left = append(b.left, neededBy(bareName(name), slices.Compact(by)))
				by = nil
			}
		}
		b.remove = slices.DeleteFunc(b.remove, func(c change) bool { return refused[c.Name] || refused[bareName(c.Name)+":"+c.Arch] })
		if len(b.remove) == n {
			return lang.Errorf(saidBy(lines, dpkgSays, err), "cannot remove packages", "无法卸载软件包").
				WithHint("see what keeps them: dpkg --no-act --purge %s", "查看原因：dpkg --no-act --purge %s", strings.Join(a.specs(b.remove), " "))
		}
	}
	return nil
}

func bareName(name string) string {
	bare, _, _ := strings.Cut(name, ":")
	return bare
}

// specs are packages as dpkg and apt-get take them: with the architecture, for
// others of the same name are not meant.
func (apt) specs(cs []change) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = bareName(c.Name) + ":" + c.Arch
		if c.Arch == "all" {
			out[i] = c.Name
		}
	}
	return out
}

func (a apt) dpkg(ctx context.Context, m machine.Machine, cs []change, options ...string) error {
	if len(cs) == 0 {
		return nil
	}
	c := machine.Command{Argv: append(append([]string{"dpkg"}, options...), a.specs(cs)...), Env: aptEnv(), Timeout: transactionTime}
	lines, err := manage(ctx, m, nil, aptLocks, c, nil)
	if err == nil {
		return a.unmark(m, cs)
	}
	if lang.Told(err) {
		return err
	}
	return lang.Errorf(saidBy(lines, dpkgSays, err), "cannot remove packages", "无法卸载软件包").
		WithHint("dpkg.log says how far it came: /var/log/dpkg.log", "进展情况见 /var/log/dpkg.log")
}

const aptMarks = "/var/lib/apt/extended_states"

// unmark drops what apt noted of packages that dpkg removed behind its back, as
// apt itself does: else one that a person installs later with dpkg would count as
// installed automatically.
func (apt) unmark(m machine.Machine, cs []change) error {
	b, err := m.ReadFile(aptMarks)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return cannotRead(err, aptMarks)
	}
	var kept strings.Builder
	for stanza := range strings.SplitAfterSeq(string(b), "\n\n") {
		// An architecture-independent package stands there with the machine's own.
		ours := slices.ContainsFunc(cs, func(c change) bool {
			return strings.HasPrefix(stanza, "Package: "+bareName(c.Name)+"\n") && (c.Arch == "all" || strings.Contains(stanza, "Architecture: "+c.Arch+"\n"))
		})
		if !ours {
			kept.WriteString(stanza)
		}
	}
	if kept.Len() == len(b) {
		return nil
	}
	if err := m.WriteFile(aptMarks, []byte(kept.String()), 0o644, machine.RootOwner); err != nil {
		return cannot(err, "cannot write %s", "无法写入 %s", aptMarks)
	}
	return nil
}

// takeBack removes and downgrades in one transaction, since either may need the
// other. It is simulated first, and whatever it would do beyond that is not done.
func (a apt) takeBack(ctx context.Context, m machine.Machine, b aptBack) error {
	if len(b.remove)+len(b.down) == 0 {
		return nil
	}
	var args, auto []string
	for _, s := range a.specs(b.remove) {
		args = append(args, s+"-")
	}
	for i, s := range a.specs(b.down) {
		args = append(args, s+"="+b.down[i].From)
		if b.down[i].Auto {
			auto = append(auto, s)
		}
	}
	options := []string{"--purge"}
	keep := slices.ContainsFunc(b.remove, func(c change) bool { return c.Config })
	if keep {
		options = nil // configuration files that were there before stay; the others go below
	}
	options = append(options, "--allow-downgrades")
	lines, err := manage(ctx, m, nil, aptLocks, machine.Command{Argv: append(aptGet(append(options, "-s", "install", "--")...), args...), Timeout: queryTime}, nil)
	switch {
	case err == nil && a.exactly(lines, b):
		lines, err = manage(ctx, m, nil, aptLocks, aptRun(append(aptGet(append(append(options, keepConffiles()...), "install", "--")...), args...)), nil)
		if err != nil && !lang.Told(err) {
			err = aptHint(saidBy(lines, func(l string) bool { return aptSays(l) || dpkgSays(l) }, err))
		}
	case len(b.down) > 0:
		return lang.Errorf(saidBy(lines, aptSays, err), "cannot go back to %s: it would change more than that", "无法退回 %s：这会影响其他软件包", strings.Join(a.specs(b.down), " ")).
			WithHint("see what: apt-get -s --allow-downgrades install %s", "查看原因：apt-get -s --allow-downgrades install %s", strings.Join(args, " "))
	default: // apt would pull something along or in; dpkg does what it is told
		err = a.dpkg(ctx, m, b.remove, "--remove")
		keep = true
	}
	if err != nil {
		return err
	}
	if keep {
		if err := a.dpkg(ctx, m, b.purge(), "--purge"); err != nil {
			return err
		}
	}
	if len(auto) == 0 {
		return nil
	}
	return a.query(ctx, m, nil, append([]string{"apt-mark", "auto", "--"}, auto...)...)
}

// exactly says whether a simulation does b and nothing else.
func (apt) exactly(lines []string, b aptBack) bool {
	t := aptPlan(lines)
	for _, name := range t.removes {
		if !slices.ContainsFunc(b.remove, func(c change) bool { return bareName(c.Name) == bareName(name) }) {
			return false
		}
	}
	for _, n := range t.Changes {
		if !slices.ContainsFunc(b.down, func(c change) bool { return c.Name == n.Name && c.From == n.Version }) {
			return false
		}
	}
	return true
}

// keys: apt takes no key along with a package.
func (apt) keys(context.Context, machine.Machine) ([]string, error) { return nil, nil }

func (apt) distrust(context.Context, machine.Machine, []string) error { return nil }
