package profile

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"goxin/assets/lang"
	"goxin/steps/op"
)

// maxProfile bounds a profile in bytes, packed and unpacked: a service may send anything.
const maxProfile = 64 << 20

// Function is how much of a profile is a function's own.
type Function struct {
	Name  string
	Flat  int64   // in the profile's unit: nanoseconds, bytes
	Share float64 // of all, 0 to 1
}

var errProfile = lang.Because(nil, "it is no profile", "不是 profile 数据")

// top reads a profile (gzip of perftools.profiles.Profile, google/pprof
// proto/profile.proto) and gives the functions with the most of a sample type: the one
// called kind, or the last. The total is in the unit of that type.
func top(packed []byte, kind string, most int) (list []Function, total int64, err error) {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, 0, errors.Join(errProfile, err)
	}
	raw, err := io.ReadAll(io.LimitReader(z, maxProfile+1))
	if err != nil || len(raw) > maxProfile {
		return nil, 0, errors.Join(errProfile, err)
	}
	p := tables{functions: map[uint64]uint64{}, locations: map[uint64]uint64{}}
	if !fields(raw, p.field) {
		return nil, 0, errProfile
	}
	column := p.column(kind)
	own := map[string]int64{}
	for _, s := range p.samples {
		if column < 0 || column >= len(s.values) || len(s.locations) == 0 {
			continue
		}
		v := int64(s.values[column])
		name := p.text(p.functions[p.locations[s.locations[0]]])
		if name == "" {
			name = "?"
		}
		own[name] += v
		total += v
	}
	for name, v := range own {
		if v == 0 {
			continue // it was freed since
		}
		f := Function{Name: op.Visible(name), Flat: v}
		if total > 0 {
			f.Share = float64(v) / float64(total)
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Function) int {
		return cmp.Or(cmp.Compare(b.Flat, a.Flat), cmp.Compare(a.Name, b.Name))
	})
	return list[:min(most, len(list))], total, nil
}

// tables are the parts of a profile that are needed.
type tables struct {
	types     []uint64 // of each sample type, its name's string
	samples   []counted
	locations map[uint64]uint64 // id → function of the innermost line
	functions map[uint64]uint64 // id → name's string
	strings   [][]byte
}

type counted struct{ locations, values []uint64 }

func (p *tables) text(i uint64) string {
	if i < uint64(len(p.strings)) {
		return string(p.strings[i])
	}
	return ""
}

// column is where the values of a sample type are; the last where there is none so called.
func (p *tables) column(kind string) int {
	for i, t := range p.types {
		if p.text(t) == kind {
			return i
		}
	}
	return len(p.types) - 1
}

func (p *tables) field(number int, v uint64, sub []byte) bool {
	switch number {
	case 1: // ValueType{type = 1}
		var name uint64
		ok := fields(sub, func(n int, v uint64, _ []byte) bool {
			if n == 1 {
				name = v
			}
			return true
		})
		p.types = append(p.types, name)
		return ok
	case 2: // Sample{location_id = 1, value = 2}
		var s counted
		ok := fields(sub, func(n int, v uint64, packed []byte) bool {
			switch n {
			case 1:
				return numbers(&s.locations, v, packed)
			case 2:
				return numbers(&s.values, v, packed)
			}
			return true
		})
		p.samples = append(p.samples, s)
		return ok
	case 4: // Location{id = 1, line = 4}, Line{function_id = 1}
		var id, function uint64
		first := true
		ok := fields(sub, func(n int, v uint64, line []byte) bool {
			switch {
			case n == 1:
				id = v
			case n == 4 && first:
				first = false
				return fields(line, func(n int, v uint64, _ []byte) bool {
					if n == 1 {
						function = v
					}
					return true
				})
			}
			return true
		})
		p.locations[id] = function
		return ok
	case 5: // Function{id = 1, name = 2}
		var id, name uint64
		ok := fields(sub, func(n int, v uint64, _ []byte) bool {
			switch n {
			case 1:
				id = v
			case 2:
				name = v
			}
			return true
		})
		p.functions[id] = name
		return ok
	case 6:
		p.strings = append(p.strings, sub)
	}
	return true
}

// numbers adds one number, or the packed ones.
func numbers(to *[]uint64, v uint64, packed []byte) bool {
	if packed == nil {
		*to = append(*to, v)
		return true
	}
	for len(packed) > 0 {
		x, n := binary.Uvarint(packed)
		if n <= 0 {
			return false
		}
		*to, packed = append(*to, x), packed[n:]
	}
	return true
}

// fields calls f for each field of a protocol buffer message: v is a varint's value, sub
// a length-delimited one's bytes (not nil). It is false where b is no such message.
func fields(b []byte, f func(number int, v uint64, sub []byte) bool) bool {
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<29 {
			return false
		}
		b = b[n:]
		var v uint64
		var sub []byte
		switch tag & 7 {
		case 0:
			if v, n = binary.Uvarint(b); n <= 0 {
				return false
			}
			b = b[n:]
		case 1, 5:
			size := 8
			if tag&7 == 5 {
				size = 4
			}
			if len(b) < size {
				return false
			}
			b = b[size:]
		case 2:
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return false
			}
			sub = b[n : n+int(size) : n+int(size)]
			if sub == nil {
				sub = []byte{}
			}
			b = b[n+int(size):]
		default:
			return false
		}
		if !f(int(tag>>3), v, sub) {
			return false
		}
	}
	return true
}
