package verify

import (
	"errors"
	"time"

	"goxin/assets/lang"
)

// Evidence is one thing that speaks for what a file or tree is, or one signature that
// does not.
type Evidence struct {
	Kind    Kind      `json:"kind"`
	Verdict Verdict   `json:"verdict"`
	Key     string    `json:"key,omitempty"`     // the primary key's fingerprint, of an unknown key the issuer's fingerprint or id; of a log its name and key hash
	Signed  time.Time `json:"signed,omitzero"`   // when, as a signature says
	Weak    bool      `json:"weak,omitempty"`    // made with SHA-1
	Note    lang.Text `json:"note,omitzero"`     // what a person should know; often empty
	RestsOn lang.Text `json:"rests_on,omitzero"` // whom one believes when one believes it
}

// Kind is what an Evidence is.
type Kind string

// The kinds of evidence.
const (
	Clearsigned Kind = "clearsigned" // an OpenPGP signature around a text
	Detached    Kind = "detached"    // an OpenPGP signature beside a file
	RPMHeader   Kind = "rpm-header"  // an OpenPGP signature in a package's header
	Log         Kind = "log"         // a record of Go's transparency log
	Digest      Kind = "digest"      // a SHA-256 that is known beforehand
)

// Verdict is how a signature was found.
type Verdict string

// The verdicts.
const (
	Good    Verdict = "good"
	Bad     Verdict = "bad"
	Unknown Verdict = "unknown key"
)

// ErrNoSignature says that there is no signature of the kind that was looked for.
var ErrNoSignature error = noSignature{}

type noSignature struct{}

func (n noSignature) Text() lang.Text { return lang.T("there is no signature", "没有签名") }
func (n noSignature) Error() string   { return n.Text().EN }

// UnknownKeyError says that only keys signed that are not in the keyring.
type UnknownKeyError struct{ Key string } // fingerprint, or id of 16 digits

// Text is the error for people.
func (e *UnknownKeyError) Text() lang.Text {
	return lang.F("signed by an unknown key, %s", "由未知密钥 %s 签名", e.Key)
}

func (e *UnknownKeyError) Error() string { return e.Text().EN }

// BadSignatureError says that a known key's signature does not hold.
type BadSignatureError struct {
	Key string
	Why lang.Text
}

// Text is the error for people.
func (e *BadSignatureError) Text() lang.Text {
	return lang.F("the signature is bad: %s", "签名无效：%s", e.Why)
}

func (e *BadSignatureError) Error() string { return e.Text().EN }

// FutureError says that a good signature was made after the time it was judged at.
type FutureError struct {
	Key    string
	Signed time.Time
}

// Text is the error for people.
func (e *FutureError) Text() lang.Text {
	return lang.F("signed in the future, on %s: a clock is wrong", "签名时间 %s 在未来：时钟有误", e.Signed.UTC().Format(time.DateOnly))
}

func (e *FutureError) Error() string { return e.Text().EN }

// MalformedError says that something is not what it should be at all: no
// clearsigned text, no RPM package, more than the limits allow.
type MalformedError struct{ What lang.Text }

// Text is the error for people.
func (e *MalformedError) Text() lang.Text {
	return lang.F("malformed: %s", "格式错误：%s", e.What)
}

func (e *MalformedError) Error() string { return e.Text().EN }

func malformed(en, zh string, args ...any) error {
	return &MalformedError{lang.F(en, zh, args...)}
}

func armour(err error) error {
	return malformed("the signature's armour: %s", "签名的 ASCII 封装：%s", err)
}

// sum turns the evidence on all signatures into one answer: good if any is, else
// the first of a known key that is not, else that the key is unknown.
func sum(all []Evidence, failed []error) error {
	var unknown, other error
	for i, e := range all {
		var u *UnknownKeyError
		switch {
		case e.Verdict == Good:
			return nil
		case errors.As(failed[i], &u):
			unknown = failed[i]
		case other == nil:
			other = failed[i]
		}
	}
	switch {
	case other != nil:
		return other
	case unknown != nil:
		return unknown
	}
	return ErrNoSignature
}
