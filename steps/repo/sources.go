package repo

import (
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// parseSources reads apt's deb822 stanzas. Comments begin in the first column and
// may stand inside a field; a line of blanks continues a field, only an empty one
// ends a stanza; of a field that comes twice the later wins.
func (f *File) parseSources() {
	var s *stanza
	number := 0
	end := func() {
		if s != nil {
			number++
			f.entries = append(f.entries, f.stanza(s, number))
		}
		s = nil
	}
	for n := range f.lines {
		line := f.text(n)
		switch {
		case line != "" && line[0] == '#':
		case strings.Trim(line, "\r") == "":
			end()
		case line[0] == ' ' || line[0] == '\t':
			if s != nil && s.field != nil {
				s.field.text += "\n" + strings.TrimRight(line, "\r")
				s.field.lines = append(s.field.lines, n)
				s.last = n
			}
		default:
			if s == nil {
				s = &stanza{first: n, fields: map[string]*value{}}
			}
			key, rest, ok := strings.Cut(line, ":")
			key = strings.ToLower(strings.TrimRight(key, " \t"))
			if s.last = n; !ok || key == "" {
				f.refuse(n, lang.T("not Field: value", "不是“字段: 值”形式"))
				s.field = nil
				continue
			}
			s.field = &value{field{[]int{n}, len(line) - len(strings.TrimLeft(rest, " \t"))}, strings.Trim(rest, blanks)}
			s.fields[key] = s.field
		}
	}
	end()
}

type stanza struct {
	first, last int
	fields      map[string]*value
	field       *value // the last one
}

func (f *File) stanza(s *stanza, number int) *Entry {
	words := func(key string) []string {
		if v := s.fields[key]; v != nil {
			return strings.Fields(v.text)
		}
		return nil
	}
	e := &Entry{
		File: f.Name, Line: s.first + 1, Format: Deb822, ID: strconv.Itoa(number), Enabled: true,
		URLs: words("uris"), Types: words("types"), Suites: words("suites"), Components: words("components"),
		of: f, last: s.last,
	}
	if v := words("x-repolib-name"); len(v) > 0 {
		e.Name = strings.Join(v, " ")
	}
	for _, key := range []string{"architectures", "architectures-add", "architectures-remove", "trusted", "allow-insecure"} {
		if v := words(key); len(v) > 0 {
			e.option(key, v)
		}
	}
	if v := s.fields["signed-by"]; v != nil {
		e.Keys = signedBy(v.text)
	}
	if v := words("enabled"); len(v) > 0 {
		if on, ok := truth(v[0]); ok {
			e.Enabled = on
		}
	}
	if len(e.URLs) > 0 && len(e.Suites) > 0 {
		e.ID = e.URLs[0] + " " + e.Suites[0]
	}
	if v := s.fields["uris"]; v != nil {
		e.urls = v.field
	}
	f.checkStanza(s.first, e)
	return e
}

// checkStanza is what apt asks of a stanza: of one that is not enabled, its types.
func (f *File) checkStanza(n int, e *Entry) {
	if len(e.Types) == 0 {
		f.refuse(n, lang.T("no Types", "缺少 Types"))
	}
	for _, t := range e.Types {
		if t != "deb" && t != "deb-src" {
			f.refuse(n, lang.T("apt knows no such type of source", "apt 不认识该类型的软件源"))
		}
	}
	if !e.Enabled {
		return
	}
	switch {
	case len(e.Suites) == 0:
		f.refuse(n, lang.T("no Suites", "缺少 Suites"))
	case len(e.URLs) == 0:
		f.refuse(n, lang.T("no URIs", "缺少 URIs"))
	}
	for _, u := range e.URLs {
		if strings.IndexByte(u, ':') < 0 {
			f.refuse(n, lang.T("a URI has no scheme", "URI 缺少协议"))
		}
	}
	for _, s := range e.Suites {
		if strings.HasSuffix(s, "/") != (len(e.Components) == 0) {
			f.refuse(n, lang.T("a suite needs components, a path (with / at its end) has none", "suite 之后必须有组件；以 / 结尾的路径之后则不能有"))
		}
	}
}

// signedBy gives paths and fingerprints, or a whole key with the format's escapes
// (a blank before each line, a dot for an empty one) taken off.
func signedBy(s string) []string {
	if !strings.Contains(s, "-----BEGIN PGP") {
		return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" \t\r\n,", r) })
	}
	var b strings.Builder
	for line := range strings.SplitSeq(s, "\n") {
		if line = strings.TrimSpace(line); line == "." {
			line = ""
		}
		b.WriteString(line + "\n")
	}
	return []string{strings.TrimLeft(b.String(), "\n")}
}
