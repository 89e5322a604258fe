package answers

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
)

// mostProblems is how many problems are kept: nobody reads more, and a hostile
// file has hundreds of thousands.
const mostProblems = 100

// Problem is one thing wrong with the answers.
type Problem struct {
	File string    // the file's name, or the command line's "--set kernel.profile=…"
	Line int       // from 1; 0: the file as a whole
	Col  int       // in characters, from 1
	Text lang.Text // "cannot …"
	Hint lang.Text // what to do next; may be empty
}

// Where is the problem's place as editors and compilers write it: file:line:col.
func (p Problem) Where() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Col)
}

// In is the problem in language l, its place before it and without its hint.
func (p Problem) In(l lang.Lang) string {
	if p.File == "" && p.Line == 0 {
		return p.Text.In(l)
	}
	return p.Where() + ": " + p.Text.In(l)
}

// Problems is everything wrong with the answers, by place. It is bad input:
// nothing was touched. errors.As gives it as a *lang.Error too, so that
// lang.Message and lang.Hint render it like any other error.
type Problems struct {
	List []Problem
	More int // how many there were beyond List
}

// Error is as lang.Message renders it in English: of a single problem without
// its hint.
func (p *Problems) Error() string { return p.plain().Text.EN }

// In is all problems in language l, a line each, a hint indented under the
// problem it is for.
func (p *Problems) In(l lang.Lang) string {
	var b strings.Builder
	for i, q := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(q.In(l))
		if !q.Hint.Empty() {
			b.WriteString("\n  " + lang.T("hint: ", "提示：").In(l) + q.Hint.In(l))
		}
	}
	if p.More > 0 {
		b.WriteString("\n" + lang.F("… and %d more", "……另有 %d 处", p.More).In(l))
	}
	return b.String()
}

// As makes target a *lang.Error that says the same.
func (p *Problems) As(target any) bool {
	e, ok := target.(**lang.Error)
	if ok {
		*e = p.plain()
	}
	return ok
}

func (p *Problems) plain() *lang.Error {
	if len(p.List) == 1 && p.More == 0 {
		q := p.List[0]
		return &lang.Error{Text: lang.T(q.In(lang.EN), q.In(lang.ZH)), Hint: q.Hint}
	}
	return &lang.Error{Text: lang.T(p.In(lang.EN), p.In(lang.ZH))}
}

// place is where something stands in the file.
type place struct{ line, col int }

// complaints gathers problems while a file is read.
type complaints struct {
	file string
	list []Problem
	more int
}

func (c *complaints) add(at place, text, hint lang.Text) {
	if c.full() {
		c.more++
		return
	}
	c.list = append(c.list, Problem{File: c.file, Line: at.line, Col: at.col, Text: text, Hint: hint})
}

// full says that one more problem would only be counted.
func (c *complaints) full() bool { return len(c.list) == mostProblems }

// err is nil when there was nothing to complain about.
func (c *complaints) err() error {
	if len(c.list) == 0 {
		return nil
	}
	slices.SortStableFunc(c.list, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	return &Problems{List: c.list, More: c.more}
}
