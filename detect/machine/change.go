package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

func (t *tree) Mkdir(name string, mode fs.FileMode, owner Owner) error {
	return wrap("mkdir", name, t.mkdir(name, mode, owner))
}

func (t *tree) mkdir(name string, mode fs.FileMode, owner Owner) error {
	host, err := t.resolve(name, false)
	if err != nil {
		return err
	}
	if err := t.effect("mkdir", name); err != nil {
		return err
	}
	if err := os.Mkdir(host, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(host, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := t.adjust(name, f, mode, owner); err != nil {
		if !isAbandoned(err) {
			err = errors.Join(err, t.remove(name, host))
		}
		return err
	}
	return t.syncDir(name, filepath.Dir(host))
}

func (t *tree) Remove(name string) error {
	host, err := t.resolve(name, false)
	if err == nil && host == t.prefix+"/" {
		err = unix.EBUSY
	}
	if err == nil {
		err = t.remove(name, host)
	}
	if err == nil {
		err = t.syncDir(name, filepath.Dir(host))
	}
	return wrap("remove", name, err)
}

// RemoveAll renames name to the name its successor would be made under, removes
// it there, and makes both durable with one fsync: who dies in between leaves
// something that Clean removes. A link is not followed.
func (t *tree) RemoveAll(name string) error {
	return wrap("remove", name, t.vanish(name))
}

func (t *tree) vanish(name string) error {
	host, err := t.resolve(name, false)
	if err != nil {
		return err
	}
	if host == t.prefix+"/" {
		return unix.EBUSY
	}
	if _, err := os.Lstat(host); err != nil {
		return err
	}
	temp := temporary(host)
	if _, err := os.Lstat(temp); err == nil {
		if err := t.removeAll(name, temp); err != nil {
			return err
		}
	}
	if err := t.rename(name, host, temp); err != nil {
		return err
	}
	if err := t.removeAll(name, temp); err != nil {
		return err
	}
	return t.syncDir(name, filepath.Dir(host))
}

// Symlink refuses to replace anything but a link: fs.ErrExist.
func (t *tree) Symlink(target, name string) error {
	return wrap("symlink", name, t.symlink(target, name))
}

func (t *tree) symlink(target, name string) error {
	host, err := t.resolve(name, false)
	if err != nil {
		return err
	}
	if fi, err := os.Lstat(host); err == nil && fi.Mode()&fs.ModeSymlink == 0 {
		return fs.ErrExist
	}
	temp := temporary(host)
	if _, err := os.Lstat(temp); err == nil {
		if err := t.removeAll(name, temp); err != nil {
			return err
		}
	}
	if err := t.effect("symlink", name); err != nil {
		return err
	}
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	if err := t.rename(name, temp, host); err != nil {
		if !isAbandoned(err) {
			err = errors.Join(err, t.remove(name, temp))
		}
		return err
	}
	return t.syncDir(name, filepath.Dir(host))
}

// Rename replaces what is at to, unless that is a directory: fs.ErrExist. Links
// are renamed, not followed.
func (t *tree) Rename(from, to string) error {
	source, err := t.resolve(from, false)
	if err != nil {
		return wrap("rename", from, err)
	}
	host, err := t.resolve(to, false)
	if err == nil {
		err = t.rename(from, source, host)
	}
	if err == nil {
		err = t.syncDir(to, filepath.Dir(host))
	}
	if err == nil && filepath.Dir(source) != filepath.Dir(host) {
		err = t.syncDir(from, filepath.Dir(source))
	}
	return wrap("rename", from, err)
}

func (t *tree) Chmod(name string, mode fs.FileMode) error {
	return t.inode("chmod", name, func(host string) error { return os.Chmod(host, mode&modeBits) })
}

// Chown follows links. It clears setuid and setgid, as the kernel does.
func (t *tree) Chown(name string, owner Owner) error {
	return t.inode("chown", name, func(host string) error { return os.Chown(host, owner.UID, owner.GID) })
}

// SetXattr removes the attribute where value is nil.
func (t *tree) SetXattr(name, attr string, value []byte) error {
	return t.inode("setxattr", name, func(host string) error {
		if value == nil {
			return unix.Removexattr(host, attr)
		}
		return unix.Setxattr(host, attr, value, 0)
	})
}

// inode makes one change to what name leads to, durably.
func (t *tree) inode(kind, name string, change func(host string) error) error {
	host, err := t.resolve(name, true)
	if err == nil {
		err = t.effect(kind, name)
	}
	if err == nil {
		err = change(host)
	}
	if err == nil {
		err = t.syncInode(name, host)
	}
	return wrap(kind, name, err)
}

func (t *tree) syncInode(name, host string) error {
	fi, err := os.Stat(host)
	if err != nil || !fi.Mode().IsRegular() && !fi.IsDir() {
		return nil // a device or pipe has nothing of its own to make durable
	}
	f, err := os.OpenFile(host, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrPermission) {
		return nil // its owner may change a file that he cannot read
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return t.sync(name, f)
}

func (t *tree) Clean(name string) error {
	return wrap("clean", name, t.clean(name))
}

func (t *tree) clean(name string) error {
	places := make(map[string]bool, 2)
	for _, follow := range []bool{false, true} { // Symlink works at the link, WriteFile where it leads
		host, err := t.resolve(name, follow)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || follow && errors.Is(err, unix.ELOOP) {
			continue // nothing can have been begun there
		}
		if err != nil {
			return err
		}
		places[temporary(host)] = true
	}
	for temp := range places {
		_, err := os.Lstat(temp)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = t.removeAll(name, temp)
		}
		if err == nil {
			err = t.syncDir(name, filepath.Dir(temp))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
