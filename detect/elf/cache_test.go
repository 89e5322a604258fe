package elf_test

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"goxin/detect/elf"
)

// slot is an entry of an ld.so.cache.
type slot struct {
	name, path string
	hwcap      uint64
}

// newCache writes the format of glibc 2.2 and later; hwcaps are the names that
// entries with bit 62 refer to.
func newCache(big bool, hwcaps []string, slots ...slot) []byte {
	var order byteOrder = binary.LittleEndian
	flag := byte(2)
	if big {
		order, flag = binary.BigEndian, 3
	}
	strs := 48 + 24*len(slots)
	var text []byte
	str := func(s string) uint32 {
		at := strs + len(text)
		text = append(append(text, s...), 0)
		return uint32(at)
	}
	var table []byte
	for _, s := range slots {
		for _, v := range []uint32{0x0303, str(s.name), str(s.path), 0} {
			table = order.AppendUint32(table, v)
		}
		table = order.AppendUint64(table, s.hwcap)
	}
	var names []uint32
	for _, h := range hwcaps {
		names = append(names, str(h))
	}
	for len(text)%4 != 0 {
		text = append(text, 0)
	}
	ext := uint32(0)
	var tail []byte
	if len(hwcaps) > 0 {
		ext = uint32(strs + len(text))
		for _, v := range []uint32{0xeaa42174, 1, 1, 0, ext + 24, uint32(4 * len(names))} {
			tail = order.AppendUint32(tail, v)
		}
		for _, n := range names {
			tail = order.AppendUint32(tail, n)
		}
	}
	b := []byte("glibc-ld.so.cache1.1")
	b = order.AppendUint32(b, uint32(len(slots)))
	b = order.AppendUint32(b, uint32(len(text)))
	b = append(b, flag, 0, 0, 0)
	b = order.AppendUint32(b, ext)
	b = append(b, make([]byte, 12)...)
	return append(append(append(b, table...), text...), tail...)
}

// oldCache writes the oldest format.
func oldCache(slots ...slot) []byte {
	b := append([]byte("ld.so-1.7.0"), 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(slots)))
	var text []byte
	for _, s := range slots {
		for _, v := range []uint32{3, uint32(len(text)), uint32(len(text) + len(s.name) + 1)} {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		text = append(append(append(append(text, s.name...), 0), s.path...), 0)
	}
	return append(b, text...)
}

func TestEveryFormatOfCacheIsRead(t *testing.T) {
	z, a := slot{"libz.so.1", "/x/libz.so.1", 0}, slot{"liba.so", "/y/liba.so", 0}
	padded := oldCache()
	for name, data := range map[string][]byte{
		"new": newCache(false, nil, z, a), "big-endian": newCache(true, nil, z, a), "oldest": oldCache(z, a),
		"new after an empty oldest": append(padded, newCache(false, nil, z, a)...),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := elf.ParseCache(data)
			if err != nil || c.Len() != 2 {
				t.Fatalf("%v %v", c, err)
			}
			m, _ := tree(t, base(files{
				"/x/libz.so.1": lib("libz.so.1"), "/y/liba.so": lib("liba.so"), "/app": program("libz.so.1", "liba.so"), "/etc/ld.so.cache": data,
			}))
			got, err := elf.NewResolver(m).Resolve("/app")
			if want := "libz.so.1=/x/libz.so.1(cache)\nliba.so=/y/liba.so(cache)"; err != nil || told(got) != want {
				t.Errorf("%v\n%s", err, told(got))
			}
		})
	}
}

func TestCacheEntriesForThisCPUComeFirst(t *testing.T) {
	const ext = 1 << 62
	data := newCache(false, []string{"x86-64-v2", "x86-64-v4"},
		slot{"libz.so.1", "/base/libz.so.1", 0}, slot{"libz.so.1", "/v4/libz.so.1", ext | 1}, slot{"libz.so.1", "/v2/libz.so.1", ext})
	for cpu, want := range map[string]string{
		"flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3\n": "/v2/libz.so.1",
		"flags : fpu\n": "/base/libz.so.1",
	} {
		f := base(files{"/etc/ld.so.cache": data, "/proc/cpuinfo": cpu, "/app": program("libz.so.1")})
		for _, d := range []string{"/base", "/v2", "/v4"} {
			f[d+"/libz.so.1"] = lib("libz.so.1")
		}
		m, _ := tree(t, f)
		got, err := elf.NewResolver(m).Resolve("/app")
		if err != nil || got.Libs[0].Path != want {
			t.Errorf("%q: %v %s, want %s", cpu, err, told(got), want)
		}
	}
}

// glibc before 2.33 marked entries with bits of AT_HWCAP: bit 8 of arm64 is its
// atomics, bit 63 a directory that every kernel may use.
func TestCacheEntriesOfOldMarksNeedTheCPU(t *testing.T) {
	const ld = "/lib/ld-linux-aarch64.so.1"
	arm := func(o object) object { o.arch = "aarch64"; return o }
	data := newCache(false, nil, slot{"liba.so", "/lse/liba.so", 1 << 8}, slot{"liba.so", "/base/liba.so", 1 << 63}, slot{"libb.so", "/lse/libb.so", 1 << 8})
	for cpu, want := range map[string]string{
		"Features : fp asimd atomics\n": "liba.so=/lse/liba.so(cache)\nlibb.so=/lse/libb.so(cache)",
		"Features : fp asimd\n":         "liba.so=/base/liba.so(cache)\nlibb.so=/lse/libb.so(cache)",
	} {
		m, _ := tree(t, files{
			ld: arm(lib("ld-linux-aarch64.so.1")), "/etc/ld.so.cache": data, "/proc/cpuinfo": cpu,
			"/lse/liba.so": arm(lib("liba.so")), "/base/liba.so": arm(lib("liba.so")), "/lse/libb.so": arm(lib("libb.so")),
			"/app": arm(object{exec: true, interp: ld, needed: []string{"liba.so", "libb.so"}}),
		})
		got, err := elf.NewResolver(m).Resolve("/app")
		if err != nil || told(got) != want {
			t.Errorf("%q: %v\n%s", cpu, err, told(got))
		}
	}
}

func TestCacheOfAnythingElseIsRefused(t *testing.T) {
	good := newCache(false, nil, slot{"libz.so.1", "/x/libz.so.1", 0})
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("libz.so.1 /x\n"), "cut": good[:60], "oldest cut": []byte("ld.so-1.7.0\x00\xff\xff\xff\x7f"), "header alone": good[:30],
	} {
		if c, err := elf.ParseCache(data); !errors.Is(err, elf.ErrCache) {
			t.Errorf("%s: %v %v", name, c, err)
		}
	}
}

// The cache of the machine that runs the test holds what its ldconfig says.
func TestOwnCacheIsWhatLdconfigPrints(t *testing.T) {
	data, err := os.ReadFile("/etc/ld.so.cache")
	if err != nil {
		t.Fatal(err)
	}
	c, err := elf.ParseCache(data)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("/sbin/ldconfig", "-p").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), " ("); ok && strings.Contains(line, " => ") {
			names[name] = true
		}
	}
	if len(names) == 0 || c.Len() != len(names) {
		t.Errorf("%d names, ldconfig has %d", c.Len(), len(names))
	}
}

func FuzzCache(f *testing.F) {
	z := slot{"libz.so.1", "/x/libz.so.1", 1 << 62}
	f.Add(newCache(false, []string{"x86-64-v3"}, z))
	f.Add(newCache(true, nil, z))
	f.Add(oldCache(z))
	f.Add(append(oldCache(), newCache(false, nil, z)...))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := elf.ParseCache(data)
		if (err == nil) == (c == nil) {
			t.Fatalf("%v %v", c, err)
		}
	})
}
