package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cache is the directory where base trees, images and running machines are
// kept: never in the repository.
type cache struct{ dir string }

func openCache() (cache, error) {
	dir := os.Getenv("GOXIN_LAB_CACHE")
	if dir == "" {
		if xdg := os.Getenv("XDG_CACHE_HOME"); xdg != "" {
			dir = filepath.Join(xdg, "goxin-lab")
		} else {
			dir = "/var/cache/goxin-lab"
		}
	}
	for _, sub := range []string{"run", "locks"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return cache{}, fmt.Errorf("cannot make the lab's cache: %w", err)
		}
	}
	return cache{dir}, nil
}

// key names what a recipe makes. A recipe that changes makes something else.
func key(recipe any) string {
	b, err := json.Marshal(recipe)
	if err != nil {
		panic(err) // recipes are plain structs
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// lock waits for a lock of the cache. It is let go when the file is closed, by
// the kernel too when the process dies.
func (c cache) lock(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(c.dir, "locks", name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, unix.EINTR) {
			_ = f.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", f.Name(), err)
		}
	}
}

// tryLock is lock without waiting: nil if it is held.
func (c cache) tryLock(name string) *os.File {
	f, err := os.OpenFile(filepath.Join(c.dir, "locks", name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil
	}
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		_ = f.Close()
		return nil
	}
	return f
}

// once returns kind/name in the cache, building it first if it is not there.
// build makes it under another name, so that it is there whole or not at all;
// two runs that want the same build it once.
func (c cache) once(kind, name string, build func(tmp string) error) (string, error) {
	final := filepath.Join(c.dir, kind, name)
	if used(final) {
		return final, nil
	}
	l, err := c.lock(kind + "-" + name)
	if err != nil {
		return "", err
	}
	defer l.Close()
	if used(final) {
		return final, nil
	}
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return "", err
	}
	tmp := final + ".tmp"
	if err := os.RemoveAll(tmp); err != nil {
		return "", err
	}
	if err := build(tmp); err != nil {
		_ = os.RemoveAll(tmp)
		return "", fmt.Errorf("cannot build %s of the lab: %w", kind, err)
	}
	return final, os.Rename(tmp, final)
}

// used reports whether a thing is there and marks it as in use today.
func used(name string) bool {
	now := time.Now()
	return !errors.Is(os.Chtimes(name, now, now), fs.ErrNotExist)
}

// prune removes what no recipe has asked for in age. Machines keep what they
// stand on alive: keep holds its paths.
func (c cache) prune(age time.Duration, keep map[string]bool) error {
	var failed error
	for _, kind := range []string{"agents", "trees", "images", "repositories", "releases"} {
		entries, _ := os.ReadDir(filepath.Join(c.dir, kind))
		for _, e := range entries {
			name := filepath.Join(c.dir, kind, e.Name())
			info, err := e.Info()
			if err != nil || keep[name] || time.Since(info.ModTime()) < age {
				continue
			}
			// Held while it is being built.
			if l := c.tryLock(kind + "-" + strings.TrimSuffix(e.Name(), ".tmp")); l != nil {
				failed = errors.Join(failed, os.RemoveAll(name), l.Close())
			}
		}
	}
	return failed
}
