package elf_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/elf"
)

// verdict is a report in lines: "missing libz.so.1 not-found by /app", "beside …".
func verdict(r *elf.Report) string {
	var out []string
	line := func(word string, f elf.Finding) {
		s := fmt.Sprintf("%s %s %s by %s", word, f.Library, f.Problem, strings.Join(f.By, ","))
		if f.Beside != "" {
			s += " at " + f.Beside
		}
		if len(f.Programs) > 0 {
			s += " for " + strings.Join(f.Programs, ",")
		}
		out = append(out, s)
	}
	for _, f := range r.Missing {
		line("missing", f)
	}
	for _, f := range r.Beside {
		line("beside", f)
	}
	for _, u := range r.Foreign {
		out = append(out, "foreign "+u.Path+" "+u.Arch)
	}
	for _, u := range r.Damaged {
		out = append(out, "damaged "+u.Path)
	}
	for _, u := range r.Static {
		out = append(out, "static "+u.Path)
	}
	return strings.Join(out, "\n")
}

func TestCheckCallsMissingOnlyWhatNothingProvides(t *testing.T) {
	const jvm = "/usr/lib/jvm/java-17"
	jdk := func(more files) files {
		f := files{
			jvm + "/bin/java":       object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libjli.so"}, rpath: "$ORIGIN/../lib"},
			jvm + "/lib/libjli.so":  lib("libjli.so"),
			jvm + "/lib/libjava.so": lib("libjava.so", "libjvm.so"),
		}
		for k, v := range more {
			f[k] = v
		}
		return f
	}
	cases := []struct {
		name  string
		files files
		paths string
		want  string
	}{
		{"nothing", files{libs + "/libz.so.1": lib("libz.so.1"), "/usr/bin/gzip": program("libz.so.1")}, "/usr", ""},
		{
			"a library that is nowhere",
			files{"/usr/bin/gzip": program("libz.so.1"), "/usr/bin/zip": program("libz.so.1")},
			"/usr",
			"missing libz.so.1 not-found by /usr/bin/gzip,/usr/bin/zip for /usr/bin/gzip,/usr/bin/zip",
		},
		{
			"a library that a library of a program needs",
			files{"/usr/bin/gzip": program("liba.so"), libs + "/liba.so": lib("liba.so", "libb.so")},
			"/usr/bin",
			"missing libb.so not-found by /lib/x86_64-linux-gnu/liba.so for /usr/bin/gzip",
		},
		{
			"what the starter has loaded by its full name", jdk(files{jvm + "/lib/server/libjvm.so": lib("libjvm.so")}), "/usr/lib/jvm",
			"beside libjvm.so not-found by " + jvm + "/lib/libjava.so at " + jvm + "/lib/server/libjvm.so",
		},
		{
			"what only another installation has", jdk(files{"/usr/lib/jvm/java-21/lib/server/libjvm.so": object{soname: "libjvm.so", runpath: "$ORIGIN"}, "/usr/lib/jvm/java-21/bin/java": program()}), "/usr/lib/jvm",
			"missing libjvm.so not-found by " + jvm + "/lib/libjava.so",
		},
		{
			"what is beside, of another architecture", jdk(files{jvm + "/lib/server/libjvm.so": object{arch: "aarch64", soname: "libjvm.so"}}), "/usr/lib/jvm",
			"missing libjvm.so not-found by " + jvm + "/lib/libjava.so\nforeign " + jvm + "/lib/server/libjvm.so aarch64",
		},
		{
			"what the program that draws it in finds",
			files{
				"/usr/bin/app":           object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"liba.so"}, rpath: "/opt/private/1"},
				"/opt/private/1/liba.so": lib("liba.so"), "/opt/private/1/libb.so": lib("libb.so"),
				libs + "/liba.so": lib("liba.so", "libb.so"),
			},
			"/usr",
			"beside libb.so not-found by /usr/lib/x86_64-linux-gnu/liba.so at /opt/private/1/libb.so",
		},
		{
			"the same from an installation that is another's",
			files{
				"/usr/bin/app":   object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"liba.so", "libb.so"}, runpath: "/opt/big/lib"},
				"/opt/big/bin/x": "", "/opt/big/lib/libb.so": lib("libb.so"),
				libs + "/liba.so": lib("liba.so", "libb.so"),
			},
			"/usr",
			"beside libb.so not-found by /usr/lib/x86_64-linux-gnu/liba.so at /opt/big/lib/libb.so",
		},
		{
			"what a program's own directory has, for a plugin",
			files{
				"/usr/bin/app":           object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", runpath: "/usr/lib/x86_64-linux-gnu/app"},
				libs + "/app/libcore.so": lib("libcore.so"), libs + "/plugins/p.so": lib("", "libcore.so"),
			},
			"/usr",
			"beside libcore.so not-found by /usr/lib/x86_64-linux-gnu/plugins/p.so at /usr/lib/x86_64-linux-gnu/app/libcore.so",
		},
		{
			"the same without the program",
			files{libs + "/app/libcore.so": lib("libcore.so"), libs + "/plugins/p.so": lib("", "libcore.so")},
			"/usr",
			"missing libcore.so not-found by /usr/lib/x86_64-linux-gnu/plugins/p.so",
		},
		{
			"a program that has to be started with a path",
			files{"/opt/app/bin/app": program("libq.so"), "/opt/app/lib/libq.so": lib("libq.so")},
			"/opt/app",
			"beside libq.so not-found by /opt/app/bin/app at /opt/app/lib/libq.so for /opt/app/bin/app",
		},
		{
			"a bundled copy that is new enough",
			files{
				"/opt/app/bin/app": object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libq.so"}, needs: []elf.VersionNeed{{File: "libq.so", Version: "Q_2"}}},
				libs + "/libq.so":  object{soname: "libq.so", defs: []string{"Q_1"}}, "/opt/app/lib/libq.so": object{soname: "libq.so", defs: []string{"Q_1", "Q_2"}},
			},
			"/opt/app",
			"beside libq.so lacks-version by /opt/app/bin/app at /opt/app/lib/libq.so for /opt/app/bin/app",
		},
		{
			"a bundled copy that is as old",
			files{
				"/opt/app/bin/app": object{exec: true, interp: "/lib64/ld-linux-x86-64.so.2", needed: []string{"libq.so"}, needs: []elf.VersionNeed{{File: "libq.so", Version: "Q_2"}}},
				libs + "/libq.so":  object{soname: "libq.so", defs: []string{"Q_1"}}, "/opt/app/lib/libq.so": object{soname: "libq.so", defs: []string{"Q_1"}},
			},
			"/opt/app",
			"missing libq.so lacks-version by /opt/app/bin/app for /opt/app/bin/app",
		},
		{
			"programs for another processor, come by",
			files{"/usr/share/qemu/fw": object{arch: "s390x", exec: true, interp: "/lib/ld64.so.1"}},
			"/usr",
			"foreign /usr/share/qemu/fw s390x",
		},
		{
			"and named",
			files{"/srv/fw": object{arch: "s390x", exec: true, interp: "/lib/ld64.so.1"}},
			"/srv/fw",
			"missing /lib/ld64.so.1 wrong-architecture by /srv/fw for /srv/fw",
		},
		{
			"programs for another system",
			files{"/usr/share/x/bsd": object{exec: true, osabi: 9, interp: "/libexec/ld-elf.so.1"}},
			"/usr",
			"foreign /usr/share/x/bsd x86_64",
		},
		{"a damaged file", files{"/usr/bin/app": program().bytes()[:100]}, "/usr", "damaged /usr/bin/app"},
		{"a script, by its interpreter", files{"/srv/run": "#!/opt/bin/tool -x\n", "/opt/bin/tool": program("libq.so")}, "/srv/run", "missing libq.so not-found by /opt/bin/tool for /opt/bin/tool"},
		{"a script without one", files{"/srv/run": "#!/opt/bin/tool\n"}, "/srv/run", "missing /opt/bin/tool no-interpreter by /srv/run for /srv/run"},
		{"links that lead out are left alone", files{"/srv/out": link("/elsewhere"), "/elsewhere/app": program("libq.so"), "/srv/app": link("/elsewhere/app")}, "/srv", ""},
		{"but a link that is named is followed", files{"/srv/app": link("/elsewhere/app"), "/elsewhere/app": program("libq.so")}, "/srv/app", "missing libq.so not-found by /elsewhere/app for /elsewhere/app"},
		{
			"programs without a loader that an old-world kernel would kill",
			files{"/srv/new": object{arch: "loong-new", exec: true, bare: true}, "/srv/old": object{arch: "loong-old", exec: true, bare: true}, "/srv/x": object{exec: true, bare: true}},
			"/srv",
			"static /srv/new",
		},
		{"text that is named", files{"/srv/notes": "hello"}, "/srv/notes", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m, _ := tree(t, base(c.files))
			rep, err := elf.NewResolver(m).Check(context.Background(), c.paths)
			if err != nil || verdict(rep) != c.want {
				t.Errorf("%v\n got %s\nwant %s", err, verdict(rep), c.want)
			}
		})
	}
}

func TestCheckIsNotHeldUp(t *testing.T) {
	m, dir := tree(t, base(files{"/srv/app": program("libc.so.6"), "/srv/loop": link("loop"), "/srv/up": link("..")}))
	for _, name := range []string{"srv/pipe", "usr/lib/x86_64-linux-gnu/libpipe.so"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "srv/app2"), program("libpipe.so").bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	done := make(chan *elf.Report, 1)
	go func() {
		rep, _ := elf.NewResolver(m).Check(context.Background(), "/srv", "/srv/app", "/srv")
		done <- rep
	}()
	select {
	case rep := <-done:
		if rep.Objects != 2 || verdict(rep) != "missing libpipe.so not-found by /srv/app2 for /srv/app2" {
			t.Errorf("%d objects\n%s", rep.Objects, verdict(rep))
		}
	case <-time.After(10 * time.Second):
		t.Fatal("hangs on a pipe")
	}
}

func TestCheckFailsWhereItCannotLook(t *testing.T) {
	m, _ := tree(t, base(files{}))
	if _, err := elf.NewResolver(m).Check(context.Background(), "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := elf.NewResolver(m).Check(ctx, "/usr"); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestFindingsHaveWords(t *testing.T) {
	seen := map[lang.Text]bool{}
	for _, p := range []elf.Problem{elf.NotFound, elf.WrongArch, elf.NotLoadable, elf.LacksVersion, elf.OtherWorld, elf.NoInterpreter} {
		text := elf.Finding{Library: "lib\x1b[2Jx.so", Problem: p, Found: "/x", Version: "V_1"}.Text()
		if seen[text] || text.EN == "" || text.ZH == "" || strings.Contains(text.EN+text.ZH, "\x1b") || strings.Contains(text.EN+text.ZH, "%!") {
			t.Errorf("%s: %q %q", p, text.EN, text.ZH)
		}
		seen[text] = true
	}
}
