package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// state is what the lab writes down of a machine before it starts anything, so
// that `lab clean` finds all of it after a crash.
type state struct {
	Name     string    `json:"name"`
	Kind     Kind      `json:"kind"`
	Release  string    `json:"release"`
	Arch     string    `json:"arch,omitempty"`     // none: the host's own
	Packages []string  `json:"packages,omitempty"` // beside the base tree's own
	Binds    []string  `json:"binds,omitempty"`
	Group    string    `json:"group"`            // machines of one group share a bridge
	Owner    identity  `json:"owner,omitzero"`   // the test run that removes it; none for a person's
	Uses     []string  `json:"uses"`             // things in the cache it stands on
	Idle     bool      `json:"idle,omitempty"`   // it has the processors when nobody else wants them
	Cgroups  []string  `json:"cgroups"`          // made for its processes, and only for them
	Base     string    `json:"base,omitempty"`   // base tree, or image with the booted snapshot
	Kernel   string    `json:"kernel,omitempty"` // tree with the virtual machine's kernel
	Started  time.Time `json:"started"`
}

// identity is a process, told apart from a later one of the same number by its
// start time (clock ticks since boot, proc_pid_stat(5) field 22).
type identity struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
}

func identify(pid int) identity {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return identity{}
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name may hold anything but this
	fields := strings.Fields(rest)
	if len(fields) < 20 || fields[0] == "Z" {
		return identity{}
	}
	return identity{pid, fields[19]}
}

func (i identity) alive() bool { return i.PID != 0 && identify(i.PID) == i }

func (s state) save(dir string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, "state.json.tmp")
	if err := os.WriteFile(tmp, b, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, "state.json"))
}

func loadState(dir string) (state, error) {
	var s state
	b, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(b, &s)
}

// cgroups names a control group for a machine in each hierarchy that systemd
// keeps processes in. Two containers in one group would take each other's
// services for their own; and whatever happens, the group's list is all that
// has to be killed. An idle one has a group in the processors' hierarchy too.
func cgroups(name string, idle bool) ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var dirs []string
	for line := range strings.Lines(string(b)) {
		left, right, ok := strings.Cut(line, " - ")
		f, kind := strings.Fields(left), strings.Fields(right)
		if !ok || len(f) < 5 || len(kind) < 3 {
			continue
		}
		with := func(controller string) bool {
			return kind[0] == "cgroup" && strings.Contains(","+kind[2]+",", ","+controller+",")
		}
		if kind[0] == "cgroup2" || with("name=systemd") || idle && with("cpu") {
			dirs = append(dirs, filepath.Join(f[4], "goxin-lab", name))
		}
	}
	if len(dirs) == 0 {
		return nil, errors.New("cannot find a control group hierarchy for machines")
	}
	return dirs, nil
}

// processes are all processes of the machine.
func (s state) processes() []int {
	var pids []int
	for _, top := range s.Cgroups {
		_ = filepath.WalkDir(top, func(name string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil
			}
			b, _ := os.ReadFile(filepath.Join(name, "cgroup.procs"))
			for line := range strings.Lines(string(b)) {
				if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 0 {
					pids = append(pids, pid)
				}
			}
			return nil
		})
	}
	return pids
}

func (s state) alive() bool { return len(s.processes()) > 0 }

// kill kills the machine's processes and removes its control groups.
func (s state) kill() error {
	for range 200 {
		pids := s.processes()
		if len(pids) == 0 {
			return s.removeCgroups()
		}
		for _, pid := range pids {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("cannot stop %s: processes %v do not die", s.Name, s.processes())
}

func (s state) removeCgroups() error {
	var failed error
	for _, top := range s.Cgroups {
		var dirs []string
		_ = filepath.WalkDir(top, func(name string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, name)
			}
			return nil
		})
		for i := len(dirs) - 1; i >= 0; i-- {
			// A dying process may hold its group for a moment longer.
			err := os.Remove(dirs[i])
			for try := 0; try < 100 && errors.Is(err, unix.EBUSY); try++ {
				time.Sleep(10 * time.Millisecond)
				err = os.Remove(dirs[i])
			}
			failed = errors.Join(failed, err)
		}
		_ = os.Remove(filepath.Dir(top)) // the last machine's
	}
	return failed
}

// yield has the processes of a control group run when no others want to. The group says
// it (cpu.idle, Linux 5.15) and not the processes: those of a container begin sessions,
// each of which would count as much as any other (sched(7), "The autogroup feature").
func yield(dir string) {
	_ = os.WriteFile(filepath.Join(filepath.Dir(dir), "cgroup.subtree_control"), []byte("+cpu"), 0)
	_ = os.WriteFile(filepath.Join(dir, "cpu.idle"), []byte("1"), 0) // an older kernel has none, and is only slower
}

// launch starts a machine's program in its control groups, detached from
// whoever called lab, with its output in console.log. before is a shell
// script to run first, in the same place; extra files are inherited from 3 up.
func (h *host) launch(before string, prefix, argv []string, extra ...*os.File) error {
	for _, dir := range h.state.Cgroups {
		err := os.MkdirAll(dir, 0o755)
		for try := 0; try < 10 && errors.Is(err, os.ErrNotExist); try++ {
			err = os.MkdirAll(dir, 0o755) // another's last machine took the parent away
		}
		if err != nil {
			return fmt.Errorf("cannot make a control group for %s: %w", h.state.Name, err)
		}
		if h.state.Idle {
			yield(dir)
		}
	}
	script := "set -e\n"
	for _, dir := range h.state.Cgroups {
		script += "echo $$ > '" + dir + "/cgroup.procs'\n"
	}
	script += before + "\nexec \"$@\"\n"
	args := append(append([]string{}, prefix...), "sh", "-c", script, "lab")
	args = append(args, argv...)
	out, err := os.OpenFile(filepath.Join(h.dir, "launch.log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = h.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = extra
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("cannot start %s: %w", h.state.Name, err)
	}
	// Reaped if it ends while lab is still there.
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for range 500 {
		if h.state.alive() {
			return nil
		}
		select {
		case <-ended:
			b, _ := os.ReadFile(out.Name())
			return fmt.Errorf("cannot start %s:\n%s", h.state.Name, tail(b))
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("cannot start %s: no process of it appears", h.state.Name)
}
