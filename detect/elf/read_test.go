package elf_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"reflect"
	"testing"

	"goxin/detect/elf"
	"goxin/detect/machine"
)

func TestReadTellsWhatAFileIs(t *testing.T) {
	const glibc = "/lib64/ld-linux-x86-64.so.2"
	cases := []struct {
		name string
		file any
		want elf.Kind
		arch string
	}{
		{"program at fixed addresses", object{exec: true, interp: glibc, needed: []string{"libc.so.6"}}, elf.Program, "x86_64"},
		{"position-independent program", object{interp: glibc, needed: []string{"libc.so.6"}, flags1: 0x08000001}, elf.Program, "x86_64"},
		{"position-independent program of an old linker", object{interp: glibc}, elf.Program, "x86_64"},
		{"libc, which can be run", object{interp: glibc, soname: "libc.so.6"}, elf.Library, "x86_64"},
		{"shared object", lib("libz.so.1", "libc.so.6"), elf.Library, "x86_64"},
		{"plugin without a name", object{needed: []string{"libc.so.6"}}, elf.Library, "x86_64"},
		{"static", object{exec: true, bare: true}, elf.Static, "x86_64"},
		{"static-pie", object{flags1: 0x08000000}, elf.StaticPIE, "x86_64"},
		{"object file", object{typ: 1, bare: true}, elf.Other, "x86_64"},
		{"core", object{typ: 4, bare: true}, elf.Other, "x86_64"},
		{"separate debug information", object{interp: glibc, hollow: true}, elf.Other, "x86_64"},
		{"32 bits", object{arch: "i686", soname: "libz.so.1"}, elf.Library, "i686"},
		{"big-endian", object{arch: "s390x", soname: "libz.so.1"}, elf.Library, "s390x"},
		{"32 bits big-endian", object{arch: "mips", soname: "libz.so.1"}, elf.Library, "mips"},
		{"LoongArch", object{arch: "loong-new", soname: "libz.so.1"}, elf.Library, "loongarch64"},
		{"script", "#! /usr/bin/env bash\n", elf.Script, ""},
		{"text", "INPUT ( /lib64/libc.so.6 )", elf.NotELF, ""},
		{"nothing", "", elf.NotELF, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _ := tree(t, files{"/f": c.file})
			o, err := elf.Read(m, "/f")
			if err != nil || o.Kind != c.want {
				t.Fatalf("kind %v, want %v (%v)", o, c.want, err)
			}
			if c.arch != "" && o.Arch.String() != c.arch {
				t.Errorf("architecture %s, want %s", o.Arch, c.arch)
			}
		})
	}
}

func TestReadTellsWhatAnObjectNeeds(t *testing.T) {
	for _, arch := range []string{"x86_64", "i686", "s390x", "mips", "aarch64", "loong-old"} {
		t.Run(arch, func(t *testing.T) {
			m, _ := tree(t, files{"/f": object{
				arch: arch, soname: "liba.so.1", needed: []string{"libb.so.2", "libc.so.6"}, rpath: "/gone", runpath: "$ORIGIN/x::/y", flags1: 0x800,
				needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.34"}, {File: "libb.so.2", Version: "B_1", Weak: true}},
				defs:  []string{"A_1", "A_2"},
			}})
			o, err := elf.Read(m, "/f")
			if err != nil {
				t.Fatal(err)
			}
			want := elf.Object{
				Kind: elf.Library, Arch: o.Arch, Flags: o.Flags, Soname: "liba.so.1", Needed: []string{"libb.so.2", "libc.so.6"},
				RunPath: []string{"$ORIGIN/x", "/y"}, HasRunPath: true, NoDefLib: true,
				Needs:    []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.34"}, {File: "libb.so.2", Version: "B_1", Weak: true}},
				Versions: []string{"A_1", "A_2"},
			}
			if !reflect.DeepEqual(*o, want) {
				t.Errorf("\n got %+v\nwant %+v", *o, want)
			}
		})
	}
}

func TestLoongArchObjectsTellTheirWorld(t *testing.T) {
	needs := func(v string) []elf.VersionNeed { return []elf.VersionNeed{{File: "libc.so.6", Version: v}} }
	for _, c := range []struct {
		name string
		o    object
		want string
	}{
		{"old by interpreter", object{arch: "loong-old", exec: true, interp: "/lib64/ld.so.1"}, "old"},
		{"new by interpreter, early tools", object{arch: "loong-old", exec: true, interp: "/lib64/ld-linux-loongarch-lp64d.so.1"}, "new"},
		{"new by musl", object{arch: "loong-new", exec: true, interp: "/lib/ld-musl-loongarch64.so.1"}, "new"},
		{"old by versions", object{arch: "loong-old", soname: "a", needs: needs("GLIBC_2.27")}, "old"},
		{"new by versions", object{arch: "loong-old", soname: "a", needs: needs("GLIBC_2.36")}, "new"},
		{"old by flags", object{arch: "loong-old", soname: "a"}, "old"},
		{"new by flags", object{arch: "loong-new", soname: "a"}, "new"},
		{"elsewhere there is one", object{soname: "a", needs: needs("GLIBC_2.27")}, ""},
	} {
		m, _ := tree(t, files{"/f": c.o})
		if o, err := elf.Read(m, "/f"); err != nil || o.World() != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.name, o.World(), c.want, err)
		}
	}
}

// streamed is a machine whose files can only be read forwards, as a peer's.
type streamed struct{ machine.Machine }

func (s streamed) Open(name string) (io.ReadCloser, error) {
	f, err := s.Machine.Open(name)
	return struct{ io.ReadCloser }{f}, err
}

func TestReadTakesAStream(t *testing.T) {
	big := object{soname: "liba.so.1", needed: []string{"libc.so.6"}}.bytes()
	m, _ := tree(t, files{"/f": append(big, make([]byte, 1<<20)...)})
	direct, err1 := elf.Read(m, "/f")
	stream, err2 := elf.Read(streamed{m}, "/f")
	if err1 != nil || err2 != nil || !reflect.DeepEqual(direct, stream) || stream.Soname != "liba.so.1" {
		t.Errorf("%+v %v\n%+v %v", direct, err1, stream, err2)
	}
}

func TestReadRefusesDamagedFiles(t *testing.T) {
	good := object{soname: "liba.so.1", needed: []string{"libc.so.6"}}.bytes()
	with := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	for name, b := range map[string][]byte{
		"cut in the header":          good[:40],
		"cut in the program headers": good[:100],
		"cut before what is dynamic": good[:len(good)-40],
		"class 3":                    with(4, 3),
		"no byte order":              with(5, 0),
		"60000 program headers":      with(56, 0x60, 0xea),
		"odd program headers":        with(54, 57),
		"headers past any end":       with(32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
	} {
		m, _ := tree(t, files{"/f": b})
		if o, err := elf.Read(m, "/f"); !errors.Is(err, elf.ErrDamaged) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

func TestReadNamesThatAreNotThere(t *testing.T) {
	m, _ := tree(t, files{})
	if _, err := elf.Read(m, "/f"); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	for _, o := range []object{
		program("libc.so.6"),
		{arch: "i686", soname: "a", runpath: "$ORIGIN"},
		{arch: "s390x", soname: "a", defs: []string{"V"}},
		{soname: "a", needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.34"}}},
	} {
		f.Add(o.bytes())
	}
	f.Add([]byte("#!/bin/sh\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m := alone{data: data}
		o, err := elf.Read(m, "/f")
		s, serr := elf.Read(streamed{m}, "/f")
		if (err == nil) != (serr == nil) || !reflect.DeepEqual(o, s) {
			t.Fatalf("%+v %v\n%+v %v", o, err, s, serr)
		}
		if err == nil {
			_ = o.World()
			if _, err := elf.NewResolver(m).Resolve("/f"); err != nil && !errors.Is(err, elf.ErrTooLarge) {
				t.Fatal(err)
			}
		}
	})
}

// alone is a machine in memory with the one file /f.
type alone struct {
	machine.Machine
	data []byte
}

func (a alone) Stat(name string) (machine.Info, error) {
	switch name {
	case "/":
		return machine.Info{Mode: fs.ModeDir}, nil
	case "/f":
		return machine.Info{Size: int64(len(a.data))}, nil
	}
	return machine.Info{}, fs.ErrNotExist
}

func (a alone) Open(name string) (io.ReadCloser, error) {
	if name != "/f" {
		return nil, fs.ErrNotExist
	}
	return struct {
		*bytes.Reader
		io.Closer
	}{bytes.NewReader(a.data), io.NopCloser(nil)}, nil
}

func (alone) ReadFile(string) ([]byte, error)  { return nil, fs.ErrNotExist }
func (alone) ReadDir(string) ([]string, error) { return nil, fs.ErrNotExist }
func (alone) Readlink(string) (string, error)  { return "", fs.ErrInvalid }
