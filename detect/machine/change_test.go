package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMkdirIsExact(t *testing.T) {
	dir := t.TempDir()
	m := Root(dir)
	was := syscall.Umask(0o077)
	defer syscall.Umask(was)
	if err := m.Mkdir("/d", 0o777|fs.ModeSticky, Keep); err != nil {
		t.Fatal(err)
	}
	if i, err := m.Stat("/d"); err != nil || i.Mode != fs.ModeDir|0o777|fs.ModeSticky {
		t.Errorf("%+v, %v", i, err)
	}
	if err := m.Mkdir("/d", 0o755, Keep); !errors.Is(err, fs.ErrExist) {
		t.Errorf("twice: %v", err)
	}
	if err := m.Mkdir("/a/b", 0o755, Keep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("two levels: %v", err)
	}
	if os.Geteuid() == 0 {
		if err := m.Mkdir("/o", 0o755, Owner{7, 8}); err != nil {
			t.Error(err)
		}
		if i, err := m.Stat("/o"); err != nil || i.UID != 7 || i.GID != 8 {
			t.Errorf("%+v, %v", i, err)
		}
	}
}

func TestRemoveTakesTheLinkAndNotWhatItLeadsTo(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f x", "l l f", "d d", "f full/f x", "l up full")
	m := Root(dir)
	for _, name := range []string{"/l", "/d", "/up/f", "/up"} {
		if err := m.Remove(name); err != nil {
			t.Error(err)
		}
	}
	plant(t, dir, "f full/g x")
	for name, want := range map[string]error{"/full": unix.ENOTEMPTY, "/none": fs.ErrNotExist, "/": unix.EBUSY} {
		if err := m.Remove(name); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir); got != "f full" {
		t.Errorf("left: %s", got)
	}
}

func TestSymlinkReplacesALinkAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f x", "d d", "l l f", "f .new.goxin-new stale")
	m := Root(dir)
	for _, name := range []string{"/l", "/new"} {
		if err := m.Symlink("/etc/target", name); err != nil {
			t.Error(err)
		}
		if got, err := m.Readlink(name); err != nil || got != "/etc/target" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"/f", "/d"} {
		if err := m.Symlink("x", name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir); got != "d f l new" {
		t.Errorf("left: %s", got)
	}
}

func TestRenameMovesTheLinkItself(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f a/f x", "l a/l f", "d b", "l c b", "f b/old y")
	m := Root(dir)
	if err := m.Rename("/a/l", "/c/l"); err != nil {
		t.Error(err)
	}
	if err := m.Rename("/a/f", "/c/old"); err != nil {
		t.Error(err)
	}
	if got, err := m.Readlink("/b/l"); err != nil || got != "f" {
		t.Errorf("%q, %v", got, err)
	}
	if got := content(t, filepath.Join(dir, "b/old")); got != "x" {
		t.Errorf("%q", got)
	}
	if err := m.Rename("/none", "/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestModeOwnerAndAttributesOfWhatALinkLeadsTo(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f f x", "l l /f")
	m := Root(dir)
	if err := m.Chmod("/l", 0o4701); err != nil { // as a raw number, 04000 is not fs.ModeSetuid
		t.Error(err)
	}
	if i, err := m.Stat("/f"); err != nil || i.Mode != 0o701 {
		t.Errorf("%+v, %v", i, err)
	}
	if err := m.Chmod("/l", 0o700|fs.ModeSetuid); err != nil {
		t.Error(err)
	}
	if i, err := m.Stat("/f"); err != nil || i.Mode != 0o700|fs.ModeSetuid {
		t.Errorf("%+v, %v", i, err)
	}
	if err := m.Chown("/l", Keep); err != nil {
		t.Error(err)
	}
	err := m.SetXattr("/l", "user.note", []byte("n"))
	if errors.Is(err, unix.ENOTSUP) {
		return // a tmpfs without user attributes
	}
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.Xattr("/f", "user.note"); err != nil || string(got) != "n" {
		t.Errorf("%q, %v", got, err)
	}
	if err := m.SetXattr("/l", "user.note", nil); err != nil {
		t.Error(err)
	}
	if got, err := m.Xattr("/f", "user.note"); !errors.Is(err, unix.ENODATA) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCleanRemovesOnlyLeftovers(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f etc/f x", "l l etc/f", "f etc/.f.goxin-new half", "l .l.goxin-new x",
		"f other/.f.goxin-new theirs", "d .tree.goxin-new/a/b", "f .tree.goxin-new/a/c x", "l .tree.goxin-new/out /etc")
	m := Root(dir)
	for _, name := range []string{"/l", "/l", "/tree", "/none/x", "/etc/f/x"} {
		if err := m.Clean(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir) + "; " + names(t, dir+"/etc") + "; " + names(t, dir+"/other"); got != "etc l other; f; .f.goxin-new" {
		t.Errorf("left: %s", got)
	}
}

func TestRemoveAllTakesATreeAndFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "f go/bin/go x", "l go/out /keep", "d go/.hidden", "f keep/f x", "l l keep", "f f x", "f .go.goxin-new/stale x")
	m := Root(dir)
	for _, name := range []string{"/go", "/l", "/f"} {
		if err := m.RemoveAll(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := names(t, dir) + "; " + names(t, dir+"/keep"); got != "keep; f" {
		t.Errorf("left: %s", got)
	}
	for name, want := range map[string]error{"/none": fs.ErrNotExist, "/keep/f/x": unix.ENOTDIR, "/": unix.EBUSY} {
		if err := m.RemoveAll(name); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
