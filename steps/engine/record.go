package engine

import (
	"encoding/json"
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// RecordVersion is the version of a RunRecord's JSON form.
const RecordVersion = 1

// RunRecord is a run as its journal tells it: enough to show it again, long after
// and elsewhere, in either language. Its JSON form reads back.
type RunRecord struct {
	Version int           `json:"version"`
	Info    RunInfo       `json:"info"`
	Goxin   string        `json:"goxin"` // the version that made the run
	Answers Answers       `json:"answers"`
	Strict  bool          `json:"strict,omitempty"`
	Confirm time.Duration `json:"confirm,omitempty"` // nanoseconds
	// Facts are those the machines had when the run began; nil for a run of before
	// journals kept them, and for a machine that has too many to keep.
	Facts map[machine.ID]*detect.Facts `json:"facts,omitempty"`
	Order []machine.ID                 `json:"order"`
	// Joins are the answers that named the other machines of the run, by step.
	Joins map[string]Values `json:"joins,omitempty"`
	// Steps are in the order they were begun; one that was planned again stands
	// there again.
	Steps []StepRecord `json:"steps"`
	Ended time.Time    `json:"ended,omitzero"` // when it first ended; zero for one that was interrupted
	Error lang.Text    `json:"error,omitzero"` // what it failed of
	Hint  lang.Text    `json:"hint,omitzero"`  // what to do about that
}

// StepRecord is a step that was begun.
type StepRecord struct {
	Step     string         `json:"step"`
	Title    lang.Text      `json:"title"`
	Survey   Survey         `json:"survey,omitempty"`
	Values   Values         `json:"values"`
	Wanted   string         `json:"wanted"`
	Reviewed string         `json:"reviewed"`
	Began    time.Time      `json:"began"`
	Ended    time.Time      `json:"ended"` // of the last thing known of it, its undo aside
	Done     bool           `json:"done"`
	Notes    []Note         `json:"notes,omitempty"` // older journals have none
	Changes  []ChangeRecord `json:"changes"`
	Proved   []lang.Text    `json:"proved,omitempty"` // what was tried, and what was seen
	// Kept is what proofs found, in forms of the step's own.
	Kept []Kept `json:"kept,omitempty"`
}

// ChangeRecord is one operation of a step, those that found nothing to do included.
type ChangeRecord struct {
	On     machine.ID `json:"on"`
	Kind   string     `json:"kind"`
	Target string     `json:"target"`
	// Diff is what was reviewed. Of older journals it is what was to be changed of the
	// state that was found, and zero where the run did not come so far.
	Diff    Diff      `json:"diff,omitzero"`
	Why     lang.Text `json:"why,omitzero"`
	ByHand  []string  `json:"by_hand,omitempty"`
	Status  string    `json:"status"` // planned skipped doing done failed undone left
	Outcome Outcome   `json:"outcome,omitzero"`
	Error   lang.Text `json:"error,omitzero"` // why it failed, or was left alone
	Hint    lang.Text `json:"hint,omitzero"`  // what to do about a failure
	// Output is the last that programs said before a failure, at most mostOutput lines.
	Output []lang.Text `json:"output,omitempty"`
	Began  time.Time   `json:"began,omitzero"`
	Ended  time.Time   `json:"ended,omitzero"`
	Back   time.Time   `json:"back,omitzero"` // when it was undone, or left alone by an undo
}

var opStatusNames = [...]string{
	opPlanned: "planned", opSkipped: "skipped", opDoing: "doing", opDone: "done", opFailed: "failed", opUndone: "undone", opLeft: "left",
}

// Record is what the journal tells of run id; 0 is the newest there is. It reads
// the journal alone, and takes no lock: of a run at work it tells what has been done
// so far.
func (e *Engine) Record(id RunID) (*RunRecord, error) {
	h, err := e.tale(id)
	if err != nil {
		return nil, err
	}
	r := &RunRecord{
		Version: RecordVersion, Info: h.info(), Goxin: h.header.Goxin,
		Joins: h.joins, Answers: h.header.Answers, Strict: h.header.Strict, Confirm: h.confirm,
		Steps: []StepRecord{}, Ended: h.ended, Error: h.err, Hint: h.hint,
	}
	for i, id := range h.header.Machines {
		f := h.header.Facts.of(id)
		if i == 0 {
			id = h.first
		}
		r.Order = append(r.Order, id)
		if f != nil {
			if r.Facts == nil {
				r.Facts = make(map[machine.ID]*detect.Facts)
			}
			r.Facts[id] = f
		}
	}
	for _, s := range h.steps {
		st := StepRecord{
			Step: s.id, Title: lang.Same(s.id), Survey: s.survey, Values: s.values, Wanted: s.wanted, Reviewed: s.review,
			Began: s.began, Ended: s.ended, Done: s.done, Notes: s.notes, Changes: []ChangeRecord{}, Proved: s.proved, Kept: s.kept,
		}
		if st.Values == nil { // an empty one is not journalled
			st.Values = Values{}
		}
		if known := e.Step(s.id); known != nil {
			st.Title = known.Title()
		}
		for _, o := range s.ops {
			st.Changes = append(st.Changes, h.change(o))
		}
		r.Steps = append(r.Steps, st)
	}
	return r, nil
}

// tale is the history of run id, or of the newest one that came to a step: one that was
// declined at its first diff has nothing to tell, as long as another has.
func (e *Engine) tale(id RunID) (*history, error) {
	if id != 0 {
		return e.find(id)
	}
	ids, err := e.ids()
	if err != nil {
		return nil, err
	}
	var empty *history
	for _, id := range slices.Backward(ids) {
		switch h, err := e.one(id); {
		case err != nil:
			return nil, err
		case h != nil && len(h.steps) > 0:
			return h, nil
		case empty == nil:
			empty = h
		}
	}
	if empty != nil {
		return empty, nil
	}
	return nil, lang.Errorf(nil, "cannot find a run: there has been none", "找不到运行：尚无任何运行").
		WithHint("`goxin apply` makes one; --state and --root say where to look", "用 `goxin apply` 执行一次；--state 与 --root 指定查找位置")
}

func (h *history) change(o *opHistory) ChangeRecord {
	return ChangeRecord{
		On: o.on, Kind: o.op.Kind(), Target: o.op.Target(), Diff: h.diff(o), Why: o.op.Why(), ByHand: o.op.ByHand(),
		Status: opStatusNames[o.status], Outcome: o.outcome, Error: o.err, Hint: o.hint, Output: o.output, Began: o.began, Ended: o.ended, Back: o.back,
	}
}

// diff is what o's diff was. Where the content it was made of is not kept, it says
// that and no more.
func (h *history) diff(o *opHistory) Diff {
	found := o.found
	if found.Meta == nil {
		found = o.before
	}
	if found.Meta == nil {
		return Diff{} // nobody has looked
	}
	before, err := h.journal.load(found)
	if err == nil {
		return o.op.Diff(before)
	}
	if o.status == opSkipped || diffDigest(Diff{Action: None}) == o.reviewed {
		return Diff{Action: None} // its content was never kept
	}
	d := Diff{Action: o.op.Diff(found).Action, Note: lang.T("what it was before is no longer kept", "改动前的内容已不再保存")}
	if d.Action == None {
		d.Action = Update
	}
	return d
}

// machineFacts are facts as the journal keeps them: undecoded, so that a goxin to
// which a fact means something else can undo the run all the same.
type machineFacts map[machine.ID]json.RawMessage

// mostFacts is how many bytes of facts of one machine a journal's header takes.
// Those of a big server are a tenth of it.
const mostFacts = 256 << 10

func factsOf(h Hosts) machineFacts {
	out := make(machineFacts)
	for id, f := range h.Facts {
		if b, err := json.Marshal(f); err == nil && len(b) <= mostFacts {
			out[id] = b
		}
	}
	return out
}

// of gives the facts of a machine; nil where they are not kept, or mean nothing to
// this goxin.
func (m machineFacts) of(id machine.ID) *detect.Facts {
	var f *detect.Facts
	if json.Unmarshal(m[id], &f) != nil {
		return nil
	}
	return f
}
