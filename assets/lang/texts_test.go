package lang_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"goxin/assets/lang/langtest"
)

// TestEveryTextInTheSourceIsInItsLanguages reads the module's own source: each pair of
// literals, English then Chinese, that is handed to lang or to a function that hands
// it on. What the two say is for people to judge; how they are written is judged here.
func TestEveryTextInTheSourceIsInItsLanguages(t *testing.T) {
	src := readModule(t, "../..")
	pairs := 0
	for _, f := range src.files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			for _, p := range src.pairsIn(f.pkg, n) {
				pairs++
				for _, wrong := range p.wrong() {
					t.Errorf("%s: %s\n\ten %q\n\tzh %q", src.set.Position(n.Pos()), wrong, p.en, p.zh)
				}
			}
			return true
		})
	}
	if pairs < 1000 {
		t.Errorf("only %d texts were found", pairs)
	}
}

func TestTextsThatAreWrongAreSeen(t *testing.T) {
	for _, c := range []struct {
		p    pair
		want string
	}{
		{pair{en: "read-only: %s", zh: "只读：%s", formats: true, args: 1}, ""},
		{pair{en: "%s has %d", zh: "%[2]d 个在 %[1]s", formats: true, args: 2}, ""},
		{pair{en: "%[1]s is here", zh: "有 %[2]s", formats: true, args: 2}, ""},
		{pair{en: "%d of %d", zh: "%d/%d", formats: true, args: 2}, ""},
		{pair{en: "true", zh: " true 值"}, ""},
		{pair{en: "fill", zh: "补齐  "}, ""},
		{pair{en: "key: value", zh: "“键: 值”"}, ""},
		{pair{en: "http://HOST:PORT", zh: "http://主机:端口"}, ""},
		{pair{en: "%s: %s", zh: "%s：%s", formats: true, args: 2}, ""},
		{pair{en: "half: 50%", zh: "一半：50%"}, ""},
		{pair{en: ", ", zh: "，"}, ""},
		{pair{en: "no such thing", zh: "no such thing at all"}, "no Chinese"},
		{pair{en: "unknown", zh: "unknown"}, "no Chinese"},
		{pair{en: "NUMA", zh: "NUMA"}, "lang.Same"},
		{pair{en: "", zh: "未知"}, "empty"},
		{pair{en: "it is 未知", zh: "未知"}, "Chinese in the English"},
		{pair{en: "x", zh: "未知 this is not known"}, "English in the Chinese"},
		{pair{en: "%s", zh: "%d 个", formats: true, args: 1}, "verbs"},
		{pair{en: "%s %s", zh: "%s 个", formats: true, args: 2}, "verbs"},
		{pair{en: "%s", zh: "%s 个", formats: true, args: 2}, "verbs"},
		{pair{en: "%s", zh: "%s 个", formats: true}, "verbs"},
		{pair{en: "50 % of it", zh: "其 50%", formats: true}, "verbs"},
		{pair{en: "50 %% of it", zh: "其 50%%"}, "not formatted"},
		{pair{en: "%s is here", zh: "有 %s"}, "not formatted"},
		{pair{en: "done", zh: " 完成"}, "space"},
		{pair{en: "It is done.", zh: "完成."}, "full stop"},
		{pair{en: "It is done: go on", zh: "完成,继续"}, "ASCII"},
	} {
		got := strings.Join(c.p.wrong(), "; ")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: got %q, want %q", c.p, got, c.want)
		}
	}
}

// pair is one text as the source has it.
type pair struct {
	en, zh  string
	formats bool // it is formatted, with args arguments; -1: as many as a slice has
	args    int
}

var (
	letters   = regexp.MustCompile(`[A-Za-z]`)
	halfWidth = regexp.MustCompile(`\p{Han}[,:!?](?:\s|\p{Han}|$)`)
	// A space at an end sets a word off from the Chinese it is put into (“ CPU”); two
	// or more fill a column.
	looseStart = regexp.MustCompile(`^ [^A-Za-z0-9% ]`)
	looseEnd   = regexp.MustCompile(`[^A-Za-z0-9% ] $`)
	verbs      = regexp.MustCompile(`%([-+# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:\.\d*)?(?:\[(\d+)\])?(.)`)
	percentage = regexp.MustCompile(`%[a-z%]`)
)

func (p pair) wrong() []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if (p.en == "") != (p.zh == "") {
		say("one language is empty")
		return out
	}
	en, zh := p.en, p.zh
	if p.formats {
		if w := p.wrongVerbs(); w != "" {
			say("verbs: %s", w)
		}
		en, zh = verbs.ReplaceAllString(en, "%"), verbs.ReplaceAllString(zh, "%")
	} else if percentage.MatchString(p.en) || percentage.MatchString(p.zh) {
		say("a verb that is not formatted")
	}
	if c := langtest.ChineseIn(en); len(c) > 0 {
		say("Chinese in the English: %q", c)
	}
	if e := langtest.EnglishIn(zh); len(e) > 0 {
		say("English in the Chinese: %q", e)
	}
	if !strings.ContainsFunc(zh, isHan) && letters.MatchString(zh) {
		say("no Chinese; what is alike in both languages is lang.Same")
	}
	if looseStart.MatchString(zh) && en[0] != ' ' || looseEnd.MatchString(zh) && en[len(en)-1] != ' ' {
		say("a space at an end, which English has not")
	}
	for line := range strings.Lines(zh) {
		if line = strings.TrimSpace(line); strings.ContainsFunc(line, isHan) && strings.HasSuffix(line, ".") && !strings.HasSuffix(line, "...") {
			say("a full stop of English")
		}
	}
	if m := halfWidth.FindString(written.ReplaceAllString(zh, "")); m != "" {
		say("a mark in ASCII: %q", m)
	}
	return out
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// written is what a person is to write in just this way.
var written = regexp.MustCompile("`[^`]*`|“[^”]*”|[a-z]+://\\S+")

// wrongVerbs is what is wrong with the two formats. One that numbers its arguments may
// leave some out: fmt lets it.
func (p pair) wrongVerbs() string {
	en, byNumber, errEN := verbsOf(p.en)
	zh, byNumberZH, errZH := verbsOf(p.zh)
	if err := errors.Join(errEN, errZH); err != nil {
		return err.Error()
	}
	n := max(len(en), len(zh))
	if p.args >= 0 && n != p.args || !byNumber && len(en) < n || !byNumberZH && len(zh) < n {
		return fmt.Sprintf("%q and %q for %d arguments", en, zh, p.args)
	}
	for i := range n {
		switch e, z := at(en, i), at(zh, i); {
		case e == "" && z == "":
			return fmt.Sprintf("argument %d is in neither", i+1)
		case e != "" && z != "" && e != z:
			return fmt.Sprintf("argument %d is %%%s and %%%s", i+1, e, z)
		}
	}
	return ""
}

func at(s []string, i int) string {
	if i < len(s) {
		return s[i]
	}
	return ""
}

// verbsOf are the verbs of a format, by argument.
func verbsOf(format string) (by []string, byNumber bool, err error) {
	next := 1
	for _, m := range verbs.FindAllStringSubmatch(format, -1) {
		if m[0] == "%%" {
			continue
		}
		if !strings.Contains("vTtbcdoOqxXUeEfFgGsp", m[5]) || strings.Contains(m[1], " ") || m[3] == "*" {
			return nil, false, fmt.Errorf("%q", m[0])
		}
		if number := m[2] + m[4]; number != "" {
			byNumber = true
			next, _ = strconv.Atoi(number)
		}
		for len(by) < next {
			by = append(by, "")
		}
		if !strings.Contains(by[next-1], m[5]) {
			by[next-1] += m[5]
		}
		next++
	}
	return by, byNumber, nil
}

// source is the module as it is parsed.
type source struct {
	set    *token.FileSet
	files  []sourceFile
	consts map[string]map[string]string // package → constant → its text, where that is plain
}

type sourceFile struct {
	pkg  string
	file *ast.File
}

func readModule(t *testing.T, root string) *source {
	t.Helper()
	s := &source{set: token.NewFileSet(), consts: map[string]map[string]string{}}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		s.files = append(s.files, sourceFile{f.Name.Name, f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range s.files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				return true
			}
			for _, spec := range d.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i < len(v.Values) {
						s.learn(f.pkg, name.Name, v.Values[i])
					}
				}
			}
			return true
		})
	}
	return s
}

func (s *source) learn(pkg, name string, e ast.Expr) {
	if text, ok := s.text(pkg, e); ok {
		if s.consts[pkg] == nil {
			s.consts[pkg] = map[string]string{}
		}
		s.consts[pkg][name] = text
	}
}

// text is a constant string.
func (s *source) text(pkg string, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, e.Kind == token.STRING && err == nil
	case *ast.ParenExpr:
		return s.text(pkg, e.X)
	case *ast.BinaryExpr:
		a, okA := s.text(pkg, e.X)
		b, okB := s.text(pkg, e.Y)
		return a + b, e.Op == token.ADD && okA && okB
	case *ast.Ident:
		text, ok := s.consts[pkg][e.Name]
		return text, ok
	case *ast.SelectorExpr:
		if p, ok := e.X.(*ast.Ident); ok {
			text, ok := s.consts[p.Name][e.Sel.Name]
			return text, ok
		}
	}
	return "", false
}

// pairsIn are the texts of a call or of a lang.Text written out: those of lang's own
// functions and methods, and any two strings side by side of which the second is
// Chinese.
func (s *source) pairsIn(pkg string, n ast.Node) []pair {
	var out []pair
	switch n := n.(type) {
	case *ast.CallExpr:
		name := calledAs(n)
		for i := range n.Args {
			if i == 0 {
				continue
			}
			en, okEN := s.text(pkg, n.Args[i-1])
			zh, okZH := s.text(pkg, n.Args[i])
			if strings.HasPrefix(name, "strings.") || !okEN || !okZH || !strings.ContainsFunc(zh, isHan) && !slices.Contains(tells, name) {
				continue
			}
			p := pair{en: en, zh: zh, formats: !slices.Contains(plain, name), args: len(n.Args) - i - 1}
			if n.Ellipsis.IsValid() || p.args == 0 && !slices.Contains(tells, name) {
				p.args = -1
			}
			out = append(out, p)
			break
		}
	case *ast.CompositeLit:
		for i := range n.Elts {
			if i == 0 {
				continue
			}
			en, okEN := s.text(pkg, valueOf(n.Elts[i-1]))
			zh, okZH := s.text(pkg, valueOf(n.Elts[i]))
			if okEN && okZH && strings.ContainsFunc(zh, isHan) && !strings.ContainsFunc(en, isHan) {
				out = append(out, pair{en: en, zh: zh, formats: percentage.MatchString(en), args: -1})
			}
		}
	}
	return out
}

func valueOf(e ast.Expr) ast.Expr {
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		return kv.Value
	}
	return e
}

// tells are the functions whose texts are judged even where there is no Chinese in
// them; plain those that take them as they are.
var (
	tells = []string{"lang.T", "lang.F", "lang.Errorf", "WithHint", "T", "F", "Errorf"}
	plain = []string{"lang.T", "T", "a.s"}
)

// calledAs is "lang.T", "a.say"; of a longer expression the method alone.
func calledAs(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			if f.Sel.Name == "WithHint" {
				return "WithHint"
			}
			return x.Name + "." + f.Sel.Name
		}
		return f.Sel.Name
	}
	return ""
}
