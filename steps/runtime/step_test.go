package runtime

import (
	"fmt"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/runtime/measure"
	"goxin/steps/steptest"
)

const gib = 1 << 30

// planned is a host made by hand, for tables.
func planned(t *testing.T, v engine.Values, s seen, facts func(*detect.Facts)) *host {
	t.Helper()
	f := &detect.Facts{Running: true}
	f.Arch.GOARCH, f.Init.Name = steptest.Fact("arm64"), steptest.Fact("systemd")
	f.CPU.Logical, f.CPU.Level, f.CPU.LSE = steptest.Fact(64), steptest.Fact("v8.1"), steptest.Fact(true)
	f.Memory.Total, f.Memory.PageSize = steptest.Fact(uint64(8*gib)), steptest.Fact(4096)
	if facts != nil {
		facts(f)
	}
	a, err := readAnswers(v)
	if err != nil {
		t.Fatal(err)
	}
	return &host{machine.LocalID, f, &s, a}
}

func TestVariablesOfTheRuntime(t *testing.T) {
	limit := func(n uint64, from string) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Memory.Limit = detect.Fact[uint64]{Value: n, Known: true, From: lang.Same(from)}
		}
	}
	for name, c := range map[string]struct {
		v     engine.Values
		s     seen
		facts func(*detect.Facts)
		want  string
	}{
		"nothing asked":                         {nil, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=7372MiB"},
		"the seed's collector":                  {engine.Values{KeyGOGC: "20"}, seen{Go: "go1.26.8"}, nil, "GOGC=20 GOMEMLIMIT=7372MiB"},
		"Go's own collector is not repeated":    {engine.Values{KeyGOGC: "100"}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=7372MiB"},
		"the seed's processors":                 {engine.Values{KeyGOMAXPROCS: "64"}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=7372MiB GOMAXPROCS=64"},
		"off with a limit":                      {engine.Values{KeyGOGC: "off", KeyMemoryMax: "1G"}, seen{Go: "go1.26.8"}, nil, "GOGC=off GOMEMLIMIT=921MiB"},
		"memory_max":                            {engine.Values{KeyMemoryMax: "512M"}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=460MiB"},
		"memory_max in per cent":                {engine.Values{KeyMemoryMax: "50%"}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=3686MiB"},
		"memory_max above what there is":        {engine.Values{KeyMemoryMax: "64G"}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=7372MiB"},
		"more headroom":                         {engine.Values{KeyMemoryMax: "1G", KeyHeadroom: int64(30)}, seen{Go: "go1.26.8"}, nil, "GOMEMLIMIT=716MiB"},
		"the control group's limit":             {nil, seen{Go: "go1.26.8"}, limit(2*gib, "/sys/fs/cgroup/memory.max"), "GOMEMLIMIT=1843MiB"},
		"a session's limit holds for nobody":    {nil, seen{Go: "go1.26.8"}, limit(2*gib, "/sys/fs/cgroup/user.slice/user-0.slice/memory.max"), "GOMEMLIMIT=7372MiB"},
		"no limit known":                        {nil, seen{}, func(f *detect.Facts) { f.Memory.Total.Known = false }, ""},
		"per cent of what nobody knows":         {engine.Values{KeyMemoryMax: "50%"}, seen{}, func(f *detect.Facts) { f.Memory.Total.Known = false }, ""},
		"old Go under a quota":                  {nil, seen{Go: "go1.24.9", Quota: 3.5}, nil, "GOMEMLIMIT=7372MiB GOMAXPROCS=4"},
		"old Go under less than two CPUs":       {nil, seen{Go: "go1.19.8", Quota: 0.5}, nil, "GOMEMLIMIT=7372MiB GOMAXPROCS=2"},
		"new Go under a quota":                  {nil, seen{Go: "go1.25.0", Quota: 3.5}, nil, "GOMEMLIMIT=7372MiB"},
		"old Go, a quota of more than there is": {nil, seen{Go: "go1.24.9", Quota: 100}, nil, "GOMEMLIMIT=7372MiB"},
		"no Go under a quota":                   {nil, seen{Quota: 3.5}, nil, "GOMEMLIMIT=7372MiB"},
		"a Go that seems to leak":               {nil, seen{Go: "go1.15.2"}, nil, "GOMEMLIMIT=7372MiB GODEBUG=madvdontneed=1"},
		"a Go before it seemed to":              {nil, seen{Go: "go1.11"}, nil, "GOMEMLIMIT=7372MiB"},
		"MIPS whose huge pages stay": {engine.Values{KeyTHP: keep}, seen{Go: "go1.26.8", THP: "always"}, func(f *detect.Facts) {
			f.Arch.GOARCH = steptest.Fact("mips64le")
		}, "GOMEMLIMIT=7372MiB GODEBUG=disablethp=1"},
	} {
		if got := strings.Trim(fmt.Sprint(planned(t, c.v, c.s, c.facts).runtimeVars()), "[]"); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestHugePages(t *testing.T) {
	mips := func(page int) func(*detect.Facts) {
		return func(f *detect.Facts) {
			f.Arch.GOARCH, f.Memory.PageSize = steptest.Fact("mips64le"), steptest.Fact(page)
		}
	}
	all := []string{"always", "madvise", "never"}
	for name, c := range map[string]struct {
		v     engine.Values
		s     seen
		facts func(*detect.Facts)
		want  string
	}{
		"auto":                            {nil, seen{THP: "always", Offered: all}, nil, "madvise"},
		"auto on MIPS with 16 KiB pages":  {nil, seen{THP: "always", Offered: all}, mips(16 << 10), "never"},
		"auto on MIPS with 4 KiB pages":   {nil, seen{THP: "always", Offered: all}, mips(4 << 10), "madvise"},
		"auto where it is not offered":    {nil, seen{THP: "always", Offered: []string{"always", "never"}}, nil, ""},
		"asked for where it is not there": {engine.Values{KeyTHP: "madvise"}, seen{THP: "always", Offered: []string{"always", "never"}}, nil, "madvise"},
		"no huge pages in this kernel":    {nil, seen{}, nil, ""},
		"as it is":                        {engine.Values{KeyTHP: keep}, seen{THP: "always", Offered: all}, nil, ""},
		"always":                          {engine.Values{KeyTHP: "always"}, seen{THP: "never", Offered: all}, nil, "always"},
		"a container":                     {engine.Values{KeyTHP: "never"}, seen{THP: "always", Offered: all}, func(f *detect.Facts) { f.Container = steptest.Fact(true) }, ""},
		"a tree":                          {nil, seen{}, func(f *detect.Facts) { f.Running = false }, "madvise"},
		"a tree of MIPS, pages not known": {nil, seen{}, func(f *detect.Facts) { mips(0)(f); f.Running, f.Memory.PageSize.Known = false, false }, "never"},
	} {
		if got := planned(t, c.v, c.s, c.facts).thp(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestTheLevelIsTheProcessorsAndNeverTheNames(t *testing.T) {
	this := engine.Values{KeyLevel: thisCPU}
	for name, c := range map[string]struct {
		v     engine.Values
		facts func(*detect.Facts)
		want  string
	}{
		"portable":                  {nil, nil, "GOARM64 v8.0"},
		"LSE":                       {this, nil, "GOARM64 v8.1"},
		"Phytium, by what it lacks": {this, func(f *detect.Facts) { f.CPU.Level, f.CPU.Model = steptest.Fact("v8.0"), steptest.Fact("Kunpeng-920") }, "GOARM64 v8.0"},
		"LSE without the rest":      {this, func(f *detect.Facts) { f.CPU.Level = steptest.Fact("v8.0,lse") }, "GOARM64 v8.0,lse"},
		"not known":                 {this, func(f *detect.Facts) { f.CPU.Level = detect.Fact[string]{} }, "GOARM64 v8.0"},
		"amd64":                     {this, func(f *detect.Facts) { f.Arch.GOARCH, f.CPU.Level = steptest.Fact("amd64"), steptest.Fact("v3") }, "GOAMD64 v3"},
		"portable amd64":            {nil, func(f *detect.Facts) { f.Arch.GOARCH = steptest.Fact("amd64") }, "GOAMD64 v1"},
		"LoongArch has none":        {this, func(f *detect.Facts) { f.Arch.GOARCH = steptest.Fact("loong64") }, " "},
	} {
		n, v := planned(t, c.v, seen{}, c.facts).level()
		if got := n + " " + v; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAmountsOfMemory(t *testing.T) {
	for s, want := range map[string]size{
		"": {}, "512M": {bytes: 512 << 20}, "2G": {bytes: 2 << 30}, "1T": {bytes: 1 << 40}, "80%": {percent: 80}, "100%": {percent: 100}, "33554432": {bytes: 32 << 20}, "65536K": {bytes: 64 << 20},
	} {
		if got, err := parseSize(s); err != nil || got != want {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"0", "1K", "15M", "-1G", "2 G", "2GB", "2g", "1.5G", "0%", "101%", "%", "G", "infinity", "9999999999T", "99999999999999999999"} {
		if got, err := parseSize(s); err == nil || lang.Hint(err, lang.ZH) == "" {
			t.Errorf("%q: %+v", s, got)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("512M")
	f.Add("80%")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseSize(s)
		if err == nil && s != "" && (got.bytes < smallestMax || got.bytes > 1<<63) && (got.percent < 1 || got.percent > 100) {
			t.Errorf("%q: %+v", s, got)
		}
	})
}

func FuzzParseQuota(f *testing.F) {
	f.Add("150000 100000")
	f.Add("max 100000")
	f.Fuzz(func(t *testing.T, s string) {
		if q := parseQuota(s); q < 0 || procs(q, 64) < 1 || procs(q, 64) > 64 {
			t.Errorf("%q: %v", s, q)
		}
	})
}

func TestQuotaOfTheChain(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  float64
	}{
		"version 2":                             {map[string]string{"/proc/self/cgroup": "0::/system.slice/x.service\n", "/sys/fs/cgroup/system.slice/x.service/cpu.max": "150000 100000\n", "/sys/fs/cgroup/system.slice/cpu.max": "400000 100000\n"}, 1.5},
		"the parent is tighter":                 {map[string]string{"/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.max": "50000 100000\n"}, 0.5},
		"a container":                           {map[string]string{"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2},
		"a container that sees the host's name": {map[string]string{"/proc/self/cgroup": "0::/docker/abc\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2},
		"version 1":                             {map[string]string{"/proc/self/cgroup": "3:cpu,cpuacct:/docker/abc\n0::/\n", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "250000\n", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n"}, 2.5},
		"version 1, none":                       {map[string]string{"/proc/self/cgroup": "3:cpu:/\n", "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 0},
		"somebody's session":                    {map[string]string{"/proc/self/cgroup": "0::/user.slice/user-0.slice/session-1.scope\n", "/sys/fs/cgroup/user.slice/cpu.max": "50000 100000\n"}, 0},
		"a period of nothing":                   {map[string]string{"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "50000 0\n"}, 0},
		"a path that climbs":                    {map[string]string{"/proc/self/cgroup": "0::/../../etc\n", "/sys/fs/cgroup/cpu.max": "100000 100000\n"}, 1},
		"nothing to read":                       {map[string]string{"/etc/hostname": "x\n"}, 0},
		"what nobody can read":                  {map[string]string{"/proc/self/cgroup": "junk\n::\n0::\n", "/sys/fs/cgroup/cpu.max": "100000 100000\n"}, 0},
	} {
		m, _ := steptest.Tree(t, c.files)
		if got, _ := quota(m); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheGoInUseIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		files     map[string]string
		dir, want string
	}{
		"goxin's own":        {map[string]string{"/usr/local/goxin/go/current/bin/go": "", "/usr/local/goxin/go/current/VERSION": "go1.26.8\ntime 2026\n", "/usr/local/go/bin/go": "", "/usr/local/go/VERSION": "go1.20"}, "/usr/local/goxin/go/current", "go1.26.8"},
		"by hand":            {map[string]string{"/usr/local/go/bin/go": "", "/usr/local/go/VERSION": "go1.20.1"}, "/usr/local/go", "go1.20.1"},
		"a distribution's":   {map[string]string{"/usr/lib/golang/bin/go": "", "/usr/lib/golang/VERSION": "go1.17.3 X:foo\n"}, "/usr/lib/golang", "go1.17.3"},
		"Debian's, newest":   {map[string]string{"/usr/lib/go-1.19/bin/go": "", "/usr/lib/go-1.19/VERSION": "go1.19.8", "/usr/lib/go-1.15/bin/go": "", "/usr/lib/go-1.15/VERSION": "go1.15.9"}, "/usr/lib/go-1.19", "go1.19.8"},
		"no go command":      {map[string]string{"/usr/local/go/VERSION": "go1.20.1"}, "", ""},
		"a version of weeds": {map[string]string{"/usr/local/go/bin/go": "", "/usr/local/go/VERSION": "weeds\x1b[2J"}, "", ""},
	} {
		m, _ := steptest.Tree(t, c.files)
		if dir, v := Find(m); dir != c.dir || v != c.want {
			t.Errorf("%s: %q %q", name, dir, v)
		}
	}
}

func TestWrongAnswersAreRefusedInBothLanguages(t *testing.T) {
	for name, v := range map[string]engine.Values{
		"gogc":           {KeyGOGC: "-5"},
		"gogc off alone": {KeyGOGC: "off"},
		"gogc injects":   {KeyGOGC: "20\nLD_PRELOAD=/tmp/x"},
		"memory":         {KeyMemoryMax: "much"},
		"procs":          {KeyGOMAXPROCS: "0"},
		"procs injects":  {KeyGOMAXPROCS: "2 4"},
		"thp":            {KeyTHP: "sometimes"},
		"level":          {KeyLevel: "v4"},
		"headroom":       {KeyHeadroom: int64(90)},
	} {
		m, _ := steptest.Tree(t, nil)
		h := steptest.Hosts(m, &detect.Facts{})
		items, err := (Step{}).Ops(h, nil, v)
		if err == nil || items != nil || lang.Hint(err, lang.EN) == "" || lang.Message(err, lang.ZH) == err.Error() {
			t.Errorf("%s: %d items, %v", name, len(items), err)
		}
		if (Step{}).Notes(h, nil, v) != nil || (Step{}).Proofs(h, nil, v) != nil {
			t.Errorf("%s: notes or proofs of wrong answers", name)
		}
		_ = (Step{}).Questions(h, nil, v) // still asked, so that they can be corrected
	}
}

func TestFieldsAreInBothLanguages(t *testing.T) {
	for _, f := range (Step{}).Fields() {
		if f.Title.EN == f.Title.ZH || f.Help.EN == f.Help.ZH || f.Help.ZH == "" {
			t.Errorf("%s: a text is not in both languages", f.Key)
		}
		for _, o := range f.Options {
			if o.Title.EN == o.Title.ZH || o.Help.EN == o.Help.ZH || o.Help.ZH == "" {
				t.Errorf("%s: option %s", f.Key, o.Value)
			}
		}
	}
}

// What was applied is what is planned: doing it twice changes nothing, on any machine.
func TestCapturedMachines(t *testing.T) {
	steptest.Captured(t, func(t *testing.T, name string, m machine.Machine, h engine.Hosts) {
		v := engine.Values{KeyLevel: thisCPU}
		sv := steptest.Survey(t, Step{}, m, h, v)
		steptest.Golden(t, "captured-"+name, steptest.Plan(t, Step{}, m, h, sv, v))
		items, err := (Step{}).Ops(h, sv, v)
		if err != nil {
			t.Fatal(err)
		}
		files := items[:0:0]
		for _, it := range items {
			if _, kernel := it.Op.(*op.Sysfs); !kernel { // a captured machine's cannot be written
				files = append(files, it)
			}
		}
		if still := steptest.Do(t, m, files); len(still) > 0 {
			t.Errorf("still differs: %q", still)
		}
	})
}

func TestATrialTriesWhatThePlanSets(t *testing.T) {
	h := planned(t, engine.Values{KeyGOGC: "20", KeyLevel: thisCPU}, seen{GOROOT: "/usr/local/go", Go: "go1.26.8", THP: "always", Offered: []string{"always", "madvise", "never"}}, nil)
	var got []string
	for _, k := range h.knobs() {
		got = append(got, fmt.Sprint(k.ID, " ", k.Name.EN, " ", k.Guard, " ", k.After))
	}
	want := `gogc GOGC=20 false {[GOGC=20] [] false}
memory_max GOMEMLIMIT=7372MiB true {[GOMEMLIMIT=7372MiB] [] false}
level GOARM64=v8.1 false {[] [GOARM64=v8.1] false}
thp huge pages madvise false {[] [] true}`
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s", s)
	}
	if n := planned(t, engine.Values{KeyTHP: "always"}, seen{THP: "madvise"}, nil).untried(); n.Empty() || n.EN == n.ZH {
		t.Errorf("what cannot be measured is not said: %+v", n)
	}
}

func TestOnlyWhatHelpsIsKept(t *testing.T) {
	result := func(id, name string, keep bool) measure.Result {
		return measure.Result{Knob: measure.Knob{ID: id, Name: lang.Same(name)}, Keep: keep}
	}
	for name, c := range map[string]struct {
		v       engine.Values
		results []measure.Result
		want    string
	}{
		"one of two":              {nil, []measure.Result{result(KeyGOGC, "GOGC=20", false), result(KeyGOGC, "GOGC=200", true)}, "map[gogc:200]"},
		"the first that helps":    {nil, []measure.Result{result(KeyGOGC, "GOGC=20", true), result(KeyGOGC, "GOGC=200", true)}, "map[gogc:20]"},
		"asked for, no help":      {engine.Values{KeyGOGC: "20", KeyHeadroom: int64(20)}, []measure.Result{result(KeyGOGC, "GOGC=20", false)}, "map[headroom:20]"},
		"huge pages stay":         {engine.Values{}, []measure.Result{result(KeyTHP, "huge pages madvise", false)}, "map[thp:keep]"},
		"the level":               {nil, []measure.Result{result(KeyLevel, "GOAMD64=v3", true)}, "map[level:this-cpu]"},
		"off goes with its limit": {engine.Values{KeyGOGC: "off", KeyMemoryMax: "1G"}, []measure.Result{result(KeyGOGC, "GOGC=off", true), result(KeyMemoryMax, "GOMEMLIMIT=921MiB", false)}, "map[]"},
		"nothing measured":        {engine.Values{KeyGOGC: "20"}, nil, "map[gogc:20]"},
	} {
		got := Keep(c.v, &measure.Report{Results: c.results})
		if fmt.Sprint(map[string]any(got)) != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if _, err := readAnswers(got); err != nil {
			t.Errorf("%s: what is kept cannot be used: %v", name, err)
		}
	}
}
