package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"sort"
	"time"
)

// Lab makes, finds and removes machines.
type Lab struct {
	cache cache
	owner identity // of the machines it makes; none if they outlive the process
	say   func(format string, args ...any)
}

// Open opens the lab. say gets what a person who waits should know. The
// machines of an owned lab belong to this process: `lab clean` removes them
// once it is gone.
func Open(owned bool, say func(format string, args ...any)) (*Lab, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("cannot make machines: lab needs root")
	}
	if runtime.GOARCH != "amd64" {
		return nil, errors.New("cannot make machines: lab runs on amd64 hosts")
	}
	c, err := openCache()
	if err != nil {
		return nil, err
	}
	l := &Lab{cache: c, say: say}
	if owned {
		l.owner = identify(os.Getpid())
	}
	return l, nil
}

// Prepare installs what lab needs and builds what machines start from.
func (l *Lab) Prepare(ctx context.Context, release string) error {
	if err := l.installTools(); err != nil {
		return err
	}
	if err := checkRelease(release); err != nil {
		return err
	}
	if _, err := l.tree(ctx, base{kind: SystemContainer, release: release}); err != nil {
		return err
	}
	if _, _, _, err := l.bootedImage(ctx, release); err != nil {
		return err
	}
	if _, err := l.Repository(ctx); err != nil {
		return err
	}
	if _, err := l.Releases(ctx); err != nil {
		return err
	}
	return l.Prune(14 * 24 * time.Hour)
}

// Spec says which machine is wanted.
type Spec struct {
	Name    string
	Kind    Kind   // SystemContainer if empty
	Release string // "bookworm" if empty
	Arch    string // of a container's programs, as Debian calls it ("arm64"); the host's own if empty
	Group   string // containers of one group see each other; "lab" if empty

	Packages []string // installed beside the base tree's own
	Binds    []string // "HOST:GUEST": what a container sees of the host's files, read-only
	Uses     []string // things in the cache it needs as long as it is there

	// Idle has it run when no other machine wants the processors. What is emulated
	// always does: it is late already, and would make the others so.
	Idle bool
}

func (s Spec) emulated() bool { return s.Kind == VirtualMachine || s.Arch != "" }

// maxName leaves room for a prefix in the 64 characters of a host name.
const maxName = 50

// reserve writes a machine down. Its name is taken from here on.
func (l *Lab) reserve(spec Spec) (*host, error) {
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`).MatchString(spec.Name) || len(spec.Name) > maxName {
		return nil, fmt.Errorf("cannot name a machine %q: use up to %d small letters, digits and hyphens", spec.Name, maxName)
	}
	idle := spec.Idle || spec.emulated()
	groups, err := cgroups(spec.Name, idle)
	if err != nil {
		return nil, err
	}
	h := &host{lab: l, dir: filepath.Join(l.cache.dir, "run", spec.Name), state: state{
		Name: spec.Name, Kind: spec.Kind, Release: spec.Release, Arch: spec.Arch, Group: spec.Group, Packages: spec.Packages,
		Binds: spec.Binds, Uses: spec.Uses,
		Owner: l.owner, Idle: idle, Cgroups: groups, Started: time.Now(),
	}}
	// The longest socket name must fit into a sockaddr_un, unix(7).
	if len(h.dir)+len("/io/agent.sock") > 107 {
		return nil, fmt.Errorf("cannot make %s: %s is too long for sockets", spec.Name, h.dir)
	}
	if err := os.Mkdir(h.dir, 0o755); errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("cannot make %s: there is one (lab down %s removes it)", spec.Name, spec.Name)
	} else if err != nil {
		return nil, err
	}
	return h, h.state.save(h.dir)
}

// Start makes a machine and waits until it is up. What fails is removed.
func (l *Lab) Start(ctx context.Context, spec Spec) (Machine, error) {
	if spec.Kind == "" {
		spec.Kind = SystemContainer
	}
	if spec.Release == "" {
		spec.Release = "bookworm"
	}
	if spec.Group == "" {
		spec.Group = "lab"
	}
	if spec.Kind != SystemContainer && spec.Kind != VirtualMachine {
		return nil, fmt.Errorf("cannot make a machine of kind %q: it is container or vm", spec.Kind)
	}
	if spec.Kind == VirtualMachine && spec.Arch != "" {
		return nil, errors.New("cannot make a virtual machine of another processor")
	}
	if missing := missingPackages(); len(missing) > 0 {
		return nil, fmt.Errorf("cannot make machines without %v: run lab prepare", missing)
	}
	if err := checkRelease(spec.Release); err != nil {
		return nil, err
	}
	h, err := l.reserve(spec)
	if err != nil {
		return nil, err
	}
	m, err := l.bring(ctx, h)
	if err != nil {
		return nil, errors.Join(err, l.handle(h).Down(context.WithoutCancel(ctx)))
	}
	return m, nil
}

func (l *Lab) bring(ctx context.Context, h *host) (Machine, error) {
	if h.state.Kind == VirtualMachine {
		v := l.newVM(h)
		if err := v.create(ctx); err != nil {
			return nil, err
		}
		if err := v.boot(ctx, Fresh); err != nil {
			return nil, err
		}
		return v, v.rename(ctx)
	}
	c := l.newContainer(h)
	if err := c.create(ctx); err != nil {
		return nil, err
	}
	return c, c.boot(ctx)
}

func (l *Lab) handle(h *host) Machine {
	if h.state.Kind == VirtualMachine {
		return l.newVM(h)
	}
	return l.newContainer(h)
}

// Machine finds a machine by its name.
func (l *Lab) Machine(name string) (Machine, error) {
	dir := filepath.Join(l.cache.dir, "run", filepath.Base(name))
	s, err := loadState(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot find a machine %q (lab list shows them)", name)
	}
	return l.handle(&host{lab: l, dir: dir, state: s}), nil
}

// all gives the state of every machine written down, by name.
func (l *Lab) all() []state {
	dirs, _ := filepath.Glob(filepath.Join(l.cache.dir, "run", "*"))
	sort.Strings(dirs)
	var all []state
	for _, dir := range dirs {
		s, err := loadState(dir)
		if err != nil {
			// It was cut off while being written down; only the name is known.
			s = state{Name: filepath.Base(dir), Kind: SystemContainer}
			s.Cgroups, _ = cgroups(s.Name, true)
		}
		all = append(all, s)
	}
	return all
}

// groupMember is a process in the network of a group's machines, 0 if none runs.
func (l *Lab) groupMember(group string) int {
	for _, s := range l.all() {
		if s.Kind != SystemContainer || s.Group != group {
			continue
		}
		for _, top := range s.Cgroups {
			// nspawn's own process: it is in the group's network, while what
			// it runs is in the machine's.
			for _, pid := range (state{Cgroups: []string{filepath.Join(top, "supervisor")}}).processes() {
				return pid
			}
		}
	}
	return 0
}

// Clean removes machines, with all that crashes left of them, but spares those
// of test runs that are going on unless all is set. For a person that includes
// what was made by hand; a test run leaves that alone.
func (l *Lab) Clean(ctx context.Context, all bool) error {
	var failed error
	for _, s := range l.all() {
		if !all && l.spares(s) {
			continue
		}
		h := &host{lab: l, dir: filepath.Join(l.cache.dir, "run", s.Name), state: s}
		if err := l.handle(h).Down(ctx); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		l.say("%s removed", s.Name)
	}
	return failed
}

func (l *Lab) spares(s state) bool {
	if s.Owner.PID == 0 {
		return l.owner.PID != 0
	}
	return s.Owner != l.owner && s.Owner.alive()
}

// Prune removes trees and images that no machine stands on and that nothing
// has used for age.
func (l *Lab) Prune(age time.Duration) error {
	keep := map[string]bool{}
	for _, s := range l.all() {
		for _, name := range s.Uses {
			keep[name] = true
		}
	}
	return l.cache.prune(age, keep)
}

func fileSum(name string) ([sha256.Size]byte, error) {
	var sum [sha256.Size]byte
	f, err := os.Open(name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

func copyFile(from, to string, mode os.FileMode) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode)
}
