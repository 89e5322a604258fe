package tui

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
)

// lineTheme has no styles, and words for marks: what is read aloud says "done",
// not the name of a sign.
func lineTheme(l lang.Lang) Theme {
	word := func(en, zh string) string { return lang.T(en+":", zh+"：").In(l) }
	return Theme{Tier: Line, Glyphs: Glyphs{
		Done: word("done", "完成"), Here: word("under way", "进行中"), Open: word("open", "待办"), Skipped: word("skipped", "跳过"),
		Failed: word("failed", "失败"), Undone: word("undone", "已撤销"), Note: word("note", "注意"),
		Cursor: ">", Dot: lang.T(", ", "，").In(l), Ellipsis: "...", Arrow: "->",
		Best: word("best", "最优"), Usable: word("usable", "可用"), Unusable: word("unusable", "不可用"), Waiting: word("waiting", "等待"),
		Rule: " ", Side: " ", TopLeft: " ", TopRight: " ", BottomLeft: " ", BottomRight: " ",
		UpDown: "up/down", LeftRight: "left/right",
		plain: asciiReplacer(),
	}}
}

// put prints lines, none wider than lineWidth, whatever they are made of: no
// byte of it moves a cursor.
func (d *liner) put(lines ...string) {
	d.newline()
	var b strings.Builder
	for _, l := range lines {
		for _, l := range d.fit(l) {
			b.WriteString(l)
			b.WriteByte('\n')
		}
	}
	d.spoke = d.now()
	d.out.write(b.String())
}

// newline ends the line a prompt is on.
func (d *liner) newline() {
	if d.column > 0 {
		d.out.write("\n")
	}
	d.column = 0
}

// fit makes text into lines as they are printed.
func (d *liner) fit(s string) []string {
	s = d.theme.fold(cleanText(ansi.Strip(s)))
	if d.lang == lang.ZH {
		s = strings.ReplaceAll(s, "： ", "：") // a mark and what it marks
	}
	s = onlyASCII(s, d.lang == lang.ZH)
	var out []string
	for _, l := range strings.Split(s, "\n") {
		for _, part := range hang(strings.TrimRight(l, " "), lineWidth, 2) {
			if width(part) > lineWidth {
				out = append(out, hardWrap(part, lineWidth)...)
				continue
			}
			out = append(out, part)
		}
	}
	return out
}

// viewLines are a page or an overlay as it draws itself, without its margin and
// without the room it leaves.
func viewLines(v string) []string {
	ls := strings.Split(v, "\n")
	for i, l := range ls {
		ls[i] = strings.TrimRight(strings.TrimPrefix(l, " "), " ")
	}
	ls = slices.CompactFunc(ls, func(a, b string) bool { return a == "" && b == "" })
	for len(ls) > 0 && ls[len(ls)-1] == "" {
		ls = ls[:len(ls)-1]
	}
	if len(ls) > 1 && ls[1] == "" {
		ls = slices.Delete(ls, 1, 2)
	}
	return ls
}

// pageLines are the page as text.
func (d *liner) pageLines() []string {
	ls := d.pageText()
	if ls == nil {
		ls = viewLines(d.page.View(lineWidth, lineHeight))
	}
	if !d.mark.Empty() && len(ls) > 0 {
		ls[0] = d.s(d.mark) + d.say(". ", "。") + ls[0]
	}
	return ls
}

// lineHead is a page's first line where it is read: where one is, what it is,
// how it stands. A clock is for who watches it.
func (a *App) lineHead(title, state, right string) string {
	s := title
	switch a.place.stage {
	case atPending, atUndo:
	default:
		s = a.stationOf(title)
	}
	if clockOnly.MatchString(right) {
		right = ""
	}
	switch {
	case state != "" && right != "":
		return s + a.say(": %s; %s.", "：%s；%s。", state, right)
	case state+right != "":
		return s + a.say(": %s.", "：%s。", state+right)
	}
	return s + a.say(".", "。")
}

var clockOnly = regexp.MustCompile(`^\d+:\d\d$`)

func (a *App) stationOf(title string) string {
	n, of := a.position()
	return a.say("Step %d of %d, %s", "第 %d 步，共 %d 步，%s", n, of, title)
}

// lineBox is a box where there are none: its title and its lines.
func lineBox(title string, lines []string) []string {
	var out []string
	for _, l := range lines {
		if l = strings.TrimRight(l, " "); l != "" || len(out) > 0 {
			out = append(out, l)
		}
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	if title != "" && len(out) > 0 {
		out = append([]string{title + ":"}, out...)
	}
	return out
}

// upper begins a sentence with a word of ours.
func upper(s string) string {
	for i, r := range s {
		return string(unicode.ToUpper(r)) + s[i+len(string(r)):]
	}
	return s
}
