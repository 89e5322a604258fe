// Package replay takes a run from one computer to another and walks through it
// there. Pack puts the record of a run, and the captured machine it was on, into one
// file; Read takes such a file, which may come from anybody, apart again; Session
// shows it to the wizard as if it happened now. No operation's code runs in a
// replay and nothing is written: it knows what was reviewed, what came of it and
// what was said, and no more.
package replay

import (
	"encoding/json"
	"io"

	"goxin/assets/lang"
	"goxin/assets/machines/archive"
	"goxin/steps/engine"
)

// Member is where the run stands in the file: a JSON engine.RunRecord beside the
// members of a captured machine.
const Member = "run.json"

const origin = "captured: goxin capture --run, from the journal"

// Pack writes the record of a run, as Scrub left it, beside the machine it was on.
// of is nil for a run on a tree, of which there is nothing to capture.
func Pack(w io.Writer, r *engine.RunRecord, of *archive.Archive) error {
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if len(data) > packLimits.run {
		return lang.Errorf(errTooLarge, "cannot pack run %d", "无法打包运行 %d", r.Info.ID)
	}
	if of == nil {
		of = archive.New()
		of.About = "A run of goxin on a tree; what names the machine was replaced."
	}
	of.Notes[Member] = origin
	of.Beside = map[string][]byte{Member: data}
	return of.Write(w)
}
