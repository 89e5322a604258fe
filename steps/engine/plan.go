package engine

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Planned is an item with what was observed and what would change.
type Planned struct {
	On      machine.ID `json:"on"`
	Op      Op         `json:"op,omitempty"` // nil where Unknown is set
	Kind    string     `json:"kind,omitempty"`
	Target  string     `json:"target,omitempty"`
	Before  State      `json:"-"`
	Diff    Diff       `json:"diff"`
	Why     lang.Text  `json:"why,omitzero"`
	ByHand  []string   `json:"by_hand,omitempty"`
	Unknown string     `json:"known_after,omitempty"` // the step it is known after
}

// StepPlan is what applying one step would change, as it is reviewed. Wanted is
// the digest of what should be true, the same on every fresh machine with the
// same answers and survey; Reviewed is the digest of this very diff.
type StepPlan struct {
	Step     string    `json:"step"`
	Values   Values    `json:"values"` // as a Recaller left them
	Survey   Survey    `json:"survey,omitempty"`
	Items    []Planned `json:"items"`
	Notes    []Note    `json:"notes,omitempty"`
	Wanted   string    `json:"wanted"`
	Reviewed string    `json:"reviewed"`
	// Proves is whether some proofs are held even where nothing changes.
	Proves bool `json:"proves,omitempty"`
	proofs []Proof
}

// Changes counts the items that would change something, the unknown ones
// included.
func (p *StepPlan) Changes() int {
	n := 0
	for _, it := range p.Items {
		if it.Unknown != "" || it.Diff.Action != None {
			n++
		}
	}
	return n
}

// Survey looks up what s needs before it can be planned; nil for a step that
// needs nothing. How far it is goes out as Surveying events, and to say, which
// may be nil; a survey that was called off says nothing more.
func (e *Engine) Survey(ctx context.Context, s Step, v Values, say func(Progress)) (Survey, error) {
	sv, ok := s.(Surveyor)
	if !ok {
		return nil, nil
	}
	h, err := e.hostsKnown(ctx)
	if err != nil {
		return nil, err
	}
	h = HostsOf(s, h)
	e.notify(Event{What: Surveying, Step: s.ID()})
	tell := func(p Progress) {
		if ctx.Err() != nil {
			return
		}
		e.notify(Event{What: Surveying, Step: s.ID(), Text: p.Text, Table: p.Table})
		if say != nil {
			say(p)
		}
	}
	found, err := sv.Survey(ctx, e.of(h), h, v, tell)
	if err == nil {
		e.remember(s, v, found)
		e.notify(Event{What: Surveyed, Step: s.ID()})
	}
	return found, err
}

// Plan asks the step what should be true and observes how far it is so.
func (e *Engine) Plan(ctx context.Context, s Step, sv Survey, v Values) (*StepPlan, error) {
	if err := e.join(ctx, s, v); err != nil {
		return nil, err
	}
	all, err := e.hostsKnown(ctx)
	if err != nil {
		return nil, err
	}
	h := HostsOf(s, all)
	items, err := s.Ops(h, sv, v)
	if err != nil {
		if !lang.Told(err) {
			err = lang.Errorf(err, "cannot plan %s", "无法为「%s」制定计划", s.Title())
		}
		return nil, err
	}
	if r, ok := s.(Recaller); ok {
		v = r.Recall(h, sv, v)
	}
	p := &StepPlan{Step: s.ID(), Values: v, Survey: sv, Items: make([]Planned, len(items))}
	for i, it := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if it.Unknown != "" {
			p.Items[i] = Planned{On: it.On, Unknown: it.Unknown, Why: lang.F("It depends on what the step %s brings, which has to be done first.", "取决于“%s”步骤的结果，须先完成该步骤。", e.title(it.Unknown))}
			continue
		}
		pl := Planned{On: it.On, Op: it.Op, Kind: it.Op.Kind(), Target: it.Op.Target(), Why: it.Op.Why(), ByHand: it.Op.ByHand()}
		if pl.Before, err = e.observe(ctx, it.On, it.Op); err != nil {
			return nil, err
		}
		pl.Diff = it.Op.Diff(pl.Before)
		p.Items[i] = pl
	}
	if n, ok := s.(Noter); ok {
		p.Notes = n.Notes(h, sv, v)
	}
	if pr, ok := s.(Prover); ok {
		p.proofs = pr.Proofs(h, sv, v)
		p.Proves = slices.ContainsFunc(p.proofs, func(pr Proof) bool { return pr.Always })
	}
	if err := p.digest(all.Order); err != nil {
		return nil, err
	}
	e.notify(Event{What: PlanReady, Step: p.Step, N: p.Changes(), Of: len(p.Items)})
	return p, nil
}

// title is a step's, or its name.
func (e *Engine) title(id string) lang.Text {
	if s := e.Step(id); s != nil {
		return s.Title()
	}
	return lang.Same(id)
}

// Prove holds those proofs of a plan that are held even where nothing changes. It is
// no run: nothing of it is kept.
func (e *Engine) Prove(ctx context.Context, p *StepPlan) error {
	for _, pr := range p.proofs {
		if !pr.Always {
			continue
		}
		ev := Event{What: Proving, Step: p.Step, On: pr.On, Text: pr.Title}
		e.notify(ev)
		seen, err := pr.Prove(e.within(ctx, Event{Step: p.Step, On: pr.On}), e.machine(pr.On))
		if err != nil {
			return cannotProve(pr, err)
		}
		ev.What, ev.Text = Proved, lang.F("%s: %s", "%s：%s", pr.Title, seen)
		e.notify(ev)
	}
	return nil
}

func cannotProve(p Proof, err error) error {
	return lang.Errorf(err, "cannot prove: %s", "验证未通过：%s", p.Title)
}

func (e *Engine) observe(ctx context.Context, on machine.ID, op Op) (State, error) {
	m := e.machine(on)
	if m == nil {
		return State{}, lang.Errorf(nil, "cannot observe %s: no machine %q in this run", "无法查看 %s：本次运行中没有机器 %q", op.Target(), on)
	}
	s, err := op.Observe(e.within(ctx, Event{On: on}), m)
	if err != nil && !lang.Told(err) {
		err = lang.Errorf(err, "cannot observe %s", "无法查看 %s", op.Target())
	}
	return s, err
}

// digest hashes the plan. Machines count by their place in the run, so that a
// tree and the machine it becomes agree; reasons are for people and left out.
func (p *StepPlan) digest(order []machine.ID) error {
	place := make(map[machine.ID]int, len(order))
	for i, id := range order {
		place[id] = i
	}
	type wanted struct {
		On   int             `json:"on"`
		Kind string          `json:"kind"`
		Op   json.RawMessage `json:"op"`
	}
	w, r := sha256.New(), sha256.New()
	ew, er := json.NewEncoder(w), json.NewEncoder(r)
	if err := ew.Encode(p.Step); err != nil {
		return err
	}
	for _, it := range p.Items {
		b := []byte(`null`)
		if it.Op != nil {
			var err error
			if b, err = wantedJSON(it.Op); err != nil {
				return err
			}
		}
		if err := ew.Encode(wanted{place[it.On], it.Kind, b}); err != nil {
			return err
		}
		if err := er.Encode([]any{it.Before, it.Diff.Action, it.Unknown}); err != nil {
			return err
		}
	}
	p.Wanted = hex.EncodeToString(w.Sum(nil))
	r.Write([]byte(p.Wanted))
	p.Reviewed = hex.EncodeToString(r.Sum(nil))
	return nil
}

// wantedJSON is op's JSON without its reason, with sorted keys.
func wantedJSON(op Op) ([]byte, error) {
	b, err := json.Marshal(op)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	delete(m, "reason")
	return json.Marshal(m)
}

// Digest folds the digests of several steps' plans into one.
func Digest(digests ...string) string {
	h := sha256.New()
	for _, d := range digests {
		h.Write([]byte(d + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// diffDigest is what a person saw of one change, in brief.
func diffDigest(d Diff) string {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // Diff is plain data
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}
