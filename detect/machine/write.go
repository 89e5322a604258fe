package machine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
)

const (
	modeBits   = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky
	seLabel    = "security.selinux"
	accessList = "system.posix_acl_access"
	tempSuffix = ".goxin-new"
)

var errNotRegular = lang.Because(nil, "not a regular file", "不是普通文件").Like(fs.ErrInvalid)

// temporary is the name beside host under which its successor is made. It
// follows from host alone, so that Clean finds it; the dot and the suffix keep
// directories of drop-ins from reading it.
func temporary(host string) string {
	dir, base := filepath.Split(host)
	name := "." + base + tempSuffix
	if len(name) > 255 { // NAME_MAX
		sum := sha256.Sum256([]byte(base))
		name = "." + hex.EncodeToString(sum[:]) + tempSuffix
	}
	return dir + name
}

func (t *tree) WriteFile(name string, data []byte, mode fs.FileMode, owner Owner) error {
	return wrap("write", name, t.writeFile(name, data, mode, owner))
}

func (t *tree) writeFile(name string, data []byte, mode fs.FileMode, owner Owner) error {
	host, err := t.resolve(name, true)
	if err != nil {
		return err
	}
	fi, err := os.Lstat(host)
	exists := err == nil
	switch {
	case exists && !fi.Mode().IsRegular():
		return errNotRegular
	case exists:
		owner = owner.or(info(fi))
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}

	temp := temporary(host)
	f, err := t.create(name, temp)
	if exists && errors.Is(err, unix.EROFS) {
		// A writable file may be bind-mounted into a read-only directory.
		return t.rewrite(name, host, data, mode, owner)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err = t.put(name, f, data); err == nil && exists {
		err = t.inherit(name, host, f)
	}
	if err == nil {
		err = t.adjust(name, f, mode, owner) // after an ACL, whose mask the mode is
	}
	if err == nil {
		err = t.sync(name, f)
	}
	if err == nil {
		err = t.rename(name, temp, host)
		if exists && mounted(err) {
			if err = t.rewrite(name, host, data, mode, owner); err == nil {
				err = t.remove(name, temp)
			}
		}
	}
	if err != nil {
		if !isAbandoned(err) {
			err = errors.Join(err, t.remove(name, temp))
		}
		return err
	}
	return t.syncDir(name, filepath.Dir(host))
}

// mounted says that a rename failed because the name is a mount point of its
// own, as files that are bind-mounted into containers are.
func mounted(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV) || errors.Is(err, unix.ETXTBSY)
}

// patience is how long another writer of the same name is waited for. One that takes
// longer is dead, or nobody of ours.
const patience = 10 * time.Second

// create opens a fresh file that nobody else can read yet. It holds a lock on it until it
// is closed: others that write the same name at the same time, in this process or in
// another, take their turn, and what a dead one left is removed.
func (t *tree) create(name, host string) (*os.File, error) {
	for end := time.Now().Add(patience); ; {
		late := time.Now().After(end)
		if _, err := os.Lstat(host); err == nil {
			if mine, err := t.clear(name, host, late); err != nil {
				return nil, err
			} else if !mine {
				time.Sleep(time.Millisecond)
				continue
			}
		}
		if err := t.effect("create", name); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(host, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
		if errors.Is(err, fs.ErrExist) && !late {
			continue // another one was quicker
		}
		if err != nil {
			return nil, err
		}
		if lock(f) && is(f, host) || late {
			return f, nil
		}
		_ = f.Close() // it was taken for a dead one's before it had its lock
	}
}

// clear removes a temporary file that nobody is writing, or that somebody has been
// writing for too long.
func (t *tree) clear(name, host string, late bool) (bool, error) {
	f, err := os.OpenFile(host, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err == nil { // else it is no file of ours
		defer f.Close() // with the lock, once the name is free
		if !late && !(lock(f) && is(f, host)) {
			return false, nil
		}
	}
	return true, t.removeAll(name, host)
}

func lock(f *os.File) bool { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil }

// is says whether an open file has a name still.
func is(f *os.File, host string) bool {
	a, err := f.Stat()
	if err != nil {
		return false
	}
	b, err := os.Lstat(host)
	return err == nil && os.SameFile(a, b)
}

// put writes data in one write, or, watched, in two.
func (t *tree) put(name string, f io.Writer, data []byte) error {
	if err := t.effect("write", name); err != nil {
		return err
	}
	if t.hook != nil {
		half := len(data) / 2
		if _, err := f.Write(data[:half]); err != nil {
			return err
		}
		if err := t.effect("write-half", name); err != nil {
			return err
		}
		data = data[half:]
	}
	_, err := f.Write(data)
	return err
}

// adjust gives f its owner, then its mode: a change of owner clears setuid.
func (t *tree) adjust(name string, f *os.File, mode fs.FileMode, owner Owner) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	now := info(fi)
	if want := owner.or(now); want != (Owner{now.UID, now.GID}) {
		if err := t.effect("chown", name); err != nil {
			return err
		}
		if err := f.Chown(want.UID, want.GID); err != nil {
			return err
		}
	}
	if err := t.effect("chmod", name); err != nil {
		return err
	}
	return f.Chmod(mode & modeBits)
}

// or fills in what Keep leaves open.
func (o Owner) or(i Info) Owner {
	if o.UID < 0 {
		o.UID = i.UID
	}
	if o.GID < 0 {
		o.GID = i.GID
	}
	return o
}

// inherit gives f what the file that it will replace has beside its mode: its SELinux
// context, its access list and what users noted on it. Not its capabilities: they are
// the old content's.
func (t *tree) inherit(name, from string, f *os.File) error {
	names, err := growing(func(b []byte) (int, error) { return unix.Llistxattr(from, b) })
	if err != nil {
		return nil // nothing to keep
	}
	for attr := range strings.SplitSeq(strings.TrimRight(string(names), "\x00"), "\x00") {
		if attr != seLabel && attr != accessList && !strings.HasPrefix(attr, "user.") {
			continue
		}
		want, err := growing(func(b []byte) (int, error) { return unix.Lgetxattr(from, attr, b) })
		if err != nil {
			continue // it is gone meanwhile
		}
		got, err := growing(func(b []byte) (int, error) { return unix.Fgetxattr(int(f.Fd()), attr, b) })
		if err == nil && bytes.Equal(got, want) {
			continue
		}
		if err := t.effect("setxattr", name); err != nil {
			return err
		}
		if err := unix.Fsetxattr(int(f.Fd()), attr, want, 0); err != nil {
			return err
		}
	}
	return nil
}

// rewrite changes a file where it stands, which is not atomic: only for names
// that cannot be renamed onto. It writes over the old data before it cuts what
// is left of it, so that a full disk is met with the old data at hand.
func (t *tree) rewrite(name, host string, data []byte, mode fs.FileMode, owner Owner) error {
	f, err := os.OpenFile(host, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := readAll(f)
	if err != nil {
		return err
	}
	err = t.overwrite(name, f, data)
	if err == nil {
		err = t.adjust(name, f, mode, owner)
	}
	if err == nil {
		err = t.sync(name, f)
	}
	if err != nil && !isAbandoned(err) {
		err = errors.Join(err, t.overwrite(name, f, before))
	}
	return err
}

func (t *tree) overwrite(name string, f *os.File, data []byte) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := t.put(name, f, data); err != nil {
		return err
	}
	if err := t.effect("truncate", name); err != nil {
		return err
	}
	return f.Truncate(int64(len(data)))
}
