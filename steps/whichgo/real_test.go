package whichgo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"goxin/detect/machine"
)

// What the go command that runs these tests does is what Decide has to say. The
// versions are far from any real one, so that the table outlives the next Go.
const (
	newer = "go1.999.1"
	older = "go1.21.3"
)

// site is a home, a project and two directories of PATH, in one temporary directory.
type site struct {
	t   *testing.T
	dir string
	env map[string]string
}

func newSite(t *testing.T) *site {
	dir := t.TempDir()
	goroot := strings.TrimSpace(output(t, "go", "env", "GOROOT"))
	p := &site{t: t, dir: dir, env: map[string]string{
		"HOME": dir + "/home", "PATH": goroot + "/bin:" + dir + "/bin:/usr/bin:/bin",
		"GOPROXY": "off",
	}}
	for _, config := range []string{"home/.config", "etc"} { // else it is written to while the test cleans up
		p.write(config+"/go/telemetry/mode", "off")
	}
	p.mkdir("bin")
	p.mkdir("project/sub")
	return p
}

func output(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func (p *site) mkdir(name string) {
	if err := os.MkdirAll(filepath.Join(p.dir, name), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p *site) write(name, text string) {
	p.mkdir(filepath.Dir(name))
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

// stub is a program in PATH with a toolchain's name that says it was started.
func (p *site) stub(name string) {
	p.write("bin/"+name, "#!/bin/sh\necho started $0\n")
}

func (p *site) link(to, name string) {
	if err := os.Symlink(to, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *site) real() string {
	return filepath.Join(strings.Split(p.env["PATH"], ":")[0], "go")
}

func (p *site) decide() Decision {
	s := Look(machine.Local(), func(k string) string { return p.env[k] }, p.dir+"/project/sub")
	return Decide(s)
}

// ask has the go command decide.
func (p *site) ask() (said string, ok bool) {
	c := exec.Command(p.real(), "env", "GOTOOLCHAIN", "GOVERSION")
	c.Dir = p.dir + "/project/sub"
	for k, v := range p.env {
		c.Env = append(c.Env, k+"="+v)
	}
	c.Env = append(c.Env, "PWD="+c.Dir)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return errs.String(), false
	}
	return string(out), true
}

// troubles are the go command's words for what stops it.
var troubles = map[Trouble]*regexp.Regexp{
	NotInPath:   regexp.MustCompile(`^go: cannot find "(.+)" in PATH`),
	BadSetting:  regexp.MustCompile(`^go: invalid GOTOOLCHAIN`),
	BadLine:     regexp.MustCompile(`^go: invalid toolchain "(.+)" in `),
	WrongName:   regexp.MustCompile(`^go: toolchain .+ invoked to provide (.+)`),
	NoGoroot:    regexp.MustCompile(`^go: cannot find GOROOT directory`),
	BadWorkPath: regexp.MustCompile(`^go: (go: )?invalid GOWORK`),
}

var (
	started  = regexp.MustCompile(`^started (\S+)`)
	download = regexp.MustCompile(`download (go\S+)[: ]`)
)

// check compares what the go command did with what was decided.
func (p *site) check(d Decision) {
	p.t.Helper()
	said, ok := p.ask()
	switch m := started.FindStringSubmatch(said); {
	case m != nil:
		if d.Program != m[1] || filepath.Base(m[1]) != d.Toolchain || d.Trouble != NoTrouble {
			p.t.Errorf("the go command started %s; decided: %+v", m[1], d)
		}
	case ok:
		lines := strings.Split(said, "\n")
		if d.Trouble != NoTrouble || d.Program != p.real() || d.Toolchain != lines[1] {
			p.t.Errorf("the go command ran itself, %s; decided: %+v", lines[1], d)
		}
		if d.Setting != "" && d.Setting != lines[0] {
			p.t.Errorf("the go command reads GOTOOLCHAIN=%s; decided: %+v", lines[0], d)
		}
	case d.Download:
		if m := download.FindStringSubmatch(said); m == nil || m[1] != d.Toolchain {
			p.t.Errorf("the go command does not want to download %s: %s", d.Toolchain, said)
		}
	default:
		re := troubles[d.Trouble]
		if re == nil {
			p.t.Fatalf("the go command fails: %s; decided: %+v", said, d)
		}
		m := re.FindStringSubmatch(said)
		if m == nil || len(m) > 1 && m[1] != "" && m[1] != "go: " && m[1] != d.Toolchain {
			p.t.Errorf("the go command fails otherwise: %s; decided: %+v", said, d)
		}
	}
}

func TestTheGoCommandDecidesTheSame(t *testing.T) {
	local := strings.TrimSpace(output(t, "go", "env", "GOVERSION"))
	mod := func(lines string) func(*site) {
		return func(p *site) { p.write("project/go.mod", "module example.com/p\n\n"+lines+"\n") }
	}
	env := func(kv ...string) func(*site) {
		return func(p *site) {
			for i := 0; i < len(kv); i += 2 {
				p.env[kv[i]] = strings.ReplaceAll(kv[i+1], "DIR", p.dir)
			}
		}
	}
	user := func(text string) func(*site) {
		return func(p *site) { p.write("home/.config/go/env", strings.ReplaceAll(text, "DIR", p.dir)) }
	}
	stubs := func(names ...string) func(*site) {
		return func(p *site) {
			for _, n := range names {
				p.stub(n)
			}
		}
	}
	work := func(lines string) func(*site) {
		return func(p *site) { p.write("project/go.work", lines+"\n") }
	}
	for _, c := range []struct {
		name    string
		set     []func(*site)
		by      Kind
		trouble Trouble
	}{
		{"nothing is said", nil, ByPath, ""},
		{"local overrules go.mod", []func(*site){env("GOTOOLCHAIN", "local"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByPath, ""},
		{"path takes go.mod's toolchain from PATH", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByToolchain, ""},
		{"local+path is path", []func(*site){env("GOTOOLCHAIN", "local+path"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByToolchain, ""},
		{"path and it is not there", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + newer)}, ByToolchain, NotInPath},
		{"auto takes it from PATH too", []func(*site){env("GOTOOLCHAIN", "auto"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByToolchain, ""},
		{"auto downloads what is not there", []func(*site){env("GOTOOLCHAIN", "auto"), mod("go 1.21\ntoolchain " + newer)}, ByToolchain, ""},
		{"an older toolchain line means nothing", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + older), stubs(older)}, ByPath, ""},
		{"toolchain default", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999\ntoolchain default"), stubs("go1.999.0")}, ByPath, ""},
		{"a toolchain line that says nothing", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain fast")}, ByToolchain, BadLine},
		{"toolchain with a vendor's suffix", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + newer + "-acme"), stubs(newer + "-acme")}, ByToolchain, ""},
		{"and PATH has only the plain one", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + newer + "-acme"), stubs(newer)}, ByToolchain, NotInPath},
		{"a go line means its first release", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999"), stubs("go1.999.0")}, ByGoLine, ""},
		{"and no later one", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999"), stubs(newer)}, ByGoLine, NotInPath},
		{"a go line with a release", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999.1"), stubs(newer)}, ByGoLine, ""},
		{"a go line above the toolchain line", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999.2\ntoolchain " + newer), stubs(newer, "go1.999.2")}, ByGoLine, ""},
		{"a release candidate", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.999rc1"), stubs("go1.999rc1")}, ByGoLine, ""},
		{"a comment behind the line", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain " + newer + " // why"), stubs(newer)}, ByToolchain, ""},
		{"go.work comes before go.mod", []func(*site){env("GOTOOLCHAIN", "path"), mod("go 1.21\ntoolchain go1.999.2"), work("go 1.21\ntoolchain " + newer), stubs(newer)}, ByToolchain, ""},
		{"GOWORK=off", []func(*site){env("GOTOOLCHAIN", "path", "GOWORK", "off"), mod("go 1.21"), work("go 1.21\ntoolchain " + newer), stubs(newer)}, ByPath, ""},
		{"GOWORK names a file", []func(*site){env("GOTOOLCHAIN", "path", "GOWORK", "DIR/project/other.work"), mod("go 1.21"), func(p *site) { p.write("project/other.work", "go 1.21\ntoolchain "+newer+"\n") }, stubs(newer)}, ByToolchain, ""},
		{"GOWORK names a file that is not there", []func(*site){env("GOTOOLCHAIN", "path", "GOWORK", "DIR/none.work"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByToolchain, ""},
		{"GOWORK is not absolute", []func(*site){env("GOTOOLCHAIN", "path", "GOWORK", "other.work"), mod("go 1.21")}, ByEnv, BadWorkPath},
		{"a go.mod in the directory for temporary files", []func(*site){env("GOTOOLCHAIN", "path", "TMPDIR", "DIR/project"), mod("go 1.21\ntoolchain " + newer), stubs(newer)}, ByPath, ""},
		{"the environment names a version", []func(*site){env("GOTOOLCHAIN", older), stubs(older)}, ByEnv, ""},
		{"a version and a newer go.mod", []func(*site){env("GOTOOLCHAIN", older), mod("go 1.999"), stubs(older)}, ByEnv, ""},
		{"at least a version, and go.mod asks for more", []func(*site){env("GOTOOLCHAIN", older+"+path"), mod("go 1.21\ntoolchain " + newer), stubs(older, newer)}, ByToolchain, ""},
		{"at least a version, and go.mod asks for less", []func(*site){env("GOTOOLCHAIN", older+"+path"), mod("go 1.21"), stubs(older)}, ByEnv, ""},
		{"a version that is not there", []func(*site){env("GOTOOLCHAIN", older+"+path")}, ByEnv, NotInPath},
		{"a version that is not there, from anywhere", []func(*site){env("GOTOOLCHAIN", older)}, ByEnv, ""},
		{"its own version by name", []func(*site){env("GOTOOLCHAIN", local)}, ByEnv, ""},
		{"a setting that says nothing", []func(*site){env("GOTOOLCHAIN", "newest")}, ByEnv, BadSetting},
		{"a suffix that says nothing", []func(*site){env("GOTOOLCHAIN", "local+proxy")}, ByEnv, BadSetting},
		{"only a suffix", []func(*site){env("GOTOOLCHAIN", "+path")}, ByEnv, BadSetting},
		{"a path for a setting", []func(*site){env("GOTOOLCHAIN", "go1.22/../../sh")}, ByEnv, BadSetting},
		{"another Go than Go 1", []func(*site){env("GOTOOLCHAIN", "go2.0.1"), stubs("go2.0.1")}, ByEnv, BadSetting},
		{"go env -w", []func(*site){user("GOTOOLCHAIN=" + older + "\n"), stubs(older)}, ByUser, ""},
		{"the environment overrules go env -w", []func(*site){env("GOTOOLCHAIN", "local"), user("GOTOOLCHAIN=" + older + "\n"), stubs(older)}, ByPath, ""},
		{"go env -w says nothing, and go.env is hidden", []func(*site){user("GOTOOLCHAIN=\n"), mod("go 1.999"), stubs("go1.999.0")}, ByPath, ""},
		{"the last of two lines counts", []func(*site){user("GOTOOLCHAIN=local\n#GOTOOLCHAIN=x\nGOTOOLCHAIN=" + older), stubs(older)}, ByUser, ""},
		{"GOENV=off", []func(*site){env("GOENV", "off"), user("GOTOOLCHAIN=" + older + "\n"), stubs(older)}, ByPath, ""},
		{"GOENV names a file", []func(*site){env("GOENV", "DIR/settings"), user("GOTOOLCHAIN=local\n"), func(p *site) { p.write("settings", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByUser, ""},
		{"GOENV names a file beside the project", []func(*site){env("GOENV", "settings"), func(p *site) { p.write("project/sub/settings", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByUser, ""},
		{"XDG_CONFIG_HOME", []func(*site){env("XDG_CONFIG_HOME", "DIR/etc"), func(p *site) { p.write("etc/go/env", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByUser, ""},
		{"XDG_CONFIG_HOME is not absolute", []func(*site){env("XDG_CONFIG_HOME", "etc"), func(p *site) { p.write("project/sub/etc/go/env", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByPath, ""},
		{"no home", []func(*site){env("HOME", "", "GOCACHE", "DIR/cache"), user("GOTOOLCHAIN=" + older + "\n"), stubs(older)}, ByPath, ""},
		{"modules are off", []func(*site){env("GO111MODULE", "off", "GOTOOLCHAIN", older), stubs(older)}, ByEnv, ""},
		{"modules are off by go env -w", []func(*site){env("GOTOOLCHAIN", older), user("GO111MODULE=off\n"), stubs(older)}, ByUser, ""},
		{"modules are automatic, and there is none", []func(*site){env("GO111MODULE", "auto", "GOTOOLCHAIN", older), stubs(older)}, ByPath, ""},
		{"modules are automatic, and there is one", []func(*site){env("GO111MODULE", "auto", "GOTOOLCHAIN", older), mod("go 1.21"), stubs(older)}, ByEnv, ""},
		{"GOROOT leads nowhere", []func(*site){env("GOROOT", "DIR/none", "GOTOOLCHAIN", "local")}, ByPath, NoGoroot},
		{"GOROOT leads nowhere, and another Go is started", []func(*site){env("GOROOT", "DIR/none", "GOTOOLCHAIN", older), stubs(older)}, ByEnv, ""},
		{"go env -w GOROOT leads nowhere", []func(*site){env("GOTOOLCHAIN", "local"), user("GOROOT=DIR/none\n")}, ByPath, NoGoroot},
		{"go.env of the GOROOT that go env -w names", []func(*site){user("GOROOT=DIR/root\n"), func(p *site) { p.write("root/go.env", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByGoEnv, ""},
		{"go.env of the GOROOT that the environment names", []func(*site){env("GOROOT", "DIR/root"), func(p *site) { p.write("root/go.env", "GOTOOLCHAIN="+older+"\n") }, stubs(older)}, ByGoEnv, ""},
		{"two GOROOTs", []func(*site){env("GOROOT", "DIR/b"), user("GOROOT=DIR/a\n"), func(p *site) {
			p.write("a/go.env", "GOTOOLCHAIN="+older+"\n")
			p.write("b/go.env", "GOTOOLCHAIN="+newer+"\n")
		}, stubs(older, newer)}, ByGoEnv, ""},
		{"a link under another version's name", []func(*site){env("GOTOOLCHAIN", newer), func(p *site) { p.link(p.real(), "bin/"+newer) }}, ByEnv, WrongName},
		{"a directory by a toolchain's name", []func(*site){env("GOTOOLCHAIN", newer+"+path"), func(p *site) { p.mkdir("bin/" + newer) }}, ByEnv, NotInPath},
		{"a link that leads nowhere", []func(*site){env("GOTOOLCHAIN", newer+"+path"), func(p *site) { p.link("none", "bin/"+newer) }}, ByEnv, NotInPath},
		{"only in a relative part of PATH", []func(*site){env("GOTOOLCHAIN", newer+"+path"), func(p *site) {
			p.write("project/sub/rel/"+newer, "#!/bin/sh\necho started $0\n")
			p.env["PATH"] = strings.Replace(p.env["PATH"], ":", ":rel:", 1)
		}}, ByEnv, NotInPath},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newSite(t)
			for _, set := range c.set {
				set(p)
			}
			d := p.decide()
			if d.By != c.by || d.Trouble != c.trouble {
				t.Errorf("by %q, trouble %q; want %q and %q", d.By, d.Trouble, c.by, c.trouble)
			}
			p.check(d)
		})
	}
}

// A link beside the tree is what goxin makes: the go command that it leads to finds
// its own GOROOT behind it.
func TestAGoBehindALinkIsTheSameGo(t *testing.T) {
	p := newSite(t)
	p.link(filepath.Dir(filepath.Dir(p.real())), "current")
	real := p.real()
	p.env["PATH"] = p.dir + "/current/bin:" + p.env["PATH"]
	s := Look(machine.Local(), func(k string) string { return p.env[k] }, p.dir+"/project")
	if len(s.Programs) < 2 || s.Programs[0].Path != p.dir+"/current/bin/go" || s.Programs[0].Real != s.Programs[1].Real || s.Programs[0].Arch != runtime.GOARCH {
		t.Fatalf("programs: %+v", s.Programs)
	}
	if want, err := filepath.EvalSymlinks(real); err != nil || filepath.Join(s.GOROOT, "bin/go") != want {
		t.Errorf("GOROOT is %s, the program %s (%v)", s.GOROOT, want, err)
	}
	p.check(p.decide())
}
