package agent

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// WriteTree lists what is under paths to w, one line per file, sorted within
// each directory:
//
//	MODE UID:GID CONTENT XATTRS "PATH"
//
// CONTENT is the size and CRC-32C of a regular file (nobody here means to deceive,
// and an emulated processor takes seven times as long over a SHA-256), the target of a link, the numbers of
// a device, and "-" for the rest. Times are left out: what was written back
// byte for byte is the same file. It stays on the file system of each path and
// leaves out whatever is, or lies under, a match of one of the excludes
// (patterns of path.Match for whole paths). A path that does not exist is a
// line of its own, so its coming or going shows.
func WriteTree(w io.Writer, paths, excludes []string) error {
	out := bufio.NewWriter(w)
	for _, root := range paths {
		var top unix.Stat_t
		if err := unix.Lstat(root, &top); err != nil {
			fmt.Fprintf(out, "missing %q\n", root)
			continue
		}
		err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
			if gone(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if excluded(name, excludes) {
				if d.IsDir() {
					return fs.SkipDir
				}
				return nil
			}
			var st unix.Stat_t
			if err := unix.Lstat(name, &st); err != nil {
				if gone(err) {
					return nil
				}
				return err
			}
			line, err := entry(name, &st)
			if gone(err) {
				return nil
			}
			if err != nil {
				return err
			}
			fmt.Fprintln(out, line)
			// Only of directories: an overlay gives its files the numbers of
			// the file systems beneath.
			if d.IsDir() && st.Dev != top.Dev {
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("cannot list %s: %w", root, err)
		}
	}
	return out.Flush()
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func excluded(name string, excludes []string) bool {
	for _, pattern := range excludes {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func entry(name string, st *unix.Stat_t) (string, error) {
	content := "-"
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		sum, err := digest(name)
		if err != nil {
			return "", err
		}
		content = sum
	case unix.S_IFLNK:
		target, err := os.Readlink(name)
		if err != nil {
			return "", err
		}
		content = fmt.Sprintf("%q", target)
	case unix.S_IFCHR, unix.S_IFBLK:
		content = fmt.Sprintf("%d,%d", unix.Major(uint64(st.Rdev)), unix.Minor(uint64(st.Rdev)))
	}
	return fmt.Sprintf("%06o %d:%d %s %s %q", st.Mode, st.Uid, st.Gid, content, xattrs(name), name), nil
}

func digest(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	n, err := io.Copy(h, f)
	return fmt.Sprintf("%d:%08x", n, h.Sum32()), err
}

// xattrs gives the extended attributes but the kernel's own "trusted." ones.
func xattrs(name string) string {
	list := make([]byte, 4096)
	n, err := unix.Llistxattr(name, list)
	if err != nil || n <= 0 {
		return "-"
	}
	var all []string
	for attr := range strings.SplitSeq(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00") {
		value := make([]byte, 4096)
		if n, err := unix.Lgetxattr(name, attr, value); err == nil && !strings.HasPrefix(attr, "trusted.") {
			all = append(all, fmt.Sprintf("%s=%x", attr, value[:n]))
		}
	}
	if len(all) == 0 {
		return "-"
	}
	sort.Strings(all)
	return strings.Join(all, ",")
}

func (s *server) tree(m message) {
	s.end(m.ID, 0, WriteTree(sender{s, opOut, m.ID}, m.Paths, m.Excludes))
}
