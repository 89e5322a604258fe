package unpack

import (
	"io/fs"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tree is the names of an archive so far. It judges every entry before anything is
// made of it.
type tree struct {
	Options
	out     *sink
	seen    map[string]*place // by the name without case
	last    string            // directory of the last file: it and those above are made
	entries int
	names   int // bytes of all names
	total   int64
}

// place is a name that was seen.
type place struct {
	name string
	dir  bool
	made bool // a directory that the sink was told of
}

func newTree(o Options, out *sink) *tree {
	return &tree{Options: o, out: out, seen: map[string]*place{}}
}

// maxNames bounds all names together in bytes, which are kept; those of go1.26.8 have
// 0.6 MB.
const maxNames = 16 << 20

// count pays for an entry's header.
func (t *tree) count(raw string) error {
	t.names += len(raw)
	if t.entries++; t.entries > t.Entries || t.names > maxNames {
		return refuse(raw, whyTooMany)
	}
	return nil
}

// dir judges a directory. It is made when a file in it is.
func (t *tree) dir(raw string) error {
	name, err := t.name(raw, true)
	if err != nil || name == "" {
		return err
	}
	_, err = t.place(raw, name, true)
	return err
}

// file judges a file, makes the directories above it and begins it. skip says that
// its bytes are to be read past.
func (t *tree) file(raw string, size int64, mode fs.FileMode) (skip bool, err error) {
	name, err := t.name(raw, false)
	if err != nil {
		return false, err
	}
	if t.Rename != nil {
		if name = t.Rename(name); name == "" {
			return false, refuse(raw, whyForeign)
		}
	}
	if err := t.grow(raw, size, 0); err != nil {
		return false, err
	}
	if _, err := t.place(raw, name, false); err != nil {
		return false, err
	}
	if t.Skip != nil && t.Skip(name) {
		return true, nil
	}
	if err := t.makeParents(name); err != nil {
		return false, err
	}
	if t.Executable != nil {
		mode = 0
		if t.Executable(name) {
			mode = 0o100
		}
	}
	if mode&0o100 != 0 {
		return false, t.out.begin(name, 0o755)
	}
	return false, t.out.begin(name, 0o644)
}

// grow pays for more bytes of a file of which so many are known already.
func (t *tree) grow(raw string, more, known int64) error {
	if more < 0 || more > t.File-known {
		return refuse(raw, whyLargeFile)
	}
	if t.total += more; t.total > t.Total {
		return refuse(raw, whyLargeWhole)
	}
	return nil
}

// maxPart is NAME_MAX of Linux's file systems in bytes; maxName is PATH_MAX less what
// the stage's own name may take.
const (
	maxPart = 255
	maxName = 2048
)

// name is a name without Top, if it is sound.
func (t *tree) name(raw string, dir bool) (string, error) {
	switch {
	case strings.HasPrefix(raw, "/"):
		return "", refuse(raw, whyAbsolute)
	case len(raw) > maxName:
		return "", refuse(raw[:maxPart]+"…", whyLongName)
	}
	whole := raw
	if dir {
		whole = strings.TrimSuffix(raw, "/")
	}
	for part := range strings.SplitSeq(whole, "/") {
		switch {
		case part == "..":
			return "", refuse(raw, whyClimbs)
		case part == "" || part == ".":
			return "", refuse(raw, whyNotPlain)
		case len(part) > maxPart:
			return "", refuse(raw, whyLongName)
		}
	}
	if !plain(raw) {
		return "", refuse(raw, whyCharacters)
	}
	name, ok := strings.CutPrefix(whole, t.Top)
	switch {
	case !ok && dir && strings.HasPrefix(t.Top, whole+"/"):
		return "", nil // Top itself, or above it
	case !ok || name == "":
		return "", refuse(raw, whyOutside)
	case strings.Count(name, "/") >= t.Depth:
		return "", refuse(raw, whyTooDeep)
	}
	return name, nil
}

func plain(s string) bool {
	ascii := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '\\' || c == 0x7f {
			return false
		} else if c >= utf8.RuneSelf {
			ascii = false
		}
	}
	if ascii {
		return true
	}
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// place notes a name and the directories above it.
func (t *tree) place(raw, name string, dir bool) (*place, error) {
	if err := t.above(raw, parent(name)); err != nil {
		return nil, err
	}
	p, known := t.note(name, dir)
	switch {
	case len(t.seen) > t.Entries:
		return nil, refuse(raw, whyTooMany)
	case p.name != name:
		return nil, refuse(raw, whyCase)
	case known && !(dir && p.dir):
		return nil, refuse(raw, whyDuplicate)
	}
	return p, nil
}

func (t *tree) above(raw, dir string) error {
	if dir == "" || dir == t.last {
		return nil
	}
	if err := t.above(raw, parent(dir)); err != nil {
		return err
	}
	p, _ := t.note(dir, true)
	switch {
	case p.name != dir:
		return refuse(raw, whyCase)
	case !p.dir:
		return refuse(raw, whyBelowFile)
	}
	return nil
}

// note is the place of a name, and whether it was there before.
func (t *tree) note(name string, dir bool) (p *place, known bool) {
	key := fold(name)
	if p = t.seen[key]; p != nil {
		return p, true
	}
	p = &place{name: name, dir: dir}
	t.seen[key] = p
	return p, false
}

// makeParents makes the directories above a file that are not there yet.
func (t *tree) makeParents(name string) error {
	dir := parent(name)
	if dir == "" || dir == t.last {
		return nil
	}
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != '/' {
			continue
		}
		if p := t.seen[fold(dir[:i])]; !p.made {
			p.made = true
			if err := t.out.mkdir(dir[:i]); err != nil {
				return err
			}
		}
	}
	t.last = dir
	return nil
}

func parent(name string) string { return name[:max(0, strings.LastIndexByte(name, '/'))] }

// fold makes names that differ only by case equal: every letter becomes the smallest
// of those that are equal to it (unicode.SimpleFold), as Go's own module zips demand.
func fold(s string) string {
	lower := true
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			lower = false
			break
		}
	}
	if lower {
		return s
	}
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' { // ASCII stays as it is mostly written
			least += 'a' - 'A'
		}
		return least
	}, s)
}
