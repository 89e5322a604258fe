package libs

import "encoding/binary"

// object is a 64-bit ELF file to be built, headers alone; the zero value is a
// shared object for x86_64.
type object struct {
	mach   uint16
	flags  uint32
	static bool   // a program without interpreter
	interp string // of a program
	soname string
	needed []string
	wants  [2]string // a library and the version wanted of it
	has    []string  // versions
}

const (
	x86Loader = "/lib64/ld-linux-x86-64.so.2"
	newLoader = "/lib64/ld-linux-loongarch-lp64d.so.1"
	oldLoader = "/lib64/ld.so.1"
)

func lib(soname string, needed ...string) object { return object{soname: soname, needed: needed} }

func program(needed ...string) object { return object{interp: x86Loader, needed: needed} }

// loong makes o for LoongArch: its new world or its old one.
func loong(world string, o object) object {
	o.mach, o.flags = 258, 0x43
	if world == "old" {
		o.flags = 0x03
	}
	switch {
	case o.interp != "" && world == "old":
		o.interp = oldLoader
	case o.interp != "":
		o.interp = newLoader
	}
	return o
}

func (o object) bytes() []byte {
	const at, head, ph = 0x400000, 64, 56
	le := binary.LittleEndian
	strs := []byte{0}
	str := func(s string) uint32 {
		i := len(strs)
		strs = append(append(strs, s...), 0)
		return uint32(i)
	}
	var dyn, versions, defs []byte
	entry := func(tag, value uint64) { dyn = le.AppendUint64(le.AppendUint64(dyn, tag), value) }
	for _, n := range o.needed {
		entry(1, uint64(str(n)))
	}
	if o.soname != "" {
		entry(14, uint64(str(o.soname)))
	}
	if o.wants[0] != "" {
		for _, v := range []uint32{1 | 1<<16, str(o.wants[0]), 16, 0, 0, 2 << 16, str(o.wants[1]), 0} {
			versions = le.AppendUint32(versions, v)
		}
	}
	for i, v := range o.has {
		next := uint32(28)
		if i == len(o.has)-1 {
			next = 0
		}
		for _, v := range []uint32{1, uint32(i+1) | 1<<16, 0, 20, next, str(v), 0} {
			defs = le.AppendUint32(defs, v)
		}
	}
	interpAt := head + 3*ph
	strsAt := interpAt + len(o.interp) + 1
	versionsAt := strsAt + len(strs)
	defsAt := versionsAt + len(versions)
	dynAt := defsAt + len(defs)
	entry(5, at+uint64(strsAt))
	entry(10, uint64(len(strs)))
	if len(versions) > 0 {
		entry(0x6ffffffe, at+uint64(versionsAt))
		entry(0x6fffffff, 1)
	}
	if len(defs) > 0 {
		entry(0x6ffffffc, at+uint64(defsAt))
		entry(0x6ffffffd, uint64(len(o.has)))
	}
	entry(0, 0)

	mach, typ := o.mach, uint16(3)
	if mach == 0 {
		mach = 62
	}
	if o.interp != "" || o.static {
		typ = 2
	}
	segments := [][3]int{{1, 0, dynAt + len(dyn)}}
	if o.interp != "" {
		segments = append(segments, [3]int{3, interpAt, len(o.interp) + 1})
	}
	if !o.static {
		segments = append(segments, [3]int{2, dynAt, len(dyn)})
	}
	b := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 9)...)
	b = le.AppendUint32(le.AppendUint16(le.AppendUint16(b, typ), mach), 1)
	b = le.AppendUint64(le.AppendUint64(le.AppendUint64(b, 0), head), 0)
	b = le.AppendUint32(b, o.flags)
	for _, v := range []uint16{head, ph, uint16(len(segments)), 0, 0, 0} {
		b = le.AppendUint16(b, v)
	}
	for _, s := range segments {
		b = le.AppendUint32(le.AppendUint32(b, uint32(s[0])), 5)
		for _, v := range []int{s[1], at + s[1], at + s[1], s[2], s[2], 16} {
			b = le.AppendUint64(b, uint64(v))
		}
	}
	b = append(b, make([]byte, interpAt-len(b))...)
	b = append(append(append(b, o.interp...), 0), strs...)
	return append(append(append(b, versions...), defs...), dyn...)
}
