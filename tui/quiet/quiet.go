// Package quiet keeps Bubble Tea from talking to the terminal while packages
// are being initialised. bubbletea v1 asks for the background colour in an
// init function and waits up to five seconds for the answer, so `goxin
// --version` on a serial line would print escape bytes and hang.
//
// It imports os alone: Go initialises packages in import-path order as soon as
// their imports are ready, and bubbletea needs many more packages than this
// one, so this init runs first. Import it first in package main and call
// Restore as the first statement of main. It does nothing else.
package quiet

import "os"

// Package state, because an init function has nowhere else to keep it.
var (
	term   string
	wasSet bool
)

func init() {
	term, wasSet = os.LookupEnv("TERM")
	_ = os.Setenv("TERM", "dumb") // a dumb terminal is not asked
}

// Restore puts TERM back as it was.
func Restore() {
	if wasSet {
		_ = os.Setenv("TERM", term)
	} else {
		_ = os.Unsetenv("TERM")
	}
}
