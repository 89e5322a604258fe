package machine

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Append leaves nothing of data behind when the disk is full. A file has one
// appender at a time.
func (t *tree) Append(name string, data []byte, mode fs.FileMode) error {
	return wrap("append", name, t.append(name, data, mode))
}

func (t *tree) append(name string, data []byte, mode fs.FileMode) error {
	host, err := t.resolve(name, true)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(host, os.O_WRONLY|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if err := t.effect("create", name); err != nil {
			return err
		}
		f, err = os.OpenFile(host, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
		if err == nil {
			err = t.adjust(name, f, mode, Keep)
		}
	}
	if f != nil {
		defer f.Close()
	}
	if err != nil {
		return err
	}
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return errNotRegular
	}
	if fi.Size() == 0 { // new, or made by somebody who died before this
		if err := t.syncDir(name, filepath.Dir(host)); err != nil {
			return err
		}
	}
	if err := t.put(name, f, data); err != nil {
		if !isAbandoned(err) {
			err = errors.Join(err, f.Truncate(fi.Size()))
		}
		return err
	}
	return t.sync(name, f)
}
