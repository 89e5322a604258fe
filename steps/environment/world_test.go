package environment

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/goroot"
	"goxin/steps/steptest"
)

// world is a machine made by hand, and what is asked of it.
type world struct {
	name    string
	files   map[string]string
	env     map[string]string
	running bool
	values  engine.Values
	// run is what programs print, by their argv; those not in it are missing.
	run map[string]string
}

// made is a tree that has an environment and, if it runs, programs that print.
type made struct {
	machine.Machine
	world *world
	ran   []machine.Command
}

func (m *made) Getenv(name string) string { return m.world.env[name] }

func (m *made) Run(_ context.Context, c machine.Command, out func(string)) error {
	if !m.world.running {
		return machine.ErrNotRunning
	}
	m.ran = append(m.ran, c)
	said, ok := m.world.run[strings.Join(c.Argv, " ")]
	if !ok {
		return &machine.ExitError{Argv: c.Argv, Code: 2}
	}
	for line := range strings.Lines(said) {
		if out != nil {
			out(strings.TrimSuffix(line, "\n"))
		}
	}
	return nil
}

func (w *world) build(t *testing.T) (*made, engine.Hosts) {
	t.Helper()
	m, root := steptest.Tree(t, w.files)
	for name := range w.files {
		if strings.Contains(name, "/bin/") {
			if err := os.Chmod(filepath.Join(root, name), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := &detect.Facts{Running: w.running}
	out := &made{m, w, nil}
	return out, steptest.Hosts(out, f)
}

const (
	debianProfile = "PATH=/usr/bin:/bin\nexport PATH\nif [ -d /etc/profile.d ]; then\n  for i in /etc/profile.d/*.sh; do\n    . $i\n  done\nfi\n"
	debianBashrc  = "# System-wide .bashrc file\n[ -z \"$PS1\" ] && return\n# if . /etc/profile.d/x.sh\n"
	rhelBashrc    = "if ! shopt -q login_shell ; then\n    for i in /etc/profile.d/*.sh; do\n        . \"$i\" >/dev/null\n    done\nfi\n"
)

func debian(more map[string]string) map[string]string {
	out := map[string]string{"/etc/profile": debianProfile, "/etc/bash.bashrc": debianBashrc, "/usr/local/README": ""}
	maps.Copy(out, more)
	return out
}

func worlds() []world {
	return []world{
		{name: "debian", files: debian(nil), running: true},
		{name: "everything", running: true, files: debian(map[string]string{
			"/etc/zsh/zshenv": "# every zsh\n", "/etc/zsh/zprofile": "# /etc/profile is not read\n", "/usr/bin/fish": "", "/usr/bin/direnv": "",
		}), values: engine.Values{
			keyProxy: []string{"https://goproxy.example|https://goproxy.cn", "direct"}, keySumDB: "sum.golang.google.cn",
			keyToolchain: toolchainAuto, keyPrivate: []string{"git.example.com/*", "*.corp.example"}, keyDirenv: true,
		}},
		{name: "rpm", running: true, files: map[string]string{
			"/etc/profile": debianProfile, "/etc/bashrc": rhelBashrc, "/etc/zshenv": "", "/etc/zprofile": "_src_etc_profile() {\n  . /etc/profile\n}\n",
		}, env: map[string]string{"GOPROXY": "https://proxy.corp.example,direct"}},
		{name: "rivals", running: true, files: debian(map[string]string{
			"/etc/environment":                 "PATH=\"/usr/local/go/bin:/usr/bin:/bin\"\nGOROOT=\"/usr/local/go\"\nGOSUMDB=off\n",
			"/etc/profile":                     debianProfile + "export PATH=/opt/go1.20/bin:$PATH\n",
			"/etc/profile.d/go.sh":             "export GOROOT=/usr/local/go GOPATH=/srv/go\nexport PATH=$GOROOT/bin:$PATH\nexport GOPROXY=https://u:secret@proxy.example,direct\n",
			"/etc/profile.d/zz-go.sh":          "# export GOROOT=/old\nexport GOROOT='/usr/lib/golang'; export PATH=\"$PATH:/usr/lib/golang/bin\"\n",
			"/home/a/.bashrc":                  "export PATH=$HOME/go/bin:$PATH\nexport PATH=/usr/local/go/bin:$PATH\nexport GO111MODULE=off GOINSECURE='*'\n",
			"/home/a/.config/fish/config.fish": "set -gx GOTOOLCHAIN local\nset -x -g PATH /usr/local/go/bin $PATH\n",
			"/root/.config/go/env":             "GOTOOLCHAIN=path\nGOPROXY=off\nGOTOOLCHAIN=local\nGOFLAGS=-mod=mod\n",
		})},
		{name: "secret", running: true, files: debian(nil), env: map[string]string{"GOPROXY": "https://u:secret@proxy.example,direct"}},
		{name: "bare", files: map[string]string{"/etc/profile": "umask 022\n"}, values: engine.Values{keyShells: []string{}}},
		{name: "no checks", files: debian(nil), values: engine.Values{keySumDB: "off", keyDirenv: true, keyToolchain: toolchainLocal}},
	}
}

func (w *world) survey(t *testing.T, m machine.Machine, h engine.Hosts) engine.Survey {
	return steptest.Survey(t, Step{}, m, h, w.values)
}

func TestWorldsGiveTheirPlans(t *testing.T) {
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			m, h := w.build(t)
			sv := w.survey(t, m, h)
			got := steptest.Plan(t, Step{}, m, h, sv, w.values)
			if strings.Contains(got+string(sv), "u:secret") {
				t.Error("a password is shown")
			}
			steptest.Golden(t, strings.ReplaceAll(w.name, " ", "-"), got)
		})
	}
}

func TestStepIsPure(t *testing.T) {
	for _, w := range worlds() {
		m, h := w.build(t)
		sv := w.survey(t, m, h)
		if string(w.survey(t, m, h)) != string(sv) {
			t.Errorf("%s: two surveys of one machine differ", w.name)
		}
		_, f := h.First()
		was := func() string {
			a, _ := json.Marshal(f)
			b, _ := json.Marshal(w.values)
			return string(a) + string(b) + string(sv)
		}
		before := was()
		if one, two := steptest.Plan(t, Step{}, m, h, sv, w.values), steptest.Plan(t, Step{}, m, h, sv, w.values); one != two || was() != before {
			t.Errorf("%s: asked twice, answered differently, or changed what it was given", w.name)
		}
	}
}

// What was done is wanted again, and is all there.
func TestAConvergedMachineWantsTheSame(t *testing.T) {
	for _, w := range worlds() {
		m, h := w.build(t)
		items, err := Step{}.Ops(h, w.survey(t, m, h), w.values)
		if err != nil {
			t.Fatal(err)
		}
		if still := steptest.Do(t, m, items); len(still) > 0 {
			t.Errorf("%s: still differs: %v", w.name, still)
		}
		again, err := Step{}.Ops(h, w.survey(t, m, h), w.values)
		if err != nil || steptest.Wanted(t, items) != steptest.Wanted(t, again) {
			t.Errorf("%s: wanted before:\n%s\nafter (%v):\n%s", w.name, steptest.Wanted(t, items), err, steptest.Wanted(t, again))
		}
	}
}

func TestCapturedMachinesHaveAPlan(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, _ string, m machine.Machine, h engine.Hosts) {
		v := engine.Values{keyDirenv: true}
		sv := steptest.Survey(t, Step{}, m, h, v)
		if got := steptest.Plan(t, Step{}, m, h, sv, v); strings.Contains(got, "error:") || !strings.Contains(got, "+ file "+profileFile) {
			t.Error(got)
		}
	})
}

const (
	goInUse  = goroot.Current + "/bin/go"
	goodPath = "PATH=" + goroot.Current + "/bin:" + goroot.Bin + ":/usr/bin\n"
)

func TestProof(t *testing.T) {
	login := func(text string) map[string]string { return map[string]string{"sh -lc exec env": text} }
	usual := strings.Join(usualProxies, ",")
	for _, c := range []struct {
		name, want, hint string // want: of the text, or of the error where there is a hint
		files            map[string]string
		run              map[string]string
	}{
		{"no Go yet", "sh has the directories in PATH; no Go", "", nil, login("Welcome = to this host\n" + goodPath)},
		{"an old dash", "sh has the directories in PATH; no Go", "", nil, map[string]string{"sh -c . /etc/profile; exec env": goodPath}},
		{"a shell that does not start", "cannot start a login shell of sh", "sh -lx", nil, nil},
		{"PATH is set anew later on", "cannot let sh find Go", "sh -lx", nil, login("PATH=/usr/bin\n")},
		{"PATH has it twice", "2 times", "sh -lx", nil, login("PATH=" + goroot.Current + "/bin:" + goroot.Current + "/bin:" + goroot.Bin + "\n")},
		{
			"another Go comes first", "/usr/bin/go comes first", "sh -lx",
			map[string]string{goInUse: "", "/usr/bin/go": ""},
			login("PATH=/usr/bin:" + goroot.Current + "/bin:" + goroot.Bin + "\n"),
		},
		{
			"what is there is no Go", "is not Go's own program", "PATH", map[string]string{goInUse: "#!/bin/sh\n"}, login(goodPath),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := world{files: debian(c.files), running: true, run: c.run}
			m, h := w.build(t)
			got, err := Step{}.Proofs(h, w.survey(t, m, h), nil)[0].Prove(context.Background(), m)
			if said := got.EN + lang.Message(err, lang.EN); !strings.Contains(said, c.want) || (err != nil) != (c.hint != "") || !strings.Contains(lang.Hint(err, lang.EN), c.hint) {
				t.Errorf("%q, %v (%s)", got, err, lang.Hint(err, lang.EN))
			}
		})
	}
	t.Run("a tree", func(t *testing.T) {
		w := world{files: debian(nil)}
		m, h := w.build(t)
		if got, err := (Step{}).Proofs(h, w.survey(t, m, h), nil)[0].Prove(context.Background(), m); err != nil || !strings.Contains(got.EN, "not proved") {
			t.Errorf("%q, %v", got, err)
		}
	})
	t.Run("what the Go says", func(t *testing.T) {
		w := world{files: debian(nil), running: true, run: map[string]string{
			"/go env GOVERSION GOPROXY GOSUMDB GOTOOLCHAIN": "go1.26.8\n" + usual + "\noff\npath\n",
		}}
		m, h := w.build(t)
		p := &host{facts: &detect.Facts{Running: true}, seen: &seen{}, a: answers{SumDB: usualSumDB, Toolchain: toolchainPath}}
		got, err := p.ask(context.Background(), m, "sh", "/go", map[string]string{"HOME": "/root", "PATH": "/bin", "GOSUMDB": "off", "LS_COLORS": "x"})
		if err != nil || got.EN != "sh: go1.26.8, GOSUMDB=off stays as somebody set it" {
			t.Errorf("%q, %v", got, err)
		}
		if env := strings.Join(m.ran[0].Env, " "); env != "GOENV=/root/.config/go/env GOSUMDB=off HOME=/root PATH=/bin XDG_CONFIG_HOME=/dev/null" {
			t.Errorf("asked with %s", env)
		}
		w.run["/go env GOVERSION GOPROXY GOSUMDB GOTOOLCHAIN"] = "go1.26.8\n"
		if _, err := p.ask(context.Background(), m, "sh", "/go", nil); err == nil || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("one line for four settings: %v", err)
		}
		_ = h
	})
}

func TestAnswersThatAreRefused(t *testing.T) {
	for _, v := range []engine.Values{
		{keyShells: []string{"csh"}},
		{keyToolchain: "go1.26.8"},
		{keySumDB: "sum.example.com"},
		{keySumDB: "sum.golang.org+033de0ae+xxxx"},
		{keySumDB: "off https://sum.example"},
		{keySumDB: "sum.golang.org https://u:p@sum.example"},
		{keySumDB: "sum.golang.org ftp://sum.example"},
		{keySumDB: "sum.golang.org https://sum.example x"},
		{keyProxy: []string{"https://u:p@proxy.example"}},
		{keyProxy: []string{"https://goproxy.cn,direct"}},
		{keyProxy: []string{"goproxy.cn"}},
		{keyProxy: []string{"https://"}},
		{keyProxy: []string{"https://a.example|"}},
		{keyProxy: []string{"https://a.example/?x=1"}},
		{keyProxy: []string{"https://a.example/'; reboot; '"}},
		{keyProxy: []string{"https://a.example/$(reboot)`reboot`"}},
		{keyProxy: []string{"https://a.example/\nreboot"}},
		{keyProxy: []string{`https://a.example/\`}},
		{keyProxy: []string{""}},
		{keyPrivate: []string{"*"}},
		{keyPrivate: []string{"*/x"}},
		{keyPrivate: []string{"golang.org"}},
		{keyPrivate: []string{"https://git.example.com"}},
		{keyPrivate: []string{"git.example.com/[a"}},
		{keyPrivate: []string{"git.example.com,x"}},
	} {
		m, h := (&world{}).build(t)
		_, err := Step{}.Ops(h, steptest.Survey(t, Step{}, m, h, v), v)
		var told *lang.Error
		if !errors.As(err, &told) || lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%v: %v", v, err)
		}
		if strings.Contains(lang.Message(err, lang.EN), "u:p@") {
			t.Errorf("a password is shown: %v", err)
		}
		if notes := (Step{}).Notes(h, nil, v); notes != nil {
			t.Errorf("%v: notes for a plan that there is not: %v", v, notes)
		}
	}
}

func TestAnswersThatAreTaken(t *testing.T) {
	for _, v := range []engine.Values{
		{keySumDB: "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8 https://sum.example/x"},
		{keySumDB: "sum.golang.org https://sum.example:8443"},
		{keyProxy: []string{"http://[fd00::1]:8081/repository/go", "file:///srv/goproxy", "off"}},
		{keyProxy: []string{"https://a.example|https://b.example/go/", "direct"}},
		{keyPrivate: []string{"git.example.com/team/*", "*.corp.example", "example.org/x"}},
	} {
		_, h := (&world{}).build(t)
		if _, err := (Step{}).Ops(h, nil, v); err != nil {
			t.Errorf("%v: %v", v, err)
		}
	}
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"export GOROOT=/x GOPATH=/y", "PATH=\"$GOROOT/bin:$PATH\"", "set -gx GOPROXY off", "GOPROXY='https://u:p@h'", "PATH=/usr/local/go/bin:$PATH # x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range append(lines("/f", text, true), ownLines("/f", text)...) {
			if r.Line < 1 || r.Line > strings.Count(text, "\n")+1 || strings.Contains(r.Value, "\n") {
				t.Errorf("%q: %+v", text, r)
			}
		}
	})
}
