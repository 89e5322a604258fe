package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
)

func (p *diffPage) moveKeys() []binding {
	move := func(by int) func() (nav, tea.Cmd) {
		return func() (nav, tea.Cmd) {
			p.move(by)
			return stay, nil
		}
	}
	page := func(sign int) func() (nav, tea.Cmd) {
		return func() (nav, tea.Cmd) {
			p.page(sign)
			return stay, nil
		}
	}
	end := func(sign int) func() (nav, tea.Cmd) {
		return func() (nav, tea.Cmd) {
			for last := -1; last != p.scroll.top; { // a page at a time, so that the cursor comes along
				last = p.scroll.top
				p.page(sign)
			}
			return stay, nil
		}
	}
	var other []binding
	if p.plan != nil && p.beside() {
		other = []binding{p.otherMachineKey()}
	}
	return append([]binding{
		{keys: []string{"up", "k"}, show: p.theme.UpDown, desc: lang.T("change", "逐项"), do: move(-1)},
		{keys: []string{"down", "j"}, show: p.theme.UpDown, desc: lang.T("change", "逐项"), rare: true, do: move(1)},
		{keys: []string{"pgdown", " ", "ctrl+f"}, show: "pgdn", desc: lang.T("page down", "下一页"), rare: true, do: page(1)},
		{keys: []string{"pgup", "ctrl+b"}, show: "pgup", desc: lang.T("page up", "上一页"), rare: true, do: page(-1)},
		{keys: []string{"home", "g"}, desc: lang.T("first change", "首项"), rare: true, do: end(-1)},
		{keys: []string{"end", "G"}, desc: lang.T("last change", "末项"), rare: true, do: end(1)},
	}, other...)
}

func (p *diffPage) window() (ls []diffLine, st []int, room int) {
	w, h := p.bodySize()
	dw, dh, _, _ := p.areas(w, h)
	d := p.drawing(dw - 2)
	return d.lines, d.stops, paneRoom(len(d.lines), dh)
}

// move goes to the next change that is in sight, or brings what lies between
// into sight first, so that no line is skipped unread.
func (p *diffPage) move(by int) {
	ls, st, room := p.window()
	if len(st) == 0 {
		p.scroll.top += by
		p.scroll.clamp(len(ls), room)
		return
	}
	c := min(p.cursor, len(st)-1)
	to := c + by
	last := p.scroll.top + room - 1
	switch {
	case to >= 0 && to < len(st) && st[to] >= p.scroll.top && st[to] <= last:
		p.cursor = to
	case by > 0 && last < len(ls)-1, by < 0 && p.scroll.top > 0:
		p.scroll.top += by
		p.scroll.clamp(len(ls), room)
		if to >= 0 && to < len(st) && st[to] >= p.scroll.top && st[to] < p.scroll.top+room {
			p.cursor = to
		}
	}
}

func (p *diffPage) page(sign int) {
	ls, st, room := p.window()
	p.scroll.top += sign * room
	p.scroll.clamp(len(ls), room)
	for i, l := range st {
		if l >= p.scroll.top && l < p.scroll.top+room {
			p.cursor = i
			if sign < 0 {
				break
			}
		}
	}
}
