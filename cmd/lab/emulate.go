package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const binfmts = "/proc/sys/fs/binfmt_misc"

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
