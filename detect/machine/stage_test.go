package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

func fillStage(m Machine) error {
	s, err := m.Stage("/go")
	if err != nil {
		return err
	}
	if err := s.Mkdir("bin", 0o755); err != nil {
		return err
	}
	f, err := s.Create("bin/go", 0o755)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte("program")); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := s.Symlink("../bin/go", "bin/l"); err != nil {
		return err
	}
	return s.Commit()
}

func TestAStageStandsAtOnceWithItsModes(t *testing.T) {
	dir := t.TempDir()
	was := syscall.Umask(0o077)
	defer syscall.Umask(was)
	plant(t, dir, "f .go.goxin-new/stale x")
	if err := fillStage(Root(dir)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir) + ": " + names(t, dir+"/go") + ": " + names(t, dir+"/go/bin"); got != "go: bin: go l" {
		t.Errorf("%s", got)
	}
	for name, mode := range map[string]fs.FileMode{"/go": 0o755 | fs.ModeDir, "/go/bin": 0o755 | fs.ModeDir, "/go/bin/go": 0o755} {
		if i, err := Root(dir).Stat(name); err != nil || i.Mode != mode {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
}

func TestAStageDoesNotReplace(t *testing.T) {
	for _, there := range []string{"f go x", "d go", "d go/full", "l go nowhere"} {
		dir := t.TempDir()
		plant(t, dir, there)
		if err := fillStage(Root(dir)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", there, err)
		}
	}
}

func TestADiscardedStageIsGoneAndTakesNothingMore(t *testing.T) {
	dir := t.TempDir()
	s, err := Root(dir).Stage("/go")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Mkdir("d", 0o755); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Discard(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Create("f", 0o644); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Create: %v", err)
	}
	if err := s.Commit(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if got := names(t, dir); got != "" {
		t.Errorf("left: %s", got)
	}
}

func TestAStageDoesNotClimbAndFollowsNoLink(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "tree")
	plant(t, dir, "d etc")
	s, err := Root(dir).Stage("/etc/go")
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"out": outside, "up": "..", "here": ".", "file": "/etc/passwd"} {
		if err := s.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "/x", "a/../x", "out/x", "up/x", "here/x", "file", "x/", "a//b", "n\x00n"} {
		if err := s.Mkdir(name, 0o755); err == nil {
			t.Errorf("Mkdir %q", name)
		}
		if _, err := s.Create(name, 0o644); err == nil {
			t.Errorf("Create %q", name)
		}
		if err := s.Symlink("t", name); err == nil {
			t.Errorf("Symlink %q", name)
		}
	}
	if got := names(t, outside) + ": " + names(t, dir) + ": " + names(t, dir+"/etc"); got != "tree: etc: .go.goxin-new" {
		t.Errorf("%s", got)
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestAnOldKernelDoesNotReplaceEither(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "d a/x", "d b", "l c nowhere")
	for _, to := range []string{"b", "c"} {
		if err := renameChecked(filepath.Join(dir, "a"), filepath.Join(dir, to)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := renameChecked(filepath.Join(dir, "a"), filepath.Join(dir, "d")); err != nil || names(t, dir) != "b c d" {
		t.Errorf("%v, %s", err, names(t, dir))
	}
}

func TestProgramsCanWorkInAStage(t *testing.T) {
	dir := t.TempDir()
	plant(t, dir, "d srv/go", "l opt /srv")
	m := Root(dir)
	s, err := m.Stage("/opt/go/1.26.8")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Path(); got != "/srv/go/.1.26.8.goxin-new" {
		t.Errorf("Path is %s", got)
	}
	if err := m.WriteFile(s.Path()+"/made", []byte("by a program"), 0o644, Keep); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, dir+"/srv/go/1.26.8/made"); got != "by a program" {
		t.Errorf("%q", got)
	}
	if local, err := Local().Stage(dir + "/x"); err != nil || local.Path() != dir+"/.x.goxin-new" {
		t.Errorf("%v, %v", local, err)
	}
}

// More directories than are kept open, each gone back to, from several goroutines
// at once: every file is where its name says, and no descriptor is left.
func TestAStageOfManyDirectoriesKeepsFewOpen(t *testing.T) {
	dir := t.TempDir()
	before := descriptors(t)
	s, err := Root(dir).Stage("/t")
	if err != nil {
		t.Fatal(err)
	}
	const many = 3 * mostKept
	for i := range many {
		for _, d := range []string{fmt.Sprintf("d%d", i), fmt.Sprintf("d%d/e", i)} {
			if err := s.Mkdir(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range many {
				name := fmt.Sprintf("d%d/e/f%d", (i*7+g)%many, g)
				f, err := s.Create(name, 0o600)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := f.Write([]byte(name)); err != nil {
					t.Error(err)
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := descriptors(t); n > before+mostKept+1 {
		t.Errorf("%d descriptors, %d before", n, before)
	}
	if err := s.Commit(); err != nil {
		t.Fatal(err)
	}
	for i := range many {
		for g := range 4 {
			name := fmt.Sprintf("d%d/e/f%d", i, g)
			if got := content(t, filepath.Join(dir, "t", name)); got != name {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
	// The collector may have closed what an earlier test forgot: fewer is no fault.
	if n := descriptors(t); n > before {
		t.Errorf("%d descriptors are left, %d before", n, before)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(fds)
}

func TestAFileThatNobodyClosedEndsWithItsStage(t *testing.T) {
	for _, end := range []func(Stage) error{Stage.Commit, Stage.Discard} {
		before := descriptors(t)
		s, err := Root(t.TempDir()).Stage("/t")
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Create("f", 0o755)
		if err != nil {
			t.Fatal(err)
		}
		if err := end(s); err != nil {
			t.Fatal(err)
		}
		if n := descriptors(t); n != before {
			t.Errorf("%d descriptors are left of %d", n, before)
		}
		if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	}
}
