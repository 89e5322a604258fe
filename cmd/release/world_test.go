//go:build e2e

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// world is a LoongArch kernel's ways, as a user-mode QEMU has them.
type world struct {
	name   string
	qemu   string
	env    []string // for the emulator
	old    bool
	sigset string // bytes of a signal set
}

// worlds are those to try: the old one first, a kernel 4.19 with signal sets of 16 bytes,
// then a new one by a QEMU that nobody has changed. The old one's emulator is nobody's
// package; .ci/oldworld-emulator.md says how to make it. Where it is not, that is a
// failure, unless whoever runs this has said OLDWORLD_QEMU=none: then the new world alone
// is tried, and .ci/worlds says so where it cannot be overlooked.
func worlds(t *testing.T) []world {
	t.Helper()
	qemu, err := exec.LookPath("qemu-loongarch64-static")
	if err != nil {
		t.Fatalf("there is no emulator of the new world: %v\nInstall qemu-user-static, as `make worlds` does.", err)
	}
	recent := world{"new world", qemu, nil, false, "8"}
	qemu = os.Getenv("OLDWORLD_QEMU")
	switch qemu {
	case "none":
		return []world{recent}
	case "":
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		qemu = filepath.Join(cache, "goxin-lab/qemu-loongarch64-oldworld")
	}
	if _, err := os.Stat(qemu); err != nil {
		t.Fatalf("there is no emulator of the old world: %v\nSet OLDWORLD_QEMU to its path (.ci/oldworld-emulator.md says how to make it), or to none, and nothing is proved about the old world.", err)
	}
	return []world{{"old world", qemu, []string{"QEMU_UNAME=4.19.190"}, true, "16"}, recent}
}

// inEach tries the same in each world.
func inEach(t *testing.T, try func(*testing.T, world)) {
	for _, w := range worlds(t) {
		t.Run(w.name, func(t *testing.T) { try(t, w) })
	}
}

// enter has the kernel run this architecture's programs by the emulator, in a namespace
// of its own, so that a program can start itself again; what else the machine has
// registered for them is left alone. It waits for the program instead of becoming it: as
// process 1 a program would be spared the signals that it sends to itself.
const enter = `
dir=$(mktemp -d)
trap 'umount "$dir"; rmdir "$dir"' EXIT
mount -t binfmt_misc binfmt_misc "$dir"
printf '%s' ":loongarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x02\x01:\xff\xff\xff\xff\xff\xff\xff\xfc\x00\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:$1:F" >"$dir/register"
shift
code=0
"$@" || code=$?
exit $code
`

// command is a program in the world.
func (w world) command(t *testing.T, argv ...string) *exec.Cmd {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), limit(t))
	t.Cleanup(stop)
	c := exec.CommandContext(ctx, "unshare", append([]string{
		"--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
		"sh", "-ec", enter, "sh", w.qemu,
	}, argv...)...)
	c.Env = append(os.Environ(), w.env...)
	return c
}

// limit is how long a program may take: as long as the test may.
func limit(t *testing.T) time.Duration {
	if end, ok := t.Deadline(); ok {
		return time.Until(end) - 5*time.Second
	}
	return time.Hour
}

// run gives what a program says and its exit code: 139 if a SIGSEGV ended it.
func (w world) run(t *testing.T, argv ...string) (stdout string, code int) {
	t.Helper()
	c := w.command(t, argv...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			t.Fatal(err)
		}
		t.Logf("%s: %v: %v: %.2000s", w.name, argv, err, &errs)
		return out.String(), exit.ExitCode()
	}
	return out.String(), 0
}

// does runs a program that has to end well.
func (w world) does(t *testing.T, argv ...string) string {
	t.Helper()
	out, code := w.run(t, argv...)
	if code != 0 {
		t.Fatalf("%v: exit code %d\n%.4000s", argv, code, out)
	}
	return out
}
