package demo

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/steps/sandbox"
)

// setting are the words of a setting of a unit, over its file and its drop-ins.
func (s *sim) setting(unit, key string) (out []string) {
	files := []string{s.unitFile(unit)}
	for _, dir := range []string{etcUnits, runUnits, libUnits} {
		names, _ := s.Machine.ReadDir(dir + unit + ".d") // often not there
		for _, n := range names {
			files = append(files, dir+unit+".d/"+n)
		}
	}
	for _, f := range files {
		for line := range strings.Lines(s.read(f)) {
			if v, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok {
				out = append(out, strings.Fields(v)...)
			}
		}
	}
	return out
}

// compiledUnit says whether a unit's program is one that was compiled here.
func (s *sim) compiledUnit(unit string) (stub, bool) {
	start := s.setting(unit, "ExecStart")
	if len(start) == 0 {
		return stub{}, false
	}
	p, ok := readStub([]byte(s.read(strings.TrimLeft(start[0], "-@:+!"))))
	return p, ok && p.Source != ""
}

// cannotStart is why systemd could not start a unit.
func (s *sim) cannotStart(unit string) string {
	start := s.setting(unit, "ExecStart")
	if len(start) == 0 {
		return ""
	}
	program := strings.TrimLeft(start[0], "-@:+!")
	if strings.HasPrefix(s.unitFile(unit), libUnits) {
		return ""
	}
	if p, compiled := s.compiledUnit(unit); !s.exists(program) || compiled && p.Arch != s.facts.Arch.GOARCH.Value {
		return unit + ": Failed at step EXEC spawning " + program + ": No such file or directory"
	}
	for _, user := range s.setting(unit, "User") {
		if _, ok := s.account("/etc/passwd", user); !ok {
			return unit + ": Failed to determine user credentials: No such process"
		}
	}
	return ""
}

// born and died are what else happens when a unit starts and stops.

func (c *call) born(unit string) {
	c.units.log(unit, "Started %s.", cmp.Or(strings.Join(c.setting(unit, "Description"), " "), unit))
	if _, ok := c.compiledUnit(unit); ok {
		c.units.log(unit, "listening on :%d", c.listens(unit))
	}
	c.pair.lan.do(func() {
		if n := c.pair.lan.node(c.sim); n != nil {
			n.started(unit)
		}
	})
}

func (c *call) died(unit string) {
	c.units.log(unit, "Stopped %s.", cmp.Or(strings.Join(c.setting(unit, "Description"), " "), unit))
	c.pair.lan.do(func() {
		n := c.pair.lan.node(c.sim)
		switch {
		case n == nil:
		case unit == fillUnit:
			n.full = false
		default:
			n.stopped(unit)
		}
	})
}

// along starts what wants to be started with a unit.
func (c *call) along(unit string) error {
	names, _ := c.Machine.ReadDir(etcUnits + unit + ".wants") // often not there
	for _, n := range names {
		if err := c.start(n); err != nil {
			return err
		}
	}
	return nil
}

// kill sends a signal to all processes of a unit.
func (c *call) kill(unit string) error {
	signal := "SIGTERM"
	for _, a := range c.args {
		if s, ok := strings.CutPrefix(a, "--signal="); ok {
			signal = s
		}
	}
	if !c.units.runs(unit) {
		return nil
	}
	s := c.sim
	if signal == "SIGKILL" {
		s.units.end(unit)
		s.units.log(unit, "%s: Main process exited, code=killed, status=9/KILL", unit)
	}
	c.pair.lan.do(func() {
		n := c.pair.lan.node(s)
		switch {
		case n == nil:
		case signal == "SIGSTOP" || signal == "SIGCONT":
			if unit == "nginx.service" {
				n.hang(signal == "SIGSTOP")
			}
		case signal == "SIGKILL":
			n.killed(unit, func() {
				if !s.units.runs(unit) {
					s.units.begin(unit, n.g.now)
					s.units.log(unit, "%s: Scheduled restart job, restart counter is at 1.", unit)
					n.started(unit)
				}
			})
		}
	})
	return c.wait(15 * time.Millisecond)
}

// journalctl prints the last lines of a unit's journal.
func (c *call) journalctl() error {
	unit, most := c.after("-u"), 10
	for _, a := range c.args {
		if v, ok := strings.CutPrefix(a, "--unit="); ok {
			unit = v
		}
		if v, ok := strings.CutPrefix(a, "--lines="); ok {
			most, _ = strconv.Atoi(v)
		}
	}
	lines := c.units.lines(unit)
	for _, l := range lines[max(0, len(lines)-most):] {
		c.say("%s", l)
	}
	return nil
}

var (
	portInArgs   = regexp.MustCompile(`[:=](\d{2,5})$`)
	portInEnv    = regexp.MustCompile(`(?m)^(?:PORT|ADDR|LISTEN)="?(?:.*:)?(\d{2,5})"?$`)
	portInSource = regexp.MustCompile(`":(\d{2,5})"`)
	portInNginx  = regexp.MustCompile(`(?m)^\s*listen\s+(\d{1,5});`)
)

// listens is the port of a unit whose program was compiled here: by its arguments, its
// environment, or its source.
func (s *sim) listens(unit string) int {
	p, ok := s.compiledUnit(unit)
	if !ok {
		return 0
	}
	var found string
	if g := portInSource.FindStringSubmatch(p.Source); g != nil {
		found = g[1]
	}
	for _, f := range s.setting(unit, "EnvironmentFile") {
		if g := portInEnv.FindStringSubmatch(s.read(strings.TrimPrefix(f, "-"))); g != nil {
			found = g[1]
		}
	}
	for _, a := range s.setting(unit, "ExecStart")[1:] {
		if g := portInArgs.FindStringSubmatch(strings.Trim(a, `"`)); g != nil {
			found = g[1]
		}
	}
	n, _ := strconv.Atoi(found)
	return n
}

// behindNginx says whether the service that goxin set up is up, and whether there is one.
func (s *sim) behindNginx() (up, known bool) {
	names, _ := s.Machine.ReadDir(strings.TrimSuffix(etcUnits, "/")) // it is always there
	for _, n := range names {
		if _, ok := s.compiledUnit(n); ok && strings.HasSuffix(n, ".service") {
			known = true
			up = up || s.units.runs(n)
		}
	}
	return up, known
}

// nginxPort is where nginx listens; 0 where it is not there.
func (s *sim) nginxPort() int {
	if g := portInNginx.FindStringSubmatch(s.read("/etc/nginx/conf.d/goxin.conf")); g != nil {
		n, _ := strconv.Atoi(g[1])
		return n
	}
	if s.exists("/usr/sbin/nginx") {
		return 80
	}
	return 0
}

// systemdRun runs something as a unit that comes and goes.
func (c *call) systemdRun() error {
	var properties []string
	var unit string
	var after time.Duration
	argv := slices.Clone(c.args)
	for len(argv) > 0 && strings.HasPrefix(argv[0], "-") {
		name, value, _ := strings.Cut(argv[0], "=")
		last := argv[0] == "--"
		argv = argv[1:]
		switch name {
		case "--property":
			properties = append(properties, value)
		case "--unit":
			unit = value
		case "--on-active":
			after, _ = time.ParseDuration(value)
		}
		if last {
			break
		}
	}
	if err := c.wait(60 * time.Millisecond); err != nil {
		return err
	}
	switch {
	case len(argv) == 0:
		return c.exit(1)
	case slices.Contains(argv, "/proc/self/limits"):
		return c.limits()
	case len(argv) == 5 && argv[1] == "agent" && argv[2] == "serve":
		c.serveAgent(argv[4])
		return nil
	case len(argv) > 2 && argv[1] == "probe":
		return c.probe(argv[2], properties)
	case unit == "goxin-drill-fill":
		c.units.begin(fillUnit, c.clock.rightNow())
		c.pair.lan.do(func() { c.pair.lan.node(c.sim).full = true })
		return nil
	case argv[0] == "/bin/sh" && len(argv) == 3:
		return c.later(unit, after, argv[2])
	}
	return nil
}

// fillUnit holds a disk full.
const fillUnit = "goxin-drill-fill.service"

// limits shows what a service that starts now may have open.
func (c *call) limits() error {
	l := c.units.limits
	if err := c.wait(140 * time.Millisecond); err != nil {
		return err
	}
	c.say("Limit                     Soft Limit           Hard Limit           Units     ")
	c.say("Max processes             127489               127489               processes ")
	c.say("Max open files            %-20s %-20s files     ", unlimited(l.soft), unlimited(l.hard))
	return nil
}

// later runs a script as a unit of its own, at once or when a timer has run off.
func (c *call) later(unit string, after time.Duration, script string) error {
	commands, ok := shellCommands(script)
	if !ok {
		return c.exit(1)
	}
	name := unit + ".service"
	if after > 0 {
		name = unit + ".timer"
	}
	s, at := c.sim, c.clock.rightNow()
	s.units.begin(name, at)
	c.pair.lan.do(func() {
		n := c.pair.lan.node(s)
		for i, cmd := range commands {
			if len(cmd.argv) == 2 && cmd.argv[0] == "sleep" {
				seconds, _ := strconv.ParseFloat(cmd.argv[1], 64)
				after += time.Duration(seconds * float64(time.Second))
				continue
			}
			n.g.after(after, func() {
				if started, up := s.units.since(name); up && started.Equal(at) {
					n.apply(cmd)
					if i == len(commands)-1 {
						s.units.end(name)
					}
				}
			})
		}
	})
	return nil
}

// probe is `goxin probe` in a unit with those properties.
func (c *call) probe(act string, properties []string) error {
	if err := c.wait(90 * time.Millisecond); err != nil {
		return err
	}
	said := sandbox.Said{Did: true}
	for _, p := range properties {
		name, _, _ := strings.Cut(p, "=")
		d, forbids := forbidding(p)
		switch {
		case slices.Contains([]string{"Type", "RuntimeMaxSec", "User"}, name):
		case d.Since > c.facts.Init.Version.Value:
			c.say("Unknown assignment: %s", p)
			return c.exit(1)
		case forbids && d.Probe == act && !(d.Seccomp && c.unfiltered()):
			said = sandbox.Said{Error: refusals[act]}
			if said.Error == "" {
				said.Error = "operation not permitted"
			}
		}
	}
	c.json(said)
	return nil
}

// forbidding is the directive that a line is.
func forbidding(line string) (sandbox.Directive, bool) {
	for _, s := range []sandbox.Service{{Level: sandbox.Strict}, {Level: sandbox.Strict, LowPort: true}, {Level: sandbox.Standard}} {
		lines, skipped := sandbox.Lines(sandbox.Machine{Systemd: 999, GOARCH: "amd64", Users: true}, s)
		for _, d := range lines {
			if d.Line() == line {
				return d, true
			}
		}
		for _, d := range skipped {
			if d.Line() == line {
				return d.Directive, true
			}
		}
	}
	return sandbox.Directive{}, false
}

// unfiltered says that this systemd has no system call filters for the processor.
func (s *sim) unfiltered() bool {
	return s.facts.Arch.GOARCH.Value == "loong64" && s.facts.Init.Version.Value < 255 || s.facts.Arch.GOARCH.Value == "mips64le"
}

// refusals are the kernel's words for some acts.
var refusals = map[string]string{
	"write-var": "open /var/lib/.goxin-probe-2184: read-only file system", "write-home": "open /root/.goxin-probe-2190: permission denied",
	"see-tmp": "lstat /tmp/.goxin-probe-0: no such file or directory", "device": "open /dev/mem: no such file or directory",
	"tunable": "open /proc/sys/kernel/hostname: read-only file system", "cgroup": "open /sys/fs/cgroup: read-only file system",
	"see-process": "lstat /proc/1: no such file or directory", "socket-netlink": "address family not supported by protocol",
	"socket-packet": "address family not supported by protocol", "umask": "permission denied",
}

// analyze is systemd-analyze: verify says nothing against a unit that has no directive
// from the future, security counts.
func (c *call) analyze() error {
	if err := c.wait(180 * time.Millisecond); err != nil {
		return err
	}
	words := c.plain()
	if len(words) < 2 {
		return c.exit(1)
	}
	unit := path.Base(words[1])
	switch words[0] {
	case "verify":
		for line := range strings.Lines(c.read(words[1])) {
			if d, ok := forbidding(strings.TrimSpace(line)); ok && d.Since > c.facts.Init.Version.Value {
				c.say("%s: Unknown key name '%s' in section 'Service', ignoring.", words[1], d.Name)
			}
		}
		return nil
	case "security":
		score := 9.6
		for line := range strings.Lines(c.read(c.unitFile(unit))) {
			line = strings.TrimSpace(line)
			if d, ok := forbidding(line); ok && d.Since <= c.facts.Init.Version.Value {
				score -= 0.35
				if name, value, _ := strings.Cut(line, "="); name == "CapabilityBoundingSet" && value == "" {
					score -= 0.9
				}
			} else if strings.HasPrefix(line, "User=") || line == "DynamicUser=yes" {
				score -= 0.4
			}
		}
		word := "UNSAFE 😨"
		switch score = max(score, 1.1); {
		case score < 3:
			word = "OK 🙂"
		case score < 7:
			word = "MEDIUM 😐"
		}
		c.say("→ Overall exposure level for %s: %.1f %s", unit, score, word)
		return nil
	}
	return c.exit(1)
}
