package machine

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// stage fills a directory beside its final name.
type stage struct {
	t    *tree
	name string // the final name, as the machine sees it
	host string
	temp string
	in   *within

	mu   sync.RWMutex // held for reading by what goes on inside
	done bool

	open sync.Map // *staged: files being written
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

// Path has no link in it, save of somebody who changes the tree meanwhile.
func (s *stage) Path() string { return strings.TrimPrefix(s.temp, s.t.prefix) }

// change runs one change inside the stage, if it is still open.
func (s *stage) change(kind, name string, f func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	err := fs.ErrClosed
	if !s.done {
		if err = s.effect(kind, name); err == nil {
			err = f()
		}
	}
	return s.wrap(kind, name, err)
}

// effect and wrap make no name where nobody wants one: there are tens of
// thousands of files.
func (s *stage) effect(kind, name string) error {
	if s.t.hook == nil {
		return nil
	}
	return s.t.effect(kind, s.name+"/"+name)
}

func (s *stage) wrap(kind, name string, err error) error {
	if err == nil {
		return nil
	}
	return wrap(kind, s.name+"/"+name, err)
}

func (s *stage) Mkdir(name string, mode fs.FileMode) error {
	return s.change("mkdir", name, func() error { return s.in.mkdir(name, mode) })
}

func (s *stage) Symlink(target, name string) error {
	return s.change("symlink", name, func() error { return s.in.symlink(target, name) })
}

func (s *stage) Create(name string, mode fs.FileMode) (io.WriteCloser, error) {
	w := &staged{s: s, name: name, mode: mode}
	err := s.change("create", name, func() (err error) {
		if w.fd, err = s.in.create(name); err == nil {
			s.open.Store(w, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return w, nil
}

// staged is a file of a stage being written; its mode comes last, so that a
// file that is cut short is not executable. It is a bare descriptor: an os.File
// asks the kernel what it is and is watched by the collector, which for small
// files costs as much as writing them.
type staged struct {
	s    *stage
	name string
	mode fs.FileMode

	mu   sync.Mutex
	fd   int
	over bool
}

func (w *staged) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.write(p)
	return n, w.s.wrap("write", w.name, err)
}

func (w *staged) write(p []byte) (n int, err error) {
	if w.over {
		return 0, fs.ErrClosed
	}
	if err := w.s.effect("write", w.name); err != nil {
		return 0, err
	}
	for n < len(p) {
		k, err := unix.Write(w.fd, p[n:min(len(p), n+1<<30)]) // more the kernel does not take at once
		if k > 0 {
			n += k
		}
		switch {
		case err == unix.EINTR:
		case err != nil:
			return n, err
		case k == 0:
			return n, io.ErrShortWrite
		}
	}
	return n, nil
}

func (w *staged) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return w.s.wrap("close", w.name, fs.ErrClosed)
	}
	err := w.s.effect("chmod", w.name)
	if err == nil {
		err = unix.Fchmod(w.fd, unixMode(w.mode))
	}
	if e := w.close(); err == nil {
		err = e
	}
	return w.s.wrap("close", w.name, err)
}

// close lets the file go as it is. Linux frees the descriptor also where close
// is interrupted.
func (w *staged) close() error {
	w.over = true
	w.s.open.Delete(w)
	if err := unix.Close(w.fd); err != unix.EINTR {
		return err
	}
	return nil
}

// end lets go of everything that is open.
func (s *stage) end() {
	s.done = true
	s.open.Range(func(k, _ any) bool {
		w, ok := k.(*staged)
		if ok {
			w.mu.Lock()
			defer w.mu.Unlock()
			_ = w.close() // nobody waits for what it says
		}
		return true
	})
	s.in.close()
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
	if !s.t.fleeting {
		if err := unix.Syncfs(int(s.in.top.Fd())); err != nil {
			return err
		}
	}
	if err := s.t.effect("rename", s.name); err != nil {
		return err
	}
	if err := renameNew(s.temp, s.host); err != nil {
		return err
	}
	s.end()
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
	s.end()
	return wrap("discard", s.name, s.t.removeAll(s.name, s.temp))
}
