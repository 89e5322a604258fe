package machine

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
)

// limits bound what an archive may unpack to.
type limits struct {
	entries int
	file    int64 // bytes of one file
	total   int64 // bytes of all files; twice that in the tar stream
	depth   int   // directories above a name
}

var archiveLimits = limits{entries: 100_000, file: 64 << 20, total: 512 << 20, depth: 64}

var errTooLarge = lang.Because(nil, "the archive is too large", "归档过大")

// unpacker fills a directory from an archive it does not trust.
type unpacker struct {
	in      *within
	lim     limits
	root    bool // owners are kept
	entries int
	total   int64
	// Modes of directories come last: one without w would shut out what is in it.
	dirs map[string]fs.FileMode
}

// unpack makes dir, which must be empty or not there, and unpacks the members
// of a captured machine into it.
func unpack(archive io.Reader, dir string, lim limits) error {
	if err := emptyDir(dir); err != nil {
		return err
	}
	in, err := openWithin(dir)
	if err != nil {
		return err
	}
	defer in.close()
	gz, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	u := &unpacker{in: in, lim: lim, root: os.Geteuid() == 0, dirs: map[string]fs.FileMode{}}
	if err := u.mkdirs(RecordedTree); err != nil {
		return err
	}
	bounded := &io.LimitedReader{R: gz, N: 2 * lim.total}
	for tr := tar.NewReader(bounded); ; {
		h, err := tr.Next()
		if err == io.EOF && bounded.N > 0 {
			break
		}
		if err != nil {
			if bounded.N <= 0 {
				return errTooLarge
			}
			return err
		}
		if err := u.entry(h, tr); err != nil {
			return lang.Because(err, "%q", "%q", h.Name)
		}
	}
	if _, err := io.Copy(io.Discard, bounded); err != nil { // the checksum comes last
		return err
	}
	deepestFirst := slices.Sorted(maps.Keys(u.dirs))
	slices.Reverse(deepestFirst)
	for _, name := range deepestFirst {
		mode := u.dirs[name]
		if !u.root { // whom modes hold back, and who has to be able to change and remove the tree
			mode |= 0o700
		}
		if err := in.chmod(name, mode); err != nil {
			return lang.Because(err, "%q", "%q", name)
		}
	}
	return nil
}

// emptyDir sees to it that dir is an empty directory nobody else can enter:
// a captured tree may hold set-user-ID programs.
func emptyDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return &fs.PathError{Op: "unpack", Path: dir, Err: fs.ErrExist}
	}
	return os.Chmod(dir, 0o700)
}

func (u *unpacker) entry(h *tar.Header, data io.Reader) error {
	if u.entries++; u.entries > u.lim.entries {
		return errTooLarge
	}
	if h.Name == "./" {
		return nil // "tar -C DIR ." begins with it
	}
	name, err := u.member(h.Name)
	if err != nil {
		return err
	}
	inTree := strings.HasPrefix(name, RecordedTree+"/")
	switch {
	case name == RecordedTree:
		if h.Typeflag != tar.TypeDir {
			return lang.Because(nil, "not a directory", "不是目录")
		}
	case name == RecordedFacts || name == RecordedCommands:
		if h.Typeflag != tar.TypeReg {
			return errNotRegular
		}
	case !inTree:
		return nil
	}
	if err := u.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := u.mkdirs(name); err != nil {
			return err
		}
		u.dirs[name] = h.FileInfo().Mode()
		return u.own(name, h)
	case tar.TypeReg:
		return u.file(name, h, data)
	case tar.TypeSymlink:
		if err := u.in.symlink(h.Linkname, name); err != nil {
			return err
		}
		return u.own(name, h)
	case tar.TypeLink:
		from, err := u.member(h.Linkname)
		if err != nil || !strings.HasPrefix(from, RecordedTree+"/") {
			return lang.Because(nil, "it links to %q, which leads out of the archive", "它链接到归档之外的 %q", h.Linkname)
		}
		return u.in.link(from, name)
	default:
		return lang.Because(nil, "cannot unpack a file of type %q", "不能解包类型为 %q 的文件", h.Typeflag)
	}
}

// member is an archive's name as within takes it.
func (u *unpacker) member(name string) (string, error) {
	clean := strings.TrimSuffix(strings.TrimPrefix(name, "./"), "/")
	if clean != path.Clean(clean) || strings.Count(clean, "/") > u.lim.depth {
		return "", fs.ErrInvalid
	}
	if clean == ".." || strings.HasPrefix(clean, "../") || strings.HasPrefix(clean, "/") {
		return "", fs.ErrInvalid
	}
	return clean, nil
}

// mkdirs makes a directory and those above it that the archive left out.
func (u *unpacker) mkdirs(name string) error {
	if name == "." {
		return nil
	}
	if _, ok := u.dirs[name]; ok {
		return nil
	}
	if err := u.mkdirs(path.Dir(name)); err != nil {
		return err
	}
	if err := u.in.mkdir(name, 0o700); err != nil {
		return err
	}
	u.dirs[name] = fs.ModeDir | 0o755
	return nil
}

func (u *unpacker) file(name string, h *tar.Header, data io.Reader) error {
	if u.total += h.Size; h.Size > u.lim.file || u.total > u.lim.total {
		return errTooLarge
	}
	fd, err := u.in.create(name)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	if _, err := io.CopyN(f, data, h.Size); err != nil {
		return err
	}
	if err := u.own(name, h); err != nil {
		return err
	}
	return f.Chmod(h.FileInfo().Mode() & modeBits)
}

func (u *unpacker) own(name string, h *tar.Header) error {
	if !u.root {
		return nil
	}
	if h.Uid < 0 || h.Gid < 0 || h.Uid >= math.MaxUint32 || h.Gid >= math.MaxUint32 {
		return lang.Because(nil, "it has no owner that can be: %d:%d", "属主 %d:%d 无效", h.Uid, h.Gid)
	}
	return u.in.chown(name, Owner{h.Uid, h.Gid})
}
