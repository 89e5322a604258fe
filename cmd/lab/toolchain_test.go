//go:build e2e

package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// goAnswers asks for two releases side by side, from the sites of the lab.
const goAnswers = `version: 1
steps:
  toolchain:
    versions: ["1.26.11", "1.25.14"]
    goproxy: [http://10.9.0.10, http://10.9.0.11]
  environment:
    goproxy: [http://10.9.0.11]
    direnv: false
  runtime: {}
`

const hello = `package main

import "fmt"

func main() { fmt.Println("hello from goxin's Go") }
`

// GoMachine makes a machine that has no Go and reaches the sites.
func (l *TestLab) GoMachine(t *testing.T, sites *Mirrors, goxin string) *Box {
	t.Helper()
	b := l.Container(t, "go")
	b.Sh("ip address add 10.9.0.2/24 dev host0; ip link set host0 up")
	b.Install(goxin, program)
	b.Do("mkdir", "-p", "/tmp/hello")
	b.Write("/root/answers.yaml", goAnswers, 0o600)
	b.Write("/tmp/hello/hello.go", hello, 0o644)
	return b
}

// login runs a script in a login shell whose home is nobody's.
func (b *Box) login(script string) string {
	b.t.Helper()
	return b.Do("env", "-i", "HOME=/tmp/home", "TERM=dumb", "bash", "-lec", script)
}

func (b *Box) runsGo(t *testing.T, version string) {
	t.Helper()
	if got := b.login("cd /tmp/hello && go version && go run hello.go"); !strings.Contains(got, "go version "+version) || !strings.Contains(got, "hello from goxin's Go") {
		t.Errorf("go says %q", got)
	}
}

// A machine goes from nothing to go run hello.go: two releases whose origin the
// transparency log proves, a switch under a running build, a site that tampers
// refused, a file that was changed named, and all of it undone byte for byte.
func TestAMachineGoesFromNothingToGoRun(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	l := NewLab(t)
	sites := l.GoSites(t)
	b := l.GoMachine(t, sites, goxin)
	before := b.system()

	for _, s := range []string{"proxy-a", "proxy-b"} {
		sites.Turn(s, "packages")
	}
	r := b.goxin(t, 5, "apply", "-f", "/root/answers.yaml", "--yes")
	t.Logf("tampered with on its way:\n%s", r.Err)
	same(t, before, b.system())
	for _, s := range []string{"proxy-a", "proxy-b"} {
		sites.Turn(s, "")
	}

	begin := time.Now()
	r = b.goxin(t, 0, "apply", "-f", "/root/answers.yaml", "--yes")
	t.Logf("two releases in %v\n%s", time.Since(begin).Round(time.Millisecond), r.Err)
	b.runsGo(t, "go1.26.11")
	if got := b.login("go1.25.14 version"); !strings.Contains(got, "go1.25.14") {
		t.Errorf("the other release says %q", got)
	}
	b.goxin(t, 0, "check")
	b.goxin(t, 0, "plan", "-f", "/root/answers.yaml") // nothing is left to do

	// A switch does not pull the floor from under a build.
	b.Do("systemd-run", "-q", "--unit=building", "--property=Type=oneshot", "--remain-after-exit", "--no-block",
		"env", "-i", "HOME=/tmp/home", "bash", "-lec", "go build -a -p 1 encoding/json")
	b.Sh("until pgrep -x compile >/dev/null; do sleep 0.1; done")
	b.goxin(t, 0, "toolchain", "use", "1.25.14", "--yes")
	b.runsGo(t, "go1.25.14")
	b.Sh("while systemctl is-active building | grep -q activating; do sleep 0.2; done; systemctl is-active building")
	b.Sh("test $(date -d \"$(systemctl show -P ExecMainExitTimestamp building)\" +%s) -gt $(stat -c %Z /usr/local/goxin/go/current)") // or it had ended before

	// A module that asks for the other one gets it, without a download.
	b.Write("/tmp/hello/go.mod", "module hello\n\ngo 1.26.11\n", 0o644)
	b.runsGo(t, "go1.26.11")
	b.Do("rm", "/tmp/hello/go.mod")

	if r := b.goxin(t, 0, "verify", "/usr/local/goxin/go/current/", "--offline"); !strings.Contains(r.Out, "go1.25.14") {
		t.Errorf("verify says %q", r.Out)
	}
	b.Sh("cd /usr/local/goxin/go/current/ && cp -p src/fmt/print.go /tmp/print.go && printf '//' >>src/fmt/print.go")
	if r := b.goxin(t, 5, "verify", "/usr/local/goxin/go/current/", "--offline"); !strings.Contains(r.Out, "src/fmt/print.go") {
		t.Errorf("verify says %q", r.Out)
	}
	if r := b.goxin(t, 3, "check"); !strings.Contains(r.Out, "src/fmt/print.go was changed") {
		t.Errorf("check says %q", r.Out)
	}
	b.Sh("cp -p /tmp/print.go /usr/local/goxin/go/current/src/fmt/print.go")
	b.goxin(t, 0, "check")

	b.goxin(t, 0, "undo") // the switch
	b.runsGo(t, "go1.26.11")
	b.goxin(t, 0, "undo")
	same(t, before, b.system())
}

func same(t *testing.T, before, now Tree) {
	t.Helper()
	if diff := before.Diff(now); len(diff) > 0 {
		t.Errorf("other files:\n%s", strings.Join(diff[:min(len(diff), 60)], "\n"))
	}
}

// The same by keys alone.
func TestTheWizardInstallsGo(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	l := NewLab(t)
	b := l.GoMachine(t, l.GoSites(t), goxin)
	before := b.system()
	w, running := b.Wizard("-f", "/root/answers.yaml")
	w.begins().sees("▸ As in the answers file").press("enter").finishes()
	w.leaves()
	if code, err := running.Wait(); err != nil || code != 0 {
		t.Fatalf("the wizard: exit code %d, %v\n%s", code, err, w.Screen())
	}
	b.runsGo(t, "go1.26.11")
	b.goxin(t, 0, "check")
	b.goxin(t, 0, "undo")
	same(t, before, b.system())
}

// An arm64 build of goxin, its processor emulated, installs and runs the arm64
// toolchain.
func TestAnEmulatedARMMachineRunsItsOwnGo(t *testing.T) {
	t.Parallel()
	l := NewLab(t)
	l.emulate(t)
	ok(t, run.lab.Emulate("aarch64"))
	goxin := programFor(t, "arm64")
	b := l.GoMachine(t, l.GoSites(t), goxin)
	var facts struct {
		Arch struct {
			GOARCH struct{ Value string }
		}
	}
	ok(t, json.Unmarshal([]byte(b.goxin(t, 0, "detect", "--json").Out), &facts))
	if facts.Arch.GOARCH.Value != "arm64" {
		t.Fatalf("the machine is %q", facts.Arch.GOARCH.Value)
	}
	r := b.goxin(t, 0, "apply", "-f", "/root/answers.yaml", "--only", "toolchain,environment", "--set", "toolchain.versions=1.26.11", "--yes")
	t.Logf("%s", r.Err)
	// Compiling takes a minute or two here; goxin did it once already.
	if want := "go1.26.11 linux/arm64\n"; !strings.Contains(r.Err, want) {
		t.Errorf("no program was built and run that says %q", want)
	}
	if got := b.login("go version"); !strings.Contains(got, "go1.26.11 linux/arm64") {
		t.Errorf("go says %q", got)
	}
}
