package op

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// dnf is dnf 4, or yum where that is its front end; dnf 5 as far as it takes and
// prints the same. Installed packages are asked of rpm.
type dnf struct{}

// dnfLocked is dnf's exit code where exit_on_lock is set and somebody else is at
// it (dnf.conf(5)).
const dnfLocked = 200

var dnfLocks = []string{
	"/var/cache/dnf/download_lock.pid", "/var/cache/dnf/metadata_lock.pid", "/var/lib/dnf/rpmdb_lock.pid", "/var/run/dnf.pid", "/var/run/yum.pid",
	"/var/lib/rpm/.rpm.lock", "/usr/lib/sysimage/rpm/.rpm.lock",
}

// program is dnf where it is, else yum.
func (dnf) program(m machine.Machine) string {
	for _, p := range []string{"dnf", "dnf5", "yum"} {
		if _, err := m.Stat("/usr/bin/" + p); err == nil {
			return p
		}
	}
	return "dnf"
}

// command is the same for a simulation and what it simulates. Weak dependencies
// stay away, and a removal takes no others along that seem unused.
func (d dnf) command(m machine.Machine, args ...string) machine.Command {
	return machine.Command{
		Argv: append([]string{
			d.program(m), "--setopt=install_weak_deps=False", "--setopt=clean_requirements_on_remove=False",
			"--setopt=exit_on_lock=True", "--color=never",
		}, args...),
		Timeout: queryTime,
	}
}

func (d dnf) byHand(names []string) []string {
	return []string{"dnf install --setopt=install_weak_deps=False " + strings.Join(names, " ")}
}

func (dnf) tree(machine.Machine, []string) (map[string]string, bool, error) { return nil, false, nil }

// rpm's transactions are each package by itself: nothing is left to finish.
func (dnf) interrupted(context.Context, machine.Machine) (bool, error) { return false, nil }

func (dnf) repair(context.Context, machine.Machine, func(lang.Text)) error { return nil }

const rpmFormat = `%{NAME}\t%{ARCH}\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n`

// rpmQuery gives what rpm -q knows of one package: name, architecture, version.
// None is no error.
func rpmQuery(ctx context.Context, m machine.Machine, args ...string) (rows [][]string, err error) {
	var lines []string
	err = m.Run(ctx, machine.Command{Argv: append([]string{"rpm", "-q", "--qf", rpmFormat}, args...), Timeout: 2 * time.Minute}, func(line string) {
		lines = append(lines, line)
		if f := strings.Split(line, "\t"); len(f) == 3 {
			rows = append(rows, f)
		}
	})
	var exit *machine.ExitError
	if errors.As(err, &exit) && exit.Code > 0 && !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "error:") }) {
		return nil, nil
	}
	if keepsCause(err) {
		return rows, err
	}
	return nil, asking(err, "rpm")
}

func (d dnf) installed(ctx context.Context, m machine.Machine, names []string) (map[string]string, error) {
	out := make(map[string]string)
	var groups map[string]bool
	for _, n := range names {
		if strings.HasPrefix(n, "@") {
			if groups == nil {
				var err error
				if groups, err = d.groups(ctx, m); err != nil {
					return nil, err
				}
			}
			if groups[n] {
				out[n] = "group"
			}
			continue
		}
		rows, err := rpmQuery(ctx, m, n)
		if err == nil && len(rows) == 0 {
			rows, err = rpmQuery(ctx, m, "--whatprovides", n)
		}
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			out[n] = rows[len(rows)-1][2]
		}
	}
	return out, nil
}

// "   Development Tools (development)" of dnf 4's group list --ids, and
// "development  Development Tools  yes" of dnf 5's.
var (
	dnf4Group = regexp.MustCompile(`^\s+.*\(([A-Za-z0-9._-]+)\)\s*$`)
	dnf5Group = regexp.MustCompile(`^([A-Za-z0-9._-]+)\s.*\s(yes|no)\s*$`)
)

// groups are the groups and environments there are, and whether they are
// installed.
func (d dnf) groups(ctx context.Context, m machine.Machine) (map[string]bool, error) {
	out, inside := make(map[string]bool), false
	args := []string{"-q", "group", "list", "--ids"}
	if d.program(m) == "dnf5" {
		args = args[:3]
	}
	lines, err := manage(ctx, m, nil, dnfLocks, d.command(m, args...), nil)
	if err != nil {
		if keepsCause(err) || lang.Told(err) {
			return nil, err
		}
		return nil, asking(err, d.program(m))
	}
	for _, line := range lines {
		if g := dnf4Group.FindStringSubmatch(line); g != nil {
			out["@"+g[1]] = inside
		} else if g := dnf5Group.FindStringSubmatch(line); g != nil {
			out["@"+g[1]] = g[2] == "yes"
		} else if strings.HasSuffix(line, ":") {
			inside = strings.HasPrefix(line, "Installed ")
		}
	}
	return out, nil
}

// available asks the repositories by name, and of what they do not know by name,
// what provides it.
func (d dnf) available(ctx context.Context, m machine.Machine, names []string) (map[string]string, error) {
	out := make(map[string]string)
	plain := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return strings.HasPrefix(n, "@") })
	if len(plain) < len(names) {
		groups, err := d.groups(ctx, m)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			if _, ok := groups[n]; ok {
				out[n] = "group"
			}
		}
	}
	if len(plain) == 0 {
		return out, nil
	}
	rows, err := d.query(ctx, m, "--latest-limit=1", plain...)
	if err != nil {
		return nil, err
	}
	for _, n := range plain {
		for _, r := range rows {
			if r[0] == n || r[0]+"."+r[1] == n {
				out[n] = r[2]
			}
		}
		if out[n] != "" {
			continue
		}
		by, err := d.query(ctx, m, "--whatprovides", n)
		if err != nil {
			return nil, err
		}
		if len(by) > 0 {
			out[n] = by[len(by)-1][2]
		}
	}
	return out, nil
}

// query asks the repositories: name, architecture, version, bytes to fetch and
// on disk.
func (d dnf) query(ctx context.Context, m machine.Machine, option string, names ...string) (rows [][]string, err error) {
	args := append([]string{"-q", "repoquery", "--qf", `%{name}\t%{arch}\t%{evr}\t%{downloadsize}\t%{installsize}\n`, option}, names...)
	lines, err := manage(ctx, m, nil, dnfLocks, d.command(m, args...), nil)
	if err != nil {
		if keepsCause(err) || lang.Told(err) {
			return nil, err
		}
		return nil, asking(saidBy(lines, dnfSays, err), d.program(m)).
			WithHint("see whether it reaches its repositories: dnf makecache; the mirror step puts them right", "请确认软件源可访问：dnf makecache；「软件源」步骤可修复")
	}
	for _, line := range lines {
		if f := strings.Split(line, "\t"); len(f) == 5 {
			rows = append(rows, f)
		}
	}
	return rows, nil
}

func (d dnf) providers(ctx context.Context, m machine.Machine, soname string) ([]string, error) {
	rows, err := d.query(ctx, m, "--whatprovides", soname+"()(64bit)")
	var out []string
	for _, r := range rows {
		out = append(out, r[0])
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

func dnfSays(line string) bool {
	for _, p := range []string{"Error", "error:", "Problem", "- ", "No match for argument", "No package"} {
		if strings.HasPrefix(line, p) && line != "Error:" {
			return true
		}
	}
	return false
}

// simulate answers no to dnf's question. It exits with 1 either way; the table
// tells that it came so far.
func (d dnf) simulate(ctx context.Context, m machine.Machine, names []string) (transaction, error) {
	lines, err := manage(ctx, m, nil, dnfLocks, d.command(m, append([]string{"--assumeno", "install", "--"}, names...)...), nil)
	t, ok := dnfPlan(lines)
	if err == nil && !ok { // nothing to do: a name that something installed stands for
		return t, nil
	}
	if !ok {
		if keepsCause(err) || lang.Told(err) {
			return t, err
		}
		var unknown []string
		for _, l := range lines {
			if n, is := strings.CutPrefix(strings.TrimSpace(l), "No match for argument: "); is && slices.Contains(names, n) {
				unknown = append(unknown, n)
			}
		}
		if len(unknown) > 0 {
			return t, unknownPackages(unknown, "dnf makecache")
		}
		return t, lang.Errorf(saidBy(lines, dnfSays, err), "cannot install %s", "无法安装 %s", strings.Join(names, " ")).
			WithHint("try “dnf install --assumeno %s”; the mirror step puts the repositories right", "请执行 “dnf install --assumeno %s” 查看；「软件源」步骤可修复软件源", strings.Join(names, " "))
	}
	for _, n := range names {
		if strings.HasPrefix(n, "@") {
			t.Groups = append(t.Groups, n)
		}
	}
	return t, d.detail(ctx, m, &t)
}

// detail adds what the table does not tell, or only rounded.
func (d dnf) detail(ctx context.Context, m machine.Machine, t *transaction) error {
	if len(t.Changes) == 0 {
		return nil
	}
	names := make([]string, len(t.Changes))
	for i, c := range t.Changes {
		names[i] = c.Name + "." + c.Arch
	}
	rows, err := d.query(ctx, m, "--showduplicates", names...)
	if err != nil {
		return err
	}
	type sizes struct{ fetch, disk int64 }
	known := make(map[string]sizes)
	for _, r := range rows {
		var s sizes
		s.fetch, _ = strconv.ParseInt(r[3], 10, 64)
		s.disk, _ = strconv.ParseInt(r[4], 10, 64)
		known[r[0]+"."+r[1]+" "+noEpoch(r[2])] = s
	}
	for i, c := range t.Changes {
		id := c.Name + "." + c.Arch + " "
		s := known[id+noEpoch(c.Version)]
		t.Fetch, t.Disk = t.Fetch+s.fetch, t.Disk+s.disk
		if c.added() {
			continue
		}
		was, err := rpmQuery(ctx, m, c.Name+"."+c.Arch)
		if err != nil {
			return err
		}
		if len(was) == 0 {
			continue
		}
		from := was[len(was)-1][2]
		old, there := known[id+noEpoch(from)]
		t.Changes[i].From, t.Changes[i].Gone = from, !there
		t.Disk -= old.disk
	}
	return nil
}

// noEpoch makes "0:1.0-1" of some dnf "1.0-1".
func noEpoch(v string) string { return strings.TrimPrefix(v, "0:") }

func (dnf) present(ctx context.Context, m machine.Machine, t transaction) (map[change]string, error) {
	out := make(map[change]string)
	for _, c := range t.Changes {
		rows, err := rpmQuery(ctx, m, c.Name+"."+c.Arch)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			continue
		}
		out[c] = rows[len(rows)-1][2]
		for _, r := range rows { // several may stand side by side: kernels
			if noEpoch(r[2]) == noEpoch(c.Version) {
				out[c] = c.Version
			}
		}
	}
	return out, nil
}
