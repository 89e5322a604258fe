package machine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// plant makes a tree from lines: "d NAME", "f NAME CONTENT", "l NAME TARGET".
func plant(t testing.TB, dir string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		kind, rest, _ := strings.Cut(line, " ")
		name, arg, _ := strings.Cut(rest, " ")
		at := filepath.Join(dir, name)
		err := os.MkdirAll(filepath.Dir(at), 0o755)
		switch {
		case err != nil:
		case kind == "d":
			err = os.MkdirAll(at, 0o755)
		case kind == "f":
			err = os.WriteFile(at, []byte(arg), 0o644)
		case kind == "l":
			err = os.Symlink(arg, at)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func content(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(t testing.TB, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return strings.Join(out, " ")
}

func TestATreeResolvesLinksInsideItself(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "tree")
	plant(t, outside, "f secret outside", "f etc/passwd outside")
	plant(t, dir,
		"f secret inside", "f etc/passwd inside", "f usr/lib/os-release inside", "d usr/bin", "f usr/bin/go inside",
		"l etc/os-release ../usr/lib/os-release",
		"l bin usr/bin",
		"l abs /etc/passwd",
		"l absdir /usr/",
		"l climb ../../../../secret",
		"l climbabs /../../secret",
		"l etc/up ..",
		"l chain chain2", "l chain2 /etc/up/abs",
		"l dangling /etc/none", "l danglingdir /none/x",
		"l loop loop2", "l loop2 loop", "l self self/x",
		"l through etc/passwd/x",
		"l host "+filepath.Join(outside, "secret"),
		"l a:b etc/passwd",
	)
	for i := range 45 {
		plant(t, dir, fmt.Sprintf("l n%d n%d", i, i+1))
	}
	plant(t, dir, "f n45 inside")

	for _, c := range []struct {
		name string
		want string // below the tree; "" for err
		err  error
	}{
		{"/secret", "/secret", nil},
		{"/", "/", nil},
		{"//etc//./passwd", "/etc/passwd", nil},
		{"/../../secret", "/secret", nil},
		{"/etc/os-release", "/usr/lib/os-release", nil},
		{"/bin/go", "/usr/bin/go", nil},
		{"/bin/../secret", "", syscall.ENOENT}, // usr/secret, as the kernel has it
		{"/bin/../lib/os-release", "/usr/lib/os-release", nil},
		{"/abs", "/etc/passwd", nil},
		{"/absdir/bin/go", "/usr/bin/go", nil},
		{"/climb", "/secret", nil},
		{"/climbabs", "/secret", nil},
		{"/etc/up/secret", "/secret", nil},
		{"/etc/up/../../../secret", "/secret", nil},
		{"/chain", "/etc/passwd", nil},
		{"/a:b", "/etc/passwd", nil},
		{"/dangling", "/etc/none", nil},
		{"/danglingdir", "", syscall.ENOENT},
		{"/none/x", "", syscall.ENOENT},
		{"/host", "", syscall.ENOENT},
		{"/loop", "", syscall.ELOOP},
		{"/self", "", syscall.ELOOP},
		{"/n0", "", syscall.ELOOP},
		{"/n5", "/n45", nil},
		{"/n4", "", syscall.ELOOP},
		{"/through", "", syscall.ENOTDIR},
		{"/secret/x", "", syscall.ENOTDIR},
		{"relative", "", fs.ErrInvalid},
		{"", "", fs.ErrInvalid},
		{"/a\x00b", "", syscall.EINVAL},
	} {
		m := Root(dir).(*tree)
		got, err := m.resolve(c.name, true)
		if c.err == nil && got != dir+c.want || !errors.Is(err, c.err) {
			// A missing last component is for whoever opens it.
			if errors.Is(c.err, syscall.ENOENT) && err == nil {
				_, err = os.Lstat(got)
			}
			if c.err == nil || !errors.Is(err, c.err) {
				t.Errorf("%q: %q, %v; want %q, %v", c.name, got, err, c.want, c.err)
			}
		}
		if want, ok := kernelSays(dir, c.name); ok && strings.TrimSuffix(got, "/") != want && c.name != "relative" {
			t.Errorf("%q: %q, %v; the kernel says %q", c.name, got, err, want)
		}
		if c.err == nil && filepath.Base(c.want) != "none" && c.want != "/" {
			if b, err := m.ReadFile(c.name); err != nil || string(b) != "inside" {
				t.Errorf("%q reads %q, %v", c.name, b, err)
			}
		}
		if c.err != nil {
			if b, err := m.ReadFile(c.name); err == nil {
				t.Errorf("%q reads %q", c.name, b)
			}
		}
	}
}

func TestALinkInTheLastPlaceIsFollowedOnlyWhenAsked(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f etc/f 12345", "l etc/l /etc/f", "l d etc", "l loop loop")
	m := Root(dir)
	if i, err := m.Lstat("/d/l"); err != nil || i.Mode&fs.ModeSymlink == 0 {
		t.Errorf("Lstat: %+v, %v", i, err)
	}
	if i, err := m.Stat("/d/l"); err != nil || !i.Mode.IsRegular() || i.Size != 5 || i.UID != os.Geteuid() {
		t.Errorf("Stat: %+v, %v", i, err)
	}
	if s, err := m.Readlink("/d/l"); err != nil || s != "/etc/f" {
		t.Errorf("Readlink: %q, %v", s, err)
	}
	if s, err := m.ReadDir("/d"); err != nil || strings.Join(s, " ") != "f l" {
		t.Errorf("ReadDir: %q, %v", s, err)
	}
	if _, err := m.Lstat("/loop"); err != nil {
		t.Error(err)
	}
	_, err := m.Stat("/none")
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "stat /none: no such file or directory" {
		t.Errorf("a missing file is told as %v", err)
	}
	if got := m.(Rooted).HostPath("/d/l"); got != dir+"/etc/f" {
		t.Errorf("HostPath: %s", got)
	}
	if got := m.(Rooted).HostPath("/../no/such"); got != dir+"/no/such" {
		t.Errorf("HostPath of nothing: %s", got)
	}
	if got := Local().(Rooted).HostPath("/proc"); got != "/proc" {
		t.Errorf("HostPath of the local machine: %s", got)
	}
}

func TestAPipeDoesNotHangAReader(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := Root(dir).ReadFile("/pipe"); err != nil || len(b) != 0 {
		t.Errorf("%q, %v", b, err)
	}
}

func TestOpenStreams(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f inside", "l l /f")
	f, err := Root(dir).Open("/l")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); err != nil || string(b) != "inside" {
		t.Errorf("%q, %v", b, err)
	}
	if f, err := Root(dir).Open("/none"); !errors.Is(err, fs.ErrNotExist) || f != nil {
		t.Errorf("%v, %v", f, err)
	}
}

func TestAFileTooLargeIsNotRead(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f big x")
	if err := os.Truncate(filepath.Join(dir, "big"), maxFile+1); err != nil {
		t.Fatal(err)
	}
	if b, err := Root(dir).ReadFile("/big"); !errors.Is(err, syscall.EFBIG) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestTheLocalMachineFollowsLinksOnlyTheKernelKnows(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "gone"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("still"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	b, err := Local().ReadFile(fmt.Sprintf("/proc/self/fd/%d", f.Fd()))
	if err != nil || string(b) != "still" {
		t.Errorf("%q, %v", b, err)
	}
}

// kernelSays asks openat2(2), where this kernel has it, what name is inside dir.
func kernelSays(dir, name string) (string, bool) {
	top, err := os.Open(dir)
	if err != nil {
		return "", false
	}
	defer top.Close()
	fd, err := unix.Openat2(int(top.Fd()), name, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
	if err != nil {
		return "", false
	}
	defer unix.Close(fd)
	at, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
	return at, err == nil
}

// FuzzResolve plants links made of the input and asks for a name made of it:
// what comes back must, for the kernel too, be inside the tree.
func FuzzResolve(f *testing.F) {
	f.Add("../../x\n/d/../../x\nd/..", "/l0/l1/../l2")
	f.Add("/\n..\nl1/l1", "/l2/../l2/d")
	f.Add("l1\nl0\n/l2", "/l0")
	f.Add("d/f/..\n/d/l3\n../../../etc", "/l1/passwd")
	f.Fuzz(func(t *testing.T, links, name string) {
		top, err := filepath.EvalSymlinks(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(top, "tree")
		plant(t, dir, "f d/f inside", "d d/e")
		for i, target := range strings.Split(links, "\n") {
			if i < 20 && target != "" {
				_ = os.Symlink(target, fmt.Sprintf("%s/l%d", dir, i))
				_ = os.Symlink(target, fmt.Sprintf("%s/d/l%d", dir, i))
			}
		}
		m := Root(dir).(*tree)
		for _, follow := range []bool{true, false} {
			got, err := m.resolve(name, follow)
			if err != nil {
				if want, ok := kernelSays(dir, name); ok && follow && strings.HasPrefix(name, "/") {
					t.Fatalf("%q: %v, the kernel says %q", name, err, want)
				}
				continue
			}
			at := got
			if _, err := os.Stat(at); err != nil || !follow {
				at = filepath.Dir(strings.TrimSuffix(got, "/"))
				if got == dir+"/" {
					at = dir
				}
			}
			real, err := filepath.EvalSymlinks(at)
			if err != nil || real != dir && !strings.HasPrefix(real, dir+"/") {
				t.Fatalf("%q leads to %q, which is %q, %v", name, got, real, err)
			}
			if want, ok := kernelSays(dir, name); ok && follow && want != strings.TrimSuffix(got, "/") {
				t.Fatalf("%q leads to %q, the kernel says %q", name, got, want)
			}
			if real != strings.TrimSuffix(at, "/") {
				t.Fatalf("%q leads to %q, which still has links: %q", name, got, real)
			}
		}
		_ = m.WriteFile(name, []byte("x"), 0o600, Keep)
		_ = m.Symlink("x", name)
		_ = m.Clean(name)
		if got := names(t, top); got != "tree" {
			t.Fatalf("writing %q left %q beside the tree", name, got)
		}
	})
}
