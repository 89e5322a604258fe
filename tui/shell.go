package tui

import tea "github.com/charmbracelet/bubbletea"

// shellOver is that the shell has ended.
type shellOver struct{ err error }

// openShell hands the terminal to a shell. What a person does there may be what
// the step failed for, so nothing that was found before it is relied on.
func (a *App) openShell() (nav, tea.Cmd) {
	a.found = nil
	return stay, a.exec(a.shell(), func(err error) tea.Msg { return shellOver{err} })
}
