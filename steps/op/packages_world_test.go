package op

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"goxin/detect/machine"
)

// fakePackage is a package as a repository has it.
type fakePackage struct {
	version  string
	needs    []string
	provides string
	breaks   string // installing it removes that one
}

// fakeInstalled is a package on the machine.
type fakeInstalled struct {
	fakePackage
	state  string // installed, unpacked, half-installed, config-files
	manual bool
}

// packageWorld is apt with dpkg, or dnf with rpm, as far as the op can tell.
type packageWorld struct {
	repo    map[string][]fakePackage // newest last
	have    map[string]fakeInstalled
	groups  map[string][]string
	marked  map[string]bool // groups that count as installed
	journal bool            // dpkg was interrupted
	fails   string          // the package whose installation fails
	locked  int             // so many commands find the lock held; below 0: all
}

func (p *packageWorld) String() string {
	var b strings.Builder
	for _, n := range slices.Sorted(maps.Keys(p.have)) {
		h := p.have[n]
		fmt.Fprintln(&b, n, h.version, h.state, h.manual)
	}
	fmt.Fprintln(&b, p.journal)
	for _, g := range slices.Sorted(maps.Keys(p.marked)) {
		fmt.Fprintln(&b, g, p.marked[g])
	}
	return b.String()
}

func packageRepo(w *world) *packageWorld {
	w.packages = &packageWorld{
		repo: map[string][]fakePackage{
			"gcc":      {{version: "12", needs: []string{"libc-dev", "cpp"}}},
			"cpp":      {{version: "12"}},
			"libc":     {{version: "2.36"}, {version: "2.37"}},
			"libc-dev": {{version: "2.37", needs: []string{"libc=2.37"}}},
			"aio-t64":  {{version: "0.3", provides: "aio"}},
			"fio":      {{version: "3", needs: []string{"aio-t64"}}},
			"rival":    {{version: "1", breaks: "bash"}},
		},
		have:   map[string]fakeInstalled{"bash": {fakePackage{version: "5"}, "installed", true}},
		groups: map[string][]string{"dev": {"gcc"}},
		marked: map[string]bool{},
	}
	return w.packages
}

// interrupt is dpkg's note of what it is at, or the end of it.
func (p *packageWorld) interrupt(w *world, on bool) {
	p.journal = on
	if on {
		w.write(dpkgUpdates+"/0000", "", 0o644)
	} else if err := os.Remove(filepath.Join(w.dir, dpkgUpdates, "0000")); !errors.Is(err, fs.ErrNotExist) {
		must(err)
	}
}

func (p *packageWorld) newest(n string) (fakePackage, bool) {
	v := p.repo[n]
	if len(v) == 0 {
		return fakePackage{}, false
	}
	return v[len(v)-1], true
}

// provider is name, or the package that stands for it.
func (p *packageWorld) provider(name string) (string, bool) {
	if _, ok := p.repo[name]; ok {
		return name, true
	}
	for n, v := range p.repo {
		if v[len(v)-1].provides == name {
			return n, true
		}
	}
	return "", false
}

// resolve is what to install for names, what is needed first.
func (p *packageWorld) resolve(names []string) (order []string) {
	var add func(n string, exact string)
	add = func(n, exact string) {
		n, ok := p.provider(n)
		if h := p.have[n]; !ok || slices.Contains(order, n) || h.state == "installed" && (exact == "" || h.version == exact) {
			return
		}
		pkg, _ := p.newest(n)
		for _, d := range pkg.needs {
			d, v, _ := strings.Cut(d, "=")
			add(d, v)
		}
		order = append(order, n)
	}
	for _, n := range names {
		add(n, "")
	}
	return order
}

// needers are the packages that need n and are not in without.
func (p *packageWorld) needers(n string, without []string) (out []string) {
	for m, h := range p.have {
		for _, d := range h.needs {
			if d, _, _ = strings.Cut(d, "="); d == n && h.state != "config-files" && !slices.Contains(without, m) {
				out = append(out, m)
			}
		}
	}
	slices.Sort(out)
	return out
}

// put installs packages one by one, at each of which the process may die.
func (p *packageWorld) put(w *world, order, asked []string) error {
	p.interrupt(w, w.packagesAreDebs)
	for _, n := range order {
		pkg, _ := p.newest(n)
		was, there := p.have[n]
		h := fakeInstalled{pkg, "installed", slices.Contains(asked, n) || slices.Contains(asked, pkg.provides)}
		if there && was.state != "config-files" {
			h.manual = was.manual
		}
		if w.packagesAreDebs {
			h.state = "half-installed"
			p.have[n] = h
		}
		if err := w.effect("install", n); err != nil {
			return err
		}
		if p.fails == n {
			p.interrupt(w, false)
			return errors.New("fails")
		}
		h.state = "installed"
		p.have[n] = h
		if err := w.effect("installed", n); err != nil {
			return err
		}
	}
	p.interrupt(w, false)
	return nil
}

func (p *packageWorld) take(w *world, names []string, purge bool) error {
	p.interrupt(w, w.packagesAreDebs)
	for _, n := range names {
		if err := w.effect("remove", n); err != nil {
			return err
		}
		if h, ok := p.have[n]; ok && !purge {
			h.state, h.manual = "config-files", false
			p.have[n] = h
		} else {
			delete(p.have, n)
		}
	}
	p.interrupt(w, false)
	return nil
}

func (p *packageWorld) run(w *world, c machine.Command, say func(string)) error {
	exit := func(code int, lines ...string) error {
		for _, l := range lines {
			say(l)
		}
		if code == 0 {
			return nil
		}
		return &machine.ExitError{Argv: c.Argv, Code: code, Stderr: strings.Join(lines, "\n")}
	}
	has := func(s string) bool { return slices.Contains(c.Argv, s) }
	var args []string // after the options
	for i, a := range c.Argv[1:] {
		if !strings.HasPrefix(a, "-") && c.Argv[i] != "-o" && c.Argv[i] != "--qf" {
			args = append(args, strings.TrimSuffix(strings.TrimSuffix(a, ".amd64"), ":amd64"))
		}
	}
	takesLock := c.Argv[0] == "apt-get" && !has("-s") || c.Argv[0] == "dnf" || c.Argv[0] == "dpkg"
	if takesLock && p.locked != 0 {
		p.locked--
		if w.packagesAreDebs {
			return exit(100, "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1184 (packagekitd)")
		}
		return exit(200, "Waiting for process with pid 1184 to finish.")
	}
	switch c.Argv[0] {
	case "stat":
		return exit(1)
	case "dpkg-query", "apt-cache", "apt-mark", "apt-get", "dpkg":
		if w.packagesAreDebs {
			return p.apt(w, c.Argv[0], args, has, exit)
		}
	case "rpm", "dnf":
		if !w.packagesAreDebs {
			return p.dnf(w, c.Argv[0], args, has, exit)
		}
	}
	return fmt.Errorf("unexpected: %q", c.Argv)
}

func (p *packageWorld) apt(w *world, program string, args []string, has func(string) bool, exit func(int, ...string) error) error {
	switch program {
	case "dpkg-query":
		var out []string
		for n, h := range p.have {
			flag := "ok"
			if h.state == "half-installed" {
				flag = "reinstreq"
			}
			out = append(out, "Package: "+n, "Status: install "+flag+" "+h.state, "Architecture: amd64", "Version: "+h.version, "Installed-Size: 10", "Provides: "+h.provides, "")
		}
		return exit(0, out...)
	case "apt-mark":
		for _, n := range args[1:] {
			h := p.have[n]
			h.manual = false
			p.have[n] = h
		}
		var out []string
		for n, h := range p.have {
			if args[0] == "showmanual" && h.manual || args[0] == "showauto" && !h.manual {
				out = append(out, n)
			}
		}
		return exit(0, out...)
	case "apt-cache":
		var out []string
		for _, n := range args[1:] {
			n, _, _ = strings.Cut(n, "=")
			pkg, ok := p.newest(n)
			switch {
			case args[0] == "policy" && ok:
				out = append(out, n+":", "  Candidate: "+pkg.version)
			case args[0] == "show":
				out = append(out, "Package: "+n, "Version: "+pkg.version, "Size: 1000000", "Installed-Size: 2000")
			case args[0] == "madison":
				for _, v := range p.repo[n] {
					out = append(out, n+" | "+v.version+" | http://deb.debian.org/debian bookworm/main amd64 Packages")
				}
			case args[0] == "showpkg":
				if by, ok := p.provider(n); ok {
					pkg, _ := p.newest(by)
					out = append(out, "Package: "+n, "Reverse Provides: ", by+" "+pkg.version+" (= )")
				}
			}
		}
		return exit(0, out...)
	case "dpkg":
		if has("--configure") {
			p.interrupt(w, false)
			for _, n := range slices.Sorted(maps.Keys(p.have)) {
				if err := w.effect("configure", n); err != nil {
					p.interrupt(w, true)
					return err
				}
				if h := p.have[n]; h.state == "unpacked" {
					h.state = "installed"
					p.have[n] = h
				}
			}
			return nil
		}
		var out []string
		for _, n := range args {
			if by := p.needers(n, args); len(by) > 0 {
				out = append(out, "dpkg: dependency problems prevent removal of "+n+":amd64:", " "+by[0]+" depends on "+n+" (>= 1).", "dpkg: error processing package "+n+":amd64 (--purge):")
			}
		}
		if len(out) > 0 || has("--no-act") {
			return exit(min(len(out), 1), out...)
		}
		return p.take(w, args, has("--purge"))
	}
	return p.aptGet(w, args[1:], has, exit)
}

func (p *packageWorld) aptGet(w *world, args []string, has func(string) bool, exit func(int, ...string) error) error {
	if p.journal && !has("-s") {
		return exit(100, "E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem. ")
	}
	if has("update") {
		list := "mirror.example.com_debian_dists_bookworm_InRelease"
		if has("--print-uris") {
			return exit(0, "'http://mirror.example.com/debian/dists/bookworm/InRelease' "+list+" 0")
		}
		if err := w.effect("run", "apt-get update"); err != nil {
			return err
		}
		w.write(aptLists+"/"+list, "Origin: Debian\n", 0o644)
		w.write(aptLists+"/mirror.example.com_debian_dists_bookworm_main_binary-amd64_Packages", "Package: fio\n", 0o644)
		return exit(0)
	}
	var in, out, down []string
	for _, a := range args {
		if n, ok := strings.CutSuffix(a, "-"); ok {
			out = append(out, strings.TrimSuffix(n, ":amd64"))
		} else if strings.Contains(a, "=") {
			down = append(down, strings.Replace(a, ":amd64=", "=", 1))
		} else {
			in = append(in, a)
		}
	}
	order := p.resolve(in)
	for n, h := range p.have {
		again := slices.ContainsFunc(down, func(d string) bool { return strings.HasPrefix(d, n+"=") })
		if h.state == "half-installed" && !slices.Contains(order, n) && !again {
			order = append(order, n)
		}
	}
	var lines []string
	for _, n := range order {
		pkg, _ := p.newest(n)
		from := ""
		if h, ok := p.have[n]; ok && h.state != "config-files" {
			from = " [" + h.version + "]"
		}
		lines = append(lines, "Inst "+n+from+" ("+pkg.version+" Debian:12/stable [amd64])")
		if pkg.breaks != "" {
			lines = append(lines, "Remv "+pkg.breaks+" [5]")
		}
	}
	for _, d := range down {
		n, v, _ := strings.Cut(d, "=")
		lines = append(lines, "Inst "+n+" ["+p.have[n].version+"] ("+v+" Debian:12/stable [amd64])")
	}
	for _, n := range out {
		lines = append(lines, "Purg "+n+" [1]")
	}
	if has("-s") {
		return exit(0, lines...)
	}
	if err := p.put(w, order, in); err != nil {
		if errors.Is(err, errDied) {
			return err
		}
		return exit(100, "pmerror:"+p.fails+":50:post-installation script returned error exit status 1", "E: Sub-process /usr/bin/dpkg returned an error code (1)")
	}
	if err := p.take(w, out, has("--purge")); err != nil {
		return err
	}
	return p.goBack(w, down)
}

func (p *packageWorld) goBack(w *world, down []string) error {
	for _, d := range down {
		n, v, _ := strings.Cut(d, "=")
		if err := w.effect("downgrade", n); err != nil {
			return err
		}
		h := p.have[n]
		h.version, h.state, h.manual = v, "installed", h.manual || w.packagesAreDebs // apt-get marks it
		p.have[n] = h
	}
	return nil
}

// debs and rpms are machines with a few packages.
func debs(change func(*packageWorld)) func(*world) {
	return func(w *world) {
		w.packagesAreDebs = true
		w.mkdir(dpkgUpdates)
		change(packageRepo(w))
	}
}

func rpms(change func(*packageWorld)) func(*world) {
	return func(w *world) { change(packageRepo(w)) }
}

func oldLibc(p *packageWorld) {
	p.have["libc"] = fakeInstalled{p.repo["libc"][0], "installed", false}
}

func packageSituations() []situation {
	apt := func(names ...string) *Packages { return &Packages{"apt", names, why} }
	dnf := func(names ...string) *Packages { return &Packages{"dnf", names, why} }
	plain := func(*packageWorld) {}
	with := func(n, state string) func(*packageWorld) {
		return func(p *packageWorld) { p.have[n] = fakeInstalled{p.repo[n][0], state, true} }
	}
	return []situation{
		{"a deb with what it needs", apt("fio"), debs(plain), "applied"},
		{"package lists", &Lists{why}, func(w *world) { w.mkdir(aptLists + "/partial"); debs(plain)(w) }, "applied"},
		{"package lists beside those of another source", &Lists{why}, func(w *world) {
			debs(plain)(w)
			w.write(aptLists+"/other.example.com_dists_stable_InRelease", "Origin: other\n", 0o644)
		}, "applied"},
		{"package lists that are there", &Lists{why}, func(w *world) {
			debs(plain)(w)
			w.write(aptLists+"/mirror.example.com_debian_dists_bookworm_Release", "Origin: Debian\n", 0o644)
		}, ""},
		{"a deb that is there", apt("bash"), debs(plain), ""},
		{"a deb that another provides", apt("aio"), debs(plain), "applied"},
		{"a deb that what is there provides", apt("aio"), debs(with("aio-t64", "installed")), ""},
		{"debs that upgrade one that is there", apt("fio", "gcc"), debs(oldLibc), "applied"},
		{"a deb whose configuration files are there", apt("cpp"), debs(func(p *packageWorld) {
			p.have["cpp"] = fakeInstalled{p.repo["cpp"][0], "config-files", false}
		}), "applied"},
		{"an rpm with what it needs", dnf("fio"), rpms(plain), "applied"},
		{"an rpm that is there", dnf("bash"), rpms(plain), ""},
		{"an rpm that another provides", dnf("aio"), rpms(plain), "applied"},
		{"rpms that upgrade one that is there", &Packages{"yum", []string{"fio", "gcc"}, why}, rpms(oldLibc), "applied"},
		{"a group", dnf("@dev", "fio"), rpms(plain), "applied"},
	}
}
