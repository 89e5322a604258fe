package op

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

// Mark is what Comment puts before a line.
const Mark = "# goxin: "

// Comment takes every occurrence of one line out of force by making a comment
// of it. The rest of the file is nobody's business here: it may change between
// Do and Undo, and line ends, mode and owner stay.
type Comment struct {
	Path   string    `json:"path"`
	Line   string    `json:"line"` // exact, without its line end
	Reason lang.Text `json:"reason"`
}

type commentState struct {
	// Occurrences has a letter for each, in order: a where the line is active,
	// o where it is our comment.
	Occurrences string        `json:"occurrences"`
	Hunks       []engine.Hunk `json:"hunks,omitempty"` // what Do would change
}

// Kind is "comment".
func (o *Comment) Kind() string { return "comment" }

// Target is the path and the line, the same before and after the journal:
// bytes that are not UTF-8 do not survive it.
func (o *Comment) Target() string {
	return Visible(o.Path + ": " + string([]rune(o.Line)))
}

// Why is the step's reason.
func (o *Comment) Why() lang.Text { return o.Reason }

// ByHand is one sed command.
func (o *Comment) ByHand() []string {
	script := `s|^` + pattern(o.Line) + `\r\{0,1\}$|` + Mark + `&|`
	return []string{"sed -i --follow-symlinks " + Quote(script) + " " + Quote(o.Path)}
}

// Observe finds the occurrences.
func (o *Comment) Observe(_ context.Context, m machine.Machine) (engine.State, error) {
	text, _, err := o.read(m)
	if err != nil {
		return engine.State{}, err
	}
	s := commentState{Occurrences: o.occurrences(text)}
	if strings.Contains(s.Occurrences, "a") {
		if then := o.rewrite(text, strings.Repeat("o", len(s.Occurrences))); readable([]byte(text)) {
			s.Hunks = hunks(text, then)
		}
	}
	return engine.NewState(s, nil), nil
}

// read gives an empty text for a file that is not there.
func (o *Comment) read(m machine.Machine) (string, machine.Info, error) {
	if o.Line == "" || strings.Contains(o.Line, "\n") {
		return "", machine.Info{}, lang.Errorf(nil, "cannot look for %q in %s: it is not one line", "无法在 %[2]s 中查找 %[1]q：不是一行文本", o.Line, Visible(o.Path))
	}
	info, err := m.Stat(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", info, nil
	}
	if err == nil && !info.Mode.IsRegular() {
		err = notRegular(info.Mode)
	}
	var data []byte
	if err == nil {
		data, err = m.ReadFile(o.Path)
	}
	if err != nil {
		return "", info, cannotRead(err, o.Path)
	}
	return string(data), info, nil
}

// which says what a line (with or without its end) is: a, o, or 0 for neither.
// Bytes that are not UTF-8 compare as JSON would write them, since that is how
// Line came here.
func (o *Comment) which(line string) byte {
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	want := strings.TrimSuffix(o.Line, "\r")
	letter := byte('a')
	if rest, ok := strings.CutPrefix(line, Mark); ok && len(line) > len(want) {
		line, letter = rest, 'o'
	}
	if string([]rune(line)) != string([]rune(want)) {
		return 0
	}
	return letter
}

func (o *Comment) occurrences(text string) string {
	var found []byte
	for line := range strings.Lines(text) {
		if c := o.which(line); c != 0 {
			found = append(found, c)
		}
	}
	return string(found)
}

// rewrite makes the occurrences as the letters say.
func (o *Comment) rewrite(text, letters string) string {
	var b strings.Builder
	n := 0
	for line := range strings.Lines(text) {
		is := o.which(line)
		if is != 0 {
			switch string([]byte{is, letters[n]}) {
			case "ao":
				line = Mark + line
			case "oa":
				line = strings.TrimPrefix(line, Mark)
			}
			n++
		}
		b.WriteString(line)
	}
	return b.String()
}

// Diff shows the lines in their context.
func (o *Comment) Diff(s engine.State) engine.Diff {
	was, _, err := decode[commentState](o, s)
	n := strings.Count(was.Occurrences, "a")
	if err != nil || n == 0 {
		return engine.Diff{Action: engine.None}
	}
	note := lang.F("%d lines commented", "注释掉 %d 行", n)
	if n == 1 {
		note = lang.T("1 line commented", "注释掉 1 行")
	}
	return engine.Diff{Action: engine.Update, Note: note, Hunks: was.Hunks}
}

// Do comments the active occurrences.
func (o *Comment) Do(_ context.Context, m machine.Machine, _ func(lang.Text)) (engine.Outcome, error) {
	text, info, err := o.read(m)
	if err != nil {
		return engine.Outcome{}, err
	}
	if found := o.occurrences(text); strings.Contains(found, "a") {
		err = o.write(m, info, o.rewrite(text, strings.Repeat("o", len(found))))
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return engine.Outcome{}, cannot(err, "cannot comment a line of %s", "无法注释 %s 中的一行", Visible(o.Path))
	}
	return engine.OK, nil
}

func (o *Comment) write(m machine.Machine, info machine.Info, text string) error {
	n := inodeOf(info)
	return m.WriteFile(o.Path, []byte(text), fs.FileMode(n.Mode), n.owner())
}

// Undo makes those occurrences active again that were, while all of them are
// there, in the order they were in.
func (o *Comment) Undo(_ context.Context, m machine.Machine, before, after engine.State) error {
	was, _, err := decode[commentState](o, before)
	if err != nil {
		return err
	}
	ours, seen, err := decode[commentState](o, after)
	if err != nil {
		return err
	}
	text, info, err := o.read(m)
	if err != nil {
		return err
	}
	now := o.occurrences(text)
	if !seen {
		ours.Occurrences = strings.Repeat("o", len(was.Occurrences))
	}
	if now != was.Occurrences {
		if now != ours.Occurrences || len(now) != len(was.Occurrences) {
			return notOurs("the line was changed, moved or removed since", "该行之后被修改、移动或删除")
		}
		err = o.write(m, info, o.rewrite(text, was.Occurrences))
	}
	if err == nil {
		err = m.Clean(o.Path)
	}
	if err != nil {
		return cannot(err, "cannot put a line of %s back", "无法还原 %s 中的一行", Visible(o.Path))
	}
	return nil
}

// Touches is the file: other lines of it may be commented by the same step.
func (o *Comment) Touches() string { return o.Path }
