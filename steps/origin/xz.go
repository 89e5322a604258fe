package origin

import (
	"bufio"
	"errors"
	"io"

	"github.com/ulikunitz/xz/lzma"

	"goxin/assets/lang"
)

// xzMagic begins an xz stream (tukaani.org/xz/xz-file-format.txt, section 2.1.1.1).
const xzMagic = "\xfd7zXZ\x00"

// maxDict is how much memory a block may ask for, in bytes: xz -9 asks for 64 MiB.
const maxDict = 64 << 20

var errXZ = lang.Because(nil, "this is no xz file, or a damaged one", "不是 xz 文件，或已损坏")

// xzReader unpacks xz with bounded memory: a block says how large its dictionary is
// before it is given one. The checks of the format are passed over; what comes out is
// signed, or worth nothing.
type xzReader struct {
	r     *counter
	check int       // bytes behind each block
	block io.Reader // nil: between blocks
	from  int64     // where the block's data begins
	in    bool      // a stream
	any   bool      // stream was seen
}

func newXZ(r *bufio.Reader) io.Reader { return &xzReader{r: &counter{r: r}} }

// counter counts the bytes that were taken.
type counter struct {
	r *bufio.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (c *counter) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

func (x *xzReader) Read(p []byte) (int, error) {
	for {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
		}
		n, err := x.block.Read(p)
		switch {
		case errors.Is(err, io.EOF):
			x.block = nil
			if err := x.blockEnd(); err != nil {
				return n, err
			}
			if n > 0 {
				return n, nil
			}
		case n > 0 || err != nil:
			return n, err
		}
	}
}

// next goes to the next block, over the ends and beginnings of streams. io.EOF is the
// end of the file.
func (x *xzReader) next() error {
	for {
		if !x.in {
			if err := x.begin(); err != nil {
				return err
			}
		}
		size, err := x.r.ReadByte()
		if err != nil {
			return ended(err)
		}
		if size > 0 {
			return x.header(int(size))
		}
		if err := x.index(); err != nil {
			return err
		}
		x.in = false
	}
}

// begin reads a stream's header: magic, flags, CRC32. Between streams there may be
// zeros, in fours.
func (x *xzReader) begin() error {
	for x.any {
		four, err := x.r.r.Peek(4)
		if len(four) == 0 && errors.Is(err, io.EOF) {
			return io.EOF
		}
		if len(four) < 4 || string(four) != "\x00\x00\x00\x00" {
			break
		}
		if err := x.skip(4); err != nil {
			return err
		}
	}
	var h [12]byte
	if _, err := io.ReadFull(x.r, h[:]); err != nil {
		return ended(err)
	}
	if string(h[:6]) != xzMagic || h[6] != 0 || h[7] > 15 {
		return errXZ
	}
	x.check = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[h[7]] // section 2.1.1.2
	x.in, x.any = true, true
	return nil
}

// header reads a block's header, whose size in fours, less one, was read.
func (x *xzReader) header(size int) error {
	h := make([]byte, (size+1)*4-1)
	if _, err := io.ReadFull(x.r, h); err != nil {
		return ended(err)
	}
	flags, rest := h[0], h[1:len(h)-4]
	for _, bit := range []byte{0x40, 0x80} { // its sizes, which nobody needs here
		for flags&bit != 0 && len(rest) > 0 {
			more := rest[0]&0x80 != 0
			rest = rest[1:]
			if !more {
				break
			}
		}
	}
	if flags&3 != 0 || len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 || rest[2] > 40 {
		return errXZ.With(lang.Because(nil, "a filter other than LZMA2", "使用了 LZMA2 以外的过滤器"))
	}
	dict := int64(2|rest[2]&1) << (rest[2]/2 + 11)
	if dict > maxDict {
		return errXZ.With(lang.Because(nil, "it asks for a dictionary of %d bytes", "要求 %d 字节的字典", dict))
	}
	x.from = x.r.n
	block, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(x.r)
	if err == nil {
		x.block = block
	}
	return ended(err)
}

// blockEnd passes over the padding to fours and the check.
func (x *xzReader) blockEnd() error {
	return x.skip(int(-(x.r.n-x.from)&3) + x.check)
}

// index passes over the index, whose first byte was read, and the footer: the sizes of
// the blocks are not needed, but where it ends is (section 4).
func (x *xzReader) index() error {
	start := x.r.n - 1
	records, err := x.number()
	if err != nil {
		return err
	}
	for range records {
		for range 2 {
			if _, err := x.number(); err != nil {
				return err
			}
		}
	}
	return x.skip(int(-(x.r.n-start)&3) + 4 + 12)
}

// number reads an integer of up to nine bytes, seven bits each (section 1.2).
func (x *xzReader) number() (n uint64, err error) {
	for i := range 9 {
		b, err := x.r.ReadByte()
		if err != nil {
			return 0, ended(err)
		}
		if n |= uint64(b&0x7f) << (7 * i); b&0x80 == 0 {
			return n, nil
		}
	}
	return 0, errXZ
}

func (x *xzReader) skip(n int) error {
	k, err := x.r.r.Discard(n)
	x.r.n += int64(k)
	return ended(err)
}

// ended makes an end in the middle an error.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
