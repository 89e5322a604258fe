package machine

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// The primitives that several operations share. name is the name the operation
// was given.

func (t *tree) rename(name, from, to string) error {
	if err := t.effect("rename", name); err != nil {
		return err
	}
	return bare(os.Rename(from, to))
}

func (t *tree) remove(name, host string) error {
	if err := t.effect("remove", name); err != nil {
		return err
	}
	return bare(os.Remove(host))
}

// removeAll removes something goxin left, with what is in it; it follows no link.
func (t *tree) removeAll(name, host string) error {
	if err := t.effect("remove", name); err != nil {
		return err
	}
	return bare(os.RemoveAll(host))
}

func (t *tree) sync(name string, f *os.File) error {
	if err := t.effect("fsync", name); err != nil {
		return err
	}
	if t.fleeting {
		return nil
	}
	return syncable(f.Sync())
}

func (t *tree) syncDir(name, dir string) error {
	if err := t.effect("fsync-dir", name); err != nil {
		return err
	}
	if t.fleeting {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return syncable(d.Sync())
}

// syncable lets file systems pass that know no fsync of such a file, fsync(2).
func syncable(err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return nil
	}
	return err
}
