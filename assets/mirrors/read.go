package mirrors

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"goxin/assets/lang"
)

// largest is how many bytes a catalogue may have; goxin's own has a tenth.
const largest = 256 << 10

// Parse reads a site's own catalogue. Unknown keys, wrong types and values that
// cannot be are refused, with their places (file:line:col); of what is wrong in
// the values, everything is said at once.
func Parse(name string, data []byte) (*Catalogue, error) {
	c, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	own, err := Load()
	if err != nil {
		return nil, err
	}
	for _, p := range c.Products {
		known := slices.ContainsFunc(own.Products, func(o Product) bool { return o.ID == p.ID })
		if p.Official == "" && !known {
			return nil, lang.Errorf(nil, "cannot read %s: the product %q is not in goxin's catalogue and names no official site", "无法读取 %s：产品 %q 不在 goxin 的目录中，又没有给出 official", name, p.ID).
				WithHint("give vendor: and official:, or correct the id", "请补充 vendor: 与 official:，或更正 id")
		}
	}
	return c, nil
}

// text is a scalar that remembers its place, so that what it means can be judged
// later, all at once. Numbers are taken as they are written: 22.03 is a version.
type text struct {
	s   string
	at  *token.Token
	bad bool // no scalar
}

func (t *text) UnmarshalYAML(n ast.Node) error {
	t.at = n.GetToken()
	switch v := n.(type) {
	case *ast.StringNode:
		t.s = v.Value
	case *ast.LiteralNode:
		t.s = strings.TrimSpace(v.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		t.s = t.at.Value
	default:
		t.bad = true
	}
	return nil
}

// The file's form; Product says what the parts mean.
type (
	file struct {
		Products []product `yaml:"products"`
	}
	product struct {
		ID       text     `yaml:"id"`
		Versions []text   `yaml:"versions"`
		Archs    []text   `yaml:"archs"`
		Vendor   []text   `yaml:"vendor"`
		Trees    []text   `yaml:"trees"`
		Official text     `yaml:"official"`
		HTTP1    bool     `yaml:"http1"`
		Mirrors  []mirror `yaml:"mirrors"`
		Keys     []key    `yaml:"keys"`
		Gated    bool     `yaml:"gated"`
		Repos    []repo   `yaml:"repos"`
		Source   text     `yaml:"source"`
	}
	mirror struct {
		ID   text `yaml:"id"`
		Name struct {
			EN text `yaml:"en"`
			ZH text `yaml:"zh"`
		} `yaml:"name"`
		URL   text `yaml:"url"`
		HTTP1 bool `yaml:"http1"`
	}
	key struct {
		Path        text `yaml:"path"`
		Fingerprint text `yaml:"fingerprint"`
	}
	repo struct {
		Versions   []text `yaml:"versions"`
		ID         text   `yaml:"id"`
		Name       text   `yaml:"name"`
		Path       text   `yaml:"path"`
		Suite      text   `yaml:"suite"`
		Components []text `yaml:"components"`
	}
)

func parse(name string, data []byte) (c *Catalogue, err error) {
	fail := func(at *token.Token, en, zh string, args ...any) *lang.Error {
		where := name
		if at != nil && at.Position != nil {
			where = fmt.Sprintf("%s:%d:%d", name, at.Position.Line, at.Position.Column)
		}
		return lang.Errorf(nil, "%s: %s", "%s：%s", where, lang.F(en, zh, args...))
	}
	defer func() { // the YAML library's faults must not end the program
		if r := recover(); r != nil {
			c, err = nil, fail(nil, "not valid YAML", "不是合法的 YAML")
		}
	}()
	if len(data) > largest {
		return nil, fail(nil, "%d bytes are too many: 256 KiB at most", "%d 字节过大：最多 256 KiB", len(data))
	}
	if at := unfit(data); at != nil {
		return nil, fail(at, "a catalogue has no anchors, tags or deep nesting", "目录文件不使用锚点、标签或深层嵌套")
	}
	var f file
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&f); err != nil {
		var e yaml.Error
		if errors.As(err, &e) {
			return nil, fail(e.GetToken(), "%s", "%s", e.GetMessage())
		}
		return nil, fail(nil, "no products: %v", "没有 products：%v", err)
	}
	j := judge{fail: fail}
	c = j.catalogue(f)
	if len(j.problems) > 0 {
		return nil, errors.Join(j.problems...)
	}
	return c, nil
}

// unfit finds what could make the parser recurse or a document grow without end.
func unfit(data []byte) *token.Token {
	depth, line, inline := 0, 0, 0
	for _, t := range lexer.Tokenize(string(data)) {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.TagType, token.MappingKeyType, token.DirectiveType:
			return t
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType:
			if t.Position.Line != line {
				line, inline = t.Position.Line, 0
			}
			inline++
		}
		if depth > 8 || inline > 2 || t.Position.IndentNum > 40 {
			return t
		}
	}
	return nil
}
