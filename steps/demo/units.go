package demo

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"goxin/steps/engine"
)

// Where units are. Those in etc go before those in lib.
const (
	etcUnits = "/etc/systemd/system/"
	runUnits = "/run/systemd/system/"
	libUnits = "/usr/lib/systemd/system/"

	chronyPID = "/run/chrony/chronyd.pid"
	timesync  = "/run/systemd/timesync"
)

// syncs is how long a time service needs to get the clock right.
const syncs = 4 * time.Second

// units are what the service manager has in memory: who runs, since when, and the limits
// of services that start now. All else of it is in files.
type units struct {
	limits fileLimits

	mu      sync.Mutex
	up      map[string]time.Time
	journal map[string][]string
}

// since is when a unit was started; ok is false where it does not run.
func (u *units) since(unit string) (at time.Time, ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, ok = u.up[unit]
	return at, ok
}

func (u *units) runs(unit string) bool {
	_, ok := u.since(unit)
	return ok
}

func (u *units) begin(unit string, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.up == nil {
		u.up = map[string]time.Time{}
	}
	u.up[unit] = at
}

func (u *units) end(unit string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.up, unit)
}

// all are those that run.
func (u *units) all() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.up)
}

// log adds to a unit's journal.
func (u *units) log(unit, format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.journal == nil {
		u.journal = map[string][]string{}
	}
	u.journal[unit] = append(u.journal[unit], fmt.Sprintf(format, args...))
}

func (u *units) lines(unit string) []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.journal[unit])
}

type fileLimits struct{ soft, hard string }

// boot starts what the machine was captured with.
func (s *sim) boot() error {
	s.furnished = true
	long := s.clock.rightNow().Add(-time.Hour)
	for _, u := range []string{"chronyd.service", "chrony.service", "systemd-timesyncd.service"} {
		if !s.enabled(u) {
			continue
		}
		s.units.begin(u, long)
		name, text := timesync+"/synchronized", ""
		if strings.HasPrefix(u, "chrony") {
			name, text = chronyPID, "1184\n"
		}
		if err := s.write(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	s.reload()
	return nil
}

// reload reads the limits that system.conf and its drop-ins set.
func (s *sim) reload() {
	l := fileLimits{"1024", "524288"}
	if s.facts.Init.Version.Value < 240 {
		l.hard = "4096"
	}
	for _, name := range append([]string{"/etc/systemd/system.conf"}, s.dropIns("system.conf.d")...) {
		for line := range strings.Lines(s.read(name)) {
			v, ok := strings.CutPrefix(strings.TrimSpace(line), "DefaultLimitNOFILE=")
			if soft, hard, two := strings.Cut(v, ":"); ok && two {
				l = fileLimits{soft, hard}
			} else if ok && v != "" {
				l = fileLimits{v, v}
			}
		}
	}
	s.units.limits = l
}

// dropIns are the files of a directory of configuration, in their order.
func (s *sim) dropIns(dir string) []string {
	files := map[string]string{}
	for _, at := range []string{"/usr/lib/systemd/", "/run/systemd/", "/etc/systemd/"} {
		names, _ := s.Machine.ReadDir(at + dir) // often not there
		for _, n := range names {
			if strings.HasSuffix(n, ".conf") {
				files[n] = path.Join(at+dir, n)
			}
		}
	}
	var out []string
	names := keysOf(files)
	slices.Sort(names)
	for _, n := range names {
		out = append(out, files[n])
	}
	return out
}

// unitFile is where a unit's file is; "" where there is none.
func (s *sim) unitFile(unit string) string {
	for _, dir := range []string{etcUnits, runUnits, libUnits, "/lib/systemd/system/"} {
		if s.exists(dir + unit) {
			return dir + unit
		}
	}
	return ""
}

func (s *sim) masked(unit string) bool {
	to, err := s.Machine.Readlink(etcUnits + unit)
	return err == nil && to == "/dev/null"
}

// wants are the links by which a unit is started at boot, as its file asks for.
func (s *sim) wants(unit string) []string {
	var out []string
	for line := range strings.Lines(s.read(s.unitFile(unit))) {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "WantedBy="); ok {
			for _, target := range strings.Fields(list) {
				out = append(out, etcUnits+target+".wants/"+unit)
			}
		}
	}
	return out
}

func (s *sim) enabled(unit string) bool {
	return slices.ContainsFunc(s.wants(unit), func(l string) bool {
		_, err := s.Machine.Lstat(l)
		return err == nil
	})
}

func (s *sim) unitFileState(unit string) string {
	switch {
	case s.masked(unit):
		return "masked"
	case s.unitFile(unit) == "":
		return ""
	case s.enabled(unit):
		return "enabled"
	case len(s.wants(unit)) == 0:
		return "static"
	}
	return "disabled"
}

// tick is what time services do meanwhile.
func (s *sim) tick() {
	for unit, since := range s.units.all() {
		if s.clock.rightNow().Sub(since) < syncs || !timeService(unit) {
			continue
		}
		s.clock.set(s.clock.rightNow())
		if name := timesync + "/synchronized"; unit == "systemd-timesyncd.service" && !s.exists(name) {
			_ = s.write(name, nil, 0o644) // without it the kernel's flag is asked
		}
	}
}

func timeService(unit string) bool {
	return strings.Contains(unit, "chrony") || strings.Contains(unit, "timesync")
}

// synced says whether some service has got the clock right.
func (s *sim) synced() bool {
	s.alone.Lock()
	defer s.alone.Unlock()
	if !s.furnished {
		return s.kernel.ClockSynced
	}
	for unit, since := range s.units.all() {
		if timeService(unit) && s.clock.rightNow().Sub(since) >= syncs {
			return true
		}
	}
	return false
}

func (c *call) systemctl() error {
	args := c.plain("-p", "--property")
	if c.after("-p") != "" && len(args) > 0 && args[0] == "show" {
		return c.show(strings.Split(c.after("-p"), ","), args[1:])
	}
	if len(args) == 0 {
		return c.exit(1)
	}
	verb, names := args[0], args[1:]
	if verb == "daemon-reload" {
		c.reload()
		return c.wait(250 * time.Millisecond)
	}
	for _, unit := range names {
		if !strings.Contains(unit, ".") {
			unit += ".service"
		}
		if err := c.unit(verb, unit); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) show(properties, names []string) error {
	unit := ""
	if len(names) > 0 {
		unit = names[len(names)-1]
	}
	value := map[string]string{
		"DefaultLimitNOFILE": c.units.limits.hard, "DefaultLimitNOFILESoft": c.units.limits.soft,
		"LoadState": "loaded", "UnitFileState": c.unitFileState(unit), "ActiveState": "inactive", "SubState": "dead", "NeedDaemonReload": "no", "MainPID": "0",
		"Result": "success", "NRestarts": "0", "ExecMainStatus": "0",
	}
	switch {
	case c.masked(unit):
		value["LoadState"] = "masked"
	case c.unitFile(unit) == "" && !c.units.runs(unit):
		value["LoadState"] = "not-found"
	}
	if c.units.runs(unit) {
		value["ActiveState"], value["SubState"], value["MainPID"] = "active", "running", "1184"
	}
	for _, p := range properties {
		if v, ok := value[p]; ok {
			c.say("%s=%s", p, v)
		}
	}
	return nil
}

func (c *call) unit(verb, unit string) error {
	file, up := c.unitFile(unit), c.units.runs(unit)
	if verb == "reset-failed" && file == "" && !up {
		return c.refuse(1, "Failed to reset failed state of unit %s: Unit %s not loaded.", unit, unit)
	}
	if file == "" && !up && !c.masked(unit) && verb != "unmask" && verb != "mask" && verb != "link" && verb != "is-active" {
		c.say("Failed to %s %s: Unit %s not found.", verb, unit, unit)
		return c.exit(5)
	}
	switch verb {
	case "start":
		return c.start(unit)
	case "stop":
		return c.stop(unit)
	case "restart", "reload-or-restart":
		if err := c.stop(unit); err != nil {
			return err
		}
		return c.start(unit)
	case "try-restart", "try-reload-or-restart":
		if !up {
			return nil
		}
		return c.unit("restart", unit)
	case "kill":
		return c.kill(unit)
	case "reset-failed":
		return nil
	case "enable":
		for _, l := range c.wants(unit) {
			if err := c.mkdirs(path.Dir(l)); err != nil {
				return err
			}
			if err := c.Machine.Symlink(file, l); err != nil {
				return err
			}
			c.say("Created symlink %s → %s.", l, file)
		}
		return c.wait(300 * time.Millisecond)
	case "disable":
		for _, l := range c.wants(unit) {
			if c.Machine.Remove(l) == nil {
				c.say("Removed %s.", l)
			}
			if strings.HasSuffix(path.Dir(l), ".service.wants") {
				_ = c.Machine.Remove(path.Dir(l)) // if it is empty
			}
		}
		return c.wait(300 * time.Millisecond)
	case "mask":
		c.say("Created symlink %s → /dev/null.", etcUnits+unit)
		return c.Machine.Symlink("/dev/null", etcUnits+unit)
	case "unmask":
		c.say("Removed %s.", etcUnits+unit)
		return c.Machine.Remove(etcUnits + unit)
	case "is-active":
		word, code := "active", 0
		if !up {
			word, code = "inactive", 3
		}
		if !c.has("--quiet", "-q") {
			c.say("%s", word)
		}
		return c.exit(code)
	case "status":
		c.say("● %s", unit)
		return nil
	}
	c.say("Unknown command verb %s.", verb)
	return c.exit(1)
}

func (c *call) start(unit string) error {
	if c.masked(unit) {
		c.say("Failed to start %s: Unit %s is masked.", unit, unit)
		return c.exit(1)
	}
	if id, ok := strings.CutPrefix(unit, "goxin-guard-"); ok {
		if n, err := strconv.Atoi(strings.TrimSuffix(id, ".service")); err == nil && c.pair.guard != nil {
			c.pair.guard(c.sim, engine.RunID(n))
			return nil
		}
		c.say("Job for %s failed.", unit)
		return c.exit(1)
	}
	if c.units.runs(unit) {
		return nil
	}
	if why := c.cannotStart(unit); why != "" {
		c.units.log(unit, "%s", why)
		c.say("Job for %s failed because the control process exited with error code.", unit)
		return c.exit(1)
	}
	c.units.begin(unit, c.clock.rightNow())
	var err error
	switch {
	case strings.HasPrefix(unit, "chrony"):
		err = c.write(chronyPID, []byte("1184\n"), 0o644)
	case unit == "systemd-timesyncd.service":
		err = c.mkdirs(timesync)
	default:
		c.born(unit)
	}
	if err != nil {
		return err
	}
	if err := c.wait(400 * time.Millisecond); err != nil {
		return err
	}
	return c.along(unit)
}

func (c *call) stop(unit string) error {
	if !c.units.runs(unit) {
		return nil
	}
	for other := range c.units.all() { // those that are part of it go first
		if slices.Contains(c.setting(other, "PartOf"), unit) {
			if err := c.stop(other); err != nil {
				return err
			}
		}
	}
	c.units.end(unit)
	var gone []string
	switch {
	case strings.HasPrefix(unit, "chrony"):
		gone = []string{chronyPID, path.Dir(chronyPID)}
	case unit == "systemd-timesyncd.service":
		gone = []string{timesync + "/synchronized", timesync}
	default:
		c.died(unit)
	}
	for _, name := range gone {
		_ = c.Machine.Remove(name) // it may never have come so far
	}
	return c.wait(200 * time.Millisecond)
}

// chronyc tells of the servers that chronyd's files name.
func (c *call) chronyc() error {
	var since time.Time
	for unit, at := range c.units.all() {
		if strings.HasPrefix(unit, "chrony") {
			since = at
		}
	}
	synced := !since.IsZero() && c.clock.rightNow().Sub(since) >= syncs
	if c.has("tracking") {
		leap, stratum := "Not synchronised", 0
		if synced {
			leap, stratum = "Normal", 3
		}
		c.say("Reference ID    : CB006F21 (203.0.113.33)")
		c.say("Stratum         : %d", stratum)
		c.say("System time     : 0.000021034 seconds slow of NTP time")
		c.say("Leap status     : %s", leap)
		return nil
	}
	c.say("MS Name/IP address         Stratum Poll Reach LastRx Last sample")
	c.say("===============================================================================")
	c.say("^* 203.0.113.33                  2   6    17    11    +21us[ +104us] +/- 9812us")
	return nil
}
