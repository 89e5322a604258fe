package op

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"

	"goxin/detect/machine"
)

// keptDir has what ops put back that is too big, or too secret, for a journal: it stays
// on its own machine, and goes once it is put back and nothing else needs it.
const keptDir = "/var/lib/goxin/kept"

// makeKept makes keptDir. Nobody but root looks into it.
func makeKept(m machine.Machine) error {
	for _, d := range []string{path.Dir(keptDir), keptDir} {
		if _, err := m.Stat(d); err == nil {
			continue
		}
		err := m.Mkdir(d, 0o700, machine.RootOwner)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// dropKept removes one thing that was kept, and the directory after the last of them.
func dropKept(m machine.Machine, name string) error {
	if err := m.Clean(name); err != nil {
		return err
	}
	if err := m.RemoveAll(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	names, err := m.ReadDir(keptDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(names) == 0 {
		err = m.Remove(keptDir)
	}
	return err
}

// put streams a file of one machine into a stage of another and gives the SHA-256 of
// what it was, in hexadecimal.
func put(ctx context.Context, from machine.Machine, source string, to machine.Stage, name string, mode fs.FileMode) (sum string, err error) {
	in, err := from.Open(source)
	if err != nil {
		return "", err
	}
	defer in.Close()
	out, err := to.Create(name, mode)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.CopyBuffer(onlyWriter{out}, io.TeeReader(cut{ctx, in}, h), make([]byte, 1<<20))
	if failed := out.Close(); err == nil {
		err = failed
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// onlyWriter hides that a file could be read from by itself, in pieces of its own size.
type onlyWriter struct{ io.Writer }

// cut is a reader that ends with ctx.
type cut struct {
	ctx context.Context
	io.Reader
}

func (c cut) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.Reader.Read(p)
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// fileDigest is the SHA-256 of a file in hexadecimal: the machine's own sha256sum
// says it, so that the content of a file on another machine need not come here.
func fileDigest(ctx context.Context, m machine.Machine, name string) (string, error) {
	var said []byte
	err := m.Run(ctx, machine.Command{Argv: []string{"sha256sum", "--", name}}, func(line string) {
		word, _, _ := bytes.Cut([]byte(line), []byte(" "))
		said = bytes.TrimPrefix(word, []byte(`\`)) // before a name with a line end
	})
	if err == nil && len(said) == 2*sha256.Size {
		return string(said), nil
	}
	if err != nil && !machine.MissingProgram(err) && !errors.Is(err, machine.ErrNotRunning) {
		return "", err
	}
	in, err := m.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	_, err = io.Copy(h, cut{ctx, in})
	return hex.EncodeToString(h.Sum(nil)), err
}
