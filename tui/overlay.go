package tui

import (
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
)

// overlay lies over the page and gets the keys first.
type overlay interface {
	Update(tea.KeyMsg) // keys that no binding took
	Refresh()
	View(w, h int) string
	Keys() []binding
	Small() bool // drawn in the middle of the page instead of in its place
}

// textOverlay is something to read.
type textOverlay struct {
	*App
	title  lang.Text
	state  lang.Text
	body   func(w int) []string
	scroll scroll
}

func (o *textOverlay) Small() bool       { return false }
func (o *textOverlay) Refresh()          {}
func (o *textOverlay) Update(tea.KeyMsg) {}

func (o *textOverlay) View(w, h int) string {
	body := o.body(w - 2)
	return o.pane(w, h, o.head(w, o.s(o.title), o.s(o.state), ""), body, o.scroll, -1)
}

func (o *textOverlay) Keys() []binding {
	return append(o.scrollKeys(&o.scroll, func(w int) int { return len(o.body(w)) }),
		binding{keys: []string{"esc", "q", "enter", "?", "c", "l", "n"}, desc: lang.T("close", "关闭"), must: true, do: func() (nav, tea.Cmd) {
			o.pop()
			return stay, nil
		}})
}

// bodySize is the box a page draws in.
func (a *App) bodySize() (w, h int) {
	w, h = a.width, a.height-3
	if a.hasRail() {
		w -= railWidth
	}
	return w, h
}

// scrollKeys move a scroll over a body of n(w) lines.
func (a *App) scrollKeys(sc *scroll, n func(w int) int) []binding {
	move := func(by func(room int) int) func() (nav, tea.Cmd) {
		return func() (nav, tea.Cmd) {
			w, h := a.bodySize()
			lines := n(w - 2)
			room := paneRoom(lines, h)
			sc.top += by(room)
			sc.clamp(lines, h-2)
			return stay, nil
		}
	}
	w, h := a.bodySize()
	if n(w-2) <= h-2 {
		return nil
	}
	return []binding{
		{keys: []string{"up", "k"}, show: a.theme.UpDown, desc: lang.T("read", "翻看"), do: move(func(int) int { return -1 })},
		{keys: []string{"down", "j"}, show: a.theme.UpDown, desc: lang.T("read", "翻看"), rare: true, do: move(func(int) int { return 1 })},
		{keys: []string{"pgdown", " ", "ctrl+f"}, show: "pgdn", desc: lang.T("page down", "下一页"), rare: true, do: move(func(r int) int { return r })},
		{keys: []string{"pgup", "ctrl+b"}, show: "pgup", desc: lang.T("page up", "上一页"), rare: true, do: move(func(r int) int { return -r })},
	}
}

// hush is the moment after something has popped up in which no key answers it: what
// was on its way already was not meant for it, nor is a key that is held down. It ends
// once the keyboard has been quiet for grace.
type hush struct{ last time.Time }

const grace = 425 * time.Millisecond

func newHush(now time.Time) hush { return hush{now} }

// quietly has the page answered only by what is typed from now on.
func (a *App) quietly() {
	h := newHush(a.now())
	a.hush = &h
}

// typed notes a key and reports whether it came too soon.
func (h *hush) typed(now time.Time) bool {
	soon := now.Sub(h.last) < grace
	h.last = now
	return soon
}

// confirmOverlay asks before something that matters. What was typed before it
// could be read does not answer it: Enter counts once the keyboard has been
// quiet for a moment.
type confirmOverlay struct {
	*App
	title  lang.Text
	text   []lang.Text
	yes    lang.Text
	keys   []string
	danger bool
	do     func() (nav, tea.Cmd)

	hush hush
}

// ask opens o.
func (a *App) ask(o *confirmOverlay) (nav, tea.Cmd) {
	o.App = a
	o.hush = newHush(a.now())
	if o.keys == nil {
		o.keys = []string{"enter"}
	}
	return a.push(o)
}

func (o *confirmOverlay) Small() bool       { return true }
func (o *confirmOverlay) Refresh()          {}
func (o *confirmOverlay) Update(tea.KeyMsg) { o.hush.typed(o.now()) }

func (o *confirmOverlay) View(w, _ int) string {
	bw := min(w-2, 66)
	var lines []string
	style := o.theme.Title
	if o.danger {
		style = o.theme.Warn
	}
	for i, l := range wrap(o.s(o.title), bw-4) {
		if i == 0 && o.danger {
			l = o.theme.Note + " " + l
		}
		lines = append(lines, style.Render(l))
	}
	for _, t := range o.text {
		lines = append(lines, wrap(o.s(t), bw-4)...)
	}
	lines = append(lines, "", o.answer())
	box := o.box(bw, "", lines)
	for i := range box {
		box[i] = " " + box[i]
	}
	return strings.Join(box, "\n")
}

func (o *confirmOverlay) answer() string {
	th := o.theme
	return th.Key.Render("enter") + " " + o.s(o.yes) + "    " + th.Key.Render("esc") + " " + o.say("back", "返回")
}

func (o *confirmOverlay) Keys() []binding {
	return []binding{
		{keys: o.keys, desc: o.yes, must: true, do: func() (nav, tea.Cmd) {
			if o.hush.typed(o.now()) {
				return stay, nil
			}
			o.pop()
			return o.do()
		}},
		{keys: []string{"esc", "n"}, desc: lang.T("back", "返回"), must: true, do: func() (nav, tea.Cmd) {
			o.pop()
			return stay, nil
		}},
	}
}
