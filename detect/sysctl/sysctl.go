// Package sysctl is a model of who wins a kernel parameter when a machine
// boots: the files there are, in the order in which systemd-sysctl and procps'
// "sysctl --system" apply them. It reads files, and neither the running
// kernel's values nor what daemons (tuned, say) set later.
package sysctl

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Reader is a program that applies the files.
type Reader string

// The readers. Machines boot by Systemd; Procps runs where there is no systemd,
// where init scripts or people call it, and then /etc/sysctl.conf comes last.
const (
	Systemd Reader = "systemd-sysctl"
	Procps  Reader = "sysctl --system"
)

// Readers is both of them.
func Readers() []Reader { return []Reader{Systemd, Procps} }

// Conf is the file that Procps reads last, and Systemd only where a link such
// as /etc/sysctl.d/99-sysctl.conf leads to it.
const Conf = "/etc/sysctl.conf"

// dirs are a reader's directories; of files with the same name, the one in the
// earlier directory hides the others. Sources: sysctl.d(5); PreloadSystem in
// procps-ng 3.3 sysctl.c (4.0 has /etc before /run, as systemd does).
func (r Reader) dirs() []string {
	if r == Procps {
		return []string{"/run/sysctl.d", "/etc/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"}
	}
	return []string{"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"}
}

// file is one that a reader applies.
type file struct {
	name  string // as the reader finds it
	lines []Assignment
}

// Config is every file that sets kernel parameters.
type Config struct {
	files map[Reader][]file // in the order of application
	// Unreadable are the files that could not be read, whatever they would set:
	// a reader with more rights, or after the next boot, may read them, and win.
	Unreadable []Unreadable
}

// Unreadable is a file that is there and could not be read.
type Unreadable struct {
	Name string // links followed
	Err  error  // why, without the name
}

// Read reads the files of m. A directory that cannot be listed is an error
// that names it; files that cannot be read are in Unreadable.
func Read(m machine.Machine) (*Config, error) {
	c := &Config{files: make(map[Reader][]file, 2)}
	names := make(map[string][]string, 5)
	for _, dir := range Systemd.dirs() {
		list, err := m.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, lang.Because(bare(err), "%s", "%s", dir)
		}
		names[dir] = list
	}
	read := make(map[string][]Assignment)
	load := func(name string) file {
		lines, ok := read[name]
		if !ok {
			lines = c.load(m, name)
			read[name] = lines
		}
		return file{name, lines}
	}
	for _, r := range Readers() {
		first := make(map[string]string) // base name: the file that hides the others
		for _, dir := range r.dirs() {
			for _, base := range names[dir] {
				if strings.HasSuffix(base, ".conf") && !strings.HasPrefix(base, ".") && first[base] == "" {
					first[base] = path.Join(dir, base)
				}
			}
		}
		order := make([]string, 0, len(first))
		for base := range first {
			order = append(order, base)
		}
		slices.Sort(order)
		for _, base := range order {
			c.files[r] = append(c.files[r], load(first[base]))
		}
		if r == Procps {
			c.files[r] = append(c.files[r], load(Conf))
		}
	}
	return c, nil
}

// load reads one file. What is no regular file (/dev/null disables) sets
// nothing, and a directory among the drop-ins is passed over; one where a file
// is read by its name, or by a link, is a mistake somebody may mend.
func (c *Config) load(m machine.Machine, name string) []Assignment {
	info, err := m.Stat(name)
	var data []byte
	if err == nil {
		if !info.Mode.IsRegular() && !(info.Mode.IsDir() && (name == Conf || isLink(m, name))) {
			return nil
		}
		data, err = m.ReadFile(name)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			c.unread(follow(m, name), bare(err))
		}
		return nil
	}
	lines := Parse(string(data))
	real := name
	if len(lines) > 0 {
		real = follow(m, name)
	}
	for i := range lines {
		lines[i].File, lines[i].Via = real, name
	}
	return lines
}

// unread adds a file, which may have two names, once.
func (c *Config) unread(name string, err error) {
	if !slices.ContainsFunc(c.Unreadable, func(u Unreadable) bool { return u.Name == name }) {
		c.Unreadable = append(c.Unreadable, Unreadable{name, err})
	}
}

func isLink(m machine.Machine, name string) bool {
	info, err := m.Lstat(name)
	return err == nil && info.Mode&fs.ModeSymlink != 0
}

// bare is what a system call said, without the name it was given.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// follow is where a link ends.
func follow(m machine.Machine, name string) string {
	for range 40 { // the kernel's own limit
		target, err := m.Readlink(name)
		if err != nil {
			return name
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		name = path.Clean(target)
	}
	return name
}

// Winner is the assignment of key that is in force once reader is done. A line
// that names the key beats all patterns, whatever the order; among patterns,
// and among lines that name it, the last wins.
func (c *Config) Winner(r Reader, key string) (Assignment, bool) {
	key = Canonical(key)
	var exact, glob *Assignment
	var patterns []*Assignment
	named := false
	for i := range c.files[r] {
		lines := c.files[r][i].lines
		for j := range lines {
			a := &lines[j]
			switch {
			case a.Key == key && a.Exclude && r == Procps:
				named = true // keeps patterns off, but not lines that name the key
			case a.Key == key:
				named, exact = true, a
			case isGlob(a.Key):
				patterns = place(patterns, a, r)
			}
		}
	}
	if !named {
		for _, a := range patterns {
			if !a.Exclude && matches(a.Key, key) {
				glob = a
			}
		}
		exact = glob
	}
	if exact == nil || exact.Exclude {
		return Assignment{}, false
	}
	return *exact, true
}

// place appends a pattern in its order of application. systemd-sysctl keeps one
// entry for each pattern: said again with the same value it stays where it was,
// with another it moves to the end.
func place(patterns []*Assignment, a *Assignment, r Reader) []*Assignment {
	if r == Systemd {
		i := slices.IndexFunc(patterns, func(b *Assignment) bool { return b.Key == a.Key })
		if i >= 0 && patterns[i].Value == a.Value && patterns[i].Exclude == a.Exclude {
			patterns[i] = a
			return patterns
		}
		if i >= 0 {
			patterns = slices.Delete(patterns, i, i+1)
		}
	}
	return append(patterns, a)
}

// matches is glob(3) on the paths below /proc/sys.
func matches(pattern, key string) bool {
	ok, err := path.Match(strings.ReplaceAll(slashed(pattern), "[!", "[^"), slashed(key))
	return ok && err == nil
}

// Assignments is every line that sets key or keeps patterns off it, by name or
// by pattern, in files that a reader applies: in the order of Systemd, then
// what only Procps reads. A line that is found by two names is there once.
func (c *Config) Assignments(key string) []Assignment {
	key = Canonical(key)
	return c.collect(func(_ Reader, _ string, a Assignment) bool {
		return a.Key == key || isGlob(a.Key) && matches(a.Key, key)
	})
}

// Rivals is every line that would win key, under either reader, over a line
// that names it in the file called name, which need not be there yet.
func (c *Config) Rivals(name, key string) []Assignment {
	key = Canonical(key)
	return c.collect(func(r Reader, in string, a Assignment) bool {
		return a.Key == key && a.File != name && (!a.Exclude || r == Systemd) && later(in, name)
	})
}

// later says whether a reader applies file a after file b.
func later(a, b string) bool {
	if a == Conf || b == Conf {
		return a == Conf && b != Conf
	}
	return path.Base(a) > path.Base(b)
}

func (c *Config) collect(want func(r Reader, in string, a Assignment) bool) []Assignment {
	type place struct {
		file string
		line int
	}
	seen := make(map[place]bool)
	var out []Assignment
	for _, r := range Readers() {
		for _, f := range c.files[r] {
			for _, a := range f.lines {
				at := place{a.File, a.Line}
				if want(r, f.name, a) && !seen[at] {
					seen[at] = true
					out = append(out, a)
				}
			}
		}
	}
	return out
}
