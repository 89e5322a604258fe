package op

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// apt installs with apt-get and takes away with dpkg and apt-get.
type apt struct{}

var aptLocks = []string{"/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock", "/var/lib/apt/lists/lock", "/var/cache/apt/archives/lock"}

// aptGet is the command of a transaction, simulated or not: the same options,
// so that what was signed is what is done. A site's configuration must neither
// bring recommended packages in nor have unused ones removed.
func aptGet(options ...string) []string {
	return append([]string{
		"apt-get", "-y", "-q", "--no-install-recommends", "-o", "APT::Install-Suggests=false",
		"-o", "APT::Get::AutomaticRemove=false", "-o", "DPkg::Lock::Timeout=0",
	}, options...)
}

func (apt) byHand(names []string) []string {
	return []string{"apt-get install --no-install-recommends " + strings.Join(names, " ")}
}

func (apt) installed(ctx context.Context, m machine.Machine, names []string) (map[string]string, error) {
	all, err := dpkg(ctx, m)
	if err != nil {
		return nil, err
	}
	return all.installed(names), nil
}

func (apt) tree(m machine.Machine, names []string) (map[string]string, bool, error) {
	all, ok, err := dpkgFile(m)
	return all.installed(names), ok, err
}

// query runs one of apt's programs that only read.
func (apt) query(ctx context.Context, m machine.Machine, see func(string), argv ...string) error {
	err := m.Run(ctx, machine.Command{Argv: argv, Timeout: queryTime}, see)
	if keepsCause(err) {
		return err
	}
	return asking(err, argv[0])
}

// available asks for candidates. A name that only others provide is available
// where exactly one does: of several apt chooses none.
func (a apt) available(ctx context.Context, m machine.Machine, names []string) (map[string]string, error) {
	out, virtual := make(map[string]string), []string(nil)
	if len(names) == 0 {
		return out, nil
	}
	candidate, at := make(map[string]string), ""
	err := a.query(ctx, m, func(line string) {
		if !strings.HasPrefix(line, " ") {
			at = strings.TrimSuffix(line, ":")
		} else if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate: "); ok && v != "(none)" {
			candidate[at] = v
		}
	}, append([]string{"apt-cache", "policy", "--"}, names...)...)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		bare, _, _ := strings.Cut(n, ":") // of the machine's own architecture apt says no more
		if v := candidate[n]; v != "" {
			out[n] = v
		} else if v := candidate[bare]; v != "" && bare != n {
			out[n] = v
		} else {
			virtual = append(virtual, n)
		}
	}
	for _, n := range virtual {
		providers, inside := make(map[string]string), false
		// apt-cache exits with 0 or 100 for a name it does not know, by its version.
		err := m.Run(ctx, machine.Command{Argv: []string{"apt-cache", "showpkg", "--", n}, Timeout: queryTime}, func(line string) {
			if strings.HasPrefix(line, "Reverse Provides:") {
				inside = true
			} else if f := strings.Fields(line); inside && len(f) >= 2 {
				providers[f[0]] = f[1]
			}
		})
		if err == nil && len(providers) == 1 {
			for _, v := range providers {
				out[n] = v
			}
		}
	}
	return out, nil
}

// interrupted says that dpkg left something to finish, and that nobody is
// finishing it now.
func (apt) interrupted(ctx context.Context, m machine.Machine) (bool, error) {
	all, err := dpkg(ctx, m)
	if err != nil {
		return false, err
	}
	if !aptJournal(m) && !slices.ContainsFunc(all, debPackage.half) {
		return false, nil
	}
	return locker(ctx, m, aptLocks[:2]) == 0, nil
}

// aptJournal says what apt goes by: dpkg's notes, in files whose names are
// numbers.
func aptJournal(m machine.Machine) bool {
	names, _ := m.ReadDir(dpkgUpdates)
	return slices.ContainsFunc(names, func(n string) bool {
		_, err := strconv.Atoi(n)
		return err == nil
	})
}

// Inst libc6:i386 [2.36-9] (2.36-10 Debian:12.15/oldstable, Debian-Security:12 [i386]) []
var (
	aptInst = regexp.MustCompile(`^Inst (\S+)(?: \[([^\]]*)\])? \((\S+) .*\[([^\]]*)\]\)`)
	aptGone = regexp.MustCompile(`^(?:Remv|Purg) (\S+)`)
)

// aptPlan reads what apt-get -s prints.
func aptPlan(lines []string) (t transaction) {
	for _, l := range lines {
		if g := aptInst.FindStringSubmatch(l); g != nil {
			t.Changes = append(t.Changes, change{Name: g[1], From: g[2], Version: g[3], Arch: g[4]})
		} else if g := aptGone.FindStringSubmatch(l); g != nil {
			t.removes = append(t.removes, g[1])
		}
	}
	slices.SortFunc(t.Changes, func(a, b change) int { return strings.Compare(a.Name, b.Name) })
	return t
}

func aptSays(line string) bool { return strings.HasPrefix(line, "E: ") }

// simulate first makes sure that each name is one: apt takes what it does not
// know for a pattern.
func (a apt) simulate(ctx context.Context, m machine.Machine, names []string) (t transaction, err error) {
	known, err := a.available(ctx, m, names)
	if err != nil {
		return t, err
	}
	unknown := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return known[n] != "" })
	if len(unknown) > 0 {
		return t, unknownPackages(unknown, "apt-get update")
	}
	lines, err := manage(ctx, m, nil, aptLocks, machine.Command{Argv: append(aptGet("-s", "install", "--"), names...), Timeout: queryTime}, nil)
	if err != nil {
		if keepsCause(err) {
			return t, err
		}
		return t, lang.Errorf(saidBy(lines, aptSays, err), "cannot install %s", "无法安装 %s", strings.Join(names, " ")).
			WithHint("try “apt-get -s install %s”: packages of several releases may be mixed, or held (apt-mark showhold)",
				"请执行 “apt-get -s install %s” 查看：可能混用了不同版本的软件源，或有软件包被保持（apt-mark showhold）", strings.Join(names, " "))
	}
	t = aptPlan(lines)
	if len(t.Changes) == 0 {
		return t, nil
	}
	return t, a.detail(ctx, m, &t)
}

// detail adds what the simulation does not tell.
func (a apt) detail(ctx context.Context, m machine.Machine, t *transaction) error {
	all, err := dpkg(ctx, m)
	if err != nil {
		return err
	}
	argv, upgrades := []string{"apt-cache", "show", "--"}, []string(nil)
	for i, c := range t.Changes {
		argv = append(argv, c.Name+"="+c.Version)
		was, _ := all.find(c.Name, c.Arch)
		t.Changes[i].Config = c.added() && was.state == "config-files"
		if c.upgraded() {
			upgrades = append(upgrades, c.Name)
			t.Disk -= was.size << 10
		}
	}
	at, sized := "", make(map[string]bool) // a package of two repositories is shown twice
	err = a.query(ctx, m, func(line string) {
		key, value, _ := strings.Cut(line, ": ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch key {
		case "Package":
			at = value
		case "Architecture", "Version":
			at += " " + value
		case "Size":
			if k := at + key; !sized[k] {
				sized[k], t.Fetch = true, t.Fetch+n
			}
		case "Installed-Size":
			if k := at + key; !sized[k] {
				sized[k], t.Disk = true, t.Disk+n<<10
			}
		}
	}, argv...)
	if err != nil || len(upgrades) == 0 {
		return err
	}
	auto, old := make(map[string]bool), make(map[string]bool)
	if err := a.query(ctx, m, func(line string) { auto[line] = true }, append([]string{"apt-mark", "showauto", "--"}, upgrades...)...); err != nil {
		return err
	}
	err = a.query(ctx, m, func(line string) {
		if f := strings.Split(line, "|"); len(f) == 3 && !strings.HasSuffix(line, " Sources") {
			old[strings.TrimSpace(f[0])+"="+strings.TrimSpace(f[1])] = true
		}
	}, append([]string{"apt-cache", "madison", "--"}, upgrades...)...)
	for i, c := range t.Changes {
		if c.upgraded() {
			bare, _, _ := strings.Cut(c.Name, ":")
			t.Changes[i].Auto = auto[c.Name] || auto[bare+":"+c.Arch]
			t.Changes[i].Gone = !old[bare+"="+c.From]
		}
	}
	return err
}

func (apt) present(ctx context.Context, m machine.Machine, t transaction) (map[change]string, error) {
	all, err := dpkg(ctx, m)
	out := make(map[change]string)
	for _, c := range t.Changes {
		if d, ok := all.find(c.Name, c.Arch); ok && d.whole() {
			out[c] = d.version
		}
	}
	return out, err
}
