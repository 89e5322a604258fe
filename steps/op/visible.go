package op

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
)

// Visible is s with what would act on a terminal, or be hidden by it, written
// out: \x1b for an escape, \xd6 for a byte that is no UTF-8, \u202e for what
// turns the text round. Other text, Chinese included, is as it was.
func Visible(s string) string {
	if strings.IndexFunc(s, acts) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case acts(r) && r <= 0xff:
			fmt.Fprintf(&b, `\x%02x`, r)
		case acts(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

// VisibleText is t with both of its languages Visible.
func VisibleText(t lang.Text) lang.Text { return lang.T(Visible(t.EN), Visible(t.ZH)) }

// acts says whether a terminal does something at r instead of showing it:
// control characters, and those that format the text around them.
func acts(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// plainText says whether s can stand in a script as it is.
func plainText(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return acts(r) && r != '\n' && r != '\t' }) < 0
}
