//go:build e2e

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"goxin/steps/overlay"
	"goxin/steps/selftest"
	"goxin/steps/verify"
)

// A machine of the old world builds its own Go from verified source with goxin's overlay:
// the released binary plans it, proves the source, runs make.bash to its end, has the new
// Go stand the self-test, and knows it again afterwards. The machine's programs are those
// of the host, but for goxin and all Go: those are the old world's, from the bootstrap to
// what the new Go compiles. It takes more than an hour.
func TestAMachineOfTheOldWorldMakesItsOwnGo(t *testing.T) {
	w := worlds(t)[0]
	if !w.old {
		t.Fatal("this takes the old world")
	}
	release, err := pinned(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := machineOf(t, w, release)
	version := strings.TrimPrefix(release, "go")

	m.does(t, "goxin", "--lang", "en", "apply", "--yes", "--set", "toolchain.versions="+version,
		"--set", "toolchain.how=overlay", "--set", "toolchain.source=/stick", "--set", "toolchain.selftest=true")

	made := strings.TrimSpace(m.does(t, "readlink", "-f", "/usr/local/goxin/go/current"))
	t.Run("goxin verify", func(t *testing.T) {
		out := m.does(t, "goxin", "--lang", "en", "verify", made)
		want := fmt.Sprintf("authentic source of %s linux/loong64 plus goxin's overlay %d, as goxin built it on this machine", release, overlay.Number)
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	})
	t.Run("the self-test again", func(t *testing.T) {
		out := m.does(t, "goxin", "toolchain", "selftest", "--json", version)
		var r struct{ Checks []struct{ OK bool } }
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, c := range r.Checks {
			if !c.OK {
				t.Errorf("a check failed:\n%s", out)
			}
		}
		if len(r.Checks) != len(selftest.Names()) {
			t.Errorf("%d checks\n%s", len(r.Checks), out)
		}
	})
	t.Run("go run", func(t *testing.T) {
		if err := os.WriteFile(filepath.Join(m.root, "root/hello.go"), []byte(hello), 0o600); err != nil {
			t.Fatal(err)
		}
		m.does(t, "sh", "-ec", "cd /root; exec /usr/local/goxin/go/current/bin/go run hello.go")
	})
	t.Run("undo", func(t *testing.T) {
		m.does(t, "goxin", "--lang", "en", "undo")
		if _, err := os.Lstat(filepath.Join(m.root, made)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", made, err)
		}
	})
}

// bootstrap is where Debian has its Go, and goxin finds one to build another with.
const bootstrap = "/usr/lib/go-1.26"

// inWorld is a machine's tree that one may enter by chroot(2).
type inWorld struct {
	w    world
	root string
}

// machineOf makes a machine without network that has a bootstrap Go, goxin, and on a stick
// a module of Go's for another platform: its source is every platform's.
func machineOf(t *testing.T, w world, release string) inWorld {
	t.Helper()
	tree, err := exec.Command("go", "run", "goxin/cmd/lab", "tree").Output()
	if err != nil {
		t.Fatalf("there is no base tree: %v (go run ./cmd/lab prepare)", err)
	}
	m := inWorld{w, filepath.Join(t.TempDir(), "machine")}
	ran(t, "", nil, "cp", "-a", strings.TrimSpace(string(tree)), m.root)

	module, err := download(t.Context(), verify.Toolchain{Version: release, OS: "linux", Arch: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"stick", "usr/lib"} {
		if err := os.MkdirAll(filepath.Join(m.root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ran(t, "", nil, "cp", "--no-preserve=mode", module, filepath.Join(m.root, "stick"))
	vendors(t, release, filepath.Join(m.root, bootstrap))
	ran(t, "", nil, "cp", released(t), filepath.Join(m.root, "usr/bin/goxin"))
	return m
}

// vendors makes the Go that a vendor of such machines would have: cross-compiled, with the
// overlay in its sources.
func vendors(t *testing.T, release, dir string) {
	t.Helper()
	root, _ := goOf(t, release)
	ran(t, "", nil, "cp", "-a", root, dir)
	list, err := writeOverlay(dir, overlay.Arch, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var files struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &files); err != nil {
		t.Fatal(err)
	}
	for name, from := range files.Replace {
		ran(t, "", nil, "cp", from, name)
	}
	env := []string{"GOROOT=" + dir, "GOTOOLCHAIN=local", "GOFLAGS=", "CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + overlay.Arch}
	ran(t, filepath.Join(dir, "src"), env, filepath.Join(dir, "bin/go"), "install", "-trimpath", "cmd")
	const own = `cd "$0"; mv bin/linux_loong64/* bin; rm -r bin/linux_loong64 pkg/tool/linux_amd64; chown -R 0:0 .; chmod -R go-w .`
	ran(t, "", nil, "sh", "-ec", own, dir)
}

// ran runs a program of this machine that has to end well.
func ran(t *testing.T, dir string, env []string, argv ...string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", argv, err, out)
	}
}

// does runs a program in the machine that has to end well, and shows as it comes what it
// says: an hour without a word would be a long one.
func (m inWorld) does(t *testing.T, argv ...string) string {
	t.Helper()
	const enter = `for d in dev proc sys; do mount --rbind /$d "$0/$d"; done; exec chroot "$0" "$@"`
	c := m.w.command(t, append([]string{"sh", "-ec", enter, m.root}, argv...)...)
	c.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "TERM=dumb", "LANG=C.UTF-8"}, m.w.env...)
	var out bytes.Buffer
	c.Stdout = io.MultiWriter(&out, os.Stderr)
	c.Stderr = os.Stderr
	begin := time.Now()
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v\n%.4000s", argv, err, &out)
	}
	t.Logf("%v: %.0f s", argv, time.Since(begin).Seconds())
	return out.String()
}
