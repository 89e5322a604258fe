package machine

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFile bounds ReadFile, in bytes.
const maxFile = 64 << 20

func (t *tree) Stat(name string) (Info, error)  { return t.stat("stat", name, true) }
func (t *tree) Lstat(name string) (Info, error) { return t.stat("lstat", name, false) }

func (t *tree) stat(op, name string, follow bool) (Info, error) {
	host, err := t.host(name, follow)
	if err != nil {
		return Info{}, wrap(op, name, err)
	}
	stat := os.Lstat
	if follow {
		stat = os.Stat
	}
	fi, err := stat(host)
	if err != nil {
		return Info{}, wrap(op, name, err)
	}
	return info(fi), nil
}

func (t *tree) ReadDir(name string) ([]string, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, wrap("readdir", name, err)
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, wrap("readdir", name, err)
	}
	slices.Sort(names)
	return names, nil
}

func (t *tree) Readlink(name string) (string, error) {
	host, err := t.host(name, false)
	if err != nil {
		return "", wrap("readlink", name, err)
	}
	target, err := os.Readlink(host)
	return target, wrap("readlink", name, err)
}

func (t *tree) Open(name string) (io.ReadCloser, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, wrap("open", name, err)
	}
	return f, nil
}

func (t *tree) ReadFile(name string) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, wrap("open", name, err)
	}
	defer f.Close()
	data, err := readAll(f)
	return data, wrap("read", name, err)
}

func (t *tree) open(name string) (*os.File, error) {
	host, err := t.host(name, true)
	if err != nil {
		return nil, err
	}
	// O_NONBLOCK: a pipe somebody left in the tree must not hang us.
	return os.OpenFile(host, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
}

func readAll(f *os.File) ([]byte, error) {
	size := 512 // files of /proc say 0
	if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
		if fi.Size() > maxFile {
			return nil, syscall.EFBIG
		}
		size = max(size, int(fi.Size())+1)
	}
	data := make([]byte, 0, size)
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, len(data))
		}
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case len(data) > maxFile:
			return nil, syscall.EFBIG
		case err == io.EOF:
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}

// Xattr gives the value of one extended attribute of what name leads to. One
// that is not set is ENODATA, a file system without any is ENOTSUP; neither is
// fs.ErrNotExist, which is said of the file alone.
func (t *tree) Xattr(name, attr string) ([]byte, error) {
	host, err := t.host(name, true)
	if err != nil {
		return nil, wrap("getxattr", name, err)
	}
	value, err := growing(func(b []byte) (int, error) { return unix.Getxattr(host, attr, b) })
	return value, wrap("getxattr", name, err)
}

// growing reads an attribute whose size is not known beforehand.
func growing(get func([]byte) (int, error)) ([]byte, error) {
	b := make([]byte, 256)
	for {
		n, err := get(b)
		if err == nil {
			return b[:n], nil
		}
		if !errors.Is(err, unix.ERANGE) || len(b) >= 64<<10 { // XATTR_SIZE_MAX
			return nil, err
		}
		b = make([]byte, 2*len(b))
	}
}

// Space is that of the deepest directory of name that exists.
func (t *tree) Space(name string) (Space, error) {
	for at := path.Clean(name); ; at = path.Dir(at) {
		host, err := t.host(at, true)
		var st unix.Statfs_t
		if err == nil {
			err = unix.Statfs(host, &st)
		}
		if err == nil {
			block := uint64(st.Bsize)
			if st.Frsize > 0 {
				block = uint64(st.Frsize)
			}
			return Space{Free: uint64(st.Bavail) * block, Total: uint64(st.Blocks) * block}, nil
		}
		missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR)
		if !missing || at == "/" || at == "." {
			return Space{}, wrap("statfs", name, err)
		}
	}
}
