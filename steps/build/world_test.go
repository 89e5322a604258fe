package build

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/steptest"
	"goxin/steps/stock"
)

// world is a machine made by hand, and what is asked of it.
type world struct {
	name      string
	facts     func(*detect.Facts)
	files     []string // empty files; those in a bin can be run
	room      uint64   // bytes; 0: 50 GiB
	installed string   // packages, separated by blanks
	available string
	values    engine.Values
}

// kunpeng is a server with everything; lists are those of its package manager.
func kunpeng(f *detect.Facts) {
	f.Arch.Machine, f.Arch.GOARCH = steptest.Fact("aarch64"), steptest.Fact("arm64")
	f.CPU.Logical, f.Memory.Total = steptest.Fact(64), steptest.Fact(uint64(128<<30))
	f.OS.Family, f.Packages.Manager, f.OS.Product = steptest.Fact("rpm"), steptest.Fact("dnf"), steptest.Fact("kylin-server")
}

// debian is a small machine.
func debian(f *detect.Facts) {
	f.Arch.Machine, f.Arch.GOARCH = steptest.Fact("x86_64"), steptest.Fact("amd64")
	f.CPU.Logical, f.Memory.Total = steptest.Fact(2), steptest.Fact(uint64(4<<30))
	f.OS.Family, f.Packages.Manager, f.OS.Product = steptest.Fact("deb"), steptest.Fact("apt"), steptest.Fact("debian")
}

func with(all ...func(*detect.Facts)) func(*detect.Facts) {
	return func(f *detect.Facts) {
		for _, one := range all {
			one(f)
		}
	}
}

func limit(bytes uint64) func(*detect.Facts) {
	return func(f *detect.Facts) { f.Memory.Limit = steptest.Fact(bytes) }
}

func oldWorld(f *detect.Facts) {
	f.Arch.Machine, f.Arch.GOARCH = steptest.Fact("loongarch64"), steptest.Fact("loong64")
	f.Kernel.World, f.Kernel.UserWorld = steptest.Fact("old"), steptest.Fact("old")
}

func tree(f *detect.Facts) { f.Running = false }

const (
	lists   = "/var/lib/apt/lists/deb.debian.org_Packages.lz4"
	someGo  = "/usr/local/go/bin/go"
	qemuARM = "/usr/bin/qemu-aarch64-static"
	armGCC  = "/usr/bin/aarch64-linux-gnu-gcc"
	cc      = "/usr/bin/gcc"
	crosses = "gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-mips64el-linux-gnuabi64 libc6-dev-mips64el-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"
)

func worlds() []world {
	cgo := func(targets ...string) engine.Values {
		return engine.Values{"cgo": true, "targets": targets}
	}
	return []world{
		{name: "build-server", facts: kunpeng, files: []string{someGo, "/usr/bin/qemu-loongarch64"}},
		{name: "small-machine", facts: debian, files: []string{lists, someGo, qemuARM}},
		{name: "small-machine-seldom", facts: debian, files: []string{lists, someGo, qemuARM}, values: engine.Values{"often": "seldom", "run": false}},
		{name: "before-the-toolchain", facts: debian, files: []string{lists}},
		{name: "too-little-memory", facts: with(debian, limit(512<<20)), files: []string{lists, someGo}, values: engine.Values{"targets": []string{"linux/amd64", "linux/arm64", "linux/mipsle"}}},
		{name: "too-little-room", facts: debian, files: []string{lists, someGo}, room: 300 << 20},
		{name: "old-world", facts: with(kunpeng, oldWorld)},
		{name: "cgo-debian", facts: debian, files: []string{lists, someGo, cc}, available: crosses, values: cgo("linux/amd64", "linux/arm64", "linux/mips64le", "linux/riscv64", "linux/loong64", "linux/ppc64")},
		{name: "cgo-debian-done", facts: debian, files: []string{lists, someGo, cc, armGCC, qemuARM}, installed: crosses, values: cgo("linux/amd64", "linux/arm64", "linux/mips64le", "linux/riscv64")},
		{name: "cgo-debian-without-lists", facts: debian, files: []string{someGo, cc}, values: cgo("linux/arm64")},
		{name: "cgo-compiler-by-hand", facts: debian, files: []string{lists, someGo, armGCC}, available: crosses, values: cgo("linux/amd64", "linux/arm64")},
		{name: "cgo-32-bit-without-compiler", facts: debian, files: []string{lists, someGo, cc}, available: crosses, values: cgo("linux/arm")},
		{name: "cgo-rpm", facts: kunpeng, files: []string{someGo}, values: cgo("linux/arm64", "linux/loong64")},
		{name: "cgo-cross-asked-for-rpm", facts: kunpeng, files: []string{someGo, cc}, values: engine.Values{"cgo": true, "mode": "cross"}},
		{name: "cgo-no-package-manager", facts: with(debian, func(f *detect.Facts) { f.Packages.Manager = detect.Fact[string]{} }), files: []string{someGo}, values: cgo("linux/arm64")},
		{name: "native-asked-for", facts: debian, files: []string{lists, someGo, qemuARM}, available: crosses, values: engine.Values{"cgo": true, "mode": "native"}},
		{name: "tree", facts: with(debian, tree), values: engine.Values{"cgo": true}},
		{name: "no-port", facts: with(debian, func(f *detect.Facts) {
			f.Arch.Machine, f.Arch.GOARCH = steptest.Fact("sw_64"), steptest.Fact("")
		})},
		{name: "no-targets", facts: debian, values: engine.Values{"targets": []string{}}},
	}
}

// roomy is a tree with as much room as its world says.
type roomy struct {
	machine.Machine
	free uint64
}

func (r roomy) Space(string) (machine.Space, error) {
	return machine.Space{Free: r.free, Total: 100 << 30}, nil
}

func (w world) build(t *testing.T) (Step, machine.Machine, engine.Hosts) {
	t.Helper()
	files := map[string]string{}
	for _, f := range w.files {
		files[f] = ""
	}
	m, root := steptest.Tree(t, files)
	for _, f := range w.files {
		if filepath.Base(filepath.Dir(f)) == "bin" {
			if err := os.Chmod(filepath.Join(root, f), 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
	if w.room == 0 {
		w.room = 50 << 30
	}
	f := &detect.Facts{Running: true}
	w.facts(f)
	r := roomy{m, w.room}
	ask := shelf(w.installed, w.available)
	if !f.Running {
		ask.Installed = func(context.Context, machine.Machine, string, ...string) (map[string]string, error) {
			return nil, machine.ErrNotRunning
		}
	}
	return Step{ask}, r, steptest.Hosts(r, f)
}

// shelf is a package manager that has and could have packages.
func shelf(installed, available string) *stock.Ask {
	pick := func(from string, names []string) map[string]string {
		out := map[string]string{}
		for _, have := range strings.Fields(from) {
			for _, n := range names {
				if n == have {
					out[n] = "12.2.0"
				}
			}
		}
		return out
	}
	return &stock.Ask{
		Installed: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			return pick(installed+" bash", names), nil
		},
		Available: func(_ context.Context, _ machine.Machine, _ string, names ...string) (map[string]string, error) {
			return pick(available, names), nil
		},
	}
}
