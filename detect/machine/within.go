package machine

import (
	"io/fs"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// within makes things below a directory and nowhere else: it takes relative
// names that do not climb, and every directory on the way is opened without
// following a link, whatever was put there before. Those it was in lately stay
// open, since archives have their files in the order of directories: a file then
// costs no walk. Such a directory stays the same if somebody renames it, so
// nothing lands elsewhere than with a walk for each file.
type within struct {
	top *os.File

	mu   sync.Mutex
	kept map[string]*handle
	turn uint64
}

// handle is an open directory.
type handle struct {
	fd    int
	users int
	turn  uint64 // when it was last asked for
	gone  bool   // nobody may ask for it any more: its last user closes it
}

// mostKept bounds the open directories: every file of a Go release is at most
// twelve below the top, and 1024 is the usual limit on open files.
const mostKept = 64

// openWithin opens dir itself, which must not be a link.
func openWithin(dir string) (*within, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	return &within{top: f, kept: make(map[string]*handle)}, nil
}

func (w *within) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, h := range w.kept {
		w.drop(name, h)
	}
	return w.top.Close()
}

// drop takes a directory out of those that are kept.
func (w *within) drop(name string, h *handle) {
	delete(w.kept, name)
	h.gone = true
	if h.users == 0 {
		unix.Close(h.fd)
	}
}

// done gives back what parent gave.
func (w *within) done(h *handle) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if h.users--; h.users == 0 && h.gone {
		unix.Close(h.fd)
	}
}

// climbs says whether a name has a part that is none, or could lead up.
func climbs(name string) bool {
	for {
		part, rest, more := strings.Cut(name, "/")
		if part == "" || part == "." || part == ".." {
			return true
		}
		if !more {
			return false
		}
		name = rest
	}
}

// parent is the open directory that name is in. The caller gives it back (done).
func (w *within) parent(name string) (dir *handle, base string, err error) {
	if climbs(name) || strings.IndexByte(name, 0) >= 0 {
		return nil, "", fs.ErrInvalid
	}
	at := ""
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		at, base = name[:i], name[i+1:]
	} else {
		base = name
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	dir, err = w.open(at)
	if err != nil {
		return nil, "", err
	}
	dir.users++
	return dir, base, nil
}

// open opens a directory from the one above it; "" is the top.
func (w *within) open(name string) (*handle, error) {
	w.turn++
	if h, ok := w.kept[name]; ok {
		h.turn = w.turn
		return h, nil
	}
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	from, base := int(w.top.Fd()), "."
	if name != "" {
		above, last := "", name
		if i := strings.LastIndexByte(name, '/'); i >= 0 {
			above, last = name[:i], name[i+1:]
		}
		up, err := w.open(above)
		if err != nil {
			return nil, err
		}
		from, base = up.fd, last
	}
	fd, err := openat(from, base, flags, 0)
	if err != nil {
		return nil, err
	}
	if len(w.kept) >= mostKept {
		w.forget()
	}
	h := &handle{fd: fd, turn: w.turn}
	w.kept[name] = h
	return h, nil
}

// forget drops the directory that was not asked for longest.
func (w *within) forget() {
	var oldest string
	var it *handle
	for name, h := range w.kept {
		if it == nil || h.turn < it.turn {
			oldest, it = name, h
		}
	}
	if it != nil {
		w.drop(oldest, it)
	}
}

func (w *within) mkdir(name string, mode fs.FileMode) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer w.done(dir)
	if err := unix.Mkdirat(dir.fd, base, 0o700); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	d, err := w.open(name)
	if err != nil {
		return err
	}
	return unix.Fchmod(d.fd, unixMode(mode))
}

// create opens a new file for writing; whoever closes it gives it its mode.
func (w *within) create(name string) (fd int, err error) {
	dir, base, err := w.parent(name)
	if err != nil {
		return -1, err
	}
	defer w.done(dir)
	return openat(dir.fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
}

func (w *within) symlink(target, name string) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer w.done(dir)
	return unix.Symlinkat(target, dir.fd, base)
}

// link makes name another name of the file from.
func (w *within) link(from, name string) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer w.done(dir)
	old, oldBase, err := w.parent(from)
	if err != nil {
		return err
	}
	defer w.done(old)
	return unix.Linkat(old.fd, oldBase, dir.fd, base, 0)
}

// chown gives away name itself, be it a link.
func (w *within) chown(name string, owner Owner) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer w.done(dir)
	return unix.Fchownat(dir.fd, base, owner.UID, owner.GID, unix.AT_SYMLINK_NOFOLLOW)
}

// chmod changes a file or directory; a link in its place is an error.
func (w *within) chmod(name string, mode fs.FileMode) error {
	dir, base, err := w.parent(name)
	if err != nil {
		return err
	}
	defer w.done(dir)
	fd, err := openat(dir.fd, base, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
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

// unixMode is the bits of a mode as system calls take them.
func unixMode(mode fs.FileMode) uint32 {
	n := uint32(mode.Perm())
	if mode&fs.ModeSetuid != 0 {
		n |= unix.S_ISUID
	}
	if mode&fs.ModeSetgid != 0 {
		n |= unix.S_ISGID
	}
	if mode&fs.ModeSticky != 0 {
		n |= unix.S_ISVTX
	}
	return n
}
