package tui

import (
	"strings"

	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"

	"goxin/assets/lang"
)

// Theme is how a tier looks: styles and glyphs together, so that no page ever
// asks which tier it is on to pick a character.
type Theme struct {
	Tier Tier

	Title  lipgloss.Style // of a page; what matters most
	Dim    lipgloss.Style // context
	Accent lipgloss.Style // where the person is
	Good   lipgloss.Style
	Warn   lipgloss.Style
	Bad    lipgloss.Style
	Add    lipgloss.Style // a line that comes
	Del    lipgloss.Style // a line that goes
	Key    lipgloss.Style // a key in the footer

	Glyphs
}

// Glyphs are the characters of a tier, each one cell wide but where said.
type Glyphs struct {
	Done, Here, Open, Skipped, Failed, Undone, Note string
	Cursor, Dot, Ellipsis, Arrow                    string // Dot has its spaces; Ellipsis and Arrow may be longer
	Best, Usable, Unusable, Waiting                 string // how a row of a table stands
	Full, Empty                                     string // of a bar
	Rule, Side                                      string
	TopLeft, TopRight, BottomLeft, BottomRight      string
	Differs                                         string            // between what is not alike
	Bars                                            []string          // of a graph, lowest first, each a part of a cell as high as its place
	Lost                                            string            // in a graph, where there was no answer
	AxisTop, AxisSide, AxisFoot                     string            // of a graph, at its left
	UpDown, LeftRight                               string            // names of keys
	plain                                           *strings.Replacer // nil: everything can be shown
}

// newTheme dresses a tier. That of the line tier depends on the language too; it
// is made where the lines are.
func newTheme(t Tier) Theme {
	switch t {
	case Rich:
		return richTheme()
	case VT:
		return vtTheme()
	case Plain:
		return plainTheme()
	default:
		return lineTheme(lang.EN)
	}
}

// The colours are from the middle of the 256-colour cube, which can be read on
// a black and on a white background: which of the two it is cannot be asked.
func richTheme() Theme {
	s := lipgloss.NewStyle
	return Theme{
		Tier:   Rich,
		Title:  s().Bold(true),
		Dim:    s().Foreground(lipgloss.Color("245")),
		Accent: s().Foreground(lipgloss.Color("37")).Bold(true),
		Good:   s().Foreground(lipgloss.Color("71")),
		Warn:   s().Foreground(lipgloss.Color("172")),
		Bad:    s().Foreground(lipgloss.Color("167")),
		Add:    s().Foreground(lipgloss.Color("71")),
		Del:    s().Foreground(lipgloss.Color("167")),
		Key:    s().Foreground(lipgloss.Color("37")),
		Glyphs: Glyphs{
			Done: "✓", Here: "●", Open: "○", Skipped: "–", Failed: "✗", Undone: "↶", Note: "!",
			Cursor: "▸", Dot: " · ", Ellipsis: "…", Arrow: "→",
			Best: "▸", Usable: "✓", Unusable: "✗", Waiting: "·",
			Full: "█", Empty: "░",
			Rule: "─", Side: "│", TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘", Differs: "≠",
			Bars: []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}, Lost: "×", AxisTop: "┤", AxisSide: "│", AxisFoot: "┼",
			UpDown: "↑↓", LeftRight: "←→",
		},
	}
}

// vtTheme has eight colours, which look alike on every Linux console: white on
// black, of which bold makes a brighter white. Blue on black cannot be read.
func vtTheme() Theme {
	s := lipgloss.NewStyle
	colour := func(c string) lipgloss.Style { return s().Foreground(lipgloss.Color(c)) }
	cyan, green, yellow, red := colour("6"), colour("2"), colour("3"), colour("1")
	return Theme{
		Tier: VT, Title: s().Bold(true), Dim: s(), Accent: cyan.Bold(true), Good: green, Warn: yellow.Bold(true), Bad: red.Bold(true),
		Add: green, Del: red, Key: cyan,
		Glyphs: Glyphs{
			Done: "+", Here: "»", Open: "·", Skipped: "-", Failed: "×", Undone: "<", Note: "!",
			Cursor: "»", Dot: " · ", Ellipsis: "..", Arrow: "->",
			Best: "•", Usable: "+", Unusable: "×", Waiting: "·",
			Full: "█", Empty: "░",
			Rule: "─", Side: "│", TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘", Differs: "*",
			Bars: []string{".", "▒", "█"}, Lost: "×", AxisTop: "┤", AxisSide: "│", AxisFoot: "┼",
			UpDown: "up/down", LeftRight: "left/right",
			plain: consoleReplacer(),
		},
	}
}

// plainTheme has bold, ASCII, and nothing else.
func plainTheme() Theme {
	s := lipgloss.NewStyle
	bold := s().Bold(true)
	return Theme{
		Tier: Plain, Title: bold, Accent: bold, Warn: bold, Bad: bold, Key: s(),
		Dim: s(), Good: s(), Add: s(), Del: s(),
		Glyphs: Glyphs{
			Done: "*", Here: ">", Open: ".", Skipped: "/", Failed: "x", Undone: "<", Note: "!",
			Cursor: ">", Dot: ", ", Ellipsis: "..", Arrow: "->",
			Best: "*", Usable: "+", Unusable: "x", Waiting: ".",
			Full: "#", Empty: ".",
			Rule: "-", Side: "|", TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+", Differs: "*",
			Bars: []string{".", ":", "#"}, Lost: "x", AxisTop: "+", AxisSide: "|", AxisFoot: "+",
			UpDown: "up/down", LeftRight: "left/right",
			plain: asciiReplacer(),
		},
	}
}

// fold makes text of this tier's characters.
func (t Theme) fold(s string) string {
	if t.plain == nil {
		return s
	}
	return t.plain.Replace(s)
}

// only replaces, cell by cell so that nothing moves, what this tier's terminal
// cannot show although fold has done what it can: a file's name, say. With han,
// Chinese passes.
func (t Theme) only(s string, han bool) string {
	if t.plain == nil {
		return s
	}
	return charset{t.Tier, han}.only(s)
}

// formTheme dresses huh's fields.
func (t Theme) formTheme() *huh.Theme {
	f := huh.ThemeBase()
	none := lipgloss.NewStyle()
	border := lipgloss.Border{Left: t.Side}
	base := none.PaddingLeft(1).BorderStyle(border).BorderLeft(true)
	if t.Tier == Rich || t.Tier == VT {
		base = base.BorderForeground(t.Key.GetForeground())
	}
	button := none.Padding(0, 1).MarginRight(2)

	f.FieldSeparator = none.SetString("\n\n")
	f.Focused = huh.FieldStyles{
		Base: base, Card: base,
		Title:               t.Title,
		NoteTitle:           t.Title,
		Description:         t.Dim,
		ErrorIndicator:      t.Bad.SetString(" " + t.Note),
		ErrorMessage:        t.Bad.SetString(t.Note + " "),
		SelectSelector:      t.Accent.SetString(t.Cursor + " "),
		Option:              none,
		NextIndicator:       none.SetString(" >"),
		PrevIndicator:       none.SetString("< "),
		MultiSelectSelector: t.Accent.SetString(t.Cursor + " "),
		SelectedOption:      t.Accent,
		SelectedPrefix:      t.Accent.SetString("[x] "),
		UnselectedOption:    none,
		UnselectedPrefix:    none.SetString("[ ] "),
		TextInput: huh.TextInputStyles{
			Cursor: none, CursorText: none, Placeholder: t.Dim, Prompt: t.Accent, Text: none,
		},
		// The brackets say which is chosen where colour cannot.
		FocusedButton: button.Border(lipgloss.Border{Left: "[", Right: "]"}, false, true, false, true).Inherit(t.Accent),
		BlurredButton: button.Border(lipgloss.Border{Left: " ", Right: " "}, false, true, false, true),
		Next:          button,
	}
	f.Blurred = f.Focused
	f.Blurred.Base = none.PaddingLeft(2)
	f.Blurred.Card = f.Blurred.Base
	f.Blurred.Title = none
	f.Blurred.SelectSelector = none.SetString(t.Cursor + " ")
	f.Blurred.MultiSelectSelector = none.SetString("  ")
	f.Blurred.SelectedOption = none
	f.Blurred.SelectedPrefix = none.SetString("[x] ")
	return f
}
