package peer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
)

// The whole chain: an engine that leads a run over two trees, the second behind an agent
// and a line that is cut. What an operation here does is real, as is the protocol; the
// trees stand in for two hosts, since nothing has to run there.

// chainStep is a step of given ops; a paired one is done over there first.
type chainStep struct {
	id   string
	pair bool
	ops  func(sum string) []engine.Op
	sum  string
	join func() (machine.Machine, error)
}

func (s chainStep) ID() string             { return s.id }
func (s chainStep) Title() lang.Text       { return lang.Same(s.id) }
func (s chainStep) Fields() []engine.Field { return nil }
func (s chainStep) Paired() bool           { return s.pair }
func (s chainStep) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	return nil
}

func (s chainStep) Join(context.Context, machine.Machine, engine.Values, func(engine.Progress)) (machine.Machine, error) {
	if s.join == nil {
		return nil, nil
	}
	return s.join()
}

func (s chainStep) Ops(h engine.Hosts, _ engine.Survey, _ engine.Values) ([]engine.Item, error) {
	var items []engine.Item
	if s.ops == nil {
		return nil, nil
	}
	for i := len(h.Order) - 1; i >= 0; i-- {
		for _, o := range s.ops(s.sum) {
			items = append(items, engine.Item{On: h.Order[i], Op: o})
		}
	}
	return items, nil
}

func pairOps(sum string) []engine.Op {
	return []engine.Op{
		&op.Dir{Path: "/etc/app.d", Mode: 0o750, Owner: machine.Keep},
		&op.File{Path: "/etc/hosts", Content: "127.0.0.1 localhost\n10.0.0.9 vip\n", Mode: 0o644, Owner: machine.Keep},
		&op.Copy{From: machine.LocalID, Source: "/srv/build/app", SHA256: sum, Path: "/usr/bin/app", Mode: 0o755, Owner: machine.Keep},
	}
}

func hereOps(string) []engine.Op {
	return []engine.Op{&op.File{Path: "/etc/motd", Content: "half of a pair\n", Mode: 0o644, Owner: machine.Keep}}
}

var chainAnswers = engine.Answers{"peer": {}, "pair": {}, "here": {}}

var errDied = lang.Quote("the leading process is dead")

// chain is two trees, and the agent of the second.
type chain struct {
	t          *testing.T
	home, away string
	a          *agent
	pids       int
	sum        string
}

// local is a tree that passes for the machine goxin runs on.
type local struct{ machine.Machine }

func (local) ID() machine.ID { return machine.LocalID }

func newChain(t *testing.T) *chain {
	t.Helper()
	c := &chain{t: t, home: room(t), away: room(t)}
	program := strings.Repeat("program ", 9000)
	for _, dir := range []string{c.home, c.away} {
		for name, text := range map[string]string{
			"etc/hosts": "127.0.0.1 localhost\n", "usr/bin/app": "the old one\n", "srv/build/app": program,
			// What tells which boot it is, for the guard of the other machine.
			"proc/sys/kernel/random/boot_id": "b\n", "proc/1/stat": "1 (systemd) S " + strings.Repeat("0 ", 20), "proc/uptime": "100.0 1.0\n",
		} {
			p := filepath.Join(dir, name)
			c.ok(os.MkdirAll(filepath.Dir(p), 0o755))
			c.ok(os.WriteFile(p, []byte(text), 0o644))
		}
		c.ok(os.MkdirAll(filepath.Join(dir, "var/lib/goxin/guard/1"), 0o700))
	}
	sum := sha256.Sum256([]byte(program))
	c.sum = hex.EncodeToString(sum[:])
	c.a = newAgent(local{machine.Root(c.away, machine.Fleeting())}, ServeOptions{})
	t.Cleanup(c.a.end)
	return c
}

func (c *chain) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// process is one process of goxin at home, with its line to the other machine.
type process struct {
	c    *chain
	w    *wire
	e    *engine.Engine
	m    *Machine
	dead atomic.Bool
}

// process starts one; w is nil where the line is never cut, patient says whether a line
// that is cut is tried to have back.
func (c *chain) process(w *wire, patient bool) *process {
	c.t.Helper()
	if w == nil {
		w = &wire{}
	}
	w.a = c.a
	c.pids++
	p := &process{c: c, w: w}
	pid := c.pids
	wait := impatient
	if !patient {
		wait = func(context.Context, int) bool { return false }
	}
	home := local{machine.Root(c.home, machine.Fleeting(), machine.WithEffects(func(string, string) error {
		if p.dead.Load() {
			return errDied
		}
		return nil
	}))}
	join := func() (machine.Machine, error) {
		p.m = newMachine("b", owner{Home: "h", Boot: "b", PID: pid}, w.connect, func(o owner) bool { return o.PID == pid }, options{wait: wait})
		_, err := p.m.session(context.Background())
		if err != nil && patient { // a person tries once more
			_, err = p.m.session(context.Background())
		}
		if err != nil {
			_ = p.m.Close()
			return nil, err
		}
		return p.m, nil
	}
	p.e = engine.New(engine.Config{
		Machines: []machine.Machine{home},
		Steps: []engine.Step{
			chainStep{id: "peer", join: join},
			chainStep{id: "pair", pair: true, ops: pairOps, sum: c.sum},
			chainStep{id: "here", ops: hereOps},
		},
		Kinds:  op.Kinds(),
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
		Owner:  "test", Version: "test",
	})
	return p
}

// close has the process end: what it left on the other machine is left as a cut leaves it.
func (p *process) close() {
	if p.m != nil {
		_ = p.m.Close() // after a cut there is nobody to take leave of
	}
}

// alone is goxin on the other machine itself.
func (c *chain) alone() *engine.Engine {
	return engine.New(engine.Config{
		Machines: []machine.Machine{local{machine.Root(c.away, machine.Fleeting())}}, Kinds: op.Kinds(),
		Detect: func(context.Context, machine.Machine) (*detect.Facts, error) { return &detect.Facts{}, nil },
		Owner:  "test", Version: "test",
	})
}

// apply is `goxin apply --on-error undo`, or, without, one that leaves it as it stands.
func (p *process) apply(undo bool) error {
	ctx := context.Background()
	run, err := p.e.Start(ctx, engine.RunOptions{Answers: chainAnswers})
	if err != nil {
		return err
	}
	for _, s := range p.e.Steps() {
		if err == nil {
			_, err = run.Step(ctx, s, nil, nil)
		}
	}
	if err != nil && undo {
		_, no := run.Undo(ctx)
		err = errors.Join(err, no)
	}
	_, no := run.End(ctx)
	return errors.Join(err, no)
}

// hashes are everything about both trees but goxin's own state.
func (c *chain) hashes() [2]string {
	c.t.Helper()
	var out [2]string
	for i, dir := range []string{c.home, c.away} {
		var b strings.Builder
		c.ok(filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
			rel := strings.TrimPrefix(p, dir)
			if err != nil {
				return err
			}
			if rel == "/var" {
				return filepath.SkipDir
			}
			i, err := d.Info()
			if err != nil {
				return err
			}
			st := i.Sys().(*syscall.Stat_t)
			fmt.Fprintf(&b, "%s %s %d:%d", rel, i.Mode(), st.Uid, st.Gid)
			switch {
			case i.Mode().IsRegular():
				data, err := os.ReadFile(p)
				if err != nil {
					return err
				}
				fmt.Fprintf(&b, " %d %x", len(data), sha256.Sum256(data))
			case i.Mode()&fs.ModeSymlink != 0:
				to, err := os.Readlink(p)
				if err != nil {
					return err
				}
				fmt.Fprintf(&b, " -> %s", to)
			}
			b.WriteByte('\n')
			return nil
		}))
		out[i] = b.String()
	}
	return out
}

// same says where trees are not as they should be.
func (c *chain) same(when string, got, want [2]string) {
	c.t.Helper()
	for i, where := range []string{"here", "there"} {
		if got[i] != want[i] {
			c.t.Fatalf("%s, %s:\n%s\nwant:\n%s", when, where, got[i], want[i])
		}
	}
}

// settled waits until the agent has seen the end of every line.
func (c *chain) settled() {
	for {
		c.a.mu.Lock()
		quiet := true
		for _, s := range c.a.seats {
			quiet = quiet && s.alone()
		}
		c.a.mu.Unlock()
		if quiet {
			return
		}
		runtime.Gosched()
	}
}

// fewest is how many messages a run has at least; with fewer, little is proved.
const fewest = 100

// reference is an uncut run: the trees before and after it, and how many messages it has.
func reference(t *testing.T) (before, after [2]string, messages int) {
	t.Helper()
	c := newChain(t)
	before = c.hashes()
	p := c.process(nil, true)
	c.ok(p.apply(false))
	p.close()
	after = c.hashes()
	messages, _ = p.w.seen()
	if !strings.Contains(after[1], "/etc/app.d") || before[1] == after[1] || before[0] == after[0] {
		t.Fatalf("an uncut run does not do what it should:\n%s\n%s", after[0], after[1])
	}
	if messages < fewest {
		t.Fatalf("a run of only %d messages proves little", messages)
	}
	return before, after, messages
}

// atEveryMessage has f tell what becomes of a run whose line is cut at each message, on
// all processors.
func atEveryMessage(t *testing.T, messages int, f func(t *testing.T, at int)) {
	t.Helper()
	step := 1
	if testing.Short() {
		step = 5
	}
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for at := range next {
				if !t.Failed() {
					t.Run(fmt.Sprintf("message %d of %d", at, messages), func(t *testing.T) { f(t, at) })
				}
			}
		})
	}
	for at := 1; at <= messages; at += step {
		next <- at
	}
	close(next)
	all.Wait()
}

// toll counts runs whose line was to be cut at a message, those that came so far, and
// those that felt it.
type toll struct{ of, reached, felt atomic.Int32 }

func (c *toll) count(w *wire, at int, felt bool) {
	c.of.Add(1)
	if sent, _ := w.seen(); sent >= at {
		c.reached.Add(1)
	}
	if felt {
		c.felt.Add(1)
	}
}

// enough says so where too few runs were cut, or too many did not feel it: in taking leave
// nobody does. How many messages a run has is a matter of chance, since on a busy machine
// more is asked whether the other one is ready; so the reference may have more than the
// runs that are cut, but no fewer than there have to be.
func (c *toll) enough(t *testing.T) {
	t.Helper()
	of, reached, felt := c.of.Load(), c.reached.Load(), c.felt.Load()
	t.Logf("%d of %d runs came to their message, %d felt the cut", reached, of, felt)
	least := int32(fewest)
	if testing.Short() {
		least /= 5
	}
	if reached < least || felt < reached*8/10 {
		t.Errorf("of %d runs only %d came to their message and %d felt the cut", of, reached, felt)
	}
}

func TestAnApplyWhoseLineIsCutAndHadBackAtEveryMessageEndsAsAnUncutOne(t *testing.T) {
	_, after, messages := reference(t)
	var cut toll
	atEveryMessage(t, messages, func(t *testing.T, at int) {
		c := newChain(t)
		p := c.process(&wire{at: at, where: cutting(at % 2)}, true)
		defer p.close()
		c.ok(p.apply(false))
		c.same("applied", c.hashes(), after)
		_, lines := p.w.seen()
		cut.count(p.w, at, lines > 1)
	})
	cut.enough(t)
}

func TestAnApplyWhoseLineIsCutForGoodAtEveryMessageIsTakenBackOnBoth(t *testing.T) {
	before, after, messages := reference(t)
	var cut toll
	atEveryMessage(t, messages, func(t *testing.T, at int) {
		c := newChain(t)
		w := &wire{at: at, where: cutting(at % 2), last: true}
		p := c.process(w, false)
		err := p.apply(true)
		p.close()
		c.a.end()       // its lease is over
		if err == nil { // cut in taking leave, or not at all
			c.same("nobody noticed", c.hashes(), after)
		}
		cut.count(w, at, err != nil)
		here := c.hashes()[0]
		mine, err := p.e.Runs()
		c.ok(err)
		if here != before[0] {
			// Only its end could not be told: then this half stands, and the run has failed.
			if c.same("neither done nor taken back here", [2]string{here}, [2]string{after[0]}); mine[0].Status != engine.StatusApplied && mine[0].Status != engine.StatusFailed {
				t.Fatalf("done here, but it is %s", mine[0].Status)
			}
		}
		rs, err := c.alone().Runs()
		c.ok(err)
		if len(rs) > 1 {
			t.Fatalf("%d runs there", len(rs))
		}
		// Its guard's unit cannot run in a tree: this is what it does, but for that.
		if len(rs) == 1 && rs[0].Status == engine.StatusInterrupted {
			_ = c.alone().Guard(context.Background(), rs[0].ID)
			if rs, err = c.alone().Runs(); err != nil || rs[0].Status != engine.StatusUndone {
				t.Fatalf("the guard there: %v, %v", rs, err)
			}
		}
		if there := c.hashes()[1]; there != before[1] && there != after[1] {
			c.same("taken back there", [2]string{1: there}, [2]string{1: before[1]})
		} else if there == after[1] && rs[0].Status != engine.StatusApplied {
			t.Fatalf("done there, but it is %s", rs[0].Status)
		}
		next := c.process(nil, true)
		defer next.close()
		_, err = next.e.Undo(context.Background(), 0, "")
		c.ok(err)
		c.same("undone", c.hashes(), before)
		if p, err := next.e.Pending(); p != nil || err != nil {
			t.Fatalf("still pending: %+v, %v", p, err)
		}
	})
	cut.enough(t)
}

func TestARunWhoseLeadingProcessDiesAtEveryMessageIsResumedOrUndoneByTheNext(t *testing.T) {
	before, after, messages := reference(t)
	var cut toll
	atEveryMessage(t, messages, func(t *testing.T, at int) {
		// Every other message is of the same kind: one is resumed, the next undone.
		undo, where := at%2 == 0, cutting(at/2%2)
		c := newChain(t)
		w := &wire{at: at, where: where, last: true}
		p := c.process(w, false)
		w.died = func() { p.dead.Store(true) }
		err := p.apply(false)
		p.close()
		if err == nil { // it died in taking leave, or not at all
			c.same("it did not die", c.hashes(), after)
		}
		cut.count(w, at, err != nil)
		c.settled()
		next := c.process(nil, true)
		defer next.close()
		if undo {
			_, err = next.e.Undo(context.Background(), 0, "")
			c.ok(err)
			c.same("undone", c.hashes(), before)
		} else {
			c.ok(next.resume())
			c.same("resumed", c.hashes(), after)
		}
		for _, e := range []*engine.Engine{next.e, c.alone()} {
			if p, err := e.Pending(); p != nil || err != nil {
				t.Fatalf("still pending: %+v, %v", p, err)
			}
		}
	})
	cut.enough(t)
}

// resume goes on with the run that there is, or, where it had not begun, begins it.
func (p *process) resume() error {
	run, _, err := p.e.Resume(context.Background())
	if run == nil && err == nil {
		rs, err := p.e.Runs()
		if err == nil && len(rs) == 0 {
			err = p.apply(false)
		}
		return err
	}
	if run != nil {
		_, no := run.End(context.Background())
		err = errors.Join(err, no)
	}
	return err
}
