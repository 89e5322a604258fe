// Package report makes the acceptance report of a run (验收报告): what the machine
// was, what was decided, every change with what was there before, what was proved and
// where it came from, how long it took, what was left alone and what failed. It is
// made of the run's record alone, so it can be made long after, in the other
// language, and on another computer; and it is signed, and the signature judged, with
// SSH keys.
//
// It is pure: it reads no file, asks no clock and no network. It shows nothing that
// acts on a screen or on whoever reads it: control characters are written out, and
// passwords in addresses are left out.
package report

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Version is the version of a Report's JSON form.
const Version = 1

// Report is everything there is to tell, in both languages. Its JSON form is stable.
type Report struct {
	Version  int       `json:"version"`
	Title    lang.Text `json:"title"` // of the machine the run was about
	Made     time.Time `json:"made"`
	Goxin    string    `json:"goxin"` // the version that made the report
	Run      Run       `json:"run"`
	Verdict  Verdict   `json:"verdict"`
	Machines []Machine `json:"machines"`
	Steps    []Step    `json:"steps"`
	Check    Check     `json:"check"`
}

// Verdict is the report in a word.
type Verdict string

// The verdicts.
const (
	Good    Verdict = "good"    // it was applied as asked, and is so
	Remarks Verdict = "remarks" // it was applied, and something has to be looked at
	Bad     Verdict = "bad"     // it was not applied, or does not stand
)

// Run is what there is to say of the run as a whole.
type Run struct {
	ID        engine.RunID  `json:"id"`
	Status    engine.Status `json:"status"`
	Owner     string        `json:"owner"` // who ran goxin: "person", "ansible", …
	Goxin     string        `json:"goxin"` // the version that made the run
	Began     time.Time     `json:"began"`
	Ended     time.Time     `json:"ended,omitzero"`
	Strict    bool          `json:"strict,omitempty"`
	Confirm   float64       `json:"confirm_seconds,omitempty"`
	Forgotten bool          `json:"forgotten,omitempty"`
	Error     lang.Text     `json:"error,omitzero"`
	Counts    Counts        `json:"counts"`
}

// Counts are numbers of changes, by what became of them.
type Counts struct {
	Done       int `json:"done"`       // and they stand, the deviations included
	Deviations int `json:"deviations"` // among those done
	Skipped    int `json:"skipped"`    // it was so already
	Failed     int `json:"failed"`     // or was never finished
	Undone     int `json:"undone"`
	Left       int `json:"left"`    // not undone: somebody changed it since
	Planned    int `json:"planned"` // not reached
}

// Machine is a machine as it was when the run began.
type Machine struct {
	ID       machine.ID  `json:"id"`
	Title    lang.Text   `json:"title"`
	Facts    []Fact      `json:"facts"` // none: the run is older than facts in journals
	Warnings []lang.Text `json:"warnings,omitempty"`
}

// Fact is one thing known of a machine.
type Fact struct {
	Name  lang.Text `json:"name"`
	Value lang.Text `json:"value"`
	From  lang.Text `json:"from,omitzero"` // how it was learnt
}

// Step is one step of the run.
type Step struct {
	ID        string        `json:"id"`
	Title     lang.Text     `json:"title"`
	Began     time.Time     `json:"began"`
	Ended     time.Time     `json:"ended"`
	Done      bool          `json:"done"`
	Decisions []Decision    `json:"decisions"`
	Changes   []Change      `json:"changes"`
	Notes     []engine.Note `json:"notes,omitempty"`
	Proved    []lang.Text   `json:"proved,omitempty"`
	Drill     *Drill        `json:"drill,omitempty"`
	Hardening []Hardening   `json:"hardening,omitempty"`
	SelfTests []SelfTest    `json:"self_tests,omitempty"`
}

// Decision is one question of a step and its answer.
type Decision struct {
	Key     string    `json:"key"`
	Title   lang.Text `json:"title"`
	Answer  lang.Text `json:"answer"`
	Default bool      `json:"default,omitempty"` // nobody answered; this is what that means
}

// Change is one operation.
type Change struct {
	On      machine.ID     `json:"on"`
	Kind    string         `json:"kind"`
	Target  string         `json:"target"`
	Status  string         `json:"status"` // planned skipped doing done failed undone left
	Diff    engine.Diff    `json:"diff,omitzero"`
	More    int            `json:"more,omitempty"` // lines and rows of the diff that are not here
	Why     []lang.Text    `json:"why,omitempty"`  // a paragraph each: reason, source, risk
	Outcome engine.Outcome `json:"outcome,omitzero"`
	Error   lang.Text      `json:"error,omitzero"`
	Began   time.Time      `json:"began,omitzero"`
	Ended   time.Time      `json:"ended,omitzero"`
	Back    time.Time      `json:"back,omitzero"` // when it was undone, or left by an undo
}

// Check is what `check` found when the report was made.
type Check struct {
	Time  time.Time `json:"time"`
	Drift []Drift   `json:"drift"`
	Error lang.Text `json:"error,omitzero"` // something could not be looked at
}

// Drift is a target that is no longer as goxin left it.
type Drift struct {
	Run    engine.RunID `json:"run"`
	Step   string       `json:"step"`
	On     string       `json:"on"`
	Target string       `json:"target"`
	Diff   engine.Diff  `json:"diff"`
	More   int          `json:"more,omitempty"`
}

// Options are what a report needs beside the run's record.
type Options struct {
	Steps   []engine.Step // all that goxin knows: the titles of questions and options
	Drift   []engine.Drift
	Checked error     // what kept check from looking; nil: it looked at everything
	Now     time.Time // when check looked and the report is made; its zone is that of all times
	Goxin   string    // the version that makes the report
}

// Make makes the report of a run.
func Make(rec *engine.RunRecord, o Options) *Report {
	zone := func(t time.Time) time.Time {
		if t.IsZero() {
			return t
		}
		return t.In(o.Now.Location())
	}
	r := &Report{
		Version: Version, Made: o.Now, Goxin: clean(o.Goxin), Machines: []Machine{}, Steps: []Step{},
		Run: Run{
			ID: rec.Info.ID, Status: rec.Info.Status, Owner: clean(rec.Info.Owner), Goxin: clean(rec.Goxin), Began: zone(rec.Info.Time), Ended: zone(rec.Ended),
			Strict: rec.Strict, Confirm: rec.Confirm.Seconds(), Forgotten: rec.Info.Forgotten, Error: cleanText(rec.Error),
		},
		Check: Check{Time: o.Now, Drift: []Drift{}},
	}
	for _, id := range rec.Order {
		r.Machines = append(r.Machines, machineOf(id, rec.Facts[id]))
	}
	if len(r.Machines) > 0 {
		r.Title = r.Machines[0].Title
	}
	for _, s := range rec.Steps {
		st := Step{
			ID: clean(s.Step), Title: cleanText(s.Title), Began: zone(s.Began), Ended: zone(s.Ended), Done: s.Done,
			Decisions: decisions(find(o.Steps, s.Step), s.Values), Changes: []Change{}, Proved: cleanTexts(s.Proved),
		}
		for _, n := range s.Notes {
			st.Notes = append(st.Notes, engine.Note{Warn: n.Warn, Text: cleanText(n.Text)})
		}
		for _, c := range s.Changes {
			ch := Change{
				On: machine.ID(cleanLine(string(c.On))), Kind: clean(c.Kind), Target: cleanLine(c.Target), Status: clean(c.Status), Why: paragraphs(c.Why),
				Outcome: engine.Outcome{Kind: c.Outcome.Kind, By: cleanText(c.Outcome.By), Got: clean(c.Outcome.Got)},
				Error:   cleanText(c.Error), Began: zone(c.Began), Ended: zone(c.Ended), Back: zone(c.Back),
			}
			ch.Diff, ch.More = cleanDiff(c.Diff)
			st.Changes = append(st.Changes, ch)
			r.Run.Counts.add(ch)
		}
		for _, k := range s.Kept {
			st.hear(k)
		}
		r.Steps = append(r.Steps, st)
	}
	for _, d := range o.Drift {
		dr := Drift{Run: d.Run, Step: clean(d.Step), On: clean(d.On), Target: cleanLine(d.Target)}
		dr.Diff, dr.More = cleanDiff(d.Diff)
		r.Check.Drift = append(r.Check.Drift, dr)
	}
	if o.Checked != nil {
		r.Check.Error = cleanText(lang.F("%s", "%s", o.Checked))
	}
	r.Verdict = r.verdict()
	return r
}

// JSON is the report for programs, in both languages.
func (r *Report) JSON() ([]byte, error) {
	b, err := json.MarshalIndent(r, "", "  ")
	return append(b, '\n'), err
}

func find(steps []engine.Step, id string) engine.Step {
	i := slices.IndexFunc(steps, func(s engine.Step) bool { return s.ID() == id })
	if i < 0 {
		return nil
	}
	return steps[i]
}

func (c *Counts) add(ch Change) {
	switch ch.Status {
	case "done":
		c.Done++
		if ch.Outcome.Deviates() {
			c.Deviations++
		}
	case "skipped":
		c.Skipped++
	case "doing", "failed":
		c.Failed++
	case "undone":
		c.Undone++
	case "left":
		c.Left++
	case "planned":
		c.Planned++
	}
}

func (r *Report) verdict() Verdict {
	c := r.Run.Counts
	switch {
	case r.Run.Status != engine.StatusApplied && r.Run.Status != engine.StatusAwaiting, c.Failed > 0, !r.Run.Error.Empty():
		return Bad
	case r.Run.Status == engine.StatusAwaiting, len(r.failedFaults()) > 0, c.Deviations+c.Undone+c.Left+c.Planned > 0, len(r.Check.Drift) > 0, !r.Check.Error.Empty():
		return Remarks
	}
	return Good
}

// paragraphs are the lines of a reason: the reason itself, its source, its risk.
func paragraphs(why lang.Text) []lang.Text {
	t := cleanText(why)
	if t.Empty() {
		return nil
	}
	en, zh := strings.Split(t.EN, "\n"), strings.Split(t.ZH, "\n")
	if len(en) != len(zh) {
		return []lang.Text{t}
	}
	out := make([]lang.Text, len(en))
	for i := range en {
		out[i] = lang.T(en[i], zh[i])
	}
	return out
}
