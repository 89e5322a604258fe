package op

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/aymanbagabas/go-udiff"

	"goxin/steps/engine"
)

const (
	contextLines = 3
	mostDiffed   = 256 << 10 // bytes; more than that nobody reads
)

// readable says whether b is worth showing line by line.
func readable(b []byte) bool {
	return len(b) <= mostDiffed && utf8.Valid(b) && bytes.IndexByte(b, 0) < 0
}

// hunks is what changes between two texts. Line ends are not shown, unless they
// are what changes: then ^M stands for a carriage return. Secrets are never shown.
func hunks(before, after string) []engine.Hunk {
	u, err := udiff.ToUnifiedDiff("", "", before, udiff.Lines(before, after), contextLines)
	if err != nil {
		return nil // edits that udiff itself made are consistent
	}
	dos := strings.Contains(before, "\r\n") == strings.Contains(after, "\r\n")
	show := func(s string) string {
		s = strings.TrimSuffix(s, "\n")
		if t, cr := strings.CutSuffix(s, "\r"); cr && dos {
			return t
		} else if cr {
			return t + "^M"
		}
		return s
	}
	out := make([]engine.Hunk, 0, len(u.Hunks))
	for _, h := range u.Hunks {
		var hunk engine.Hunk
		from, to := h.FromLine, h.ToLine
		for _, l := range h.Lines {
			line := engine.Line{Text: engine.MaskFile(show(l.Content))}
			switch l.Kind {
			case udiff.Delete:
				line.Action, line.Old = engine.Delete, from
				from++
			case udiff.Insert:
				line.Action, line.New = engine.Create, to
				to++
			default:
				line.Action, line.Old, line.New = engine.None, from, to
				from++
				to++
			}
			hunk.Lines = append(hunk.Lines, line)
			if line.Action != engine.None && !strings.HasSuffix(l.Content, "\n") {
				hunk.Lines = append(hunk.Lines, engine.Line{Action: engine.None, Text: `\ no newline at end of file`})
			}
		}
		out = append(out, hunk)
	}
	return out
}
