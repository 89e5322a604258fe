package answers

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"goxin/assets/lang"
)

type nodeKind int

const (
	scalarNode nodeKind = iota
	nullNode
	mapNode
	listNode
	badNode // complained about already
)

// node is a piece of YAML as written: plain scalars keep their text, so 010
// stays 010.
type node struct {
	kind  nodeKind
	at    place
	text  string // scalar
	plain bool   // scalar without quotes
	long  bool   // scalar over several lines
	pairs []pair
	items []*node
}

type pair struct {
	key   string
	at    place
	value *node
}

func convert(n ast.Node, c *complaints) *node {
	at := placeOf(n)
	bad := &node{kind: badNode, at: at}
	switch n := n.(type) {
	case *ast.NullNode:
		return &node{kind: nullNode, at: at}
	case *ast.LiteralNode:
		return &node{at: at, text: n.Value.Value, long: true}
	case *ast.StringNode:
		plain := n.Token.Type != token.SingleQuoteType && n.Token.Type != token.DoubleQuoteType
		return &node{at: at, text: n.Value, plain: plain, long: strings.Contains(strings.TrimSpace(n.Token.Origin), "\n")}
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return &node{at: at, text: n.GetToken().Value, plain: true}
	case *ast.SequenceNode:
		out := &node{kind: listNode, at: at}
		for _, v := range n.Values {
			out.items = append(out.items, convert(v, c))
		}
		return out
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			at = placeOf(n.Values[0].Key) // the node's own token is a colon
		}
		return convertMap(n.Values, at, c)
	case *ast.MappingValueNode:
		return convertMap([]*ast.MappingValueNode{n}, placeOf(n.Key), c)
	case *ast.AnchorNode:
		c.add(at, lang.T("cannot use an anchor (&): answers have none", "无法使用锚点（&）：应答文件不支持"),
			lang.T("write the value out where it is needed; a value that begins with & goes in quotes", "请在用到处直接写出值；以 & 开头的值请加引号"))
		return bad
	case *ast.AliasNode:
		c.add(at, lang.T("cannot use an alias (*): answers have none", "无法使用别名（*）：应答文件不支持"),
			lang.T(`a value that begins with * goes in quotes: "*-db"`, `以 * 开头的值请加引号："*-db"`))
		return bad
	case *ast.TagNode:
		c.add(at, lang.T("cannot use a tag (!): answers have none", "无法使用标签（!）：应答文件不支持"),
			lang.T("remove it; a value that begins with ! goes in quotes", "请删除；以 ! 开头的值请加引号"))
		return bad
	}
	c.add(at, lang.T("cannot read this: not something answers have", "无法识别此处：应答文件没有这种写法"), asInTemplate())
	return bad
}

func convertMap(values []*ast.MappingValueNode, at place, c *complaints) *node {
	out := &node{kind: mapNode, at: at}
	first := map[string]place{}
	for _, v := range values {
		k := convertKey(v.Key, c)
		if k == nil {
			continue
		}
		value := convert(v.Value, c)
		if value.kind == nullNode {
			value.at = k.at // an absent value has no place of its own
		}
		if was, twice := first[k.text]; twice {
			c.add(k.at, lang.F("cannot use %s twice: it is on line %d already", "无法重复使用 %s：第 %d 行已有", quote(k.text), was.line),
				lang.T("remove one of them", "请删除其中一个"))
			continue
		}
		first[k.text] = k.at
		out.pairs = append(out.pairs, pair{k.text, k.at, value})
	}
	return out
}

// convertKey gives a key as written, or nil after complaining.
func convertKey(n ast.MapKeyNode, c *complaints) *node {
	switch n := n.(type) {
	case *ast.MergeKeyNode:
		c.add(placeOf(n), lang.T("cannot use <<: answers have no aliases to merge", "无法使用 <<：应答文件不支持合并别名"),
			lang.T("write the keys out", "请直接写出各键"))
		return nil
	case *ast.NullNode:
		return &node{at: placeOf(n), text: n.Token.Value, plain: true}
	case *ast.MappingKeyNode:
		c.add(placeOf(n), lang.T("cannot use ? before a key", "无法在键前使用 ?"), lang.T("write key: value", "请写成 key: value"))
		return nil
	}
	k := convert(n, c)
	if k.kind != scalarNode {
		if k.kind != badNode {
			c.add(k.at, lang.T("cannot use this as a key: a key is a word", "无法用作键：键必须是一个词"), lang.T("put the words of a list or a map after the colon", "列表或映射请写在冒号之后"))
		}
		return nil
	}
	return k
}

func placeOf(n ast.Node) place { return placeAt(n.GetToken()) }

func placeAt(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	return place{t.Position.Line, t.Position.Column}
}

// quote shows a value of the file in a message, cut short and harmless to a
// terminal.
func quote(s string) string {
	const most = 40
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	odd := func(r rune) bool { return r == ' ' || r == '"' || !strconv.IsPrint(r) }
	if s != "" && !strings.ContainsFunc(s, odd) {
		return s
	}
	return fmt.Sprintf("%q", s)
}
