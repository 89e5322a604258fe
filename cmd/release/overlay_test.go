package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"goxin/steps/overlay"
)

// runtimeOf is a GOROOT of the few files that matter, which says it is a release.
func runtimeOf(t *testing.T, release string) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		t.Fatal(err)
	}
	from, is, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	if !overlay.Knows(is) {
		t.Fatalf("the Go here is %s, of which no overlay is known", is)
	}
	if release == "" {
		release = is
	}
	dir := t.TempDir()
	for _, p := range overlay.Pins(is) {
		if data, err := os.ReadFile(filepath.Join(from, p.Name)); err == nil {
			put(t, filepath.Join(dir, p.Name), data)
		}
	}
	put(t, filepath.Join(dir, "VERSION"), []byte(release+"\ntime 2026-01-01T00:00:00Z\n"))
	return dir
}

func put(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := write(name, data); err != nil {
		t.Fatal(err)
	}
}

func TestTheOverlayIsWrittenForWhatIsKnownAlone(t *testing.T) {
	for name, c := range map[string]struct {
		goroot func(t *testing.T) string
		args   []string
		want   string // "" if it is written
	}{
		"the release of go.mod": {goroot: func(t *testing.T) string { return runtimeOf(t, "") }},
		"a third line": {
			goroot: func(t *testing.T) string { return runtimeOf(t, "go1.24.11") },
			want:   "cannot make the overlay for go1.24.11: its runtime is not known",
		},
		"files of another line": {
			goroot: func(t *testing.T) string { return runtimeOf(t, "go1.25.14") },
			want:   "src/runtime/os_linux.go: its SHA-256 is",
		},
		"a development version": {
			goroot: func(t *testing.T) string { return runtimeOf(t, "devel go1.27-0123456789") },
			want:   "its runtime is not known",
		},
		"another architecture": {
			goroot: func(t *testing.T) string { return runtimeOf(t, "") },
			args:   []string{"-goarch", "arm64"},
			want:   "cannot make the overlay for arm64",
		},
		"one file changed": {
			goroot: func(t *testing.T) string {
				dir := runtimeOf(t, "")
				name := filepath.Join(dir, "src/runtime/os_linux.go")
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				put(t, name, append(data, "// mine\n"...))
				return dir
			},
			want: "src/runtime/os_linux.go: its SHA-256 is",
		},
		"the module cache": {
			goroot: func(t *testing.T) string {
				dir := runtimeOf(t, "")
				t.Setenv("GOMODCACHE", filepath.Dir(dir))
				return dir
			},
			want: "it lies in the module cache",
		},
		"the module cache, by a link": {
			goroot: func(t *testing.T) string {
				dir := runtimeOf(t, "")
				t.Setenv("GOMODCACHE", dir)
				link := filepath.Join(t.TempDir(), "go")
				if err := os.Symlink(dir, link); err != nil {
					t.Fatal(err)
				}
				return link
			},
			want: "it lies in the module cache",
		},
		"no GOROOT": {
			goroot: func(t *testing.T) string { return t.TempDir() },
			want:   "cannot tell which Go is in",
		},
	} {
		t.Run(name, func(t *testing.T) {
			root, to := c.goroot(t), filepath.Join(t.TempDir(), "overlay")
			err := run(t.Context(), append(append([]string{"overlay"}, c.args...), root, to))
			_, gone := os.Stat(filepath.Join(to, "overlay.json"))
			if c.want == "" {
				if err != nil || gone != nil {
					t.Errorf("%v, %v", err, gone)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if gone == nil {
				t.Error("it has written an overlay all the same")
			}
		})
	}
}

// A program of this machine has no probe: it may be released for its own architecture,
// and as loong64's it may not.
func TestAProgramWithoutTheProbeIsNotReleasedForLoong64(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "main.go"), []byte("package main\n\nfunc main() {}\n"))
	program := filepath.Join(dir, "program")
	c := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, filepath.Join(dir, "main.go"))
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := guard(program, "amd64"); err != nil {
		t.Error(err)
	}
	if err := guard(program, overlay.Arch); err == nil || !strings.Contains(err.Error(), "does not ask which of LoongArch's worlds it is in") {
		t.Errorf("error %v", err)
	}
	put(t, program, []byte("#!/bin/sh\n"))
	if err := guard(program, "amd64"); err == nil || !strings.Contains(err.Error(), "cannot release "+program) {
		t.Errorf("a script: error %v", err)
	}
}
