package tui

import (
	"fmt"
	"strings"

	"goxin/assets/lang"
)

// The smallest terminal a run can be completed on, and from where the rail and
// the wider layouts have room.
const (
	leastWidth  = 40
	leastHeight = 12
	railFrom    = 80
	sidesFrom   = 120 // the diff stands side by side
	asideFrom   = 160 // its reasons stand beside it
	railWidth   = 15
	wideFrom    = 110 // a page that takes the rail's room leaves it there
)

func (a *App) tooSmall() bool { return a.width < leastWidth || a.height < leastHeight }

func (a *App) hasRail() bool {
	if p, ok := a.page.(interface{ Wide() bool }); ok && p.Wide() && a.width < wideFrom {
		return false
	}
	return a.theme.Tier.framed() && a.width >= railFrom && a.first == nil
}

// View draws the frame around the page.
func (a *App) View() string {
	var v string
	if a.tooSmall() {
		v = a.smallView()
	} else {
		v = a.frame()
	}
	v = a.theme.only(v, a.lang == lang.ZH)
	if a.quitting {
		v += "\n" // the renderer erases the last line when it stops
	}
	return v
}

func (a *App) smallView() string {
	w, h := max(a.width, 2), max(a.height, 1)
	lines := wrap(a.say("The terminal is %d×%d, goxin needs %d×%d: please make it larger.", "终端为 %d×%d，goxin 需要 %d×%d，请放大窗口。",
		a.width, a.height, leastWidth, leastHeight), w)
	if !a.mark.Empty() {
		lines = append([]string{a.s(a.mark)}, lines...)
	}
	if len(lines) > h {
		lines = lines[:h]
	}
	for i := range lines {
		lines[i] = cut(lines[i], w, "")
	}
	return strings.Join(lines, "\n")
}

func (a *App) frame() string {
	w, h := a.width, a.height
	out := []string{a.headerLine(), a.theme.Dim.Render(strings.Repeat(a.theme.Rule, w))}
	body := h - 3
	var rail []string
	left := 0
	if a.hasRail() {
		left = railWidth
		rail = a.rail(body)
	}
	content := strings.Split(a.content(w-left, body), "\n")
	for i := range body {
		var l string
		if left > 0 {
			l = strings.Repeat(" ", left)
			if i < len(rail) {
				l = pad(rail[i], left)
			}
		}
		if i < len(content) {
			l += content[i]
		}
		out = append(out, strings.TrimRight(l, " "))
	}
	out = append(out, a.footer())
	return strings.Join(out, "\n")
}

// content is the page, with what lies over it.
func (a *App) content(w, h int) string {
	n := len(a.overlays)
	if n == 0 {
		return a.page.View(w, h)
	}
	top := a.overlays[n-1]
	if !top.Small() {
		return top.View(w, h)
	}
	under := strings.Split(a.page.View(w, h), "\n")
	for len(under) < h {
		under = append(under, "")
	}
	box := strings.Split(top.View(w, h), "\n")
	at := max((h-len(box))/2, 0)
	for i, l := range box {
		if at+i < len(under) {
			under[at+i] = l
		}
	}
	return strings.Join(under[:h], "\n")
}

func (a *App) headerLine() string {
	name := ""
	if f := a.facts(); f != nil {
		name = a.raw(a.header(f).In(a.lang))
	}
	if a.several() {
		name = a.pairTitle(a.saidOfPair())
	}
	mark := ""
	if !a.mark.Empty() {
		mark = a.s(a.mark) + "  "
	}
	if !a.theme.Tier.framed() {
		n, of := a.position()
		step := a.say("step %d/%d", "第 %d/%d 步", n, of)
		name = strings.ReplaceAll(a.parts(name, a.width-1-width("goxin  "+mark+step)-2), ", ", "  ")
		return between("goxin  "+mark+name, a.say("step %d/%d", "第 %d/%d 步", n, of), a.width-1, a.theme.Ellipsis)
	}
	other := "中文 F2"
	if a.lang == lang.ZH {
		other = "English F2"
	}
	switch {
	case !a.han || a.theme.Tier != Rich:
		other = "" // F2 says why
	case a.width < 60:
		other = "F2"
	}
	room := a.width - 1 - width(mark)
	left := cut(a.parts(name, room-9-width(other)-2), room-9-width(other)-2, a.theme.Ellipsis)
	gap := room - 9 - width(left) - width(other)
	return " " + a.theme.Accent.Render("goxin") + "   " + a.theme.Warn.Render(mark) + left + strings.Repeat(" ", max(gap, 1)) + a.theme.Dim.Render(other)
}

// parts is as much of a machine's title as there is room for: what it is comes before
// what is known of it anyway.
func (a *App) parts(title string, room int) string {
	for width(title) > room {
		i := strings.LastIndex(title, a.theme.Dot)
		if i < 0 {
			break
		}
		title = title[:i]
	}
	return title
}

// station is an entry of the rail: a step, or what comes before and after them.
type station struct {
	title  lang.Text
	became progress
}

// stations are those that the wizard stops at, and which of them it is at.
func (a *App) stations() (all []station, here int) {
	past := func(s station, is bool) station {
		if is {
			s.became = done
		}
		return s
	}
	first := a.place.stage == atMachine || a.place.stage == atPending
	all = append(all, past(station{title: lang.T("Machine", "本机")}, !first))
	if len(a.purposes) > 0 && !a.review {
		if a.place.stage == atPurpose {
			here = len(all)
		}
		all = append(all, past(station{title: lang.T("Purpose", "用途")}, a.chosen != nil && a.place.stage != atPurpose))
	}
	over := a.place.stage == atDone || a.place.stage == atUndo
	between := !first && a.place.stage != atPurpose && !over
	for i, s := range a.steps {
		if !a.picks(i) {
			continue
		}
		if between && i == a.place.step {
			here = len(all)
		}
		all = append(all, station{s.Title(), a.progress[i]})
	}
	if over {
		here = len(all)
	}
	return append(all, station{title: lang.T("Done", "完成")}), here
}

// position counts the stations.
func (a *App) position() (n, of int) {
	all, here := a.stations()
	return here + 1, len(all)
}

func (a *App) rail(h int) []string {
	all, here := a.stations()
	first := 0
	if len(all) > h {
		first = min(max(here-h/2, 0), len(all)-h)
	}
	var lines []string
	for i := first; i < len(all) && len(lines) < h; i++ {
		e := all[i]
		t := cut(a.s(e.title), railWidth-4, a.theme.Ellipsis)
		var l string
		switch {
		case e.became == failed:
			l = a.theme.Bad.Render(a.theme.Failed) + " " + t
		case e.became == undone:
			l = a.theme.Warn.Render(a.theme.Undone) + " " + t
		case i == here:
			l = a.theme.Accent.Render(a.theme.Here + " " + t)
		case e.became == done:
			l = a.theme.Good.Render(a.theme.Done) + " " + t
		case e.became == skipped || e.became == unasked:
			l = a.theme.Dim.Render(a.theme.Skipped + " " + t)
		default:
			l = a.theme.Dim.Render(a.theme.Open + " " + t)
		}
		lines = append(lines, " "+l)
	}
	return lines
}

// footer shows the keys that work now; what is not a must gives way first.
func (a *App) footer() string {
	bs := a.page.Keys()
	if n := len(a.overlays); n > 0 {
		bs = a.overlays[n-1].Keys()
	}
	var shown []binding
	for _, b := range bs {
		if !b.rare {
			shown = append(shown, b)
		}
	}
	if a.theme.Tier.framed() && len(a.overlays) == 0 { // over a page there is nothing more to list
		shown = append(shown, binding{keys: []string{"f1"}, show: "F1", desc: lang.T("keys", "按键"), must: a.width >= 60})
	}
	for {
		line := a.footerLine(shown)
		if width(line) <= a.width-1 {
			return line
		}
		last := -1
		for i, b := range shown {
			if !b.must {
				last = i
			}
		}
		if last < 0 {
			return cut(line, a.width-1, "")
		}
		shown = append(shown[:last:last], shown[last+1:]...)
	}
}

func (a *App) footerLine(bs []binding) string {
	var parts []string
	for _, b := range bs {
		name, desc := a.theme.fold(b.name()), a.s(b.desc)
		if a.theme.Tier.framed() {
			parts = append(parts, a.theme.Key.Render(name)+" "+a.theme.Dim.Render(desc))
		} else {
			parts = append(parts, fmt.Sprintf("[%s] %s", name, desc))
		}
	}
	if a.theme.Tier.framed() {
		return " " + strings.Join(parts, "   ")
	}
	return strings.Join(parts, "  ")
}

// head is a page's first line: what it is, how it stands, and at the right what
// to bear in mind.
func (a *App) head(w int, title, state, right string) string {
	if a.theme.Tier == Line {
		return a.lineHead(title, state, right)
	}
	left := title
	if !a.hasRail() && a.theme.Tier.framed() && a.first == nil {
		n, of := a.position()
		left = fmt.Sprintf("%d/%d ", n, of) + left
	}
	room := w - 2
	plain := left
	if state != "" {
		plain += "   " + state
	}
	if width(plain)+width(right)+2 > room {
		right = ""
	}
	if width(plain) > room {
		state = cut(state, room-width(left)-3, a.theme.Ellipsis)
	}
	line := a.theme.Title.Render(cut(left, room, a.theme.Ellipsis))
	used := width(left)
	if state != "" {
		line += "   " + state
		used += 3 + width(state)
	}
	if right != "" {
		line += strings.Repeat(" ", room-used-width(right)) + a.theme.Dim.Render(right)
	}
	return line
}

// scroll is where a list that may be longer than its box stands.
type scroll struct{ top int }

// show brings line i of n into a window of h lines.
func (s *scroll) show(i, h int) {
	if i < s.top {
		s.top = i
	}
	if h > 0 && i >= s.top+h {
		s.top = i - h + 1
	}
}

func (s *scroll) clamp(n, h int) {
	s.top = max(min(s.top, n-h), 0)
}

// pane lays out a page: head, an empty line, and as much of body as there is
// room for. cursor is the marked line of body, or -1.
func (a *App) pane(w, h int, head string, body []string, sc scroll, cursor int) string {
	return a.paneOf(w, h, head, len(body), func(i int) string { return body[i] }, sc, cursor)
}

// paneOf is pane for a body of n lines, of which only those in sight are asked for.
func (a *App) paneOf(w, h int, head string, n int, line func(int) string, sc scroll, cursor int) string {
	lines := []string{" " + head, ""}
	room := h - len(lines)
	sc.clamp(n, room)
	end := min(sc.top+room, n)
	hidden := n - end
	if hidden > 0 && room > 3 {
		end--
		hidden++
	}
	for i := sc.top; i < end; i++ {
		l := line(i)
		if a.theme.Tier != Line { // which breaks what is too long
			l = cut(l, w-2, a.theme.Ellipsis)
		}
		if i == cursor {
			lines = append(lines, a.theme.Accent.Render(a.theme.Cursor)+l)
		} else {
			lines = append(lines, " "+l)
		}
	}
	if hidden > 0 && room > 3 {
		lines = append(lines, " "+a.theme.Dim.Render(a.say("↓ %d more lines", "↓ 还有 %d 行", hidden)))
	}
	return strings.Join(lines, "\n")
}

// paneRoom is how many lines of a body pane shows at once.
func paneRoom(n, h int) int {
	room := h - 2
	if n > room && room > 3 {
		room--
	}
	return max(room, 1)
}

// box draws lines in a border with a title.
func (a *App) box(w int, title string, lines []string) []string {
	th := a.theme
	if th.Tier == Line {
		return lineBox(title, lines)
	}
	if th.Tier == Plain && title != "" { // lines to draw are bytes to send
		out := []string{th.Title.Render(title + ":")}
		for _, l := range lines {
			out = append(out, cut(l, w, th.Ellipsis))
		}
		return append(out, "")
	}
	inner := w - 4
	title = cut(title, inner-2, th.Ellipsis)
	top := th.TopLeft + th.Rule + " " + title + " " + strings.Repeat(th.Rule, max(w-5-width(title), 0)) + th.TopRight
	if title == "" {
		top = th.TopLeft + strings.Repeat(th.Rule, w-2) + th.TopRight
	}
	out := []string{th.Dim.Render(top)}
	for _, l := range lines {
		out = append(out, th.Dim.Render(th.Side)+" "+pad(cut(l, inner, th.Ellipsis), inner)+" "+th.Dim.Render(th.Side))
	}
	return append(out, th.Dim.Render(th.BottomLeft+strings.Repeat(th.Rule, w-2)+th.BottomRight))
}
