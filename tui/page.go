package tui

import (
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
)

// page is one screen of the wizard: a plain struct that the App calls. Only the
// App is a tea.Model.
type page interface {
	// Enter is called when the page becomes current; it may start work.
	Enter() tea.Cmd
	// Update gets what no binding of Keys took: keys, replies of the page's own
	// jobs, events of the engine.
	Update(tea.Msg) (nav, tea.Cmd)
	// Refresh is called when size, language or theme have changed.
	Refresh() tea.Cmd
	// View draws into a box of w x h cells: at most h lines, none wider than w.
	// Its first column is a margin. Pure.
	View(w, h int) string
	// Keys are the bindings that work now, in the order the footer shows them.
	Keys() []binding
}

// nav is where a page wants to go.
type nav int

const (
	stay nav = iota
	next
	back
	skip  // leave this step out
	again // the step at hand from its questions on
	undo  // put back what this run has written
	leave // out of the wizard
	home  // to the machine, looked at anew
)

// binding is a key, what the footer says of it, and what it does: one list
// serves the router, the footer and the help, so they cannot disagree.
type binding struct {
	keys []string // as tea.KeyMsg.String() names them
	show string   // as the footer names them; "": the first of keys
	desc lang.Text
	must bool // stays in the footer when room is short
	rare bool // only in the help
	do   func() (nav, tea.Cmd)
}

func (b binding) matches(msg tea.KeyMsg) bool { return slices.Contains(b.keys, msg.String()) }

func (b binding) name() string {
	if b.show != "" {
		return b.show
	}
	return b.keys[0]
}

func find(bs []binding, msg tea.KeyMsg) (binding, bool) {
	for _, b := range bs {
		if b.do != nil && b.matches(msg) {
			return b, true
		}
	}
	return binding{}, false
}

// goes makes the action of a binding that only navigates.
func goes(n nav) func() (nav, tea.Cmd) { return func() (nav, tea.Cmd) { return n, nil } }

// stage is a kind of page; place is one in the line of pages.
type stage int

const (
	atMachine stage = iota
	atPending
	atPurpose
	atAsk
	atDiff
	atWrite
	atResult
	atFinished // atResult, come back to
	atDone
	atUndo
)

type place struct {
	stage stage
	step  int // index into App.steps, for atAsk to atFinished
}

// progress is what became of a step so far, as the rail shows it.
type progress int

const (
	open progress = iota
	done
	skipped
	failed
	undone
	unasked // not among the steps that are gone through
)
