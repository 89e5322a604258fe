package clock

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

var errDead = errors.New("the machine is dead")

// plant is a machine with a service manager that dies at its n-th effect.
type plant struct {
	fake
	root    string
	units   map[string]*unit
	behind  time.Duration
	effects int
	dieAt   int
}

type unit struct {
	up, enabled bool
	read        string // chrony.conf as it was when the unit started
}

const conf = "/etc/chrony.conf"

func newPlant(t *testing.T) *plant {
	t.Helper()
	w := world{files: debHost(rpmHost(map[string]string{"/run/systemd/system/x": ""}))}
	root, _, _ := w.build(t)
	p := &plant{root: root, behind: 26 * time.Hour, units: map[string]*unit{
		"chronyd.service":           {up: true, enabled: true, read: chronyConf35},
		"systemd-timesyncd.service": {up: true, enabled: true},
	}}
	p.Machine = machine.Root(root, machine.WithEffects(func(string, string) error { return p.effect() }))
	return p
}

func (p *plant) effect() error {
	p.effects++
	if p.dieAt > 0 && p.effects >= p.dieAt {
		return errDead
	}
	return nil
}

func (p *plant) Now() time.Time { return noon.Add(-p.behind) }

func (p *plant) Run(ctx context.Context, c machine.Command, out func(string)) error {
	line := strings.Join(c.Argv, " ")
	u := p.units[c.Argv[len(c.Argv)-1]]
	switch {
	case line == tracking && p.units["chronyd.service"].up:
		out("Leap status     : Normal")
		return nil
	case strings.HasPrefix(line, "systemctl show") && u != nil:
		state := map[bool][2]string{true: {"enabled", "active"}, false: {"disabled", "inactive"}}
		for _, l := range []string{"LoadState=loaded", "UnitFileState=" + state[u.enabled][0], "ActiveState=" + state[u.up][1]} {
			out(l)
		}
		return nil
	case line == "true":
		return nil
	}
	if err := p.effect(); err != nil {
		return err
	}
	switch {
	case c.Argv[0] == "date":
		var s, ms int64
		if _, err := fmt.Sscanf(c.Argv[3], "@%d.%d", &s, &ms); err != nil {
			return err
		}
		p.behind = noon.Sub(time.UnixMilli(s*1000 + ms))
		return nil
	case c.Argv[0] == "systemctl" && u != nil:
		now, err := os.ReadFile(filepath.Join(p.root, conf))
		if err != nil {
			return err
		}
		switch verb := c.Argv[1]; {
		case verb == "start" && !u.up, verb == "restart", verb == "try-restart" && u.up:
			u.up, u.read = true, string(now)
		case verb == "stop":
			u.up = false
		case verb == "enable", verb == "disable":
			u.enabled = verb == "enable"
		}
		return nil
	}
	return p.fake.Run(ctx, c, out)
}

func (p *plant) engine() *engine.Engine {
	p.hosts = map[string]time.Duration{"repo.example.com": 0, "mirrors.aliyun.com": 0}
	return engine.New(engine.Config{
		Machines: []machine.Machine{p}, Steps: []engine.Step{Step{}}, Kinds: op.Kinds(), Owner: "test",
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return newFacts(), nil },
	})
}

var plantAnswers = engine.Values{keyServers: []string{"10.0.0.1"}, keyService: chrony}

func (p *plant) apply() error {
	run, err := p.engine().Start(context.Background(), engine.RunOptions{Answers: engine.Answers{"time": plantAnswers}})
	if err != nil {
		return err
	}
	_, err = run.Step(context.Background(), Step{}, plantAnswers, nil)
	if errors.Is(err, errDead) {
		return errors.Join(err, run.Leave())
	}
	_, end := run.End(context.Background())
	return errors.Join(err, end)
}

// sum is what there is, the journal and the clock aside: nobody wants a wrong
// time back. A unit that runs with another file than is there shows.
func (p *plant) sum() string {
	var b strings.Builder
	err := filepath.WalkDir(filepath.Join(p.root, "etc"), func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var data []byte
			data, err = os.ReadFile(name)
			fmt.Fprintf(&b, "%s %x\n", strings.TrimPrefix(name, p.root), sha256.Sum256(data))
		}
		return err
	})
	now, _ := os.ReadFile(filepath.Join(p.root, conf))
	for _, name := range []string{"chronyd.service", "systemd-timesyncd.service"} {
		u := p.units[name]
		stale := name == "chronyd.service" && u.up && u.read != string(now)
		fmt.Fprintln(&b, name, u.up, u.enabled, stale, err)
	}
	return b.String()
}

// TestDyingAtEveryEffectLeavesNoServiceWithOldServers lets a run die at each of
// its effects and takes it up again: resumed, chronyd has read the new servers;
// undone, the old ones, and both services are as they were.
func TestDyingAtEveryEffectLeavesNoServiceWithOldServers(t *testing.T) {
	p := newPlant(t)
	before := p.sum()
	if err := p.apply(); err != nil {
		t.Fatal(err)
	}
	after, total := p.sum(), p.effects
	chronyd := p.units["chronyd.service"]
	if !strings.Contains(chronyd.read, "\nserver 10.0.0.1 iburst\n") || p.units["systemd-timesyncd.service"].up || p.behind.Abs() > time.Second || after == before {
		t.Fatalf("applied: %+v, clock %v behind\n%s", chronyd, p.behind, after)
	}
	if drift, err := p.engine().Check(context.Background()); err != nil || len(drift) > 0 {
		t.Fatalf("right after: %+v, %v", drift, err)
	}
	for n := 1; n <= total; n++ {
		for _, undo := range []bool{false, true} {
			p := newPlant(t)
			p.dieAt = n
			err := p.apply()
			if p.effects < n {
				t.Fatalf("effect %d was not reached: %v", n, err)
			}
			p.dieAt = 0
			want := after
			if undo {
				want = before
				_, err = p.engine().Undo(context.Background(), 0, "")
			} else if run, _, resumeErr := p.engine().Resume(context.Background()); run != nil {
				_, end := run.End(context.Background())
				err = errors.Join(resumeErr, end)
			} else if err = resumeErr; err == nil && p.sum() != after {
				err = p.apply() // it died before its header was durable
			}
			if err != nil || p.sum() != want {
				t.Fatalf("died at effect %d of %d, undone %v: %v\n%s\nwant\n%s", n, total, undo, err, p.sum(), want)
			}
		}
	}
	t.Logf("%d effects", total)
}
