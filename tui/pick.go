package tui

import (
	"slices"

	"github.com/charmbracelet/huh"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// A question for a text that has options is a list to pick from, the last entry
// of which leads to a line to write something else on.

// elsewhere stands for that entry; no option has such a value.
const elsewhere = "\x00"

// picks reports whether the field is such a list.
func (f *field) picks() bool { return f.question.Kind == engine.Text && len(f.question.Options) > 0 }

// picking reports whether the list is what is shown of it now.
func (f *field) picking() bool { return f.picks() && !f.typing }

// ask takes the question as it is put now, whose options may be others than
// those before.
func (f *field) ask(q engine.Question) {
	f.question = q
	if len(q.Options) == 0 || q.Kind != engine.Choice && q.Kind != engine.Text {
		return
	}
	switch {
	case slices.ContainsFunc(q.Options, func(o engine.Option) bool { return o.Value == f.text }), f.picks() && f.text == elsewhere:
	case f.picks() && f.text != "":
		f.typed, f.text = f.text, elsewhere
	default:
		f.text = q.Options[0].Value
	}
}

// pickOptions are the options as the step has set them out, one line each.
func (f *field) pickOptions(a *App, w int) []huh.Option[string] {
	const frame = 4 // border, margin and cursor
	var out []huh.Option[string]
	add := func(text, value string) {
		out = append(out, huh.NewOption(cut(text, w-frame, a.theme.Ellipsis), value))
	}
	for _, o := range f.question.Options {
		title := a.raw(o.Title.In(a.lang))
		if title == "" {
			title = a.raw(o.Value)
		}
		add(title, o.Value)
	}
	other := lang.T("other…", "其他…")
	if f.typed != "" {
		other = lang.F("other: %s", "其他：%s", clean(f.typed))
	}
	add(a.s(other), elsewhere)
	return out
}

// follow makes the answer of a list that of its cursor. huh moves the cursor to
// the end of a list without that.
func (f *field) follow() {
	if w, ok := f.widget.(*huh.Select[string]); ok {
		if v, ok := w.Hovered(); ok {
			f.text = v
		}
	}
}

// cursor is where the cursor stands in a list of n; n is 0 where there is none.
func (f *field) cursor() (n, i int) {
	os := f.question.Options
	switch f.widget.(type) {
	case *huh.Select[string]:
		n = len(os)
		if f.picks() {
			n++
		}
	case *huh.MultiSelect[string]:
		n = len(os)
	default:
		return 0, 0
	}
	at := f.hovered()
	if i = slices.IndexFunc(os, func(o engine.Option) bool { return o.Value == at }); i < 0 {
		i = n - 1
	}
	return n, i
}
