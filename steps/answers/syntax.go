package answers

import (
	"strings"

	"goxin/assets/lang"
)

// explain says in a person's words what the parser's message means, and what
// to do about it. A message it does not know is quoted as it is. line is the
// line of the file it is about.
func explain(message, line string) (why, hint lang.Text) {
	has := func(s string) bool { return strings.Contains(message, s) }
	switch {
	case strings.HasSuffix(strings.TrimSpace(line), " prompt:"):
		return lang.T("the colon at the end starts a map", "行末的冒号会被当作映射"),
			lang.T(`put it in quotes: "prompt:"`, `请加引号："prompt:"`)
	case has("not allowed in this context"):
		return lang.T("this cannot stand here", "此处不能出现该内容"),
			lang.T(`check the indentation; a value with ": " or " #" in it goes in quotes`, `请检查缩进；值中含 “: ” 或 “ #” 时请加引号`)
	case has("could not find end character of double-quoted"), has("could not find end character of single-quoted"):
		return lang.T("a quote is opened here and never closed", "引号在此处打开后没有关闭"),
			lang.T("close it", "请补上另一半引号")
	case has("could not find flow mapping end"), has("sequence end token"), has("flow map"), has("']'"), has("'}'"):
		return lang.T("brackets do not match", "括号不配对"),
			lang.T("close every [ and { on the line that opens it", "请在同一行内关闭每个 [ 和 {")
	case has("reserved character"):
		return lang.T("a value cannot begin with this character", "值不能以该字符开头"),
			lang.T("put the value in quotes", "请给该值加引号")
	case has("invalid key"), has("map key"), has("non-map value"):
		return lang.T("a key and its value are expected here", "此处应为键和值"),
			lang.T("write key: value, with a space after the colon", "请写成 key: value，冒号后要有空格")
	}
	return lang.Same(message), asInTemplate()
}
