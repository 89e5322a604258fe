package repo

import (
	"strings"

	"goxin/assets/lang"
)

const blanks = " \t\r"

// parseRPM reads as libdnf does: a comment begins in the first column; an indented
// line continues the value before it, over comments and empty lines; there are no
// comments behind a value. Sections of the same name are one, and of a key that
// comes twice the later wins.
func (f *File) parseRPM() {
	sections := map[string]*section{}
	var order []*section
	var in *section
	var key string // of the value that may go on
	for n := range f.lines {
		line := f.text(n)
		body := strings.Trim(line, blanks)
		indented := body != "" && strings.IndexByte(blanks, line[0]) >= 0
		switch {
		case body == "" || line[0] == '#' || line[0] == ';':
		case body[0] == '[':
			name, rest, closed := strings.Cut(body[1:], "]")
			rest = strings.Trim(rest, blanks)
			if !closed || name == "" || rest != "" && rest[0] != '#' && rest[0] != ';' {
				f.refuse(n, lang.T("not a section's head", "不是合法的节名行"))
				continue
			}
			key = ""
			if in = sections[name]; in == nil {
				in = &section{name: name, first: n, values: map[string]*value{}, all: map[string][]int{}}
				sections[name] = in
				order = append(order, in)
			}
			in.last = n
		case in == nil:
			f.refuse(n, lang.T("something before the first section", "第一个节之前有内容"))
		case indented && key == "":
			f.refuse(n, lang.T("an indented line that continues nothing", "缩进行没有可延续的内容"))
		case indented:
			v := in.values[key]
			v.text += "\n" + body
			v.lines = append(v.lines, n)
			in.all[key] = append(in.all[key], n)
			in.last = n
		default:
			k, _, ok := strings.Cut(line, "=")
			if !ok || strings.Trim(k, " \t") == "" {
				f.refuse(n, lang.T("not key=value", "不是 key=value 形式"))
				key = ""
				continue
			}
			key = in.add(n, line)
		}
	}
	for _, s := range order {
		if s.name == "main" {
			f.main = map[string]string{}
			for k, v := range s.values {
				f.main[k] = v.text
			}
			continue
		}
		f.entries = append(f.entries, f.section(s))
	}
}

// section is what the sections of one name say.
type section struct {
	name        string
	first, last int // lines: of its first head, of its last own line
	values      map[string]*value
	all         map[string][]int // every line of a key, overridden ones too
	sep         string
}

type value struct {
	field
	text string // its lines joined
}

// add takes a line "key = value" in and gives the key.
func (s *section) add(n int, line string) string {
	eq := strings.IndexByte(line, '=')
	key := strings.Trim(line[:eq], " \t")
	rest := line[eq+1:]
	at := len(line) - len(strings.TrimLeft(rest, " \t"))
	if s.sep == "" {
		s.sep = line[len(strings.TrimRight(line[:eq], " \t")):at]
	}
	s.values[key] = &value{field{[]int{n}, at}, strings.Trim(rest, blanks)}
	s.all[key] = append(s.all[key], n)
	s.last = n
	return key
}

func (f *File) section(s *section) *Entry {
	get := func(key string) string {
		if v := s.values[key]; v != nil {
			return v.text
		}
		return ""
	}
	e := &Entry{
		File: f.Name, Line: s.first + 1, Format: RPM, ID: s.name, Name: get("name"), Enabled: true,
		Mirrorlist: get("mirrorlist"), Metalink: get("metalink"),
		GPGCheck: onOff(get("gpgcheck")), RepoGPGCheck: onOff(get("repo_gpgcheck")), Keys: list(get("gpgkey")),
		of: f, last: s.last, sep: s.sep,
	}
	if on, ok := truth(get("enabled")); ok {
		e.Enabled = on
	}
	e.Enabled = e.Enabled && isID(s.name)
	e.Unsigned = e.GPGCheck == "0"
	if e.sep == "" {
		e.sep = "="
	}
	if v := s.values["baseurl"]; v != nil {
		e.urls, e.URLs = v.field, list(v.text)
	}
	for _, key := range []string{"mirrorlist", "metalink"} {
		e.off = append(e.off, s.all[key]...)
	}
	return e
}

// list splits as libdnf does. It has no comments behind values; people write them
// all the same, and dnf then takes none of the URLs.
func list(s string) []string {
	var out []string
	for line := range strings.SplitSeq(s, "\n") {
		for _, w := range strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
			if w[0] == '#' || w[0] == ';' {
				break
			}
			out = append(out, w)
		}
	}
	return out
}

func onOff(s string) string {
	switch on, ok := truth(s); {
	case !ok:
		return ""
	case on:
		return "1"
	}
	return "0"
}

// isID is what dnf takes for a repository's name, variables included.
func isID(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("-_.:${}", c) < 0 {
			return false
		}
	}
	return true
}
