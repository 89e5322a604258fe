package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestAFullStateDirectory fills the disk the journal is on, from no room at all
// to just enough: whenever it fails, the tree is as it was and a hint is given.
func TestAFullStateDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts a small file system: run it as root")
	}
	base := t.TempDir() + "/base"
	if err := layTree("kylin-v10-sp3-kunpeng920", base); err != nil {
		t.Fatal(err)
	}
	before := treeHash(t, base)
	whole := false
	for blocks := 2; !whole; blocks++ {
		if blocks > 64 {
			t.Fatal("it never fits")
		}
		state := filepath.Join(t.TempDir(), "state")
		if err := os.Mkdir(state, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := unix.Mount("tmpfs", state, "tmpfs", 0, fmt.Sprintf("nr_blocks=%d,mode=700", blocks)); err != nil {
			t.Fatal(err)
		}
		code, out := goxin(t, 0, "apply", "--root", base, "--state", state, "--yes", "--set", "kernel.profile=web")
		switch code {
		case 0:
			whole = true
			// With no room left to say so it is undone all the same, and exit 1 tells.
			if code, out := goxin(t, 0, "undo", "--root", base, "--state", state); code != 0 && !strings.Contains(out, "no space left on device") {
				t.Errorf("undo: exit %d\n%s", code, out)
			}
		case 1: // also where it was undone
			if !strings.Contains(out, "hint: ") || !strings.Contains(out, "no space left on device") {
				t.Errorf("%d blocks: exit %d without cause or hint\n%s", blocks, code, out)
			}
		default:
			t.Errorf("%d blocks: exit %d\n%s", blocks, code, out)
		}
		if treeHash(t, base) != before {
			t.Errorf("%d blocks: exit %d, and the tree is not as it was\n%s", blocks, code, out)
		}
		if err := unix.Unmount(state, 0); err != nil {
			t.Error(err)
		}
	}
}
