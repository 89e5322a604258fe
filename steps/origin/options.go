package origin

import (
	"context"
	"io"
	"time"

	"goxin/assets/lang"
	"goxin/steps/verify"
)

// Options are what may be asked, and of whom. The zero value asks nobody: what lies
// beside a tree is all there is then.
type Options struct {
	Sig  string   // detached signature of a file; empty: one that lies beside it
	Keys [][]byte // OpenPGP keys that may sign; none: Google's key for Go's releases

	// Lookup finds the proof of a toolchain, in a catalogue or online. It need not have
	// been checked. nil: nobody is asked.
	Lookup func(context.Context, verify.Toolchain) (*verify.Proof, error)
	// Module opens a toolchain's module zip, to name the files that differ. Its content
	// is not believed. nil: they may stay unnamed.
	Module func(context.Context, verify.Toolchain) (io.ReadCloser, error)
	// Digest is the SHA-256 in hexadecimal that a file of this name should have, and who
	// says so; "" where it is not known. May be nil.
	Digest func(base string) (sha256 string, from lang.Text)
	// Released is the day a version was released; zero where it is not known. May be nil.
	Released func(version string) time.Time

	// Records says that the records in goroot.Base are this machine's own, written by its
	// root: those of a tree that came from elsewhere are whoever's.
	Records bool

	Now    time.Time       // the machine's clock, by which signatures are judged
	Say    func(lang.Text) // what is being done; may be nil
	LogKey string          // verify.LogKey if empty; another one in tests
}

func (o *Options) say(en, zh string, args ...any) {
	if o.Say != nil {
		o.Say(lang.F(en, zh, args...))
	}
}

func (o *Options) logKey() string {
	if o.LogKey == "" {
		return verify.LogKey
	}
	return o.LogKey
}
