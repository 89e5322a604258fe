package service

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/detect"
	"goxin/detect/elf"
	"goxin/detect/machine"
	"goxin/steps/engine"
	"goxin/steps/sandbox"
	"goxin/steps/steptest"
)

// facts are of a machine with this systemd.
func facts(systemd int, arch string) *detect.Facts {
	f := &detect.Facts{Running: true}
	f.Init.Name, f.Init.Version = steptest.Fact("systemd"), steptest.Fact(systemd)
	f.Arch.Machine, f.Arch.GOARCH = steptest.Fact(arch), steptest.Fact(goarch(arch))
	f.Memory.Total, f.Memory.CGroup = steptest.Fact(uint64(64<<30)), steptest.Fact(2)
	f.CPU.NUMA, f.CPU.Logical = steptest.Fact(1), steptest.Fact(64)
	return f
}

func newSeen(change func(*seen)) *seen {
	s := &seen{Source: "/srv/app", SHA256: strings.Repeat("ab", 32), Size: 1, Arch: "x86_64", Kind: elf.Static, Go: "go1.26.8", UserNS: true}
	if change != nil {
		change(s)
	}
	return s
}

func newTestHost(t *testing.T, f *detect.Facts, s *seen, v engine.Values) *host {
	t.Helper()
	if v == nil {
		v = engine.Values{}
	}
	v[KeyBinary] = "/srv/app"
	a, err := readAnswers(v)
	if err != nil {
		t.Fatal(err)
	}
	return &host{"local", lang.Same("a"), "local", f, s, a}
}

func TestTheUnitIsMadeForTheSystemdThatIsThere(t *testing.T) {
	for _, v := range []int{241, 243, 247, 249, 252, 255, 257} {
		for _, arch := range []string{"x86_64", "loongarch64"} {
			h := newTestHost(t, facts(v, arch), newSeen(nil), engine.Values{KeyArgs: "-listen :8080", KeyMemoryMax: "2G", KeyCPUQuota: "250%", KeyDirectories: []string{"state", "logs"}})
			steptest.Golden(t, fmt.Sprintf("unit-%d-%s", v, goarch(arch)), h.unit(h.written()))
		}
	}
}

func TestNoLineIsWrittenBeforeItsSystemd(t *testing.T) {
	for _, v := range []int{232, 239, 241, 243, 244, 245, 247, 255, 300} {
		for _, arch := range []string{"amd64", "loong64"} {
			for _, level := range []sandbox.Level{sandbox.Strict, sandbox.Standard} {
				lines, skipped := sandbox.Lines(sandbox.Machine{Systemd: v, GOARCH: arch, Users: true}, sandbox.Service{Level: level})
				for _, d := range lines {
					if d.Since > v || d.Seccomp && arch == "loong64" && v < 255 {
						t.Errorf("systemd %d on %s gets %s", v, arch, d.Line())
					}
				}
				for _, s := range skipped {
					if s.Because.EN == "" || s.Because.ZH == "" || s.Because.EN == s.Because.ZH {
						t.Errorf("%s is left out without a reason in both languages: %+v", s.Line(), s.Because)
					}
				}
			}
		}
	}
}

func TestALowPortGetsOnePrivilegeAndNoNamespace(t *testing.T) {
	h := newTestHost(t, facts(252, "x86_64"), newSeen(nil), engine.Values{KeyPort: int64(80)})
	u := h.unit(h.written())
	for _, want := range []string{"AmbientCapabilities=CAP_NET_BIND_SERVICE\n", "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\n"} {
		if !strings.Contains(u, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(u, "PrivateUsers") {
		t.Error("it cannot listen in a user namespace of its own")
	}
}

func TestTypeFollowsTheProgramAndTheSystemd(t *testing.T) {
	for _, c := range []struct {
		systemd  int
		notifies bool
		asked    string
		want     string
	}{
		{252, true, auto, notify},
		{252, false, auto, execType},
		{239, false, auto, simpleType},
		{239, false, execType, simpleType},
		{239, true, auto, notify},
		{252, true, execType, execType},
		{252, false, simpleType, simpleType},
		{252, false, notify, notify},
	} {
		h := newTestHost(t, facts(c.systemd, "x86_64"), newSeen(func(s *seen) { s.Notifies = c.notifies }), engine.Values{KeyType: c.asked})
		if got := h.kind(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestMemoryIsSpreadOverNodesOnlyWhereItMayOutgrowOne(t *testing.T) {
	for _, c := range []struct {
		nodes, systemd int
		max, numa      string
		want           int
	}{
		{1, 252, "", auto, 0},
		{4, 252, "", auto, 4},
		{4, 252, "8G", auto, 0},
		{4, 252, "17G", auto, 4},
		{4, 252, "90%", auto, 4},
		{4, 241, "", auto, 0},
		{4, 252, "", none, 0},
	} {
		f := facts(c.systemd, "x86_64")
		f.CPU.NUMA = steptest.Fact(c.nodes)
		if got := newTestHost(t, f, newSeen(nil), engine.Values{KeyMemoryMax: c.max, KeyNUMA: c.numa}).spread(); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestTheEnvironmentFollowsTheLimits(t *testing.T) {
	for _, c := range []struct {
		v    engine.Values
		goes string
		want []string
	}{
		{engine.Values{}, "go1.26.8", nil},
		{engine.Values{KeyMemoryMax: "2G"}, "go1.26.8", []string{`GOMEMLIMIT="1843MiB"`}},
		{engine.Values{KeyMemoryMax: "2G", KeyEnvironment: map[string]string{"GOMEMLIMIT": "1GiB", "A": `b"c\$d`}}, "go1.26.8", []string{`A="b\"c\\\$d"`, `GOMEMLIMIT="1GiB"`}},
		{engine.Values{KeyCPUQuota: "250%"}, "go1.26.8", nil},
		{engine.Values{KeyCPUQuota: "250%"}, "go1.24.1", []string{`GOMAXPROCS="3"`}},
		{engine.Values{KeyCPUQuota: "50%"}, "go1.20", []string{`GOMAXPROCS="2"`}},
	} {
		h := newTestHost(t, facts(252, "x86_64"), newSeen(func(s *seen) { s.Go = c.goes }), c.v)
		if got := h.variables(); !slices.Equal(got, c.want) {
			t.Errorf("%v with %s: %q", c.v, c.goes, got)
		}
	}
}

func TestWordsAreSplitAsAShellDoes(t *testing.T) {
	for in, want := range map[string]string{
		``:                     ``,
		`  -a   -b  `:          `-a|-b`,
		`-x "a b" 'c "d' e\ f`: `-x|a b|c "d|e f`,
		`--empty "" ''`:        `--empty||`,
		`a"b"'c'`:              `abc`,
		`"a\"b\\c\d"`:          `a"b\c\d`,
		`$HOME %n`:             `$HOME|%n`,
		`-path=/data/中文`:       `-path=/data/中文`,
	} {
		got, err := words(in)
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	for _, in := range []string{`"a`, `'a`, `a\`, "a\nb", "a\x1b[2J"} {
		if _, err := words(in); err == nil {
			t.Errorf("%q is taken", in)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{`a b`, `"a \" b" 'c'`, `\`, `%$;`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ws, err := words(s)
		if err != nil {
			return
		}
		for _, w := range ws {
			u := unitWord(w)
			if strings.ContainsAny(u, "\n\r") {
				t.Errorf("%q breaks out of its line: %q", w, u)
			}
			if back := systemdWord(t, u); back != w {
				t.Errorf("%q is read back as %q from %q", w, back, u)
			}
		}
	})
}

// systemdWord reads one word as systemd.service(5) says: double quotes, \ in them, %% and
// $$.
func systemdWord(t *testing.T, s string) string {
	t.Helper()
	if strings.HasPrefix(s, `"`) {
		if !strings.HasSuffix(s, `"`) || len(s) < 2 {
			t.Fatalf("%q is not quoted whole", s)
		}
		s = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1 : len(s)-1])
	} else if strings.ContainsAny(s, " \t\"'\\;") || s == "" {
		t.Fatalf("%q is more than a word", s)
	}
	return strings.NewReplacer("%%", "%", "$$", "$").Replace(s)
}

func TestPairsGetTheProgramOfTheirProcessor(t *testing.T) {
	hs := engine.Hosts{Order: []machine.ID{"local", "peer:b"}, Facts: map[machine.ID]*detect.Facts{"local": facts(252, "x86_64"), "peer:b": facts(255, "aarch64")}}
	sv := []byte(`{"local":{"source":"/srv/app-amd64","sha256":"11","arch":"x86_64","kind":"static","userns":true},"peer:b":{"source":"/srv/app-arm64","sha256":"22","arch":"aarch64","kind":"static","userns":true}}`)
	items, err := (Step{}).Ops(hs, sv, engine.Values{KeyBinary: "/srv/app-{arch}", KeyOpenPort: true})
	if err != nil {
		t.Fatal(err)
	}
	steptest.Golden(t, "pair", steptest.Wanted(t, items))
	sv = []byte(strings.Replace(string(sv), `"arch":"aarch64"`, `"arch":"x86_64"`, 1))
	if _, err := (Step{}).Ops(hs, sv, engine.Values{KeyBinary: "/srv/app-{arch}"}); err == nil || !strings.Contains(err.Error(), "cannot run /srv/app-arm64 on b: it is for x86_64") {
		t.Errorf("%v", err)
	}
}
