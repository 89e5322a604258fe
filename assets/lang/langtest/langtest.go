// Package langtest tells for tests whether a text is in its language: English prose in
// a Chinese text, Chinese in an English one. It goes by the look of words and knows no
// grammar; names, paths, commands and what is quoted belong to no language. It is in
// no program.
package langtest

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// EnglishIn is the English prose in a Chinese text: within a line, words one after
// another among which there are words of grammar, either three words or two of
// grammar. Paths, options, numbers and identifiers between them do not count; Chinese,
// a sign that is not ASCII and the gap between two columns end it. Not looked at are
// quotations, commands in backticks and URLs.
func EnglishIn(zh string) []string {
	var found []string
	for line := range strings.Lines(withoutQuoted(zh)) {
		for _, run := range asciiRuns(line) {
			if p := prose(run); p != "" {
				found = append(found, p)
			}
		}
	}
	return found
}

// ChineseIn is the Chinese in an English text: Han and the punctuation of Chinese.
// Not looked at are quotations and what a key is set to (NAME=银河麒麟).
func ChineseIn(en string) []string {
	s := value.ReplaceAllString(withoutQuoted(en), " ")
	return strings.FieldsFunc(s, func(r rune) bool { return !chinese(r) })
}

var (
	// A quotation ends in its line. An apostrophe opens one only where no letter
	// stands before it: "Go's" does not.
	quoted = []*regexp.Regexp{
		regexp.MustCompile("`[^`\n]*`"),
		regexp.MustCompile(`"[^"\n]*"`),
		regexp.MustCompile(`“[^”\n]*”`),
		regexp.MustCompile(`‘[^’\n]*’`),
		regexp.MustCompile(`「[^」\n]*」`),
		regexp.MustCompile(`《[^》\n]*》`),
		regexp.MustCompile(`\B'[^'\n]*'\B`),
		regexp.MustCompile(`[a-z]+://[^\s，。；：、）]+`),
	}
	value  = regexp.MustCompile(`[A-Za-z_]\w*=\S+`)
	column = regexp.MustCompile(`\s{2,}|\t`)
	word   = regexp.MustCompile(`^\(?[A-Za-z]+(?:['’][a-z]+)?[,;:.!?)]*$`)
)

func withoutQuoted(s string) string {
	for _, q := range quoted {
		s = q.ReplaceAllString(s, "\x00")
	}
	return s
}

// asciiRuns are the stretches of a line that are written in ASCII, cut at columns.
func asciiRuns(line string) []string {
	var runs []string
	for _, s := range strings.FieldsFunc(line, func(r rune) bool { return r > unicode.MaxASCII && r != '’' }) {
		runs = append(runs, column.Split(strings.TrimSpace(s), -1)...)
	}
	return runs
}

// prose is a run's words of a language, "" where they do not make a sentence.
func prose(run string) string {
	var words []string
	grammar := 0
	for _, w := range strings.Fields(run) {
		if !word.MatchString(w) {
			continue
		}
		words = append(words, w)
		if slices.Contains(grammatical, strings.ToLower(strings.Trim(w, "(),;:.!?"))) {
			grammar++
		}
	}
	if grammar >= 2 || grammar == 1 && len(words) >= 3 {
		return strings.Join(words, " ")
	}
	return ""
}

// grammatical are words that a sentence has and a list of names has not.
var grammatical = strings.Fields(`the this that these those it its they their there which who what where when how
	is are was were be been has have had do does did can cannot could will would may must should shall
	not no nor neither none and or but if so because than then as by for from in into of on onto out over to under until up with without
	every each any all some only also here nothing nobody`)

func chinese(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff01 && r <= 0xff5e
}
