package op

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Quote makes s one word of a POSIX shell that a terminal shows as it is.
func Quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+%", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	if !plainText(s) {
		return `"$(printf %b ` + octal(s) + `)"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// octal is s as one word for printf %b, with every byte that is not plain
// printable ASCII or a line end as \0nnn.
func octal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c != '\n' && (c < ' ' || c > '~' || c == '\\' || c == '\'') {
			fmt.Fprintf(&b, `\0%03o`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// pattern is s in a basic regular expression of GNU sed, between bars.
func pattern(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case strings.ContainsRune(`\.*[]^$|`, r):
			b.WriteString(`\` + s[:size])
		case acts(r) || r == utf8.RuneError && size == 1:
			for _, c := range []byte(s[:size]) {
				fmt.Fprintf(&b, `\x%02x`, c)
			}
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}
