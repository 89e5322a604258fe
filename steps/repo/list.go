package repo

import (
	"strings"

	"goxin/assets/lang"
)

// parseList reads apt's one-line entries: type [options] URI suite components. A #
// begins a comment wherever it stands.
func (f *File) parseList() {
	for n := range f.lines {
		if e, why := f.oneLine(n); !why.Empty() {
			f.refuse(n, why)
		} else if e != nil {
			f.entries = append(f.entries, e)
		}
	}
}

// oneLine gives nothing for a line that is a comment or empty.
func (f *File) oneLine(n int) (*Entry, lang.Text) {
	line, _, _ := strings.Cut(f.text(n), "\x00") // as apt's buffer ends
	w := words{s: uncomment(line)}
	kind, ok := w.next()
	if !ok {
		return nil, lang.Text{}
	}
	if kind != "deb" && kind != "deb-src" {
		return nil, lang.T("apt knows no such type of source", "apt 不认识该类型的软件源")
	}
	e := &Entry{File: f.Name, Line: n + 1, Format: OneLine, Enabled: true, Types: []string{kind}, of: f, last: n}
	if why := w.options(e); !why.Empty() {
		return nil, why
	}
	uri, ok := w.next()
	e.uri.from, e.uri.to = w.at-len(w.raw), w.at
	suite, okSuite := w.next()
	if !ok || !okSuite {
		return nil, lang.T("no URI or no suite", "缺少 URI 或 suite")
	}
	if strings.IndexByte(uri, ':') < 0 {
		return nil, lang.T("the URI has no scheme", "URI 缺少协议")
	}
	for c, ok := w.next(); ok; c, ok = w.next() {
		e.Components = append(e.Components, c)
	}
	if strings.HasSuffix(suite, "/") != (len(e.Components) == 0) {
		return nil, lang.T("a suite needs components, a path (with / at its end) has none", "suite 之后必须有组件；以 / 结尾的路径之后则不能有")
	}
	e.URLs, e.Suites, e.ID = []string{uri}, []string{suite}, uri+" "+suite
	return e, lang.Text{}
}

// uncomment cuts a line at a # that is not in "quotes" or [brackets].
func uncomment(s string) string {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '#':
			return s[:i]
		case '"', '[':
			if n := strings.IndexByte(s[i+1:], closing(c)); n >= 0 {
				i += n + 1
			}
		}
	}
	return s
}

func closing(c byte) byte {
	if c == '[' {
		return ']'
	}
	return c
}

// words takes a line apart as apt does: at blanks, but not inside "quotes" and
// [brackets].
type words struct {
	s   string
	at  int    // after the last word
	raw string // the last word as it is written
}

func (w *words) skip() { w.at = len(w.s) - len(strings.TrimLeft(w.s[w.at:], " \t\r\v\f")) }

func (w *words) next() (string, bool) {
	w.skip()
	from := w.at
	for w.at < len(w.s) && strings.IndexByte(" \t\r\v\f", w.s[w.at]) < 0 {
		if c := w.s[w.at]; c == '"' || c == '[' {
			skip := strings.IndexByte(w.s[w.at+1:], closing(c))
			if skip < 0 {
				return "", false
			}
			w.at += skip + 1
		}
		w.at++
	}
	w.raw = w.s[from:w.at]
	return strings.ReplaceAll(w.raw, `"`, ""), w.raw != ""
}

// options reads [arch=arm64,amd64 signed-by=/x trusted=yes].
func (w *words) options(e *Entry) lang.Text {
	w.skip()
	if w.at == len(w.s) || w.s[w.at] != '[' {
		return lang.Text{}
	}
	length := strings.IndexByte(w.s[w.at:], ']')
	if length < 0 {
		return lang.T("the options have no end", "选项没有结束括号")
	}
	for _, o := range strings.Fields(w.s[w.at+1 : w.at+length]) {
		key, value, ok := strings.Cut(o, "=")
		if !ok || key == "" || len(o) < 3 {
			return lang.T("an option is not key=value", "选项不是 key=value 形式")
		}
		e.option(key, strings.Split(value, ","))
	}
	w.at += length + 1
	if w.at < len(w.s) && w.s[w.at-2] != ' ' && strings.IndexByte(" \t\r", w.s[w.at]) < 0 {
		return lang.T("no blank after the options", "选项之后缺少空格")
	}
	return lang.Text{}
}

// option is one of those that matter here, by its name in either format.
func (e *Entry) option(key string, values []string) {
	on, _ := truth(values[0])
	switch strings.ToLower(key) {
	case "arch", "architectures":
		e.Archs = append(e.Archs, values...)
	case "arch+", "arch-", "architectures-add", "architectures-remove":
		sign := "+"
		if strings.HasSuffix(key, "-") || strings.HasSuffix(strings.ToLower(key), "remove") {
			sign = "-"
		}
		for _, v := range values {
			e.Archs = append(e.Archs, sign+v)
		}
	case "signed-by":
		e.Keys = append(e.Keys, values...)
	case "trusted", "allow-insecure":
		e.Unsigned = e.Unsigned || on
	}
}
