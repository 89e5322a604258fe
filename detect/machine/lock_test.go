package machine

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func held(err error) string {
	var l *LockedError
	if !errors.As(err, &l) {
		return ""
	}
	return string(l.Note)
}

func TestALockIsHeldOnceWithinAProcess(t *testing.T) {
	dir := t.TempDir()
	release, err := Root(dir).Lock("/lock", []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Root(dir).Lock("/lock", []byte("second")); held(err) != "first" {
		t.Errorf("%v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if i, err := Root(dir).Stat("/lock"); err != nil || i.Size != 0 || i.Mode != 0o600 {
		t.Errorf("after release: %+v, %v", i, err)
	}
	release, err = Root(dir).Lock("/lock", []byte("2"))
	if err != nil {
		t.Fatal(err)
	}
	if got := content(t, filepath.Join(dir, "lock")); got != "2" {
		t.Errorf("%q", got)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
}

func TestALockHoldsAcrossProcessesAndEndsWithThem(t *testing.T) {
	dir := t.TempDir()
	for _, end := range []string{"release", "kill"} {
		args := []string{dir}
		if end == "kill" {
			args = append(args, "forever")
		}
		other := play(t, "lock", args...)
		in, err := other.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := other.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(out)
		if s, err := lines.ReadString('\n'); s != "locked <nil>\n" {
			t.Fatalf("%s: %q, %v", end, s, err)
		}
		if _, err := Root(dir).Lock("/lock", nil); held(err) != "pid "+strconv.Itoa(other.Process.Pid) {
			t.Errorf("%s: %v", end, err)
		}
		if end == "kill" {
			_ = other.Process.Signal(unix.SIGKILL)
		} else {
			_, _ = in.Write([]byte("\n"))
			if s, err := lines.ReadString('\n'); s != "released <nil>\n" {
				t.Errorf("%q, %v", s, err)
			}
		}
		_ = other.Wait()
		release, err := Root(dir).Lock("/lock", []byte("us"))
		if err != nil {
			t.Fatalf("after %s: %v", end, err)
		}
		again := play(t, "lock", dir)
		again.Stdin = strings.NewReader("")
		if b, _ := again.Output(); !strings.HasPrefix(string(b), "locked locked by another process") {
			t.Errorf("%q", b)
		}
		if err := release(); err != nil {
			t.Error(err)
		}
	}
}

func TestALockNeedsItsDirectory(t *testing.T) {
	if _, err := Root(t.TempDir()).Lock("/none/lock", nil); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
