package build

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/scratch"
	"goxin/steps/steptest"
)

// bench is a machine whose Go is made by hand: what it builds are headers.
type bench struct {
	machine.Machine
	fails  map[string]error // of "build", "emulator", or of the base a program runs in
	header func(p port, cgo bool) []byte
	says   string // in place of what a program prints
	ran    []string
	env    []string // of the last build
}

func newBench(t *testing.T, emulators ...string) *bench {
	t.Helper()
	w := world{facts: debian, files: append([]string{lists, someGo, cc, "/root/x", "/var/tmp/x"}, emulators...)}
	_, m, _ := w.build(t)
	b := &bench{Machine: m, fails: map[string]error{}, header: header}
	for _, base := range scratch.Bases() {
		if err := b.Remove(path.Join(base, "x")); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// header is that of a program: static, or with the loader of its C library.
func header(p port, cgo bool) []byte {
	var order interface {
		binary.ByteOrder
		binary.AppendByteOrder
	} = binary.BigEndian
	ident := []byte{0x7f, 'E', 'L', 'F', 2, 2, 1}
	if p.elf.Little {
		order, ident[5] = binary.LittleEndian, 1
	}
	b := append(ident, make([]byte, 9)...)
	b = order.AppendUint16(b, 2) // ET_EXEC
	b = order.AppendUint16(b, p.elf.Machine)
	b = append(b, make([]byte, 12)...)
	b = order.AppendUint64(b, 64) // e_phoff
	b = append(b, make([]byte, 8)...)
	flags := uint32(0)
	if p.arch == "loong64" {
		flags = 0x43
	}
	b = order.AppendUint32(b, flags)
	b = order.AppendUint16(b, 64)
	b = order.AppendUint16(b, 56)
	if !cgo {
		return append(b, make([]byte, 512)...)
	}
	const loader = "/lib/ld-linux-aarch64.so.1\x00"
	b = append(order.AppendUint16(b, 1), make([]byte, 6)...)
	b = order.AppendUint32(b, 3) // PT_INTERP
	b = order.AppendUint32(b, 4)
	for _, n := range []uint64{120, 0, 0, uint64(len(loader)), uint64(len(loader)), 1} {
		b = order.AppendUint64(b, n)
	}
	return append(b, loader...)
}

func (b *bench) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.ran = append(b.ran, strings.Join(c.Argv, " "))
	if c.Argv[0] == someGo {
		b.env = c.Env
		// What a build leaves: a cache, its directories and files that nobody may write.
		cache := path.Join(c.Dir, "cache")
		if err := errors.Join(b.Mkdir(cache, 0o755, machine.Keep), b.Mkdir(path.Join(cache, "00"), 0o755, machine.Keep),
			b.WriteFile(path.Join(cache, "00", "a"), nil, 0o444, machine.Keep), b.Symlink("/etc", path.Join(cache, "link"))); err != nil {
			return err
		}
		if err := b.fails["build"]; err != nil {
			return err
		}
		p, _ := portOf(b.variable("GOARCH"))
		return b.WriteFile(c.Argv[4], b.header(p, b.variable("CGO_ENABLED") == "1"), 0o755, machine.Keep)
	}
	if c.Argv[0] == "kysec_set" {
		return &exec.Error{Name: "kysec_set", Err: exec.ErrNotFound}
	}
	program := c.Argv[len(c.Argv)-1]
	if err := b.fails[path.Dir(path.Dir(program))]; err != nil {
		return err
	}
	if err := b.fails["emulator"]; err != nil && len(c.Argv) > 1 {
		return err
	}
	if b.says != "" {
		out(b.says)
		return nil
	}
	out("goxin ok linux/" + b.variable("GOARCH") + " 14 go1.26.8")
	return nil
}

func (b *bench) variable(name string) string {
	for _, e := range b.env {
		if v, ok := strings.CutPrefix(e, name+"="); ok {
			return v
		}
	}
	return ""
}

// left are the files that a proof left behind.
func (b *bench) left(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, base := range scratch.Bases() {
		names, err := b.ReadDir(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			out = append(out, path.Join(base, n))
		}
	}
	return out
}

// prove runs every proof of the values on b, as on a Debian for amd64, and gives what
// each said, up to the first that fails.
func prove(ctx context.Context, t *testing.T, b *bench, v engine.Values) ([]string, error) {
	t.Helper()
	f := &detect.Facts{Running: true}
	debian(f)
	s, h := Step{shelf(crosses, "")}, steptest.Hosts(b, f)
	sv := steptest.Survey(t, s, b, h, v)
	var said []string
	for _, p := range s.Proofs(h, sv, v) {
		text, err := p.Prove(ctx, b)
		if err != nil {
			if lang.Hint(err, lang.EN) == "" || lang.Message(err, lang.ZH) == err.Error() {
				t.Errorf("no hint, or no Chinese: %v", err)
			}
			return said, err
		}
		if text.ZH == text.EN || text.ZH == "" {
			t.Errorf("no Chinese: %s", text.EN)
		}
		said = append(said, text.EN)
	}
	return said, nil
}

func TestProgramsAreBuiltJudgedAndRun(t *testing.T) {
	for name, c := range map[string]struct {
		emulators []string
		v         engine.Values
		want      string
	}{
		"this machine's own": {nil, engine.Values{"targets": []string{"linux/amd64"}}, "ELF for x86_64, static; it runs, made by go1.26.8"},
		"the three":          {[]string{qemuARM, "/usr/local/bin/qemu-loongarch64"}, nil, "ELF for x86_64, static; it runs, made by go1.26.8 | ELF for aarch64, static; it runs by qemu-aarch64-static, made by go1.26.8 | ELF for loongarch64, static; it runs by qemu-loongarch64, made by go1.26.8"},
		"no emulator":        {nil, engine.Values{"targets": []string{"linux/riscv64", "linux/s390x"}}, "ELF for riscv64, static; not run: there is no qemu-riscv64 here | ELF for s390x, static; not run: there is no qemu-s390x here"},
		"not to be run":      {[]string{qemuARM}, engine.Values{"run": false, "targets": []string{"linux/arm64", "linux/amd64"}}, "ELF for aarch64, static; not run, as the answers say | ELF for x86_64, static; not run, as the answers say"},
		"native asked for":   {[]string{qemuARM}, engine.Values{"mode": "native"}, "ELF for x86_64, static; it runs, made by go1.26.8"},
		"with C":             {[]string{qemuARM, "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1"}, engine.Values{"cgo": true, "targets": []string{"linux/amd64", "linux/arm64"}}, "ELF for x86_64, with the C library; it runs, made by go1.26.8 | ELF for aarch64, with the C library; it runs by qemu-aarch64-static, made by go1.26.8"},
		"no C library":       {[]string{qemuARM}, engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}, "ELF for aarch64, with the C library; not run: its C library is not here (/lib/ld-linux-aarch64.so.1)"},
		"no C compiler":      {nil, engine.Values{"cgo": true, "targets": []string{"linux/loong64"}}, "ELF for loongarch64, static, without C; not run: there is no qemu-loongarch64 here"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, c.emulators...)
			said, err := prove(context.Background(), t, b, c.v)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(said, " | "); got != c.want {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if left := b.left(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestABuildTakesNobodysSettings(t *testing.T) {
	b := newBench(t, qemuARM, "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1")
	if _, err := prove(context.Background(), t, b, engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"GOENV": "off", "GOWORK": "off", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOOS": "linux", "GOARCH": "arm64",
		"CGO_ENABLED": "1", "CC": "aarch64-linux-gnu-gcc", "GOCACHE": "/var/tmp/goxin-build-0/cache", "TMPDIR": "/var/tmp/goxin-build-0",
	} {
		if got := b.variable(name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
	want := []string{
		"/usr/local/go/bin/go build -trimpath -o /var/tmp/goxin-build-0/hello /var/tmp/goxin-build-0/hello.go",
		"/usr/bin/qemu-aarch64-static -L /usr/aarch64-linux-gnu /var/tmp/goxin-build-0/hello",
	}
	if got := strings.Join(b.ran, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("ran:\n%s", got)
	}
}

func TestProofsFailWhereSomethingIsWrongAndLeaveNothing(t *testing.T) {
	noexec := fmt.Errorf("fork/exec: %w", syscall.EACCES)
	exit := func(code int, said string) error {
		return &machine.ExitError{Argv: []string{"go"}, Code: code, Stderr: said}
	}
	always := func(arch string, cgo bool) func(port, bool) []byte {
		p, _ := portOf(arch)
		return func(port, bool) []byte { return header(p, cgo) }
	}
	raw := func(s string) func(port, bool) []byte { return func(port, bool) []byte { return []byte(s) } }
	own, foreign := engine.Values{"targets": []string{"linux/amd64"}}, engine.Values{"targets": []string{"linux/arm64"}}
	for name, c := range map[string]struct {
		v     engine.Values
		spoil func(*bench)
		says  string
	}{
		"no Go":                            {own, func(b *bench) { b.fails["build"] = &exec.Error{Name: someGo, Err: exec.ErrNotFound} }, "cannot build: there is no Go at /usr/local/go"},
		"a Go that is too old":             {foreign, func(b *bench) { b.fails["build"] = exit(2, "unsupported GOOS/GOARCH pair linux/arm64") }, "cannot build a program for linux/arm64: go exited with 2: unsupported"},
		"no C library to link with":        {engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}, func(b *bench) { b.fails["build"] = exit(1, "cannot find -lc") }, "cannot build a program with C for linux/arm64: go exited with 1"},
		"a program for this processor":     {foreign, func(b *bench) { b.header = always("amd64", false) }, "its header says x86_64"},
		"a program for the other end":      {engine.Values{"targets": []string{"linux/mips64le"}}, func(b *bench) { b.header = always("mips64", false) }, "its header says mips64"},
		"a program that is not static":     {foreign, func(b *bench) { b.header = always("arm64", true) }, "its header says program, and static was expected"},
		"a program without C":              {engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}, func(b *bench) { b.header = always("arm64", false) }, "its header says static, and program was expected"},
		"a program of the other world":     {engine.Values{"targets": []string{"linux/loong64"}}, func(b *bench) { b.header = otherWorld }, "LoongArch's other world"},
		"a script":                         {own, func(b *bench) { b.header = raw("#!/bin/sh\necho goxin ok linux/amd64 14 go1\n") }, "it is no ELF file"},
		"an empty file":                    {own, func(b *bench) { b.header = raw("") }, "it is no ELF file"},
		"half a header":                    {own, func(b *bench) { b.header = raw("\x7fELF\x02\x01\x01") }, "damaged ELF file"},
		"programs may not run anywhere":    {own, func(b *bench) { b.fails["/var/tmp"], b.fails["/root"] = noexec, noexec }, "cannot run what was built in /var/tmp"},
		"the program crashes":              {own, func(b *bench) { b.fails["/var/tmp"] = exit(-1, "") }, "cannot run what was built: "},
		"the emulator does not take it":    {foreign, func(b *bench) { b.fails["emulator"] = exit(-1, "") }, "cannot run the program for linux/arm64 by /usr/bin/qemu-aarch64-static"},
		"the program computes wrong":       {foreign, func(b *bench) { b.says = "goxin ok linux/arm64 13 go1.26.8" }, "says something else"},
		"the program is of another target": {foreign, func(b *bench) { b.says = "goxin ok linux/amd64 14 go1.26.8" }, "says something else"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, qemuARM, "/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1")
			c.spoil(b)
			said, err := prove(context.Background(), t, b, c.v)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, %v, want %q", said, err, c.says)
			}
			if left := b.left(t); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// otherWorld is what Loongson's own Go builds.
func otherWorld(p port, cgo bool) []byte {
	b := header(p, cgo)
	b[48] = 0x03 // e_flags
	return b
}

func TestLoongsonsOwnGoBuildsForTheOldWorld(t *testing.T) {
	f := &detect.Facts{Running: true}
	kunpeng(f)
	oldWorld(f)
	b := newBench(t)
	loong, _ := portOf("loong64")
	if err := b.WriteFile(someGo, otherWorld(loong, false), 0o755, machine.Keep); err != nil {
		t.Fatal(err)
	}
	b.header = otherWorld
	s, h, v := Step{shelf("", "")}, steptest.Hosts(b, f), engine.Values{"targets": []string{"linux/loong64"}}
	said, err := s.Proofs(h, steptest.Survey(t, s, b, h, v), v)[0].Prove(context.Background(), b)
	if err != nil || said.EN != "ELF for loongarch64, static; it runs, made by go1.26.8" {
		t.Errorf("%q, %v", said.EN, err)
	}
	// Go's own there is said, and nothing is tried.
	if err := b.WriteFile(someGo, header(loong, false), 0o755, machine.Keep); err != nil {
		t.Fatal(err)
	}
	b.ran = nil
	said, err = s.Proofs(h, steptest.Survey(t, s, b, h, v), v)[0].Prove(context.Background(), b)
	if err != nil || !strings.Contains(said.EN, "this machine cannot compile: it is of LoongArch's old world") || b.ran != nil {
		t.Errorf("%q, %v, %v", said.EN, err, b.ran)
	}
}

func TestWhereVarTmpIsNoexecTheProgramIsMadeElsewhere(t *testing.T) {
	b := newBench(t)
	b.fails["/var/tmp"] = fmt.Errorf("fork/exec: %w", fs.ErrPermission)
	said, err := prove(context.Background(), t, b, engine.Values{"targets": []string{"linux/amd64"}})
	if err != nil || len(said) != 1 {
		t.Fatalf("%v, %v", said, err)
	}
	if left := b.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestUnderExecutionControlTheProgramIsMarkedBeforeItRuns(t *testing.T) {
	f := &detect.Facts{Running: true}
	debian(f)
	f.Security.KYSEC = steptest.Fact("on")
	b := newBench(t)
	s, h, v := Step{shelf("", "")}, steptest.Hosts(b, f), engine.Values{"targets": []string{"linux/amd64"}}
	if _, err := s.Proofs(h, steptest.Survey(t, s, b, h, v), v)[0].Prove(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(b.ran[1:], "\n"); got != "kysec_set -n exectl -v verified /var/tmp/goxin-build-0/hello\n/var/tmp/goxin-build-0/hello" {
		t.Errorf("ran:\n%s", got)
	}
}

func TestACancelledProofCleansUp(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := prove(ctx, t, b, engine.Values{"targets": []string{"linux/amd64"}}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := b.left(t); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// The headers made here are judged as real ones are.
func TestTheHeadersOfTheBenchAreHeaders(t *testing.T) {
	for _, p := range ports {
		if p.elf.Class != 64 {
			continue
		}
		for _, cgo := range []bool{false, true} {
			m, root := steptest.Tree(t, nil)
			if err := os.WriteFile(filepath.Join(root, "p"), header(p, cgo), 0o755); err != nil {
				t.Fatal(err)
			}
			o, err := elf.Read(m, "/p")
			if err != nil || !p.is(o) || (o.Kind == elf.Program) != cgo {
				t.Errorf("%s: %+v, %v", p.arch, o, err)
			}
		}
	}
}
