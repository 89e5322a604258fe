package op

import (
	"strings"
	"testing"

	"goxin/steps/engine"
)

func FuzzHunks(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nc")
	f.Add("", "x\r\n")
	f.Add("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n")
	f.Fuzz(func(t *testing.T, before, after string) {
		if !readable([]byte(before)) || !readable([]byte(after)) {
			return
		}
		was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
		changes := 0
		for _, h := range hunks(before, after) {
			for _, l := range h.Lines {
				text := strings.TrimSuffix(l.Text, "^M")
				shows := func(lines []string, n int) bool {
					return n <= len(lines) && strings.TrimSuffix(strings.TrimSuffix(lines[n-1], "\r"), "^M") == text
				}
				if l.Old > 0 && !shows(was, l.Old) || l.New > 0 && !shows(is, l.New) {
					t.Fatalf("line %+v of %q → %q", l, before, after)
				}
				if l.Action != engine.None {
					changes++
				}
			}
		}
		if (changes > 0) != (before != after) {
			t.Fatalf("%d changes of %q → %q", changes, before, after)
		}
	})
}

func FuzzComment(f *testing.F) {
	f.Add("a\nvm.x=1\r\n# goxin: vm.x=1\nvm.x=1", "vm.x=1")
	f.Add("# goxin: # goxin: x\nx", "# goxin: x")
	f.Fuzz(func(t *testing.T, text, line string) {
		o := &Comment{Line: line}
		if line == "" || strings.Contains(line, "\n") {
			return
		}
		found := o.occurrences(text)
		then := o.rewrite(text, strings.Repeat("o", len(found)))
		if now := o.occurrences(then); strings.Contains(now, "a") || len(now) != len(found) {
			t.Fatalf("%q in %q: %s became %s in %q", line, text, found, now, then)
		}
		if back := o.rewrite(then, found); back != text {
			t.Fatalf("%q in %q came back as %q", line, text, back)
		}
	})
}
