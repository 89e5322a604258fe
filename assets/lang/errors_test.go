package lang_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestErrorsThatPeopleSeeAreInBothLanguages reads the module's own source: words in a
// fmt.Errorf or an errors.New are English on a Chinese screen, where whoever prints the
// error quotes them. lang.Errorf says what could not be done, lang.Because why,
// lang.Quote what another program said.
func TestErrorsThatPeopleSeeAreInBothLanguages(t *testing.T) {
	src := readModule(t, "../..")
	found := map[string]int{} // by exception
	for _, f := range src.files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			wrong := src.plainError(f.pkg, n)
			if wrong == "" {
				return true
			}
			at := src.set.Position(n.Pos())
			name, err := filepath.Rel("../..", at.Filename)
			if err != nil {
				t.Fatal(err)
			}
			for prefix := range plainErrors {
				if strings.HasPrefix(filepath.ToSlash(name), prefix) {
					found[prefix]++
					return true
				}
			}
			t.Errorf("%s:%d: %s", name, at.Line, wrong)
			return true
		})
	}
	for prefix, why := range plainErrors {
		if found[prefix] == 0 {
			t.Errorf("%s (%s) needs no exception any more", prefix, why)
		}
	}
}

// plainErrors are where errors may be in English alone, and why.
var plainErrors = map[string]string{
	"assets/golang/golang.go":        "it reads what is embedded, which its tests have read",
	"assets/machines/archive/build.": "it makes the captured machines, for developers",
	"assets/machines/archive/cpus.":  "it makes the captured machines, for developers",
	"cmd/lab/":                       "for developers",
	"cmd/release/":                   "for developers",
	"steps/race/":                    "they are the detail beside a reason, for scripts; people get the reason",
	"steps/runtime/measure/load/":    "a program of its own, which is quoted",
	"assets/selftest/":               "a program of its own, which is quoted",
	"steps/unpack/":                  "one stops the parser, whose reason is told; one is for a format no caller names",
	"steps/verify/signature.go":      "a signature that cannot be read counts as none",
	"tui/field.go":                   "in the language of the screen already, as the form wants them",
}

func TestPlainErrorsAreSeen(t *testing.T) {
	for code, want := range map[string]string{
		`errors.New("it is too large")`:                     "errors.New",
		`errors.New("x" + "y")`:                             "errors.New",
		`errors.New(said)`:                                  "errors.New",
		`fmt.Errorf("line %d: %w", 1, err)`:                 "fmt.Errorf",
		`fmt.Errorf("%s: %w", name, err)`:                   "",
		`fmt.Errorf("%d:%d", 1, 2)`:                         "",
		`fmt.Errorf(format, args...)`:                       "fmt.Errorf",
		`lang.Because(nil, "it is too large", "过大")`:        "",
		`func (e E) Error() string { return "gone wrong" }`: "Error",
		`func (e E) Error() string { return e.a + ": " }`:   "",
		`lang.F("why: %s", "原因：%s", err.Error())`:           "lang.F",
		`lang.Same(visible(err.Error()))`:                   "lang.Same",
		`lang.F("why: %s", "原因：%s", err)`:                   "",
		`func (e E) Name() string { return "gone wrong" }`:  "",
	} {
		n := parsed(t, code)
		got := ""
		ast.Inspect(n, func(n ast.Node) bool {
			if w := (&source{}).plainError("p", n); w != "" {
				got = w
			}
			return true
		})
		if (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", code, got, want)
		}
	}
}

func parsed(t *testing.T, code string) ast.Node {
	t.Helper()
	if !strings.HasPrefix(code, "func ") {
		code = "var _ = " + code
	}
	f, err := parser.ParseFile(token.NewFileSet(), "p.go", "package p\n"+code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// plainError is what is wrong with n if it makes an error with words in English alone,
// or with words nobody knows.
func (s *source) plainError(pkg string, n ast.Node) string {
	switch n := n.(type) {
	case *ast.CallExpr:
		name := calledAs(n)
		if quotesEnglish(name, n.Args) {
			return name + " of an error's English alone: hand it the error"
		}
		if name != "errors.New" && name != "fmt.Errorf" || len(n.Args) == 0 {
			return ""
		}
		text, known := s.text(pkg, n.Args[0])
		if known && !letters.MatchString(verbs.ReplaceAllString(text, "")) {
			return ""
		}
		return name + " in English alone: lang.Errorf, lang.Because or lang.Quote"
	case *ast.FuncDecl:
		if n.Recv == nil || n.Name.Name != "Error" || n.Body == nil {
			return ""
		}
		wrong := ""
		ast.Inspect(n.Body, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if text, _ := s.text(pkg, lit); prose.MatchString(text) {
					wrong = "Error in English alone: have a Text or a Reason, and let it give that"
				}
			}
			return true
		})
		return wrong
	}
	return ""
}

// quotesEnglish says whether an error's Error() is among what a text is made with: the
// error itself would be rendered in each language.
func quotesEnglish(name string, args []ast.Expr) bool {
	if !strings.HasPrefix(name, "lang.") && name != "WithHint" {
		return false
	}
	for _, a := range args {
		quoted := false
		ast.Inspect(a, func(n ast.Node) bool {
			c, ok := n.(*ast.CallExpr)
			if ok && len(c.Args) == 0 {
				sel, ok := c.Fun.(*ast.SelectorExpr)
				quoted = quoted || ok && sel.Sel.Name == "Error"
			}
			return !quoted
		})
		if quoted {
			return true
		}
	}
	return false
}

// prose is two words.
var prose = regexp.MustCompile(`[A-Za-z]+ +[A-Za-z]+`)
