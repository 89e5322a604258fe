package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Status is what became of a run.
type Status string

// The statuses, as `goxin runs` shows them.
//
//	(header) ─▶ Interrupted ─ resume ─▶ Applied ──┬─ undo ─▶ Undone
//	                │                             │
//	                └─ undo ─▶ Undone             └ --confirm ─▶ Awaiting ─┬─ confirm ─▶ Applied
//	                                                                       └─ deadline, boot ─▶ Undone
const (
	StatusInterrupted Status = "interrupted" // it has no end: the process died, or still runs
	StatusWorking     Status = "working"     // it has no end, and somebody is at it: of Runs alone
	StatusApplied     Status = "applied"
	StatusFailed      Status = "failed"   // stopped at a failure; what stands, stands
	StatusUndone      Status = "undone"   // nothing of it stands but what undo had to leave alone
	StatusAwaiting    Status = "awaiting" // applied, and undone at its deadline unless confirmed
	StatusUnreadable  Status = "unreadable"
)

type opStatus uint8

const (
	opPlanned opStatus = iota // not reached
	opSkipped
	opDoing
	opDone
	opFailed
	opUndone
	opLeft // not undone: somebody changed it since
)

// opHistory is what a journal tells of one op. An op is live when its change
// stands: done and not undone, or begun and never finished.
type opHistory struct {
	step     string
	s, n     int
	on       machine.ID
	op       Op
	reviewed string // digest of the diff a person saw
	found    State  // what it was a diff of; not known of older journals
	status   opStatus
	before   State
	after    State
	lead     int // in a twin: its number in the run that leads
	outcome  Outcome
	err      lang.Text // why it failed, or was left
	hint     lang.Text // what to do about a failure
	output   []lang.Text
	began    time.Time
	ended    time.Time
	back     time.Time // when it was undone, or left
}

func (o *opHistory) live() bool {
	return o.status == opDone || o.status == opDoing || o.status == opFailed
}

type stepHistory struct {
	id     string
	survey Survey
	values Values
	wanted string
	review string // digest of the diff a person saw
	notes  []Note
	ops    []*opHistory
	proved []lang.Text
	kept   []Kept
	began  time.Time
	ended  time.Time // the last thing known of it
	done   bool
	lead   int // in a twin: its number in the run that leads
}

// begun reports whether the step has come to any of its ops.
func (s *stepHistory) begun() bool {
	for _, o := range s.ops {
		if o.status != opPlanned && o.status != opSkipped {
			return true
		}
	}
	return false
}

// undone reports whether the step was undone, as far as it could be.
func (s *stepHistory) undone() bool {
	some := false
	for _, o := range s.ops {
		if o.live() {
			return false
		}
		some = some || o.status == opUndone || o.status == opLeft
	}
	return some
}

// result counts what became of the step's ops.
func (s *stepHistory) result() StepResult {
	var r StepResult
	for _, o := range s.ops {
		switch o.status {
		case opSkipped:
			r.Skipped++
		case opDone:
			r.Applied++
			if o.outcome.Deviates() {
				r.Deviations = append(r.Deviations, Deviation{o.on, o.op.Kind(), o.op.Target(), o.outcome})
			}
		}
	}
	return r
}

// history is a run as its journal tells it.
type history struct {
	journal  journal
	header   record
	first    machine.ID // the machine the run is about: a tree may have been moved since
	steps    []*stepHistory
	status   Status
	boot     string  // of the confirmation that is due
	deadline float64 // seconds since that boot
	confirm  time.Duration
	// forgotten: it cannot be undone any more, and is still checked.
	forgotten bool
	ended     time.Time // first: what was applied may be undone much later
	err       lang.Text // what it failed of
	hint      lang.Text
	twins     map[machine.ID]RunID // its parts on other machines
	joins     map[string]Values    // how those were joined: answers by step
}

// ops are all ops, in the order they were done.
func (h *history) ops() []*opHistory {
	var all []*opHistory
	for _, s := range h.steps {
		all = append(all, s.ops...)
	}
	return all
}

// touched reports whether an earlier op of o's step has changed what o's diff
// shows, so that it cannot be the one that was reviewed.
func (h *history) touched(o *opHistory) bool {
	for _, p := range h.steps[o.s-1].ops[:o.n-1] {
		if p.live() && p.on == o.on && touches(p.op) == touches(o.op) {
			return true
		}
	}
	return false
}

func (h *history) standing() int {
	n := 0
	for _, o := range h.ops() {
		if o.live() {
			n++
		}
	}
	return n
}

// RunInfo is a run as it is listed.
type RunInfo struct {
	ID         RunID     `json:"id"`
	Status     Status    `json:"status"`
	Time       time.Time `json:"time"`
	Owner      string    `json:"owner"`
	Steps      []string  `json:"steps"`
	Changes    int       `json:"changes"`    // that stand
	Deviations int       `json:"deviations"` // among them
	Forgotten  bool      `json:"forgotten,omitempty"`
}

func (h *history) info() RunInfo {
	i := RunInfo{ID: h.header.ID, Status: h.status, Time: h.header.Time, Owner: h.header.Owner, Changes: h.standing(), Steps: []string{}, Forgotten: h.forgotten}
	for _, s := range h.steps {
		i.Steps = append(i.Steps, s.id)
	}
	for _, o := range h.ops() {
		if o.status == opDone && o.outcome.Deviates() {
			i.Deviations++
		}
	}
	return i
}

func (h *history) add(kinds Kinds, r record) error {
	switch r.What {
	case "step":
		s := &stepHistory{id: r.Step, survey: h.moved(r.Survey), values: r.Values, wanted: r.Wanted, review: r.Reviewed, notes: r.Notes, began: r.Time, ended: r.Time, lead: r.LeadS}
		for n, ro := range r.Ops {
			op, err := kinds.decode(ro)
			if err != nil {
				return err
			}
			on := ro.On
			if on == h.header.Machines[0] {
				on = h.first
			}
			o := &opHistory{step: r.Step, s: len(h.steps) + 1, n: n + 1, on: on, op: op, reviewed: ro.Diff}
			if ro.Before != nil {
				o.found = *ro.Before
			}
			if n < len(r.LeadN) {
				o.lead = r.LeadN[n]
			}
			s.ops = append(s.ops, o)
		}
		h.steps = append(h.steps, s)
		return nil
	case "twin":
		if h.twins == nil {
			h.twins = make(map[machine.ID]RunID)
		}
		h.twins[r.On] = r.ID
		if r.Step != "" {
			if h.joins == nil {
				h.joins = make(map[string]Values)
			}
			h.joins[r.Step] = r.Values
		}
		return nil
	case "awaiting":
		h.status, h.boot, h.deadline = StatusAwaiting, r.Boot, r.Deadline
		h.end(r)
		return nil
	case "confirmed":
		h.status = StatusApplied
		return nil
	case "forgotten":
		h.forgotten = true
		return nil
	case "end":
		h.status = r.Status
		h.end(r)
		return nil
	}
	if r.S < 1 || r.S > len(h.steps) {
		return lang.Because(nil, "no step %d", "没有步骤 %d", r.S)
	}
	s := h.steps[r.S-1]
	switch r.What {
	case "step-done":
		s.done, s.ended = true, r.Time
		return nil
	case "kept":
		s.kept = slices.DeleteFunc(s.kept, func(k Kept) bool { return k.On == r.On && k.Kind == r.Kind })
		s.kept = append(s.kept, Kept{r.On, r.Kind, r.Data})
		return nil
	case "proved":
		s.ended = r.Time
		if r.Text != nil {
			s.proved = append(s.proved, *r.Text)
		}
		return nil
	}
	if r.N < 1 || r.N > len(s.ops) {
		return lang.Because(nil, "no operation %d in step %d", "没有操作 %d（步骤 %d）", r.N, r.S)
	}
	o := s.ops[r.N-1]
	state := func() State {
		if r.State == nil {
			return State{}
		}
		return *r.State
	}
	switch {
	case r.Error != nil:
		o.err = *r.Error
	case r.What != "undone": // a failure that was undone is told all the same
		o.err, o.hint, o.output = lang.Text{}, lang.Text{}, nil
	}
	switch r.What {
	case "skip":
		o.status, o.before, o.after = opSkipped, state(), state()
		o.began, o.ended = r.Time, r.Time
	case "doing":
		o.status, o.before, o.after = opDoing, state(), State{}
		o.began = r.Time
	case "done":
		o.status, o.after = opDone, state()
		o.ended = r.Time
		if r.Outcome != nil {
			o.outcome = *r.Outcome
		}
	case "failed":
		o.status, o.after, o.output = opFailed, state(), r.Output
		if r.Hint != nil {
			o.hint = *r.Hint
		}
		o.ended = r.Time
	case "undone":
		o.status, o.back = opUndone, r.Time
		return nil
	case "left":
		o.status, o.back = opLeft, r.Time
		return nil
	default:
		return lang.Because(nil, "unknown record %q", "未知的记录 %q", r.What)
	}
	s.ended = r.Time
	return nil
}

// moved is a survey as of the machine that the run is about now: what was found on a
// tree stands under its name, which has its place in it.
func (h *history) moved(s Survey) Survey {
	if was := h.header.Machines[0]; was != h.first {
		from, err := json.Marshal(was)
		to, err2 := json.Marshal(h.first)
		if err == nil && err2 == nil {
			return bytes.ReplaceAll(s, from, to)
		}
	}
	return s
}

// end takes up how the run ended.
func (h *history) end(r record) {
	if h.ended.IsZero() {
		h.ended = r.Time
	}
	if r.Error != nil {
		h.err = *r.Error
		if r.Hint != nil {
			h.hint = *r.Hint
		}
	}
}

func (k Kinds) decode(ro recordedOp) (Op, error) {
	mk, ok := k[ro.Kind]
	if !ok {
		return nil, lang.Because(nil, "unknown kind of operation %q", "未知的操作类型 %q", ro.Kind)
	}
	op := mk()
	if err := json.Unmarshal(ro.Op, op); err != nil {
		return nil, lang.Because(err, "operation of kind %s", "类型为 %s 的操作", ro.Kind)
	}
	return op, nil
}

// Runs lists all runs, oldest first. One whose journal cannot be read is listed
// as such.
func (e *Engine) Runs() ([]RunInfo, error) {
	ids, err := e.ids()
	if err != nil {
		return nil, err
	}
	out := []RunInfo{}
	for _, id := range ids {
		h, err := e.one(id)
		switch {
		case err != nil:
			out = append(out, RunInfo{ID: id, Status: StatusUnreadable, Steps: []string{}})
		case h != nil:
			info := h.info()
			if info.Status == StatusInterrupted && e.busy() != nil {
				info.Status = StatusWorking
			}
			out = append(out, info)
		}
	}
	return out, nil
}

// busy says who is at work; nil where nobody is, or nobody can tell.
func (e *Engine) busy() *BusyError {
	release, err := e.lock()
	if err == nil {
		_ = release() // it ends with the process at the latest
	}
	var b *BusyError
	_ = errors.As(err, &b)
	return b
}

// Pending is the run that was interrupted or waits for its confirmation; nil when there
// is none. Where another process is at work on it, that is a *BusyError.
func (e *Engine) Pending() (*RunInfo, error) {
	p, err := e.pending()
	if p != nil && p.Status == StatusInterrupted {
		if b := e.busy(); b != nil && b.Holder.PID != os.Getpid() {
			return nil, b
		}
	}
	return p, err
}

func (e *Engine) pending() (*RunInfo, error) {
	hs, err := e.histories()
	if err != nil {
		return nil, err
	}
	for i := len(hs) - 1; i >= 0; i-- {
		if s := hs[i].status; s == StatusInterrupted || s == StatusAwaiting {
			info := hs[i].info()
			return &info, nil
		}
	}
	return nil, nil
}
