package machine

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func sh(script string) Command { return Command{Argv: []string{"sh", "-c", script}} }

// run runs c on the local machine and collects its lines.
func run(t *testing.T, c Command) ([]string, error) {
	t.Helper()
	var lines []string
	err := Local().Run(t.Context(), c, func(line string) { lines = append(lines, line) })
	return lines, err
}

func TestRunHandsOnLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, c := range []struct {
		name, script string
		want         []string
	}{
		{"lines", `printf 'a\nb\n'`, []string{"a", "b"}},
		{"no last newline", `printf 'a\nb'`, []string{"a", "b"}},
		{"empty lines", `printf '\na\n\nb\n'`, []string{"", "a", "", "b"}},
		{"progress", `printf '1%%\r2%%\r\n\rdone\r\n\nend\r'`, []string{"1%", "2%", "done", "", "end"}},
		{"both streams", `echo a; sleep 0.05; echo b >&2`, []string{"a", "b"}},
		{"long", `head -c 200000 /dev/zero | tr '\0' x; echo; echo next`, []string{long, "next"}},
		{"exactly long", `head -c 65536 /dev/zero | tr '\0' x; echo; echo next`, []string{long, "next"}},
		{"nothing", `:`, nil},
		{"no input", `cat`, nil},
		{"input", `printf 'x\n' | cat`, []string{"x"}},
		{"directory", `pwd`, []string{"/"}},
		{"language", `echo $LC_ALL $HOME $PATH`, []string{"C /root " + searchPath}},
	} {
		got, err := run(t, sh(c.script))
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %.200q, %v", c.name, got, err)
		}
	}
}

func TestRunTakesEnvironmentDirectoryAndInput(t *testing.T) {
	t.Setenv("LEAK", "leaked")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := sh(`echo "$A $LEAK$LC_ALL"; pwd; cat`)
	c.Env, c.Dir, c.Stdin = []string{"A=b"}, dir, strings.NewReader("in\n")
	if got, err := run(t, c); err != nil || !slices.Equal(got, []string{"b C", dir, "in"}) {
		t.Errorf("%q, %v", got, err)
	}
	c.Dir = dir + "/none"
	if _, err := run(t, c); err == nil || !strings.Contains(err.Error(), c.Dir) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestRunDoesNotExpandAnything(t *testing.T) {
	got, err := run(t, Command{Argv: []string{"echo", "$HOME", "*", ";", "`id`"}})
	if err != nil || !slices.Equal(got, []string{"$HOME * ; `id`"}) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRunSaysHowAProgramEnded(t *testing.T) {
	_, err := run(t, sh(`echo out; for i in 0 1 2 3 4 5 6 7 8 9; do head -c 250 /dev/zero | tr '\0' y >&2; echo >&2; done; echo 'no such package' >&2; exit 7`))
	var exit *ExitError
	if !errors.As(err, &exit) || exit.Code != 7 || len(exit.Stderr) != stderrTail {
		t.Fatalf("%#v", err)
	}
	if got := err.Error(); !strings.HasSuffix(got, "exit 7 exited with 7: no such package") {
		t.Errorf("%s", got)
	}
	_, err = run(t, sh(`echo 'go tool dist: FAILED: compile' $(seq 2000)': exit status 2' >&2; exit 2`))
	if got := err.Error(); len(got) > 600 || !strings.Contains(got, "exited with 2: go tool dist: FAILED: compile 1 2 ") || !strings.HasSuffix(got, "2000: exit status 2") {
		t.Errorf("of a long line not both ends, and no more: %s", got)
	}
	_, err = run(t, sh(`kill -KILL $$`))
	if !errors.As(err, &exit) || exit.Code != -1 || !strings.Contains(err.Error(), "killed by a signal") {
		t.Errorf("%v", err)
	}
	for _, argv := range [][]string{{"no-such-program-here"}, {"/no/such/program"}} {
		_, err := run(t, Command{Argv: argv})
		if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: %v", argv, err)
		}
	}
	for _, argv := range [][]string{nil, {"./relative"}, {"/etc"}} {
		if _, err := run(t, Command{Argv: argv}); err == nil {
			t.Errorf("%q ran", argv)
		}
	}
}

func TestRunSearchesItsOwnPath(t *testing.T) {
	t.Setenv("PATH", "/none")
	if got, err := run(t, sh("echo found")); err != nil || !slices.Equal(got, []string{"found"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// gone waits until the process is no more, or only its parent's to reap.
func gone(pid int) bool {
	for range 100 {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil {
			return true
		}
		if _, after, _ := strings.Cut(string(b), ") "); strings.HasPrefix(after, "Z") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestRunEndsTheWholeProcessGroup(t *testing.T) {
	for _, c := range []struct {
		name, script string
		within       time.Duration
	}{
		{"willing", `sleep 100 & echo $!; sleep 100`, time.Second},
		{"leader gone first", `(trap '' TERM; while :; do sleep 1; done) & echo $!; sleep 100`, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			start, child := time.Now(), 0
			err := Local().Run(ctx, sh(c.script), func(line string) {
				child, _ = strconv.Atoi(line)
				cancel()
			})
			if !errors.Is(err, context.Canceled) || time.Since(start) > c.within {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if child == 0 || !gone(child) {
				t.Errorf("process %d lives on", child)
			}
		})
	}
}

func TestRunStopsAtItsTimeLimit(t *testing.T) {
	t.Parallel()
	c := sh(`trap '' TERM; echo ready; while :; do sleep 1; done`)
	c.Timeout = 100 * time.Millisecond
	start := time.Now()
	_, err := run(t, c)
	if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took < grace || took > 2*grace {
		t.Errorf("%v after %v", err, took)
	}
}

func TestRunDoesNotWaitForADaemonOnItsPipes(t *testing.T) {
	t.Parallel()
	start := time.Now()
	lines, err := run(t, sh(`sleep 30 & echo $!; printf last`))
	if took := time.Since(start); err != nil || took > 2*grace {
		t.Errorf("%v after %v", err, took)
	}
	if len(lines) != 2 || lines[1] != "last" {
		t.Fatalf("%q", lines)
	}
	pid, _ := strconv.Atoi(lines[0])
	if unix.Kill(pid, 0) != nil {
		t.Error("the daemon was killed")
	}
	_ = unix.Kill(pid, unix.SIGKILL)
}

func TestRunLeavesTheSessionOfTheTerminal(t *testing.T) {
	got, err := run(t, sh(`echo $$; cut -d' ' -f5 /proc/$$/stat; cut -d' ' -f6 /proc/$$/stat`))
	if err != nil || len(got) != 3 || got[0] != got[1] || got[0] != got[2] {
		t.Errorf("pid, process group and session are %q, %v", got, err)
	}
}

func TestACancelledRunDoesNotStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := filepath.Join(t.TempDir(), "f")
	if err := Local().Run(ctx, Command{Argv: []string{"touch", f}}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if _, err := os.Stat(f); err == nil {
		t.Error("it ran")
	}
}

func TestATreeDoesNotRun(t *testing.T) {
	m := Root("/")
	_, dialErr := m.Dial(t.Context(), "tcp", "127.0.0.1:1")
	_, kernelErr := m.Kernel()
	for what, err := range map[string]error{
		"Run":         m.Run(t.Context(), sh("true"), nil),
		"Dial":        dialErr,
		"Kernel":      kernelErr,
		"WriteKernel": m.WriteKernel("/proc/sys/vm/swappiness", nil),
	} {
		if !errors.Is(err, ErrNotRunning) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if m.ID() != "root:/" || Root("/a/../b/").ID() != "root:/b" || Local().ID() != LocalID {
		t.Error("IDs", m.ID(), Root("/a/../b/").ID(), Local().ID())
	}
}

func TestLocalDials(t *testing.T) {
	l := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		err = errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: l}), unix.Listen(fd, 1))
	}
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	c, err := Local().Dial(t.Context(), "unix", l)
	if err != nil {
		t.Fatal(err)
	}
	var _ io.Closer = c
	c.Close()
}

func TestLocalAsksTheKernel(t *testing.T) {
	k, err := Local().Kernel()
	if err != nil {
		t.Fatal(err)
	}
	release, err := Local().ReadFile("/proc/sys/kernel/osrelease")
	if err != nil || k.Release != strings.TrimSpace(string(release)) {
		t.Errorf("release %q, %q, %v", k.Release, release, err)
	}
	if k.Version == "" || k.Machine == "" || k.PageSize != os.Getpagesize() || k.UID != os.Geteuid() {
		t.Errorf("%+v", k)
	}
}

func TestWriteKernelKeepsToTheKernel(t *testing.T) {
	f := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(f, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{f, "/proc/../" + f, "/proc/self/root/" + f, "/proc", "/sys/"} {
		if err := Local().WriteKernel(name, []byte("new")); !errors.Is(err, unix.EPERM) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if b, err := os.ReadFile(f); err != nil || string(b) != "old" {
		t.Errorf("%q, %v", b, err)
	}
	if err := Local().WriteKernel("/proc/sys/no/such", []byte("1")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := Local().WriteKernel("/proc/self/oom_score_adj", []byte("not a number")); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	// Its own score up by one changes nothing that lasts.
	if err := Local().WriteKernel("/proc/self/oom_score_adj", []byte("1\n")); err != nil {
		t.Error(err)
	}
	if b, err := os.ReadFile("/proc/self/oom_score_adj"); err != nil || string(b) != "1\n" {
		t.Errorf("%q, %v", b, err)
	}
}
