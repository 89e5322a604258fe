package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// emulation is preloaded by the programs of an emulated machine. It is compiled in
// the machine's tree; beside Go's own files C would be taken for a part of them.
//
//go:embed emulation/emulated.c
var emulation string

const (
	emulationSource = "/usr/lib/goxin-lab/emulated.c"
	emulationFile   = "/usr/lib/goxin-lab/emulated.so"
)

const binfmts = "/proc/sys/fs/binfmt_misc"

// emulateArch has the kernel run programs of an architecture, as Debian calls it.
func (l *Lab) emulateArch(arch string) error {
	if arch != "arm64" {
		return fmt.Errorf("cannot make a machine of architecture %q: it is arm64 or the host's own", arch)
	}
	return l.Emulate("aarch64")
}

// Emulate has the kernel run programs of another processor (as QEMU calls it:
// aarch64) by QEMU's user emulation, in containers too. It stays so until the
// machine is rebooted.
func (l *Lab) Emulate(cpu string) error {
	name := "qemu-" + cpu
	if _, err := os.Stat(binfmts + "/register"); errors.Is(err, fs.ErrNotExist) {
		if err := unix.Mount("binfmt_misc", binfmts, "binfmt_misc", 0, ""); err != nil {
			return fmt.Errorf("cannot mount %s: %w", binfmts, err)
		}
	}
	if _, err := os.Stat(binfmts + "/" + name); err == nil {
		return nil
	}
	format, err := os.ReadFile("/usr/lib/binfmt.d/" + name + ".conf")
	if err != nil {
		return err
	}
	// Its flag F has the kernel keep the interpreter, so that a container needs none.
	if err := os.WriteFile(binfmts+"/register", []byte(strings.TrimSpace(string(format))), 0o200); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot register %s: %w", name, err)
	}
	return nil
}
