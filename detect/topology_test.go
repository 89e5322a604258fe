package detect_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"goxin/detect/machine"
)

// counted counts what it is asked for: to a machine at the other end of a line each call
// is a message and its answer.
type counted struct {
	machine.Machine
	calls, ofCPUs *atomic.Int64
}

func (c counted) note(name string) {
	c.calls.Add(1)
	if strings.HasPrefix(name, "/sys/devices/system/cpu") {
		c.ofCPUs.Add(1)
	}
}

func (c counted) Stat(name string) (machine.Info, error) {
	c.note(name)
	return c.Machine.Stat(name)
}

func (c counted) Lstat(name string) (machine.Info, error) {
	c.note(name)
	return c.Machine.Lstat(name)
}

func (c counted) ReadDir(name string) ([]string, error) {
	c.note(name)
	return c.Machine.ReadDir(name)
}

func (c counted) ReadFile(name string) ([]byte, error) {
	c.note(name)
	return c.Machine.ReadFile(name)
}

// cpus are the topology files of 128 CPUs in two sockets, numbered threads last.
func cpus(threads int, names ...string) map[string]string {
	const n = 128
	files := map[string]string{"/sys/devices/system/cpu/online": fmt.Sprintf("0-%d\n", n-1)}
	cores := n / threads
	for cpu := range n {
		core := cpu % cores
		socket := core / (cores / 2)
		first := socket * cores / 2
		siblings := fmt.Sprintf("%d-%d", first, first+cores/2-1)
		pair := fmt.Sprint(core)
		if threads == 2 {
			siblings += fmt.Sprintf(",%d-%d", first+cores, first+cores+cores/2-1)
			pair += fmt.Sprintf(",%d", core+cores)
		}
		for _, name := range names {
			files[fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/%s", cpu, name)] = map[string]string{
				"core_siblings_list": siblings, "thread_siblings_list": pair,
				"physical_package_id": fmt.Sprint(socket), "core_id": fmt.Sprint(core % (cores / 2)),
			}[name] + "\n"
		}
	}
	return files
}

func TestA128CPUMachineIsNotAskedOfEach(t *testing.T) {
	lists, numbers := []string{"core_siblings_list", "thread_siblings_list"}, []string{"physical_package_id", "core_id"}
	with := func(files map[string]string, name, content string) map[string]string {
		files["/sys/devices/system/cpu/"+name] = content
		return files
	}
	const online = 1
	for _, c := range []struct {
		name  string
		files map[string]string
		cores int
		most  int64 // calls about CPUs
	}{
		{"no core has two threads, as the kernel says", with(cpus(1, lists...), "smt/active", "0\n"), 128, online + 2 + 1},
		{"no core has two threads", cpus(1, lists...), 128, online + 2 + 1 + 128},
		{"each core has two threads", with(cpus(2, lists...), "smt/active", "1\n"), 64, online + 2 + 1 + 64},
		{"only numbers are there", cpus(2, numbers...), 64, online + 1 + 2*128},
		{"a list that cannot be read", with(cpus(2, append(lists, numbers...)...), "cpu5/topology/thread_siblings_list", "all\n"), 64, online + 2 + 1 + 6 + 2*128},
		{"a list without its own CPU", with(cpus(2, append(lists, numbers...)...), "cpu0/topology/core_siblings_list", "1-31\n"), 64, online + 1 + 2*128},
	} {
		m := counted{made(t, "aarch64", c.files), new(atomic.Int64), new(atomic.Int64)}
		f := facts(t, m)
		if f.CPU.Logical.Value != 128 || f.CPU.Cores.Value != c.cores || f.CPU.Sockets.Value != 2 {
			t.Errorf("%s: %d CPUs, %d cores, %d sockets", c.name, f.CPU.Logical.Value, f.CPU.Cores.Value, f.CPU.Sockets.Value)
		}
		if got := m.ofCPUs.Load(); got > c.most {
			t.Errorf("%s: %d calls about CPUs, more than %d", c.name, got, c.most)
		}
		t.Logf("%s: %d calls, %d of them about CPUs", c.name, m.calls.Load(), m.ofCPUs.Load())
	}
}

// Dies of one socket number their cores each from 0: only the list of a core's threads
// tells them apart.
func TestCoresOfSeveralDiesAreAllCounted(t *testing.T) {
	files := cpus(2, "core_siblings_list", "thread_siblings_list", "physical_package_id")
	for cpu := range 128 {
		files[fmt.Sprintf("/sys/devices/system/cpu/cpu%d/topology/core_id", cpu)] = fmt.Sprintf("%d\n", cpu%8)
	}
	if f := facts(t, made(t, "x86_64", files)); f.CPU.Cores.Value != 64 || f.CPU.Sockets.Value != 2 {
		t.Errorf("%d cores, %d sockets", f.CPU.Cores.Value, f.CPU.Sockets.Value)
	}
}
