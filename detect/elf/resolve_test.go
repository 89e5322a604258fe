package elf_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"goxin/detect/elf"
)

const libs = "/usr/lib/x86_64-linux-gnu"

func TestResolveSearchesAsTheLoaderDoes(t *testing.T) {
	rpath := func(dirs string, o object) object { o.rpath = dirs; return o }
	runpath := func(dirs string, o object) object { o.runpath = dirs; return o }
	cases := []struct {
		name  string
		files files
		want  string // one need of /opt/app/bin/app
	}{
		{
			"the default directories",
			files{"/opt/app/bin/app": program("libz.so.1"), libs + "/libz.so.1": lib("libz.so.1")},
			"libz.so.1=/lib/x86_64-linux-gnu/libz.so.1(default)",
		},
		{
			"RPATH before the default directories",
			files{
				"/opt/app/bin/app": rpath("/opt/lib", program("libz.so.1")), libs + "/libz.so.1": lib("libz.so.1"), "/opt/lib/libz.so.1": lib("libz.so.1"),
			},
			"libz.so.1=/opt/lib/libz.so.1(rpath)",
		},
		{
			"RPATH is passed on",
			files{
				"/opt/app/bin/app": rpath("/opt/lib", program("liba.so")), "/opt/lib/liba.so": lib("liba.so", "libb.so"), "/opt/lib/libb.so": lib("libb.so"),
			},
			"libb.so=/opt/lib/libb.so(rpath)",
		},
		{
			"RUNPATH is not",
			files{
				"/opt/app/bin/app": runpath("/opt/lib", program("liba.so")), "/opt/lib/liba.so": lib("liba.so", "libb.so"), "/opt/lib/libb.so": lib("libb.so"),
			},
			"libb.so=!not-found",
		},
		{
			"nor is RPATH, to an object with a RUNPATH of its own",
			files{
				"/opt/app/bin/app": rpath("/opt/lib", program("liba.so")), "/opt/lib/liba.so": runpath("/none", lib("liba.so", "libb.so")), "/opt/lib/libb.so": lib("libb.so"),
			},
			"libb.so=!not-found",
		},
		{
			"RUNPATH makes RPATH void",
			files{
				"/opt/app/bin/app": rpath("/opt/a", runpath("/opt/b", program("libz.so.1"))), "/opt/a/libz.so.1": lib("libz.so.1"), "/opt/b/libz.so.1": lib("libz.so.1"),
			},
			"libz.so.1=/opt/b/libz.so.1(runpath)",
		},
		{
			"$ORIGIN",
			files{"/opt/app/bin/app": runpath("$ORIGIN/../lib", program("libz.so.1")), "/opt/app/lib/libz.so.1": lib("libz.so.1")},
			"libz.so.1=/opt/app/bin/../lib/libz.so.1(runpath)",
		},
		{
			"${LIB} and $PLATFORM",
			files{"/opt/app/bin/app": runpath("/opt/${LIB}/$PLATFORM", program("libz.so.1")), "/opt/lib/x86_64-linux-gnu/x86_64/libz.so.1": lib("libz.so.1")},
			"libz.so.1=/opt/lib/x86_64-linux-gnu/x86_64/libz.so.1(runpath)",
		},
		{
			"$ORIGIN of a program behind a link",
			files{
				"/opt/app/bin/app": link("../real/app"), "/opt/app/real/app": runpath("$ORIGIN", program("libz.so.1")), "/opt/app/real/libz.so.1": lib("libz.so.1"),
			},
			"libz.so.1=/opt/app/real/libz.so.1(runpath)",
		},
		{
			"another architecture is passed over",
			files{
				"/opt/app/bin/app": runpath("/opt/a:/opt/b", program("libz.so.1")), "/opt/a/libz.so.1": object{arch: "aarch64", soname: "libz.so.1"}, "/opt/b/libz.so.1": lib("libz.so.1"),
			},
			"libz.so.1=/opt/b/libz.so.1(runpath)",
		},
		{
			"only another architecture",
			files{"/opt/app/bin/app": program("libz.so.1"), libs + "/libz.so.1": object{arch: "i686", soname: "libz.so.1"}},
			"libz.so.1=/lib/x86_64-linux-gnu/libz.so.1!wrong-architecture",
		},
		{
			"a linker script is no library",
			files{"/opt/app/bin/app": program("libz.so"), libs + "/libz.so": "INPUT(libz.so.1)"},
			"libz.so=/lib/x86_64-linux-gnu/libz.so!not-loadable",
		},
		{
			"a name that a loaded library calls itself",
			files{
				"/opt/app/bin/app": program("liba.so", "libz.so.1"), libs + "/liba.so": lib("libz.so.1"),
			},
			"libz.so.1=/lib/x86_64-linux-gnu/liba.so(loaded)",
		},
		{
			"a full path",
			files{"/opt/app/bin/app": program("/opt/x/libz.so.1"), "/opt/x/libz.so.1": lib("libz.so.1")},
			"/opt/x/libz.so.1=/opt/x/libz.so.1(path)",
		},
		{
			"the directories of ld.so.conf where there is no cache",
			files{
				"/opt/app/bin/app": program("libz.so.1"), "/opt/z/libz.so.1": lib("libz.so.1"), libs + "/libz.so.1": lib("libz.so.1"),
				"/etc/ld.so.conf": "# all\ninclude ld.so.conf.d/*.conf\n", "/etc/ld.so.conf.d/z.conf": "/opt/z # ours", "/etc/ld.so.conf.d/a.off": "/opt/off",
			},
			"libz.so.1=/opt/z/libz.so.1(cache)",
		},
		{
			"the cache before the default directories",
			files{
				"/opt/app/bin/app": program("libz.so.1"), "/opt/z/libz.so.1": lib("libz.so.1"), libs + "/libz.so.1": lib("libz.so.1"),
				"/etc/ld.so.cache": newCache(false, nil, slot{"libz.so.1", "/opt/z/libz.so.1", 0}), "/etc/ld.so.conf": "/opt/other",
			},
			"libz.so.1=/opt/z/libz.so.1(cache)",
		},
		{
			"a cache that is out of date",
			files{
				"/opt/app/bin/app": program("libz.so.1"), libs + "/libz.so.1": lib("libz.so.1"),
				"/etc/ld.so.cache": newCache(false, nil, slot{"libz.so.1", "/gone/libz.so.1", 0}),
			},
			"libz.so.1=/lib/x86_64-linux-gnu/libz.so.1(default)",
		},
		{
			"nodeflib",
			files{
				"/opt/app/bin/app":  object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libz.so.1"}, flags1: 0x800},
				libs + "/libz.so.1": lib("libz.so.1"), "/etc/ld.so.cache": newCache(false, nil, slot{"libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1", 0}),
			},
			"libz.so.1=!not-found",
		},
		{
			"what is made for this CPU",
			files{
				"/opt/app/bin/app": program("libz.so.1"), libs + "/libz.so.1": lib("libz.so.1"), libs + "/glibc-hwcaps/x86-64-v2/libz.so.1": lib("libz.so.1"),
				libs + "/glibc-hwcaps/x86-64-v3/libz.so.1": lib("libz.so.1"), "/proc/cpuinfo": "flags : cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3 avx\n",
			},
			"libz.so.1=/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/libz.so.1(default)",
		},
		{
			"a version that is there",
			files{"/opt/app/bin/app": object{
				exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libc.so.6"}, needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.34"}},
			}},
			"libc.so.6=/lib/x86_64-linux-gnu/libc.so.6(default)",
		},
		{
			"a version that is not",
			files{"/opt/app/bin/app": object{
				exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libc.so.6"},
				needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.38"}, {File: "libc.so.6", Version: "GLIBC_2.99", Weak: true}},
			}},
			"libc.so.6=/lib/x86_64-linux-gnu/libc.so.6!lacks-version@GLIBC_2.38",
		},
		{
			"a library without versions has them all",
			files{
				"/opt/app/bin/app":  object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libz.so.1"}, needs: []elf.VersionNeed{{File: "libz.so.1", Version: "ZLIB_1"}}},
				libs + "/libz.so.1": lib("libz.so.1"),
			},
			"libz.so.1=/lib/x86_64-linux-gnu/libz.so.1(default)",
		},
		{
			"no interpreter",
			files{"/opt/app/bin/app": object{exec: true, interp: "/lib64/ld-gone.so.1"}},
			"/lib64/ld-gone.so.1=!no-interpreter",
		},
		{
			"libraries that need each other",
			files{
				"/opt/app/bin/app": program("liba.so"), libs + "/liba.so": lib("liba.so", "libb.so"), libs + "/libb.so": lib("libb.so", "liba.so", "libb.so"),
			},
			"libb.so=/lib/x86_64-linux-gnu/libb.so(loaded)",
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _ := tree(t, base(c.files))
			got, err := elf.NewResolver(m).Resolve("/opt/app/bin/app")
			if err != nil {
				t.Fatal(err)
			}
			if !has(told(got), c.want) {
				t.Errorf("want %s in\n%s", c.want, told(got))
			}
			if strings.Count(told(got), "@") != strings.Count(c.want, "@") {
				t.Errorf("versions:\n%s", told(got))
			}
		})
	}
}

func has(lines, want string) bool { return strings.Contains("\n"+lines+"\n", "\n"+want+"\n") }

func TestResolveOnRPMDirectories(t *testing.T) {
	m, _ := tree(t, files{
		"/lib64": link("usr/lib64"), "/lib": link("usr/lib"),
		"/usr/lib64/ld-linux-x86-64.so.2": lib("ld-linux-x86-64.so.2"),
		"/usr/lib64/libc.so.6":            lib("libc.so.6"),
		"/usr/lib/libc.so.6":              object{arch: "i686", soname: "libc.so.6"},
		"/usr/lib64/x/libz.so.1":          lib("libz.so.1"),
		"/usr/lib/liblost.so":             lib("liblost.so"),
		"/app": object{
			exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libc.so.6", "libz.so.1", "liblost.so"}, runpath: "/usr/$LIB/x",
		},
	})
	got, err := elf.NewResolver(m).Resolve("/app")
	want := "libc.so.6=/lib64/libc.so.6(default)\nlibz.so.1=/usr/lib64/x/libz.so.1(runpath)\nliblost.so=!not-found"
	if err != nil || told(got) != want {
		t.Errorf("%v\n%s", err, told(got))
	}
}

func TestResolveAsMuslDoes(t *testing.T) {
	const ld = "/lib/ld-musl-x86_64.so.1"
	m, _ := tree(t, files{
		ld:                       lib("libc.musl-x86_64.so.1"),
		"/usr/lib/liba.so":       object{soname: "liba.so", needed: []string{"libb.so", "libc.musl-x86_64.so.1"}},
		"/opt/libb.so":           lib("libb.so"),
		"/own/libd.so":           lib("libd.so"),
		"/etc/ld-musl-i386.path": "/none",
		"/app": object{
			interp: ld, flags1: 0x08000000, needed: []string{"liba.so", "libpthread.so.0", "libd.so", "libe.so"}, runpath: "/opt:$ORIGIN/own",
			needs: []elf.VersionNeed{{File: "liba.so", Version: "NEVER_CHECKED"}},
		},
	})
	got, err := elf.NewResolver(m).Resolve("/app")
	want := strings.Join([]string{
		"liba.so=/usr/lib/liba.so(default)",
		"libpthread.so.0=" + ld + "(loaded)",
		"libd.so=//own/libd.so(runpath)",
		"libe.so=!not-found",
		"libb.so=/opt/libb.so(runpath)",
		"libc.musl-x86_64.so.1=" + ld + "(loaded)",
	}, "\n")
	if err != nil || told(got) != want {
		t.Errorf("%v\n%s", err, told(got))
	}
}

// Both worlds of LoongArch, on machines of either and on one with libLoL.
func TestResolveKeepsTheWorldsOfLoongArchApart(t *testing.T) {
	const oldLoader, newLoader = "/lib64/ld.so.1", "/lib64/ld-linux-loongarch-lp64d.so.1"
	oldApp := object{arch: "loong-old", exec: true, interp: oldLoader, needed: []string{"libc.so.6"}, needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.27"}}}
	newApp := object{arch: "loong-new", exec: true, interp: newLoader, needed: []string{"libc.so.6"}, needs: []elf.VersionNeed{{File: "libc.so.6", Version: "GLIBC_2.36"}}}
	oldLibc := object{arch: "loong-old", soname: "libc.so.6", defs: []string{"GLIBC_2.27", "GLIBC_2.28"}}
	newLibc := object{arch: "loong-new", soname: "libc.so.6", defs: []string{"GLIBC_2.36"}}
	old := files{oldLoader: object{arch: "loong-old", soname: "ld.so.1"}, "/lib64/libc.so.6": oldLibc}
	now := files{newLoader: object{arch: "loong-new", soname: "ld-linux-loongarch-lp64d.so.1"}, "/lib64/libc.so.6": newLibc}
	lol := files{
		newLoader: now[newLoader], "/lib64/libc.so.6": newLibc, oldLoader: old[oldLoader],
		"/opt/lol/support/lib/loongarch64-aosc-linux-gnuow/libc.so.6": object{arch: "loong-new", soname: "libc.so.6", defs: []string{"GLIBC_2.27", "GLIBC_2.28", "GLIBC_2.36"}},
	}
	for _, c := range []struct {
		name string
		on   files
		app  object
		want string
	}{
		{"old on old", old, oldApp, "libc.so.6=/lib64/libc.so.6(default)"},
		{"new on new", now, newApp, "libc.so.6=/lib64/libc.so.6(default)"},
		{"old on new", now, oldApp, "/lib64/ld.so.1=!other-world"},
		{"new on old", old, newApp, newLoader + "=!other-world"},
		{"an old library on new", now, object{arch: "loong-old", soname: "libx.so", needed: oldApp.needed, needs: oldApp.needs}, "libc.so.6=/lib64/libc.so.6!other-world@GLIBC_2.27"},
		{"old with libLoL", lol, oldApp, "libc.so.6=/opt/lol/support/lib/loongarch64-aosc-linux-gnuow/libc.so.6(default)"},
		{"new with libLoL", lol, newApp, "libc.so.6=/lib64/libc.so.6(default)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := files{"/app": c.app}
			for k, v := range c.on {
				f[k] = v
			}
			m, _ := tree(t, f)
			got, err := elf.NewResolver(m).Resolve("/app")
			if err != nil || !has(told(got), c.want) {
				t.Errorf("%v: want %s in\n%s", err, c.want, told(got))
			}
			if bad := strings.Contains(told(got), "!"); bad != strings.Contains(c.want, "!") {
				t.Errorf("%s", told(got))
			}
		})
	}
}

func TestLookupFindsWhatAnyProgramWouldGet(t *testing.T) {
	m, _ := tree(t, base(files{libs + "/libz.so.1": lib("libz.so.1"), libs + "/libaio.so.1": object{arch: "i686", soname: "libaio.so.1"}}))
	r := elf.NewResolver(m)
	own, ok := r.OwnArch()
	if !ok || own.String() != "x86_64" {
		t.Fatalf("%v %v", own, ok)
	}
	if at, ok := r.Lookup(own, "libz.so.1"); !ok || at != "/lib/x86_64-linux-gnu/libz.so.1" {
		t.Errorf("%q %v", at, ok)
	}
	for _, name := range []string{"libaio.so.1", "libssl.so.3"} {
		if at, ok := r.Lookup(own, name); ok {
			t.Errorf("%s found at %s", name, at)
		}
	}
}

func TestResolveStopsAtEndlessLibraries(t *testing.T) {
	f := base(files{})
	var all []string
	for i := range 60 {
		all = append(all, fmt.Sprintf("lib%d.so", i))
	}
	dirs := strings.Repeat("/usr/lib/x86_64-linux-gnu/.:", 140)
	for _, name := range all {
		o := lib(name)
		for j := range 4000 / 60 {
			o.needed = append(o.needed, fmt.Sprintf("gone%d-%s", j, name))
		}
		o.rpath = dirs
		f[libs+"/"+name] = o
	}
	f["/app"] = program(all...)
	m, _ := tree(t, f)
	if _, err := elf.NewResolver(m).Resolve("/app"); !errors.Is(err, elf.ErrTooLarge) {
		t.Errorf("%v", err)
	}
}
