package demo

import (
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"goxin/detect/machine"
)

const aptLists = "/var/lib/apt/lists"

// dpkgQuery is the database in the one form it is asked for.
func (c *call) dpkgQuery() error {
	for line := range strings.Lines(c.read(dpkgStatus)) {
		c.say("%s", strings.TrimSuffix(line, "\n"))
	}
	return nil
}

func (c *call) aptMark() error {
	names := c.plain()
	verb := c.args[0]
	if verb == "auto" {
		all := c.load()
		for i, h := range all {
			all[i].auto = h.auto || slices.Contains(names, h.name)
		}
		return c.save(all)
	}
	for _, h := range c.load() {
		if (verb == "showauto") == h.auto {
			c.say("%s", h.name)
		}
	}
	return nil
}

// listed says whether the package lists were read: until then apt knows nothing.
func (c *call) listed() bool {
	names, err := c.Machine.ReadDir(aptLists)
	return err == nil && slices.ContainsFunc(names, func(n string) bool { return strings.HasSuffix(n, "_Packages") })
}

func (c *call) aptCache() error {
	names := c.plain()
	if !c.listed() {
		return nil
	}
	for _, n := range names {
		name, _, _ := strings.Cut(n, "=")
		p, ok := c.find(name)
		if !ok {
			continue
		}
		switch c.args[0] {
		case "policy":
			c.say("%s:", name)
			c.say("  Installed: (none)")
			c.say("  Candidate: %s", p.version)
		case "show":
			c.say("Package: %s", p.name)
			c.say("Architecture: %s", p.arch)
			c.say("Version: %s", p.version)
			c.say("Installed-Size: %d", p.disk>>10)
			c.say("Size: %d", p.size)
			c.say("")
		case "showpkg":
			c.say("Package: %s", p.name)
			c.say("Reverse Provides: ")
		case "madison":
			c.say("%s | %s | main %s Packages", p.name, p.version, p.arch)
		}
	}
	return nil
}

// dpkg removes exactly what it is told to, and says before what it would refuse.
func (c *call) dpkg() error {
	if c.has("--configure") {
		return nil
	}
	all, names := c.load(), c.plain()
	for i, n := range names {
		names[i], _, _ = strings.Cut(n, ":")
	}
	refused := 0
	for _, n := range names {
		if by := c.needers(all, n, names); len(by) > 0 {
			c.say("dpkg: dependency problems prevent removal of %s:", n)
			c.say(" %s depends on %s.", by[0], n)
			c.say("dpkg: error processing package %s (--purge):", n)
			refused = 1
		}
	}
	if refused > 0 || c.has("--no-act") {
		return c.exit(refused)
	}
	return c.remove(names, c.removing)
}

func (c *call) removing(h here) error {
	c.say("Removing %s (%s) ...", h.name, h.version)
	return c.wait(60 * time.Millisecond)
}

func (c *call) aptGet() error {
	switch {
	case c.has("update"):
		return c.update()
	case c.has("install"):
		return c.aptInstall()
	}
	c.say("E: Invalid operation")
	return c.exit(100)
}

func (c *call) aptInstall() error {
	var in, out []string
	for _, n := range c.plain() {
		if rest, ok := strings.CutSuffix(n, "-"); ok {
			rest, _, _ = strings.Cut(rest, ":")
			out = append(out, rest)
			continue
		}
		if _, ok := c.find(n); !ok || !c.listed() {
			c.say("E: Unable to locate package %s", n)
			return c.exit(100)
		}
		in = append(in, n)
	}
	all := c.load()
	order := c.resolve(all, in)
	if c.has("-s") {
		for _, p := range order {
			c.say("Inst %s (%s main:stable [%s])", p.name, p.version, p.arch)
		}
		for _, n := range out {
			c.say("Purg %s [1]", n)
		}
		return nil
	}
	var size, got int64
	for _, p := range order {
		size += p.size
	}
	for _, p := range order {
		if err := c.wait(fetching(p.size)); err != nil {
			return err
		}
		got += p.size
		c.say("dlstatus:%d:%.4f:Retrieving file", len(c.said), 100*float64(got)/float64(max(size, 1)))
	}
	tell := func(p pack, n int, of float64, what string) {
		c.say("pmstatus:%s:%.4f:%s %s (%s)", p.name, 100*(float64(n)-of)/float64(len(order)), what, p.name, p.arch)
	}
	err := c.install(order, in, func(p pack, n int) error {
		tell(p, n, 0.8, "Unpacking")
		if err := c.wait(unpacking(p.disk)); err != nil {
			return err
		}
		tell(p, n, 0.2, "Configuring")
		return c.wait(40 * time.Millisecond)
	})
	if err != nil {
		return err
	}
	return c.remove(out, c.removing)
}

// source is one that apt reads.
type source struct{ uri, suite, list string }

// sources are those of the entries this command goes by, in whose lists mirrors stand for
// one another: the first is taken.
func (c *call) sources() []source {
	var out []source
	for _, e := range c.entries() {
		if !slices.Contains(e.Types, "deb") || len(e.URLs) == 0 {
			continue
		}
		uri := e.URLs[0]
		if file, ok := strings.CutPrefix(uri, "mirror+file:"); ok {
			first, _, _ := strings.Cut(c.read("/"+strings.TrimLeft(file, "/")), "\t")
			uri = first
		}
		for _, suite := range e.Suites {
			at := strings.TrimSuffix(uri, "/") + "/dists/" + suite + "/"
			if strings.HasSuffix(suite, "/") {
				at = strings.TrimSuffix(uri, "/") + "/" + strings.TrimPrefix(suite, "./")
			}
			u, err := url.Parse(at)
			if err != nil {
				continue
			}
			out = append(out, source{uri, suite, strings.ReplaceAll(u.Host+u.Path, "/", "_")})
		}
	}
	return out
}

// update reads the package lists. A throw-away cache gets none.
func (c *call) update() error {
	all := c.sources()
	if c.has("--print-uris") {
		for _, s := range all {
			c.say("'%s/dists/%s/InRelease' %sInRelease 0 ", strings.TrimSuffix(s.uri, "/"), s.suite, s.list)
		}
		return nil
	}
	trial := slices.ContainsFunc(c.args, func(a string) bool { return strings.HasPrefix(a, "Dir::State::Lists=") })
	for i, s := range all {
		if err := c.wait(300 * time.Millisecond); err != nil {
			return err
		}
		c.say("Get:%d %s %s InRelease [151 kB]", i+1, s.uri, s.suite)
		if trial {
			continue
		}
		for name, text := range map[string]string{
			"InRelease": "Origin: demo\n",
			"main_binary-" + c.debArch() + "_Packages": "",
		} {
			if err := c.write(path.Join(aptLists, s.list+name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	c.say("Fetched 8,912 kB in 1s (8,730 kB/s)")
	c.say("Reading package lists...")
	return nil
}

// asleep is the machine as its files tell it: asking for the sources runs no program,
// which would wait for the one that asks.
func (s *sim) asleep() machine.Machine { return s.Machine }
