package peer

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// fault is an error on its way: layer by layer, so that at the other end errors.Is and
// errors.As find what they would have found here, and people read it in either language.
type fault struct {
	Kind    string    `json:"kind"`
	Name    raw       `json:"name,omitempty"` // of a file, a program, a sentinel, a number
	Op      string    `json:"op,omitempty"`
	Text    lang.Text `json:"text,omitzero"`
	Hint    lang.Text `json:"hint,omitzero"`
	Argv    []raw     `json:"argv,omitempty"`
	Code    int       `json:"code,omitempty"`
	Note    []byte    `json:"note,omitempty"`
	Timeout bool      `json:"timeout,omitempty"`
	Like    string    `json:"like,omitempty"` // the sentinel that errors.Is finds and nobody quotes
	Cause   *fault    `json:"cause,omitempty"`
	All     []*fault  `json:"all,omitempty"`
}

const (
	faultPath     = "path"
	faultExec     = "exec"
	faultErrno    = "errno"
	faultSentinel = "sentinel"
	faultExit     = "exit"
	faultLocked   = "locked"
	faultError    = "error"
	faultReason   = "reason"
	faultJoin     = "join"
	faultOther    = "other"

	mostLayers = 32
)

// sentinels are the errors that are known by identity.
func sentinels() map[string]error {
	return map[string]error{
		"not exist": fs.ErrNotExist, "exist": fs.ErrExist, "permission": fs.ErrPermission, "closed": fs.ErrClosed, "invalid": fs.ErrInvalid,
		"not running": machine.ErrNotRunning, "no program": exec.ErrNotFound,
		"canceled": context.Canceled, "deadline": context.DeadlineExceeded, "io deadline": os.ErrDeadlineExceeded,
		"eof": io.EOF, "unexpected eof": io.ErrUnexpectedEOF, "short write": io.ErrShortWrite, "net closed": net.ErrClosed,
	}
}

// faultOf takes an error apart; nil for none.
func faultOf(err error) *fault { return layer(err, 0) }

func layer(err error, depth int) *fault {
	if err == nil {
		return nil
	}
	if depth > mostLayers {
		return &fault{Kind: faultOther, Text: textOf(err)}
	}
	under := func(e error) *fault { return layer(e, depth+1) }
	for name, s := range sentinels() {
		if err == s { //nolint:errorlint // this very layer
			return &fault{Kind: faultSentinel, Name: raw(name)}
		}
	}
	switch e := err.(type) { //nolint:errorlint // layer by layer
	case syscall.Errno:
		if name := unix.ErrnoName(e); name != "" { // the numbers are an architecture's own
			return &fault{Kind: faultErrno, Name: raw(name)}
		}
	case *fs.PathError:
		return &fault{Kind: faultPath, Op: e.Op, Name: raw(e.Path), Cause: under(e.Err)}
	case *exec.Error:
		return &fault{Kind: faultExec, Name: raw(e.Name), Cause: under(e.Err)}
	case *machine.ExitError:
		return &fault{Kind: faultExit, Argv: raws(e.Argv), Code: e.Code, Text: lang.Same(e.Stderr)}
	case *machine.LockedError:
		return &fault{Kind: faultLocked, Note: e.Note}
	case *lang.Error:
		return &fault{Kind: faultError, Text: e.Text, Hint: e.Hint, Cause: under(e.Cause)}
	case *lang.Reason:
		f := &fault{Kind: faultReason, Text: e.Text, Cause: under(e.Cause)}
		for name, s := range sentinels() {
			if e.Is(s) {
				f.Like = name
			}
		}
		return f
	case interface{ Unwrap() []error }:
		f := &fault{Kind: faultJoin}
		for _, one := range e.Unwrap() {
			f.All = append(f.All, under(one))
		}
		return f
	}
	var slow interface{ Timeout() bool }
	return &fault{Kind: faultOther, Text: textOf(err), Timeout: errors.As(err, &slow) && slow.Timeout(), Cause: under(errors.Unwrap(err))}
}

func textOf(err error) lang.Text {
	const most = 64 << 10 // a frame takes more
	return lang.T(cut(lang.Message(err, lang.EN), most), cut(lang.Message(err, lang.ZH), most))
}

func cut(s string, most int) string {
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}

// err puts it together again.
func (f *fault) err() error {
	if f == nil {
		return nil
	}
	cause := f.Cause.err()
	switch f.Kind {
	case faultSentinel:
		if s, ok := sentinels()[string(f.Name)]; ok {
			return s
		}
	case faultErrno:
		for n := syscall.Errno(1); n < 2000; n++ { // MIPS goes to 1133
			if unix.ErrnoName(n) == string(f.Name) {
				return n
			}
		}
	case faultPath:
		return &fs.PathError{Op: f.Op, Path: string(f.Name), Err: some(cause)}
	case faultExec:
		return &exec.Error{Name: string(f.Name), Err: some(cause)}
	case faultExit:
		return &machine.ExitError{Argv: unraw(f.Argv), Code: f.Code, Stderr: f.Text.EN}
	case faultLocked:
		return &machine.LockedError{Note: f.Note}
	case faultError:
		return &lang.Error{Text: f.Text, Hint: f.Hint, Cause: cause}
	case faultReason:
		r := &lang.Reason{Text: f.Text, Cause: cause}
		if s, ok := sentinels()[f.Like]; ok {
			return r.Like(s)
		}
		return r
	case faultJoin:
		var all []error
		for _, one := range f.All {
			all = append(all, one.err())
		}
		return some(errors.Join(all...))
	}
	t := f.Text
	if t.Empty() {
		t = lang.Same(string(f.Name))
	}
	return &told{text: t, timeout: f.Timeout, cause: cause}
}

// some stands in for an error that a hostile agent left out.
func some(err error) error {
	if err == nil {
		return fs.ErrInvalid
	}
	return err
}

// told is an error of a type that stays at the other end.
type told struct {
	text    lang.Text
	timeout bool
	cause   error
}

func (t *told) Error() string     { return t.text.EN }
func (t *told) Reason() lang.Text { return t.text }
func (t *told) Timeout() bool     { return t.timeout }
func (t *told) Temporary() bool   { return t.timeout }
func (t *told) Unwrap() error     { return t.cause }
