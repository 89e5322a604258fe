//go:build e2e

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// built are the programs under test, built once: goxin as it is shipped, and its
// test binary, which can be told to die at an effect (GOXIN_DIE_AT).
var built struct {
	once          sync.Once
	dir           string
	goxin, mortal string
	err           error
}

func programs(t *testing.T) (goxin, mortal string) {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "goxin-e2e"); built.err != nil {
			return
		}
		built.goxin, built.mortal = filepath.Join(built.dir, "goxin"), filepath.Join(built.dir, "mortal")
		for _, args := range [][]string{
			{"build", "-trimpath", "-ldflags", "-s -w -X main.version=lab", "-o", built.goxin, "../goxin"},
			{"test", "-c", "-trimpath", "-o", built.mortal, "../goxin"},
		} {
			c := exec.Command("go", args...)
			c.Env = append(os.Environ(), "CGO_ENABLED=0")
			if out, err := c.CombinedOutput(); err != nil {
				built.err = &exec.Error{Name: string(out), Err: err}
				return
			}
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.goxin, built.mortal
}

// others are goxin for other architectures, each built once.
var others = struct {
	sync.Mutex
	by map[string]string
}{by: map[string]string{}}

// programFor is goxin as it is shipped for an architecture; "" is the host's own.
func programFor(t *testing.T, arch string) string {
	t.Helper()
	own, _ := programs(t)
	if arch == "" {
		return own
	}
	others.Lock()
	defer others.Unlock()
	if others.by[arch] == "" {
		to := own + "-" + arch
		c := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=lab", "-o", to, "../goxin")
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		others.by[arch] = to
	}
	return others.by[arch]
}

// kept is what a run may leave: goxin's own state, and what systemd writes as
// time goes by.
var kept = []string{"/var/lib/goxin", "/var/lib/systemd"}

func (b *Box) system() Tree {
	return b.Files([]string{"/etc", "/usr", "/opt", "/root", "/var/lib"}, append(kept, "/etc/resolv.conf", "/etc/machine-id")...)
}

// written is what a step that installs nothing can write to, for looks that are
// taken often: an emulated machine needs ten seconds for all of /usr.
func (b *Box) written() Tree {
	return b.Files([]string{"/etc", "/opt", "/root", "/usr/local", "/var/lib"}, append(kept, "/etc/resolv.conf", "/etc/machine-id")...)
}

func (b *Box) goxin(t *testing.T, want int, args ...string) Result {
	t.Helper()
	r := b.Try(append([]string{program}, args...)...)
	if r.Code != want {
		t.Fatalf("goxin %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), r.Code, want, r.Out, r.Err)
	}
	return r
}

func (b *Box) sysctl(key string) string { return b.Do("sysctl", "-n", key) }

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type plannedJSON struct {
	Changes int    `json:"changes"`
	Wanted  string `json:"wanted"`
}

func (b *Box) plan(t *testing.T, want int, answers string) plannedJSON {
	t.Helper()
	var p plannedJSON
	ok(t, json.Unmarshal([]byte(b.goxin(t, want, "plan", "-f", answers, "--json").Out), &p))
	return p
}

// The main job: the wizard by keys alone on a machine with a kernel of its own,
// a reboot, drift by hand, undo byte for byte, and the same headless.
func TestTheWizardTunesARealMachine(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	m := NewLab(t).VM(t, "wizard")
	m.Install(goxin, program)
	before := m.system()
	tuned := map[string]string{
		"net.core.somaxconn": "65535", "vm.swappiness": "1", "net.ipv4.ip_local_port_range": "10240\t60999",
		"net.core.rmem_max": "7500000", "net.ipv4.tcp_slow_start_after_idle": "0",
	}
	was := map[string]string{}
	for k := range tuned {
		was[k] = m.sysctl(k)
	}
	fileMax := m.sysctl("fs.file-max")

	w, p := m.Wizard()
	w.tunes()
	if tree := m.system(); tree != before {
		t.Fatalf("the wizard wrote before it was told to:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	w.finishes()
	w.sees("goxin undo").leaves()
	if code, err := p.Wait(); err != nil || code != 0 {
		t.Fatalf("the wizard: exit code %d, %v\n%s", code, err, w.Screen())
	}
	answers := m.Sh("ls /var/lib/goxin/answers/*.yaml")
	after := m.plan(t, 0, answers)
	m.goxin(t, 0, "check")

	m.MustReboot()
	for k, v := range tuned {
		if got := m.sysctl(k); got != v {
			t.Errorf("after a reboot %s is %q, want %q", k, got, v)
		}
	}
	if got := m.sysctl("fs.file-max"); got != fileMax {
		t.Errorf("fs.file-max went from %s to %s", fileMax, got)
	}
	if got := m.Do("systemd-run", "-q", "--wait", "--pipe", "sh", "-c", "ulimit -Hn"); got != "1048576" {
		t.Errorf("after a reboot a service may open %s files", got)
	}
	if got := m.Do("su", "-", "nobody", "-s", "/bin/sh", "-c", "ulimit -Hn"); got != "1048576" {
		t.Errorf("after a reboot a login may open %s files", got)
	}
	m.goxin(t, 0, "check")

	m.Do("sysctl", "-w", "vm.swappiness=35")
	if r := m.goxin(t, 3, "check"); !strings.Contains(r.Out, "vm.swappiness is 35, goxin set 1") {
		t.Errorf("check says %q", r.Out)
	}
	if r := m.goxin(t, 6, "undo"); !strings.Contains(r.Err, "vm.swappiness") {
		t.Errorf("undo says %q", r.Err)
	}
	if tree := m.system(); tree != before {
		t.Errorf("after undo the files differ:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	for k, v := range was {
		want := v
		if k == "vm.swappiness" {
			want = "35"
		}
		if got := m.sysctl(k); got != want {
			t.Errorf("after undo %s is %q, want %q", k, got, want)
		}
	}
	if got := m.Do("systemd-run", "-q", "--wait", "--pipe", "sh", "-c", "ulimit -Hn"); got != "524288" {
		t.Errorf("after undo a service may open %s files", got)
	}

	// The saved answers, headless, on a fresh machine: the same is wanted.
	saved := m.Read(answers)
	m.MustRestore(Fresh)
	m.Install(goxin, program)
	m.Write("/root/answers.yaml", saved, 0o600)
	fresh := m.plan(t, 3, "/root/answers.yaml")
	if fresh.Wanted != after.Wanted || fresh.Changes == 0 {
		t.Errorf("on a fresh machine %d changes and digest %s, want %s", fresh.Changes, fresh.Wanted, after.Wanted)
	}
	m.goxin(t, 0, "apply", "-f", "/root/answers.yaml", "--yes", "--plan-digest", fresh.Wanted)
	if p := m.plan(t, 0, "/root/answers.yaml"); p.Wanted != after.Wanted {
		t.Error("applied headless, the digest of what is wanted is another")
	}
	// Power fails: what was journalled is on the disk.
	m.MustCut()
	m.goxin(t, 0, "check")
	m.goxin(t, 0, "undo")
}

func TestAContainerRefusesAndClamps(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	m := NewLab(t).Container(t, "a")
	m.Install(goxin, program)
	before, somaxconn := m.system(), m.sysctl("net.core.somaxconn")
	// vm.* is the host's: whatever it is there, another value is asked for.
	swappiness := "1"
	if m.sysctl("vm.swappiness") == swappiness {
		swappiness = "2"
	}
	apply := []string{"apply", "--yes", "--set", "kernel.profile=web", "--set", "kernel.set.vm.swappiness=" + swappiness}

	r := m.goxin(t, 4, append(apply, "--strict")...)
	if tree := m.system(); tree != before {
		t.Fatalf("--strict left something:\n%s\n%s", strings.Join(before.Diff(tree), "\n"), r.Err)
	}
	if got := m.sysctl("net.core.somaxconn"); got != somaxconn {
		t.Errorf("--strict left net.core.somaxconn at %s", got)
	}

	r = m.goxin(t, 6, apply...)
	for _, want := range []string{"! vm.swappiness: refused", "/proc/sys is read-only here", "! DefaultLimitNOFILE: clamped, now 1024:20000", "hard limit"} {
		if !strings.Contains(r.Err, want) {
			t.Errorf("%q is not said:\n%s", want, r.Err)
		}
	}
	if got := m.sysctl("net.core.somaxconn"); got != "65535" {
		t.Errorf("net.core.somaxconn is %s", got)
	}
	m.goxin(t, 0, "check") // the deviations were accepted
	m.goxin(t, 0, "undo")
	if tree := m.system(); tree != before {
		t.Errorf("after undo the files differ:\n%s", strings.Join(before.Diff(tree), "\n"))
	}
	if got := m.sysctl("net.core.somaxconn"); got != somaxconn {
		t.Errorf("after undo net.core.somaxconn is %s, want %s", got, somaxconn)
	}
}
