// Package engine plans, applies, verifies, journals, resumes and undoes. It is
// written once, for every step and every kind of operation, and knows none of
// them: steps come in as Step, operations as Op, machines as machine.Machine. It
// prints nothing and never exits; what happens goes out as Events.
package engine

import (
	"context"
	"errors"
	"strconv"

	"goxin/detect"
	"goxin/detect/machine"
)

// RunID numbers the runs of a state directory from 1. The clock of a new
// machine is often dead, so runs are ordered by number, not by time.
type RunID int

func (r RunID) String() string { return strconv.Itoa(int(r)) }

// ErrNotOurs is returned by Op.Undo when the target is neither as we left it
// nor as it was: somebody changed it since, and it is theirs now.
var ErrNotOurs = errors.New("changed by somebody since")

// Config is what an Engine works with.
type Config struct {
	Machines []machine.Machine // the first is the one the run is about
	Home     machine.Machine   // where the journal is kept; nil: the first machine
	Dir      string            // the state directory on Home; "": /var/lib/goxin
	Steps    []Step            // all there are, in order
	Kinds    Kinds
	Detect   func(context.Context, machine.Machine) (*detect.Facts, error)
	Notify   func(Event) // called from one goroutine at a time; nil: nobody listens
	Owner    string      // who runs: "person", "ansible", …
	Version  string      // of goxin, for the journal
}
