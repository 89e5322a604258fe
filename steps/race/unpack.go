package race

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz/lzma"
)

// Package lists shrink to a tenth; a hundredth, beyond the first MiB, is a bomb.
const (
	bombRatio  = 100
	bombFloor  = 1 << 20
	maxUnpack  = 24 << 20
	maxDict    = 64 << 20 // xz -9
	maxXZBlock = 1024     // bytes of a block's header
)

var errBomb = errors.New("unpacks to far too much")

// unpack reads a compressed list's beginning by its magic number: gzip, zstd, xz, or
// plain. What it gives ends with errBomb where it grows too much. Close it.
func unpack(r io.Reader) (io.ReadCloser, error) {
	in := &tally{from: r}
	b := bufio.NewReader(in)
	magic, err := b.Peek(6)
	if err != nil && len(magic) == 0 {
		return nil, err
	}
	var out io.Reader
	done := func() {}
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		out, err = gzip.NewReader(b)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		var z *zstd.Decoder
		z, err = zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxDict), zstd.WithDecoderLowmem(true))
		if err == nil {
			out, done = z, z.Close
		}
	case bytes.HasPrefix(magic, []byte("\xfd7zXZ\x00")):
		out, err = firstBlock(b)
	default:
		return io.NopCloser(io.LimitReader(b, maxUnpack)), nil
	}
	if err != nil {
		return nil, err
	}
	return &unpacked{from: out, in: in, done: done}, nil
}

// tally counts what is read through it.
type tally struct {
	from io.Reader
	n    int64
}

func (t *tally) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.n += int64(n)
	return n, err
}

type unpacked struct {
	from io.Reader
	in   *tally
	out  int64
	done func()
}

func (u *unpacked) Read(p []byte) (int, error) {
	if u.out > bombFloor && u.out > bombRatio*u.in.n || u.out > maxUnpack {
		return 0, errBomb
	}
	n, err := u.from.Read(p[:min(len(p), 64<<10)])
	u.out += int64(n)
	return n, err
}

func (u *unpacked) Close() error {
	u.done()
	return nil
}

// firstBlock reads the first block of an xz stream (tukaani.org/xz/xz-file-format.txt
// §2.1.1, §3.1), whose header says how much memory it wants before it is given any.
func firstBlock(r *bufio.Reader) (io.Reader, error) {
	if _, err := r.Discard(12); err != nil {
		return nil, err
	}
	first, err := r.Peek(1)
	if err != nil {
		return nil, err
	}
	h := make([]byte, (int(first[0])+1)*4)
	if first[0] == 0 || len(h) > maxXZBlock {
		return nil, errors.New("an xz stream without a block")
	}
	if _, err := io.ReadFull(r, h); err != nil {
		return nil, err
	}
	flags, rest := h[1], h[2:]
	for _, bit := range []byte{0x40, 0x80} { // the sizes, which nobody needs here
		for flags&bit != 0 && len(rest) > 0 {
			more := rest[0]&0x80 != 0
			rest = rest[1:]
			if !more {
				break
			}
		}
	}
	if flags&3 != 0 || len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 || rest[2] > 40 {
		return nil, errors.New("an xz block with filters other than LZMA2")
	}
	dict := int64(2|rest[2]&1) << (rest[2]/2 + 11)
	if dict > maxDict {
		return nil, fmt.Errorf("%w: an xz dictionary of %d bytes", errBomb, dict)
	}
	return lzma.Reader2Config{DictCap: int(dict)}.NewReader2(r)
}
