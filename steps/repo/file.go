// Package repo reads what a machine's package sources say, and edits them line
// by line: dnf's .repo files, apt's one-line lists and its deb822 .sources. Every
// byte that an edit is not about survives it: comments, unknown keys, spacing, line
// ends, a byte order mark, bytes that are no UTF-8. It judges a file as dnf and
// apt do and refuses to edit one that they do not take. It chooses no mirror,
// writes no file and never switches signatures off.
//
// Sources of the rules: libdnf 0.x (utils/iniparser, conf/ConfigParser.cpp) and
// dnf 4 (conf/read.py, conf/substitutions.py, rpm/__init__.py); apt 2.6, as it
// answers to each case of apt_test.go, and sources.list(5).
package repo

import (
	"slices"
	"strings"

	"goxin/assets/lang"
)

// Format is how a file of package sources is written.
type Format string

// The formats there are.
const (
	RPM     Format = "rpm"     // .repo, and dnf.conf
	OneLine Format = "list"    // sources.list and *.list
	Deb822  Format = "sources" // *.sources
)

// File is a file of package sources, every byte of it.
type File struct {
	Name   string // the path dnf or apt reads it under
	Format Format
	// Refused says that the package manager does not take the file, at which line
	// and why; nil where it does. dnf leaves such a file out; apt stops working.
	Refused *Refusal

	lines   []string // with their ends
	entries []*Entry
	main    map[string]string // [main] of dnf.conf
}

// Refusal is why a package manager does not take a file.
type Refusal struct {
	Line int // from 1
	Why  lang.Text
}

// Parse reads a file of any content; the name's suffix tells the format. Only a
// name that is none of them is an error.
func Parse(name string, content []byte) (*File, error) {
	f := &File{Name: name}
	switch {
	case strings.HasSuffix(name, ".repo"), strings.HasSuffix(name, ".conf"):
		f.Format = RPM
	case strings.HasSuffix(name, ".list"):
		f.Format = OneLine
	case strings.HasSuffix(name, ".sources"):
		f.Format = Deb822
	default:
		return nil, lang.Errorf(nil, "cannot read %s: neither .repo, .list nor .sources", "无法读取 %s：后缀既不是 .repo，也不是 .list 或 .sources", name).
			WithHint("give the file one of these suffixes", "请使用上述后缀之一")
	}
	f.lines = slices.Collect(strings.Lines(string(content)))
	f.parse()
	return f, nil
}

// Bytes is the file's content: what was parsed, but for what was edited.
func (f *File) Bytes() []byte { return []byte(strings.Join(f.lines, "")) }

// Entries are the repositories in the order the package manager knows them. They
// follow edits of the file.
func (f *File) Entries() []*Entry { return f.entries }

func (f *File) parse() {
	f.Refused, f.entries, f.main = nil, nil, nil
	switch f.Format {
	case RPM:
		f.parseRPM()
	case OneLine:
		f.parseList()
	case Deb822:
		f.parseSources()
	}
}

// refuse keeps the first reason.
func (f *File) refuse(line int, why lang.Text) {
	if f.Refused == nil {
		f.Refused = &Refusal{Line: line + 1, Why: why}
	}
}

const bom = "\ufeff"

// text is a line without its end. dnf, not apt, passes over a byte order mark.
func (f *File) text(n int) string {
	s := strings.TrimSuffix(f.lines[n], "\n")
	if n == 0 && f.Format == RPM {
		s = strings.TrimPrefix(s, bom)
	}
	return s
}

// end is how a line ends; of a last line without an end, how the others do.
func (f *File) end(n int) string {
	for _, at := range []int{n, 0} {
		switch l := f.lines[at]; {
		case strings.HasSuffix(l, "\r\n"):
			return "\r\n"
		case strings.HasSuffix(l, "\n"):
			return "\n"
		}
	}
	return "\n"
}

// replace puts lines (without ends) after line at, and takes those of gone out.
// Where the file's last line has no end, and a new one takes its place, it has none.
func (f *File) replace(at int, lines []string, gone []int) {
	end := f.end(at)
	open := !strings.HasSuffix(f.lines[len(f.lines)-1], "\n")
	var out []string
	added := 0 // lines of out up to the last new one
	for n, l := range f.lines {
		if !slices.Contains(gone, n) {
			out = append(out, l)
		}
		if n == at {
			for _, add := range lines {
				out = append(out, add+end)
			}
			added = len(out)
		}
	}
	for n, l := range out {
		if n < len(out)-1 && !strings.HasSuffix(l, "\n") {
			out[n] = l + end
		}
	}
	if open && added == len(out) {
		out[added-1] = strings.TrimSuffix(out[added-1], end)
	}
	f.lines = out
}
