package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/detect/machine"
	"goxin/steps/engine"
)

func printed(t *testing.T, l lang.Lang, p *engine.StepPlan) string {
	t.Helper()
	a := &app{lang: l}
	var b strings.Builder
	a.printPlan(&b, ink{}, lang.T("Tools", "开发工具"), p, func(id machine.ID) lang.Text { return lang.Same("called " + string(id)) })
	return b.String()
}

func packages(n int) *engine.StepPlan {
	it := engine.Planned{Kind: "packages", Diff: engine.Diff{Action: engine.CannotUndo, Note: lang.F("%d packages", "%d 个软件包", n)}}
	var names []string
	for i := range n {
		r := engine.Row{Action: engine.Create, Name: fmt.Sprintf("package-%02d", i+1), Then: "1.0"}
		if i == 1 {
			r.Action, r.Now, r.Note = engine.CannotUndo, "0.9", lang.T("replaced", "升级")
		}
		it.Diff.Rows = append(it.Diff.Rows, r)
		names = append(names, r.Name)
	}
	it.Target = strings.Join(names, " ")
	return &engine.StepPlan{Items: []engine.Planned{it}}
}

func TestPackagesArePrintedOneALine(t *testing.T) {
	got := printed(t, lang.EN, packages(80))
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	if len(lines) != 82 {
		t.Fatalf("%d lines\n%s", len(lines), got)
	}
	for i, want := range map[int]string{
		1:  "  ! package-01 package-02 package-03 package-04 package-05 pa... 80 packages",
		2:  "    + package-01                         1.0",
		3:  "    ! package-02                         0.9 -> 1.0   replaced",
		81: "    + package-80                         1.0",
	} {
		if lines[i] != want {
			t.Errorf("line %d\n got %q\nwant %q", i, lines[i], want)
		}
	}
}

func TestARowIsPrintedByWhatItBecomes(t *testing.T) {
	a := &app{}
	for want, r := range map[string]engine.Row{
		"60 -> 1": {Action: engine.Update, Now: "60", Then: "1"},
		"1":       {Action: engine.Create, Then: "1"},
		"60":      {Action: engine.Delete, Now: "60"},
		"7":       {Action: engine.None, Now: "7", Then: "1"},
		"8":       {Action: engine.None, Then: "8"},
	} {
		r.Name = "name"
		if got := strings.TrimSpace(strings.SplitN(a.row(r), "name", 2)[1]); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

func TestASurveyIsToldOfOnceItIsSlow(t *testing.T) {
	var told []string
	s := slowSurvey{say: func(t lang.Text) { told = append(told, t.EN) }}
	surveying := func(text string) {
		s.hear(engine.Event{What: engine.Surveying, Step: "mirror", Text: lang.Same(text), Table: &engine.Table{}})
	}
	surveying("")
	surveying("asking 8 mirrors")
	if s.timer == nil {
		t.Fatal("no clock runs")
	}
	s.timer.Stop() // the test is the clock
	s.due("mirror")
	s.due("mirror")
	surveying("2 of 8 have answered")
	s.due("mirror")
	s.due("kernel")
	s.hear(engine.Event{What: engine.Surveyed, Step: "mirror"})
	s.due("mirror")
	s.timer.Stop()
	if got := strings.Join(told, "; "); got != "asking 8 mirrors; 2 of 8 have answered" {
		t.Errorf("told: %s", got)
	}
}

func TestQuietSaysNothingOfASurvey(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	a := &app{quiet: true, errs: f, lang: lang.EN}
	slow := slowSurvey{say: func(t lang.Text) { a.say("  %s", "  %s", t) }}
	slow.hear(engine.Event{What: engine.Surveying, Step: "mirror", Text: lang.Same("asking")})
	slow.due("mirror")
	slow.timer.Stop()
	if b, _ := os.ReadFile(f.Name()); len(b) > 0 {
		t.Errorf("%q", b)
	}
	if surveySlow > time.Second {
		t.Error("a person waits longer than a second without a word")
	}
}

func TestOnlySurveysAreHeardBeforeARun(t *testing.T) {
	var heard []engine.What
	f := onlySurveys(func(ev engine.Event) { heard = append(heard, ev.What) })
	for _, w := range []engine.What{engine.Surveying, engine.Surveyed, engine.PlanReady} {
		f(engine.Event{What: w})
	}
	if fmt.Sprint(heard) != "[surveying surveyed]" {
		t.Error(heard)
	}
}

func TestATableThatIsTooWideForTheTerminalIsNotTornApart(t *testing.T) {
	table := &engine.Table{
		Columns: []engine.Column{{Title: lang.T("place", "来源")}, {Title: lang.T("says", "内容")}, {Title: lang.T("effect", "作用")}},
		Rows: []engine.TableRow{
			{Mark: engine.Best, Cells: []lang.Text{lang.Same("PATH"), lang.Same("/usr/local/goxin/go/current/bin/go, go1.26.8"), lang.T("a shell starts this one", "shell 启动的是它")}},
			{Mark: engine.Waiting, Cells: []lang.Text{lang.Same("go.work"), lang.Same("-"), lang.T("none", "没有")}},
		},
	}
	for _, c := range []struct {
		width int
		l     lang.Lang
		want  string
	}{
		{0, lang.EN, "   place    says                                          effect\n*  PATH     /usr/local/goxin/go/current/bin/go, go1.26.8  a shell starts this one\n.  go.work  -                                             none"},
		{80, lang.ZH, "   来源     内容                                          作用\n*  PATH     /usr/local/goxin/go/current/bin/go, go1.26.8  shell 启动的是它\n.  go.work  -                                             没有"},
		{72, lang.ZH, "*  PATH\n     内容：/usr/local/goxin/go/current/bin/go, go1.26.8\n     作用：shell 启动的是它\n.  go.work\n     作用：没有"},
	} {
		if got := strings.Join(tableLines(table, c.l, c.width), "\n"); got != c.want {
			t.Errorf("%d %s:\n%s", c.width, c.l, got)
		}
	}
}

func TestWhatIsPrintedDoesNothingToATerminal(t *testing.T) {
	for in, want := range map[string]string{
		"a\tb\nc 麒麟":       "a\tb\nc 麒麟",
		"\x1b]0;x\x07\x7f": `\x1b]0;x\x07\x7f`,
		"\u009b2J":         `\x9b2J`,
		"a\u202ecba":       `a\u202ecba`, // it would read abc
		"a\u2028b\ufeff":   `a\u2028b\ufeff`,
	} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestThePlanOfAPairNamesItsMachines(t *testing.T) {
	p := packages(1)
	p.Items = append(p.Items, packages(1).Items...)
	p.Items[0].On, p.Items[1].On = "local", "peer:b"
	for l, want := range map[lang.Lang][]string{lang.EN: {"  on called local:\n", "  on called peer:b:\n"}, lang.ZH: {"  called local：\n", "  called peer:b：\n"}} {
		got := printed(t, l, p)
		for _, w := range want {
			if strings.Count(got, w) != 1 {
				t.Errorf("%q is not in\n%s", w, got)
			}
		}
	}
}
