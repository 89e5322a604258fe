package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/steps/drill"
	"goxin/steps/engine"
	"goxin/steps/sandbox"
	"goxin/steps/selftest"
	"goxin/steps/vrrp"
)

func told(t testing.TB, kind string, data any) engine.Kept {
	t.Helper()
	b, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return engine.Kept{On: "local", Kind: kind, Data: b}
}

func plot(worst ...float64) drill.Plot {
	return drill.Plot{Every: 100 * time.Millisecond, Set: time.Second, Back: 2 * time.Second, Worst: worst}
}

func drillRows() []drill.Row {
	quiet := []float64{1, 1.234, 1, 1, 1, 1, 1, 1, 1, 1}
	row := func(f vrrp.Fault, ok bool, lost int, gap, predicted time.Duration, owners []string, why lang.Text, worst []float64) drill.Row {
		return drill.Row{Fault: f, Title: drill.Title(f), Asked: 300, Lost: lost, Gap: gap, Predicted: predicted, Owners: owners, OK: ok, Why: why, Healed: 1200 * time.Millisecond, Plot: plot(append(append([]float64{}, quiet...), append(worst, quiet...)...)...)}
	}
	ms := time.Millisecond
	return []drill.Row{
		row(vrrp.FaultSwitchover, true, 0, 11*ms, 15*ms, []string{"a1", "a2"}, lang.Text{}, []float64{4, 7.5, 2}),
		row(vrrp.FaultNginxKilled, true, 4, 42*ms, 50*ms, []string{"a2", "a1"}, lang.Text{}, []float64{-1, 41, 2}),
		row(vrrp.FaultSplit, false, 31, 3318*ms, 210*ms, []string{"a1", "a1+a2", "a1"}, lang.T("two owners answered for 3.1 s", "两个持有者同时应答 3.1 秒"), []float64{-1, -1, -1, -2, -2, 9}),
		{Fault: vrrp.FaultDisk, Title: drill.Title(vrrp.FaultDisk), Skipped: true, Why: lang.T("the disk is shared with the host", "磁盘与宿主机共用")},
	}
}

func hardened() sandbox.Report {
	return sandbox.Report{Unit: "orders.service", Of: 5, Results: []sandbox.Result{
		{Line: "NoNewPrivileges=yes", State: sandbox.InForce, Why: lang.T("to gain privileges by running a program", "通过执行程序获得特权"), Seen: lang.T("in force: done without the line, refused with it (EPERM)", "已生效：不加这一行可以做到，加上后被拒绝（EPERM）")},
		{Line: "SystemCallFilter=@system-service", State: sandbox.Ignored, Seen: lang.T("ignored on this CPU", "在本机 CPU 上被忽略")},
		{Line: "ProcSubset=pid", State: sandbox.Unknown, Seen: lang.T("ignored by this systemd", "被本机 systemd 忽略")},
		{Line: "LockPersonality=yes", State: sandbox.NoProbe, Seen: lang.T("written; there is nothing to try", "已写入；没有可尝试的动作")},
	}}
}

// paired is the acceptance of a pair.
func paired(t testing.TB) *Report {
	rec, o := acceptance()
	var all []engine.Kept
	for i, r := range drillRows() {
		s := drill.Sample{Fault: r.Fault, N: i + 1, Of: 4, Owner: "a1", LatencyMS: []float64{1, -1}}
		if i == 0 {
			s.From, s.Faults = "a3", drill.Usual()
		}
		all = append(all, told(t, "drill", s))
		s.Faults, s.From, s.Done = nil, "", &r
		all = append(all, told(t, "drill", s))
	}
	first := hardened()
	first.Results = first.Results[:1]
	keep(rec, map[int][]engine.Kept{0: {told(t, sandbox.TellKind, first), told(t, sandbox.TellKind, hardened()), told(t, "journal", "orders: ready")}, 1: all})
	return Make(rec, o)
}

// keep has proofs keep data, by the place of their step in the record.
func keep(rec *engine.RunRecord, all map[int][]engine.Kept) {
	for i, k := range all {
		rec.Steps[i].Kept = k
	}
}

func TestAPairsReportShowsDrillAndHardening(t *testing.T) {
	r := paired(t)
	for _, l := range []lang.Lang{lang.ZH, lang.EN} {
		html, md := render(t, r, l)
		for name, got := range map[string]string{"pair." + string(l) + ".html": html, "pair." + string(l) + ".md": md} {
			golden(t, name, got)
		}
		if strings.Contains(html, "ZgotmplZ") {
			t.Error("the template refuses a part of the plot")
		}
	}
	j, err := r.JSON()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "pair.json", string(j))
	var back Report
	if err := json.Unmarshal(j, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := back.JSON(); err != nil || string(again) != string(j) {
		t.Errorf("the JSON form does not read back: %v", err)
	}
	if n := len(r.Steps[0].Hardening); n != 1 || len(r.Steps[0].Hardening[0].Results) != 4 {
		t.Errorf("a report that grew is not one: %+v", r.Steps[0].Hardening)
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = "testdata/" + name
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || string(want) != got {
		t.Errorf("%s is another now (%v): look at it, then -update", name, err)
	}
}

func TestAFaultThatCameOutOtherwiseIsARemark(t *testing.T) {
	rec, o := acceptance()
	o.Drift, rec.Steps[0].Changes[1].Outcome = nil, rec.Steps[0].Changes[0].Outcome
	rows := drillRows()
	with := func(rs []drill.Row) *Report {
		keep(rec, map[int][]engine.Kept{1: {told(t, "drill", drill.Result{Version: 1, From: "a1", VIP: "10.77.0.100", Rate: 100, Rows: rs})}})
		return Make(rec, o)
	}
	if r := with(rows[:2]); r.Verdict != Good {
		t.Errorf("a drill that went well: %s", r.Verdict)
	}
	r := with(rows)
	if r.Verdict != Remarks {
		t.Errorf("two owners: %s", r.Verdict)
	}
	html, _ := render(t, r, lang.EN)
	for _, s := range []string{"failover drill, protocol 112 dropped: not as predicted: 3,318 ms, two owners answered", "a1 asked 10.77.0.100, whenever it was the one that stood by 100 times a second"} {
		if !strings.Contains(html, s) {
			t.Errorf("it does not say %q", s)
		}
	}
}

func TestASelfTestStandsInTheReportWithWhatFailed(t *testing.T) {
	rec, o := acceptance()
	r := selftest.Result{Version: 1, Goroot: "/usr/local/goxin/go/current", Said: "go version go1.26.8 linux/loong64", Kernel: "4.19.190", Checks: []selftest.Check{
		{Name: "signals", OK: true, Said: "120 signals of 6 kinds came"}, {Name: "recovered-faults", Said: "3 of 800 faults became panics"},
	}, Died: lang.Same("killed by SIGSEGV")}
	keep(rec, map[int][]engine.Kept{0: {told(t, selftest.TellKind, r)}})
	for l, wants := range map[lang.Lang][]string{
		lang.EN: {"Self-test of", "go1.26.8 linux/loong64", "4.19.190", "signals arrive", "120 signals of 6 kinds came", "3 of 800 faults became panics", "the self-test died after 2 of 10 checks: killed by SIGSEGV", "✗"},
		lang.ZH: {"自检", "信号送达", "在完成 2/10 项后中止", "✗"},
	} {
		html, md := render(t, Make(rec, o), l)
		for _, want := range wants {
			if !strings.Contains(html, want) {
				t.Errorf("%s, HTML: no %q", l, want)
			}
			if want != "4.19.190" && !strings.Contains(md, want) {
				t.Errorf("%s, Markdown: no %q", l, want)
			}
		}
	}
}

// TestWhatIsToldCannotActOnAReader: a peer that was broken into tells its part too.
func TestWhatIsToldCannotActOnAReader(t *testing.T) {
	evil := "\x1b]0;x\a<script>alert(1)</script>\u202e`|\n"
	rec, o := acceptance()
	r := drillRows()[2]
	r.Fault, r.Title, r.Why, r.Owners = vrrp.Fault(evil), lang.Same(evil), lang.Same(evil), []string{evil}
	r.Plot.Worst = append(r.Plot.Worst, 1e300, -7, math.MaxFloat64)
	h := hardened()
	h.Unit, h.Results[0].Line, h.Results[0].Seen, h.Results[0].State = evil, evil, lang.Same(evil), sandbox.State(evil)
	keep(rec, map[int][]engine.Kept{0: {
		told(t, "drill", drill.Result{From: evil, VIP: evil, Rows: []drill.Row{r}, Stopped: lang.Same(evil)}), told(t, sandbox.TellKind, h),
		told(t, selftest.TellKind, selftest.Result{Goroot: evil, Said: evil, Kernel: evil, Died: lang.Same(evil), Checks: []selftest.Check{{Name: evil, Said: evil}}}),
		{Kind: selftest.TellKind, Data: json.RawMessage(`{"checks":`)},
		{Kind: "drill", Data: json.RawMessage(`{"done":`)},
		{Kind: sandbox.TellKind, Data: json.RawMessage(`7`)},
		{Kind: evil, Data: nil},
	}})
	for _, l := range []lang.Lang{lang.ZH, lang.EN} {
		html, md := render(t, Make(rec, o), l)
		if strings.Contains(html, "<script") || strings.Contains(strings.ReplaceAll(md, `\<`, ""), "<script") {
			t.Errorf("a script gets through in %s", l)
		}
		if strings.ContainsAny(html+md, "\x1b\a\u202e") {
			t.Errorf("a control character gets through in %s", l)
		}
	}
}

func FuzzTold(f *testing.F) {
	f.Add("drill", []byte(told(f, "drill", drill.Result{From: "a3", Rows: drillRows()}).Data))
	f.Add(sandbox.TellKind, []byte(told(f, sandbox.TellKind, hardened()).Data))
	f.Add(selftest.TellKind, []byte(told(f, selftest.TellKind, selftest.Result{Said: "go", Checks: []selftest.Check{{Name: "files", OK: true}}}).Data))
	rec := engine.RunRecord{Steps: []engine.StepRecord{{Step: "ha"}}}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		keep(&rec, map[int][]engine.Kept{0: {{On: "local", Kind: kind, Data: data}, {On: "peer:x", Kind: kind, Data: data}}})
		r := Make(&rec, Options{})
		if md := r.Markdown(lang.EN); bytes.ContainsAny(md, "\x1b\a\u202e") {
			t.Error("it gets through")
		}
		if _, err := r.JSON(); err != nil {
			t.Error(err)
		}
		for _, s := range (page{r, lang.EN}).Drills() {
			if f := (page{r, lang.EN}).Figure(s.Drill); f != nil && strings.Contains(fmt.Sprint(f), "NaN") {
				t.Errorf("%+v", f)
			}
		}
	})
}
