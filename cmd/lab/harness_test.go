//go:build e2e

package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"goxin/cmd/lab/agent"
	"goxin/cmd/lab/screen"
)

// run is what all tests of one process share.
var run struct {
	lab     *Lab
	shared  map[Kind]*sharedMachine
	seats   *semaphore.Weighted
	sitting sync.Map // names of the tests that have some
	serial  atomic.Int64
}

// seats are for tests of containers: as many go on at a time, beside one that emulates.
const seats = 3

type sharedMachine struct {
	turn    sync.Mutex
	machine Machine
}

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	ctx := context.Background()
	lab, err := Open(true, say)
	if err == nil {
		err = lab.Clean(ctx, false) // what an earlier run left
	}
	start := time.Now()
	if err == nil {
		err = lab.Prepare(ctx, "bookworm")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	say("prepared in %v", time.Since(start).Round(time.Millisecond))
	run.lab = lab
	run.seats = semaphore.NewWeighted(seats)
	run.shared = map[Kind]*sharedMachine{SystemContainer: {}, VirtualMachine: {}}
	clean := func() {
		if err := lab.Clean(ctx, false); err != nil {
			fmt.Fprintln(os.Stderr, "lab:", err)
		}
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		clean()
		os.Exit(130)
	}()
	defer clean()
	return m.Run()
}

// TestLab makes machines for one test and removes them at its end. Its
// containers see each other and nobody else's.
type TestLab struct {
	group    string
	emulates bool // it has the turn to emulate
	seated   bool // it has a seat, or all of them
}

// NewLab opens the lab for a test.
func NewLab(t *testing.T) *TestLab {
	t.Helper()
	return &TestLab{group: fmt.Sprintf("e2e-%d-%d", os.Getpid(), run.serial.Add(1))}
}

// NewQuietLab opens the lab for a test that measures milliseconds: no other container is
// there until it ends, and what is emulated yields.
func NewQuietLab(t *testing.T) *TestLab {
	t.Helper()
	l := NewLab(t)
	l.sit(t, seats)
	return l
}

// sit takes seats until the test ends. Who waits longest is next, so that one who needs
// them all gets them. A test sits once, however many labs it opens: were it to wait for a
// second seat behind one who waits for all of them, neither would ever get up.
func (l *TestLab) sit(t *testing.T, n int64) {
	t.Helper()
	for name := t.Name(); name != "."; name = path.Dir(name) {
		if _, sits := run.sitting.Load(name); sits && n == 1 {
			l.seated = true
			return
		} else if sits {
			t.Fatal("it has a seat already, and would wait for ever for all of them")
		}
	}
	ok(t, run.seats.Acquire(context.Background(), n))
	l.seated = true
	run.sitting.Store(t.Name(), true)
	t.Cleanup(func() {
		l.seated = false
		run.sitting.Delete(t.Name())
		run.seats.Release(n)
	})
}

// VM makes a virtual machine that has just booted.
func (l *TestLab) VM(t *testing.T, name string) *Box { return l.start(t, VirtualMachine, name) }

// Container makes a container that has just booted.
func (l *TestLab) Container(t *testing.T, name string) *Box {
	return l.start(t, SystemContainer, name)
}

func (l *TestLab) start(t *testing.T, kind Kind, name string) *Box {
	t.Helper()
	return l.startSpec(t, Spec{Name: name, Kind: kind})
}

func (l *TestLab) startSpec(t *testing.T, spec Spec) *Box {
	t.Helper()
	switch {
	case spec.emulated() && !l.emulates:
		l.emulate(t)
	case !l.emulates && !l.seated:
		l.sit(t, 1)
	}
	spec.Idle = l.emulates // its containers too: they hold no seat
	begin := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 2*limit)
	defer cancel()
	name := spec.Name
	spec.Name, spec.Group = l.group+"-"+name, l.group
	m, err := run.lab.Start(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %s up in %v", m.Kind(), name, time.Since(begin).Round(time.Millisecond))
	t.Cleanup(func() {
		if err := m.Down(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return &Box{t, m}
}

// emulate gives a test the turn to emulate a processor, until it ends: two at a time
// would both be late on two processors, of which they have what the containers leave. The
// shared virtual machine goes meanwhile; making it again takes two seconds.
func (l *TestLab) emulate(t *testing.T) {
	t.Helper()
	s := run.shared[VirtualMachine]
	s.turn.Lock()
	l.emulates = true
	t.Cleanup(func() {
		l.emulates = false
		s.turn.Unlock()
	})
	if s.machine != nil {
		_ = s.machine.Down(context.Background())
		s.machine = nil
	}
}

// Shared gives the one machine of a kind that all tests of this process take
// turns with, as if it had just booted. It is the fast way to a fresh machine.
func (l *TestLab) Shared(t *testing.T, kind Kind) *Box {
	t.Helper()
	s := run.shared[kind]
	if kind == SystemContainer && !l.emulates && !l.seated {
		l.sit(t, 1)
	}
	s.turn.Lock()
	t.Cleanup(s.turn.Unlock)
	begin := time.Now()
	var err error
	if s.machine == nil {
		s.machine, err = run.lab.Start(context.Background(), Spec{Name: fmt.Sprintf("e2e-%d-shared-%s", os.Getpid(), kind), Kind: kind, Group: l.group})
	} else {
		err = s.machine.Restore(context.Background(), Fresh)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("shared %s fresh in %v", kind, time.Since(begin).Round(time.Millisecond))
	return &Box{t, s.machine}
}

// Diff gives the lines only t has ("-") and those only other has ("+").
func (t Tree) Diff(other Tree) []string {
	was, is := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(string(t)) {
		was[line] = true
	}
	var diff []string
	for line := range strings.Lines(string(other)) {
		is[line] = true
		if !was[line] {
			diff = append(diff, "+ "+strings.TrimSuffix(line, "\n"))
		}
	}
	for line := range strings.Lines(string(t)) {
		if !is[line] {
			diff = append(diff, "- "+strings.TrimSuffix(line, "\n"))
		}
	}
	return diff
}

// Box is a machine whose failures end the test. What it embeds is there for
// whatever needs the error.
type Box struct {
	t *testing.T
	Machine
}

// limit is how long one thing done to a machine may take before it is taken to hang.
// Compiling Go's library takes an emulated machine three minutes with the host to itself.
const limit = 15 * time.Minute

func (b *Box) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatalf("%s: %v", b.Name(), err)
	}
}

// Try runs a program and gives what it left, whatever its exit code.
func (b *Box) Try(argv ...string) Result {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	r, err := b.Exec(ctx, argv...)
	b.check(err)
	return r
}

// Do runs a program that must succeed and gives its output without the spaces
// around it.
func (b *Box) Do(argv ...string) string {
	b.t.Helper()
	r := b.Try(argv...)
	if r.Code != 0 {
		b.t.Fatalf("%s: %s: exit code %d\n%s%s", b.Name(), strings.Join(argv, " "), r.Code, r.Out, r.Err)
	}
	return strings.TrimSpace(r.Out)
}

// Sh is Do for a shell script.
func (b *Box) Sh(script string) string {
	b.t.Helper()
	return b.Do("sh", "-ec", script)
}

// Install copies a program of the host's to a path in the machine.
func (b *Box) Install(local, remote string) {
	b.t.Helper()
	b.check(b.Put(context.Background(), local, remote, 0o755))
}

// Write makes a file, durably.
func (b *Box) Write(name, content string, mode fs.FileMode) {
	b.t.Helper()
	b.check(b.WriteFile(context.Background(), name, []byte(content), mode))
}

// Read gives a file.
func (b *Box) Read(name string) string {
	b.t.Helper()
	content, err := b.ReadFile(context.Background(), name)
	b.check(err)
	return string(content)
}

// Files lists files, to be compared later: see agent.WriteTree.
func (b *Box) Files(paths []string, excludes ...string) Tree {
	b.t.Helper()
	t, err := b.Tree(context.Background(), paths, excludes)
	b.check(err)
	return t
}

// MustReboot, MustCut, MustSnapshot and MustRestore are Reboot, Cut, Snapshot
// and Restore that end the test when they fail.
func (b *Box) MustReboot() { b.t.Helper(); b.check(b.Reboot(context.Background())) }

func (b *Box) MustCut() { b.t.Helper(); b.check(b.Cut(context.Background())) }

func (b *Box) MustSnapshot(name string) {
	b.t.Helper()
	b.check(b.Snapshot(context.Background(), name))
}

func (b *Box) MustRestore(name string) {
	b.t.Helper()
	b.check(b.Restore(context.Background(), name))
}

// Screen runs a program on a terminal of 80x24 (resize it as you like) and
// hangs up at the end of the test. env must hold TERM.
func (b *Box) Screen(replies screen.Replies, env []string, argv ...string) (*screen.Terminal, *agent.Pty) {
	b.t.Helper()
	p, err := b.Pty(context.Background(), agent.Size{Cols: 80, Rows: 24}, env, argv...)
	b.check(err)
	t := screen.New(p, 80, 24, replies)
	b.t.Cleanup(func() { _ = t.Close() })
	return t, p
}
