package answers

import (
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"goxin/assets/lang"
)

// What a file may hold. The parser recurses once per level and compares keys
// with one another, so both are bounded before it sees anything.
const (
	maxDepth  = 16
	maxTokens = 10000
)

// parse reads clean text. It gives nil after complaining, and for a file with
// nothing in it.
func parse(src []byte, c *complaints) (root *node) {
	// Whatever a file holds, it must not be able to end the program through a
	// fault in the parser.
	defer func() {
		if r := recover(); r != nil {
			c.add(place{}, lang.T("cannot read answers: not valid YAML", "无法读取应答文件：不是合法的 YAML"), asInTemplate())
			root = nil
		}
	}()
	if !sparse(src, c) {
		return nil
	}
	tokens := lexer.Tokenize(string(src))
	if !bounded(tokens, c) {
		return nil
	}
	f, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		syntax(err, src, c)
		return nil
	}
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		at := placeOf(doc.Body)
		if doc.Start != nil && root != nil {
			at = placeAt(doc.Start)
		}
		if _, ok := doc.Body.(*ast.DirectiveNode); ok {
			c.add(at, lang.T("cannot use a % directive: answers are plain YAML", "无法使用 % 指令：应答文件只用普通 YAML"),
				lang.T("remove the line", "请删除该行"))
			continue
		}
		if root != nil {
			c.add(at, lang.T("cannot read a second document: answers are one", "无法读取第二个文档：应答文件只能有一个文档"),
				lang.T("remove the --- line and what follows it", "请删除 --- 行及其后内容"))
			break
		}
		root = convert(doc.Body, c)
	}
	return root
}

// sparse says whether src is worth tokenizing: a token takes a hundred times
// the memory of its sign. It counts what may be a token, quotes ignored.
func sparse(src []byte, c *complaints) bool {
	blank := func(i int) bool { return i < 0 || i >= len(src) || src[i] == ' ' || src[i] == '\n' }
	at, signs, open := place{1, 0}, 0, 0
	deep := 0 // up to where brackets alone are too deep; 0: they are not
	for i, b := range src {
		if utf8.RuneStart(b) {
			at.col++
		}
		switch b {
		case '[', '{':
			open++
			signs++
			if open == maxDepth+1 && deep == 0 {
				deep = i + 1
			}
		case ']', '}':
			open--
			signs++
		case ',', '"', '\'':
			signs++
		case ':', '-', '?', '&', '*', '!', '|', '>':
			if blank(i-1) || blank(i+1) {
				signs++
			}
		case '\n':
			signs++
			at = place{at.line + 1, 0}
		}
		if signs > 2*maxTokens {
			// The place is where the tokenizer sees it; where it does not, the
			// brackets stood in quotes.
			if deep == 0 || bounded(lexer.Tokenize(string(src[:deep])), c) {
				tooMany(at, c)
			}
			return false
		}
	}
	return true
}

// bounded says whether the parser can be trusted with the tokens.
func bounded(tokens token.Tokens, c *complaints) bool {
	flow := 0         // open brackets
	var columns []int // of the open blocks
	line := 0
	for i, t := range tokens {
		at := placeAt(t)
		if i == maxTokens {
			tooMany(at, c)
			return false
		}
		if at.line != line && flow == 0 {
			line = at.line
			for len(columns) > 0 && columns[len(columns)-1] >= at.col {
				columns = columns[:len(columns)-1]
			}
		}
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow = max(0, flow-1)
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			columns = append(columns, at.col)
		case token.MappingValueType:
			if flow == 0 && t.Prev != nil {
				columns = append(columns, placeAt(t.Prev).col) // the key's
			}
		}
		if flow+len(columns) > maxDepth {
			tooDeep(at, c)
			return false
		}
	}
	return true
}

// asInTemplate is the hint where nothing better is known.
func asInTemplate() lang.Text {
	return lang.T("compare it with what goxin answers new prints", "请与 goxin answers new 打印的模板对照")
}

func tooMany(at place, c *complaints) {
	c.add(at, lang.F("cannot read answers: more than %d words and signs", "无法读取应答文件：词与符号超过 %d 个", maxTokens),
		lang.T("is this the right file?", "请确认文件是否正确"))
}

func tooDeep(at place, c *complaints) {
	c.add(at, lang.F("cannot read answers: nested deeper than %d", "无法读取应答文件：嵌套超过 %d 层", maxDepth),
		lang.T("answers nest four deep: steps, step, field, key", "应答文件只有四层：steps、步骤、字段、键"))
}

// syntax complains about what the parser refused.
func syntax(err error, src []byte, c *complaints) {
	var at place
	message := err.Error()
	var e interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &e) {
		at, message = placeAt(e.GetToken()), e.GetMessage()
	}
	why, hint := explain(message, lineOf(src, at.line))
	c.add(at, lang.F("cannot read YAML: %s", "无法解析 YAML：%s", why), hint)
}

func lineOf(src []byte, n int) string {
	for l := range strings.Lines(string(src)) {
		if n--; n == 0 {
			return strings.TrimRight(l, "\n")
		}
	}
	return ""
}
