package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"goxin/detect/machine"
	"goxin/steps/unpack"
	"goxin/steps/verify"
)

// pinned is the release that go.mod names in its toolchain line, as "go1.26.8".
func pinned(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "edit", "-json").Output()
	if err != nil {
		return "", fmt.Errorf("cannot read go.mod: %w", err)
	}
	var mod struct{ Toolchain string }
	if err := json.Unmarshal(out, &mod); err != nil {
		return "", fmt.Errorf("cannot read go.mod: %w", err)
	}
	if mod.Toolchain == "" {
		return "", errors.New("cannot tell which Go to build with: go.mod has no toolchain line")
	}
	return mod.Toolchain, nil
}

// goroot gives a GOROOT of a release of Go for this machine, which it has fetched from
// the module proxy, where the checksum database vouches for it, and unpacked outside of
// the module cache: from Go 1.25 on files of the cache cannot be overlaid. It stays for
// the next time.
func goroot(ctx context.Context, release string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	t := verify.Toolchain{Version: release, OS: "linux", Arch: runtime.GOARCH}
	dir := filepath.Join(cache, "goxin-release", t.ModuleVersion())
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	say("unpacking %s into %s", t, dir)
	zip, err := download(ctx, t)
	if err != nil {
		return "", fmt.Errorf("cannot fetch %s: %w", t, err)
	}
	if err := unpackZip(ctx, zip, dir, t); err != nil && !errors.Is(err, fs.ErrExist) { // another one was quicker
		return "", fmt.Errorf("cannot unpack %s: %w", zip, err)
	}
	return dir, nil
}

func download(ctx context.Context, t verify.Toolchain) (zip string, err error) {
	c := exec.CommandContext(ctx, "go", "mod", "download", "-json", verify.ToolchainModule+"@"+t.ModuleVersion())
	c.Env = append(os.Environ(), "GOFLAGS=")
	out, err := c.Output()
	var module struct{ Zip, Error string }
	if jsonErr := json.Unmarshal(out, &module); jsonErr != nil {
		return "", errors.Join(err, jsonErr)
	}
	if module.Error != "" {
		return "", errors.New(strings.TrimSpace(module.Error))
	}
	return module.Zip, err
}

func unpackZip(ctx context.Context, zip, dir string, t verify.Toolchain) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	f, err := os.Open(zip)
	if err != nil {
		return err
	}
	defer f.Close()
	stage, err := machine.Local().Stage(dir)
	if err != nil {
		return err
	}
	if _, err := unpack.Into(ctx, f, stage, unpack.GoZip(t)); err != nil {
		return errors.Join(err, stage.Discard())
	}
	return stage.Commit()
}
