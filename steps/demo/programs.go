package demo

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// call is a program being run.
type call struct {
	*sim
	ctx  context.Context
	name string   // without its directory
	args []string // after the name
	c    machine.Command
	out  func(string)
	said []string
}

// say prints a line.
func (c *call) say(format string, args ...any) {
	line := format
	if len(args) > 0 {
		line = fmt.Sprintf(format, args...)
	}
	c.said = append(c.said, line)
	if c.out != nil {
		c.out(line)
	}
}

// wait is work that takes d.
func (c *call) wait(d time.Duration) error { return c.clock.wait(c.ctx, d) }

// exit ends the program; what it printed last is its reason.
func (c *call) exit(code int) error {
	if code == 0 {
		return nil
	}
	said := c.said[max(0, len(c.said)-8):]
	return &machine.ExitError{Argv: c.c.Argv, Code: code, Stderr: strings.Join(said, "\n")}
}

func (c *call) has(args ...string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return slices.Contains(c.args, a) })
}

// after is the argument behind name; "" where there is none.
func (c *call) after(name string) string {
	if i := slices.Index(c.args, name); i >= 0 && i+1 < len(c.args) {
		return c.args[i+1]
	}
	return ""
}

// plain are the arguments that are no options, behind "--" if there is one. The options
// named take an argument.
func (c *call) plain(takes ...string) (out []string) {
	for i, a := range c.args {
		switch {
		case a == "--":
			return append(out[:min(len(out), 0)], c.args[i+1:]...)
		case strings.HasPrefix(a, "-"), i > 0 && slices.Contains(takes, c.args[i-1]):
		default:
			out = append(out, a)
		}
	}
	return out
}

// env is a variable that the program was given.
func (c *call) env(name string) string {
	for _, v := range slices.Backward(c.c.Env) {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			return rest
		}
	}
	return ""
}

// program is a family of them: where it is nil for a name, there is no such program.
func (s *sim) program(name string) func(*call) error {
	switch name {
	case "true":
		return func(*call) error { return nil }
	case "sleep":
		return (*call).sleep
	case "date":
		return (*call).date
	case "stat":
		return (*call).stat
	case "kysec_set":
		return (*call).kysecSet
	case "restorecon": // the policy has nothing against what goxin installs
		return func(c *call) error { return c.wait(120 * time.Millisecond) }
	case "systemctl":
		return (*call).systemctl
	case "systemd-run":
		return (*call).systemdRun
	case "systemd-analyze":
		return (*call).analyze
	case "journalctl":
		return (*call).journalctl
	case "systemd-detect-virt":
		return func(c *call) error { return c.refuse(1, "none") }
	case "useradd", "userdel", "groupadd", "groupdel":
		return (*call).useradd
	case "getent":
		return (*call).getent
	case "sha256sum":
		return (*call).sha256sum
	case "setsebool":
		if s.exists(selinuxBooleans) {
			return (*call).setsebool
		}
	case "ip":
		return (*call).ipCommand
	case "nft":
		return (*call).nft
	case "goxin-conf", "goxin-health", "goxin-vip":
		return (*call).pairScript
	case "nginx":
		if s.exists("/usr/sbin/nginx") {
			return (*call).nginxCommand
		}
	case "keepalived":
		if s.exists("/usr/sbin/keepalived") {
			return (*call).keepalivedCommand
		}
	case "chronyc":
		if s.exists(chronyPID) {
			return (*call).chronyc
		}
	case "sh", "bash", "dash":
		return (*call).shell
	}
	switch deb := s.facts != nil && s.facts.Packages.Manager.Value == "apt"; name {
	case "dpkg-query", "dpkg", "apt-get", "apt-cache", "apt-mark":
		if deb {
			return map[string]func(*call) error{
				"dpkg-query": (*call).dpkgQuery, "dpkg": (*call).dpkg, "apt-get": (*call).aptGet, "apt-cache": (*call).aptCache, "apt-mark": (*call).aptMark,
			}[name]
		}
	case "rpm":
		if !deb {
			return (*call).rpm
		}
	case "dnf", "yum":
		if !deb && s.exists("/usr/bin/"+name) {
			return (*call).dnf
		}
	}
	return nil
}

// Run answers as the program would; what was recorded of the machine comes first.
func (s *sim) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if len(c.Argv) == 0 {
		return lang.Because(nil, "a command without a name", "没有写明要运行的命令")
	}
	if s.facts == nil || c.Argv[0] != "systemctl" { // of which too little was recorded
		err := s.Machine.Run(ctx, c, out)
		if s.facts == nil || !machine.MissingProgram(err) {
			return err
		}
	}
	name := c.Argv[0]
	k := &call{sim: s, ctx: ctx, name: path.Base(name), args: c.Argv[1:], c: c, out: out}
	if name == machine.Self && len(c.Argv) > 1 && c.Argv[1] == "wire" {
		return k.goxin() // for long, and beside the others
	}
	defer s.pair.lan.work()()
	s.alone.Lock()
	defer s.alone.Unlock()
	s.tick()
	if path.IsAbs(name) {
		return k.file(name)
	}
	if run := s.program(name); run != nil {
		return run(k)
	}
	for _, dir := range []string{"/usr/local/bin/", "/usr/bin/"} {
		if s.exists(dir + name) {
			return k.file(dir + name)
		}
	}
	return s.Machine.Run(ctx, c, out) // which has it neither, and says so
}

// file runs a program by its path.
func (c *call) file(name string) error {
	info, err := c.Machine.Stat(name)
	switch {
	case err != nil:
		return err
	case info.Mode&0o111 == 0 || !info.Mode.IsRegular():
		return &fs.PathError{Op: "fork/exec", Path: name, Err: fs.ErrPermission}
	}
	b, err := c.Machine.ReadFile(name)
	if err != nil {
		return err
	}
	if p, ok := readStub(b); ok {
		return c.stub(name, p)
	}
	if run := c.program(path.Base(name)); run != nil {
		return run(c)
	}
	return c.Machine.Run(c.ctx, c.c, c.out) // which has it neither, and says so
}

func (c *call) sleep() error {
	s, err := strconv.ParseFloat(c.args[0], 64)
	if err != nil {
		return c.exit(1)
	}
	return c.wait(time.Duration(s * float64(time.Second)))
}

// date sets the clock: -u -s @SECONDS.MILLISECONDS.
func (c *call) date() error {
	s, ok := strings.CutPrefix(c.after("-s"), "@")
	seconds, err := strconv.ParseFloat(s, 64)
	if !ok || err != nil {
		c.say("date: invalid date '%s'", c.after("-s"))
		return c.exit(1)
	}
	at := time.UnixMilli(int64(seconds*1000 + 0.5))
	c.clock.set(at)
	c.say("%s", at.UTC().Format("Mon Jan _2 15:04:05 UTC 2006"))
	return nil
}

func (c *call) stat() error {
	name := c.args[len(c.args)-1]
	if !c.exists(name) {
		c.say("stat: cannot stat '%s': No such file or directory", name)
		return c.exit(1)
	}
	c.say("1048577")
	return nil
}

func (c *call) sha256sum() error {
	name := c.args[len(c.args)-1]
	b, err := c.Machine.ReadFile(name)
	if err != nil {
		return c.refuse(1, "sha256sum: %s: No such file or directory", name)
	}
	c.say("%s  %s", sum(b), name)
	return nil
}

func (c *call) kysecSet() error {
	name := c.args[len(c.args)-1]
	if err := c.SetXattr(name, kysecMark, []byte("none:none:verified")); err != nil {
		c.say("kysec_set: %v", err)
		return c.exit(1)
	}
	return c.wait(30 * time.Millisecond)
}

// selinuxBooleans is where a kernel shows them, each its value and the one to be
// committed.
const selinuxBooleans = "/sys/fs/selinux/booleans"

// setsebool sets one in force; the policy's store is not simulated.
func (c *call) setsebool() error {
	set := c.plain()
	if len(set) != 2 || !c.exists(path.Join(selinuxBooleans, set[0])) {
		return c.refuse(1, "Could not change active booleans: Invalid boolean")
	}
	if err := c.wait(2 * time.Second); err != nil { // a policy is made anew
		return err
	}
	value := map[string]string{"on": "1 1", "off": "0 0"}[set[1]]
	return c.write(path.Join(selinuxBooleans, set[0]), []byte(value), 0o644)
}

func unlimited(s string) string {
	if s == "infinity" {
		return "unlimited"
	}
	return s
}
