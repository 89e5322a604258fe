package engine_test

import (
	"context"
	"os"
	"testing"
	"time"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// A run that is left to be resumed keeps its part on the other machine, whose guard was
// at work until then.
// The other machine's guard lost its unit when the run was left, and not its process:
// that took the part back as soon as nobody held the lock, and the run could not be
// resumed.
func TestAPartThatIsLeftToBeResumedIsNotTakenBack(t *testing.T) {
	w := newTwins(t)
	w.bootable(t)
	ctx := context.Background()
	e := w.engine()
	run, err := e.Start(ctx, engine.RunOptions{Answers: twinAnswers})
	ok(t, err)
	_, err = run.Step(ctx, e.Step("peer"), twinAnswers["peer"], nil)
	ok(t, err)
	_, err = run.Step(ctx, e.Step("both"), twinAnswers["both"], nil)
	ok(t, err)
	// What installGuard starts there.
	ok(t, os.MkdirAll(w.b.dir+"/var/lib/goxin/guard/1", 0o700))
	guard, stop := context.WithCancel(ctx)
	defer stop()
	gone := make(chan error, 1)
	go func() { gone <- w.alone().Guard(guard, 1) }()
	time.Sleep(time.Second)
	ok(t, run.Leave())
	select {
	case err := <-gone:
		ok(t, err)
	case <-time.After(10 * time.Second):
		t.Error("the guard stays")
	}
	rs, err := w.alone().Runs()
	ok(t, err)
	if rs[0].Status != engine.StatusInterrupted || w.b.read("b") != "2" {
		t.Errorf("there it is %s, b=%s", rs[0].Status, w.b.read("b"))
	}
	if err := w.resume(); err != nil {
		t.Error(err)
	}
}

// guarded is a machine with a service manager that starts guards.
type guarded struct {
	machine.Machine
	dir     string
	started *int
}

func (g guarded) ID() machine.ID                  { return peerID }
func (g guarded) Kernel() (machine.Kernel, error) { return machine.Kernel{}, nil }

func (g guarded) Run(_ context.Context, c machine.Command, _ func(string)) error {
	if len(c.Argv) > 1 && c.Argv[1] == "restart" {
		*g.started++
		return os.WriteFile(g.dir+"/var/lib/goxin/guard/1/ready", nil, 0o600)
	}
	return nil
}

// A run that was left dismissed the other machine's guard, and nobody called it again when
// it was resumed: a line that was cut then left half a change there.
func TestAResumedRunHasItsGuardOnTheOtherMachineAgain(t *testing.T) {
	w := newTwins(t)
	w.bootable(t)
	for _, d := range []string{"run/systemd/system", "proc/self", "etc/systemd/system/multi-user.target.wants"} {
		ok(t, os.MkdirAll(w.b.dir+"/"+d, 0o755))
	}
	ok(t, os.WriteFile(w.b.dir+"/proc/self/exe", []byte("goxin"), 0o755))
	started := 0
	mk := func() *engine.Engine {
		return engine.New(engine.Config{
			Machines: []machine.Machine{machine.Root(w.a.dir)},
			Steps: []engine.Step{
				joins{step("peer"), func() (machine.Machine, error) {
					return guarded{machine.Root(w.b.dir), w.b.dir, &started}, nil
				}},
				onBoth{step("both")},
				step("two"),
			},
			Kinds:  kinds(),
			Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
		})
	}
	ctx := context.Background()
	e := mk()
	run, err := e.Start(ctx, engine.RunOptions{Answers: twinAnswers})
	ok(t, err)
	_, err = run.Step(ctx, e.Step("peer"), twinAnswers["peer"], nil)
	ok(t, err)
	_, err = run.Step(ctx, e.Step("both"), twinAnswers["both"], nil)
	ok(t, err)
	ok(t, run.Leave())
	if started != 1 {
		t.Fatalf("guards started: %d", started)
	}
	run, _, err = mk().Resume(ctx)
	ok(t, err)
	if started != 2 {
		t.Errorf("nobody guards the other machine in the resumed run: guards started %d", started)
	}
	_, err = run.End(ctx)
	ok(t, err)
}
