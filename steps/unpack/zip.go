package unpack

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"

	"goxin/assets/lang"
)

// Records of a zip (PKWARE's APPNOTE.TXT, 4.3), little-endian, and their lengths with
// the four bytes of the signature.
const (
	localSig, localLen           = 0x04034b50, 30
	descriptorSig, descriptorLen = 0x08074b50, 16
	centralSig, centralLen       = 0x02014b50, 46
	endSig, endLen               = 0x06054b50, 22
)

// Flags of a file: a descriptor with its sizes follows it, its name is in UTF-8, and
// two that say how hard it was pressed.
const (
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	flagsPressed   = 1<<1 | 1<<2
)

const (
	methodStore   = 0
	methodDeflate = 8
)

// zipStream reads a zip from its first byte to its last, as other programs do not:
// they read the directory at the end first. So that both see the same files, that
// directory has to tell what was there, in the same order, and nothing else.
//
// Sizes from 4 GiB and more than 65535 files (zip64) are not for it.
type zipStream struct {
	*tree
	in      *ahead
	r       *bufio.Reader
	inflate io.ReadCloser
	files   []zipFile
}

// zipFile is what a file's local header and descriptor tell.
type zipFile struct {
	name          string
	at            int64 // of the local header
	flags, method uint16
	crc           uint32
	packed, size  int64
}

func (t *tree) zip(in *ahead) error {
	z := &zipStream{tree: t, in: in, r: bufio.NewReaderSize(in, aheadBytes)}
	for {
		at := z.offset()
		h, err := z.record("")
		if err != nil {
			return err
		}
		switch h.sig() {
		case localSig:
			if err = z.local(at, h); err != nil {
				return err
			}
		case centralSig, endSig:
			return z.central(at, h)
		default:
			return refuse("", strange(h.sig()))
		}
	}
}

// offset is how far the archive was read.
func (z *zipStream) offset() int64 { return z.in.n - int64(z.r.Buffered()) }

// record reads a record's fixed part.
func (z *zipStream) record(name string) (record, error) {
	sig, err := z.r.Peek(4)
	if err != nil {
		return nil, damaged(name, err)
	}
	n := 4
	switch record(sig).sig() {
	case localSig:
		n = localLen
	case descriptorSig:
		n = descriptorLen
	case centralSig:
		n = centralLen
	case endSig:
		n = endLen
	}
	h := make(record, n)
	if _, err := io.ReadFull(z.r, h); err != nil {
		return nil, damaged(name, err)
	}
	return h, nil
}

// text reads n bytes.
func (z *zipStream) text(n int) (string, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(z.r, b)
	return string(b), damaged("", err)
}

// local reads a file.
func (z *zipStream) local(at int64, h record) error {
	f := zipFile{at: at, flags: h.u16(6), method: h.u16(8), crc: h.u32(14), packed: int64(h.u32(18)), size: int64(h.u32(22))}
	var err error
	if f.name, err = z.text(int(h.u16(26))); err != nil {
		return err
	}
	if _, err = z.text(int(h.u16(28))); err != nil { // times, owners
		return err
	}
	if err := z.count(f.name); err != nil {
		return err
	}
	told := f.flags&flagDescriptor == 0
	switch {
	case f.method != methodStore && f.method != methodDeflate, f.flags&^(flagDescriptor|flagUTF8|flagsPressed) != 0:
		return refuse(f.name, whyMethod)
	case f.method == methodStore && !told:
		return refuse(f.name, whyNoSize)
	case f.method == methodStore && f.packed != f.size:
		return refuse(f.name, whyWrongSum)
	case told && f.size > z.File:
		return refuse(f.name, whyLargeFile)
	}
	if strings.HasSuffix(f.name, "/") {
		if f.method != methodStore || f.size != 0 || f.crc != 0 {
			return refuse(f.name, whyKind)
		}
		z.files = append(z.files, f)
		return z.dir(f.name)
	}
	skip, err := z.file(f.name, 0, 0)
	if err != nil {
		return err
	}
	got, err := z.body(f, skip)
	if err != nil {
		return damaged(f.name, err)
	}
	if told {
		if got != f {
			return refuse(f.name, whyWrongSum)
		}
	} else if err := z.descriptor(got); err != nil {
		return err
	}
	z.files = append(z.files, got)
	if skip {
		return nil
	}
	return z.out.end()
}

// body reads a file's bytes and gives f with the sizes and the checksum they have.
func (z *zipStream) body(f zipFile, skip bool) (zipFile, error) {
	from, start := io.Reader(nil), z.offset()
	if f.method == methodStore {
		from = io.LimitReader(z.r, f.size)
	} else {
		if z.inflate == nil {
			z.inflate = flate.NewReader(z.r)
		} else if err := z.inflate.(flate.Resetter).Reset(z.r, nil); err != nil {
			return f, err
		}
		from = z.inflate
	}
	f.crc, f.size = 0, 0
	for {
		b, err := z.out.from(from, skip)
		if e := z.grow(f.name, int64(len(b)), f.size); e != nil {
			return f, e
		}
		f.crc = crc32.Update(f.crc, crc32.IEEETable, b)
		f.size += int64(len(b))
		if err == io.EOF { //nolint:errorlint // readers answer it as it is
			f.packed = z.offset() - start
			return f, nil
		}
		if err != nil {
			return f, err
		}
	}
}

// descriptor reads what follows a file whose sizes its header could not tell.
func (z *zipStream) descriptor(f zipFile) error {
	d, err := z.record(f.name)
	switch {
	case err != nil:
		return err
	case d.sig() != descriptorSig:
		return refuse(f.name, strange(d.sig()))
	case d.u32(4) != f.crc, int64(d.u32(8)) != f.packed, int64(d.u32(12)) != f.size:
		return refuse(f.name, whyWrongSum)
	}
	return nil
}

// central reads the directory, of which h is the first record, and the end.
func (z *zipStream) central(start int64, h record) error {
	var err error
	for _, f := range z.files {
		if h.sig() != centralSig {
			return refuse(f.name, whyContradicts)
		}
		if err = z.entry(f, h); err != nil {
			return err
		}
		if h, err = z.record(""); err != nil {
			return err
		}
	}
	size := z.offset() - start - endLen
	n := uint16(len(z.files))
	switch {
	case h.sig() == centralSig:
		return refuse("", whyContradicts)
	case h.sig() != endSig:
		return refuse("", strange(h.sig()))
	case h.u16(4) != 0, h.u16(6) != 0, h.u16(8) != n, h.u16(10) != n, int64(h.u32(12)) != size, int64(h.u32(16)) != start:
		return refuse("", whyContradicts)
	}
	if _, err := z.r.Peek(1); !errors.Is(err, io.EOF) {
		if err != nil {
			return damaged("", err)
		}
		return refuse("", whyTrailing) // a comment, too
	}
	if h.u16(20) != 0 {
		return refuse("", whyTruncated)
	}
	return nil
}

// entry compares a record of the directory with the file that was there. Only here a
// zip tells that something is a link.
func (z *zipStream) entry(f zipFile, h record) error {
	name, err := z.text(int(h.u16(28)))
	if err != nil {
		return err
	}
	if _, err := z.text(int(h.u16(30)) + int(h.u16(32))); err != nil {
		return err
	}
	got := zipFile{
		name: name, at: int64(h.u32(42)), flags: h.u16(8), method: h.u16(10),
		crc: h.u32(16), packed: int64(h.u32(20)), size: int64(h.u32(24)),
	}
	if got != f || h.u16(34) != 0 {
		return refuse(f.name, whyContradicts)
	}
	const unix, darwin = 3, 19
	if by := h.u16(4) >> 8; by != unix && by != darwin {
		return nil
	}
	const (
		format, dir, regular = 0o170000, 0o040000, 0o100000
		link                 = 0o120000
	)
	switch kind := h.u32(38) >> 16 & format; {
	case kind == link:
		return refuse(f.name, whyLink)
	case kind == 0, kind == regular && !strings.HasSuffix(name, "/"), kind == dir && strings.HasSuffix(name, "/"):
		return nil
	}
	return refuse(f.name, whyDevice)
}

func strange(sig uint32) lang.Text {
	return lang.F("the archive is damaged: %s", "归档已损坏：%s", fmt.Sprintf("%08x", sig))
}

// record is a record's bytes, of which at least four are there, and all where the
// signature is known.
type record []byte

func (r record) sig() uint32       { return r.u32(0) }
func (r record) u16(at int) uint16 { return binary.LittleEndian.Uint16(r[at:]) }
func (r record) u32(at int) uint32 { return binary.LittleEndian.Uint32(r[at:]) }
