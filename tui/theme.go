package tui

import (
	"strings"

	"github.com/charmbracelet/huh"
	"github.com/charmbracelet/lipgloss"
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
	Rule, Side                                      string
	TopLeft, TopRight, BottomLeft, BottomRight      string
	UpDown, LeftRight                               string            // names of keys
	plain                                           *strings.Replacer // nil: everything can be shown
}

func newTheme(t Tier) Theme {
	if t == Rich {
		return richTheme()
	}
	return plainTheme(t)
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
			Rule: "─", Side: "│", TopLeft: "┌", TopRight: "┐", BottomLeft: "└", BottomRight: "┘",
			UpDown: "↑↓", LeftRight: "←→",
		},
	}
}

func plainTheme(t Tier) Theme {
	s := lipgloss.NewStyle
	bold := s().Bold(true)
	return Theme{
		Tier: t, Title: bold, Accent: bold, Warn: bold, Bad: bold, Key: s(),
		Dim: s(), Good: s(), Add: s(), Del: s(),
		Glyphs: Glyphs{
			Done: "*", Here: ">", Open: ".", Skipped: "/", Failed: "x", Undone: "<", Note: "!",
			Cursor: ">", Dot: ", ", Ellipsis: "..", Arrow: "->",
			Best: "*", Usable: "+", Unusable: "x", Waiting: ".",
			Rule: "-", Side: "|", TopLeft: "+", TopRight: "+", BottomLeft: "+", BottomRight: "+",
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

// formTheme dresses huh's fields.
func (t Theme) formTheme() *huh.Theme {
	f := huh.ThemeBase()
	none := lipgloss.NewStyle()
	border := lipgloss.Border{Left: t.Side}
	base := none.PaddingLeft(1).BorderStyle(border).BorderLeft(true)
	if t.Tier == Rich {
		base = base.BorderForeground(lipgloss.Color("37"))
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
