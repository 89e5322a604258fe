package detect_test

import (
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/cpu"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
)

var update = flag.Bool("update", false, "write the full goldens in testdata/full")

// shared unpacks each captured machine once for the tests that only read it.
var shared = func() func(testing.TB, string) machine.Machine {
	var mu sync.Mutex
	opened := map[string]machine.Machine{}
	return func(t testing.TB, name string) machine.Machine {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if opened[name] == nil {
			opened[name] = openIn(t, name, filepath.Join(sharedDir, name))
		}
		return opened[name]
	}
}()

var sharedDir string

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "goxin-detect")
	if err != nil {
		panic(err)
	}
	sharedDir = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// open unpacks a captured machine for one test, which may change it.
func open(t testing.TB, name string) machine.Machine {
	t.Helper()
	return openIn(t, name, filepath.Join(t.TempDir(), "m"))
}

func openIn(t testing.TB, name, dir string) machine.Machine {
	t.Helper()
	r, err := assets.OpenMachine(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := machine.OpenRecorded(name, r, dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func facts(t testing.TB, m machine.Machine) *detect.Facts {
	t.Helper()
	f, err := detect.Detect(context.Background(), m)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// tree is the JSON form of v as maps and lists.
func tree(t testing.TB, v any) any {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCapturedMachinesAreWhatTheResearchSays compares with expectations that
// were written by hand from public sources; they are never generated.
func TestCapturedMachinesAreWhatTheResearchSays(t *testing.T) {
	for _, name := range assets.Machines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(filepath.Join("testdata", "facts", name+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var want map[string]any
			if err := json.Unmarshal(b, &want); err != nil {
				t.Fatal(err)
			}
			f := facts(t, shared(t, name))
			all := tree(t, f)
			for key, value := range want {
				var got any
				switch key {
				case "title.en":
					got = f.Title().EN
				case "title.zh":
					got = f.Title().ZH
				default:
					got = lookup(t, all, key)
				}
				if !reflect.DeepEqual(got, value) {
					t.Errorf("%s\n got %v\nwant %v", key, got, value)
				}
			}
		})
	}
}

// lookup walks a dotted path and gives a fact's value, nil where it is not known.
func lookup(t *testing.T, v any, key string) any {
	for _, part := range strings.Split(key, ".") {
		m, ok := v.(map[string]any)
		if !ok || !hasKey(m, part) {
			t.Fatalf("no %s in the facts", key)
		}
		v = m[part]
	}
	if m, ok := v.(map[string]any); ok && hasKey(m, "known") {
		if m["known"] == false {
			if m["from"] == "" {
				t.Errorf("%s is not known and does not say why", key)
			}
			return nil
		}
		return m["value"]
	}
	return v
}

func hasKey(m map[string]any, key string) bool { _, ok := m[key]; return ok }

func TestEveryExpectationHasItsMachine(t *testing.T) {
	files, err := filepath.Glob("testdata/facts/*.json")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(assets.Machines()) {
		t.Errorf("%d expectations for %d machines", len(files), len(assets.Machines()))
	}
}

// TestFullGoldens holds every fact with its provenance still.
func TestFullGoldens(t *testing.T) {
	for _, name := range assets.Machines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := json.MarshalIndent(facts(t, shared(t, name)), "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "full", name+".json")
			if *update {
				if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got)+"\n" != string(want) {
				t.Errorf("facts differ from %s; if they should, run with -update\n%s", file, firstDifference(string(got), string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + strings.Join(w[min(i, len(w)):min(i+1, len(w))], "")
		}
	}
	return "the golden has more lines"
}

// TestEveryFactSaysHowItWasLearnt walks all facts of all machines.
func TestEveryFactSaysHowItWasLearnt(t *testing.T) {
	for _, name := range assets.Machines() {
		f := facts(t, shared(t, name))
		eachFact("", reflect.ValueOf(*f), func(path string, fact reflect.Value) {
			if from := fact.FieldByName("From").Interface().(lang.Text); from.EN == "" || from.ZH == "" {
				t.Errorf("%s: %s does not say how it was learnt", name, path)
			}
		})
		for _, w := range f.Warnings {
			if text := detect.Warn(w, f); text.EN == w || text.ZH == w || text.EN == text.ZH {
				t.Errorf("%s: warning %s has no text in two languages: %q", name, w, text)
			}
		}
	}
}

func eachFact(path string, v reflect.Value, visit func(string, reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		if v.FieldByName("Known").IsValid() && v.FieldByName("From").IsValid() {
			visit(path, v)
			return
		}
		for i := range v.NumField() {
			eachFact(path+"."+v.Type().Field(i).Name, v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachFact(path, v.Index(i), visit)
		}
	}
}

// TestATreeKnowsOnlyWhatFilesTell detects the same files without a running kernel.
func TestATreeKnowsOnlyWhatFilesTell(t *testing.T) {
	for name, goarch := range map[string]string{
		"kylin-v10-sp3-kunpeng920": "arm64", "loongnix-20": "loong64", "loongson-3a4000": "mips64le", "hygon-c86-7285": "amd64",
	} {
		m := shared(t, name)
		f := facts(t, machine.Root(m.(machine.Rooted).HostPath("/")))
		if f.Running || f.Arch.GOARCH.Value != goarch || !f.OS.Product.Known || f.Init.Name.Value != "systemd" {
			t.Errorf("%s as a tree: running %v, goarch %v, product %v, init %v", name, f.Running, f.Arch.GOARCH, f.OS.Product, f.Init.Name)
		}
		for what, known := range map[string]bool{
			"page size": f.Memory.PageSize.Known, "memory": f.Memory.Total.Known, "limit": f.Memory.Limit.Known, "cores": f.CPU.Cores.Known,
			"model": f.CPU.Model.Known, "kernel": f.Kernel.Release.Known, "virt": f.Virt.Known, "root": f.User.Root.Known,
			"clock": f.Clock.Synced.Known, "writable": f.Disks[0].Writable.Known,
		} {
			if known {
				t.Errorf("%s as a tree claims to know its %s", name, what)
			}
		}
		if !slices.Contains(f.Warnings, detect.WarnTree) {
			t.Errorf("%s: no warning that it is a tree: %v", name, f.Warnings)
		}
		if name == "loongnix-20" && (f.Kernel.World.Known || f.Kernel.UserWorld.Value != "old") {
			t.Errorf("%s as a tree: kernel %v, user %v", name, f.Kernel.World, f.Kernel.UserWorld)
		}
	}
}

func TestDetectEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := detect.Detect(ctx, shared(t, "debian-12")); err == nil {
		t.Error("no error from a cancelled context")
	}
}

// quiet is a machine that must not be touched: programs other than allowed and
// every method that writes fail the test. Its files cannot be reached by name.
type quiet struct {
	machine.Machine // only its reading methods are kept
	t               *testing.T
	allowed         string
}

func (q quiet) Run(ctx context.Context, c machine.Command, out func(string)) error {
	if c.Argv[0] != q.allowed {
		q.t.Errorf("ran %q", c.Argv)
	}
	return q.Machine.Run(ctx, c, out)
}

func (q quiet) WriteFile(name string, _ []byte, _ fs.FileMode, _ machine.Owner) error {
	q.t.Errorf("wrote %s", name)
	return fs.ErrPermission
}

func (q quiet) WriteKernel(name string, _ []byte) error {
	q.t.Errorf("wrote %s", name)
	return fs.ErrPermission
}

func (q quiet) Mkdir(name string, _ fs.FileMode, _ machine.Owner) error {
	q.t.Errorf("made %s", name)
	return fs.ErrPermission
}

func (q quiet) Dial(_ context.Context, _, address string) (net.Conn, error) {
	q.t.Errorf("dialled %s", address)
	return nil, fs.ErrPermission
}

// TestDetectTouchesNothing also compares what gopsutil reads by name with what
// is read through the machine.
func TestDetectTouchesNothing(t *testing.T) {
	for _, name := range assets.Machines() {
		m := shared(t, name)
		allowed := ""
		if f := facts(t, m); f.Security.KYSEC.Value != "absent" {
			allowed = "/usr/sbin/getstatus"
		}
		if got, want := facts(t, quiet{m, t, allowed}), facts(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: another result when its files cannot be reached by name:\n%+v\n%+v", name, got.Memory, want.Memory)
		}
	}
}

// TestGopsutilCountsTheSameCPUs holds our count against gopsutil's.
func TestGopsutilCountsTheSameCPUs(t *testing.T) {
	for _, name := range assets.Machines() {
		m := shared(t, name)
		env := common.EnvMap{common.HostProcEnvKey: m.(machine.Rooted).HostPath("/proc"), common.HostSysEnvKey: m.(machine.Rooted).HostPath("/sys")}
		n, err := cpu.CountsWithContext(context.WithValue(context.Background(), common.EnvKey, env), true)
		if f := facts(t, m); err != nil || n != f.CPU.Logical.Value {
			t.Errorf("%s: gopsutil counts %d (%v), we %d", name, n, err, f.CPU.Logical.Value)
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	m := shared(b, "openeuler-22.03") // 128 CPUs
	for b.Loop() {
		facts(b, m)
	}
}
