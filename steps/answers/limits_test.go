package answers

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"goxin/assets/lang"
)

// endless is a file without end that counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '#'
	}
	e.read += len(p)
	return len(p), nil
}

func TestAnEndlessFileIsReadToTheLimitOnly(t *testing.T) {
	e := &endless{}
	_, err := Read("f", e, fakeSteps())
	if err == nil || err.Error() != "f: cannot read answers: they are larger than 1024 KiB" {
		t.Error(err)
	}
	if e.read > MaxSize+1 {
		t.Errorf("%d bytes were read", e.read)
	}
}

func TestALargeFileWithinTheLimitIsRead(t *testing.T) {
	src := "version: 1\nsteps: {}\n"
	src += "#" + strings.Repeat("x", MaxSize-len(src)-1)
	if _, err := Read("f", strings.NewReader(src), fakeSteps()); err != nil {
		t.Error(err)
	}
}

func TestAFailingReaderIsNotABadFile(t *testing.T) {
	_, err := Read("f", iotest.ErrReader(errors.New("is a directory")), fakeSteps())
	var p *Problems
	if errors.As(err, &p) {
		t.Error("reported as a problem of the file")
	}
	if got := lang.Message(err, lang.EN); got != "cannot read answers from f: is a directory" {
		t.Error(got)
	}
	_, err = Read("f", io.MultiReader(strings.NewReader("version: 1\nsteps: {}"), strings.NewReader("\n")), fakeSteps())
	if err != nil {
		t.Error(err)
	}
}

// What a file costs is bounded by how much of it reaches the tokenizer, whose
// tokens take some hundred bytes for a sign of one: memory shows whether the
// scans before it stopped the file.
func TestHostileSizesAreRefusedBeforeTheyCost(t *testing.T) {
	n := MaxSize / 8
	for name, c := range map[string]struct{ src, want string }{
		"brackets":        {strings.Repeat("[", n), "nested deeper than 16"},
		"braces":          {"a: " + strings.Repeat("{a: ", n), "nested deeper than 16"},
		"closed brackets": {strings.Repeat("[", n) + strings.Repeat("]", n), "nested deeper than 16"},
		"dashes":          {strings.Repeat("- ", n), "more than 10000 words and signs"},
		"questions":       {strings.Repeat("? ", n), "more than 10000 words and signs"},
		"anchors":         {strings.Repeat("&a ", n), "more than 10000 words and signs"},
		"tags":            {strings.Repeat("!a ", n), "more than 10000 words and signs"},
		"keys":            {strings.Repeat("a: b\n", n), "more than 10000 words and signs"},
		"commas":          {"[" + strings.Repeat(",", n), "more than 10000 words and signs"},
		"quotes":          {strings.Repeat("\"\" ", n), "more than 10000 words and signs"},
		"bars":            {strings.Repeat("|\n", n), "more than 10000 words and signs"},
		"documents":       {strings.Repeat("---\n", n), "more than 10000 words and signs"},
		"controls":        {strings.Repeat("\x01", n), "control character U+0001"},
		"tabs":            {strings.Repeat("\t\n", n), "it has a tab"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode("f", []byte(c.src), fakeSteps())
			runtime.ReadMemStats(&after)
			if text, _ := first(t, err); !strings.Contains(text, c.want) {
				t.Errorf("got %s", text)
			}
			if p := problems(err); len(p.List) > mostProblems {
				t.Errorf("%d problems", len(p.List))
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > 8*MaxSize {
				t.Errorf("it took %d KiB", cost>>10)
			}
		})
	}
}

func TestNestingIsBoundedHoweverItIsWritten(t *testing.T) {
	for name, deep := range map[string]func(n int) string{
		"flow lists": func(n int) string { return "a: " + strings.Repeat("[", n) + strings.Repeat("]", n) },
		"flow maps":  func(n int) string { return strings.Repeat("{a: ", n) + "b" + strings.Repeat("}", n) },
		"dashes":     func(n int) string { return strings.Repeat("- ", n) + "a" },
		"blocks": func(n int) string {
			var b strings.Builder
			for i := range n {
				b.WriteString(strings.Repeat(" ", i) + "abcdef:\n")
			}
			return b.String()
		},
		"flow in blocks": func(n int) string { return "a:\n b:\n  c:\n   - " + strings.Repeat("[", n) },
		"tags":           func(n int) string { return strings.Repeat("!a ", n) + "b" },
	} {
		c := &complaints{}
		if parse([]byte(deep(maxDepth+1)), c); len(c.list) != 1 || !strings.Contains(c.list[0].Text.EN, "nested deeper") {
			t.Errorf("%s: %v", name, c.list)
		}
	}
	// Side by side is not deep.
	wide := head + "  kernel:\n    set:\n" + strings.Repeat("      a.b"+"c: [[]]\n", 1)
	for i := range 100 {
		wide += "      a." + strings.Repeat("x", i+1) + ": 1\n"
	}
	c := &complaints{}
	if parse([]byte(wide), c); len(c.list) != 0 {
		t.Errorf("wide: %v", c.list)
	}
}

func TestManyProblemsAreCountedNotKept(t *testing.T) {
	_, err := Decode("f", []byte(head+"  kernel: {"+strings.Repeat("x, ", 150)+"}\n"), fakeSteps())
	p := problems(err)
	if len(p.List) != mostProblems || p.More != 50 || !strings.HasSuffix(err.Error(), "\n… and 50 more") {
		t.Errorf("%d problems and %d more", len(p.List), p.More)
	}
}
