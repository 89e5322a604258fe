package service

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// small is an ELF header of amd64 with nothing behind it but words.
func small(words string) string {
	head := "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x02\x00\x3e\x00\x01\x00\x00\x00" + "\x00\x00\x40\x00\x00\x00\x00\x00" +
		"\x40\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x00\x00\x00\x00\x40\x00\x38\x00\x01\x00\x40\x00\x00\x00\x00\x00"
	load := "\x01\x00\x00\x00\x05\x00\x00\x00" + strings.Repeat("\x00", 8) + "\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00" +
		"\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00"
	return head + load + words
}

func built(version string) string {
	return "\xff Go buildinf:\x08\x02" + strings.Repeat("\x00", 16) + string(rune(len(version))) + version + "\x00"
}

func TestAProgramIsReadForWhatItKnows(t *testing.T) {
	filler := strings.Repeat("x", 100_000)
	for name, c := range map[string]struct {
		content  string
		goes     string
		notifies bool
	}{
		"plain":                      {small("hello"), "", false},
		"a Go that notifies":         {small(filler + built("go1.26.8 X:foo") + filler + socketVar), "go1.26.8", true},
		"the word alone":             {small(socketVar), "", true},
		"a mark that is only a word": {small(buildMark + filler + built("go1.24.1")), "go1.24.1", false},
		"a version of weeds":         {small(built("go1.\x1b[2J")), "", false},
		"a mark at the end":          {small(filler + buildMark), "", false},
	} {
		m, _ := steptest.Tree(t, map[string]string{"/srv/app": c.content})
		s := &seen{Source: "/srv/app"}
		if err := s.read(context.Background(), m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if s.Go != c.goes || s.Notifies != c.notifies || s.Arch != "x86_64" || s.Size != int64(len(c.content)) || len(s.SHA256) != 64 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

// However the words are cut by the reads, they are found.
func TestWordsAreFoundAcrossReads(t *testing.T) {
	text := "abc" + built("go1.25.3") + strings.Repeat("y", 40) + socketVar + "z"
	for n := 1; n < len(text); n++ {
		f := &finder{}
		for part := range slices.Chunk([]byte(text), n) {
			if _, err := f.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if !f.notifies || f.version != "go1.25.3" {
			t.Errorf("in pieces of %d: %+v", n, f)
		}
	}
}

func FuzzFinder(f *testing.F) {
	f.Add([]byte(built("go1.26.8")), 7)
	f.Add([]byte(buildMark+socketVar), 3)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		whole, parts := &finder{}, &finder{}
		_, _ = whole.Write(b)
		for part := range slices.Chunk(b, max(n%64, 1)) {
			_, _ = parts.Write(part)
		}
		if whole.notifies != parts.notifies {
			t.Errorf("%v in pieces, %v whole", parts.notifies, whole.notifies)
		}
		if v := whole.version; v != "" && (!printable(v) || !strings.HasPrefix(v, "go1.")) {
			t.Errorf("%q", v)
		}
	})
}

func TestWhatCannotBeAServiceIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		v     engine.Values
		facts *detect.Facts
		want  string
	}{
		"no program named":   {nil, engine.Values{}, nil, "cannot use binary: no program is named"},
		"two programs named": {nil, engine.Values{KeyBinary: "/a", KeyModule: "/b"}, nil, "cannot use module: a program is named too"},
		"not there":          {nil, engine.Values{KeyBinary: "/srv/app"}, nil, "cannot read the program /srv/app"},
		"a script":           {map[string]string{"/srv/app": "#!/bin/sh\n"}, engine.Values{KeyBinary: "/srv/app"}, nil, "it is no program that the kernel starts"},
		"text":               {map[string]string{"/srv/app": "hello"}, engine.Values{KeyBinary: "/srv/app"}, nil, "it is no program that the kernel starts"},
		"another processor":  {map[string]string{"/srv/app": small("")}, engine.Values{KeyBinary: "/srv/app"}, facts(252, "aarch64"), "it is for x86_64, and that machine is aarch64"},
		"another manager": {map[string]string{"/srv/app": small("")}, engine.Values{KeyBinary: "/srv/app"}, func() *detect.Facts {
			f := facts(252, "x86_64")
			f.Init.Name = steptest.Fact("openrc")
			return f
		}(), "openrc is its service manager"},
		"secrets that are not there": {map[string]string{"/srv/app": small("")}, engine.Values{KeyBinary: "/srv/app", KeySecrets: "/etc/app.secret"}, nil, "cannot use the environment file /etc/app.secret"},
		"root":                       {nil, engine.Values{KeyBinary: "/a", KeyUser: "root"}, nil, "cannot use user: root needs no account"},
		"a name that climbs":         {nil, engine.Values{KeyBinary: "/a", KeyName: "../x"}, nil, "cannot use name"},
		"a name of weeds":            {nil, engine.Values{KeyBinary: "/a", KeyName: "a\nb"}, nil, "cannot use name"},
		"a relative path":            {nil, engine.Values{KeyBinary: "a"}, nil, "cannot use binary"},
		"a path that climbs":         {nil, engine.Values{KeyBinary: "/a/../b"}, nil, "cannot use binary"},
		"args that break out":        {nil, engine.Values{KeyBinary: "/a", KeyArgs: "x\nExecStartPre=/bin/false"}, nil, "cannot use args"},
		"a description that does":    {nil, engine.Values{KeyBinary: "/a", KeyDescription: "x\nUser=root"}, nil, "cannot use description"},
		"a variable that does":       {nil, engine.Values{KeyBinary: "/a", KeyEnvironment: map[string]string{"A": "x\nLD_PRELOAD=/tmp/x"}}, nil, "cannot use environment"},
		"a variable's name":          {nil, engine.Values{KeyBinary: "/a", KeyEnvironment: map[string]string{"1A": "x"}}, nil, "cannot use environment"},
		"a port beyond":              {nil, engine.Values{KeyBinary: "/a", KeyPort: int64(65536)}, nil, "cannot use port"},
		"nothing to open":            {nil, engine.Values{KeyBinary: "/a", KeyPort: int64(0), KeyOpenPort: true}, nil, "cannot use open_port"},
		"nothing to ask":             {nil, engine.Values{KeyBinary: "/a", KeyPort: int64(0), KeyHealth: "/x"}, nil, "cannot use health"},
		"a health that splits":       {nil, engine.Values{KeyBinary: "/a", KeyHealth: "/x HTTP/1.1"}, nil, "cannot use health"},
		"memory":                     {nil, engine.Values{KeyBinary: "/a", KeyMemoryMax: "1K"}, nil, "cannot use memory_max"},
		"quota":                      {nil, engine.Values{KeyBinary: "/a", KeyCPUQuota: "2"}, nil, "cannot use cpu_quota"},
		"a type":                     {nil, engine.Values{KeyBinary: "/a", KeyType: "forking"}, nil, "cannot use type"},
		"a directory":                {nil, engine.Values{KeyBinary: "/a", KeyDirectories: []string{"/etc"}}, nil, "cannot use directories"},
	} {
		m, _ := steptest.Tree(t, c.files)
		f := c.facts
		if f == nil {
			f = facts(252, "x86_64")
		}
		h := steptest.Hosts(m, f)
		sv := steptest.Survey(t, Step{}, m, h, c.v)
		items, err := (Step{}).Ops(h, sv, c.v)
		if err == nil || items != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %d items, %v", name, len(items), err)
			continue
		}
		if lang.Hint(err, lang.EN) == "" || lang.Hint(err, lang.ZH) == "" || lang.Message(err, lang.ZH) == err.Error() {
			t.Errorf("%s: says not what to do, or not in both languages: %v", name, err)
		}
		if (Step{}).Notes(h, sv, c.v) != nil || (Step{}).Proofs(h, sv, c.v) != nil {
			t.Errorf("%s: notes or proofs of it", name)
		}
		_ = (Step{}).Questions(h, sv, c.v) // still asked, so that it can be corrected
	}
}

func TestFieldsAreInBothLanguages(t *testing.T) {
	for _, f := range (Step{}).Fields() {
		if f.Title.EN == f.Title.ZH || f.Help.EN == "" || f.Help.ZH == "" || f.Help.EN == f.Help.ZH && !strings.HasPrefix(f.Help.EN, "$") {
			t.Errorf("%s: a text is not in both languages", f.Key)
		}
		for _, o := range f.Options {
			if o.Title.EN == o.Title.ZH || o.Help.ZH == "" {
				t.Errorf("%s: option %s", f.Key, o.Value)
			}
		}
	}
}

// A plan as a person sees it, on the captured machines: each has another systemd.
func TestCapturedMachines(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		id, f := h.First()
		v := engine.Values{KeyBinary: "/srv/app"}
		s := newSeen(func(s *seen) { s.Arch, s.UserNS = f.Arch.Machine.Value, userNamespaces(m) })
		if f.Arch.Machine.Value == "mips64" {
			s.Arch = "mips64el"
		}
		sv, err := json.Marshal(survey{id: s})
		if err != nil {
			t.Fatal(err)
		}
		steptest.Golden(t, "captured-"+name, steptest.Plan(t, Step{}, m, h, sv, v))
	})
}

// stage is a machine with a systemd that runs one program, as far as the step can tell.
type stage struct {
	machine.Machine
	said    map[string][]string // by the first words of a command: what it says
	fails   map[string]bool     // by the same
	health  http.HandlerFunc    // nil: nobody listens
	taken   bool                // somebody listens before it is started
	started bool
	flaps   bool
	needs   bool // it starts only without a sandbox
	ran     []string
	waits   int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	m, _ := steptest.Tree(t, map[string]string{
		"/srv/app": small("app"), "/run/systemd/system/x": "", "/etc/systemd/system/x": "", "/usr/local/bin/x": "", "/usr/local/lib/x": "", "/opt/x": "", "/tmp/x": "", "/etc/passwd": "",
	})
	return &stage{Machine: m, health: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }, said: map[string][]string{}, fails: map[string]bool{}}
}

func (s *stage) Now() time.Time { return time.Unix(1_700_000_000, 0) }

func (s *stage) Run(_ context.Context, c machine.Command, out func(string)) error {
	line := strings.Join(c.Argv, " ")
	s.ran = append(s.ran, line)
	say := func(l string) {
		if out != nil {
			out(l)
		}
	}
	fail := &machine.ExitError{Argv: c.Argv, Code: 1}
	for _, k := range slices.Sorted(maps.Keys(s.said)) {
		if strings.HasPrefix(line, k) {
			for _, l := range s.said[k] {
				say(l)
			}
		}
	}
	for k := range s.fails {
		if strings.HasPrefix(line, k) {
			return fail
		}
	}
	switch {
	case c.Argv[0] == machine.Self:
		return s.WriteFile(c.Argv[3], []byte("goxin"), 0o755, machine.Keep)
	case strings.HasSuffix(line, "/goxin --version"), c.Argv[0] == "journalctl":
		return nil
	case c.Argv[0] == "sleep":
		s.waits++
		return nil
	case strings.HasPrefix(line, "systemd-analyze verify"):
		return nil
	case strings.HasPrefix(line, "systemd-analyze"):
		score := "9.2 UNSAFE"
		if strings.Contains(s.content(c.Argv[len(c.Argv)-1]), "NoNewPrivileges") {
			score = "1.3 OK"
		}
		say("→ Overall exposure level for " + c.Argv[len(c.Argv)-1] + ": " + score)
		return nil
	case strings.HasPrefix(line, "systemctl start"):
		s.started = !s.needs || !strings.Contains(s.content(c.Argv[2]), "NoNewPrivileges")
		if !s.started {
			return fail
		}
		return nil
	case strings.HasPrefix(line, "systemctl stop"):
		s.started = false
		return nil
	case strings.HasPrefix(line, "systemctl show"):
		state := map[bool]string{true: "active", false: "failed"}[s.started]
		if s.flaps && s.waits > 1 {
			say("NRestarts=2")
		} else {
			say("NRestarts=0")
		}
		say("ActiveState=" + state)
		say("SubState=running")
		say("Result=exit-code")
		say("ExecMainStatus=1")
		return nil
	case strings.HasPrefix(line, "systemctl is-active"):
		return fail
	case c.Argv[0] == "systemctl":
		return nil
	}
	return fmt.Errorf("%s: %w", c.Argv[0], fs.ErrNotExist)
}

func (s *stage) content(unit string) string {
	b, err := s.ReadFile(path.Join(runDir, unit))
	if err != nil {
		b, _ = s.ReadFile(path.Join(unitDir, unit))
	}
	return string(b)
}

func (s *stage) Dial(context.Context, string, string) (net.Conn, error) {
	if !s.taken && (!s.started || s.health == nil) {
		return nil, errors.New("connection refused")
	}
	a, b := net.Pipe()
	go func() {
		defer b.Close()
		r, err := http.ReadRequest(bufio.NewReader(b))
		if err != nil {
			return
		}
		w := &answered{header: http.Header{}, code: 200}
		s.health(w, r)
		_, _ = io.WriteString(b, fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", w.code))
	}()
	return a, nil
}

type answered struct {
	header http.Header
	code   int
}

func (a *answered) Header() http.Header         { return a.header }
func (a *answered) Write(p []byte) (int, error) { return len(p), nil }
func (a *answered) WriteHeader(code int)        { a.code = code }

func TestTheTrialSaysWhoseFaultItIs(t *testing.T) {
	for name, c := range map[string]struct {
		v      engine.Values
		change func(*stage)
		seen   func(*seen)
		want   string // in what is said, or in the error and its hint
		fails  bool
	}{
		"it works":       {nil, nil, nil, "exposure 1.3, without its sandbox 9.2; tried as Type=exec: it takes connections on port 8080", false},
		"by its health":  {engine.Values{KeyHealth: "/healthz"}, nil, nil, "/healthz answers 200", false},
		"it is unwell":   {engine.Values{KeyHealth: "/healthz"}, func(s *stage) { s.health = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) } }, nil, "/healthz answers “HTTP/1.1 503 X”", true},
		"it needs more":  {nil, func(s *stage) { s.needs = true }, nil, "without its sandbox it works", true},
		"it never works": {nil, func(s *stage) { s.fails["systemctl start"] = true }, nil, "it does not work without its sandbox either", true},
		"it never notifies": {engine.Values{KeyType: notify}, func(s *stage) {
			s.fails["systemctl start"] = true
			s.said["journalctl"] = []string{"x.service: start operation timed out. Terminating."}
		}, nil, "answer type: exec", true},
		"the port is taken": {nil, func(s *stage) { s.taken = true }, nil, "something listens on port 8080 already", true},
		"systemd objects": {nil, func(s *stage) {
			s.said["systemd-analyze verify"] = []string{"goxin-trial-app-1700000000.service: Unknown key\x1b[2J"}
		}, nil, `systemd 252 objects to it: goxin-trial-app-1700000000.service: Unknown key\x1b[2J`, true},
		"it has directories":     {engine.Values{KeyDirectories: []string{"state"}}, nil, nil, "not started, since it has directories to write to", false},
		"it runs already":        {nil, nil, func(s *seen) { s.Up = true }, "not tried: app.service runs", false},
		"it listens on nothing":  {engine.Values{KeyPort: int64(0)}, func(s *stage) { s.health = nil }, nil, "up for 2 s", false},
		"the program is another": {nil, nil, func(s *seen) { s.SHA256 = strings.Repeat("00", 32) }, "is not what was planned", true},
	} {
		s := newStage(t)
		if c.change != nil {
			c.change(s)
		}
		one := &seen{Source: "/srv/app", UserNS: true}
		if err := one.read(context.Background(), s); err != nil {
			t.Fatal(err)
		}
		if c.seen != nil {
			c.seen(one)
		}
		h := newTestHost(t, facts(252, "x86_64"), one, c.v)
		h.id, h.home = s.ID(), s.ID()
		said, err := h.try(context.Background(), s)
		text := said.EN
		if err != nil {
			text = err.Error() + " " + lang.Hint(err, lang.EN)
			if lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("%s: only in one language: %v", name, err)
			}
		}
		if (err != nil) != c.fails || !strings.Contains(text, c.want) {
			t.Errorf("%s: %s (%v)", name, text, err)
		}
		for _, dir := range []string{runDir, "/run", "/usr/local/lib", "/opt"} {
			names, _ := s.ReadDir(dir)
			if slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "goxin") }) {
				t.Errorf("%s: %s has %v left", name, dir, names)
			}
		}
		if s.started {
			t.Errorf("%s: the trial runs on", name)
		}
		for _, l := range s.ran {
			if strings.Contains(l, "GOMEMLIMIT") {
				t.Errorf("%s: the environment is in a command line", name)
			}
		}
	}
}

func TestAServiceThatFlapsFailsWithItsOwnWords(t *testing.T) {
	s := newStage(t)
	s.started, s.flaps = true, true
	s.said["journalctl"] = []string{"-- Logs begin --", "", "panic: no\x1b[2J database"}
	h := newTestHost(t, facts(252, "x86_64"), newSeen(nil), nil)
	var told []string
	ctx := engine.HearTold(context.Background(), func(ev engine.Event) { told = append(told, ev.Kind+" "+string(ev.Data)) })
	_, err := h.stays(ctx, s)
	want := `cannot keep app.service up: it flaps: it ended with exit-code (status 1), and systemd starts it again and again` + "\n" + `panic: no\x1b[2J database`
	if err == nil || err.Error() != want || !strings.Contains(lang.Hint(err, lang.EN), "journalctl -u app.service") {
		t.Errorf("%v", err)
	}
	if !slices.Equal(told, []string{`journal "panic: no\\x1b[2J database"`}) {
		t.Errorf("%q", told)
	}
	s.flaps, s.waits = false, 0
	if said, err := h.stays(context.Background(), s); err != nil || said.EN != "up for 5 s, never started again" || s.waits != 5 {
		t.Errorf("%s %v after %d", said.EN, err, s.waits)
	}
	s.started = false
	if _, err := h.stays(context.Background(), s); err == nil || !strings.Contains(err.Error(), "it is failed") {
		t.Errorf("%v", err)
	}
}

func TestAnswersOfServersAreRead(t *testing.T) {
	for line, want := range map[string]int{
		"HTTP/1.1 200 OK\r\n": 200, "HTTP/1.0 404 Not Found\n": 404, "HTTP/1.1 204\r\n": 204,
		"HTTP/2 200\n": 0, "HTTP/1.1 2000 x\n": 0, "HTTP/1.1 -20 x\n": 0, "SSH-2.0-OpenSSH\r\n": 0, "": 0, "HTTP/1.1 099 x": 0,
	} {
		got, ok := status(line)
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %d %v", line, got, ok)
		}
	}
}

func TestANewSurveyIsForAnotherProgram(t *testing.T) {
	old := engine.Values{KeyBinary: "/a", KeyPort: int64(1)}
	for key, want := range map[string]bool{KeyBinary: true, KeyModule: true, KeyName: true, KeySecrets: true, KeyArgs: false, KeyHarden: false} {
		now := maps.Clone(old)
		now[key] = "/other"
		if (Step{}).Resurvey(old, now) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
}

// builder is a machine with a Go that makes small programs.
type builder struct {
	machine.Machine
	env   []string
	fails bool
}

func (b *builder) Run(_ context.Context, c machine.Command, out func(string)) error {
	if c.Argv[0] != "/usr/local/go/bin/go" {
		return fmt.Errorf("%s: %w", c.Argv[0], fs.ErrNotExist)
	}
	b.env = append(b.env, c.Env...)
	if b.fails {
		out("./main.go:3:1: syntax error")
		return &machine.ExitError{Argv: c.Argv, Code: 1}
	}
	return b.WriteFile(c.Argv[slices.Index(c.Argv, "-o")+1], []byte(small(built("go1.26.8"))), 0o755, machine.Keep)
}

func TestAModuleIsBuiltForEachProcessor(t *testing.T) {
	m, _ := steptest.Tree(t, map[string]string{"/usr/local/go/VERSION": "go1.26.8\n", "/usr/local/go/bin/go": "", "/var/lib/x": "", "/srv/src/go.mod": "module x\n"})
	b := &builder{Machine: m}
	h := steptest.Hosts(m, facts(252, "x86_64"))
	v := engine.Values{KeyModule: "/srv/src"}
	sv, err := (Step{}).Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): b}, h, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	items, err := (Step{}).Ops(h, sv, v)
	if err != nil || !strings.Contains(steptest.Wanted(t, items), `"source":"/var/lib/goxin/builds/app-amd64"`) {
		t.Errorf("%v %s", err, sv)
	}
	for _, want := range []string{"GOARCH=amd64", "GOOS=linux", "CGO_ENABLED=0", "GOTOOLCHAIN=local"} {
		if !slices.Contains(b.env, want) {
			t.Errorf("built without %s: %q", want, b.env)
		}
	}
	b.fails = true
	if sv, err = (Step{}).Survey(context.Background(), map[machine.ID]machine.Machine{m.ID(): b}, h, v, nil); err != nil {
		t.Fatal(err)
	}
	if _, err = (Step{}).Ops(h, sv, v); err == nil || !strings.Contains(err.Error(), "cannot build /srv/src for amd64: ./main.go:3:1: syntax error") {
		t.Errorf("%v", err)
	}
}

// The answers of a whole machine could not be replayed on one without Go: everything is
// planned before anything is done, and the service wanted the toolchain there already.
func TestAProgramThatThereIsNoGoToBuildWithIsKnownAfterTheToolchain(t *testing.T) {
	m, _ := steptest.Tree(t, nil)
	h := steptest.Hosts(m, facts(252, "x86_64"))
	v := engine.Values{KeyModule: "/srv/src"}
	sv := steptest.Survey(t, Step{}, m, h, v)
	items, err := (Step{}).Ops(h, sv, v)
	if err != nil || len(items) != 1 || items[0].Unknown != "toolchain" || (Step{}).Proofs(h, sv, v) != nil {
		t.Errorf("%+v, %v", items, err)
	}
	if _, err := m.Lstat(buildDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("planning made %s: %v", buildDir, err)
	}
}
