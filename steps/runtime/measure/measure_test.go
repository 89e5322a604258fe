package measure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// host is a machine whose compiler writes the setting into what it builds, and whose
// loads take as long as their settings say.
type host struct {
	machine.Machine
	root  string
	noise *rand.Rand
	speed func(env, build string) (time, memory float64)
	fails func(argv, env string, run int) error
	says  func(env string) string // instead of the load's line
	runs  []string
	clock time.Time
	peak  bool // the kernel tells no peak
}

func newBench(t *testing.T) *host {
	t.Helper()
	root := t.TempDir()
	for _, d := range []string{"var/tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(root, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return &host{
		Machine: machine.Root(root), root: root, noise: rand.New(rand.NewPCG(5, 8)), clock: time.Unix(1e9, 0),
		speed: func(string, string) (float64, float64) { return 1, 1 },
	}
}

func (b *host) Now() time.Time { return b.clock }

func (b *host) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	env := strings.Join(c.Env, " ")
	if path.Base(c.Argv[0]) == "go" {
		if b.fails != nil {
			if err := b.fails("go", env, 0); err != nil {
				out("load.go:1: internal compiler error")
				return err
			}
		}
		level := ""
		for _, v := range c.Env {
			if strings.HasPrefix(v, "GOAMD64=") {
				level = v
			}
		}
		if err := b.Mkdir(path.Join(path.Dir(c.Dir), "cache"), 0o700, machine.Keep); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return b.WriteFile(c.Argv[3], []byte(level), 0o755, machine.Keep)
	}
	built, err := b.ReadFile(c.Argv[0])
	if err != nil {
		return err
	}
	if len(c.Argv) > 2 {
		env += c.Argv[2]
	}
	b.runs = append(b.runs, env+string(built))
	if b.fails != nil {
		if err := b.fails(c.Argv[0], env+string(built), len(b.runs)); err != nil {
			out("panic: malformed")
			return err
		}
	}
	if b.says != nil {
		out(b.says(env))
		return nil
	}
	took, memory := b.speed(env, string(built))
	s := sample{Seconds: took * (1 + 0.02*b.noise.Float64()), P99: 3 * (1 + 0.1*b.noise.Float64()), Peak: 40 * memory * (1 + 0.01*b.noise.Float64()), Sum: 7, Go: "go1.26.8"}
	if b.peak {
		s.Peak = 0
	}
	b.clock = b.clock.Add(time.Duration(s.Seconds * float64(time.Second)))
	line, err := json.Marshal(s)
	out(string(line))
	return err
}

// left is what stands where the throw-away directories are.
func (b *host) left(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, d := range []string{"/var/tmp", "/root"} {
		names, err := b.ReadDir(d)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	return out
}

func knob(env string) Knob {
	return Knob{ID: "gogc", Name: lang.Same(env), After: Setting{Env: []string{env}}}
}

func TestEachKnobGetsItsVerdict(t *testing.T) {
	b := newBench(t)
	b.speed = func(env, build string) (float64, float64) {
		switch {
		case strings.Contains(env, "FAST"):
			return 0.9, 1
		case strings.Contains(env, "SLOW"):
			return 1.1, 1
		case strings.Contains(env, "SMALL"):
			return 1.2, 0.7
		case strings.Contains(env, "no-huge-pages"):
			return 1.3, 1
		case build == "GOAMD64=v3":
			return 0.8, 1
		}
		return 1, 1
	}
	guard := knob("GUARD=1")
	guard.Guard = true
	level := Knob{ID: "level", Name: lang.Same("GOAMD64=v3"), After: Setting{Build: []string{"GOAMD64=v3"}}}
	pages := Knob{ID: "thp", Name: lang.Same("huge pages never"), After: Setting{NoHugePages: true}}
	var said []string
	r, err := Run(context.Background(), b, Tool{GOROOT: "/usr/local/go"}, []Knob{knob("FAST=1"), knob("SLOW=1"), knob("SMALL=1"), knob("SAME=1"), guard, level, pages}, func(p engine.Progress) {
		said = append(said, p.Text.EN)
		if p.Text.ZH == p.Text.EN {
			t.Errorf("in one language only: %q", p.Text.EN)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range r.Results {
		got = append(got, fmt.Sprintf("%s %s %t", k.Name.EN, k.Verdict, k.Keep))
	}
	want := []string{
		"FAST=1 helps true", "SLOW=1 harms false", "SMALL=1 trades false", "SAME=1 nothing false", "GUARD=1 nothing true",
		"GOAMD64=v3 helps true", "huge pages never harms false",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
	if r.Go != "go1.26.8" || r.Took <= 0 || len(b.left(t)) > 0 {
		t.Errorf("%s, %s, left %v", r.Go, r.Took, b.left(t))
	}
	if last := said[len(said)-1]; !strings.Contains(last, "run 32 of 32; about 2 s left") {
		t.Errorf("last said: %s", last)
	}
	if n := strings.Join(b.runs[3:11], ","); n != ",FAST=1,FAST=1,,,FAST=1,FAST=1," { // after three to find the scale
		t.Errorf("the blocks are not ABBA: %s", n)
	}
}

func TestWhatTheLoadDoesNotRunWithIsNotKept(t *testing.T) {
	for name, c := range map[string]func(b *host){
		"it ends": func(b *host) {
			b.fails = func(_, env string, _ int) error {
				if strings.Contains(env, "BAD") {
					return &machine.ExitError{Argv: []string{"load"}, Code: 2}
				}
				return nil
			}
		},
		"it hangs": func(b *host) {
			b.fails = func(_, env string, _ int) error {
				if strings.Contains(env, "BAD") {
					return context.DeadlineExceeded
				}
				return nil
			}
		},
		"it says something else": func(b *host) {
			b.says = func(env string) string {
				if strings.Contains(env, "BAD") {
					return "\x1b[2J{}"
				}
				return `{"seconds":0.5,"p99":1,"peak":1,"sum":7,"go":"go1.26.8"}`
			}
		},
		"it computes something else": func(b *host) {
			b.says = func(env string) string {
				if strings.Contains(env, "BAD") {
					return `{"seconds":0.5,"p99":1,"peak":1,"sum":8}`
				}
				return `{"seconds":0.5,"p99":1,"peak":1,"sum":7}`
			}
		},
	} {
		b := newBench(t)
		c(b)
		k := knob("BAD=1")
		k.Guard = true
		r, err := Run(context.Background(), b, Tool{GOROOT: "/usr/local/go"}, []Knob{k}, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if x := r.Results[0]; x.Verdict != Broken || x.Keep || x.Why.Empty() || strings.Contains(x.Text().EN, "\x1b") {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func TestAMeasureTheKernelDoesNotTellIsLeftOut(t *testing.T) {
	b := newBench(t)
	b.peak = true
	r, err := Run(context.Background(), b, Tool{GOROOT: "/usr/local/go"}, []Knob{knob("SAME=1")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := r.Results[0].Effects[Memory]; there || len(r.Results[0].Effects) != 2 {
		t.Errorf("%+v", r.Results[0].Effects)
	}
}

func TestNothingIsLeftBehindWhateverHappens(t *testing.T) {
	stop := errors.New("the person had enough")
	for name, c := range map[string]struct {
		at   func(b *host, cancel context.CancelCauseFunc)
		want string
	}{
		"cancelled while it runs": {func(b *host, cancel context.CancelCauseFunc) {
			b.fails = func(argv, _ string, run int) error {
				if argv != "go" && run == 9 {
					cancel(stop)
					return context.Canceled
				}
				return nil
			}
		}, stop.Error()},
		"the compiler fails": {func(b *host, _ context.CancelCauseFunc) {
			b.fails = func(argv, _ string, _ int) error {
				if argv == "go" {
					return &machine.ExitError{Argv: []string{"go"}, Code: 1}
				}
				return nil
			}
		}, "cannot compile with /usr/local/go"},
		"no such Go": {func(b *host, _ context.CancelCauseFunc) {
			b.fails = func(argv, _ string, _ int) error {
				if argv == "go" {
					return &exec.Error{Name: "go", Err: exec.ErrNotFound}
				}
				return nil
			}
		}, "cannot compile with /usr/local/go"},
		"nothing may run": {func(b *host, _ context.CancelCauseFunc) {
			b.fails = func(argv, _ string, _ int) error {
				if argv != "go" {
					return fs.ErrPermission
				}
				return nil
			}
		}, "cannot run what was compiled"},
		"the load itself is broken": {func(b *host, _ context.CancelCauseFunc) {
			b.says = func(string) string { return `{"seconds":-1}` }
		}, "the load did not run"},
	} {
		b := newBench(t)
		ctx, cancel := context.WithCancelCause(context.Background())
		c.at(b, cancel)
		r, err := Run(ctx, b, Tool{GOROOT: "/usr/local/go"}, []Knob{knob("FAST=1")}, nil)
		if r != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		if l := b.left(t); len(l) > 0 {
			t.Errorf("%s: left %v", name, l)
		}
		cancel(nil)
	}
}

// The load compiles with the Go that runs this test, does the same work every time, and
// takes the settings it is given.
func TestTheLoadReallyRuns(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	where := strings.Fields(string(out))
	cache := []string{"GOCACHE=" + where[1]} // the standard library was compiled before
	b := &bench{m: machine.Local(), tool: Tool{GOROOT: where[0]}, dir: t.TempDir(), built: map[string]string{}, scale: 1}
	first, err := b.run(context.Background(), Setting{Build: cache})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []Setting{{Build: cache, Env: []string{"GOGC=20"}}, {Build: cache, NoHugePages: true}} {
		got, err := b.run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if got.Sum != first.Sum || !strings.HasPrefix(got.Go, "go1.") || got.Peak == 0 {
			t.Errorf("%+v: %+v, first %+v", s, got, first)
		}
	}
	// Telemetry would write there from a process that outlives the build.
	if _, err := os.Stat(filepath.Join(b.dir, ".config")); err == nil {
		t.Error("the go command took the throw-away directory for a home")
	}
	_, err = b.run(context.Background(), Setting{Build: cache, Env: []string{"GOMEMLIMIT=much"}})
	if !errors.Is(err, errLoad) || !strings.Contains(err.Error(), "GOMEMLIMIT") {
		t.Errorf("a malformed limit: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"seconds":0.5,"p99":1,"peak":1,"sum":7,"go":"go1.26.8"}`)
	f.Add(`{"seconds":1e999}`)
	f.Fuzz(func(t *testing.T, line string) {
		s, err := parse(line)
		if err == nil && (!(s.Seconds > 0) || !(s.P99 > 0) || s.Peak < 0) {
			t.Errorf("%q: %+v", line, s)
		}
	})
}

func TestWordsSayWhatIsInsideTheNoise(t *testing.T) {
	real := Effect{Before: 0.2, After: 0.3, Ratio: 1.5, Low: 1.4, High: 1.6, Real: true}
	noise := Effect{Before: 10, After: 10, Ratio: 1.01, Low: 0.98, High: 1.03}
	for _, c := range []struct {
		e      Effect
		m      Measure
		en, zh string
	}{
		{real, Time, "+50.0 % (+40.0 % to +60.0 %), 200 ms -> 300 ms", "+50.0 %（+40.0 %～+60.0 %），200 ms -> 300 ms"},
		{noise, Latency, "inside the noise (-2.0 % to +3.0 %)", "在噪声之内（-2.0 %～+3.0 %）"},
		{Compare(nil, 1), Memory, "too few runs", "次数太少"},
	} {
		if got := c.e.Text(c.m); got.EN != c.en || got.ZH != c.zh {
			t.Errorf("%+v", got)
		}
	}
}
