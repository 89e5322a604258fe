package tui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
)

// ask prints what there is to read and what can be answered, once.
func (d *liner) ask() error {
	for n := len(d.overlays); n > 0; n = len(d.overlays) {
		o, ok := d.overlays[n-1].(*textOverlay)
		if !ok {
			break
		}
		d.pop()
		d.read(o)
	}
	prompt := d.prompt()
	if d.prompted {
		if d.noMore != nil {
			return errInput(d.noMore)
		}
		if prompt == d.asked { // a clock may have gone on; it is no news
			return nil
		}
		d.prompted = false
		d.tell()
	}
	if d.inFlight == 0 {
		d.tellSurvey()
	}
	d.show()
	if d.noMore != nil {
		return errInput(d.noMore)
	}
	d.prompted, d.asked = true, prompt
	ls := d.fit(prompt)
	d.put(ls[:len(ls)-1]...)
	last := ls[len(ls)-1] + " "
	d.column = width(last)
	d.out.write(last)
	return nil
}

// show prints the page, and a question over it, where they are not what was
// printed last.
func (d *liner) show() {
	ls := d.pageLines()
	if n := len(d.overlays); n > 0 {
		ls = d.overlayLines(d.overlays[n-1])
	}
	if text := strings.Join(ls, "\n"); text != d.shown {
		d.shown = text
		d.put(append([]string{""}, ls...)...)
	}
}

func (d *liner) overlayLines(o overlay) []string {
	c, ok := o.(*confirmOverlay)
	if !ok {
		return viewLines(o.View(lineWidth, lineHeight))
	}
	out := []string{d.s(c.title)}
	for _, t := range c.text {
		out = append(out, d.s(t))
	}
	return out
}

// logTail is how much is printed of what one reads from its end.
const logTail = 40

// read prints a text that would lie over the page.
func (d *liner) read(o *textOverlay) {
	body := o.body(lineWidth - 2)
	head := d.s(o.title)
	if !o.state.Empty() {
		head += d.say(", ", "，") + d.s(o.state)
	}
	out := []string{"", head + d.say(":", "：")}
	if n := len(body) - logTail; n > 0 && o.scroll.top >= len(body) {
		out = append(out, d.say("%d lines before these", "此前还有 %d 行", n))
		body = body[n:]
	}
	d.put(append(out, body...)...)
}

// bindings are those that count now.
func (d *liner) bindings() []binding {
	if n := len(d.overlays); n > 0 {
		return d.overlays[n-1].Keys()
	}
	return d.page.Keys()
}

// tokens are the lines that stand for a binding. Keys that only move something
// on a screen have none.
func (d *liner) tokens(b binding) []string {
	if b.do == nil || b.desc.Empty() || b.show == d.theme.UpDown || b.show == d.theme.LeftRight {
		return nil
	}
	var out []string
	for _, k := range b.keys {
		switch {
		case k == "enter":
			out = append(out, "")
		case k == "esc":
			out = append(out, "<")
		case k == "ctrl+n": // where s is a letter of an answer
			out = append(out, "s")
		case k == "ctrl+r":
			out = append(out, "r")
		case len([]rune(k)) == 1 && k != " ":
			out = append(out, k)
		}
	}
	return out
}

// bound is the binding a line stands for.
func (d *liner) bound(line string) (binding, bool) {
	bs := d.bindings()
	for _, s := range []string{line, strings.ToLower(line)} { // W is not w
		for _, b := range bs {
			if slices.Contains(d.tokens(b), s) {
				return b, true
			}
		}
	}
	return binding{}, false
}

// typed is what to type for a binding; "": it cannot be.
func (d *liner) typed(b binding) string {
	ts := d.tokens(b)
	switch {
	case len(ts) == 0:
		return ""
	case ts[0] == "":
		return d.say("Enter", "回车")
	}
	return ts[0]
}

// promptOf names the answers that bindings understand.
func (d *liner) promptOf(bs []binding, first ...string) string {
	parts := first
	for _, b := range bs {
		if s := d.typed(b); s != "" && !b.rare {
			parts = append(parts, d.typedFor(s, b))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return strings.Join(parts, d.say(", ", "，")) + d.say(":", "：")
}

// typedFor is "w to write", with the words of the footer.
func (d *liner) typedFor(s string, b binding) string {
	if d.lang == lang.ZH {
		return s + " " + d.s(b.desc)
	}
	switch b.desc.EN {
	case "why":
		return s + " for the reasons"
	case "how found":
		return s + " for how each was found"
	case "by hand":
		return s + " for the commands by hand"
	case "log":
		return s + " for the log"
	case "back":
		return s + " to go back"
	case "next", "previous":
		return s + " for the " + b.desc.EN
	}
	return s + " to " + d.s(b.desc)
}

// prompt names what can be answered now.
func (d *liner) prompt() string {
	if n := len(d.overlays); n > 0 {
		if c, ok := d.overlays[n-1].(*confirmOverlay); ok {
			return d.say("yes to %s, < to go back:", "输入“是”%s，< 返回：", c.yes)
		}
		return d.orHelp(d.promptOf(d.bindings()))
	}
	if q := d.question(); q != nil {
		return d.questionPrompt(q)
	}
	if p, ok := d.page.(*diffPage); ok && p.plan != nil && p.err == nil {
		return d.promptOf(d.bindings(), d.readingKeys(p)...)
	}
	return d.orHelp(d.promptOf(d.bindings()))
}

// orHelp is for a page none of whose keys can be typed.
func (d *liner) orHelp(prompt string) string {
	if prompt == "" {
		return d.say("? for help:", "? 帮助：")
	}
	return prompt
}

// echo prints an answer that no terminal has shown.
func (d *liner) echo(s string) {
	s = d.theme.fold(onlyASCII(clean(s), d.lang == lang.ZH))
	if d.column+width(s) <= lineWidth {
		d.out.write(s + "\n")
		d.column = 0
		return
	}
	d.put(cut(s, 8*lineWidth, "..."))
}

// answer does what a line says.
func (d *liner) answer(s string) {
	n := len(d.overlays)
	switch q := d.question(); {
	case q != nil:
		d.answerQuestion(q, s)
	case d.word(s):
	case n > 0:
		d.answerOverlay(d.overlays[n-1], s)
	default:
		d.answerPage(s)
	}
}

// early is what a person types while there is nothing to answer: only keys that
// the page takes meanwhile.
func (d *liner) early(s string) {
	if b, ok := d.bound(s); ok {
		n, cmd := b.do()
		d.start(tea.Batch(cmd, d.navigate(n)))
	} else if s != "" {
		d.put(d.s(lang.F("Not now: %s is no answer while goxin is at work.", "现在不行：goxin 正在工作，%s 不是可用的应答。", quoted(s))))
	}
}

// word does what can be said anywhere.
func (d *liner) word(s string) bool {
	switch strings.ToLower(s) {
	case "zh", "中文":
		d.speak(lang.ZH)
	case "en", "english":
		d.speak(lang.EN)
	case "help", "帮助":
		d.help()
	case "again", "重读":
		d.shown = ""
	default:
		return false
	}
	return true
}

func (d *liner) speak(l lang.Lang) {
	if d.App.lang != l {
		_, cmd := d.switchLang()
		d.theme = lineTheme(l)
		d.start(tea.Batch(cmd, d.refresh()))
	}
	d.shown = ""
}

func (d *liner) answerOverlay(o overlay, s string) {
	c, ok := o.(*confirmOverlay)
	if !ok {
		d.answerPage(s)
		return
	}
	switch s = strings.ToLower(s); {
	case s == "yes", s == "是", s == "y" && !c.danger:
		before := d.place
		busy := d.busy()
		d.pop()
		d.goes(c.do())
		if busy && d.busy() && d.place == before {
			d.put(d.pageLines()[0])
		}
	case slices.Contains([]string{"<", "no", "n", "否"}, s):
		d.pop()
	case s == "?":
		d.help()
	default:
		d.put(d.say("Only the word yes says yes; < goes back.", "只有输入“是”才表示同意；< 返回。"))
	}
}

// answerPage takes a line for a key.
func (d *liner) answerPage(s string) {
	if p, ok := d.page.(*diffPage); ok && len(d.overlays) == 0 && d.answerDiff(p, s) {
		return
	}
	b, ok := d.bound(s)
	switch {
	case ok:
		d.goes(b.do())
	case s == "?":
		d.help()
	case strings.EqualFold(s, "q") && !d.busy():
		d.goes(d.askLeave())
	case s == "<":
		d.put(d.say("There is no way back from here.", "这里不能返回。"))
	case s == "":
		d.put(d.say("Enter alone does nothing here; ? or help lists the answers.", "此处只按回车无效；? 或“帮助”列出可用的应答。"))
	default:
		d.put(d.say("%s is no answer here; help lists those that are.", "%s 不是这里可用的应答；“帮助”列出可用的应答。", quoted(s)))
	}
}

// quoted is a person's words, in short.
func quoted(s string) lang.Text {
	s = cut(clean(s), 40, "...")
	return lang.T("\""+s+"\"", "“"+s+"”")
}

// help lists every answer that is possible now.
func (d *liner) help() {
	out := []string{"", d.say("What can be answered here, each as a line of its own:", "此处可用的应答，每行一个：")}
	taken := make(map[string]bool)
	add := func(s string, t lang.Text) {
		if !taken[s] {
			taken[s] = true
			out = append(out, "  "+pad(s, 8)+"  "+d.s(t))
		}
	}
	q, bang := d.question(), ""
	if q != nil {
		for _, h := range d.questionHelp(q) {
			add(h.typed, h.text)
		}
		if q.free() {
			bang = "!"
		}
	}
	if n := len(d.overlays); n > 0 {
		if c, ok := d.overlays[n-1].(*confirmOverlay); ok {
			add(d.say("yes", "是"), c.yes)
			add("<", lang.T("back", "返回"))
			d.put(out...)
			return
		}
	}
	if p, ok := d.page.(*diffPage); ok && len(d.overlays) == 0 {
		for _, h := range d.diffHelp(p) {
			add(h.typed, h.text)
		}
	}
	for _, b := range d.bindings() {
		if s := d.typed(b); s != "" && (q == nil || s != "?" && !slices.Contains(b.keys, "enter")) { // this list explains a question
			if s != "<" {
				s = bang + s
			}
			add(s, b.desc)
		}
	}
	if !d.busy() {
		add("q", lang.T("leave", "离开"))
	}
	if d.App.lang == lang.ZH {
		add(bang+"en", lang.T("English", "改用英文"))
	} else {
		add(bang+"zh", lang.T("Chinese", "改用中文"))
	}
	add(bang+"again", lang.T("the page once more", "再读一遍本页"))
	add("help", lang.T("this list", "显示此列表"))
	d.put(out...)
}
