package engine

import (
	"encoding/json"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// What is the kind of an Event.
type What string

// The events of a run, in about the order they come.
const (
	RunStarted  What = "run-started"
	Surveying   What = "surveying" // Text and Table say how far it is
	Surveyed    What = "surveyed"
	PlanReady   What = "planned" // a step is planned; N of its Of items change something
	StepStarted What = "step-started"
	Doing       What = "doing"
	Output      What = "output" // a line a program printed, in Text
	Moving      What = "moving" // Amount says how far the operation is
	Skipped     What = "skipped"
	Done        What = "done" // Outcome says how
	Failed      What = "failed"
	Proving     What = "proving" // what Text says is being tried
	Proved      What = "proved"
	StepDone    What = "step-done"
	Undoing     What = "undoing"
	Undone      What = "undone"
	LeftAlone   What = "left-alone" // changed since by somebody else, so not undone
	Awaiting    What = "awaiting-confirm"
	RunEnded    What = "run-ended"
)

// Event is one thing that happened, for screens, for JSON lines and, where it
// must outlive the process, for the journal. Version 1.
type Event struct {
	Version int             `json:"version"`
	Time    time.Time       `json:"time"`
	What    What            `json:"what"`
	Run     RunID           `json:"run,omitempty"`
	Step    string          `json:"step,omitempty"`
	On      machine.ID      `json:"on,omitempty"`
	Kind    string          `json:"kind,omitempty"`
	Target  string          `json:"target,omitempty"`
	N       int             `json:"n,omitempty"` // the item's number, from 1
	Of      int             `json:"of,omitempty"`
	Outcome *Outcome        `json:"outcome,omitempty"`
	Text    lang.Text       `json:"text,omitzero"`
	Amount  *Amount         `json:"amount,omitempty"`
	Table   *Table          `json:"table,omitempty"` // of a survey: it replaces the one before
	Error   lang.Text       `json:"error,omitzero"`
	Hint    lang.Text       `json:"hint,omitzero"`
	Data    json.RawMessage `json:"data,omitempty"` // of Telling
}
