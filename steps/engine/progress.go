package engine

import "goxin/assets/lang"

// Progress is how far a survey is: a sentence, or a table that fills as things
// become known. Each Progress replaces the one before.
type Progress struct {
	Text  lang.Text
	Table *Table
}

// Say is a Progress of one sentence.
func Say(t lang.Text) Progress { return Progress{Text: t} }

// Table is rows of things that are compared with one another.
type Table struct {
	Columns []Column   `json:"columns"`
	Rows    []TableRow `json:"rows"`
}

// Column is a column of a Table.
type Column struct {
	Title lang.Text `json:"title"`
	Right bool      `json:"right,omitempty"` // numbers: aligned right
}

// TableRow is one of the things. Cells has one text for each column, the last of
// which may be long; an empty one is not known yet.
type TableRow struct {
	Key   string      `json:"key"` // stable while the table fills: rows may change places
	Mark  Mark        `json:"mark,omitempty"`
	Cells []lang.Text `json:"cells"`
}

// Mark is how one of the things stands.
type Mark string

// The marks.
const (
	Waiting  Mark = ""         // nothing is known yet
	Good     Mark = "good"     // it can be used
	Best     Mark = "best"     // the one that would be chosen
	Unusable Mark = "unusable" // it cannot
)
