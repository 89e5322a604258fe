package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Op is one reversible change to one machine. It is plain data with exported
// fields and a JSON form, so that another process can finish or undo it.
type Op interface {
	Kind() string   // its name in the registry: "file"
	Target() string // what it changes, for people and for telling ops of one kind apart: a path, a key, a unit
	// Observe reads the target: enough to tell whether it differs, and to
	// restore it. It changes nothing.
	Observe(ctx context.Context, m machine.Machine) (State, error)
	// Diff says what Do would change of s. Pure.
	Diff(s State) Diff
	// Do makes the target as wanted. It is idempotent, and a Do after half a Do
	// (the process died) ends where one Do ends. say tells progress, quoting
	// programs, and may be nil.
	Do(ctx context.Context, m machine.Machine, say func(lang.Text)) (Outcome, error)
	// Undo puts before back if the target is still in state after, or already
	// in before; otherwise it leaves it alone and returns ErrNotOurs. Idempotent,
	// and right after half a Do or half an Undo: leftovers are cleaned. after has
	// no Meta where nobody saw it, since the process died within Do. Blobs of after
	// are not kept; its Ref is.
	Undo(ctx context.Context, m machine.Machine, before, after State) error
	Why() lang.Text   // reason, source, risk
	ByHand() []string // the commands a person would type
}

// Toucher is an op whose diff changes with what ops of other targets do: it names
// what they share. Of other ops that is the target.
type Toucher interface{ Touches() string }

// Keeper is an op that keeps what it puts back on the machine itself, beside the
// journal: it is too big, or too secret, for that.
type Keeper interface {
	// Forget destroys what was kept to go back to before, unless one of needed, the
	// states that other ops of the same target go back to, needs it: after an Undo, or
	// when the run is forgotten. Idempotent.
	Forget(ctx context.Context, m machine.Machine, before State, needed []State) error
}

func touches(op Op) string {
	if t, ok := op.(Toucher); ok {
		return t.Touches()
	}
	return op.Target()
}

// Kinds makes an empty op of each kind, to decode a journalled one into.
type Kinds map[string]func() Op

// State is what Observe saw.
type State struct {
	// Meta is the op's own small description, always set; equal states have
	// equal Meta and equal Blob.
	Meta json.RawMessage `json:"meta"`
	// Blob is content too large for the journal's line; the journal stores it
	// beside. Nil and empty are the same.
	Blob []byte `json:"-"`
	// Ref is the SHA-256 of Blob in hex, "" for none.
	Ref string `json:"ref,omitempty"`
}

// NewState makes a State from an op's description and content.
func NewState(meta any, blob []byte) State {
	b, err := json.Marshal(meta)
	if err != nil {
		panic(fmt.Sprintf("state of a type that has no JSON form: %v", err)) // a bug in an op, whatever the machine
	}
	s := State{Meta: b, Blob: blob}
	if len(blob) > 0 {
		sum := sha256.Sum256(blob)
		s.Ref = hex.EncodeToString(sum[:])
	}
	return s
}

// Decode reads the op's description back.
func (s State) Decode(meta any) error { return json.Unmarshal(s.Meta, meta) }

// Equal reports whether two states are the same.
func (s State) Equal(t State) bool { return string(s.Meta) == string(t.Meta) && s.Ref == t.Ref }

// Action is what a diff does to its target; the rune is what is printed.
type Action rune

// The actions.
const (
	None       Action = '='
	Create     Action = '+'
	Update     Action = '~'
	Delete     Action = '-'
	CannotUndo Action = '!'
)

// MarshalText gives the rune.
func (a Action) MarshalText() ([]byte, error) { return []byte(string(rune(a))), nil }

// UnmarshalText reads it back.
func (a *Action) UnmarshalText(b []byte) error {
	r := []rune(string(b))
	if len(r) != 1 {
		return lang.Because(nil, "%q is no action: not one character", "%q 不是操作符：应为单个字符", b)
	}
	*a = Action(r[0])
	return nil
}

// Diff is a change before it is made, for renderers to draw: hunks of text or
// rows of values.
type Diff struct {
	Action Action    `json:"action"`
	Note   lang.Text `json:"note"`            // beside the target: "new, 0644 root, 214 B"
	Table  lang.Text `json:"table"`           // rows of neighbouring diffs with the same Table stand in one table under it
	Hunks  []Hunk    `json:"hunks,omitempty"` // files
	Rows   []Row     `json:"rows,omitempty"`  // values
}

// Hunk is a run of changed lines with their context.
type Hunk struct {
	Lines []Line `json:"lines"`
}

// Line is one line of a hunk. Old and New count from 1; 0: not on that side.
type Line struct {
	Action Action `json:"action"` // None is context
	Old    int    `json:"old,omitempty"`
	New    int    `json:"new,omitempty"`
	Text   string `json:"text"` // without its newline
}

// Row is one value.
type Row struct {
	Action Action    `json:"action"`
	Name   string    `json:"name"`
	Now    string    `json:"now"`
	Then   string    `json:"then"`
	Note   lang.Text `json:"note"`
}

// OutcomeKind is how far a Do got.
type OutcomeKind string

// The outcomes. All but Applied are deviations: accepted, shown, exit code 6.
const (
	Applied    OutcomeKind = "applied"
	Clamped    OutcomeKind = "clamped"    // another value than asked took effect
	Refused    OutcomeKind = "refused"    // the machine does not let anyone: read-only, no such capability
	Overridden OutcomeKind = "overridden" // it took effect, but something else will win later
)

// Outcome is what came of a Do.
type Outcome struct {
	Kind OutcomeKind `json:"kind"`
	By   lang.Text   `json:"by"`            // what clamps, refuses or overrides
	Got  string      `json:"got,omitempty"` // the value that is in force
}

// OK is the outcome of a Do that did what was asked.
var OK = Outcome{Kind: Applied}

// Deviates reports whether the outcome is not what was asked.
func (o Outcome) Deviates() bool { return o.Kind != Applied && o.Kind != "" }
