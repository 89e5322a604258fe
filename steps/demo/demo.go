// Package demo is a captured machine that seems to run: the wizard, its steps, the
// engine and the operations on it are the real ones, and so are the files, which are
// written to a tree in a directory that goes away again. Package managers, units, kernel
// parameters, compilers, the clock and the network are simulated, each in a file of its
// own and only as far as steps and operations ask for them. What is signed is signed by
// keys that are made for the occasion, and what verifies it is the code that always does.
//
// It refuses to touch anything outside its directory, to open a connection, to start a
// program, and to say anything about real mirrors: those of the simulated network are
// invented, but for the vendors' own sites, which all do well.
//
// A second machine of the same kind is on the same network (Address), and is made when
// somebody goes there. The way to it is the real one, SSH and goxin's agent, over a
// connection in memory; so are the pair's proofs and its drill, but that the election
// between the two, and the answers that clients get, follow from RFC 5798 and a list of
// events instead of from packets.
package demo

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/engine"
	"goxin/steps/mirror"
	"goxin/steps/race"
	"goxin/steps/toolchain"
)

// Options are how a demo goes.
type Options struct {
	// Pace is how long things take, as a multiple of what is believable: 1 is for
	// people, 0 never waits. At 0 the machine's clock stands but for what its programs
	// and downloads would have taken, so that the same calls tell the same times.
	Pace float64
	Now  func() time.Time // the right time; nil: this host's clock
	// HostSeed is what the second machine's host key is made of, 32 bytes, for who has to
	// know it beforehand; nil: chance.
	HostSeed []byte
}

// Demo is a machine and the steps that know its network. A second machine of the same
// kind is on that network; it is made when somebody goes there.
type Demo struct {
	Machine machine.Machine
	Steps   []engine.Step

	sim    *sim
	pair   *pair
	dir    string
	guards *crew
}

// Open makes the machine of that name (Machines) in dir, which must be empty or not
// there and belongs to the demo from now on.
func Open(name, dir string, o Options) (*Demo, error) {
	if !slices.Contains(assets.Machines(), name) {
		return nil, lang.Errorf(nil, "cannot open the demo: there is no captured machine %q", "无法打开演示：没有名为 %q 的采集机器", name).
			WithHint("`goxin demo` lists those there are", "`goxin demo` 列出可用的机器")
	}
	return begun(name, dir, o, func() (io.Reader, error) { return assets.OpenMachine(name) })
}

// OpenArchive is Open for what `goxin capture` wrote, which may be hostile. It is read
// again when the second machine is made.
func OpenArchive(name string, archive io.ReadSeeker, dir string, o Options) (*Demo, error) {
	return begun(name, dir, o, func() (io.Reader, error) {
		_, err := archive.Seek(0, io.SeekStart)
		return archive, err
	})
}

func begun(name, dir string, o Options, archive func() (io.Reader, error)) (*Demo, error) {
	d, err := open(name, dir, o, archive)
	if err != nil {
		return nil, errors.Join(lang.Errorf(err, "cannot open the demo", "无法打开演示").
			WithHint("it needs a machine that goxin captured, and some 50 MB in the directory for temporary files (TMPDIR)", "需要由 goxin 采集的机器，以及临时目录（TMPDIR）中约 50 MB 的空间"), os.RemoveAll(dir))
	}
	return d, nil
}

func open(name, dir string, o Options, archive func() (io.Reader, error)) (*Demo, error) {
	r, err := archive()
	if err != nil {
		return nil, err
	}
	s, err := unpacked(name, r, filepath.Join(dir, "first"), newFlow(o))
	if err != nil {
		return nil, err
	}
	p := newPair(dir, archive)
	p.seed = o.HostSeed
	p.first, p.lan = s, newSegment(s.clock.flow)
	s.place, s.pair = firstAddress, p
	if err := s.furnish(); err != nil {
		return nil, err
	}
	if err := s.identify(); err != nil {
		return nil, err
	}
	if err := s.sample(); err != nil {
		return nil, err
	}
	if s.net, err = newNetwork(s); err != nil {
		return nil, err
	}
	p.lan.join(s)
	return &Demo{Machine: s, Steps: s.steps(), sim: s, pair: p, dir: dir, guards: newCrew()}, nil
}

// unpacked is a captured machine as it was, and what is to be known of it.
func unpacked(name string, archive io.Reader, dir string, f *flow) (*sim, error) {
	if c, ok := archive.(io.Closer); ok {
		defer c.Close()
	}
	inner, err := machine.OpenRecorded(name, archive, dir, machine.Fleeting())
	if err != nil {
		return nil, err
	}
	tree, ok := inner.(machine.Rooted)
	if !ok {
		return nil, lang.Because(nil, "the machine has no tree", "该机器没有目录树")
	}
	kernel, err := inner.Kernel()
	if err != nil {
		return nil, err
	}
	s := &sim{Machine: inner, tree: tree, kernel: kernel, clock: &clock{flow: f}, owners: map[string]machine.Owner{}, attrs: map[string]map[string][]byte{}}
	if !kernel.ClockSynced {
		s.clock.behind = wrong
	}
	facts, err := detect.Detect(context.Background(), s)
	if err != nil {
		return nil, err
	}
	s.facts = facts
	return s, nil
}

// GuardWith has the service manager of either machine run guard where it is told to start
// the service that takes a run back unless it is confirmed. It ends with ctx, or once what
// it has begun to take back is; Close waits for it.
func (d *Demo) GuardWith(ctx context.Context, guard func(context.Context, machine.Machine, engine.RunID) error) {
	d.pair.guard = func(m machine.Machine, id engine.RunID) {
		d.guards.begin(func() { _ = guard(ctx, m, id) }) // what became of it stands in the run's journal
	}
}

// Close removes the directory, once nobody writes to it any more.
func (d *Demo) Close() error {
	d.guards.close()
	d.pair.close()
	return os.RemoveAll(d.dir)
}

// patience is how long comparing sites may take where no time is simulated.
const patience = 2 * time.Minute

// steps are all there are; those that ask by a catalogue or a key have the demo's.
func (s *sim) steps() []engine.Step {
	all := steps.All()
	for i, st := range all {
		switch st.(type) {
		case mirror.Step:
			all[i] = mirror.Step{Catalogue: s.net.mirrors}
		case toolchain.Step:
			ask := toolchain.Real()
			ask.Catalogue, ask.Key = s.net.releases.catalogue, s.net.releases.log.key
			if s.clock.pace <= 0 { // nothing takes its time but this machine, which may be busy
				run := ask.Race
				ask.Race = func(ctx context.Context, m machine.Machine, all []race.Object, l race.Limits, say func([]race.Result)) (race.Report, error) {
					l.Time = patience
					return run(ctx, m, all, l, say)
				}
			}
			all[i] = toolchain.With(ask)
		}
	}
	return all
}

// write and remove are the simulation's own changes to the tree.

func (s *sim) write(name string, data []byte, mode os.FileMode) error {
	if err := s.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	return s.Machine.WriteFile(name, data, mode, machine.Keep)
}

func (s *sim) mkdirs(dir string) error {
	if _, err := s.Machine.Stat(dir); err == nil {
		return nil
	}
	if err := s.mkdirs(path.Dir(dir)); err != nil {
		return err
	}
	return s.Machine.Mkdir(dir, 0o755, machine.Keep)
}

func (s *sim) exists(name string) bool {
	_, err := s.Machine.Stat(name)
	return err == nil
}

func (s *sim) read(name string) string {
	b, err := s.Machine.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}
