package tui

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/huh"

	"goxin/assets/lang"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

// field is one question being answered: the value as it is edited, independent
// of the huh field that edits it at the moment.
type field struct {
	question engine.Question
	text     string // of a list to pick from: the value picked, or elsewhere
	typed    string // of such a list: what is written instead
	typing   bool
	yes      bool
	many     []string
	widget   huh.Field
}

// newField starts from what was answered before, or from what is offered.
func newField(q engine.Question, answered any) *field {
	f := &field{question: q}
	v := answered
	if v == nil {
		v = q.Default
	}
	switch v := v.(type) {
	case string:
		f.text = v
	case bool:
		f.yes = v
	case int64:
		f.text = strconv.FormatInt(v, 10)
	case int:
		f.text = strconv.Itoa(v)
	case []string:
		f.many = slices.Clone(v)
		f.text = strings.Join(v, "; ")
	case map[string]string:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, k+"="+v[k])
		}
		f.text = strings.Join(parts, "; ")
	}
	f.ask(q)
	return f
}

// huh makes the widget that edits the field, w cells wide. Only the question at
// hand explains itself; the others are a title and a value.
func (f *field) huh(a *App, w int, focused, titles bool) huh.Field {
	q := f.question
	title, help := a.s(q.Title), ""
	if focused {
		help = join(a.s(q.Help), a.s(how(q.Kind, cleared())))
	}
	// huh counts lines before it wraps them, and breaks Chinese at spaces only.
	title, help = strings.Join(wrap(title, w-4), "\n"), strings.Join(wrap(help, w-4), "\n")
	switch {
	case f.picking():
		f.widget = huh.NewSelect[string]().Key(q.Key).Title(title).Description(help).Options(f.pickOptions(a, w)...).Value(&f.text)
	case f.picks():
		f.widget = huh.NewInput().Key(q.Key).Title(title).Description(help).Prompt("> ").Value(&f.typed)
	case q.Kind == engine.Choice:
		f.widget = huh.NewSelect[string]().Key(q.Key).Title(title).Description(help).Options(options(a, q.Options, titles)...).Value(&f.text)
	case q.Kind == engine.Many:
		f.widget = huh.NewMultiSelect[string]().Key(q.Key).Title(title).Description(help).Filterable(false).Options(options(a, q.Options, titles)...).Value(&f.many)
	case q.Kind == engine.Confirm:
		f.widget = huh.NewConfirm().Key(q.Key).Title(title).Description(help).
			Affirmative(a.say("Yes", "是")).Negative(a.say("No", "否")).WithButtonAlignment(0).Value(&f.yes)
	default:
		f.widget = huh.NewInput().Key(q.Key).Title(title).Description(help).Prompt("> ").Value(&f.text)
	}
	return f.widget
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + "\n" + b
}

// cleared is how one says on a screen that there is none. In line mode an empty line is
// something else.
func cleared() lang.Text { return lang.T("Empty: none.", "留空表示无。") }

// how says how a value of several parts is written on one line, and none.
func how(k engine.FieldKind, none lang.Text) lang.Text {
	switch k {
	case engine.Map:
		return lang.F("key = value; key = value. %s", "格式：键 = 值; 键 = 值。%s", none)
	case engine.List:
		return lang.F("Several are separated by semicolons. %s", "多项用分号隔开。%s", none)
	case engine.Secret:
		return lang.T("A reference: env:NAME, file:PATH or prompt:", "填写引用：env:变量名、file:路径 或 prompt:")
	}
	return lang.Text{}
}

func options(a *App, os []engine.Option, titles bool) []huh.Option[string] {
	var out []huh.Option[string]
	wide := 0
	for _, o := range os {
		wide = max(wide, width(o.Value))
	}
	for _, o := range os {
		t := a.s(o.Title)
		switch {
		case titles, o.Value == "":
		case t != "" && t != o.Value:
			t = pad(o.Value, wide) + "  " + t
		default:
			t = o.Value
		}
		out = append(out, huh.NewOption(t, o.Value))
	}
	return out
}

// hovered is the option under the cursor of a Choice or Many.
func (f *field) hovered() string {
	switch w := f.widget.(type) {
	case *huh.Select[string]:
		v, _ := w.Hovered()
		return v
	case *huh.MultiSelect[string]:
		v, _ := w.Hovered()
		return v
	}
	return ""
}

// value is the answer in its field kind's type; nil: not answered.
func (f *field) value(l lang.Lang) (any, error) {
	switch f.question.Kind {
	case engine.Confirm:
		return f.yes, nil
	case engine.Many:
		return slices.Clone(f.many), nil
	}
	if f.picks() && f.text == elsewhere {
		v, err := f.parse(f.typed, l)
		if v == nil && err == nil {
			err = errors.New(lang.T("nothing is written yet; Esc leads back to the list", "尚未填写；按 Esc 返回列表").In(l))
		}
		return v, err
	}
	return f.parse(f.text, l)
}

// parse reads a line as the question's kind. Its errors are one line, in l.
func (f *field) parse(s string, l lang.Lang) (any, error) {
	q := f.question
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	judge := q.Check
	if q.Kind == engine.Secret { // what is typed here may be the secret itself: it must not be saved
		judge = func(v string) error { _, err := answers.ParseSecret(v); return err }
	}
	check := func(v string) error {
		if judge == nil {
			return nil
		}
		if err := judge(v); err != nil {
			said := lang.Message(err, l)
			if h := lang.Hint(err, l); h != "" {
				said += lang.T("; ", "；").In(l) + h
			}
			return errors.New(said)
		}
		return nil
	}
	switch q.Kind {
	case engine.Number:
		n, err := strconv.ParseInt(s, 10, 64)
		if errors.Is(err, strconv.ErrRange) && q.Max > q.Min {
			return nil, errors.New(lang.F("%s is not between %d and %d", "%s 不在 %d 到 %d 之间", s, q.Min, q.Max).In(l))
		}
		if err != nil {
			return nil, errors.New(lang.F("%s is not a whole number", "%s 不是整数", s).In(l))
		}
		if q.Max > q.Min && (n < q.Min || n > q.Max) {
			return nil, errors.New(lang.F("%d is not between %d and %d", "%d 不在 %d 到 %d 之间", n, q.Min, q.Max).In(l))
		}
		return n, check(s)
	case engine.List:
		var out []string
		for _, e := range parts(s) {
			if err := check(e); err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		if out == nil {
			return nil, nil
		}
		return out, nil
	case engine.Map:
		out := make(map[string]string)
		for _, e := range parts(s) {
			k, v, ok := strings.Cut(e, "=")
			k, v = strings.TrimSpace(k), strings.TrimSpace(v)
			if !ok || k == "" || v == "" {
				return nil, errors.New(lang.F("%s is not key = value", "%s 不是「键 = 值」的形式", e).In(l))
			}
			if err := check(k + "=" + v); err != nil {
				if !strings.Contains(err.Error(), k) { // which of them it is
					err = errors.New(lang.F("%s: %s", "%s：%s", k, err.Error()).In(l))
				}
				return nil, err
			}
			if _, twice := out[k]; twice {
				return nil, errors.New(lang.F("%s is there twice", "%s 出现了两次", k).In(l))
			}
			out[k] = v
		}
		if len(out) == 0 {
			return nil, nil
		}
		return out, nil
	}
	if err := check(s); err != nil {
		return nil, err
	}
	return s, nil
}

// parts splits at semicolons, the full-width one included.
func parts(s string) []string {
	var out []string
	for _, e := range strings.FieldsFunc(s, func(r rune) bool { return r == ';' || r == '；' }) {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}

// formKeys are huh's bindings without those that the wizard has of its own
// (next, previous, leave) or does not want (filters, which speak English).
func formKeys() *huh.KeyMap {
	none := key.NewBinding()
	k := huh.NewDefaultKeyMap()
	k.Quit = none
	k.Select.Filter, k.Select.SetFilter, k.Select.ClearFilter = none, none, none
	k.MultiSelect.Filter, k.MultiSelect.SetFilter, k.MultiSelect.ClearFilter = none, none, none
	k.Select.Next, k.Select.Prev, k.Select.Submit = none, none, none
	k.MultiSelect.Next, k.MultiSelect.Prev, k.MultiSelect.Submit = none, none, none
	k.Input.Next, k.Input.Prev, k.Input.Submit = none, none, none
	k.Confirm.Next, k.Confirm.Prev, k.Confirm.Submit = none, none, none
	k.Confirm.Accept, k.Confirm.Reject = none, none
	k.MultiSelect.Toggle.SetKeys(" ") // huh has an x as well, which stops things elsewhere
	return k
}
