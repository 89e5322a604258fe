package elf

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"

	"goxin/assets/lang"
	"goxin/detect/machine"
)

// Tags and types of elf.h.
const (
	typeExec, typeDyn = 2, 3

	ptLoad, ptDynamic, ptInterp = 1, 2, 3

	dtNull, dtNeeded, dtStrTab, dtStrSz, dtSoname, dtRPath = 0, 1, 5, 10, 14, 15
	dtRunPath, dtFlags1                                    = 29, 0x6ffffffb
	dtVerDef, dtVerDefNum, dtVerNeed, dtVerNeedNum         = 0x6ffffffc, 0x6ffffffd, 0x6ffffffe, 0x6fffffff

	df1NoDefLib, df1PIE = 0x800, 0x08000000
)

// ErrDamaged is an ELF file whose headers contradict themselves or end early.
var ErrDamaged = lang.Because(nil, "damaged ELF file", "ELF 文件已损坏")

// Read tells what the file name is. A file that is not ELF is no error, its Kind
// says so; one that is and cannot be understood is ErrDamaged.
func Read(m machine.Machine, name string) (*Object, error) {
	f, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f)
}

func read(r io.Reader) (*Object, error) {
	s := newSource(r)
	head, err := s.load(0)
	if err != nil {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte("#!")):
		return script(head), nil
	case !bytes.HasPrefix(head, []byte("\x7fELF")):
		return &Object{Kind: NotELF}, nil
	}
	f := &file{source: s}
	if err := f.read(head); err != nil {
		return nil, ErrDamaged.With(err)
	}
	return &f.o, nil
}

// script reads the interpreter off "#! /bin/sh -e", execve(2).
func script(head []byte) *Object {
	line, _, _ := bytes.Cut(head[2:min(len(head), scriptLength)], []byte("\n"))
	o := &Object{Kind: Script}
	if words := bytes.Fields(line); len(words) > 0 && bytes.IndexByte(words[0], 0) < 0 {
		o.Interp = string(words[0])
	}
	return o
}

// file is an ELF file being read.
type file struct {
	*source
	o     Object
	order binary.ByteOrder
	loads []segment
	flags uint64 // DT_FLAGS_1
}

// segment is a part of the file and the addresses it is mapped to, in bytes.
type segment struct{ off, addr, size uint64 }

func (f *file) read(head []byte) error {
	if len(head) < minELF {
		return errShort
	}
	wide := head[4] == 2
	if head[4] != 1 && head[4] != 2 {
		return lang.Because(nil, "class %d", "类别为 %d", head[4])
	}
	switch head[5] {
	case 1:
		f.order, f.o.Arch.Little = binary.LittleEndian, true
	case 2:
		f.order = binary.BigEndian
	default:
		return lang.Because(nil, "data encoding %d", "字节序标记为 %d", head[5])
	}
	f.o.Arch.Class = 32
	phoff, flagsAt, sizesAt, phsize := uint64(f.order.Uint32(head[28:])), 36, 42, 32
	if wide {
		if len(head) < 64 {
			return errShort
		}
		f.o.Arch.Class = 64
		phoff, flagsAt, sizesAt, phsize = f.order.Uint64(head[32:]), 48, 54, 56
	}
	f.o.OSABI = head[7]
	kind := f.order.Uint16(head[16:])
	f.o.Arch.Machine = f.order.Uint16(head[18:])
	f.o.Flags = f.order.Uint32(head[flagsAt:])
	f.o.Arch.ABI = abiFlags(f.o.Arch.Machine, f.o.Flags)
	entry, count := int(f.order.Uint16(head[sizesAt:])), int(f.order.Uint16(head[sizesAt+2:]))
	if kind != typeExec && kind != typeDyn {
		f.o.Kind = Other
		return nil
	}
	if count > maxHeaders {
		return errBudget
	}
	if count > 0 && entry != phsize {
		return lang.Because(nil, "program headers of %d bytes", "程序头长度为 %d 字节", entry)
	}
	table, err := f.table(phoff, count*phsize)
	if err != nil {
		return err
	}
	return f.segments(table, count, wide, kind)
}

// table reads n bytes, none of which may be there where n is 0.
func (s *source) table(off uint64, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	return s.bytes(off, n)
}

func (f *file) segments(table []byte, count int, wide bool, kind uint16) error {
	var dynamic, interp *segment
	hollow := false
	for i := range count {
		var typ uint32
		var g segment
		var memory uint64
		if wide {
			h := table[i*56:]
			typ = f.order.Uint32(h)
			g = segment{f.order.Uint64(h[8:]), f.order.Uint64(h[16:]), f.order.Uint64(h[32:])}
			memory = f.order.Uint64(h[40:])
		} else {
			h := table[i*32:]
			typ = f.order.Uint32(h)
			g = segment{uint64(f.order.Uint32(h[4:])), uint64(f.order.Uint32(h[8:])), uint64(f.order.Uint32(h[16:]))}
			memory = uint64(f.order.Uint32(h[20:]))
		}
		switch typ {
		case ptLoad:
			f.loads = append(f.loads, g)
		case ptDynamic:
			dynamic = &g
			hollow = hollow || g.size == 0 && memory > 0
		case ptInterp:
			interp = &g
			hollow = hollow || g.size == 0 && memory > 0
		}
	}
	// What objcopy --only-keep-debug leaves has the headers, not what they
	// point to.
	if hollow {
		f.o.Kind = Other
		return nil
	}
	if interp != nil {
		if interp.size > maxString {
			return errBudget
		}
		b, err := f.table(interp.off, int(interp.size))
		if err != nil {
			return lang.Because(err, "the interpreter's name", "解释器的名称")
		}
		b, _, _ = bytes.Cut(b, []byte{0})
		f.o.Interp = string(b)
	}
	if dynamic != nil {
		if err := f.dynamic(*dynamic, wide); err != nil {
			return lang.Because(err, "the dynamic section", "动态段")
		}
	}
	f.o.Kind = f.kind(kind, dynamic != nil)
	return nil
}

// kind tells programs from shared objects: libc.so.6 can be run and has an
// interpreter, but it also has a name to be linked by.
func (f *file) kind(typ uint16, dynamic bool) Kind {
	pie := f.flags&df1PIE != 0
	switch {
	case f.o.Interp != "" && (typ == typeExec || pie || f.o.Soname == ""):
		return Program
	case typ == typeExec:
		return Static
	case f.o.Interp == "" && pie && len(f.o.Needed) == 0:
		return StaticPIE
	case !dynamic:
		return Other
	}
	return Library
}

// dynamic reads the dynamic section g.
func (f *file) dynamic(g segment, wide bool) error {
	size := 8
	if wide {
		size = 16
	}
	n := g.size / uint64(size)
	if n > maxDynamic {
		return errBudget
	}
	table, err := f.table(g.off, int(n)*size)
	if err != nil {
		return err
	}
	var needed []uint64
	at := map[uint64]uint64{}
	for i := range int(n) {
		var tag, val uint64
		if wide {
			tag, val = f.order.Uint64(table[i*16:]), f.order.Uint64(table[i*16+8:])
		} else {
			tag, val = uint64(f.order.Uint32(table[i*8:])), uint64(f.order.Uint32(table[i*8+4:]))
		}
		if tag == dtNull {
			break
		}
		if tag == dtNeeded {
			needed = append(needed, val)
		} else {
			at[tag] = val
		}
	}
	f.flags = at[dtFlags1]
	f.o.NoDefLib = f.flags&df1NoDefLib != 0
	strs, ok := f.offset(at[dtStrTab])
	if !ok {
		if len(needed) > 0 {
			return lang.Because(nil, "no table of names", "没有名称表")
		}
		return nil
	}
	name := func(off uint64) string { return f.name(strs, at[dtStrSz], off) }
	for _, off := range needed {
		if s := name(off); s != "" {
			f.o.Needed = append(f.o.Needed, s)
		}
	}
	if off, ok := at[dtSoname]; ok {
		f.o.Soname = name(off)
	}
	if off, ok := at[dtRunPath]; ok {
		f.o.HasRunPath, f.o.RunPath = true, split(name(off))
	} else if off, ok := at[dtRPath]; ok {
		f.o.RPath = split(name(off))
	}
	if addr, ok := at[dtVerNeed]; ok {
		f.versionNeeds(addr, at[dtVerNeedNum], name)
	}
	if addr, ok := at[dtVerDef]; ok {
		f.versionDefs(addr, at[dtVerDefNum], name)
	}
	return nil
}

// offset is where in the file the address addr is.
func (f *file) offset(addr uint64) (uint64, bool) {
	for _, g := range f.loads {
		if addr >= g.addr && addr-g.addr < g.size {
			return g.off + (addr - g.addr), true
		}
	}
	return 0, false
}

// name reads a name of the string table; one that is not there is left out.
func (f *file) name(table, size, off uint64) string {
	if off >= size {
		f.o.Truncated = true
		return ""
	}
	s, err := f.text(table+off, int(min(size-off, maxString)))
	if err != nil {
		f.o.Truncated = true
		return ""
	}
	return s
}

func split(list string) []string {
	var out []string
	for _, d := range strings.Split(list, ":") {
		if d != "" { // an empty one is the working directory, which is nobody's
			out = append(out, d)
		}
	}
	return out
}
