// Package lang holds every text a person sees in its two languages, side by
// side, so that neither can be forgotten: a Text is Chinese and English or it
// is not a Text. It picks no language (cmd/goxin does) and prints nothing.
package lang

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Lang is a language goxin speaks.
type Lang string

// The languages there are.
const (
	EN Lang = "en"
	ZH Lang = "zh"
)

// Text is one thing said in both languages.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// T pairs a text's two languages.
func T(en, zh string) Text { return Text{EN: en, ZH: zh} }

// F formats both languages with the same arguments; an argument that is itself
// a Text, or an error that carries one, is rendered in the language at hand.
// When the languages want the arguments in another order, use %[2]s.
func F(en, zh string, args ...any) Text {
	return Text{
		EN: fmt.Sprintf(en, localise(EN, args)...),
		ZH: fmt.Sprintf(zh, localise(ZH, args)...),
	}
}

// Same is a text that reads alike in both languages: a path, a key, a quoted
// line of a program's output.
func Same(s string) Text { return Text{EN: s, ZH: s} }

// List is names one after another, as each language writes it.
func List(names ...string) Text {
	return Text{EN: strings.Join(names, ", "), ZH: strings.Join(names, "、")}
}

// In is the text in language l; English where l is neither.
func (t Text) In(l Lang) string {
	if l == ZH {
		return t.ZH
	}
	return t.EN
}

// Empty reports whether nothing is said.
func (t Text) Empty() bool { return t.EN == "" && t.ZH == "" }

func localise(l Lang, args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case Text:
			out[i] = v.In(l)
		case error:
			out[i] = Message(v, l)
		default:
			out[i] = a
		}
	}
	return out
}

// Error is a failure as a person reads it: "cannot <verb> <object>", its cause
// quoted, and what to do next. Error() is the English message without the hint.
type Error struct {
	Text  Text  // "cannot write /etc/fstab", "无法写入 /etc/fstab"
	Cause error // nil when the text says it all
	Hint  Text  // what the person does next; may be empty
}

// Errorf makes an Error from a cause (which may be nil) and both languages.
func Errorf(cause error, en, zh string, args ...any) *Error {
	return &Error{Text: F(en, zh, args...), Cause: cause}
}

// WithHint adds the next thing to do and returns e.
func (e *Error) WithHint(en, zh string, args ...any) *Error {
	e.Hint = F(en, zh, args...)
	return e
}

func (e *Error) Error() string { return Message(e, EN) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Teller is an error of a type of its own that has its text in both languages.
type Teller interface {
	error
	Text() Text
}

// Told reports whether err has a text for people anywhere on its chain.
func Told(err error) bool {
	var e *Error
	var t Teller
	return errors.As(err, &e) || errors.As(err, &t)
}

// Message renders err in l without its hint; of joined errors, all of them.
// Errors that carry no Text are quoted as they are: they are another program's
// words, but for those that every Go program has from the system and from Go's own
// packages, which are known in both languages.
func Message(err error, l Lang) string { return message(err, "", l) }

// message is Message below what has been said. What a plain error puts before an Error
// or a Teller is left out, since those say it all; before a Reason it is kept.
func message(err error, said string, l Lang) string {
	if err == nil {
		return ""
	}
	for e, outermost := err, true; e != nil; e, outermost = errors.Unwrap(e), false {
		switch v := e.(type) { //nolint:errorlint // each layer in turn
		case *Error:
			return v.Text.with(v.Cause, l)
		case Teller:
			return v.Text().In(l)
		case *Reason:
			if outermost {
				return v.Text.with(v.Cause, l)
			}
			return foreign(err, said, l)
		case Explainer:
			if outermost {
				return v.Reason().In(l)
			}
			return foreign(err, said, l)
		case interface{ As(any) bool }: // it gives itself as an Error
			var as *Error
			if v.As(&as) {
				return as.Text.with(as.Cause, l)
			}
		case interface{ Unwrap() []error }:
			var all []string
			for _, one := range v.Unwrap() {
				if s := message(one, said, l); s != "" && !slices.Contains(all, s) {
					all = append(all, s)
				}
			}
			return strings.Join(all, "\n")
		}
	}
	return foreign(err, said, l)
}

// with is t, and its cause behind it.
func (t Text) with(cause error, l Lang) string {
	s := t.In(l)
	if cause == nil {
		return s
	}
	sep := ": "
	if l == ZH {
		sep = "："
	}
	return s + sep + message(cause, s, l)
}

// Hint is the first hint on err's chain, in l; empty when there is none.
func Hint(err error, l Lang) string {
	var hinting interface{ Hint() Text }
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			break
		}
		if !e.Hint.Empty() {
			return e.Hint.In(l)
		}
		err = e.Cause
	}
	if errors.As(err, &hinting) {
		return hinting.Hint().In(l)
	}
	return ""
}
