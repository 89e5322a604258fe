package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Everything that measures text does it here, in terminal cells: a Han
// character takes two. Byte and rune counts are never widths.

func width(s string) int { return ansi.StringWidth(s) }

// pad fills s with spaces up to w cells.
func pad(s string, w int) string {
	if n := w - width(s); n > 0 {
		return s + strings.Repeat(" ", n)
	}
	return s
}

// padLeft puts s at the right of w cells.
func padLeft(s string, w int) string {
	if n := w - width(s); n > 0 {
		return strings.Repeat(" ", n) + s
	}
	return s
}

// cut shortens s to w cells, with tail at the end if it had to.
func cut(s string, w int, tail string) string {
	if w <= 0 {
		return ""
	}
	if width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, tail)
}

// between puts left and right at the two ends of w cells; left gives way.
func between(left, right string, w int, tail string) string {
	room := w - width(right) - 2
	if right == "" || room < 8 {
		return cut(left, w, tail)
	}
	left = cut(left, room, tail)
	return left + strings.Repeat(" ", w-width(left)-width(right)) + right
}

// wrap breaks unstyled text into lines of at most w cells: at spaces, and
// between Han characters, where no line begins with a closing mark.
func wrap(s string, w int) []string {
	w = max(w, 4)
	var lines []string
	for _, para := range strings.Split(s, "\n") {
		lines = append(lines, wrapParagraph(para, w)...)
	}
	return lines
}

func wrapParagraph(s string, w int) []string {
	var lines []string
	line, lw := "", 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line, " "))
		line, lw = "", 0
	}
	for _, tok := range tokens(s) {
		tw := width(tok)
		if lw+width(strings.TrimRight(tok, " ")) > w && lw > 0 {
			flush()
			tok = strings.TrimLeft(tok, " ")
			tw = width(tok)
		}
		if tw > w && width(strings.TrimRight(tok, " ")) > w { // a word longer than a line
			pieces := hardWrap(tok, w)
			lines = append(lines, pieces[:len(pieces)-1]...)
			tok = pieces[len(pieces)-1]
			tw = width(tok)
		}
		line += tok
		lw += tw
	}
	if line != "" || len(lines) == 0 {
		flush()
	}
	return lines
}

// tokens splits text into what must stay on one line: a word with the spaces
// after it, or one wide character with the closing marks after it.
func tokens(s string) []string {
	var out []string
	var tok strings.Builder
	flush := func() {
		if tok.Len() > 0 {
			out = append(out, tok.String())
			tok.Reset()
		}
	}
	var prev, before rune
	for _, r := range s {
		// "12 天": a number and what it counts stay together.
		counted := wide(r) && prev == ' ' && before >= '0' && before <= '9'
		glue := closing(r) || opening(prev) || counted
		if tok.Len() > 0 && !glue && (wide(r) || wide(prev) || prev == ' ' && r != ' ') && !(r == ' ') {
			flush()
		}
		tok.WriteRune(r)
		prev, before = r, prev
	}
	flush()
	return out
}

func wide(r rune) bool { return r >= 0x1100 && ansi.StringWidth(string(r)) == 2 }
func closing(r rune) bool {
	return strings.ContainsRune("，。、；：？！）》」』】…’”%", r)
}
func opening(r rune) bool { return strings.ContainsRune("（《「『【‘“", r) }

// hardWrap breaks s at w cells, wherever that is.
func hardWrap(s string, w int) []string {
	return strings.Split(ansi.Hardwrap(s, max(w, 4), true), "\n")
}

// clean makes foreign text (file content, names, a program's words) safe to
// print: tabs become spaces, control characters and broken bytes a mark, so
// that no file can send an escape sequence to the terminal.
func clean(s string) string {
	ok := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			ok = false
			break
		}
	}
	if ok {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			b.WriteString(strings.Repeat(" ", 4-b.Len()%4))
		case r == '\n':
			b.WriteByte(' ')
		case r == utf8.RuneError, unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			b.WriteByte('?')
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// cleanText is clean for text of several lines.
func cleanText(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = clean(l)
	}
	return strings.Join(lines, "\n")
}

// asciiReplacer says in ASCII what has an ASCII way of saying it. Han characters
// and full-width punctuation pass: they only get here in Chinese.
func asciiReplacer() *strings.Replacer {
	return strings.NewReplacer(" · ", ", ", "·", "-", "×", "x", "→", "->", "←", "<-", "…", "...", "–", "-", "—", "-",
		"≥", ">=", "≤", "<=", "≠", "!=", "“", "\"", "”", "\"", "‘", "'", "’", "'", "✓", "+", "●", "*", "○", "o", "↑", "^", "↓", "v",
		"µ", "u", "°", "deg", "±", "+-", "\u00a0", " ")
}

// consoleReplacer says what the Linux console's fonts lack in what they have.
func consoleReplacer() *strings.Replacer {
	return strings.NewReplacer("→", "->", "←", "<-", "…", "...", "–", "-", "—", "-", "≥", ">=", "≤", "<=", "≠", "!=", "“", "\"", "”", "\"", "‘", "'", "’", "'",
		"✓", "+", "✗", "×", "●", "•", "○", "·", "↑", "^", "↓", "v", "▸", "»", "\u00a0", " ")
}

// onlyASCII replaces what is still not ASCII (a file name, say) cell by cell, so
// that nothing moves; with han, Chinese passes.
func onlyASCII(s string, han bool) string { return charset{Plain, han}.only(s) }
