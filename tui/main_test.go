package tui

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/demo"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/tui/quiet"
)

// TestMain runs the wizard over a fake session when it is asked to: tests start
// the test binary again, on a terminal of their own.
func TestMain(m *testing.M) {
	quiet.Restore()
	if os.Getenv("GOXIN_TEST_VERSION") != "" {
		fmt.Println("goxin 0.0.0")
		os.Exit(0)
	}
	if os.Getenv("GOXIN_TEST_WIZARD") != "" {
		os.Exit(fakeMain())
	}
	flag.Parse()
	lipgloss.SetColorProfile(termenv.Ascii)
	time.Local = time.UTC // goldens show times
	os.Exit(m.Run())
}

// fakeMain is what cmd/goxin does, over a script.
func fakeMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	get := os.Getenv
	s := &fakeSession{pace: 20 * time.Millisecond, deviate: get("FAKE_DEVIATE") != "", panicIn: get("FAKE_PANIC")}
	if ms, err := strconv.Atoi(get("FAKE_PACE")); err == nil {
		s.pace = time.Duration(ms) * time.Millisecond
	}
	if get("FAKE_FAIL") != "" {
		s.applyErr = errLock
	}
	if n, err := strconv.Atoi(get("FAKE_BIG")); err == nil {
		s.plan = bigPlan(n)
	}
	if get("FAKE_PENDING") != "" {
		s.pending = &engine.RunInfo{ID: 7, Status: engine.StatusInterrupted, Owner: "person", Steps: []string{"kernel"}, Changes: 3}
	}
	env := Env{Term: get("TERM"), Locale: get("LANG"), Width: 80, Height: 24}
	tier, han := Choose(env)
	l := lang.EN
	if get("FAKE_LANG") == "zh" {
		l = lang.ZH
	}
	c := Config{
		Session: s, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: l, Tier: tier, Han: han, NoHan: NoHan(env), Term: get("TERM"), In: os.Stdin, Out: os.Stdout,
		Save: func(engine.Answers) (string, error) { return "/var/lib/goxin/answers/kp-01.yaml", nil },
	}
	if ms, err := strconv.Atoi(get("FAKE_PAIR")); err == nil { // a drill, a sample each so many milliseconds
		s.plan, s.told, s.tellPace = pairPlan, []engine.Event{tryDrill}, time.Duration(ms)*time.Millisecond
		for _, sample := range drillSamples() {
			s.told = append(s.told, telling(tellsDrill, sample))
		}
		asPair(&c)
	}
	if get("FAKE_STEPS") != "" {
		c.Steps = []engine.Step{fakeStep{"mirror"}, fakeStep{"kernel"}, fakeStep{"service"}}
	}
	if n, err := strconv.Atoi(get("FAKE_RACE")); err == nil {
		c.Steps, s.frames, s.trial, s.plan = []engine.Step{race()}, n, true, packagesPlan(80)
	}
	if name := get("FAKE_DEMO"); name != "" { // the real steps instead of the script
		dir, err := os.MkdirTemp("", "goxin-test-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		sim, err := demo.Open(name, dir, demo.Options{})
		if err != nil {
			panic(err)
		}
		c.Session = Live(engine.New(engine.Config{Machines: []machine.Machine{sim.Machine}, Steps: sim.Steps, Kinds: op.Kinds(), Detect: detect.Detect}))
		c.Steps, c.Purposes, c.Mark = sim.Steps, steps.Purposes(), lang.T("SIMULATED", "模拟")
	}
	res, err := Run(ctx, c)
	if f := get("FAKE_REPORT"); f != "" { // where the terminal is gone
		_ = os.WriteFile(f, []byte(fmt.Sprintf("what=%d err=%v calls=%s", res.What, err, s.called())), 0o600)
	}
	fmt.Printf("END what=%d err=%v hangup=%v calls=%s\r\n", res.What, err, errors.Is(err, ErrHangup), s.called())
	return 10 + int(res.What)
}
