//go:build e2e

package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"goxin/cmd/lab/agent"
	"goxin/cmd/lab/screen"
)

func TestContainerBoots(t *testing.T) {
	t.Parallel()
	m := NewLab(t).Container(t, "a")
	if s := m.Try("systemctl", "is-system-running"); s.Out != "running\n" && s.Out != "degraded\n" {
		t.Errorf("systemd says %q", s.Out)
	}
	if r := m.Try("sysctl", "-w", "vm.swappiness=1"); !strings.Contains(r.Err, "permission denied") {
		t.Errorf("vm.* must be refused, got %+v", r)
	}
	if got := m.Sh("sysctl -qw net.core.somaxconn=1234; sysctl -n net.core.somaxconn"); got != "1234" {
		t.Errorf("net.core.somaxconn is %s, want 1234", got)
	}
	m.Write("/etc/systemd/system/probe.service", "[Service]\nType=oneshot\nLimitNOFILE=1048576\nExecStart=/bin/sh -c 'ulimit -Hn >/run/probe'\n", 0o644)
	m.Sh("systemctl daemon-reload; systemctl start probe")
	if got := strings.TrimSpace(m.Read("/run/probe")); got != "20000" {
		t.Errorf("LimitNOFILE=1048576 gave %s, want it cut to 20000", got)
	}
	if out := m.Sh("ip -o link | wc -l; ip route"); out != "2" {
		t.Errorf("a container must reach nothing, but has %q", out)
	}
}

func TestContainersOfOneLabSeeEachOther(t *testing.T) {
	t.Parallel()
	lab := NewLab(t)
	a, b, other := lab.Container(t, "a"), lab.Container(t, "b"), NewLab(t).Container(t, "c")
	for m, address := range map[*Box]string{a: "10.9.0.1/24", b: "10.9.0.2/24", other: "10.9.0.3/24"} {
		m.Sh("ip address add " + address + " dev host0; ip link set host0 up")
	}
	a.Do("ping", "-c1", "-w10", "10.9.0.2")
	if r := a.Try("ping", "-c1", "-w1", "10.9.0.3"); r.Code == 0 {
		t.Error("a container of another lab answers")
	}
}

func TestContainerKeepsItsFilesAndForgetsThemWhenRestored(t *testing.T) {
	t.Parallel()
	m := NewLab(t).Container(t, "a")
	m.Write("/root/kept", "x", 0o600)
	boot := m.Read("/proc/sys/kernel/random/boot_id")
	m.MustReboot()
	if m.Read("/proc/sys/kernel/random/boot_id") == boot {
		t.Error("it did not reboot")
	}
	m.MustSnapshot("with")
	m.MustCut()
	m.Do("test", "-s", "/root/kept")
	m.MustRestore(Fresh)
	m.Do("test", "!", "-e", "/root/kept")
	m.MustRestore("with")
	m.Do("test", "-s", "/root/kept")
}

func TestVMBoots(t *testing.T) {
	t.Parallel()
	m := NewLab(t).VM(t, "a")
	if s := m.Try("systemctl", "is-system-running"); s.Out != "running\n" && s.Out != "degraded\n" {
		t.Errorf("systemd says %q", s.Out)
	}
	before, err := os.ReadFile("/proc/sys/vm/swappiness")
	if err != nil {
		t.Fatal(err)
	}
	m.Do("sysctl", "-w", "vm.swappiness=7")
	if now, _ := os.ReadFile("/proc/sys/vm/swappiness"); string(now) != string(before) {
		t.Error("the host's vm.swappiness changed")
	}
	m.Do("systemd-run", "-q", "--wait", "-pLimitNOFILE=1048576", "sh", "-c", "test $(ulimit -Hn) = 1048576")
	m.Write("/root/kept", "x", 0o600)
	begin := time.Now()
	m.MustReboot()
	t.Logf("rebooted in %v", time.Since(begin).Round(time.Millisecond))
	if got := m.Do("sysctl", "-n", "vm.swappiness"); got != "60" {
		t.Errorf("vm.swappiness is %s after a reboot, want the kernel's 60", got)
	}
	m.Do("test", "-s", "/root/kept")

	m.Sh("echo synced >/root/synced; sync /root/synced; sync /root; echo lost >/root/unsynced")
	begin = time.Now()
	m.MustCut()
	t.Logf("up after a power cut in %v", time.Since(begin).Round(time.Millisecond))
	if got := m.Read("/root/synced"); got != "synced\n" {
		t.Errorf("a synced file holds %q after a power cut", got)
	}
	if r := m.Try("grep", "-q", "lost", "/root/unsynced"); r.Code == 0 {
		t.Error("what was never synced survived: the cut was none")
	}
}

// Machines of which one of a kind is enough, turn by turn.
func TestSharedMachines(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T){
		"a VM is fresh in a second": freshInASecond, "the terminal": terminalOfAMachine,
		"a serial line answers nothing": serialLineAnswersNothing, "the hash changes with the tree": treeHashChangesOnlyWithTheTree,
		"files and programs pass unharmed": filesAndProgramsPassUnharmed,
	} {
		t.Run(name, test)
	}
}

func freshInASecond(t *testing.T) {
	lab := NewLab(t)
	for range 2 {
		t.Run("turn", func(t *testing.T) {
			m := lab.Shared(t, VirtualMachine)
			m.Do("test", "!", "-e", "/root/mark")
			if got := m.Do("sysctl", "-n", "vm.swappiness"); got != "60" {
				t.Errorf("vm.swappiness is %s on a fresh machine", got)
			}
			m.Sh("touch /root/mark; sysctl -w vm.swappiness=7; sync")
			m.MustSnapshot("marked")
			m.MustRestore(Fresh)
			m.Do("test", "!", "-e", "/root/mark")
			m.MustRestore("marked")
			m.Do("test", "-e", "/root/mark")
			guest, err := time.Parse(time.RFC3339, m.Do("date", "-u", "+%Y-%m-%dT%H:%M:%SZ"))
			if off := time.Since(guest); err != nil || off > 10*time.Second || off < -10*time.Second {
				t.Errorf("the clock of a restored machine is off by %v (%v)", off, err)
			}
		})
	}
}

func terminalOfAMachine(t *testing.T) {
	for _, kind := range []Kind{SystemContainer, VirtualMachine} {
		t.Run(string(kind), func(t *testing.T) {
			m := NewLab(t).Shared(t, kind)
			term, p := m.Screen(screen.Answers, []string{"TERM=xterm-256color", "PS1=$ "}, "sh")
			wait := func(texts ...string) {
				t.Helper()
				if err := term.WaitFor(20*time.Second, texts...); err != nil {
					t.Fatal(err)
				}
			}
			enter := func(line string) {
				t.Helper()
				if err := term.Send(line + "\r"); err != nil {
					t.Fatal(err)
				}
			}
			wait("$")
			enter("stty size; tty; echo $TERM")
			wait("24 80", "/dev/pts/", "xterm-256color")
			if err := term.Resize(100, 30); err != nil {
				t.Fatal(err)
			}
			enter("stty size")
			wait("30 100")
			// The program must notice a lost line. (An interactive shell would
			// end without its trap.)
			enter(`exec sh -c 'trap "echo gone >/run/gone; exit" HUP; echo armed $((1+1)); while :; do sleep 0.1; done'`)
			wait("armed 2")
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			m.Sh("for i in $(seq 100); do [ -s /run/gone ] && exit; sleep 0.1; done; exit 1")
		})
	}
}

func serialLineAnswersNothing(t *testing.T) {
	m := NewLab(t).Shared(t, VirtualMachine)
	conn, err := m.Machine.(*VM).Console()
	if err != nil {
		t.Fatal(err)
	}
	term := screen.New(serial{conn}, 80, 24, screen.Silent)
	defer term.Close()
	if err := term.Send("\recho $TERM; tty; id -un\r"); err != nil {
		t.Fatal(err)
	}
	if err := term.WaitFor(patience, "vt220", "/dev/ttyS0", "root\n"); err != nil {
		t.Fatal(err)
	}
}

// serial is a line that cannot tell its size.
type serial struct{ net.Conn }

func (serial) Resize(int, int) error { return nil }

// A virtual machine has the same agent, and lists its files a hundred times as slowly.
func treeHashChangesOnlyWithTheTree(t *testing.T) {
	m := NewLab(t).Shared(t, SystemContainer)
	begin := time.Now()
	was := m.Files([]string{"/etc", "/usr/lib/systemd", "/nowhere"}, "/etc/.updated")
	t.Logf("%d files listed in %v", strings.Count(string(was), "\n"), time.Since(begin).Round(time.Millisecond))
	again := func() Tree { return m.Files([]string{"/etc", "/usr/lib/systemd", "/nowhere"}, "/etc/.updated") }
	m.Do("touch", "/etc/passwd", "/etc/.updated")
	if now := again(); now.Hash() != was.Hash() {
		t.Fatalf("nothing changed, and yet:\n%s", strings.Join(was.Diff(now), "\n"))
	}
	for _, change := range []struct{ do, undo string }{
		{"chmod 600 /etc/issue", "chmod 644 /etc/issue"},
		{"chown 1:2 /etc/issue", "chown 0:0 /etc/issue"},
		{"cp -p /etc/issue /run/i; echo >>/etc/issue", "cp -p /run/i /etc/issue"},
		{"ln -s a /etc/link", "rm /etc/link"},
		{"mkdir /nowhere", "rmdir /nowhere"},
	} {
		m.Sh(change.do)
		if now := again(); now.Hash() == was.Hash() {
			t.Errorf("%s is not seen", change.do)
		} else if d := was.Diff(now); len(d) == 0 || len(d) > 3 {
			t.Errorf("%s shows as %q", change.do, d)
		}
		m.Sh(change.undo)
	}
	if d := was.Diff(again()); len(d) > 0 {
		t.Errorf("all undone, and yet:\n%s", strings.Join(d, "\n"))
	}
}

func filesAndProgramsPassUnharmed(t *testing.T) {
	for _, kind := range []Kind{SystemContainer, VirtualMachine} {
		t.Run(string(kind), func(t *testing.T) {
			m := NewLab(t).Shared(t, kind)
			big := make([]byte, 12<<20)
			for i := range big {
				big[i] = byte(i * i >> 7)
			}
			local := filepath.Join(t.TempDir(), "big")
			if err := os.WriteFile(local, big, 0o600); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			m.Install(local, "/root/big")
			there := time.Since(begin)
			if m.Read("/root/big") != string(big) {
				t.Error("12 MiB came back different")
			}
			t.Logf("12 MiB there in %v, back in %v", there.Round(time.Millisecond), (time.Since(begin) - there).Round(time.Millisecond))
			if got := m.Do("stat", "-c", "%a %U", "/root/big"); got != "755 root" {
				t.Errorf("installed as %s", got)
			}

			var out strings.Builder
			code, err := m.Run(context.Background(), agent.Command{
				Argv: []string{"sh", "-c", "cat; echo $X; exit 7"}, Env: []string{"X=env"}, Stdin: strings.NewReader("stdin\n"), Stdout: &out,
			})
			if err != nil || code != 7 || out.String() != "stdin\nenv\n" {
				t.Errorf("got code %d, %v, %q", code, err, out.String())
			}
			p, err := m.Start(context.Background(), agent.Command{Argv: []string{"sleep", "1000"}})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Signal(syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if code, err := p.Wait(); code != 137 || err != nil {
				t.Errorf("a killed program left %d, %v", code, err)
			}
			if _, err := m.Exec(context.Background(), "/no/such/program"); err == nil {
				t.Error("a program that is not there ran")
			}
		})
	}
}
