package answers

import (
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// value reads a field's value in the Go type of its kind (see engine.Values).
// After complaining it gives nil. name is step.key.
func (d decoder) value(name string, f engine.Field, n *node) any {
	switch n.kind {
	case badNode:
		return nil
	case nullNode:
		if f.Kind == engine.Text || f.Kind == engine.Choice {
			d.text(name, n)
			return nil
		}
		d.add(n.at, lang.F("cannot read %s: it has no value", "无法读取 %s：没有值", name), lang.T("remove the key for its default", "要用默认值请删除该键"))
		return nil
	}
	switch f.Kind {
	case engine.Secret:
		return d.secret(name, n)
	case engine.Confirm:
		return d.confirm(name, n)
	case engine.Number:
		return d.number(name, f, n)
	case engine.Many, engine.List:
		return d.list(name, f, n)
	case engine.Map:
		return d.pairs(name, f, n)
	}
	s, ok := d.text(name, n)
	if !ok || !d.judge(name, f, s, n.at) {
		return nil
	}
	return s
}

// text reads a scalar as it is written.
func (d decoder) text(name string, n *node) (string, bool) {
	switch n.kind {
	case badNode:
		return "", false
	case nullNode:
		d.add(n.at, lang.F("cannot read %s: it has no value", "无法读取 %s：没有值", name),
			lang.T(`remove the key for its default; write "" for an empty text and "null" for that word`, `要用默认值请删除该键；空文本请写 ""，文本 null 请写 "null"`))
		return "", false
	case mapNode, listNode:
		d.wrong(name, lang.T("text", "文本"), n, lang.T("write one value after the colon", "请在冒号后写一个值"))
		return "", false
	}
	// A value that no tool and no terminal can carry is a slip or an attack.
	if i := strings.IndexFunc(n.text, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }); i >= 0 || !utf8.ValidString(n.text) {
		d.add(n.at, lang.F("cannot read %s: it has a control character", "无法读取 %s：含控制字符", name), lang.T("remove it", "请删除该字符"))
		return "", false
	}
	return n.text, true
}

func (d decoder) wrong(name string, want lang.Text, n *node, hint lang.Text) {
	d.add(n.at, lang.F("cannot read %s: %s is expected, not %s", "无法读取 %s：应为%s，而不是%s", name, want, n.says()), hint)
}

// judge says whether one value is allowed.
func (d decoder) judge(name string, f engine.Field, s string, at place) bool {
	if f.Kind == engine.Choice || f.Kind == engine.Many {
		if there := options(f); !slices.Contains(there, s) {
			d.add(at, lang.F("cannot use %s for %s: there is no such option", "无法将 %s 用于 %s：没有这个选项", quote(s), name), didYouMean(s, there))
			return false
		}
	}
	return d.check(name, f, s, at)
}

func (d decoder) check(name string, f engine.Field, s string, at place) bool {
	if f.Check == nil {
		return true
	}
	err := f.Check(s)
	if err == nil {
		return true
	}
	d.add(at, lang.F("cannot use %s for %s: %s", "无法将 %s 用于 %s：%s", quote(s), name, err), hintOf(err))
	return false
}

// hintOf is a step's own hint, or what can be done about any value it refuses.
func hintOf(err error) lang.Text {
	if hint := lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH)); !hint.Empty() {
		return hint
	}
	return lang.T("write another value, or remove the key", "请换一个值，或删除该键")
}

func options(f engine.Field) []string {
	var out []string
	for _, o := range f.Options {
		out = append(out, o.Value)
	}
	return out
}

// secret reads a reference. What stands there instead may be the secret, so
// no message shows it.
func (d decoder) secret(name string, n *node) any {
	ref := ""
	if n.kind == scalarNode {
		ref = n.text
	}
	if _, err := ParseSecret(ref); err != nil {
		d.add(n.at, lang.F("cannot use the value of %s: %s", "无法使用 %s 的值：%s", name, err),
			lang.T(lang.Hint(err, lang.EN), lang.Hint(err, lang.ZH)))
		return nil
	}
	return ref
}

func (d decoder) confirm(name string, n *node) any {
	if n.kind == scalarNode && n.plain {
		switch n.text {
		case "true":
			return true
		case "false":
			return false
		}
	}
	hint := lang.T("write true or false", "请写 true 或 false")
	if n.kind == scalarNode {
		switch strings.ToLower(n.text) {
		case "true", "yes", "y", "on", "1":
			hint = lang.T("write true, without quotes", "请写 true，不加引号")
		case "false", "no", "n", "off", "0":
			hint = lang.T("write false, without quotes", "请写 false，不加引号")
		}
	}
	d.wrong(name, lang.T("true or false", " true 或 false"), n, hint)
	return nil
}

func (d decoder) number(name string, f engine.Field, n *node) any {
	whole := lang.T("a whole number", "整数")
	switch {
	case n.kind != scalarNode:
		d.wrong(name, whole, n, digits(f))
		return nil
	case !n.plain:
		hint := digits(f)
		if _, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			hint = lang.T("remove the quotes", "请去掉引号")
		}
		d.wrong(name, whole, n, hint)
		return nil
	}
	v, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != n.text {
		d.notWhole(name, f, n)
		return nil
	}
	if f.Max > f.Min && (v < f.Min || v > f.Max) {
		d.add(n.at, lang.F("cannot use %d for %s: it is not from %d to %d", "无法将 %d 用于 %s：应在 %d 到 %d 之间", v, name, f.Min, f.Max), nearestTo(v < f.Min, f))
		return nil
	}
	return v
}

// nearestTo is the hint for a number that is out of a field's range.
func nearestTo(below bool, f engine.Field) lang.Text {
	if below {
		return lang.F("write at least %d", "请写不小于 %d 的值", f.Min)
	}
	return lang.F("write at most %d", "请写不大于 %d 的值", f.Max)
}

// fits is the hint for a number that no field could hold.
func fits(text string, f engine.Field) lang.Text {
	if f.Max <= f.Min {
		f.Min, f.Max = math.MinInt64, math.MaxInt64
	}
	return nearestTo(strings.HasPrefix(text, "-"), f)
}

// digits is the hint for what is no number.
func digits(f engine.Field) lang.Text {
	if f.Max > f.Min {
		return lang.F("write a number from %d to %d in digits", "请用数字写一个 %d 到 %d 之间的整数", f.Min, f.Max)
	}
	return lang.T("write a number in digits", "请用数字写一个整数")
}

// notWhole complains about a number that YAML's readers do not agree on, or
// that is none.
func (d decoder) notWhole(name string, f engine.Field, n *node) {
	_, err := strconv.ParseInt(n.text, 10, 64)
	other, otherErr := strconv.ParseInt(n.text, 0, 64)
	decimal, decimalErr := strconv.ParseInt(strings.TrimLeft(n.text, "+0"), 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		d.add(n.at, lang.F("cannot use %s for %s: it does not fit in 64 bits", "无法将 %s 用于 %s：超出 64 位范围", quote(n.text), name), fits(n.text, f))
	case otherErr == nil && decimalErr == nil && other != decimal:
		d.add(n.at, lang.F("cannot read %s: %s is one number to some readers of YAML and another to others", "无法读取 %s：不同的 YAML 程序对 %s 理解不同", name, quote(n.text)),
			lang.F("write %d or %d", "请写 %d 或 %d", decimal, other))
	case otherErr == nil:
		d.add(n.at, lang.F("cannot read %s: %s is not in plain decimal digits", "无法读取 %s：%s 不是普通十进制写法", name, quote(n.text)),
			lang.F("write %d", "请写 %d", other))
	default:
		d.add(n.at, lang.F("cannot read %s: %s is not a whole number", "无法读取 %s：%s 不是整数", name, quote(n.text)), digits(f))
	}
}

func (d decoder) list(name string, f engine.Field, n *node) any {
	if n.kind != listNode {
		hint := lang.T("write [a, b]", "请写 [a, b]")
		if n.kind == scalarNode && plain(n.text) {
			hint = lang.F("write [%s]", "请写 [%s]", n.text)
		}
		d.wrong(name, lang.T("a list", "列表"), n, hint)
		return nil
	}
	out := []string{}
	fine := true
	for _, item := range n.items {
		s, ok := d.text(name, item)
		if !ok || !d.judge(name, f, s, item.at) {
			fine = false
			continue
		}
		if f.Kind == engine.Many && slices.Contains(out, s) {
			d.add(item.at, lang.F("cannot use %s twice in %s", "%s 在 %s 中重复", quote(s), name), lang.T("remove one of them", "请删除其中一个"))
			fine = false
			continue
		}
		out = append(out, s)
	}
	if !fine {
		return nil
	}
	return out
}

func (d decoder) pairs(name string, f engine.Field, n *node) any {
	if n.kind != mapNode {
		d.wrong(name, lang.T("a map", "映射"), n, lang.T("write key: value, a line each, indented under it", "请在其下缩进，每行写一个 key: value"))
		return nil
	}
	out := map[string]string{}
	fine := true
	for _, p := range n.pairs {
		key := name + "." + quote(p.key)
		s, ok := d.text(key, p.value)
		switch {
		case !ok:
			fine = false
		case p.key == "" || control(p.key):
			d.add(p.at, lang.F("cannot use the key %s in %s", "无法在 %[2]s 中使用键 %[1]s", quote(p.key), name),
				lang.T("a key is a word of printing characters", "键必须是由可见字符组成的词"))
			fine = false
		case p.value.long || control(s):
			d.add(p.value.at, lang.F("cannot read %s: its value goes over several lines", "无法读取 %s：值占了多行", key), lang.T("write it on one line", "请写在一行内"))
			fine = false
		case !d.check(name, f, p.key+"="+s, p.value.at):
			fine = false
		default:
			out[p.key] = s
		}
	}
	if !fine {
		return nil
	}
	return out
}

// control says whether s has characters that do not print: line ends, tabs,
// escapes, broken UTF-8.
func control(s string) bool {
	return strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s)
}
