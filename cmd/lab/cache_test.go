package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func testCache(t *testing.T) cache {
	t.Helper()
	t.Setenv("GOXIN_LAB_CACHE", t.TempDir())
	c, err := openCache()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTwoRunsBuildAThingOnce(t *testing.T) {
	c := testCache(t)
	var built atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			name, err := c.once("trees", "a", func(tmp string) error {
				built.Add(1)
				time.Sleep(20 * time.Millisecond)
				return os.WriteFile(tmp, []byte("whole"), 0o600)
			})
			if err != nil {
				t.Error(err)
			}
			if b, err := os.ReadFile(name); string(b) != "whole" {
				t.Errorf("got %q, %v", b, err)
			}
		})
	}
	wg.Wait()
	if built.Load() != 1 {
		t.Errorf("built %d times", built.Load())
	}
}

func TestABuildThatFailsOrIsCutOffLeavesNothing(t *testing.T) {
	c := testCache(t)
	failure := errors.New("no room")
	_, err := c.once("trees", "a", func(tmp string) error {
		_ = os.WriteFile(tmp, []byte("ha"), 0o600)
		return failure
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(c.dir, "trees")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if err := os.MkdirAll(filepath.Join(c.dir, "trees/a.tmp/half"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := c.once("trees", "a", func(tmp string) error { return os.Mkdir(tmp, 0o755) }); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Join(c.dir, "trees/a")); len(left) != 0 {
		t.Errorf("the half of an earlier run is in it: %v", left)
	}
}

func TestPruneKeepsWhatIsInUseNewOrBeingBuilt(t *testing.T) {
	c := testCache(t)
	old := time.Now().Add(-48 * time.Hour)
	for _, name := range []string{"used", "unused", "new", "building.tmp"} {
		path := filepath.Join(c.dir, "trees", name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if name != "new" {
			if err := os.Chtimes(path, old, old); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := c.lock("trees-building")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := c.prune(24*time.Hour, map[string]bool{filepath.Join(c.dir, "trees/used"): true}); err != nil {
		t.Fatal(err)
	}
	var left []string
	entries, _ := os.ReadDir(filepath.Join(c.dir, "trees"))
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if got := strings.Join(left, " "); got != "building.tmp new used" {
		t.Errorf("left %s", got)
	}
}

func TestAProcessIsNotItsSuccessor(t *testing.T) {
	me := identify(os.Getpid())
	if !me.alive() {
		t.Error("this process is not alive")
	}
	if (identity{me.PID, "1"}).alive() || (identity{}).alive() {
		t.Error("a process with another start time is alive")
	}
}
