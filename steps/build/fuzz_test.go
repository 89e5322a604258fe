package build

import (
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// A target becomes part of a program's environment and of the names of packages: only
// what is in the table gets through, and nothing is refused without a word.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{"linux/arm64", "linux/aarch64", "windows/amd64", "linux/", "/", "", "linux/arm64\n", "LINUX/ARM64", "linux/arm64 CC=x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := readAnswers(engine.Values{keyTargets: []string{s}})
		if err == nil {
			if len(a.Targets) != 1 || a.Targets[0].target() != s {
				t.Errorf("%q became %v", s, a.Targets)
			}
			return
		}
		if hint := lang.Hint(err, lang.EN); hint == "" || strings.ContainsAny(lang.Message(err, lang.ZH), "\n\x1b") {
			t.Errorf("%q: %v, hint %q", s, err, hint)
		}
	})
}
