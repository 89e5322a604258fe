package tui

import (
	"encoding/json"
	"strings"

	"goxin/steps/engine"
)

// journalTail is the last of what a service has written to its journal while it was
// started, as it is told.
type journalTail struct {
	lines []string
	held  []string // told, and not shown yet
}

// mostJournal is how many lines are kept; a page shows fewer.
const mostJournal = 100

func (j *journalTail) hear(line string) { j.held = lastOf(append(j.held, line)) }

// show shows what was told.
func (j *journalTail) show() {
	j.lines, j.held = lastOf(append(j.lines, j.held...)), j.held[:0]
}

func lastOf(ls []string) []string {
	if n := len(ls) - mostJournal; n > 0 {
		ls = append(ls[:0], ls[n:]...)
	}
	return ls
}

// journalLine is the line of a journal that an event brings, with its machine where
// there are several.
func (a *App) journalLine(ev engine.Event) (string, bool) {
	var s string
	if ev.What != engine.Telling || ev.Kind != tellsJournal || json.Unmarshal(ev.Data, &s) != nil {
		return "", false
	}
	const most = 4096 // a program may write lines without end
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	if s != "" && a.several() && ev.On != "" {
		s = a.s(a.machineName(ev.On)) + ": " + s
	}
	return s, s != ""
}

// journalBox draws the last lines, at most most of them.
func (a *App) journalBox(j *journalTail, w, most int) []string {
	if len(j.lines) == 0 || most < 3 {
		return nil
	}
	var ls []string
	for _, l := range j.lines[max(len(j.lines)-most+2, 0):] {
		ls = append(ls, a.raw(l))
	}
	return a.box(w, a.say("journal", "日志"), ls)
}
