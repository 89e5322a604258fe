package unpack

import (
	"archive/tar"
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// maxPadding is how many zeros may follow a tar's end: GNU tar fills up to a record,
// of 10 KiB unless asked otherwise.
const maxPadding = 1 << 20

// tarGz reads a tar in one gzip stream (RFC 1952 allows several; no release has them).
func (t *tree) tarGz(in *ahead) error {
	r := bufio.NewReaderSize(in, aheadBytes)
	z, err := gzip.NewReader(r)
	if err != nil {
		return damaged("", err)
	}
	defer z.Close()
	z.Multistream(false)
	plain := readAhead(z)
	defer plain.close()
	if err := t.tar(&zeros{from: plain, left: t.Total}); err != nil {
		return err
	}
	if _, err := r.Peek(1); !errors.Is(err, io.EOF) {
		if err != nil {
			return damaged("", err)
		}
		return refuse("", whyTrailing)
	}
	return nil
}

func (t *tree) tar(in *zeros) error {
	r := tar.NewReader(in)
	name := ""
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tarEnd(in)
		}
		if err != nil {
			return damaged(name, err)
		}
		name = h.Name
		if err := t.tarEntry(r, h); err != nil {
			return damaged(name, err)
		}
	}
}

func (t *tree) tarEntry(r *tar.Reader, h *tar.Header) error {
	if err := t.count(h.Name); err != nil {
		return err
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return refuse(h.Name, whySparse)
		}
	}
	switch h.Typeflag {
	case tar.TypeXGlobalHeader: // a comment of git's; archive/tar applies nothing of it
		return nil
	case tar.TypeDir:
		return t.dir(h.Name)
	case tar.TypeReg:
	case tar.TypeSymlink:
		return refuse(h.Name, whyLink)
	case tar.TypeLink:
		return refuse(h.Name, whyHardLink)
	case tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return refuse(h.Name, whyDevice)
	case tar.TypeGNUSparse:
		return refuse(h.Name, whySparse)
	default:
		return refuse(h.Name, whyKind)
	}
	skip, err := t.file(h.Name, h.Size, h.FileInfo().Mode())
	if skip || err != nil {
		return err // tar.Reader reads past it
	}
	for {
		if _, err := t.out.from(r, false); errors.Is(err, io.EOF) {
			return t.out.end()
		} else if err != nil {
			return err
		}
	}
}

// tarEnd demands the two blocks of zeros that a tar ends with, and nothing but zeros
// behind them; archive/tar asks for neither.
func tarEnd(in *zeros) error {
	before, n := in.run, int64(0)
	buf := make([]byte, 4096)
	for {
		k, err := in.Read(buf)
		n += int64(k)
		switch {
		case in.run != before+n, n > maxPadding:
			return refuse("", whyTrailing)
		case errors.Is(err, io.EOF) && in.run < 1024:
			return refuse("", whyTruncated)
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return damaged("", err)
		}
	}
}

// zeros counts how many zeros came last, and bounds what comes at all.
type zeros struct {
	from io.Reader
	run  int64
	left int64
}

func (z *zeros) Read(p []byte) (int, error) {
	n, err := z.from.Read(p)
	last := n
	for last > 0 && p[last-1] == 0 {
		last--
	}
	if last > 0 {
		z.run = 0
	}
	z.run += int64(n - last)
	if z.left -= int64(n); z.left < 0 {
		return n, refuse("", whyLargeWhole)
	}
	return n, err
}
