package unpack

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"goxin/detect/machine"
	"goxin/steps/verify"
)

// Result is what an archive held.
type Result struct {
	Manifest verify.Manifest   // sorted; what was skipped is not in it
	SHA256   [sha256.Size]byte // of the archive
	Bytes    int64             // of the archive
}

// Into unpacks r into st and neither commits nor discards that. It returns when r is
// read to its end, or not read any more; a Read of r must return when ctx ends.
//
// An archive that is refused is an *UnsafeError. Errors of r, of st and of ctx are
// returned as they are.
func Into(ctx context.Context, r io.Reader, st machine.Stage, o Options) (*Result, error) {
	return unpack(ctx, r, st, o)
}

// Read is Into without writing: it judges and hashes.
func Read(ctx context.Context, r io.Reader, o Options) (*Result, error) {
	return unpack(ctx, r, nil, o)
}

func unpack(ctx context.Context, r io.Reader, st machine.Stage, o Options) (*Result, error) {
	parse := map[string]func(*tree, *ahead) error{TarGz: (*tree).tarGz, Zip: (*tree).zip}[o.Format]
	if parse == nil {
		return nil, fmt.Errorf("unpack: no such format: %q", o.Format)
	}
	src := &source{ctx: ctx, from: r, sum: sha256.New(), left: o.Total}
	in := readAhead(src)
	out := newSink(st)
	t := newTree(o, out)
	err := parse(t, in)
	in.close()
	written := out.close(err == nil)
	var failed *sourceError
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.As(err, &failed):
		return nil, failed.error
	case written != nil && (err == nil || errors.Is(err, errStopped)):
		return nil, written
	case err != nil:
		return nil, err
	case len(out.files) == 0:
		return nil, refuse("", whyNoFiles)
	}
	res := &Result{Manifest: verify.Manifest{Files: out.files}, Bytes: src.n}
	src.sum.Sum(res.SHA256[:0])
	res.Manifest.Sort()
	return res, nil
}

// source is the archive's bytes.
type source struct {
	ctx  context.Context
	from io.Reader
	sum  hash.Hash
	n    int64
	left int64
}

// sourceError is the reader's own error: that the network broke off says nothing about
// the archive.
type sourceError struct{ error }

func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, &sourceError{err}
	}
	n, err := s.from.Read(p)
	s.sum.Write(p[:n])
	s.n += int64(n)
	if s.left -= int64(n); s.left < 0 {
		return n, refuse("", whyLargeWhole)
	}
	if err != nil && err != io.EOF { // a wrapped EOF is no end, says io.Reader
		err = &sourceError{err}
	}
	return n, err
}
