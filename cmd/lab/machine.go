package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"goxin/cmd/lab/agent"
)

// Kind is what a machine is made of.
type Kind string

// A container shares the host's kernel: vm.* and fs.* are read-only in it and
// LimitNOFILE is cut. A virtual machine has a kernel of its own.
const (
	SystemContainer Kind = "container"
	VirtualMachine  Kind = "vm"
)

// Fresh is the snapshot every machine has: just booted, nothing done to it.
const Fresh = "fresh"

// Result is what a program in a machine left.
type Result struct {
	Out, Err string
	Code     int // exit code; 128 plus the signal if one killed it
}

// Machine is one machine of the lab. Paths in it are absolute; everything is
// done as root. An error means that the lab failed, not the program.
type Machine interface {
	Name() string
	Kind() Kind

	Exec(ctx context.Context, argv ...string) (Result, error)
	Run(ctx context.Context, cmd agent.Command) (int, error)
	Start(ctx context.Context, cmd agent.Command) (*agent.Process, error)
	// Pty runs a program on a terminal. TERM and LANG come from env alone.
	Pty(ctx context.Context, size agent.Size, env []string, argv ...string) (*agent.Pty, error)

	// Put and Get copy one file; Put makes it durable.
	Put(ctx context.Context, local, remote string, mode fs.FileMode) error
	Get(ctx context.Context, remote, local string) error
	ReadFile(ctx context.Context, name string) ([]byte, error)
	WriteFile(ctx context.Context, name string, data []byte, mode fs.FileMode) error

	// Tree lists what is under paths as it is now, without the excludes; see
	// agent.WriteTree.
	Tree(ctx context.Context, paths, excludes []string) (Tree, error)
	TreeHash(ctx context.Context, paths, excludes []string) (string, error)

	// Reboot shuts the machine down properly and waits until it is up again.
	Reboot(ctx context.Context) error
	// Cut takes its power away and boots it again: what was not synced may be
	// gone in a virtual machine. (A container's files are the host's to sync.)
	Cut(ctx context.Context) error
	// Snapshot remembers the machine under a name and Restore brings it back.
	// A virtual machine runs on from there; a container is booted anew.
	Snapshot(ctx context.Context, name string) error
	Restore(ctx context.Context, name string) error
	// Down removes the machine and everything the lab made for it.
	Down(ctx context.Context) error
}

// Tree is the listing of a machine's files, one line each.
type Tree string

// Hash is equal for equal trees: names, kinds, modes, owners, contents.
func (t Tree) Hash() string {
	sum := sha256.Sum256([]byte(t))
	return hex.EncodeToString(sum[:])
}

// host is what both kinds have in common: a directory in the cache, a process
// on the host, an agent inside.
type host struct {
	lab   *Lab
	dir   string
	state state
	dial  func(ctx context.Context) (*agent.Client, error)

	mu     sync.Mutex
	client *agent.Client
}

func (h *host) Name() string { return h.state.Name }
func (h *host) Kind() Kind   { return h.state.Kind }

// agent gives the connection there is, or a new one.
func (h *host) agent(ctx context.Context) (*agent.Client, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.client != nil && !h.client.Lost() {
		return h.client, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	c, err := h.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the agent of %s: %w", h.state.Name, err)
	}
	h.client = c
	return c, nil
}

// answerTime is how long a machine that is up may take to answer, and
// bootTime how long one may take to come up; emulated ones are slow.
const (
	answerTime = 20 * time.Second
	bootTime   = 3 * time.Minute
)

func (h *host) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.client != nil {
		_ = h.client.Close()
		h.client = nil
	}
}

func (h *host) Exec(ctx context.Context, argv ...string) (Result, error) {
	var out, errOut bytes.Buffer
	code, err := h.Run(ctx, agent.Command{Argv: argv, Stdout: &out, Stderr: &errOut})
	if err != nil {
		return Result{}, fmt.Errorf("cannot run %s in %s: %w", strings.Join(argv, " "), h.state.Name, err)
	}
	return Result{out.String(), errOut.String(), code}, nil
}

func (h *host) Run(ctx context.Context, cmd agent.Command) (int, error) {
	c, err := h.agent(ctx)
	if err != nil {
		return -1, err
	}
	return c.Run(ctx, cmd)
}

func (h *host) Start(ctx context.Context, cmd agent.Command) (*agent.Process, error) {
	c, err := h.agent(ctx)
	if err != nil {
		return nil, err
	}
	return c.Start(cmd)
}

func (h *host) Pty(ctx context.Context, size agent.Size, env []string, argv ...string) (*agent.Pty, error) {
	c, err := h.agent(ctx)
	if err != nil {
		return nil, err
	}
	return c.Pty(size, env, argv...)
}

func (h *host) put(ctx context.Context, r io.Reader, remote string, mode fs.FileMode) error {
	c, err := h.agent(ctx)
	if err == nil {
		err = c.Put(ctx, r, remote, mode)
	}
	if err != nil {
		return fmt.Errorf("cannot copy to %s:%s: %w", h.state.Name, remote, err)
	}
	return nil
}

func (h *host) get(ctx context.Context, remote string, w io.Writer) error {
	c, err := h.agent(ctx)
	if err == nil {
		err = c.Get(ctx, remote, w)
	}
	if err != nil {
		return fmt.Errorf("cannot copy from %s:%s: %w", h.state.Name, remote, err)
	}
	return nil
}

func (h *host) Put(ctx context.Context, local, remote string, mode fs.FileMode) error {
	f, err := os.Open(local)
	if err != nil {
		return err
	}
	defer f.Close()
	return h.put(ctx, f, remote, mode)
}

func (h *host) Get(ctx context.Context, remote, local string) error {
	f, err := os.CreateTemp(filepath.Dir(local), ".lab-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if err := h.get(ctx, remote, f); err != nil {
		return err
	}
	return os.Rename(f.Name(), local)
}

func (h *host) ReadFile(ctx context.Context, name string) ([]byte, error) {
	var b bytes.Buffer
	err := h.get(ctx, name, &b)
	return b.Bytes(), err
}

func (h *host) WriteFile(ctx context.Context, name string, data []byte, mode fs.FileMode) error {
	return h.put(ctx, bytes.NewReader(data), name, mode)
}

func (h *host) Tree(ctx context.Context, paths, excludes []string) (Tree, error) {
	c, err := h.agent(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := c.Tree(ctx, paths, excludes, &b); err != nil {
		return "", fmt.Errorf("cannot list the files of %s: %w", h.state.Name, err)
	}
	return Tree(b.String()), nil
}

func (h *host) TreeHash(ctx context.Context, paths, excludes []string) (string, error) {
	t, err := h.Tree(ctx, paths, excludes)
	return t.Hash(), err
}

// settle waits until systemd has nothing more to start. A unit that fails does
// not stop a machine from being used.
func (h *host) settle(ctx context.Context) error {
	r, err := h.Exec(ctx, "systemctl", "is-system-running", "--wait")
	if err != nil {
		return err
	}
	switch s := strings.TrimSpace(r.Out); s {
	case "running", "degraded":
		return nil
	default:
		return fmt.Errorf("cannot use %s: systemd says %q %s", h.state.Name, s, r.Err)
	}
}

// up waits until a machine that was just started is up.
func (h *host) up(ctx context.Context) error {
	h.hangUp()
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for {
		_, err := h.agent(ctx)
		if err == nil {
			if err = h.settle(ctx); err == nil {
				return nil
			}
		}
		if !h.state.alive() {
			return fmt.Errorf("cannot start %s: it died; its console said:\n%s", h.state.Name, h.consoleTail())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("cannot start %s: %w; its console said:\n%s", h.state.Name, err, h.consoleTail())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// askToReboot asks systemd to reboot and gives the boot id until then.
func (h *host) askToReboot(ctx context.Context) (before string, err error) {
	c, err := h.agent(ctx)
	if err != nil {
		return "", err
	}
	before = c.Boot()
	// A machine that goes down at once takes the answer with it.
	asked, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if r, err := h.Exec(asked, "systemctl", "--no-block", "reboot"); err == nil && r.Code != 0 {
		return "", fmt.Errorf("cannot reboot %s: %s", h.state.Name, r.Err)
	}
	return before, nil
}

// reboot has systemd reboot and waits for another boot id.
func (h *host) reboot(ctx context.Context) error {
	before, err := h.askToReboot(ctx)
	if err != nil {
		return err
	}
	deadline, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for {
		h.hangUp()
		if c, err := h.agent(deadline); err == nil && c.Boot() != before {
			return h.up(ctx)
		}
		if !h.state.alive() {
			return fmt.Errorf("cannot reboot %s: it ended; its console said:\n%s", h.state.Name, h.consoleTail())
		}
		select {
		case <-deadline.Done():
			return fmt.Errorf("cannot reboot %s: %w; its console said:\n%s", h.state.Name, deadline.Err(), h.consoleTail())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func (h *host) consoleTail() string {
	var b []byte
	for _, name := range []string{"launch.log", "console.log"} {
		part, _ := os.ReadFile(filepath.Join(h.dir, name))
		b = append(b, part...)
	}
	return tail(b)
}
