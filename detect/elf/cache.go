package elf

import (
	"bytes"
	"encoding/binary"
	"strings"

	"goxin/assets/lang"
)

// Cache is what ldconfig(8) found: for a name, where it is.
type Cache struct {
	entries map[string][]cached
}

type cached struct {
	path   string
	hwcap  uint64 // bits a CPU must have, of glibc before 2.33
	subdir string // of glibc-hwcaps: x86-64-v3
	isa    bool   // the entry is for subdir, or for one that could not be read
}

const (
	oldMagic     = "ld.so-1.7.0"
	newMagic     = "glibc-ld.so.cache1.1"
	oldHeader    = 16 // magic, padding, count
	oldEntry     = 12
	newHeader    = 48
	newEntry     = 24
	extMagic     = 0xeaa42174
	extHwcaps    = 1
	hwcapExt     = 1 << 62 // the low half of hwcap is an index of glibc-hwcaps names
	maxCached    = 1 << 18
	maxHwcapDirs = 64
)

// ErrCache is a file that is no ld.so.cache any glibc wrote.
var ErrCache = lang.Because(nil, "not an ld.so.cache", "不是 ld.so.cache 文件")

// ParseCache reads an ld.so.cache: the format of glibc 2.32 and later, the one
// before it, which begins with an empty or full table of the oldest, and the
// oldest alone. Numbers are in the byte order of the machine that wrote it.
func ParseCache(data []byte) (*Cache, error) {
	if bytes.HasPrefix(data, []byte(newMagic)) {
		return parseNew(data)
	}
	if !bytes.HasPrefix(data, []byte(oldMagic)) || len(data) < oldHeader {
		return nil, ErrCache
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		n := uint64(order.Uint32(data[12:]))
		end := oldHeader + n*oldEntry
		if n > maxCached || end > uint64(len(data)) {
			continue
		}
		if at := (end + 7) &^ 7; at < uint64(len(data)) && bytes.HasPrefix(data[at:], []byte(newMagic)) {
			return parseNew(data[at:])
		}
		return parseOld(data, order, n, end), nil
	}
	return nil, ErrCache
}

func parseOld(data []byte, order binary.ByteOrder, n, end uint64) *Cache {
	c := &Cache{entries: map[string][]cached{}}
	for i := range n {
		e := data[oldHeader+i*oldEntry:]
		c.add(int32(order.Uint32(e)), word(data, end+uint64(order.Uint32(e[4:]))), cached{path: word(data, end+uint64(order.Uint32(e[8:])))})
	}
	return c
}

func parseNew(data []byte) (*Cache, error) {
	if len(data) < newHeader {
		return nil, ErrCache
	}
	var order binary.ByteOrder = binary.LittleEndian
	n := uint64(order.Uint32(data[20:]))
	switch data[28] & 3 {
	case 3:
		order = binary.BigEndian
	case 0: // before 2.33 it does not say
		if newHeader+n*newEntry > uint64(len(data)) {
			order = binary.BigEndian
		}
	case 1:
		return nil, ErrCache
	}
	n = uint64(order.Uint32(data[20:]))
	if n > maxCached || newHeader+n*newEntry > uint64(len(data)) {
		return nil, ErrCache
	}
	dirs := hwcapDirs(data, order)
	c := &Cache{entries: make(map[string][]cached, n)}
	for i := range n {
		e := data[newHeader+i*newEntry:]
		v := cached{path: word(data, uint64(order.Uint32(e[8:]))), hwcap: order.Uint64(e[16:])}
		if v.hwcap&hwcapExt != 0 {
			v.isa = true
			if at := uint32(v.hwcap); uint64(at) < uint64(len(dirs)) {
				v.subdir = dirs[at]
			}
			v.hwcap = 0
		}
		c.add(int32(order.Uint32(e)), word(data, uint64(order.Uint32(e[4:]))), v)
	}
	return c, nil
}

// hwcapDirs reads the names of glibc-hwcaps subdirectories that entries refer to.
func hwcapDirs(data []byte, order binary.ByteOrder) []string {
	at := uint64(order.Uint32(data[32:]))
	if at == 0 || at+8 > uint64(len(data)) || order.Uint32(data[at:]) != extMagic {
		return nil
	}
	for i := range uint64(min(order.Uint32(data[at+4:]), 16)) {
		s := at + 8 + i*16
		if s+16 > uint64(len(data)) {
			return nil
		}
		if order.Uint32(data[s:]) != extHwcaps {
			continue
		}
		off, size := uint64(order.Uint32(data[s+8:])), uint64(order.Uint32(data[s+12:]))
		var out []string
		for j := range min(size/4, maxHwcapDirs) {
			if off+j*4+4 > uint64(len(data)) {
				break
			}
			out = append(out, word(data, uint64(order.Uint32(data[off+j*4:]))))
		}
		return out
	}
	return nil
}

func (c *Cache) add(flags int32, name string, v cached) {
	const kind, libc6 = 0xff, 3
	if k := flags & kind; k != libc6 && k != 1 || name == "" || !strings.HasPrefix(v.path, "/") {
		return
	}
	c.entries[name] = append(c.entries[name], v)
}

// word is the NUL-terminated string at off; "" where there is none.
func word(data []byte, off uint64) string {
	if off >= uint64(len(data)) {
		return ""
	}
	rest := data[off:min(uint64(len(data)), off+maxString)]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return ""
	}
	return string(rest[:end])
}

// Len is how many names there are.
func (c *Cache) Len() int { return len(c.entries) }

// lookup gives the places of name in the order a CPU with such capabilities
// prefers them. Entries for capabilities it lacks come last: they are there, if
// of no use to this CPU.
func (c *Cache) lookup(name string, cpu capabilities) []string {
	found := c.entries[name]
	if len(found) == 1 && !found[0].isa && found[0].hwcap == 0 {
		return []string{found[0].path}
	}
	var out, base, last []string
	for _, dir := range cpu.dirs {
		for _, v := range found {
			if v.isa && v.subdir == dir {
				out = append(out, v.path)
			}
		}
	}
	const tls = 1 << 63 // a bit every kernel since 2.6 has
	for _, v := range found {
		need := v.hwcap &^ tls
		switch {
		case v.isa:
			if !cpu.has(v.subdir) {
				last = append(last, v.path)
			}
		case need == 0:
			base = append(base, v.path)
		case need&cpu.bits == need:
			out = append(out, v.path)
		default:
			last = append(last, v.path)
		}
	}
	return append(append(out, base...), last...)
}
