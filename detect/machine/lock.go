package machine

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
)

// Lock is flock(2) on a file of mode 0600, which also ends when the process
// does. Release empties the file and leaves it: removing it would let two
// processes hold locks on two files of one name.
func (t *tree) Lock(name string, note []byte) (func() error, error) {
	f, err := t.lock(name, note)
	if err != nil {
		var held *LockedError
		if errors.As(err, &held) {
			return nil, err
		}
		return nil, wrap("lock", name, err)
	}
	return func() error { return wrap("unlock", name, t.unlock(name, f)) }, nil
}

func (t *tree) lock(name string, note []byte) (*os.File, error) {
	f, err := t.openLock(name)
	if err != nil {
		return nil, err
	}
	if err := t.note(name, f, note); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (t *tree) openLock(name string) (*os.File, error) {
	host, err := t.resolve(name, true)
	if err != nil {
		return nil, err
	}
	for range 100 {
		f, err := t.openLockFile(name, host)
		if err != nil {
			return nil, err
		}
		if err := t.flock(name, f); err != nil {
			f.Close()
			return nil, err
		}
		// Somebody may have removed or replaced the file before it was locked.
		mine, err := f.Stat()
		there, errThere := os.Lstat(host)
		if err == nil && errThere == nil && os.SameFile(mine, there) {
			return f, nil
		}
		f.Close()
	}
	return nil, lang.Because(nil, "somebody keeps replacing it", "一直有别的程序在替换它")
}

func (t *tree) openLockFile(name, host string) (*os.File, error) {
	const flags = os.O_RDWR | syscall.O_NOFOLLOW | syscall.O_NONBLOCK
	f, err := os.OpenFile(host, flags, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := t.effect("create", name); err != nil {
		return nil, err
	}
	f, err = os.OpenFile(host, flags|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := t.syncDir(name, filepath.Dir(host)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (t *tree) flock(name string, f *os.File) error {
	if err := t.effect("lock", name); err != nil {
		return err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch err {
		case unix.EINTR:
			continue
		case unix.EWOULDBLOCK:
			note, err := readAll(f)
			if err != nil {
				return err
			}
			return &LockedError{Note: note}
		}
		return err
	}
}

func (t *tree) note(name string, f *os.File, note []byte) error {
	if err := t.effect("truncate", name); err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	return t.put(name, f, note)
}

// unlock empties the note first, so that the next holder is not taken for this
// one before he has written his own.
func (t *tree) unlock(name string, f *os.File) error {
	err := t.effect("unlock", name)
	if err == nil {
		err = f.Truncate(0)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}
