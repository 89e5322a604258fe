package tui

import (
	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
)

// globalKeys work on every page. The control keys are for lines without
// function keys.
func (a *App) globalKeys() []binding {
	ks := []binding{
		{keys: []string{"f1", "ctrl+g"}, show: "F1", desc: lang.T("all keys", "全部按键"), rare: true, do: a.toggleHelp},
		{keys: []string{"f2", "ctrl+o"}, show: "F2", desc: lang.T("Chinese", "英文"), rare: true, do: a.switchLang},
		{keys: []string{"f4", "ctrl+t"}, show: "F4", desc: a.otherTier(), rare: true, do: a.switchTier},
	}
	if a.busy() {
		return ks // ctrl+c is the page's: it asks whether to stop
	}
	return append(ks,
		binding{keys: []string{"ctrl+c"}, show: "ctrl+c", desc: lang.T("leave", "离开"), rare: true, do: a.askLeave},
		binding{keys: []string{"ctrl+z"}, show: "ctrl+z", desc: lang.T("suspend", "挂起"), rare: true, do: a.suspend})
}

// tierPair is the tier chosen at the start, and the one that F4 changes to from
// Plain: what the terminal would be if it were not at the end of a wire, or
// --plain had not been given.
type tierPair struct{ chosen, brighter Tier }

func tiersOf(c Config) tierPair {
	t := tierPair{c.Tier, c.Tier}
	if c.Tier == Plain {
		t.brighter = Rich
		if linuxTerm(c.Term) {
			t.brighter = VT
		}
	}
	return t
}

func (a *App) otherTier() lang.Text {
	if a.theme.Tier != Plain {
		return lang.T("plain characters", "纯文本模式")
	}
	return lang.T("colours and lines", "彩色模式")
}

// escKey goes back; where that cannot be, the key is not offered.
func (a *App) escKey() binding {
	if a.before(a.place) == a.place {
		return binding{keys: []string{"esc"}, rare: true}
	}
	return binding{keys: []string{"esc"}, desc: lang.T("back", "返回"), must: true, do: goes(back)}
}

func (a *App) suspend() (nav, tea.Cmd) { return stay, tea.Suspend }

func (a *App) switchLang() (nav, tea.Cmd) {
	if a.lang == lang.ZH {
		a.lang = lang.EN
		return stay, a.refresh()
	}
	if !a.han {
		why := a.noHan
		if why.Empty() {
			why = lang.T("What this terminal can show is not known. If it shows UTF-8, start goxin with --lang zh.", "无法得知此终端的字符集。若能显示 UTF-8，请用 --lang zh 启动。")
		}
		return a.push(&textOverlay{App: a, title: lang.T("Chinese cannot be shown here", "此终端无法显示中文"), body: func(w int) []string {
			return wrap(a.s(why), w)
		}})
	}
	a.lang = lang.ZH
	return stay, a.refresh()
}

// switchTier is for a terminal that was taken for more, or less, than it is.
func (a *App) switchTier() (nav, tea.Cmd) {
	was, to := a.theme.Tier, Plain
	if was == Plain {
		to = a.tiers.brighter
	}
	a.theme = newTheme(to)
	a.shows(to)
	a.withdrawDoubt()
	switch {
	case to == Rich:
		if a.tiers.chosen == Plain {
			a.overlays = append(a.overlays, &textOverlay{App: a, title: doubt, body: func(w int) []string {
				return wrap(a.say("If there is rubbish on the screen, F4 or ctrl+t goes back.", "若屏幕显示混乱，按 F4 或 ctrl+t 切换回来。"), w)
			}})
		}
		return stay, tea.Sequence(tea.EnterAltScreen, tea.EnableBracketedPaste, a.refresh())
	case was == Rich:
		return stay, tea.Sequence(tea.DisableBracketedPaste, tea.ExitAltScreen, a.refresh())
	}
	return stay, tea.Sequence(tea.ClearScreen, a.refresh())
}

// doubt is the title of what is said when a terminal gets more than it was taken
// to be able to show.
var doubt = lang.T("Can this terminal show that?", "此终端能正常显示吗？")

func (a *App) withdrawDoubt() {
	if n := len(a.overlays); n > 0 {
		if o, ok := a.overlays[n-1].(*textOverlay); ok && o.title == doubt {
			a.pop()
		}
	}
}

func (a *App) toggleHelp() (nav, tea.Cmd) {
	if n := len(a.overlays); n > 0 {
		if _, ok := a.overlays[n-1].(*textOverlay); ok {
			a.pop()
			return stay, nil
		}
		return stay, nil
	}
	return a.push(&textOverlay{App: a, title: lang.T("Keys", "按键"), body: a.helpLines})
}

func (a *App) helpLines(w int) []string {
	var lines []string
	add := func(bs []binding) {
		for i, b := range bs {
			if i > 0 && b.name() == bs[i-1].name() && b.desc == bs[i-1].desc {
				continue // up and down are one line
			}
			if b.desc.Empty() {
				continue
			}
			name := a.theme.fold(b.name())
			for _, k := range b.keys[1:] {
				if len(k) > 1 && k[0] == 'c' { // ctrl+…
					name += ", " + k
				}
			}
			for i, l := range wrap(a.s(b.desc), w-16) {
				if i > 0 {
					name = ""
				}
				lines = append(lines, a.theme.Key.Render(pad(name, 14))+"  "+l)
			}
		}
	}
	add(a.page.Keys())
	lines = append(lines, "")
	add(a.globalKeys())
	return lines
}
