package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// box is a machine with a systemd of which some lines do nothing.
type box struct {
	machine.Machine
	refuses map[string]bool // acts that are refused without a line too
	ignores map[string]bool // lines that systemd takes and that do nothing
	unknown map[string]bool // lines that systemd-run does not take
	broken  map[string]bool // lines that systemd cannot set up
	kills   map[string]bool // lines whose filter kills
	noexec  string          // a directory nothing runs in
	ran     []string
}

func newBox(t *testing.T) *box {
	t.Helper()
	m, _ := steptest.Tree(t, map[string]string{"/run/x": "", "/usr/local/lib/x": "", "/opt/x": "", "/tmp/x": ""})
	return &box{Machine: m}
}

func (b *box) Run(_ context.Context, c machine.Command, out func(string)) error {
	b.ran = append(b.ran, strings.Join(c.Argv, " "))
	fail := func(code int, line string) error {
		if line != "" {
			out(line)
		}
		return &machine.ExitError{Argv: c.Argv, Code: code, Stderr: line}
	}
	switch {
	case c.Argv[0] == machine.Self:
		return b.WriteFile(c.Argv[3], []byte("goxin"), 0o755, machine.Keep)
	case c.Argv[0] == "kysec_set":
		return fmt.Errorf("kysec_set: %w", fs.ErrNotExist)
	case c.Argv[len(c.Argv)-1] == "--version":
		if b.noexec != "" && strings.HasPrefix(c.Argv[0], b.noexec+"/") {
			return fmt.Errorf("exec: %w", fs.ErrPermission)
		}
		return nil
	case c.Argv[0] != "systemd-run":
		return fmt.Errorf("%s: %w", c.Argv[0], fs.ErrNotExist)
	}
	act, line := c.Argv[len(c.Argv)-2], ""
	for _, a := range c.Argv {
		p, ok := strings.CutPrefix(a, "--property=")
		if ok && !strings.HasPrefix(p, "Type=") && !strings.HasPrefix(p, "RuntimeMaxSec=") && !strings.HasPrefix(p, "TimeoutStopSec=") && p != "User=nobody" {
			line = p
		}
	}
	switch {
	case b.unknown[line]:
		return fail(1, "Unknown assignment: "+line)
	case b.broken[line]:
		return fail(217, "Main processes terminated with: code=exited/status=217")
	case b.kills[line]:
		out("Running as unit: run-u7.service")
		return fail(255, "Main processes terminated with: code=killed/status=SYS")
	case b.refuses[act] || line != "" && !b.ignores[line]:
		out(`{"did":false,"error":"operation not permitted"}`)
	default:
		out(`{"did":true}`)
	}
	return nil
}

func TestEachLineIsJudgedByItsActAlone(t *testing.T) {
	lines, skipped := Lines(Machine{Systemd: 243, GOARCH: "amd64", Users: true}, Service{Level: Strict})
	b := newBox(t)
	b.refuses = map[string]bool{"module": true}
	b.ignores = map[string]bool{"LockPersonality=yes": true, "ProtectHome=yes": true}
	b.unknown = map[string]bool{"RestrictSUIDSGID=yes": true}
	b.broken = map[string]bool{"PrivateUsers=yes": true}
	b.kills = map[string]bool{"SystemCallFilter=@system-service": true}
	var told []Report
	ctx := engine.HearTold(context.Background(), func(ev engine.Event) {
		var r Report
		if err := json.Unmarshal(ev.Data, &r); err != nil || ev.Kind != TellKind {
			t.Errorf("%s %v", ev.Kind, err)
		}
		told = append(told, r)
	})
	r, err := Try(ctx, b, "app.service", lines, skipped)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, one := range r.Results {
		fmt.Fprintf(&got, "%-10s %s\n           %s\n           %s\n", one.State, one.Line, one.Seen.EN, one.Seen.ZH)
	}
	steptest.Golden(t, "judged", r.Text().EN[:strings.Index(r.Text().EN, "\n")+1]+got.String())
	if len(told) != len(lines)+1 || len(told[len(told)-1].Results) != r.Of || r.Of != len(lines)+len(skipped) {
		t.Errorf("told %d times, %d results of %d", len(told), len(r.Results), r.Of)
	}
	for _, dir := range append(Places(), "/tmp") {
		if names, err := b.ReadDir(dir); err != nil || !slices.Equal(names, []string{"x"}) {
			t.Errorf("%s: %v %v is left", dir, names, err)
		}
	}
}

func TestTheCopyStandsWhereProgramsRun(t *testing.T) {
	ctx := context.Background()
	b := newBox(t)
	b.noexec = "/run"
	program, cleanup, err := Program(ctx, b)
	if err != nil || !strings.HasPrefix(program, "/usr/local/lib/") {
		t.Fatalf("%s %v", program, err)
	}
	if err := cleanup(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range Places() {
		if names, _ := b.ReadDir(dir); len(names) != 1 {
			t.Errorf("%s: %v", dir, names)
		}
	}
	b.noexec = ""
	if err := b.Mkdir("/run/goxin-probe-0", 0o700, machine.Keep); err != nil { // somebody's
		t.Fatal(err)
	}
	program, cleanup, err = Program(ctx, b)
	if err != nil || path.Dir(program) != "/run/goxin-probe-1" {
		t.Errorf("%s %v", program, err)
	}
	if err := cleanup(); err != nil {
		t.Error(err)
	}
	if _, err := b.Lstat("/run/goxin-probe-0"); err != nil {
		t.Error("what was somebody's is gone")
	}
}

func TestEveryDirectiveHasWordsAndAnActOfItsOwn(t *testing.T) {
	for _, s := range []Service{{Level: Strict}, {Level: Standard}, {Level: Strict, LowPort: true}} {
		seen := map[string]bool{}
		for _, d := range table(s) {
			if d.Why.EN == "" || d.Why.ZH == "" || d.Why.EN == d.Why.ZH {
				t.Errorf("%s has no words", d.Line())
			}
			if seen[d.Line()] {
				t.Errorf("%s stands twice", d.Line())
			}
			seen[d.Line()] = true
		}
	}
	if lines, skipped := Lines(Machine{Systemd: 252}, Service{Level: None}); lines != nil || skipped != nil {
		t.Error("something is forbidden to a service without a sandbox")
	}
}

func TestWhatVerifySaysOfOtherUnitsIsNotOurs(t *testing.T) {
	file := "/run/systemd/system/app.service"
	said := []string{
		"/lib/systemd/system/plymouth-start.service:16: Unit configured to use KillMode=none.",
		file + ":12: Unknown key name 'Foo' in section 'Service', ignoring.",
		"app.service: Command /usr/local/bin/app is not executable: No such file or directory",
		"",
	}
	want := []string{"app.service:12: Unknown key name 'Foo' in section 'Service', ignoring.", "app.service: Command /usr/local/bin/app is not executable: No such file or directory"}
	if got := complaints(said, file); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestExposureIsReadFromEachVersionsWords(t *testing.T) {
	for line, want := range map[string]float64{
		"→ Overall exposure level for app.service: 1.1 OK 🙂":               1.1,
		"-> Overall exposure level for app.service: 9.6 UNSAFE :-(":        9.6,
		"→ Overall exposure level for app.service: 10 DANGEROUS":           10,
		"✗ PrivateNetwork=   Service has access to the host's network 0.5": -1,
		"→ Overall exposure level for app.service: much":                   -1,
		"→ Overall exposure level for app.service":                         -1,
		"exposure level for x: NaN":                                        -1,
	} {
		got, ok := exposure(line)
		if ok != (want >= 0) || ok && got != want {
			t.Errorf("%q: %v %v", line, got, ok)
		}
	}
}

func FuzzExposure(f *testing.F) {
	f.Add("→ Overall exposure level for app.service: 1.1 OK")
	f.Add("exposure level for : -1")
	f.Fuzz(func(t *testing.T, line string) {
		if n, ok := exposure(line); ok && !(n >= 0 && n <= 10) {
			t.Errorf("%q is %v", line, n)
		}
	})
}

func TestProgramSaysWhatToDoWhereNothingRuns(t *testing.T) {
	b := newBox(t)
	b.noexec = ""
	_, _, err := Program(context.Background(), deaf{b})
	if err == nil || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("%v", err)
	}
	for _, dir := range Places() {
		if names, _ := b.ReadDir(dir); len(names) != 1 {
			t.Errorf("%s: %v is left", dir, names)
		}
	}
}

// deaf is a machine on which nothing runs.
type deaf struct{ *box }

func (deaf) Run(context.Context, machine.Command, func(string)) error { return fs.ErrPermission }
