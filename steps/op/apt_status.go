package op

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"goxin/detect/machine"
)

const (
	dpkgStatus  = "/var/lib/dpkg/status"
	dpkgUpdates = "/var/lib/dpkg/updates"
)

// debPackage is a stanza of dpkg's database.
type debPackage struct {
	name, arch, version string
	flag, state         string // "ok" or "reinstreq"; "installed", "half-configured", …
	provides            []string
	size                int64 // KiB
}

// whole says that it is installed and configured. One whose triggers are yet to
// run works already.
func (d debPackage) whole() bool {
	switch d.state {
	case "installed", "triggers-awaited", "triggers-pending":
		return d.flag == "ok"
	}
	return false
}

// half says that dpkg has something to finish.
func (d debPackage) half() bool {
	return d.flag == "reinstreq" || d.state != "installed" && d.state != "config-files" && d.state != "not-installed"
}

// dpkgFormat has dpkg-query write stanzas as its status file has them. The
// program, unlike the file, knows what an interrupted dpkg noted beside it.
const dpkgFormat = `-f=Package: ${Package}\nStatus: ${Status}\nArchitecture: ${Architecture}\nVersion: ${Version}\nInstalled-Size: ${Installed-Size}\nProvides: ${Provides}\n\n`

type debPackages []debPackage

// dpkg is every package its database knows.
func dpkg(ctx context.Context, m machine.Machine) (debPackages, error) {
	var p debParser
	err := m.Run(ctx, machine.Command{Argv: []string{"dpkg-query", "-W", dpkgFormat}, Timeout: 2 * time.Minute}, p.line)
	if keepsCause(err) {
		return p.end(), err
	}
	return nil, asking(err, "dpkg")
}

// dpkgFile is the same of a tree; ok is false where there is no database.
func dpkgFile(m machine.Machine) (all debPackages, ok bool, err error) {
	b, err := m.ReadFile(dpkgStatus)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, cannotRead(err, dpkgStatus)
	}
	var p debParser
	for line := range strings.Lines(string(b)) {
		p.line(strings.TrimSuffix(line, "\n"))
	}
	return p.end(), true, nil
}

// debParser reads stanzas.
type debParser struct {
	all debPackages
	now debPackage
}

func (p *debParser) line(line string) {
	if line == "" {
		p.end()
		return
	}
	key, value, ok := strings.Cut(line, ":")
	if !ok || strings.HasPrefix(line, " ") {
		return
	}
	value = strings.TrimSpace(value)
	switch key {
	case "Package":
		p.now.name = value
	case "Architecture":
		p.now.arch = value
	case "Version":
		p.now.version = value
	case "Status":
		if f := strings.Fields(value); len(f) == 3 {
			p.now.flag, p.now.state = f[1], f[2]
		}
	case "Installed-Size":
		p.now.size, _ = strconv.ParseInt(value, 10, 64)
	case "Provides":
		for provided := range strings.SplitSeq(value, ",") {
			if f := strings.Fields(provided); len(f) > 0 {
				p.now.provides = append(p.now.provides, f[0])
			}
		}
	}
}

func (p *debParser) end() debPackages {
	if p.now.name != "" {
		p.all = append(p.all, p.now)
	}
	p.now = debPackage{}
	return p.all
}

// find gives a package by name, or by name:arch; of several architectures a
// whole one.
func (all debPackages) find(name, arch string) (found debPackage, ok bool) {
	if n, a, has := strings.Cut(name, ":"); has {
		name, arch = n, a
	}
	for _, d := range all {
		if d.name == name && (arch == "" || d.arch == arch) && (!ok || d.whole()) {
			found, ok = d, true
		}
	}
	return found, ok
}

// installed tells which names are, or are provided by what is.
func (all debPackages) installed(names []string) map[string]string {
	out := make(map[string]string)
	for _, n := range names {
		if d, ok := all.find(n, ""); ok && d.whole() {
			out[n] = d.version
			continue
		}
		for _, d := range all {
			for _, p := range d.provides {
				if p == n && d.whole() {
					out[n] = d.version
				}
			}
		}
	}
	return out
}
