package engine

import (
	"context"
	"encoding/json"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

// Hosts are the facts of each machine of a run: one for most runs, two for a
// pair. The machine a run is about has machine.LocalID or a root: ID; First
// gives it.
type Hosts struct {
	Order []machine.ID
	Facts map[machine.ID]*detect.Facts
}

// First is the machine the run is about, and its facts.
func (h Hosts) First() (machine.ID, *detect.Facts) {
	id := h.Order[0]
	return id, h.Facts[id]
}

// Ops gathers what should be true on each machine.
func (h Hosts) Ops(of func(machine.ID) ([]Op, error)) ([]Item, error) {
	var items []Item
	for _, id := range h.Order {
		ops, err := of(id)
		if err != nil {
			return nil, err
		}
		for _, o := range ops {
			items = append(items, Item{On: id, Op: o})
		}
	}
	return items, nil
}

// Values are one step's answers by field key, in the field kind's Go type: string
// (Text, Secret, Choice), bool (Confirm), int64 (Number), []string (Many, List),
// map[string]string (Map). A key that is absent was not answered.
type Values map[string]any

// Answers are a run's answers by step ID. A step runs if and only if it is here.
type Answers map[string]Values

// Survey is what a step looked up on its machines and the network before it
// was planned, as JSON: the step's own type, kept in the journal.
type Survey = json.RawMessage

// Step turns facts, a survey and answers into operations. It touches nothing:
// all its methods are pure.
type Step interface {
	ID() string // stable: the journal, the answers file and --only use it
	Title() lang.Text
	// Fields are the keys of the step in the answers file, whatever the machine.
	Fields() []Field
	// Questions are the fields to ask here and now, given the values so far;
	// called again after each answer.
	Questions(Hosts, Survey, Values) []Question
	// Ops is what should be true.
	Ops(Hosts, Survey, Values) ([]Item, error)
}

// Surveyor is a step that has to look something up before it can be planned.
// It reads; say reports progress to a person and may be nil.
type Surveyor interface {
	Survey(ctx context.Context, ms map[machine.ID]machine.Machine, h Hosts, v Values, say func(Progress)) (Survey, error)
}

// Resurveyor is a Surveyor that knows which of its answers what it looks up
// depends on. Others are asked anew whenever an answer has changed.
type Resurveyor interface {
	// Resurvey reports whether the survey made with the answers old is to be made
	// anew for new; false: what was found holds for new as well. Pure.
	Resurvey(old, new Values) bool
}

// Recaller is a step with answers that leave something to be found out (source:
// fastest). Recall gives v with what was found written beside the answer, in a
// field of its own that changes no plan: so the saved file tells it. Pure.
type Recaller interface {
	Recall(Hosts, Survey, Values) Values
}

// Doubter is a step whose survey may find what only the person can decide, so that a form
// asks once more before the step is planned.
type Doubter interface {
	// Doubt is the key of the field to ask, given what was found; "" for none. Pure.
	Doubt(Hosts, Survey, Values) string
}

// Crosser is a step with answers that each may be right and are not right
// together. Pure, and the same on every machine.
type Crosser interface {
	// Cross gives what is wrong by the key of the field to change, or by KEY.NAME
	// where that is one name of a Map. An absent key has its default. The errors
	// are *lang.Error that do not repeat the key.
	Cross(Values) map[string]error
}

// Prover is a step with things that must hold once it is applied, beyond that
// nothing differs any more.
type Prover interface {
	Proofs(Hosts, Survey, Values) []Proof
}

// Proof is one such thing.
type Proof struct {
	On    machine.ID
	Title lang.Text
	// First proofs come before the step's first change, as a trial of what is about
	// to be written: one that fails leaves the machine as it was. They put nothing
	// but throw-away files on the machine, and clean those up. The others come
	// after the last change.
	First bool
	// Always proofs are held also where nothing is to be changed: they are what the
	// step is for.
	Always bool
	// Prove returns what was seen. An error fails the step.
	Prove func(ctx context.Context, m machine.Machine) (lang.Text, error)
}

// Item is one operation on one machine, or, where Unknown is set, what a step
// cannot know before the step Unknown names has been applied.
type Item struct {
	On      machine.ID
	Op      Op
	Unknown string
}

// FieldKind is what a field holds.
type FieldKind string

// The kinds of field.
const (
	Text    FieldKind = "text"
	Secret  FieldKind = "secret" // a reference: env:NAME, file:PATH or prompt:
	Choice  FieldKind = "choice"
	Many    FieldKind = "many"
	Confirm FieldKind = "confirm"
	Number  FieldKind = "number"
	List    FieldKind = "list"
	Map     FieldKind = "map"
)

// Field is one key of a step in the answers file.
type Field struct {
	Key     string
	Kind    FieldKind
	Title   lang.Text
	Help    lang.Text
	Options []Option // Choice and Many: all there are
	Min     int64    // Number, when Max > Min
	Max     int64
	Default any // what an absent key means; nil: nothing
	// Check judges one value: the string of Text and Choice, each element of
	// Many and List. Map calls it with "key=value". Nil: anything goes. Its
	// error is a *lang.Error that does not repeat the key.
	Check func(value string) error
}

// Option is one choice.
type Option struct {
	Value string
	Title lang.Text
	Help  lang.Text
}

// Question is a field as it is asked on these machines.
type Question struct {
	Field
	Default any       // what to offer
	Why     lang.Text // why this default, here
}
