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
	write, id, l := a.reporter, a.runs[len(a.runs)-1], a.lang
	return a.job(func(ctx context.Context) (tea.Msg, error) {
		path, err := write(context.WithoutCancel(ctx), id, l)
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		return reported{path, err}, nil
	})
}
