package repo

import (
	"errors"
	"io/fs"
	"strings"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// largest is how many bytes a file of package sources may have; a real one has a
// few thousand.
const largest = 1 << 20

// Sources are all package sources of a machine.
type Sources struct {
	// Files are those the package manager reads and takes, in its order; one without
	// any repository is among them.
	Files []*File
	Vars  Vars
	// MirrorLists are the URLs in the files that apt's "mirror+file:" URIs name, best
	// first, by the file's path.
	MirrorLists map[string][]string
	// Unread is what the package manager would read but goxin, or it, cannot take.
	Unread []Unread
	// Unset are variables that are not known here, by name, and why.
	Unset map[string]lang.Text
}

// Unread is something of the package sources that was left out.
type Unread struct {
	File string
	Why  lang.Text
}

// ReadAll reads what the machine's package manager does. A machine with neither
// dnf nor apt has no sources; a single file that cannot be read is in Unread. It
// asks rpm for dnf's $releasever where programs run, and the release's own files
// where none do.
func ReadAll(m machine.Machine, f *detect.Facts) (*Sources, error) {
	r := &reader{m: m, facts: f, out: &Sources{Vars: Vars{}, MirrorLists: map[string][]string{}, Unset: map[string]lang.Text{}}}
	var err error
	switch {
	case f.OS.Family.Known && f.OS.Family.Value == "rpm":
		err = r.dnf()
	case f.OS.Family.Known && f.OS.Family.Value == "deb":
		err = r.apt()
	}
	if err != nil {
		return nil, err
	}
	return r.out, nil
}

type reader struct {
	m     machine.Machine
	facts *detect.Facts
	out   *Sources
}

// content is a file's; false where there is none, or where it had to be left out.
func (r *reader) content(name string) ([]byte, bool) {
	info, err := r.m.Stat(name)
	var data []byte
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := r.m.Lstat(name); err == nil {
			r.skip(name, lang.T("a link to a file that is not there", "指向不存在文件的链接"))
		}
		return nil, false
	case err != nil:
	case !info.Mode.IsRegular():
		r.skip(name, lang.T("not a regular file", "不是普通文件"))
		return nil, false
	case info.Size > largest:
		r.skip(name, lang.F("%d bytes are too many: 1 MiB at most", "%d 字节过大：最多 1 MiB", info.Size))
		return nil, false
	default:
		data, err = r.m.ReadFile(name)
	}
	if err != nil {
		var p *fs.PathError
		if errors.As(err, &p) {
			err = p.Err
		}
		r.skip(name, lang.F("%s", "%s", err))
		return nil, false
	}
	return data, true
}

func (r *reader) skip(name string, why lang.Text) {
	r.out.Unread = append(r.out.Unread, Unread{name, why})
}

// file reads and parses one; nil where it had to be left out.
func (r *reader) file(name string) *File {
	data, ok := r.content(name)
	if !ok {
		return nil
	}
	f, err := Parse(name, data)
	if err != nil {
		return nil // the caller chose by suffix
	}
	if f.Refused != nil {
		r.skip(name, lang.F("line %d: %s", "第 %d 行：%s", f.Refused.Line, f.Refused.Why))
		return nil
	}
	return f
}

// names are a directory's that end in one of the suffixes and are no hidden ones,
// sorted as both package managers do; none where there is no such directory.
func (r *reader) names(dir string, suffixes ...string) ([]string, error) {
	all, err := r.m.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, lang.Errorf(err, "cannot list %s", "无法列出 %s", dir).WithHint("run goxin as root", "请以 root 身份运行")
	}
	var out []string
	for _, n := range all {
		for _, s := range suffixes {
			if strings.HasSuffix(n, s) && n[0] != '.' {
				out = append(out, n)
			}
		}
	}
	return out, nil
}
