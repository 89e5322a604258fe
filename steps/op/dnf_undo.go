package op

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// undo downgrades first, letting go of nothing but what is ours, then removes.
func (d dnf) undo(ctx context.Context, m machine.Machine, u undoing) ([]leftover, error) {
	there, err := d.present(ctx, m, u.transaction)
	if err != nil {
		return nil, err
	}
	wanted := make(map[string]bool)
	if u.whole {
		if wanted, err = d.userInstalled(ctx, m); err != nil {
			return nil, err
		}
	}
	var left []leftover
	var remove, down []change
	for _, c := range u.Changes {
		now, is := there[c]
		switch {
		case !is:
		case c.added() && wanted[c.Name+"."+c.Arch] && !d.asked(ctx, m, u.asked, c):
			left = append(left, claimed(c.Name))
		case c.added():
			remove = append(remove, c)
		case !c.upgraded() || c.Gone || now == c.From:
		case noEpoch(now) != noEpoch(c.Version):
			left = append(left, changedSince(c.Name, now))
		default:
			down = append(down, c)
		}
	}
	if len(down) > 0 {
		args := []string{"--allowerasing", "downgrade", "--"}
		for _, c := range down {
			args = append(args, c.Name+"-"+c.From+"."+c.Arch)
		}
		if err := d.exactly(ctx, m, args, remove); err != nil {
			return left, err
		}
		if err := d.run(ctx, m, nil, args...); err != nil {
			return left, err
		}
	}
	remove, kept, err := d.spare(ctx, m, remove)
	left = append(left, kept...)
	if err != nil {
		return left, err
	}
	if len(remove) > 0 {
		args := append([]string{"remove", "--"}, d.specs(remove)...)
		if err := d.exactly(ctx, m, args, remove); err != nil {
			return left, err
		}
		if err := d.run(ctx, m, nil, args...); err != nil {
			return left, err
		}
	}
	return left, d.forget(ctx, m, u)
}

func (dnf) specs(cs []change) []string {
	out := make([]string, len(cs))
	for i, c := range cs {
		out[i] = c.Name + "." + c.Arch
	}
	return out
}

// asked says whether c is what one of names stands for.
func (dnf) asked(ctx context.Context, m machine.Machine, names []string, c change) bool {
	for _, n := range names {
		if n == c.Name || n == c.Name+"."+c.Arch {
			return true
		}
		if strings.HasPrefix(n, "@") {
			continue
		}
		rows, err := rpmQuery(ctx, m, "--whatprovides", n)
		if err == nil && slices.ContainsFunc(rows, func(r []string) bool { return r[0] == c.Name }) {
			return true
		}
	}
	return false
}

func (d dnf) userInstalled(ctx context.Context, m machine.Machine) (map[string]bool, error) {
	out := make(map[string]bool)
	lines, err := manage(ctx, m, nil, dnfLocks, d.command(m, "-q", "repoquery", "--userinstalled", "--qf", `%{name}.%{arch}\n`), nil)
	for _, l := range lines {
		out[l] = true
	}
	if err != nil && !keepsCause(err) && !lang.Told(err) {
		err = asking(saidBy(lines, dnfSays, err), d.program(m))
	}
	return out, err
}

// still gives those of cs that are installed.
func (d dnf) still(ctx context.Context, m machine.Machine, cs []change) ([]change, error) {
	there, err := d.present(ctx, m, transaction{Changes: cs})
	return slices.DeleteFunc(slices.Clone(cs), func(c change) bool { _, is := there[c]; return !is }), err
}

// "	gx-lib >= 1.0 is needed by (installed) gx-tool-1.0-1.noarch"
var rpmNeeded = regexp.MustCompile(`^\s+(.+?) is needed by \(installed\) (\S+)$`)

// spare takes out of cs what something else needs, which rpm tells beforehand.
func (d dnf) spare(ctx context.Context, m machine.Machine, cs []change) (out []change, left []leftover, err error) {
	if out, err = d.still(ctx, m, cs); err != nil {
		return nil, nil, err
	}
	for len(out) > 0 {
		argv := append([]string{"rpm", "-e", "--test"}, d.specs(out)...)
		lines, err := manage(ctx, m, nil, dnfLocks, machine.Command{Argv: argv, Timeout: 2 * time.Minute}, nil)
		if err == nil {
			return out, left, nil
		}
		if lang.Told(err) || keepsCause(err) {
			return nil, left, err
		}
		needed := make(map[change][]string)
		for _, l := range lines {
			g := rpmNeeded.FindStringSubmatch(l)
			if g == nil {
				continue
			}
			capability, _, _ := strings.Cut(g[1], " ")
			rows, err := rpmQuery(ctx, m, "--whatprovides", capability)
			if err != nil {
				return nil, left, err
			}
			for _, c := range out {
				if slices.ContainsFunc(rows, func(r []string) bool { return r[0] == c.Name && r[1] == c.Arch }) {
					needed[c] = append(needed[c], g[2])
				}
			}
		}
		if len(needed) == 0 {
			return nil, left, lang.Errorf(saidBy(lines, func(l string) bool { return strings.HasPrefix(l, "error:") || strings.Contains(l, " is needed by ") }, err),
				"cannot remove packages", "无法卸载软件包").
				WithHint("see what keeps them: rpm -e --test %s", "查看原因：rpm -e --test %s", strings.Join(d.specs(out), " "))
		}
		for _, c := range out {
			if by := needed[c]; by != nil {
				slices.Sort(by)
				left = append(left, neededBy(c.Name, slices.Compact(by)))
			}
		}
		out = slices.DeleteFunc(out, func(c change) bool { return needed[c] != nil })
	}
	return nil, left, nil
}

// exactly simulates a command and makes it an error to remove anything but cs,
// or to install.
func (d dnf) exactly(ctx context.Context, m machine.Machine, args []string, cs []change) error {
	lines, err := manage(ctx, m, nil, dnfLocks, d.command(m, append([]string{"--assumeno"}, args...)...), nil)
	t, ok := dnfPlan(lines)
	if !ok {
		if err == nil || keepsCause(err) || lang.Told(err) {
			return err
		}
		return lang.Errorf(saidBy(lines, dnfSays, err), "dnf refuses: %s", "dnf 拒绝执行：%s", strings.Join(args, " "))
	}
	ours := d.specs(cs)
	others := slices.DeleteFunc(t.removes, func(n string) bool { return slices.Contains(ours, n) })
	for _, c := range t.Changes {
		if c.added() {
			others = append(others, c.Name)
		}
	}
	if len(others) == 0 {
		return nil
	}
	return lang.Errorf(nil, "“dnf %s” would also change %s", "“dnf %s” 还会影响 %s", strings.Join(args, " "), Visible(strings.Join(others, " "))).
		WithHint("decide by hand what may go", "请手工决定可以卸载哪些软件包")
}

// forget takes back what dnf notes beside the packages: groups and streams of
// modules.
func (d dnf) forget(ctx context.Context, m machine.Machine, u undoing) error {
	if len(u.Groups) > 0 {
		now, err := d.groups(ctx, m)
		if err != nil {
			return err
		}
		for _, g := range u.Groups {
			if !now[g] {
				continue
			}
			args := []string{"group", "mark", "remove", g[1:]}
			if d.program(m) == "dnf5" {
				args = []string{"group", "remove", "--no-packages", g[1:]}
			}
			if err := d.run(ctx, m, nil, args...); err != nil {
				return err
			}
		}
	}
	if len(u.Modules) > 0 {
		return d.run(ctx, m, nil, append([]string{"module", "reset", "--"}, u.Modules...)...)
	}
	return nil
}

// keys are those that rpm takes signatures of: packages of its own making.
func (dnf) keys(ctx context.Context, m machine.Machine) ([]string, error) {
	rows, err := rpmQuery(ctx, m, "gpg-pubkey")
	var out []string
	for _, r := range rows {
		out = append(out, "gpg-pubkey-"+noEpoch(r[2]))
	}
	slices.Sort(out)
	return out, err
}

func (dnf) distrust(ctx context.Context, m machine.Machine, keys []string) error {
	err := m.Run(ctx, machine.Command{Argv: append([]string{"rpm", "-e", "--"}, keys...), Timeout: 2 * time.Minute}, nil)
	if err != nil {
		return cannot(exited(err), "cannot remove %s", "无法删除 %s", strings.Join(keys, " "))
	}
	return nil
}
