package elf

import "slices"

// versionNeeds reads the chain of Verneed at addr, each with its chain of
// Vernaux. Both halves are the same in 32 and 64 bits.
func (f *file) versionNeeds(addr, count uint64, name func(uint64) string) {
	if count > maxVersions {
		f.o.Truncated = true
		return
	}
	for range count {
		need, ok := f.record(addr, 16)
		if !ok {
			return
		}
		file := name(uint64(f.order.Uint32(need[4:])))
		aux := addr + uint64(f.order.Uint32(need[8:]))
		for range f.order.Uint16(need[2:]) {
			v, ok := f.record(aux, 16)
			if !ok {
				return
			}
			if len(f.o.Needs) == maxVersions {
				f.o.Truncated = true
				return
			}
			const weak = 2 // VER_FLG_WEAK
			n := VersionNeed{File: file, Version: name(uint64(f.order.Uint32(v[8:]))), Weak: f.order.Uint16(v[4:])&weak != 0}
			if n.File != "" && n.Version != "" {
				f.o.Needs = append(f.o.Needs, n)
			}
			next := uint64(f.order.Uint32(v[12:]))
			if next == 0 {
				break
			}
			aux += next
		}
		next := uint64(f.order.Uint32(need[12:]))
		if next == 0 {
			return
		}
		addr += next
	}
}

// versionDefs reads the chain of Verdef at addr; the first name of each is the
// version, the others are those it inherits.
func (f *file) versionDefs(addr, count uint64, name func(uint64) string) {
	if count > maxVersions {
		f.o.Truncated = true
		return
	}
	for range count {
		def, ok := f.record(addr, 20)
		if !ok {
			return
		}
		if f.order.Uint16(def[6:]) > 0 {
			aux, ok := f.record(addr+uint64(f.order.Uint32(def[12:])), 8)
			if !ok {
				return
			}
			const base = 1 // VER_FLG_BASE: the object's own name, no version
			v := name(uint64(f.order.Uint32(aux)))
			if v != "" && f.order.Uint16(def[2:])&base == 0 {
				f.o.Versions = append(f.o.Versions, v)
			}
		}
		next := uint64(f.order.Uint32(def[16:]))
		if next == 0 {
			break
		}
		addr += next
	}
	f.o.Versions = slices.Compact(f.o.Versions)
}

func (f *file) record(addr uint64, n int) ([]byte, bool) {
	if off, ok := f.offset(addr); ok {
		if b, err := f.bytes(off, n); err == nil {
			return b, true
		}
	}
	f.o.Truncated = true
	return nil, false
}
