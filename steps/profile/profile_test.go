package profile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/steptest"
)

// bench is this machine, with strace and systemctl made by hand.
type bench struct {
	machine.Machine
	says  map[string][]string // by program
	fails map[string]error
	ran   []string
}

func (b *bench) Run(ctx context.Context, c machine.Command, out func(string)) error {
	b.ran = append(b.ran, strings.Join(c.Argv, " "))
	for _, l := range b.says[c.Argv[0]] {
		out(l)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, there := b.says[c.Argv[0]]; !there && b.fails[c.Argv[0]] == nil {
		return &exec.Error{Name: c.Argv[0], Err: exec.ErrNotFound}
	}
	return b.fails[c.Argv[0]]
}

func newBench() *bench {
	return &bench{Machine: machine.Local(), says: map[string][]string{}, fails: map[string]error{}}
}

var table = []string{
	"strace: Process 7 attached with 5 threads",
	"strace: Process 7 detached",
	"% time     seconds  usecs/call     calls    errors syscall",
	"------ ----------- ----------- --------- --------- ----------------",
	" 59.75    0.919439         936       982         9 futex",
	" 40.25    0.366920         298      1229           nanosleep",
	"------ ----------- ----------- --------- --------- ----------------",
	"100.00    1.286359          98      2211         9 total",
}

// serve serves h in this very process, which is the one that is profiled.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func withPProf() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	return mux
}

// collect profiles this process and gives the report in both languages.
func collect(t *testing.T, b *bench, o Options) (r *Report, en, zh string) {
	t.Helper()
	o.Seconds = 1
	r, err := Collect(context.Background(), b, fmt.Sprint(os.Getpid()), o)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(r.Markdown(lang.EN)), string(r.Markdown(lang.ZH))
}

func TestAServiceWithPProfIsProfiled(t *testing.T) {
	url := serve(t, withPProf())
	stop := make(chan struct{})
	defer close(stop)
	go burn(stop)
	b := newBench()
	b.says["strace"], b.fails["strace"] = table, context.DeadlineExceeded
	t.Setenv("http_proxy", "http://127.0.0.1:1") // of no concern to what listens here
	r, en, _ := collect(t, b, Options{})
	if r.PProf != url {
		t.Errorf("asked %q, served at %q: %s", r.PProf, url, r.Why.EN)
	}
	if r.CPU.Raw == nil || r.CPU.Total == 0 || !slices.ContainsFunc(r.CPU.Top, func(f Function) bool { return strings.HasSuffix(f.Name, ".burn") && f.Share > 0.3 }) {
		t.Errorf("CPU: %s %+v", r.CPU.Why.EN, r.CPU.Top)
	}
	if r.Heap.Raw == nil || len(r.Heap.Top) == 0 {
		t.Errorf("heap: %s", r.Heap.Why.EN)
	}
	if got := slices.Sorted(maps.Keys(r.Files())); !slices.Equal(got, []string{"cpu.pb.gz", "heap.pb.gz"}) {
		t.Errorf("files: %v", got)
	}
	for _, want := range []string{"go tool pprof cpu.pb.gz", ".burn`", "59.75    0.919439", r.Process.Go, "open files"} {
		if !strings.Contains(en, want) {
			t.Errorf("the report lacks %q:\n%s", want, en)
		}
	}
	if strings.Contains(en, "attached") {
		t.Error("strace's chatter is in the report")
	}
}

// burn is what the CPU profile has to find.
func burn(stop chan struct{}) {
	n := 0
	for i := 0; ; i++ {
		n += i * i % 7
		if i%(1<<20) == 0 {
			select {
			case <-stop:
				return
			default:
			}
		}
	}
}

func TestWhatIsNotToBeHadIsSaid(t *testing.T) {
	quiet := serve(t, http.NotFoundHandler())
	for name, c := range map[string]struct {
		bench func(b *bench)
		o     Options
		want  []string
	}{
		"no pprof, no strace": {func(*bench) {}, Options{}, []string{"status 404", "strace is not installed", "net/http/pprof"}},
		"strace not let": {func(b *bench) {
			b.says["strace"] = []string{"strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted"}
			b.fails["strace"] = &machine.ExitError{Argv: []string{"strace"}, Code: 1, Stderr: "ptrace(PTRACE_SEIZE, 7): Operation not permitted"}
		}, Options{}, []string{"could not attach", "Operation not permitted"}},
		"a process that sleeps": {func(b *bench) {
			b.says["strace"], b.fails["strace"] = table[:2], context.DeadlineExceeded
		}, Options{}, []string{"no system call in 1 s"}},
		"not asked for":   {func(*bench) {}, Options{NoTrace: true}, []string{"not asked for"}},
		"a named address": {func(*bench) {}, Options{PProf: quiet}, []string{quiet + ": no /debug/pprof/ there (status 404)"}},
		"a closed port":   {func(*bench) {}, Options{PProf: "http://" + closedPort(t)}, []string{"refused"}},
	} {
		b := newBench()
		c.bench(b)
		r, en, zh := collect(t, b, c.o)
		if len(r.Files()) != 0 {
			t.Errorf("%s: files of nothing", name)
		}
		for _, want := range c.want {
			if !strings.Contains(en, want) {
				t.Errorf("%s: the report lacks %q:\n%s", name, want, en)
			}
		}
		if strings.Contains(zh, "Not to be had") || !strings.Contains(zh, "未能取得") {
			t.Errorf("%s: in Chinese:\n%s", name, zh)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestServicesThatLieAreNotBelieved(t *testing.T) {
	index := func(w http.ResponseWriter) { fmt.Fprint(w, "Types of profiles available: goroutine heap") }
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"something else there": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome") }, "something else"},
		"HTML for a profile": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/debug/pprof/" {
				index(w)
				return
			}
			fmt.Fprint(w, "<html>\x1b[2J")
		}, "no profile"},
		"a bomb": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/debug/pprof/" {
				index(w)
				return
			}
			z := gzip.NewWriter(w)
			for range 70 {
				_, _ = z.Write(make([]byte, 1<<20))
			}
			_ = z.Close()
		}, "no profile"},
		"another profile is under way": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/debug/pprof/" {
				index(w)
				return
			}
			http.Error(w, "Could not enable CPU profiling: cpu profiling already in use", 500)
		}, "already in use"},
	} {
		_, en, _ := collect(t, newBench(), Options{PProf: serve(t, c.h)})
		if !strings.Contains(en, c.want) || strings.Contains(en, "\x1b") {
			t.Errorf("%s: want %q:\n%q", name, c.want, en)
		}
	}
}

func TestATLSPortIsToldWithWhatToTry(t *testing.T) {
	s := httptest.NewTLSServer(withPProf())
	defer s.Close()
	_, en, _ := collect(t, newBench(), Options{PProf: strings.Replace(s.URL, "https", "http", 1)})
	if !strings.Contains(en, "try --pprof "+s.URL) {
		t.Error(en)
	}
}

func TestAUnitIsItsMainProcess(t *testing.T) {
	b := newBench()
	b.says["systemctl"] = []string{fmt.Sprintf("MainPID=%d", os.Getpid()), "LoadState=loaded", "ActiveState=active"}
	p, err := Find(context.Background(), b, "app")
	if err != nil || p.PID != os.Getpid() || p.Unit != "app.service" {
		t.Errorf("%+v, %v", p, err)
	}
	if len(b.ran) != 1 || !strings.HasSuffix(b.ran[0], " -- app.service") {
		t.Errorf("ran %q", b.ran)
	}
}

func TestWhatCannotBeFoundIsSaidWithWhatToDo(t *testing.T) {
	unit := func(lines ...string) *bench {
		b := newBench()
		b.says["systemctl"] = lines
		return b
	}
	for name, c := range map[string]struct {
		b    machine.Machine
		arg  string
		want string
	}{
		"a unit that is down":  {unit("MainPID=0", "LoadState=loaded", "ActiveState=failed"), "app", "does not run (failed)"},
		"no such unit":         {unit("MainPID=0", "LoadState=not-found", "ActiveState=inactive"), "app", "no such unit"},
		"no systemd":           {newBench(), "app", "service manager"},
		"a process that ended": {newBench(), "2147483646", "no such file"},
		"an option":            {newBench(), "--help", "neither"},
		"a path":               {newBench(), "../x", "neither"},
		"an escape":            {newBench(), "a\x1b[2Jb", "neither"},
		"zero":                 {newBench(), "0", "service manager"},
		"a tree":               {machine.Root(t.TempDir()), "1", "not a running machine"},
	} {
		_, err := Find(context.Background(), c.b, c.arg)
		if err == nil || !strings.Contains(err.Error(), c.want) || lang.Hint(err, lang.ZH) == "" || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []Options{{Seconds: 0}, {Seconds: 301}, {Seconds: 1, PProf: "localhost:6060"}, {Seconds: 1, PProf: "file:///etc"}, {Seconds: 1, PProf: "http://u:p@h/"}, {Seconds: 1, PProf: "http://"}} {
		if err := o.Check(); err == nil || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for in, want := range map[string]string{
		"": "", "http://h:1": "http://h:1", "http://h:1/": "http://h:1", "https://h:1/debug/pprof/": "https://h:1", "http://h/app/debug/pprof": "http://h/app",
	} {
		if got, err := pprofBase(in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

func TestCancelledIsNoReport(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	why := errors.New("the person had enough")
	b := newBench()
	_, err := Collect(ctx, b, fmt.Sprint(os.Getpid()), Options{Seconds: 1, Say: func(lang.Text) { cancel(why) }})
	if !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	if slices.ContainsFunc(b.ran, func(s string) bool { return strings.HasPrefix(s, "strace") }) {
		t.Error("strace after the person had enough")
	}
}

func TestSecretsOfTheEnvironmentAreNotRead(t *testing.T) {
	got := variables("TOKEN=hunter2\x00GOGC=50\x00XGOGC=1\x00GOGC=60\x00GODEBUG=a\x1bb\x00")
	if fmt.Sprint(got) != `[{GOGC 50} {GODEBUG a\x1bb}]` {
		t.Errorf("%v", got)
	}
}

func TestListeningSocketsAreRead(t *testing.T) {
	const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0000000000000000 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1002 1
   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 1003 1
`
	const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1004 1
   1: 0000000000000000FFFF00000100007F:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1005 1
   2: B80D01200000000067452301EFCDAB89:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1006 1
`
	var got []string
	for _, s := range append(sockets(tcp), sockets(tcp6)...) {
		got = append(got, s.at.String()+" "+s.inode)
	}
	if want := []string{"127.0.0.1:8080 1001", "0.0.0.0:22 1002", "[::]:80 1004", "127.0.0.1:81 1005", "[2001:db8::123:4567:89ab:cdef]:82 1006"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for in, want := range map[string]string{"0.0.0.0:1": "[127.0.0.1:1]", "[::]:1": "[127.0.0.1:1 [::1]:1]", "192.0.2.7:1": "[192.0.2.7:1]"} {
		if got := fmt.Sprint(reach(netip.MustParseAddrPort(in))); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestOwnPortsAreFound(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got, err := Ports(machine.Local(), os.Getpid())
	if err != nil || !slices.Contains(got, netip.MustParseAddrPort(l.Addr().String())) {
		t.Errorf("%v, %v: %s is not among them", got, err, l.Addr())
	}
}

// The smallest limit over the control group's chain holds, of either version.
func TestMemoryLimitOfTheChain(t *testing.T) {
	root := t.TempDir()
	for name, content := range map[string]string{
		"sys/fs/cgroup/system.slice/memory.max":                             "1073741824\n",
		"sys/fs/cgroup/system.slice/app.service/memory.max":                 "max\n",
		"sys/fs/cgroup/memory/system.slice/memory.limit_in_bytes":           "9223372036854771712\n",
		"sys/fs/cgroup/memory/system.slice/x.service/memory.limit_in_bytes": "536870912\n",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	m := machine.Root(root)
	for in, want := range map[string]string{
		"0::/system.slice/app.service\n": "1073741824", "4:memory:/system.slice/x.service\n": "536870912", "0::/\n": "", "junk": "", "0::../..\n": "",
	} {
		if got := memoryLimit(m, in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestMarkdownQuotesWhatAMachineSays(t *testing.T) {
	r := &Report{Process: Process{PID: 7, Name: "a`b|c", Vars: []Pair{{"GODEBUG", "x|`y`"}}}, Began: time.Unix(0, 0).UTC(), Seconds: 1}
	got := string(r.Markdown(lang.EN))
	for _, want := range []string{"`` a`b\\|c ``", "`` x\\|`y` ``"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in:\n%s", want, got)
		}
	}
}

func TestReportGolden(t *testing.T) {
	r := &Report{
		Process: Process{
			PID: 812, Unit: "app.service", Name: "webserver", Program: "/opt/goapp/bin/webserver", Go: "go1.26.8", Module: "example.com/app",
			Build: []Pair{{"CGO_ENABLED", "0"}, {"GOARM64", "v8.0"}}, Facts: []Pair{{"VmRSS", "22960 kB"}, {"Threads", "6"}},
			Limits: []Pair{{"open files", "1024 / 524288"}}, Vars: []Pair{{"GOMEMLIMIT", "921MiB"}}, CGroup: "1073741824",
		},
		Began: time.Date(2026, 11, 27, 8, 0, 0, 0, time.UTC), Seconds: 10, PProf: "http://127.0.0.1:6060",
		CPU:   Shot{Raw: []byte{1}, Total: 2770e6, Top: []Function{{"main.work", 2220e6, 0.801}, {"runtime.memmove", 20e6, 0.007}}},
		Heap:  Shot{Why: lang.T("status 500", "状态码 500")},
		Calls: Calls{Lines: summary(table)},
	}
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		steptest.Golden(t, "report-"+string(l), string(r.Markdown(l)))
	}
}

func FuzzTop(f *testing.F) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte{0x0a, 2, 8, 1, 0x12, 4, 0x0a, 1, 1, 0x10, 5, 0x22, 6, 8, 1, 0x22, 2, 8, 1, 0x2a, 4, 8, 1, 0x10, 2, 0x32, 0, 0x32, 3, 'c', 'p', 'u', 0x32, 1, 'f'})
	_ = z.Close()
	f.Add(b.Bytes())
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _, err := top(data, "cpu", 15)
		if err != nil && list != nil {
			t.Error("a list beside an error")
		}
		// As it would look unpacked.
		var p tables
		p.functions, p.locations = map[uint64]uint64{}, map[uint64]uint64{}
		fields(data, p.field)
	})
}

func TestTopReadsAProfileMadeByHand(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte{0x0a, 2, 8, 1, 0x12, 5, 0x0a, 1, 1, 0x10, 5, 0x22, 6, 8, 1, 0x22, 2, 8, 1, 0x2a, 4, 8, 1, 0x10, 2, 0x32, 0, 0x32, 3, 'c', 'p', 'u', 0x32, 1, 'f'})
	_ = z.Close()
	list, total, err := top(b.Bytes(), "cpu", 15)
	if err != nil || total != 5 || len(list) != 1 || list[0] != (Function{"f", 5, 1}) {
		t.Errorf("%v, %d, %v", list, total, err)
	}
}

func FuzzSockets(f *testing.F) {
	f.Add("   0: 0100007F:1F90 00000000:0000 0A 0 0 0 0 0 1001")
	f.Fuzz(func(t *testing.T, text string) {
		for _, s := range sockets(text) {
			if !s.at.IsValid() || s.at.Port() == 0 {
				t.Errorf("%q: %v", text, s)
			}
		}
	})
}

func FuzzSummary(f *testing.F) {
	f.Add(strings.Join(table, "\n"))
	f.Fuzz(func(t *testing.T, text string) {
		if got := summary(strings.Split(text, "\n")); len(got) > mostLines+1 || strings.Contains(strings.Join(got, ""), "\x1b") {
			t.Errorf("%q", got)
		}
	})
}
