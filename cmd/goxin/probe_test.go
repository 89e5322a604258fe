package main

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"goxin/steps/sandbox"
)

func TestEveryLineOfTheSandboxHasItsAct(t *testing.T) {
	used := map[string]bool{}
	for _, level := range []sandbox.Level{sandbox.Strict, sandbox.Standard} {
		lines, _ := sandbox.Lines(sandbox.Machine{Systemd: 999, GOARCH: "amd64", Users: true}, sandbox.Service{Level: level})
		for _, d := range lines {
			if _, ok := acts()[d.Probe]; !ok && d.Probe != "" {
				t.Errorf("%s has no act %s", d.Line(), d.Probe)
			}
			used[d.Probe] = true
		}
	}
	for name := range acts() {
		if !used[name] {
			t.Errorf("no line forbids %s", name)
		}
	}
}

func TestWhatAProbeDoesLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	for _, name := range []string{"setuid-bit", "give-away", "umask", "write-execute", "chown"} {
		err := acts()[name]("")
		if errno := unix.Errno(0); err != nil && !errors.As(err, &errno) {
			t.Errorf("%s: %v is not what a kernel says", name, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s leaves %v", name, left)
		}
	}
	if err := acts()["see-tmp"](filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it sees what is not there: %v", err)
	}
	if err := acts()["see-tmp"](dir); err != nil {
		t.Error(err)
	}
}

// Opening some devices does something: the machine of whoever has a watchdog would restart.
func TestAProbeOpensNoDeviceThatActsOnIt(t *testing.T) {
	for name, want := range map[string]bool{
		"watchdog": true, "watchdog0": true, "st0": true, "nst0": true, "nst1a": true, "st2m": true,
		"sda": false, "autofs": false, "stratis": false, "loop-control": false,
	} {
		if touchy(name) != want {
			t.Errorf("%s: %t", name, !want)
		}
	}
}

// A name that somebody took beforehand would look like a refusal.
func TestAProbeIsNotRefusedByANameThatSomebodyTook(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, fmt.Sprintf(".goxin-probe-%d", os.Getpid()))
	if err := os.WriteFile(taken, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := touch(dir, 0o600, nil); err != nil {
		t.Error(err)
	}
}

// A filter of system calls kills whoever asks: chown left a file in /tmp.
func TestAProbeThatIsKilledLeavesNoFile(t *testing.T) {
	dir := t.TempDir()
	err := touch(dir, 0o600, func(f *os.File) error {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("killed now it would leave %v, %v", left, err)
		}
		return f.Chmod(0o700)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTheForeignProgramIsOne(t *testing.T) {
	code := []byte{0xcd, 0x80}
	for machine, want := range map[uint16]elf.Machine{3: elf.EM_386, 40: elf.EM_ARM} {
		f, err := elf.NewFile(bytes.NewReader(smallELF(machine, code)))
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != want || f.Class != elf.ELFCLASS32 || f.Type != elf.ET_EXEC || len(f.Progs) != 1 {
			t.Errorf("%+v", f.FileHeader)
		}
		p := f.Progs[0]
		got := make([]byte, len(code))
		if _, err := p.ReadAt(got, int64(f.Entry-p.Vaddr)); err != nil || !bytes.Equal(got, code) {
			t.Errorf("at its entry is %x, %v", got, err)
		}
	}
	if err := foreignCall(); runtime.GOARCH == "amd64" && err != nil && !errors.Is(err, unix.ENOEXEC) {
		t.Errorf("it neither ran nor was refused as foreign: %v", err)
	}
}

func TestTheEffectiveUserIsReadFromAStatus(t *testing.T) {
	for status, want := range map[string]string{
		"Name:\tsu\nUid:\t65534\t0\t0\t0\nGid:\t1\t1\t1\t1\n": "0",
		"Uid:\t0\t65534\t0\t0\n":                              "65534",
		"Uid:\t0\n":                                           "",
		"":                                                    "",
	} {
		if got := effective(status); got != want {
			t.Errorf("%q: %q", status, got)
		}
	}
}
