package machine

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// stage fills a directory beside its final name.
type stage struct {
	t    *tree
	name string // the final name, as the machine sees it
	host string
	temp string
	in   within

	mu   sync.Mutex
	done bool
}

// Stage removes what an earlier Stage of dir left, and makes the new directory
// 0755.
func (t *tree) Stage(dir string) (Stage, error) {
	s, err := t.stage(dir)
	if err != nil {
		return nil, wrap("stage", dir, err)
	}
	return s, nil
}

func (t *tree) stage(dir string) (*stage, error) {
	host, err := t.resolve(dir, false)
	if err != nil {
		return nil, err
	}
	s := &stage{t: t, name: dir, host: host, temp: temporary(host)}
	if _, err := os.Lstat(s.temp); err == nil {
		if err := t.removeAll(dir, s.temp); err != nil {
			return nil, err
		}
	}
	if err := t.effect("mkdir", dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(s.temp, 0o700); err != nil {
		return nil, err
	}
	if s.in, err = openWithin(s.temp); err != nil {
		return nil, err
	}
	if err := t.effect("chmod", dir); err != nil {
		s.in.close()
		return nil, err
	}
	if err := s.in.top.Chmod(0o755); err != nil {
		s.in.close()
		return nil, errors.Join(err, t.remove(dir, s.temp))
	}
	return s, nil
}

// change runs one change inside the stage, if it is still open.
func (s *stage) change(kind, name string, f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return wrap(kind, s.path(name), fs.ErrClosed)
	}
	if err := s.t.effect(kind, s.path(name)); err != nil {
		return wrap(kind, s.path(name), err)
	}
	return wrap(kind, s.path(name), f())
}

func (s *stage) path(name string) string { return s.name + "/" + name }

func (s *stage) Mkdir(name string, mode fs.FileMode) error {
	return s.change("mkdir", name, func() error { return s.in.mkdir(name, mode) })
}

func (s *stage) Symlink(target, name string) error {
	return s.change("symlink", name, func() error { return s.in.symlink(target, name) })
}

func (s *stage) Create(name string, mode fs.FileMode) (io.WriteCloser, error) {
	var f *os.File
	err := s.change("create", name, func() (err error) {
		f, err = s.in.create(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &staged{s: s, name: name, f: f, mode: mode}, nil
}

// staged is a file of a stage being written; its mode comes last, so that a
// file that is cut short is not executable.
type staged struct {
	s    *stage
	name string
	f    *os.File
	mode fs.FileMode
}

func (w *staged) Write(p []byte) (int, error) {
	if err := w.s.t.effect("write", w.s.path(w.name)); err != nil {
		return 0, err
	}
	n, err := w.f.Write(p)
	return n, wrap("write", w.s.path(w.name), err)
}

func (w *staged) Close() error {
	err := w.s.t.effect("chmod", w.s.path(w.name))
	if err == nil {
		err = w.f.Chmod(w.mode & modeBits)
	}
	if e := w.f.Close(); err == nil {
		err = e
	}
	return wrap("close", w.s.path(w.name), err)
}

// Commit answers fs.ErrExist where the final name is taken; the stage can then
// only be discarded.
func (s *stage) Commit() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return wrap("commit", s.name, fs.ErrClosed)
	}
	return wrap("commit", s.name, s.commit())
}

func (s *stage) commit() error {
	if err := s.t.effect("syncfs", s.name); err != nil {
		return err
	}
	if err := unix.Syncfs(int(s.in.top.Fd())); err != nil {
		return err
	}
	if err := s.t.effect("rename", s.name); err != nil {
		return err
	}
	if err := renameNew(s.temp, s.host); err != nil {
		return err
	}
	s.done = true
	s.in.close()
	return s.t.syncDir(s.name, filepath.Dir(s.host))
}

// renameNew renames unless to is there. Kernels and file systems without
// RENAME_NOREPLACE are asked first, which leaves a gap that only another run on
// the same directory could use.
func renameNew(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err != unix.ENOSYS && err != unix.EINVAL && err != unix.ENOTSUP {
		return err
	}
	return renameChecked(from, to)
}

func renameChecked(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return unix.Rename(from, to)
}

// Discard after Commit does nothing.
func (s *stage) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done {
		return nil
	}
	s.done = true
	s.in.close()
	return wrap("discard", s.name, s.t.removeAll(s.name, s.temp))
}
