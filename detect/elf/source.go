package elf

import (
	"io"

	"goxin/assets/lang"
)

// Limits of one file: beyond them it is damaged or hostile. The largest honest
// ones seen have 14 program headers, 60 dynamic entries and 300 versions.
const (
	maxStream    = 64 << 20 // bytes buffered of a stream that cannot be read at an offset
	maxRead      = 8 << 20  // bytes of headers read in all
	maxHeaders   = 1024     // program headers
	maxDynamic   = 4096     // dynamic entries
	maxString    = 4096     // bytes of a name
	maxVersions  = 16384    // version needs, or definitions
	blockSize    = 4096
	minELF       = 52 // bytes of the smaller header
	scriptLength = 256
)

var (
	errShort  = lang.Because(nil, "the file ends before its headers do", "文件在头部结束之前就到了末尾")
	errBudget = lang.Because(nil, "the headers are larger than those of any real file", "头部大得不合常理")
)

// source reads an open file at offsets, block by block, within maxRead.
type source struct {
	at     io.ReaderAt
	blocks map[int64][]byte
	last   int64
	block  []byte
	spent  int
}

func newSource(r io.Reader) *source {
	at, ok := r.(io.ReaderAt)
	if !ok {
		at = &stream{r: r}
	}
	return &source{at: at, blocks: map[int64][]byte{}, last: -1}
}

// load gives the block that begins at base; shorter than blockSize only at the
// end of the file.
func (s *source) load(base int64) ([]byte, error) {
	if s.last == base {
		return s.block, nil
	}
	b, ok := s.blocks[base]
	if !ok {
		if s.spent += blockSize; s.spent > maxRead {
			return nil, errBudget
		}
		b = make([]byte, blockSize)
		n, err := s.at.ReadAt(b, base)
		if err != nil && err != io.EOF {
			return nil, err
		}
		b = b[:n]
		s.blocks[base] = b
	}
	s.last, s.block = base, b
	return b, nil
}

// bytes gives n bytes at off. What comes back is valid for good.
func (s *source) bytes(off uint64, n int) ([]byte, error) {
	if off > 1<<62 || n < 0 || n > maxRead {
		return nil, errShort
	}
	base := int64(off) &^ (blockSize - 1)
	b, err := s.load(base)
	if err != nil {
		return nil, err
	}
	from := int(int64(off) - base)
	if from+n <= len(b) {
		return b[from : from+n : from+n], nil
	}
	out := make([]byte, 0, n)
	for {
		if from >= len(b) {
			return nil, errShort
		}
		out = append(out, b[from:min(len(b), from+n-len(out))]...)
		if len(out) == n {
			return out, nil
		}
		if len(b) < blockSize {
			return nil, errShort
		}
		base, from = base+blockSize, 0
		if b, err = s.load(base); err != nil {
			return nil, err
		}
	}
}

// text gives the bytes from off to the next NUL, at most limit of them.
func (s *source) text(off uint64, limit int) (string, error) {
	var out []byte
	for limit > 0 {
		if off > 1<<62 {
			return "", errShort
		}
		base := int64(off) &^ (blockSize - 1)
		b, err := s.load(base)
		if err != nil {
			return "", err
		}
		from := int(int64(off) - base)
		if from >= len(b) {
			return "", errShort
		}
		part := b[from:min(len(b), from+limit)]
		for i, c := range part {
			if c == 0 {
				return string(append(out, part[:i]...)), nil
			}
		}
		out = append(out, part...)
		limit -= len(part)
		off += uint64(len(part))
	}
	return "", errBudget
}

// stream makes a reader one that reads at offsets, by keeping what has gone by.
type stream struct {
	r    io.Reader
	have []byte
	err  error
}

func (s *stream) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > maxStream-int64(len(p)) {
		return 0, errBudget
	}
	for want := int(off) + len(p); len(s.have) < want && s.err == nil; {
		chunk := make([]byte, max(want-len(s.have), 64<<10))
		n, err := io.ReadFull(s.r, chunk)
		s.have, s.err = append(s.have, chunk[:n]...), err
	}
	n := 0
	if off < int64(len(s.have)) {
		n = copy(p, s.have[off:])
	}
	if n < len(p) {
		if s.err == nil || s.err == io.ErrUnexpectedEOF { //nolint:errorlint // io.ReadFull's own
			return n, io.EOF
		}
		return n, s.err
	}
	return n, nil
}
