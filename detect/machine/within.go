package machine

import (
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// within makes things below a directory and nowhere else: it takes relative
// names that do not climb, and every directory on the way is opened without
// following a link, whatever was put there before.
type within struct{ top *os.File }

// openWithin opens dir itself, which must not be a link.
func openWithin(dir string) (within, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	return within{f}, err
}

func (w within) close() error { return w.top.Close() }

// parent opens the directory name is in. The caller closes it.
func (w within) parent(name string) (dir int, base string, err error) {
	parts := strings.Split(name, "/")
	for _, p := range parts {
		if p == "" || p == "." || p == ".." || strings.ContainsRune(p, 0) {
			return -1, "", fs.ErrInvalid
		}
	}
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	dir, err = openat(int(w.top.Fd()), ".", flags, 0)
	last := len(parts) - 1
	for _, p := range parts[:last] {
		if err != nil {
			return -1, "", err
		}
		up := dir
		dir, err = openat(up, p, flags, 0)
		unix.Close(up)
	}
	return dir, parts[last], err
}

func (w within) mkdir(name string, mode fs.FileMode) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	if err := unix.Mkdirat(dir, base, 0o700); err != nil {
		return err
	}
	d, err := openat(dir, base, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(d), base)
	defer f.Close()
	return f.Chmod(mode & modeBits)
}

// create opens a new file for writing; whoever closes it gives it its mode.
func (w within) create(name string) (*os.File, error) {
	dir, base, err := w.parent(name)
	if err != nil {
		return nil, err
	}
	defer unix.Close(dir)
	fd, err := openat(dir, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), base), nil
}

func (w within) symlink(target, name string) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return unix.Symlinkat(target, dir, base)
}

// link makes name another name of the file from.
func (w within) link(from, name string) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	old, oldBase, err := w.parent(from)
	if err != nil {
		return err
	}
	defer unix.Close(old)
	return unix.Linkat(old, oldBase, dir, base, 0)
}

// chown gives away name itself, be it a link.
func (w within) chown(name string, owner Owner) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	return unix.Fchownat(dir, base, owner.UID, owner.GID, unix.AT_SYMLINK_NOFOLLOW)
}

// chmod changes a file or directory; a link in its place is an error.
func (w within) chmod(name string, mode fs.FileMode) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	fd, err := openat(dir, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), base)
	defer f.Close()
	return f.Chmod(mode & modeBits)
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}
