package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// goTree makes a tree of an amd64 machine with nothing in it: tree DIR.
func goTree(ts *testscript.TestScript, _ bool, args []string) {
	root := ts.MkAbs(args[0])
	for _, d := range []string{"etc", "usr/local", "usr/bin", "bin", "mnt/usb", "var/tmp"} {
		ts.Check(os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	ts.Check(os.WriteFile(filepath.Join(root, "etc/os-release"), []byte("ID=debian\nVERSION_ID=12\n"), 0o644))
	// An ELF header tells the processor: x86-64, little-endian, an executable.
	header := append([]byte("\x7fELF\x02\x01\x01"), make([]byte, 57)...)
	header[16], header[18], header[20] = 2, 62, 1
	ts.Check(os.WriteFile(filepath.Join(root, "bin/sh"), header, 0o755))
}

// goModule puts a module's zip into a directory, from the module cache or, the first
// time, from the module proxy that go is set up with: gomodule PATH VERSION DIR.
func goModule(ts *testscript.TestScript, _ bool, args []string) {
	out, err := exec.Command("go", "mod", "download", "-json", args[0]+"@"+args[1]).Output()
	if err != nil {
		ts.Fatalf("cannot download %s@%s: %v\n%s", args[0], args[1], err, out)
	}
	var module struct{ Zip string }
	ts.Check(json.Unmarshal(out, &module))
	from, err := os.Open(module.Zip)
	ts.Check(err)
	defer from.Close()
	to, err := os.Create(filepath.Join(ts.MkAbs(args[2]), args[1]+".zip"))
	ts.Check(err)
	_, err = io.Copy(to, from)
	ts.Check(err)
	ts.Check(to.Close())
}

// cutShort ends a file after so many bytes: cut FILE BYTES.
func cutShort(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// another puts a second toolchain beside the one that was installed: another TOP
// DIRECTORY VERSION.
func another(ts *testscript.TestScript, _ bool, args []string) {
	top := ts.MkAbs(args[0])
	dir := filepath.Join(top, "go", args[1])
	ts.Check(os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	for name, text := range map[string]string{"VERSION": args[2] + "\n", "bin/go": "#!/bin/sh\n", "marked": ""} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755))
	}
	ts.Check(os.Symlink(fmt.Sprintf("../go/%s/bin/go", args[1]), filepath.Join(top, "bin", args[2])))
}
