package machine

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// maxLinks is the kernel's own limit, path_resolution(7).
const maxLinks = 40

// host is where name is on this host, for reading or for changing what is
// there. The local machine leaves links to the kernel, which alone can follow
// those of /proc/PID/fd.
func (t *tree) host(name string, follow bool) (string, error) {
	if !t.local {
		return t.resolve(name, follow)
	}
	if !strings.HasPrefix(name, "/") {
		return "", fs.ErrInvalid
	}
	return name, nil
}

// resolve walks name component by component inside the tree, the way the kernel
// would if the tree were "/": absolute links start over at the tree's top, ".."
// stops there. follow says whether a link in the last place is followed. The
// last component need not exist; the others must be directories. What comes
// back has no link in it, save one in the last place that was not to be
// followed.
func (t *tree) resolve(name string, follow bool) (string, error) {
	if !strings.HasPrefix(name, "/") {
		return "", fs.ErrInvalid
	}
	if strings.ContainsRune(name, 0) {
		return "", syscall.EINVAL
	}
	at, rest, links := "/", name, 0
	for {
		var part string
		part, rest = cut(rest)
		switch part {
		case "":
			return t.prefix + at, nil
		case ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		last := strings.Trim(rest, "/") == ""
		fi, err := os.Lstat(t.prefix + next)
		switch {
		case errors.Is(err, fs.ErrNotExist) && last:
			return t.prefix + next, nil
		case err != nil:
			return "", bare(err)
		case fi.Mode()&fs.ModeSymlink != 0 && (follow || !last):
			if links++; links > maxLinks {
				return "", syscall.ELOOP
			}
			target, err := os.Readlink(t.prefix + next)
			if err != nil {
				return "", bare(err)
			}
			if strings.HasPrefix(target, "/") {
				at = "/"
			}
			rest = target + "/" + rest
		case !fi.IsDir() && !last:
			return "", syscall.ENOTDIR
		default:
			at = next
		}
	}
}

// cut takes the first component off a path; "" when there is none.
func cut(p string) (first, rest string) {
	p = strings.TrimLeft(p, "/")
	first, rest, _ = strings.Cut(p, "/")
	return first, rest
}
