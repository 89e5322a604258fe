package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"goxin/steps/repo"
)

// pubkey is the package that stands for a key whose signatures rpm takes.
const pubkey = "gpg-pubkey"

const pubkeyVersion = "d0e5a1b2-650a1f00"

// rpm answers queries in the two forms that are asked, and removes.
func (c *call) rpm() error {
	all := c.load()
	if c.has("-e") {
		return c.rpmErase(all)
	}
	names := c.plain("--qf", "--queryformat")
	if len(names) == 0 {
		return c.exit(1)
	}
	name := names[len(names)-1]
	found := slices.DeleteFunc(slices.Clone(all), func(h here) bool {
		if h.group || h.name == name || h.name+"."+h.arch == name {
			return h.group
		}
		p, _ := c.find(h.name)
		return !c.has("--whatprovides") || !slices.Contains(p.libs, strings.TrimSuffix(name, "()(64bit)"))
	})
	if len(found) == 0 {
		what := "package %s is not installed"
		if c.has("--whatprovides") {
			what = "no package provides %s"
		}
		c.say(what, name)
		return c.exit(1)
	}
	for _, h := range found {
		c.say("%s\t%s\t%s", h.name, h.arch, h.version)
	}
	return nil
}

func (c *call) rpmErase(all []here) error {
	names := c.plain()
	if c.has("--test") {
		bare := make([]string, len(names))
		for i, n := range names {
			bare[i] = strings.TrimSuffix(n, "."+c.kernel.Machine)
		}
		for _, n := range bare {
			for _, by := range c.needers(all, n, bare) {
				c.say("\t%s is needed by (installed) %s", n, by)
			}
		}
		return c.exit(min(len(c.said), 1))
	}
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, "-"+pubkeyVersion)
	}
	return c.remove(names, func(here) error { return nil })
}

// dnf is dnf 4.
func (c *call) dnf() error {
	words := c.plain("--qf")
	if i := slices.Index(c.args, "--"); i >= 0 { // the verb stands before it
		rest := *c
		rest.args = c.args[:i]
		words = append(rest.plain("--qf"), c.args[i+1:]...)
	}
	if len(words) == 0 {
		return c.exit(1)
	}
	verb, args := words[0], words[1:]
	switch verb {
	case "repoquery":
		return c.repoquery(args)
	case "makecache":
		return c.makecache()
	case "install":
		return c.dnfInstall(args)
	case "remove":
		return c.dnfRemove(args)
	case "group":
		return c.dnfGroup(args)
	}
	c.say("No such command: %s.", verb)
	return c.exit(1)
}

func (c *call) repoquery(names []string) error {
	if c.has("--userinstalled") {
		for _, h := range c.load() {
			if !h.auto && !h.group && h.name != pubkey {
				c.say("%s.%s", h.name, h.arch)
			}
		}
		return nil
	}
	if err := c.wait(150 * time.Millisecond); err != nil {
		return err
	}
	for _, n := range names {
		p, ok := c.find(n)
		if c.has("--whatprovides") {
			p, ok = c.provider(n)
		}
		if ok {
			c.say("%s\t%s\t%s\t%d\t%d", p.name, p.arch, p.version, p.size, p.disk)
		}
	}
	return nil
}

// makecache reads the package lists of the sources there are, or of those in a
// directory of its own.
func (c *call) makecache() error {
	for _, e := range c.entries() {
		name := e.Name
		if name == "" {
			name = e.ID
		}
		if err := c.wait(350 * time.Millisecond); err != nil {
			return err
		}
		c.say("%-50s 8.4 MB/s | 4.1 MB     00:00    ", name)
	}
	c.say("Metadata cache created.")
	return nil
}

// entries are the repositories that this command goes by.
func (c *call) entries() []*repo.Entry {
	dir := ""
	for _, a := range c.args {
		if d, ok := strings.CutPrefix(a, "--setopt=reposdir="); ok {
			dir = d
		}
		if d, ok := strings.CutPrefix(a, "Dir::Etc::SourceParts="); ok {
			dir = d
		}
	}
	var files []*repo.File
	if dir == "" {
		src, err := repo.ReadAll(c.asleep(), c.facts)
		if err != nil {
			return nil
		}
		files = src.Files
	} else {
		names, _ := c.Machine.ReadDir(dir) // what is not there has nothing in it
		for _, n := range names {
			if f, err := repo.Parse(dir+"/"+n, []byte(c.read(dir+"/"+n))); err == nil {
				files = append(files, f)
			}
		}
	}
	var out []*repo.Entry
	for _, f := range files {
		for _, e := range f.Entries() {
			asked := slices.Contains(c.args, "--enablerepo="+e.ID)
			if e.Shadowed == "" && (c.has("--disablerepo=*") && asked || !c.has("--disablerepo=*") && e.Enabled) {
				out = append(out, e)
			}
		}
	}
	return out
}

func (c *call) dnfGroup(args []string) error {
	all := c.load()
	marked := slices.ContainsFunc(all, func(h here) bool { return h.group })
	if len(args) > 0 && args[0] == "list" {
		head := "Available Groups:"
		if marked {
			head = "Installed Groups:"
		}
		c.say("%s", head)
		c.say("   %s (%s)", group.title, group.id)
		return nil
	}
	return c.save(slices.DeleteFunc(all, func(h here) bool { return h.group })) // mark remove
}

func (c *call) dnfInstall(args []string) error {
	all := c.load()
	var asked, named []string // members of a group are not asked for by name
	marks := false
	for _, a := range args {
		switch _, ok := c.provider(a); {
		case a == "@"+group.id:
			asked, marks = append(asked, group.members...), true
		case ok:
			asked, named = append(asked, a), append(named, a)
		default:
			c.say("No match for argument: %s", a)
			c.say("Error: Unable to find a match: %s", a)
			return c.exit(1)
		}
	}
	order := c.resolve(all, asked)
	if len(order) == 0 && (!marks || slices.ContainsFunc(all, func(h here) bool { return h.group })) {
		c.say("Nothing to do.")
		c.say("Complete!")
		return nil
	}
	size := c.table("Installing", order, asked)
	if c.has("--assumeno") {
		c.say("Operation aborted.")
		return c.exit(1)
	}
	c.say("Downloading Packages:")
	for i, p := range order {
		if err := c.wait(fetching(p.size)); err != nil {
			return err
		}
		c.say("(%d/%d): %s-%s.%s.rpm  24 MB/s | %s  00:00", i+1, len(order), p.name, p.version, p.arch, inBytes(p.size))
	}
	c.say("Total  %s", inBytes(size))
	if !installed(all, pubkey) {
		c.say("Importing GPG key 0xD0E5A1B2:")
		if err := c.save(append(c.load(), here{name: pubkey, arch: "(none)", version: pubkeyVersion, auto: true})); err != nil {
			return err
		}
	}
	c.say("Running transaction check")
	c.say("Running transaction")
	err := c.install(order, named, func(p pack, n int) error {
		c.say("  Installing       : %s-%s.%s  %d/%d", p.name, p.version, p.arch, n, len(order))
		return c.wait(unpacking(p.disk))
	})
	if err != nil {
		return err
	}
	if marks {
		if err := c.save(append(c.load(), here{name: group.id, group: true})); err != nil {
			return err
		}
	}
	c.say("Installed:")
	for _, p := range order {
		c.say("  %s-%s.%s", p.name, p.version, p.arch)
	}
	c.say("")
	c.say("Complete!")
	return nil
}

// table is what dnf prints before it asks.
func (c *call) table(verb string, order []pack, asked []string) (size int64) {
	c.say("Dependencies resolved.")
	c.say("%s", strings.Repeat("=", 80))
	c.say(" Package             Architecture  Version                   Repository     Size")
	c.say("%s", strings.Repeat("=", 80))
	for _, first := range []bool{true, false} {
		title := verb + ":"
		if !first {
			title = verb + " dependencies:"
		}
		told := false
		for _, p := range order {
			if slices.Contains(asked, p.name) != first {
				continue
			}
			if !told {
				c.say("%s", title)
				told = true
			}
			c.say(" %-19s %-13s %-25s %-10s %8s", p.name, p.arch, p.version, "updates", inBytes(p.size))
			size += p.size
		}
	}
	c.say("")
	c.say("Transaction Summary")
	c.say("%s", strings.Repeat("=", 80))
	c.say("%s  %d Packages", strings.TrimSuffix(verb, "ing"), len(order))
	return size
}

func (c *call) dnfRemove(args []string) error {
	all := c.load()
	var order []pack
	for _, h := range all {
		if slices.Contains(args, h.name+"."+h.arch) || slices.Contains(args, h.name) {
			order = append(order, pack{name: h.name, version: h.version, arch: h.arch})
		}
	}
	names := make([]string, len(order))
	for i, p := range order {
		names[i] = p.name
	}
	c.table("Removing", order, names)
	if c.has("--assumeno") {
		c.say("Operation aborted.")
		return c.exit(1)
	}
	c.say("Running transaction")
	err := c.remove(names, func(h here) error {
		c.say("  Erasing          : %s", fmt.Sprintf("%s-%s.%s", h.name, h.version, h.arch))
		return c.wait(60 * time.Millisecond)
	})
	if err == nil {
		c.say("Complete!")
	}
	return err
}

// inBytes is a size as dnf writes it.
func inBytes(n int64) string {
	if n < 1<<20 {
		return fmt.Sprintf("%d k", max(n>>10, 1))
	}
	return fmt.Sprintf("%.1f M", float64(n)/(1<<20))
}
