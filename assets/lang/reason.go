package lang

import "errors"

// Reason is why something failed, in both languages, but not what: "it is no regular
// file". An Error quotes it. Told does not count it: whoever meets one has yet to say
// what could not be done. As a variable it is one that errors.Is finds.
type Reason struct {
	Text  Text
	Cause error // the reason's own reason, quoted behind it; nil when the text says it all
	is    error // what it is a case of
}

// Because makes a Reason from its own reason (which may be nil) and both languages.
func Because(cause error, en, zh string, args ...any) *Reason {
	return &Reason{Text: F(en, zh, args...), Cause: cause}
}

// Quote is another program's words, which stay in its language.
func Quote(s string) *Reason { return &Reason{Text: Same(s)} }

// With is r with a reason of its own: "it is no archive: unexpected EOF". errors.Is
// finds both.
func (r *Reason) With(cause error) *Reason {
	return &Reason{Text: r.Text, Cause: cause, is: r}
}

// Like makes r a case of target, which it does not quote, for errors.Is.
func (r *Reason) Like(target error) *Reason {
	r.is = target
	return r
}

func (r *Reason) Error() string { return Message(r, EN) }

// Is finds what r is a case of.
func (r *Reason) Is(target error) bool { return r.is != nil && errors.Is(r.is, target) }

// Unwrap gives the cause.
func (r *Reason) Unwrap() error { return r.Cause }

// Explainer is an error of a type of its own that is a reason in both languages, as a
// Reason is: Told does not count it.
type Explainer interface {
	error
	Reason() Text
}
