package engine

import "goxin/assets/lang"

// Purpose is what a machine shall become: it picks steps, and answers to begin
// with.
type Purpose struct {
	ID    string
	Title lang.Text
	Help  lang.Text
	// Steps are what leads there. A purpose of which a step is not there is not
	// offered.
	Steps   []string
	Answers Answers // defaults of some of their fields; may be nil
}
