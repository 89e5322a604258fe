package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Questions in line mode: one at a time, answered by a number or a value, which
// the same fields judge as in a form.

// helped is an answer and what it does.
type helped struct {
	typed string
	text  lang.Text
}

// atHand is what a page asks now; nil: nothing.
func (p *questionnaire) atHand() *questionnaire {
	if p.form == nil {
		return nil
	}
	return p
}

// free reports whether any line may be an answer to the question at hand, so
// that what is meant for the wizard needs a mark before it. What can be written
// beside a list is no single letter.
func (p *questionnaire) free() bool {
	switch p.questions[p.index()].Kind {
	case engine.Choice, engine.Many, engine.Confirm:
		return false
	}
	return !p.fields[p.focus].picks()
}

func (d *liner) question() *questionnaire {
	if len(d.overlays) > 0 {
		return nil
	}
	if p, ok := d.page.(interface{ atHand() *questionnaire }); ok {
		return p.atHand()
	}
	return nil
}

// questionText is the question at hand with all there is to know of it.
func (d *liner) questionText(p *questionnaire) []string {
	q, f := p.questions[p.index()], p.fields[p.focus]
	out := []string{viewLines(d.page.View(lineWidth, lineHeight))[0], d.s(q.Title)}
	for _, t := range []lang.Text{q.Help, how(q.Kind, lang.T("- alone: none.", "单独一个 - 表示无。"))} {
		if !t.Empty() {
			out = append(out, d.s(t))
		}
	}
	for i, o := range q.Options {
		l := d.optionTitle(p, o)
		if numbered(q.Options) {
			l = fmt.Sprintf("%d. %s", i+1, l)
		}
		if q.Kind == engine.Many && slices.Contains(f.many, o.Value) || q.Kind != engine.Many && f.text == o.Value {
			l += d.say(" (Enter)", "（回车）")
		}
		out = append(out, l)
	}
	if !q.Why.Empty() {
		out = append(out, d.say("Why: %s", "原因：%s", q.Why))
	}
	return out
}

func (d *liner) optionTitle(p *questionnaire, o engine.Option) string {
	title := d.raw(o.Title.In(d.lang))
	switch {
	case title == "" || title == o.Value:
		return d.raw(o.Value)
	case o.Value == "":
		return strings.Join(strings.Fields(title), " ")
	case p.titles || p.fields[p.focus].picks():
		return strings.Join(strings.Fields(title), " ") // what stands in columns on a screen
	}
	return d.raw(o.Value) + d.say(": ", "：") + title
}

// numbered reports whether options are picked by number: not where a value could
// be taken for one.
func numbered(os []engine.Option) bool {
	return !slices.ContainsFunc(os, func(o engine.Option) bool {
		_, err := strconv.Atoi(o.Value)
		return err == nil
	})
}

// standing is the answer that Enter leaves as it is.
func (d *liner) standing(p *questionnaire) string {
	q, f := p.questions[p.index()], p.fields[p.focus]
	s := f.text
	switch {
	case q.Kind == engine.Confirm:
		return d.s(yesOrNo(f.yes))
	case q.Kind == engine.Many:
		s = strings.Join(f.many, ", ")
	case f.picks() && f.text == elsewhere:
		s = f.typed
	}
	if p.titles && q.Kind == engine.Choice {
		if i := slices.IndexFunc(q.Options, func(o engine.Option) bool { return o.Value == s }); i >= 0 {
			return strconv.Itoa(i + 1)
		}
	}
	if s == "" {
		return d.say("none", "无")
	}
	return cut(d.raw(s), 40, "...")
}

func yesOrNo(b bool) lang.Text {
	if b {
		return lang.T("yes", "是")
	}
	return lang.T("no", "否")
}

// kindOfAnswer is what a question takes.
func kindOfAnswer(q engine.Question) lang.Text {
	switch {
	case q.Kind == engine.Confirm:
		return lang.T("yes or no", "是或否")
	case q.Kind == engine.Many && numbered(q.Options):
		return lang.T("numbers separated by commas", "编号，用逗号分隔")
	case q.Kind == engine.Many:
		return lang.T("values separated by commas", "值，用逗号分隔")
	case len(q.Options) > 0 && numbered(q.Options) && q.Kind == engine.Choice:
		return lang.T("a number", "编号")
	case len(q.Options) > 0 && numbered(q.Options):
		return lang.T("a number, or another value", "编号，或其他值")
	}
	return lang.T("a value", "值")
}

func (d *liner) questionPrompt(p *questionnaire) string {
	parts := []string{upper(d.s(kindOfAnswer(p.questions[p.index()]))), d.say("Enter for %s", "回车为 %s", d.standing(p)), d.say("? for help", "? 帮助")}
	if _, ok := d.backFrom(); ok {
		parts = append(parts, d.say("< to go back", "< 返回"))
	}
	return strings.Join(parts, d.say(", ", "，")) + d.say(":", "：")
}

// backFrom goes to the question before, or else to the page before.
func (d *liner) backFrom() (binding, bool) {
	for _, key := range []string{"shift+tab", "esc"} {
		for _, b := range d.page.Keys() {
			if b.do != nil && slices.Contains(b.keys, key) {
				return b, true
			}
		}
	}
	return binding{}, false
}

func (d *liner) questionHelp(p *questionnaire) []helped {
	q := p.questions[p.index()]
	var out []helped
	for i, o := range q.Options {
		key := o.Value
		if numbered(q.Options) {
			key = strconv.Itoa(i + 1)
			if p.titles { // for a script, which cannot know how many come before it
				key += d.say(" or ", " 或 ") + o.Value
			}
		}
		t := lang.Same(d.optionTitle(p, o))
		if !o.Help.Empty() {
			t = lang.F("%s. %s", "%s。%s", t, o.Help)
		}
		out = append(out, helped{key, t})
	}
	if q.Kind == engine.Confirm {
		out = append(out, helped{d.s(yesOrNo(true)), lang.T("yes", "是")}, helped{d.s(yesOrNo(false)), lang.T("no", "否")})
	}
	out = append(out, helped{d.say("Enter", "回车"), lang.F("leaves it at %s", "保持 %s", d.standing(p))})
	if p.clears() {
		out = append(out, helped{"-", lang.T("none", "无")})
	}
	if p.free() || p.fields[p.focus].picks() {
		out = append(out, helped{"\\x", lang.T("x as it stands, whatever it begins with", "按原样取 x，无论以什么开头")})
	}
	if _, ok := d.backFrom(); ok {
		out = append(out, helped{"<", lang.T("back", "返回")})
	}
	return out
}

// clears reports whether the question at hand can be left without an answer.
func (p *questionnaire) clears() bool {
	f := p.fields[p.focus]
	return f.question.Kind == engine.Many || p.free()
}

// answerQuestion takes a line for the answer of the question at hand.
func (d *liner) answerQuestion(p *questionnaire, s string) {
	f := p.fields[p.focus]
	before := *f
	command, marked := strings.CutPrefix(s, "!")
	switch {
	case s == "":
		f.typing = f.picks() && f.text == elsewhere
		d.accepts(p, f, before)
	case s == "<":
		if b, ok := d.backFrom(); ok {
			d.goes(b.do())
			return
		}
		d.put(d.say("There is no way back from here.", "这里不能返回。"))
	case s == "?":
		d.help()
	case marked && d.word(command):
	case marked:
		d.answerPage(command)
	case strings.EqualFold(s, "q"), s == "help", s == "帮助": // nobody's value; \q is one
		if !d.word(s) {
			d.answerPage(s)
		}
	case f.picks() && d.said(s):
	case f.take(s):
		d.accepts(p, f, before)
	case d.said(s):
	default:
		d.put(d.say("%s is not among the answers; ? lists them.", "%s 不在可选的应答之中；? 列出全部。", quoted(s)))
	}
}

// said does what a line says to the wizard, where it is no answer.
func (d *liner) said(s string) bool {
	if d.word(s) {
		return true
	}
	if _, ok := d.bound(s); !ok {
		return false
	}
	d.answerPage(s)
	return true
}

// take sets a field to what a line says; false: it says nothing of the kind.
func (f *field) take(s string) bool {
	q := f.question
	option := func(s string) (string, bool) {
		for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
			for _, o := range q.Options {
				if same(o.Value, s) {
					return o.Value, true
				}
			}
		}
		if n, err := strconv.Atoi(s); err == nil && numbered(q.Options) && n >= 1 && n <= len(q.Options) {
			return q.Options[n-1].Value, true
		}
		return "", false
	}
	switch q.Kind {
	case engine.Confirm:
		yes := slices.Contains([]string{"yes", "y", "是"}, strings.ToLower(s))
		if !yes && !slices.Contains([]string{"no", "n", "否"}, strings.ToLower(s)) {
			return false
		}
		f.yes = yes
	case engine.Choice:
		v, ok := option(s)
		if !ok {
			return false
		}
		f.text = v
	case engine.Many:
		many := []string{}
		if s != "-" {
			for _, part := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",;，；、", r) }) {
				v, ok := option(strings.TrimSpace(part))
				if !ok {
					return false
				}
				if !slices.Contains(many, v) {
					many = append(many, v)
				}
			}
		}
		f.many = inOrder(many, q.Options)
	default:
		literal, escaped := strings.CutPrefix(s, "\\")
		if f.picks() {
			if v, ok := option(s); ok && !escaped {
				f.text, f.typing = v, false
				return true
			}
			f.text, f.typed, f.typing = elsewhere, literal, true
			return true
		}
		f.text = literal
		if s == "-" {
			f.text = ""
		}
	}
	return true
}

// inOrder sorts values as their options stand.
func inOrder(vs []string, os []engine.Option) []string {
	out := []string{}
	for _, o := range os {
		if slices.Contains(vs, o.Value) {
			out = append(out, o.Value)
		}
	}
	return out
}

// accepts goes on with the answer in f, or says what is wrong with it and keeps
// the one before.
func (d *liner) accepts(p *questionnaire, f *field, before field) {
	refuse := func(why string) {
		*f = before
		p.refused = false
		d.put(d.say("Not possible: %s", "无法接受：%s", why))
	}
	if _, err := f.value(d.lang); err != nil {
		refuse(d.raw(err.Error()))
		return
	}
	for _, b := range d.page.Keys() {
		if b.do == nil || !slices.Contains(b.keys, "enter") {
			continue
		}
		n, cmd := b.do()
		if p.refused {
			refuse(p.refusal())
		}
		d.goes(n, cmd)
		return
	}
}
