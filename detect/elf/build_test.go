package elf_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/detect/elf"
	"goxin/detect/machine"
)

// object is an ELF file to be built, headers alone; the zero value is a shared
// object for x86_64.
type object struct {
	arch    string // x86_64 if empty
	exec    bool   // ET_EXEC
	typ     uint16 // another type
	osabi   byte
	flags   uint32
	interp  string
	soname  string
	needed  []string
	rpath   string
	runpath string
	flags1  uint64
	needs   []elf.VersionNeed
	defs    []string
	bare    bool // without a dynamic section
	hollow  bool // segments with no bytes in the file
}

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// shape is what o.arch means: class, order, machine, flags.
func (o object) shape() (wide bool, order byteOrder, mach uint16, flags uint32) {
	switch o.arch {
	case "i686":
		return false, binary.LittleEndian, 3, 0
	case "aarch64":
		return true, binary.LittleEndian, 183, 0
	case "loong-new":
		return true, binary.LittleEndian, 258, 0x43
	case "loong-old":
		return true, binary.LittleEndian, 258, 0x03
	case "s390x":
		return true, binary.BigEndian, 22, 0
	case "mips":
		return false, binary.BigEndian, 8, 0x70001007
	}
	return true, binary.LittleEndian, 62, 0
}

// tables are string table and file image while they grow.
type tables struct {
	strs []byte
}

func (t *tables) str(s string) uint32 {
	if s == "" {
		return 0
	}
	at := len(t.strs)
	t.strs = append(append(t.strs, s...), 0)
	return uint32(at)
}

const loadedAt = 0x400000 // where the file is mapped

func (o object) bytes() []byte {
	wide, order, mach, flags := o.shape()
	if o.flags != 0 {
		flags = o.flags
	}
	t := &tables{strs: []byte{0}}
	var needTable, defTable []byte
	u16 := func(b []byte, v ...uint16) []byte {
		for _, v := range v {
			b = order.AppendUint16(b, v)
		}
		return b
	}
	u32 := func(b []byte, v ...uint32) []byte {
		for _, v := range v {
			b = order.AppendUint32(b, v)
		}
		return b
	}
	for i, n := range o.needs {
		next, weak := uint32(32), uint16(0)
		if i == len(o.needs)-1 {
			next = 0
		}
		if n.Weak {
			weak = 2
		}
		needTable = u32(u16(needTable, 1, 1), t.str(n.File), 16, next)
		needTable = u32(u16(u32(needTable, 0), weak, 2), t.str(n.Version), 0)
	}
	for i, d := range append([]string{"base"}, o.defs...) {
		next, base := uint32(28), uint16(0)
		if i == len(o.defs) {
			next = 0
		}
		if i == 0 {
			base = 1
		}
		defTable = u32(u16(defTable, 1, base, uint16(i+1), 1), 0, 20, next)
		defTable = u32(defTable, t.str(d), 0)
	}
	type entry struct{ tag, val uint64 }
	var dyn []entry
	for _, n := range o.needed {
		dyn = append(dyn, entry{1, uint64(t.str(n))})
	}
	for _, s := range []struct {
		tag  uint64
		text string
	}{{14, o.soname}, {15, o.rpath}, {29, o.runpath}} {
		if s.text != "" {
			dyn = append(dyn, entry{s.tag, uint64(t.str(s.text))})
		}
	}
	if o.flags1 != 0 {
		dyn = append(dyn, entry{0x6ffffffb, o.flags1})
	}
	head, ph, dynSize := 52, 32, 8
	if wide {
		head, ph, dynSize = 64, 56, 16
	}
	interpAt := head + 3*ph
	strsAt := (interpAt + len(o.interp) + 1 + 15) &^ 15
	needAt := (strsAt + len(t.strs) + 15) &^ 15
	defAt := needAt + len(needTable)
	dynAt := (defAt + len(defTable) + 15) &^ 15
	dyn = append(dyn, entry{5, loadedAt + uint64(strsAt)}, entry{10, uint64(len(t.strs))})
	if len(o.needs) > 0 {
		dyn = append(dyn, entry{0x6ffffffe, loadedAt + uint64(needAt)}, entry{0x6fffffff, uint64(len(o.needs))})
	}
	if len(o.defs) > 0 {
		dyn = append(dyn, entry{0x6ffffffc, loadedAt + uint64(defAt)}, entry{0x6ffffffd, uint64(len(o.defs) + 1)})
	}
	dyn = append(dyn, entry{0, 0})
	size := dynAt + len(dyn)*dynSize

	b := append([]byte("\x7fELF"), 1, 1, 1, o.osabi, 0, 0, 0, 0, 0, 0, 0, 0)
	if wide {
		b[4] = 2
	}
	if order.String() == binary.BigEndian.String() {
		b[5] = 2
	}
	typ := uint16(3)
	if o.exec {
		typ = 2
	}
	if o.typ != 0 {
		typ = o.typ
	}
	b = u32(u16(b, typ, mach), 1)
	addr := func(v uint64) {
		if wide {
			b = order.AppendUint64(b, v)
		} else {
			b = u32(b, uint32(v))
		}
	}
	addr(0)
	addr(uint64(head))
	addr(0)
	b = u16(u32(b, flags), uint16(head), uint16(ph))
	var segments [][3]int // type, offset, size
	segments = append(segments, [3]int{1, 0, size})
	if o.interp != "" {
		segments = append(segments, [3]int{3, interpAt, len(o.interp) + 1})
	}
	if !o.bare {
		segments = append(segments, [3]int{2, dynAt, len(dyn) * dynSize})
	}
	b = u16(b, uint16(len(segments)), 0, 0, 0)
	for _, s := range segments {
		file := s[2]
		if o.hollow {
			file = 0
		}
		b = u32(b, uint32(s[0]))
		if wide {
			b = u32(b, 5)
		}
		addr(uint64(s[1]))
		addr(loadedAt + uint64(s[1]))
		addr(loadedAt + uint64(s[1]))
		addr(uint64(file))
		addr(uint64(s[2]))
		if !wide {
			b = u32(b, 5)
		}
		addr(16)
	}
	pad := func(to int) { b = append(b, make([]byte, to-len(b))...) }
	pad(interpAt)
	b = append(append(b, o.interp...), 0)
	pad(strsAt)
	b = append(b, t.strs...)
	pad(needAt)
	b = append(append(b, needTable...), defTable...)
	pad(dynAt)
	for _, e := range dyn {
		addr(e.tag)
		addr(e.val)
	}
	return b
}

// program is one that glibc's loader for x86_64 starts.
func program(needed ...string) object {
	return object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: needed}
}

func lib(soname string, needed ...string) object { return object{soname: soname, needed: needed} }

// files is a tree: name → object, []byte, string (text), or link.
type files map[string]any

type link string

// tree lays files and gives the machine they are on. A loader and a C library
// are there unless files say otherwise.
func tree(t testing.TB, f files) (machine.Machine, string) {
	t.Helper()
	dir := t.TempDir()
	for name, what := range f {
		host := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(host), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch v := what.(type) {
		case object:
			err = os.WriteFile(host, v.bytes(), 0o755)
		case []byte:
			err = os.WriteFile(host, v, 0o644)
		case string:
			err = os.WriteFile(host, []byte(v), 0o755)
		case link:
			err = os.Symlink(string(v), host)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return machine.Root(dir), dir
}

// base is a small x86_64 system after Debian's manner, and what more there is.
func base(more files) files {
	f := files{
		"/lib64/ld-linux-x86-64.so.2":         lib("ld-linux-x86-64.so.2"),
		"/usr/lib/x86_64-linux-gnu/libc.so.6": object{soname: "libc.so.6", needed: []string{"ld-linux-x86-64.so.2"}, defs: []string{"GLIBC_2.2.5", "GLIBC_2.34"}},
		"/lib/x86_64-linux-gnu":               link("../usr/lib/x86_64-linux-gnu"),
		"/bin/sh":                             program("libc.so.6"),
	}
	for k, v := range more {
		f[k] = v
	}
	return f
}

// told is a closure in one line a need: "libc.so.6=/lib/…(default)".
func told(c *elf.Closure) string {
	var out []string
	for _, l := range c.Libs {
		s := l.Name + "=" + l.Path
		if l.Problem != "" {
			s += "!" + string(l.Problem)
		} else {
			s += "(" + l.How + ")"
		}
		if l.Version != "" {
			s += "@" + l.Version
		}
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}
