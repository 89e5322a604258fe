package main

import (
	"strings"
	"unicode"

	"github.com/rogpeppe/go-internal/testscript"

	"goxin/assets/lang/langtest"
)

// chinese wants the last command's errors to be Chinese: chinese.
func chinese(ts *testscript.TestScript, _ bool, _ []string) {
	said := ts.ReadFile("stderr")
	if !strings.ContainsFunc(said, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		ts.Fatalf("no Chinese in %q", said)
	}
	if english := langtest.EnglishIn(said); len(english) > 0 {
		ts.Fatalf("English in the Chinese: %q\n%s", english, said)
	}
}
