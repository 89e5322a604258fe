package op

import (
	"errors"
	"slices"
	"strings"
)

func (p *packageWorld) dnf(w *world, program string, args []string, has func(string) bool, exit func(int, ...string) error) error {
	row := func(n, version string) string { return n + "\tamd64\t" + version }
	if program == "rpm" && has("-e") {
		if key, ok := strings.CutPrefix(args[0], "gpg-pubkey-"); ok {
			if err := w.effect("rpm", "-e "+args[0]); err != nil {
				return err
			}
			if p.have["gpg-pubkey"].version != key {
				return exit(1, "error: package "+args[0]+" is not installed")
			}
			delete(p.have, "gpg-pubkey")
			return nil
		}
		var out []string
		for _, n := range args {
			for _, by := range p.needers(n, args) {
				out = append(out, "\t"+n+" is needed by (installed) "+by+"-1.amd64")
			}
		}
		return exit(min(len(out), 1), out...)
	}
	if program == "rpm" {
		for n, h := range p.have {
			if n == args[0] || has("--whatprovides") && h.provides == args[0] {
				return exit(0, row(n, h.version))
			}
		}
		return exit(1, "package "+args[0]+" is not installed")
	}
	verb, args := args[0], args[1:]
	switch {
	case verb == "repoquery" && has("--userinstalled"):
		var out []string
		for n, h := range p.have {
			if h.manual {
				out = append(out, n+".amd64")
			}
		}
		return exit(0, out...)
	case verb == "repoquery":
		var out []string
		for _, n := range args {
			for _, v := range p.repo[n] {
				out = append(out, row(n, v.version)+"\t1000000\t2000000", "")
			}
			if by, ok := p.provider(n); ok && has("--whatprovides") {
				out = append(out, row(by, "0.3")+"\t1\t1")
			}
		}
		return exit(0, out...)
	case verb == "group" && args[0] == "list":
		out := []string{"Available Groups:"}
		for g := range p.groups {
			if p.marked[g] {
				out = append([]string{"Installed Groups:", "   Development (" + g + ")"}, out...)
			} else {
				out = append(out, "   Development ("+g+")")
			}
		}
		return exit(0, out...)
	case verb == "group":
		if err := w.effect("mark", args[2]); err != nil {
			return err
		}
		delete(p.marked, args[2])
		return nil
	case verb == "install":
		return p.dnfInstall(w, args, has, exit)
	case verb == "remove":
		if has("--assumeno") {
			out := []string{"Removing:"}
			for _, n := range args {
				out = append(out, " "+n+" amd64 1 @repo 1 k")
			}
			return exit(1, append(out, "", "Transaction Summary")...)
		}
		return p.take(w, args, true)
	}
	// downgrade: what needs the version that goes, goes
	out, down := []string{"Downgrading:"}, []string(nil)
	var gone []string
	for _, a := range args {
		i := strings.LastIndex(a, "-")
		down = append(down, a[:i]+"="+a[i+1:])
		out = append(out, " "+a[:i]+" amd64 "+a[i+1:]+" repo 1 k")
		gone = append(gone, p.needers(a[:i], nil)...)
	}
	for i := 0; i < len(gone); i++ {
		gone = append(gone, p.needers(gone[i], gone)...)
	}
	out = append(out, "Removing dependent packages:")
	for _, n := range gone {
		out = append(out, " "+n+" amd64 1 @repo 1 k")
	}
	if has("--assumeno") {
		return exit(1, append(out, "", "Transaction Summary")...)
	}
	if err := p.take(w, gone, true); err != nil {
		return err
	}
	return p.goBack(w, down)
}

func (p *packageWorld) dnfInstall(w *world, args []string, has func(string) bool, exit func(int, ...string) error) error {
	asked, groups := []string(nil), []string(nil)
	for _, a := range args {
		if g, ok := strings.CutPrefix(a, "@"); ok {
			groups, asked = append(groups, g), append(asked, p.groups[g]...)
		} else if _, ok := p.provider(a); ok {
			asked = append(asked, a)
		} else {
			return exit(1, "No match for argument: "+a, "Error: Unable to find a match: "+a)
		}
	}
	order := p.resolve(asked)
	var in, up, gone []string
	for _, n := range order {
		pkg, _ := p.newest(n)
		line := " " + n + "\tamd64 " + pkg.version + " repo 1.0 M"
		if _, ok := p.have[n]; ok {
			up = append(up, line)
		} else {
			in = append(in, line)
		}
		if pkg.breaks != "" {
			gone = append(gone, "     replacing  "+pkg.breaks+".amd64 5-1")
		}
	}
	out := slices.Concat([]string{"Installing:"}, in, gone, []string{"Upgrading:"}, up, []string{"", "Transaction Summary"})
	if has("--assumeno") {
		return exit(1, out...)
	}
	if err := w.effect("rpm", "--import"); err != nil {
		return err
	}
	if _, there := p.have["gpg-pubkey"]; !there {
		p.have["gpg-pubkey"] = fakeInstalled{fakePackage{version: "b675600b-64a1b2c3"}, "installed", false}
	}
	if err := p.put(w, order, args); err != nil {
		if errors.Is(err, errDied) {
			return err
		}
		return exit(1, "Error: Transaction failed")
	}
	for _, g := range groups {
		if err := w.effect("mark", g); err != nil {
			return err
		}
		p.marked[g] = true
	}
	return nil
}
