package machine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	oldData = "the old data\n"
	newData = "the new data, which is longer\n"
)

func TestWriteFileSetsTheModeWhateverTheUmask(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077, 0o777} {
		for _, c := range []struct {
			mode fs.FileMode
			want uint32
		}{
			{0o644, 0o644},
			{0o600, 0o600},
			{0o777, 0o777},
			{0o000, 0o000},
			{0o440, 0o440},
			{0o755 | fs.ModeSetuid, 0o4755},
			{0o2755, 0o755},
			{0o755 | fs.ModeSetgid, 0o2755},
			{0o666 | fs.ModeSticky, 0o1666},
		} {
			for _, exists := range []bool{false, true} {
				dir := t.TempDir()
				if exists {
					plant(t, dir, "f f "+oldData)
				}
				was := syscall.Umask(umask)
				err := Root(dir).WriteFile("/f", []byte(newData), c.mode, Keep)
				syscall.Umask(was)
				var st syscall.Stat_t
				if err == nil {
					err = syscall.Lstat(filepath.Join(dir, "f"), &st)
				}
				if err != nil || uint32(st.Mode)&0o7777 != c.want {
					t.Errorf("umask %o, mode %v, existing %v: %o, %v", umask, c.mode, exists, st.Mode&0o7777, err)
				}
				if got := names(t, dir); got != "f" {
					t.Errorf("left behind: %s", got)
				}
			}
		}
	}
}

func TestWriteFileKeepsTheOwnerUnlessTold(t *testing.T) {
	me := Owner{os.Geteuid(), os.Getegid()}
	them := me
	if me.UID == 0 {
		them = Owner{1234, 4321}
	}
	for _, c := range []struct {
		name      string
		was, give Owner
		want      Owner
	}{
		{"new, kept", Owner{-1, -1}, Keep, me},
		{"new, given", Owner{-1, -1}, them, them},
		{"there, kept", them, Keep, them},
		{"there, given", them, me, me},
		{"only the group", them, Owner{-1, me.GID}, Owner{them.UID, me.GID}},
	} {
		dir := t.TempDir()
		if c.was.UID >= 0 {
			plant(t, dir, "f f "+oldData)
			if err := os.Chown(filepath.Join(dir, "f"), c.was.UID, c.was.GID); err != nil {
				t.Fatal(err)
			}
		}
		err := Root(dir).WriteFile("/f", []byte(newData), 0o755|fs.ModeSetuid, c.give)
		i, e := Root(dir).Stat("/f")
		if err != nil || e != nil || (Owner{i.UID, i.GID}) != c.want {
			t.Errorf("%s: %+v, %v %v; want %+v", c.name, i, err, e, c.want)
		}
		if i.Mode != 0o755|fs.ModeSetuid {
			t.Errorf("%s: mode %v", c.name, i.Mode)
		}
	}
}

func TestWriteFileDoesNotChownWhatIsItsOwn(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f x")
	m := Root(dir, WithEffects(func(effect, _ string) error {
		if effect == "chown" {
			t.Error("chown")
		}
		return nil
	}))
	if err := m.WriteFile("/f", nil, 0o644, Owner{os.Geteuid(), os.Getegid()}); err != nil {
		t.Error(err)
	}
}

func TestWriteFileWritesWhereALinkLeadsAndLeavesTheLink(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "tree")
	plant(t, outside, "f etc/f outside", "f made outside")
	plant(t, dir, "f etc/f "+oldData, "l abs /etc/f", "l chain abs", "l climb ../etc/f",
		"l dangling /etc/new", "l danglingclimb ../made", "l nowhere /none/x")
	for _, c := range []struct{ name, leads string }{
		{"/abs", "etc/f"},
		{"/chain", "etc/f"},
		{"/climb", "etc/f"},
		{"/dangling", "etc/new"},
		{"/danglingclimb", "made"},
	} {
		data := "through " + c.name
		if err := Root(dir).WriteFile(c.name, []byte(data), 0o644, Keep); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := content(t, filepath.Join(dir, c.leads)); got != data {
			t.Errorf("%s: %q", c.name, got)
		}
		if fi, err := os.Lstat(dir + c.name); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no longer a link: %v", c.name, err)
		}
	}
	if err := Root(dir).WriteFile("/nowhere", nil, 0o644, Keep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into a missing directory: %v", err)
	}
	if got := content(t, filepath.Join(outside, "etc/f")) + content(t, filepath.Join(outside, "made")); got != "outsideoutside" {
		t.Errorf("escaped: %q", got)
	}
	if err := Local().WriteFile(filepath.Join(dir, "climb"), []byte("host"), 0o644, Keep); err != nil {
		t.Error(err)
	}
	if got := content(t, filepath.Join(outside, "etc/f")); got != "host" {
		t.Errorf("the local machine's link leads to %q", got)
	}
}

func TestWriteFileRefusesWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "d d", "l l d")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"/d", "/l", "/pipe", "/"} {
		for what, err := range map[string]error{
			"write":  Root(dir).WriteFile(name, nil, 0o644, Keep),
			"append": Root(dir).Append(name, []byte("x"), 0o644),
		} {
			if err == nil {
				t.Errorf("%s %s: no error", what, name)
			}
		}
	}
	if got := names(t, dir); got != "d l pipe" {
		t.Errorf("left: %s", got)
	}
}

func TestAFileWithTheLongestNameCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	name := "/" + strings.Repeat("n", 255)
	m := Root(dir, WithEffects(failAt(4)))
	if err := m.WriteFile(name, []byte(newData), 0o644, Keep); !errors.Is(err, errDied) {
		t.Fatal(err)
	}
	if err := Root(dir).Clean(name); err != nil || names(t, dir) != "" {
		t.Errorf("%v, left %q", err, names(t, dir))
	}
	if err := Root(dir).WriteFile(name, []byte(newData), 0o644, Keep); err != nil {
		t.Error(err)
	}
}

// fullDisk is a directory with little room: a file system of its own, or nil
// where this process may not mount one.
func fullDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("machine-test", dir, "tmpfs", 0, options)
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestAFullDiskLeavesTheOldFileAndNothingElse(t *testing.T) {
	const room = 64 << 10
	check := func(t *testing.T, dir string) {
		if got := content(t, filepath.Join(dir, "f")); got != oldData {
			t.Errorf("the file is %.40q", got)
		}
		if got := content(t, filepath.Join(dir, "log")); got != oldData {
			t.Errorf("the log is %d bytes", len(got))
		}
		if got := names(t, dir); got != "f log" {
			t.Errorf("left behind: %s", got)
		}
	}
	// A limit on the size of files meets the same writes with EFBIG, and needs
	// no privilege.
	dir := t.TempDir()
	plant(t, dir, "f f "+oldData, "f log "+oldData)
	if out, err := play(t, "small", dir, "4096").CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	check(t, dir)

	if dir = fullDisk(t, fmt.Sprintf("size=%d", room)); dir == "" {
		return
	}
	plant(t, dir, "f f "+oldData, "f log "+oldData)
	m := Root(dir)
	if err := m.WriteFile("/f", make([]byte, 2*room), 0o644, Keep); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("WriteFile: %v", err)
	}
	if err := m.Append("/log", make([]byte, 2*room), 0o644); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Append: %v", err)
	}
	check(t, dir)
	if s, err := m.Space("/no/such/place"); err != nil || s.Total != room || s.Free == 0 || s.Free > room {
		t.Errorf("Space: %+v, %v", s, err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"WriteFile, there": m.WriteFile("/f", nil, 0o644, Keep),
		"WriteFile, new":   m.WriteFile("/g", nil, 0o644, Keep),
		"Append":           m.Append("/log", nil, 0o644),
		"Mkdir":            m.Mkdir("/d", 0o755, Keep),
		"Symlink":          m.Symlink("x", "/l"),
		"Remove":           m.Remove("/f"),
	} {
		if !errors.Is(err, unix.EROFS) {
			t.Errorf("%s on a read-only disk: %v", what, err)
		}
	}
	check(t, dir)
}

func TestABindMountedFileIsRewrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f host "+oldData, "f f covered")
	f := filepath.Join(dir, "f")
	err := unix.Mount(filepath.Join(dir, "host"), f, "", unix.MS_BIND, "")
	mounts := err == nil
	if mounts {
		defer func() { _ = unix.Unmount(f, unix.MNT_DETACH) }()
		err = Root(dir).WriteFile("/f", []byte(newData), 0o640, Keep)
	} else {
		err = Root(dir).(*tree).rewrite("/host", filepath.Join(dir, "host"), []byte(newData), 0o640, Keep)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "host")); got != newData {
		t.Errorf("%q", got)
	}
	if fi, err := os.Stat(filepath.Join(dir, "host")); err != nil || fi.Mode() != 0o640 {
		t.Errorf("%v, %v", fi, err)
	}
	if mounts {
		if err := Root(dir).WriteFile("/f", []byte("short"), 0o640, Keep); err != nil {
			t.Error(err)
		}
		if got := content(t, f); got != "short" {
			t.Errorf("%q", got)
		}
	}
	if got := names(t, dir); got != "f host" {
		t.Errorf("left behind: %s", got)
	}
}

func TestAWritableFileInAReadOnlyDirectoryIsRewritten(t *testing.T) {
	dir, file := fullDisk(t, "size=64k"), filepath.Join(t.TempDir(), "file")
	if dir == "" {
		return // what it comes to is tested with the bind mount
	}
	plant(t, dir, "f f covered")
	if err := os.WriteFile(file, []byte(oldData), 0o644); err != nil {
		t.Fatal(err)
	}
	f := filepath.Join(dir, "f")
	if err := errors.Join(
		unix.Mount(file, f, "", unix.MS_BIND, ""),
		unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY|unix.MS_BIND, ""),
	); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Unmount(f, unix.MNT_DETACH) }()
	if err := Root(dir).WriteFile("/f", []byte(newData), 0o644, Keep); err != nil {
		t.Fatal(err)
	}
	if got := content(t, file); got != newData {
		t.Errorf("%q", got)
	}
}

func TestTheSELinuxContextStays(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f "+oldData)
	m := Root(dir)
	label := []byte("system_u:object_r:etc_t:s0\x00")
	if err := m.SetXattr("/f", seLabel, label); err != nil {
		label = nil // not root, or a file system without labels: then there is none to keep
	}
	if err := m.WriteFile("/f", []byte(newData), 0o644, Keep); err != nil {
		t.Fatal(err)
	}
	got, err := m.Xattr("/f", seLabel)
	if label != nil && (err != nil || !bytes.Equal(got, label)) {
		t.Errorf("%q, %v", got, err)
	}
	if label == nil && !errors.Is(err, unix.ENODATA) && !errors.Is(err, unix.ENOTSUP) && err != nil {
		t.Error(err)
	}
	if _, err := m.Xattr("/none", seLabel); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestAppendAdds(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "d log", "l l /log/f")
	m := Root(dir)
	was := syscall.Umask(0o077)
	defer syscall.Umask(was)
	for i := range 3 {
		if err := m.Append("/l", []byte{byte('a' + i)}, 0o664); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, filepath.Join(dir, "log/f")); got != "abc" {
		t.Errorf("%q", got)
	}
	if i, err := m.Stat("/l"); err != nil || i.Mode != 0o664 {
		t.Errorf("%+v, %v", i, err)
	}
}
