package main

import (
	"fmt"
	"time"

	"goxin/assets/lang"
)

// progress tells a person how far something is: on a terminal in one line that
// changes, elsewhere in a line now and then.
type progress struct {
	a      *app
	screen bool
	last   time.Time
}

func (a *app) progress() *progress {
	return &progress{a: a, screen: isTerminal(a.errs) && !a.plain && a.ink(a.errs).on}
}

func (p *progress) say(t lang.Text) {
	switch {
	case p.a.quiet:
	case p.screen:
		fmt.Fprintf(p.a.errs, "\r%s\x1b[K", visible(t.In(p.a.lang)))
	case p.last.IsZero() || time.Since(p.last) >= surveyEvery:
		p.last = time.Now()
		fmt.Fprintln(p.a.errs, visible(t.In(p.a.lang)))
	}
}

// end takes the line that changes away.
func (p *progress) end() {
	if p.screen && !p.a.quiet {
		fmt.Fprint(p.a.errs, "\r\x1b[K")
	}
}
