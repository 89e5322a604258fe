package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets"
	"goxin/assets/lang"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/fetch"
	"goxin/steps/mirror"
	"goxin/steps/op"
	"goxin/steps/steptest"
)

const kunpeng = "kylin-v10-sp3-kunpeng920"

func run(t *testing.T, m machine.Machine, argv ...string) (lines []string, err error) {
	t.Helper()
	err = m.Run(context.Background(), machine.Command{Argv: argv}, func(l string) { lines = append(lines, l) })
	return lines, err
}

func TestEveryMachineIsListedWithATitleInBothLanguages(t *testing.T) {
	all := Machines()
	if len(all) != len(assets.Machines()) {
		t.Errorf("%d machines, and %d are carried", len(all), len(assets.Machines()))
	}
	for _, m := range all {
		if m.Title.ZH == "" || m.Title.EN == m.Title.ZH || m.Special.Empty() {
			t.Errorf("%s: %+v", m.Name, m)
		}
	}
	if all[0].Name != kunpeng {
		t.Errorf("the first is %s", all[0].Name)
	}
}

func TestWhatIsNoCapturedMachineIsRefusedAndLeavesNothing(t *testing.T) {
	r, err := assets.OpenMachine(kunpeng)
	if err != nil {
		t.Fatal(err)
	}
	var whole bytes.Buffer
	if _, err := whole.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	for name, archive := range map[string]string{
		"empty": "", "text": "hello\n", "cut short": whole.String()[:whole.Len()/2],
		"changed": strings.Replace(whole.String(), whole.String()[3000:3010], "0123456789", 1),
	} {
		dir := filepath.Join(steptest.Dir(t), "demo")
		d, err := OpenArchive("file", strings.NewReader(archive), dir, Options{})
		if err == nil || d != nil || lang.Hint(err, lang.EN) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the directory is still there", name)
		}
	}
	if _, err := Open("no-such", t.TempDir(), Options{}); err == nil || lang.Hint(err, lang.ZH) == "" {
		t.Errorf("a machine that is not there: %v", err)
	}
}

func TestClosingRemovesEverything(t *testing.T) {
	d := opened(t, kunpeng)
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(d.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the directory is still there")
	}
}

func TestProgramsThatAreNotThereAreMissing(t *testing.T) {
	d := opened(t, kunpeng)
	for _, argv := range [][]string{{"gcc", "--version"}, {"apt-get", "update"}, {"/usr/bin/git"}, {"rm", "-rf", "/"}, {"/bin/sh/x"}} {
		if _, err := run(t, d.Machine, argv...); !machine.MissingProgram(err) && !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("%q: %v", argv, err)
		}
	}
	if lines, err := run(t, d.Machine, "/usr/sbin/getstatus"); err != nil || len(lines) != 5 {
		t.Errorf("what was recorded: %q %v", lines, err)
	}
}

func TestFilesAreRootsWhoeverRunsTheDemo(t *testing.T) {
	m := opened(t, kunpeng).Machine
	if err := m.WriteFile("/etc/x", []byte("x"), 0o600, machine.Owner{UID: 990, GID: 990}); err != nil {
		t.Fatal(err)
	}
	if err := m.Rename("/etc/x", "/etc/y"); err != nil {
		t.Fatal(err)
	}
	if err := m.SetXattr("/etc/y", kysecMark, []byte("none:none:verified")); err != nil {
		t.Fatal(err)
	}
	i, err := m.Stat("/etc/y")
	if v, xerr := m.Xattr("/etc/y", kysecMark); err != nil || xerr != nil || i.UID != 990 || string(v) != "none:none:verified" {
		t.Errorf("%+v %v %q %v", i, err, v, xerr)
	}
	if err := m.Remove("/etc/y"); err != nil {
		t.Fatal(err)
	}
	if err := m.WriteFile("/etc/y", nil, 0o600, machine.Keep); err != nil {
		t.Fatal(err)
	}
	i, err = m.Lstat("/etc/y")
	if _, xerr := m.Xattr("/etc/y", kysecMark); err != nil || i.UID != 0 || i.GID != 0 || xerr == nil {
		t.Errorf("a new file of the same name: %+v %v %v", i, err, xerr)
	}
}

func TestKernelParametersAreShownAsTheKernelDoes(t *testing.T) {
	m := opened(t, kunpeng).Machine
	const thp = "/sys/kernel/mm/transparent_hugepage/enabled"
	for _, c := range []struct{ name, write, read string }{
		{"/proc/sys/net/core/somaxconn", "65535", "65535\n"},
		{"/proc/sys/net/ipv4/ip_local_port_range", "10240 60999\n", "10240\t60999\n"},
		{thp, "madvise\n", "always [madvise] never\n"},
	} {
		if err := m.WriteKernel(c.name, []byte(c.write)); err != nil {
			t.Fatal(err)
		}
		if b, err := m.ReadFile(c.name); err != nil || string(b) != c.read {
			t.Errorf("%s: %q %v", c.name, b, err)
		}
	}
	if err := m.WriteKernel(thp, []byte("sometimes")); err == nil {
		t.Error("a choice that is not offered was taken")
	}
}

func TestTheClockIsWrongUntilItIsSetAndThenRuns(t *testing.T) {
	m := opened(t, kunpeng).Machine
	if got := noon.Sub(m.Now()); got != wrong {
		t.Errorf("behind by %v", got)
	}
	if _, err := run(t, m, "date", "-u", "-s", "@1796126400.000"); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, m, "sleep", "90"); err != nil {
		t.Fatal(err)
	}
	if got := m.Now(); !got.Equal(noon.Add(90 * time.Second)) {
		t.Errorf("90 s after it was set to noon it is %v", got.UTC())
	}
}

func TestWaitingIsCutShort(t *testing.T) {
	d, err := Open(kunpeng, filepath.Join(steptest.Dir(t), "demo"), Options{Pace: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("enough")
	cancel(stop)
	if err := d.sim.clock.wait(ctx, time.Hour); !errors.Is(err, stop) {
		t.Errorf("waiting: %v", err)
	}
	if err := d.Machine.Run(ctx, machine.Command{Argv: []string{"sleep", "3600"}}, nil); !errors.Is(err, stop) {
		t.Errorf("a program: %v", err)
	}
}

func TestSimulatedProgramsHaveTheHeadersOfTheirKind(t *testing.T) {
	m, root := steptest.Tree(t, nil)
	for arch, k := range kinds {
		for name, file := range map[string][]byte{
			"static": stub{Source: "x", Arch: arch}.encode(arch), "dynamic": stub{Source: "x", Arch: arch, C: true}.encode(arch),
			"go": stub{Tool: "go", Version: "go1.26.8"}.encode(arch), "library": library(arch, "libx.so.1", false),
		} {
			if err := os.WriteFile(filepath.Join(root, name), file, 0o755); err != nil {
				t.Fatal(err)
			}
			o, err := elf.Read(m, "/"+name)
			if err != nil {
				t.Errorf("%s for %s: %v", name, arch, err)
				continue
			}
			want := map[string]elf.Kind{"static": elf.Static, "go": elf.Static, "dynamic": elf.Program, "library": elf.Library}[name]
			if o.Kind != want || o.Arch.Machine != k.machine || o.Arch.Little == k.big || (o.Arch.Class == 32) != k.narrow {
				t.Errorf("%s for %s: %+v", name, arch, o)
			}
			if name == "library" && o.Soname != "libx.so.1" || name == "dynamic" && o.Interp != k.loader || arch == "loong64" && o.World() != "new" {
				t.Errorf("%s for %s: %+v, world %q", name, arch, o, o.World())
			}
			p, ok := readStub(file)
			if ok != (name != "library") || name == "dynamic" && (p.Arch != arch || !p.C) {
				t.Errorf("%s for %s reads back as %+v %v", name, arch, p, ok)
			}
			if name != "go" {
				continue
			}
			b, err := buildinfo.Read(bytes.NewReader(file))
			if err != nil || b.GoVersion != "go1.26.8" || b.Path != "cmd/go" {
				t.Errorf("go for %s: %+v %v", arch, b, err)
			}
		}
	}
}

func TestARunCanBeConfirmedOnTheSimulatedMachine(t *testing.T) {
	ctx := context.Background()
	d := opened(t, kunpeng)
	e := started(t, d)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	guarded := make(chan error, 1)
	d.GuardWith(ctx, func(ctx context.Context, m machine.Machine, id engine.RunID) error {
		err := on(d, m).Guard(ctx, id)
		guarded <- err
		return err
	})
	if _, err := e.Detect(ctx); err != nil {
		t.Fatal(err)
	}
	s := e.Step("kernel")
	sv, err := e.Survey(ctx, s, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Plan(ctx, s, sv, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Start(ctx, engine.RunOptions{Answers: engine.Answers{"kernel": {}}, Confirm: time.Hour})
	if err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	if _, err := r.Apply(ctx, p); err != nil {
		t.Fatal(lang.Message(err, lang.EN))
	}
	if _, err := r.End(ctx); err != nil {
		t.Fatal(err)
	}
	info, err := e.Confirm(ctx, r.ID())
	if err != nil || info.Status != engine.StatusApplied {
		t.Fatalf("%+v %v", info, err)
	}
	if err := <-guarded; err != nil {
		t.Errorf("the guard: %v", err)
	}
}

func TestAUnitThatDoesNotExistCannotBeStarted(t *testing.T) {
	d := opened(t, kunpeng)
	_, err := (&op.Unit{Name: "nothing.service", Active: "yes"}).Do(context.Background(), d.Machine, nil)
	if err == nil {
		t.Error("it was started")
	}
}

// FuzzPrograms: whatever stands in a file that was compiled, running it ends.
func FuzzPrograms(f *testing.F) {
	dir, err := os.MkdirTemp("", "goxin-test-")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = os.RemoveAll(dir) })
	d, err := Open(kunpeng, filepath.Join(dir, "demo"), Options{Now: func() time.Time { return noon }})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("package main\n\nimport \"runtime\"\n\nfunc main() { println(\"goxin ok\", runtime.Version(), runtime.GOOS+\"/\"+runtime.GOARCH) }\n")
	f.Add("package main; func main() { println(1+2, -x, f(g)(h)) }")
	f.Add("#include <stdio.h>\n#include <zlib.h>\n")
	f.Fuzz(func(t *testing.T, source string) {
		p := stub{Version: "go1.26.8", Source: source, Arch: "arm64"}
		back, ok := readStub(p.encode("arm64"))
		if !ok {
			t.Fatal("it cannot be read back")
		}
		c := &call{sim: d.sim, ctx: context.Background(), c: machine.Command{Argv: []string{"/tmp/x"}}}
		_ = c.compiled(back)
	})
}

func BenchmarkOpening(b *testing.B) {
	for b.Loop() {
		d, err := Open(kunpeng, filepath.Join(b.TempDir(), "demo"), Options{Pace: 1})
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheRaceOfMirrorsMeetsAllKinds(t *testing.T) {
	ctx := context.Background()
	d := opened(t, kunpeng)
	e := started(t, d)
	if _, err := e.Detect(ctx); err != nil {
		t.Fatal(err)
	}
	sv, err := e.Survey(ctx, e.Step("mirror"), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen, err := mirror.SeenOn(sv, d.Machine.ID())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range seen.Race.Results {
		got = append(got, fmt.Sprintf("%s %s %s %.0f MB/s", r.ID, r.Why, r.FirstByte.Round(time.Millisecond), r.Rate/1e6))
	}
	want := []string{
		"official  38ms 41 MB/s", "mirror-c slow 54ms 23 MB/s", "mirror-a slow 60ms 18 MB/s", "site stale 4ms 112 MB/s",
		"mirror-b not-found 0s 0 MB/s", "mirror-d html 27ms 0 MB/s", "mirror-e bad-signature 45ms 0 MB/s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestRangesAreServedAsAskedFor(t *testing.T) {
	d := opened(t, kunpeng)
	c := fetch.New(d.Machine, fetch.Options{})
	defer c.Close()
	for _, r := range []fetch.Range{{}, {From: 5, Length: 10}, {From: 0, Length: 1 << 40}} {
		resp, err := c.Get(context.Background(), "https://goproxy.example/golang.org/toolchain/@v/list", r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(b) == 0 || r.From == 5 && len(b) != 10 {
			t.Errorf("%+v: %q %v", r, b, err)
		}
	}
	if _, err := c.Get(context.Background(), "https://nobody.example/", fetch.Range{}); fetch.Why(err) != fetch.NoName {
		t.Errorf("a host that is not there: %v", err)
	}
}

// A client says goodbye while the server still sends: neither may wait for the other
// to read.
func TestAClientThatHasEnoughCanLeave(t *testing.T) {
	d := opened(t, kunpeng)
	conn, err := d.Machine.Dial(context.Background(), "tcp", "go.dev:443")
	if err != nil {
		t.Fatal(err)
	}
	c := tls.Client(conn, &tls.Config{ServerName: "go.dev", RootCAs: d.Machine.(interface{ RootCAs() *x509.CertPool }).RootCAs()})
	if _, err := io.WriteString(c, "GET /dl/go1.27.4.linux-arm64.tar.gz HTTP/1.1\r\nHost: go.dev\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if b := make([]byte, 16<<10); !readsSome(t, c, b) {
		t.Fatal("what is asked for is too small to be left in the middle")
	}
	left := make(chan struct{})
	go func() {
		_ = c.Close() // the goodbye may not arrive
		close(left)
	}()
	select {
	case <-left:
	case <-time.After(20 * time.Second):
		t.Error("closing waits for a server that waits for its reader")
	}
}

// readsSome reads the beginning of an answer, and says whether so much follows that
// no buffer holds it.
func readsSome(t *testing.T, c io.Reader, b []byte) bool {
	t.Helper()
	n, err := c.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	_, length, _ := strings.Cut(string(b[:n]), "Content-Length: ")
	_, _ = fmt.Sscan(length, &size)
	return size > 1<<20
}

// Which site is the fastest depends on the pace: Go has to come from all of them.
func TestGoComesAsAModuleToo(t *testing.T) {
	ctx := context.Background()
	d := opened(t, kunpeng)
	e := started(t, d)
	if _, err := e.Detect(ctx); err != nil {
		t.Fatal(err)
	}
	v := engine.Values{"source": "https://goproxy.example"}
	s := e.Step("toolchain")
	run, err := e.Start(ctx, engine.RunOptions{Answers: engine.Answers{"toolchain": v}})
	if err != nil {
		t.Fatal(err)
	}
	sv, err := e.Survey(ctx, s, v, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.Plan(ctx, s, sv, v)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Apply(ctx, p); err != nil {
		t.Error(err)
	}
	if _, err := run.End(ctx); err != nil {
		t.Error(err)
	}
}

// Who takes a run back is not cut off in it, and would make the directory anew.
func TestCloseWaitsForARunThatIsBeingTakenBack(t *testing.T) {
	d := opened(t, kunpeng)
	begun, goOn := make(chan struct{}), make(chan struct{})
	d.GuardWith(t.Context(), func(context.Context, machine.Machine, engine.RunID) error {
		close(begun)
		<-goOn
		return d.Machine.WriteFile("/var/lib/late", nil, 0o600, machine.Keep)
	})
	const unit = "goxin-guard-1.service"
	if err := d.sim.write(etcUnits+unit, []byte("[Service]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.Machine.Run(t.Context(), machine.Command{Argv: []string{"systemctl", "start", unit}}, nil); err != nil {
		t.Fatal(err)
	}
	<-begun
	closed := make(chan error, 1)
	go func() { closed <- d.Close() }()
	runtime.Gosched()
	close(goOn)
	if err := <-closed; err != nil {
		t.Error(err)
	}
	d.guards.close() // waits, were it not over
	if _, err := os.Stat(d.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is left: %v", err)
	}
}
