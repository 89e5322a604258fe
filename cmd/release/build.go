package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"goxin/steps/overlay"
)

// build makes the binaries, and lets none out that is not what it has to be.
func build(ctx context.Context, dir, version string, platforms []string) error {
	release, err := pinned(ctx)
	if err != nil {
		return err
	}
	root, err := goroot(ctx, release)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "goxin-release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	for _, p := range platforms {
		goos, goarch, _ := strings.Cut(p, "/")
		to := filepath.Join(dir, "goxin-"+goarch)
		args := []string{"build", "-trimpath", "-ldflags", "-s -w -X main.version=" + version, "-o", to}
		if goarch == overlay.Arch {
			name, err := writeOverlay(root, goarch, tmp)
			if err != nil {
				return err
			}
			args = append(args, "-overlay", name)
		}
		say("%s", to)
		c := exec.CommandContext(ctx, filepath.Join(root, "bin", "go"), append(args, "./cmd/goxin")...)
		c.Env = append(os.Environ(), "GOROOT="+root, "GOTOOLCHAIN=local", "GOFLAGS=", "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch)
		c.Stdout, c.Stderr = os.Stderr, os.Stderr
		if err := c.Run(); err != nil {
			return fmt.Errorf("cannot build %s: %w", to, err)
		}
		if err := guard(to, goarch); err != nil {
			return err
		}
	}
	return nil
}

// guard refuses a binary that is no static program, or that has the probe of LoongArch's
// worlds where it should not, or lacks it.
func guard(name, goarch string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := overlay.Inspect(f)
	switch want := goarch == overlay.Arch; {
	case err != nil:
		return fmt.Errorf("cannot release %s: %w", name, err)
	case !p.Static:
		return fmt.Errorf("cannot release %s: it wants a program interpreter", name)
	case want && !p.Probes:
		return fmt.Errorf("cannot release %s: it does not ask which of LoongArch's worlds it is in: it would die without a word in the old one", name)
	case !want && p.Probes:
		return fmt.Errorf("cannot release %s: it is for %s and has LoongArch's probe", name, goarch)
	}
	return nil
}
