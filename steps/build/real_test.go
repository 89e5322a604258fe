//go:build e2e

package build

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// The proofs as they are, on this machine: its Go, its compilers, its emulators. It
// has to be a Debian for amd64 with qemu-user-static, gcc, gcc-aarch64-linux-gnu and
// libc6-dev-arm64-cross, and whoever runs it root; where one of them is missing the
// test fails.
func TestOnThisMachineProgramsAreBuiltAndRun(t *testing.T) {
	for _, c := range []struct {
		name string
		v    engine.Values
		want []string // what each proof says, up to the version of Go
	}{
		{"without C", engine.Values{"targets": []string{"linux/amd64", "linux/arm64", "linux/loong64", "linux/mips64le", "linux/riscv64"}}, []string{
			"ELF for x86_64, static; it runs, made by go1.",
			"ELF for aarch64, static; it runs by qemu-aarch64-static, made by go1.",
			"ELF for loongarch64, static; it runs by qemu-loongarch64-static, made by go1.",
			"ELF for mips64el, static; it runs by qemu-mips64el-static, made by go1.",
			"ELF for riscv64, static; it runs by qemu-riscv64-static, made by go1.",
		}},
		{"with C", engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}, []string{
			"ELF for aarch64, with the C library; it runs by qemu-aarch64-static, made by go1.",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, m := context.Background(), machine.Local()
			f, err := detect.Detect(ctx, m)
			if err != nil {
				t.Fatal(err)
			}
			s, h := Step{}, steptest.Hosts(m, f)
			sv := steptest.Survey(t, s, m, h, c.v)
			before := left(t)
			proofs := s.Proofs(h, sv, c.v)
			if len(proofs) != len(c.want) {
				t.Fatalf("%d proofs, want %d", len(proofs), len(c.want))
			}
			for i, p := range proofs {
				said, err := p.Prove(ctx, m)
				if err != nil {
					t.Errorf("%s: %v (%s)", p.Title.EN, err, lang.Hint(err, lang.EN))
					continue
				}
				t.Logf("%s: %s", p.Title.EN, said.EN)
				if !strings.HasPrefix(said.EN, c.want[i]) {
					t.Errorf("want %s…", c.want[i])
				}
			}
			if after := left(t); after != before {
				t.Errorf("left behind: %s", after)
			}
		})
	}
}

// A proof can fail: with this machine's own compiler in the place of the other's.
func TestOnThisMachineAWrongCompilerIsFoundOut(t *testing.T) {
	ctx, m := context.Background(), machine.Local()
	f, err := detect.Detect(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	v := engine.Values{"cgo": true, "targets": []string{"linux/arm64"}}
	h, err := newHost(steptest.Hosts(m, f), steptest.Survey(t, Step{}, m, steptest.Hosts(m, f), v), m.ID(), answers{CGO: true, Run: true, Mode: auto})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := portOf("arm64")
	p.triplet = "x86_64-linux-gnu"
	before := left(t)
	said, err := h.prove(ctx, m, p)
	if err == nil || !strings.Contains(err.Error(), "cannot build a program with C for linux/arm64") {
		t.Errorf("%q, %v", said.EN, err)
	}
	if after := left(t); after != before {
		t.Errorf("left behind: %s", after)
	}
}

func left(t *testing.T) string {
	t.Helper()
	var out []string
	for _, pattern := range []string{"/var/tmp/goxin-build-*", "/root/goxin-build-*"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	return strings.Join(out, " ")
}
