package repo

import (
	"slices"
	"strings"

	"goxin/assets/lang"
)

// Mark is what is put before a line that is taken out of force: the sign of
// everything goxin comments (steps/op has the same).
const Mark = "# goxin: "

// Entry is one repository of a file.
type Entry struct {
	File   string
	Line   int // from 1, where it begins
	Format Format
	// ID is the section's name (rpm); of apt "URI suite", or the stanza's number
	// from 1 where it has neither.
	ID      string
	Name    string // rpm: for people; deb822: X-Repolib-Name
	Enabled bool   // and taken by the package manager
	// URLs are those of baseurl= or URIs as they are written, variables and all.
	URLs                 []string
	Mirrorlist, Metalink string // rpm, as they are written

	Types, Suites, Components []string // deb
	Archs                     []string // deb: those that are set; "+x" and "-x" are added and taken away

	GPGCheck, RepoGPGCheck string // rpm: "1", "0"; "" where the file does not say
	// Keys are gpgkey= of rpm, as written; of deb Signed-By: paths, fingerprints, or
	// a whole key in ASCII armour.
	Keys []string
	// Unsigned says that signatures are switched off: gpgcheck=0, trusted=yes,
	// allow-insecure=yes. ReadAll knows the default of dnf.conf, too.
	Unsigned bool
	// Shadowed is the file with an earlier repository of the same ID, which dnf
	// takes instead. Only ReadAll knows.
	Shadowed string

	of   *File
	urls field                  // of baseurl or URIs, in its last occurrence, which wins
	off  []int                  // lines of mirrorlist and metalink
	last int                    // the entry's last own line
	sep  string                 // what its lines have between key and value
	uri  struct{ from, to int } // one-line: where the URI stands in its line
}

// field is a key with its value: the key's line and those that continue it.
type field struct {
	lines []int
	at    int // where the value begins in the first line
}

// SetURLs gives the repository these URLs: of rpm one baseurl with a URL a line,
// with mirrorlist and metalink commented out; of deb822 its URIs; of a one-line
// entry its one URI. What is so already stays as it is, to the byte. It fails for
// a file that the package manager does not take, and for what is no URL.
func (e *Entry) SetURLs(urls ...string) error {
	switch {
	case e.of.Refused != nil:
		return lang.Errorf(nil, "cannot edit line %d of %s: %s", "无法编辑 %[2]s 第 %[1]d 行：%[3]s", e.of.Refused.Line, e.File, e.of.Refused.Why).
			WithHint("correct that line first", "请先修正该行")
	case len(urls) == 0 || e.Format == OneLine && len(urls) != 1:
		return lang.Errorf(nil, "cannot give %q %d URLs", "无法为 %q 设置 %d 个网址", e.ID, len(urls)).
			WithHint("a one-line entry of apt has exactly one URL, others at least one", "apt 单行条目只能有一个网址，其他格式至少一个")
	}
	same := slices.Equal(urls, e.URLs)
	for _, u := range urls {
		if !same && !isURL(u) {
			return lang.Errorf(nil, "cannot use %q as a URL", "%q 不是可用的网址", u).
				WithHint("give it whole, with its scheme: https://…", "请写出包含协议的完整网址：https://…")
		}
	}
	f := e.of
	for _, n := range e.off { // lines keep their numbers
		f.lines[n] = Mark + f.lines[n]
	}
	if !same {
		switch {
		case e.Format == OneLine:
			n := e.Line - 1
			f.lines[n] = f.lines[n][:e.uri.from] + urls[0] + f.lines[n][e.uri.to:]
		case len(e.urls.lines) > 0:
			e.rewrite(urls)
		default:
			e.insert(urls)
		}
	}
	was := f.entries
	f.parse()
	for i, now := range f.entries { // those handed out stay good
		now.Shadowed = was[i].Shadowed
		now.Enabled = now.Enabled && now.Shadowed == ""
		now.Unsigned = now.Unsigned || was[i].Unsigned
		*was[i] = *now
	}
	f.entries = was
	return nil
}

// rewrite replaces the value where it stands: a URL a line, indented as its lines
// are; URIs on one line stay on one.
func (e *Entry) rewrite(urls []string) {
	f, lines := e.of, e.urls.lines
	first := strings.TrimRight(f.text(lines[0]), "\r")
	head := first[:min(e.urls.at, len(first))]
	indent := e.indent()
	if len(lines) > 1 {
		next := f.text(lines[1])
		if n := len(next) - len(strings.TrimLeft(next, " \t")); n > 0 { // a stray \r indents, too
			indent = next[:n]
		}
	}
	out := []string{head + urls[0]}
	switch {
	case e.Format == Deb822 && len(lines) == 1:
		out, urls = []string{head + strings.Join(urls, " ")}, nil
	case strings.TrimSpace(first[len(head):]) == "" && len(lines) > 1: // begins on the next line
		out = []string{first}
	default:
		urls = urls[1:]
	}
	for _, u := range urls {
		out = append(out, indent+u)
	}
	f.replace(lines[0], out, lines)
}

func (e *Entry) indent() string {
	if e.Format == Deb822 {
		return " "
	}
	return "        "
}

// insert puts the URLs after the entry's last own line.
func (e *Entry) insert(urls []string) {
	lines := []string{"URIs: " + strings.Join(urls, " ")}
	if e.Format == RPM {
		lines = []string{"baseurl" + e.sep + urls[0]}
		for _, u := range urls[1:] {
			lines = append(lines, e.indent()+u)
		}
	}
	e.of.replace(e.last, lines, nil)
}

// isURL refuses what would be read as something else in one of the formats.
func isURL(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || strings.Count(s, "[") != strings.Count(s, "]") {
		return false
	}
	for i := range len(scheme) {
		if c := scheme[i]; !isLetter(c) && (i == 0 || !isDigit(c) && strings.IndexByte("+-.", c) < 0) {
			return false
		}
	}
	return strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("\",#;\\<>", r) }) < 0
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// truth is a switch as dnf and apt write it.
func truth(s string) (on, ok bool) {
	switch strings.ToLower(s) {
	case "1", "yes", "true", "on", "enable", "with":
		return true, true
	case "0", "no", "false", "off", "disable", "without":
		return false, true
	}
	return false, false
}
