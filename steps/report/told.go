package report

import (
	"encoding/json"
	"math"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/sandbox"
	"goxin/steps/selftest"
)

// Drill is a failover drill: what was done to a pair, and what whoever asked its
// address lost by that.
type Drill struct {
	From  string     `json:"from"`            // who asked
	Third bool       `json:"third,omitempty"` // it was neither node
	VIP   string     `json:"vip,omitempty"`
	Rate  int        `json:"rate,omitempty"` // questions a second; 0: not known
	Rows  []DrillRow `json:"rows"`
	Ended lang.Text  `json:"ended,omitzero"` // why the faults after the last row were not tried
}

// DrillRow is what came of one fault. Times are in milliseconds.
type DrillRow struct {
	Fault     string    `json:"fault"`
	Title     lang.Text `json:"title"`
	Result    string    `json:"result"` // ok failed skipped
	Asked     int       `json:"asked"`
	Lost      int       `json:"lost"`
	Gap       float64   `json:"gap_ms"` // the longest time between two complete answers
	Predicted float64   `json:"predicted_ms"`
	Healed    float64   `json:"healed_ms"` // from taking the fault back until the pair was at rest
	Owners    []string  `json:"owners"`    // one after the other; a1+a2: both at once
	Why       lang.Text `json:"why,omitzero"`
	Plot      Plot      `json:"plot,omitzero"`
}

// Plot is how long the answers took over time, in milliseconds: the slowest of each
// Every, -1 where one was lost, -2 where none was asked.
type Plot struct {
	Every float64   `json:"every_ms"`
	Set   float64   `json:"set_ms"`  // when the fault was set
	Back  float64   `json:"back_ms"` // when it was taken back
	Worst []float64 `json:"worst_ms"`
}

// Hardening is what was tried of a unit's hardening on one machine.
type Hardening struct {
	On      machine.ID      `json:"on"`
	Unit    string          `json:"unit"`
	Of      int             `json:"of"` // lines; fewer results: it was not tried to its end
	Results []HardeningLine `json:"results"`
}

// HardeningLine is one line of a unit, and what was seen of it.
type HardeningLine struct {
	Line  string        `json:"line"`
	State sandbox.State `json:"state"`
	Why   lang.Text     `json:"why"`
	Seen  lang.Text     `json:"seen"`
}

// SelfTest is what a Go toolchain's self-test saw on one machine.
type SelfTest struct {
	On     machine.ID     `json:"on"`
	Goroot string         `json:"goroot"`
	Said   string         `json:"said"`             // go version
	Kernel string         `json:"kernel,omitempty"` // uname -r
	Text   lang.Text      `json:"text"`
	Checks []SelfTestLine `json:"checks"`
}

// SelfTestLine is one check of it.
type SelfTestLine struct {
	Title lang.Text `json:"title"`
	OK    bool      `json:"ok"`
	Seen  string    `json:"seen"` // in the program's words
}

const (
	mostRows   = 200  // of what is told
	mostPoints = 4000 // of a plot
)

// hear takes over what a proof kept (engine.Keep): under "drill" a drill.Result or its
// last drill.Sample, under sandbox.TellKind a sandbox.Report, under selftest.TellKind a
// selftest.Result. What cannot be read, or is
// of no known kind, is left out.
func (s *Step) hear(t engine.Kept) {
	switch t.Kind {
	case "drill":
		s.hearDrill(t.Data)
	case sandbox.TellKind:
		var r sandbox.Report
		if json.Unmarshal(t.Data, &r) != nil || len(r.Results) == 0 {
			return
		}
		h := Hardening{On: machine.ID(cleanLine(string(t.On))), Unit: cleanLine(r.Unit), Of: r.Of}
		for _, l := range r.Results[:min(len(r.Results), mostRows)] {
			h.Results = append(h.Results, HardeningLine{cleanLine(l.Line), sandbox.State(clean(string(l.State))), cleanText(l.Why), cleanText(l.Seen)})
		}
		for i, old := range s.Hardening { // it is told as it grows
			if old.On == h.On && old.Unit == h.Unit {
				s.Hardening[i] = h
				return
			}
		}
		if len(s.Hardening) < mostRows {
			s.Hardening = append(s.Hardening, h)
		}
	case selftest.TellKind:
		var r selftest.Result
		if json.Unmarshal(t.Data, &r) != nil || len(s.SelfTests) >= mostRows {
			return
		}
		one := SelfTest{On: machine.ID(cleanLine(string(t.On))), Goroot: cleanLine(r.Goroot), Said: cleanLine(r.Said), Kernel: cleanLine(r.Kernel), Text: cleanText(r.Text()), Checks: []SelfTestLine{}}
		for _, c := range r.Checks[:min(len(r.Checks), mostRows)] {
			one.Checks = append(one.Checks, SelfTestLine{cleanText(c.Title()), c.OK, cleanLine(c.Said)})
		}
		s.SelfTests = append(s.SelfTests, one)
	}
}

func (s *Step) hearDrill(data []byte) {
	var whole drill.Result
	if json.Unmarshal(data, &whole) == nil && len(whole.Rows) > 0 {
		d := &Drill{From: cleanLine(whole.From), Third: whole.Third, VIP: cleanLine(whole.VIP), Rate: whole.Rate, Ended: cleanText(whole.Stopped)}
		for _, r := range whole.Rows[:min(len(whole.Rows), mostRows)] {
			d.Rows = append(d.Rows, drillRow(r))
		}
		s.Drill = d
		return
	}
	var one drill.Sample
	if json.Unmarshal(data, &one) != nil {
		return
	}
	if s.Drill == nil || len(one.Faults) > 0 { // it began anew
		s.Drill = &Drill{From: cleanLine(one.From)}
	}
	if one.Done != nil && len(s.Drill.Rows) < mostRows {
		s.Drill.Rows = append(s.Drill.Rows, drillRow(*one.Done))
	}
}

func drillRow(r drill.Row) DrillRow {
	row := DrillRow{
		Fault: cleanLine(string(r.Fault)), Title: cleanText(r.Title), Result: "failed", Asked: r.Asked, Lost: r.Lost,
		Gap: millis(r.Gap), Predicted: millis(r.Predicted), Healed: millis(r.Healed), Owners: []string{}, Why: cleanText(r.Why),
		Plot: Plot{Every: millis(r.Plot.Every), Set: millis(r.Plot.Set), Back: millis(r.Plot.Back)},
	}
	switch {
	case r.Skipped:
		row.Result = "skipped"
	case r.OK:
		row.Result = "ok"
	}
	for _, o := range r.Owners[:min(len(r.Owners), mostRows)] {
		row.Owners = append(row.Owners, cleanLine(o))
	}
	for _, ms := range r.Plot.Worst[:min(len(r.Plot.Worst), mostPoints)] {
		row.Plot.Worst = append(row.Plot.Worst, math.Round(ms*100)/100)
	}
	return row
}

// millis is d in milliseconds, to the microsecond.
func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
