package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"goxin/steps/overlay"
)

// overlayFor is `release overlay`.
func overlayFor(args []string) error {
	f := flag.NewFlagSet("release overlay", flag.ContinueOnError)
	goarch := f.String("goarch", overlay.Arch, "the architecture it is for")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() != 2 {
		return errors.New("usage: release overlay [-goarch ARCH] GOROOT DIR")
	}
	name, err := writeOverlay(f.Arg(0), *goarch, f.Arg(1))
	if err != nil {
		return err
	}
	fmt.Println(name)
	return nil
}

// writeOverlay writes the overlay of the Go in goroot into dir, and gives the name of
// the file for go build -overlay.
func writeOverlay(goroot, goarch, dir string) (string, error) {
	goroot, err := filepath.Abs(goroot)
	if err != nil {
		return "", err
	}
	if cache, err := moduleCache(); err != nil {
		return "", err
	} else if within(goroot, cache) {
		return "", fmt.Errorf("cannot overlay %s: it lies in the module cache %s, of which the go command overlays nothing; unpack the release elsewhere", goroot, cache)
	}
	text, err := os.ReadFile(filepath.Join(goroot, "VERSION"))
	if err != nil {
		return "", fmt.Errorf("cannot tell which Go is in %s: %w", goroot, err)
	}
	release, _, _ := strings.Cut(string(text), "\n")
	files, err := overlay.Files(release, goarch, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(goroot, name)) })
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, f := range files {
		to := filepath.Join(dir, filepath.Base(f.Name))
		if err := write(to, f.Data); err != nil {
			return "", err
		}
		if replace[filepath.Join(goroot, f.Name)], err = filepath.Abs(to); err != nil {
			return "", err
		}
	}
	list, err := json.MarshalIndent(struct{ Replace map[string]string }{replace}, "", "\t")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, write(name, list)
}

func write(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

func moduleCache() (string, error) {
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return "", fmt.Errorf("cannot tell where the module cache is: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// within says that a path is dir or below it, whatever links lead there.
func within(path, dir string) bool {
	for _, p := range []*string{&path, &dir} {
		if real, err := filepath.EvalSymlinks(*p); err == nil {
			*p = real
		}
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
