package tui

import (
	"context"
	"errors"

	tea "github.com/charmbracelet/bubbletea"
)

// reported is where the report of what was written is.
type reported struct {
	path string
	err  error
}

// writeReport has the report of the last run written; nil where there is nothing to
// report. It is of use to nobody but people, so a report that cannot be written is
// told and changes nothing.
func (a *App) writeReport() tea.Cmd {
	if a.reporter == nil || len(a.runs) == 0 {
		return nil
	}
	// It is written to its end where the page is left, and not where all of it stops.
	write, id, l, all := a.reporter, a.runs[len(a.runs)-1], a.lang, a.ctx
	return a.job(func(context.Context) (tea.Msg, error) {
		path, err := write(all, id, l)
		if errors.Is(err, context.Canceled) {
			err = nil
		}
		return reported{path, err}, nil
	})
}
