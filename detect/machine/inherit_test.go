package machine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// readerToo is the access list u::rw- u:1000:r-- g::r-- m::r-- o::---, as the kernel has
// it (linux/posix_acl_xattr.h).
func readerToo() []byte {
	var b bytes.Buffer
	w := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	w(uint32(2))
	for _, e := range []struct {
		tag, perm uint16
		id        uint32
	}{{1, 6, ^uint32(0)}, {2, 4, 1000}, {4, 4, ^uint32(0)}, {0x10, 4, ^uint32(0)}, {0x20, 0, ^uint32(0)}} {
		w(e.tag)
		w(e.perm)
		w(e.id)
	}
	return b.Bytes()
}

// A file that a service's user could read by an access list was closed to it by every
// change of its content.
func TestAReplacedFileKeepsItsAccessListAndNotes(t *testing.T) {
	dir := t.TempDir()
	m := Root(dir)
	kept := 0
	for attr, v := range map[string][]byte{
		"system.posix_acl_access": readerToo(),
		"user.note":               []byte("x"),
	} {
		f := filepath.Join(dir, "f")
		_ = os.Remove(f)
		if err := os.WriteFile(f, []byte("a"), 0o640); err != nil {
			t.Fatal(err)
		}
		if err := unix.Setxattr(f, attr, v, 0); err != nil {
			t.Logf("%s: %v", attr, err)
			continue
		}
		if err := m.WriteFile("/f", []byte("b"), 0o640, Keep); err != nil {
			t.Fatal(err)
		}
		got, err := m.Xattr("/f", attr)
		if !bytes.Equal(got, v) {
			t.Errorf("%s: %v %v", attr, got, err)
		}
		kept++
	}
	if kept == 0 {
		t.Error("this file system has neither, so nothing was tried")
	}
}

// Two wizards that saved their answers at the same time removed each other's temporary
// file: one failed, or half a file stood there.
func TestTwoWritersOfOneNameTakeTheirTurns(t *testing.T) {
	dir := t.TempDir()
	m := Root(dir, Fleeting())
	data := bytes.Repeat([]byte("x"), 1<<20)
	var wg sync.WaitGroup
	var mu sync.Mutex
	bad := map[string]int{}
	if err := m.WriteFile("/f", data, 0o600, Keep); err != nil {
		t.Fatal(err)
	}
	stop := make(chan bool)
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
				b, err := os.ReadFile(filepath.Join(dir, "f"))
				if len(b) != len(data) {
					mu.Lock()
					if errors.Is(err, fs.ErrNotExist) {
						bad["missing"]++
					} else {
						bad["torn"]++
					}
					mu.Unlock()
				}
			}
		}
	}()
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 200 {
				if err := m.WriteFile("/f", data, 0o600, Keep); err != nil {
					mu.Lock()
					bad[err.Error()]++
					mu.Unlock()
				}
			}
		}()
	}
	wg.Wait()
	close(stop)
	mu.Lock()
	defer mu.Unlock()
	if len(bad) > 0 {
		t.Error(bad)
	}
}
