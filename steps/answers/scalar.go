package answers

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain says whether s can stand without quotes and mean itself to every
// reader of YAML, those of version 1.1 included.
func plain(s string) bool {
	if s == "" || strings.HasSuffix(s, ":") {
		return false
	}
	for i := 0; i < len(s); i++ {
		b := s[i]
		letter := 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '/'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789_.:@%+-", rune(b))) {
			return false
		}
	}
	switch strings.ToLower(s) {
	case "y", "yes", "n", "no", "on", "off", "true", "false", "null", "nan", "inf":
		return false
	}
	return true
}

// plainKey is plain for a key, where a colon is better quoted.
func plainKey(s string) bool { return plain(s) && !strings.Contains(s, ":") }

// decimal says whether s is a whole number that every reader of YAML reads
// alike and writes back alike.
func decimal(s string) bool {
	v, err := strconv.ParseInt(s, 10, 64)
	return err == nil && strconv.FormatInt(v, 10) == s
}

func scalar(s string) string {
	if plain(s) {
		return s
	}
	return doubleQuoted(s)
}

func scalarKey(s string) string {
	if plainKey(s) {
		return s
	}
	return doubleQuoted(s)
}

// doubleQuoted writes s in the escapes that YAML shares with JSON. What does
// not print is escaped, so that a file looks like what it is.
func doubleQuoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			b.WriteString(`\U` + hex(r, 8))
		default:
			b.WriteString(`\u` + hex(r, 4))
		}
	}
	b.WriteByte('"')
	return b.String()
}

func hex(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", max(0, width-len(s))) + s
}

// oneLine makes a text fit for a comment.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}
