package demo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
)

// stub is a simulated program: an ELF file with a right header, and behind it what it is.
// Nothing on any host can run it; the simulated machine reads it off.
type stub struct {
	Tool    string `json:"tool,omitempty"`    // a program of a package: "gcc"
	Version string `json:"version,omitempty"` // of that, or of the Go that built it
	Source  string `json:"source,omitempty"`  // of a program that was compiled
	Arch    string `json:"arch,omitempty"`    // of that: GOARCH
	C       bool   `json:"c,omitempty"`       // it needs the C library
}

const stubMark = "\x00\x00goxin demo: a simulated program\n"

// An ELF file's parts, as elf.h has them.
const (
	execFile, sharedFile                 = 2, 3
	loadSegment, dynamicPart, interpPart = 1, 2, 3
	writable                             = 1 // the type of a segment of its own, which is loaded to be written to
)

// kind is e_machine and e_flags of a GOARCH, its class and byte order, and the loader of
// its dynamic programs.
type kind struct {
	machine uint16
	flags   uint32
	loader  string
	narrow  bool
	big     bool
}

// kinds are those of the ports that goxin builds for, with e_flags as their linkers set
// them (psABI of LoongArch and RISC-V, elf.h of MIPS).
var kinds = map[string]kind{
	"386":      {machine: 3, loader: "/lib/ld-linux.so.2", narrow: true},
	"amd64":    {machine: 62, loader: "/lib64/ld-linux-x86-64.so.2"},
	"arm":      {machine: 40, flags: 0x5000400, loader: "/lib/ld-linux-armhf.so.3", narrow: true},
	"arm64":    {machine: 183, loader: "/lib/ld-linux-aarch64.so.1"},
	"loong64":  {machine: 258, flags: 0x43, loader: "/lib64/ld-linux-loongarch-lp64d.so.1"},
	"mips":     {machine: 8, flags: 0x50001004, loader: "/lib/ld.so.1", narrow: true, big: true},
	"mips64":   {machine: 8, flags: 0x80000004, loader: "/lib64/ld.so.1", big: true},
	"mips64le": {machine: 8, flags: 0x80000004, loader: "/lib64/ld.so.1"},
	"mipsle":   {machine: 8, flags: 0x50001004, loader: "/lib/ld.so.1", narrow: true},
	"ppc64":    {machine: 21, flags: 1, loader: "/lib64/ld64.so.1", big: true},
	"ppc64le":  {machine: 21, flags: 2, loader: "/lib64/ld64.so.2"},
	"riscv64":  {machine: 243, flags: 0x4, loader: "/lib/ld-linux-riscv64-lp64d.so.1"},
	"s390x":    {machine: 22, loader: "/lib/ld64.so.1", big: true},
}

// encode is the program's file on that architecture: static, or with the C library's
// loader.
func (p stub) encode(goarch string) []byte {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // plain data
	}
	f := newELF(kinds[goarch], execFile)
	if p.Tool == "go" {
		f.part(writable, goInfo(p.Version, goarch))
	}
	if p.C {
		f.part(interpPart, append([]byte(f.kind.loader), 0))
	}
	f.tail = append([]byte(stubMark), text...)
	return f.bytes()
}

// readStub reads a program's file back; ok is false where it is none of these.
func readStub(file []byte) (p stub, ok bool) {
	_, text, ok := bytes.Cut(file, []byte(stubMark))
	return p, ok && json.Unmarshal(text, &p) == nil
}

// goInfo is what the linker writes into a go command, by which whoever looks knows it for
// one (debug/buildinfo: strings inline, the module's between sixteen bytes on either side).
func goInfo(version, goarch string) []byte {
	b := append([]byte("\xff Go buildinf:\x08\x02"), make([]byte, 16)...)
	edge := strings.Repeat("\x07", 16)
	for _, s := range []string{version, edge + "path\tcmd/go\nbuild\tGOARCH=" + goarch + "\nbuild\tGOOS=linux\n" + edge} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// library is a shared object of that name. One of LoongArch's old world says so in its
// flags.
func library(goarch, soname string, old bool) []byte {
	k := kinds[goarch]
	if old && goarch == "loong64" {
		k.flags = 0x3
	}
	f := newELF(k, sharedFile)
	names := append([]byte{0}, append([]byte(soname), 0)...)
	at := f.part(0, names)
	const strTab, strSz, soName = 5, 10, 14 // DT_STRTAB, DT_STRSZ, DT_SONAME
	var d []byte
	for _, v := range []uint64{strTab, at, strSz, uint64(len(names)), soName, 1, 0, 0} {
		d = f.word(d, v)
	}
	f.part(dynamicPart, d)
	return f.bytes()
}

// elfFile is one being made. All of it is one segment at address 0.
type elfFile struct {
	kind  kind
	typ   uint16
	order binary.AppendByteOrder
	parts []elfPart
	tail  []byte
}

type elfPart struct {
	typ  uint32 // 0: no segment of its own
	data []byte
}

func newELF(k kind, typ uint16) *elfFile {
	f := &elfFile{kind: k, typ: typ, order: binary.LittleEndian}
	if k.big {
		f.order = binary.BigEndian
	}
	return f
}

const room = 256 // for the headers

// part adds data, and says where it will be.
func (f *elfFile) part(typ uint32, data []byte) (at uint64) {
	at = room
	for _, p := range f.parts {
		at += uint64(len(p.data))
	}
	f.parts = append(f.parts, elfPart{typ, data})
	return at
}

// word is an address, or a size, of the file's class.
func (f *elfFile) word(b []byte, v uint64) []byte {
	if f.kind.narrow {
		return f.order.AppendUint32(b, uint32(v))
	}
	return f.order.AppendUint64(b, v)
}

func (f *elfFile) bytes() []byte {
	header, entry, class := 64, 56, byte(2)
	if f.kind.narrow {
		header, entry, class = 52, 32, 1
	}
	data := byte(1)
	if f.kind.big {
		data = 2
	}
	var body, table []byte
	count := uint16(1)
	for _, p := range f.parts {
		if p.typ != 0 {
			table = f.segment(table, p.typ, room+uint64(len(body)), uint64(len(p.data)))
			count++
		}
		body = append(body, p.data...)
	}
	table = append(f.segment(nil, loadSegment, 0, room+uint64(len(body))), table...)
	b := append([]byte("\x7fELF"), class, data, 1, 0)
	b = append(b, make([]byte, 8)...)
	b = f.order.AppendUint16(b, f.typ)
	b = f.order.AppendUint16(b, f.kind.machine)
	b = f.order.AppendUint32(b, 1)
	b = f.word(b, 0)              // entry
	b = f.word(b, uint64(header)) // program headers
	b = f.word(b, 0)              // sections
	b = f.order.AppendUint32(b, f.kind.flags)
	for _, v := range []int{header, entry, int(count), 0, 0, 0} {
		b = f.order.AppendUint16(b, uint16(v))
	}
	b = append(b, table...)
	b = append(b, make([]byte, room-len(b))...)
	return append(append(b, body...), f.tail...)
}

func (f *elfFile) segment(b []byte, typ uint32, at, size uint64) []byte {
	b = f.order.AppendUint32(b, typ)
	if f.kind.narrow {
		flags := uint64(5)
		if typ == writable && at > 0 {
			flags = 6
		}
		for _, v := range []uint64{at, at, at, size, size, flags, 4} {
			b = f.word(b, v)
		}
		return b
	}
	flags := uint32(5) // read and run
	if typ == writable && at > 0 {
		flags = 6
	}
	b = f.order.AppendUint32(b, flags)
	for _, v := range []uint64{at, at, at, size, size, 8} {
		b = f.word(b, v)
	}
	return b
}
