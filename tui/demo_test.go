package tui

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
	"goxin/detect"
	"goxin/detect/machine"
	"goxin/steps"
	"goxin/steps/demo"
	"goxin/steps/engine"
	"goxin/steps/op"
	"goxin/steps/steptest"
	"goxin/tui/console"
)

// shown are the machines whose every page is a golden: two families of packages, three
// processors, one of which no release of Go runs on.
var shown = []string{"kylin-v10-sp3-kunpeng920", "uos-server-20d", "loongnix-25-3a6000", oldWorld}

// oldWorld is the one of them on which the Go step has to refuse.
const oldWorld = "loongnix-20"

// looks are how a terminal may show a page.
var looks = []struct {
	name string
	tier Tier
	lang lang.Lang
}{{"rich-en", Rich, lang.EN}, {"rich-zh", Rich, lang.ZH}, {"vt-en", VT, lang.EN}, {"plain-en", Plain, lang.EN}, {"plain-zh", Plain, lang.ZH}}

// windows are the sizes every page is drawn at.
var windows = [][2]int{{80, 24}, {40, 12}, {132, 43}, {200, 60}}

// demonstrated is the real wizard, with all its steps, on a simulated machine, between
// keys: wherever it has come to, see is called with the name of the page.
func demonstrated(t *testing.T, name string, see func(d *driver, page string), wrap ...func(machine.Machine) machine.Machine) {
	t.Helper()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	sim, err := demo.Open(name, filepath.Join(steptest.Dir(t), "demo"), demo.Options{Now: func() time.Time { return noon }, HostSeed: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	guarded(t, sim)
	m := sim.Machine
	for _, f := range wrap {
		m = f(m)
	}
	e := engine.New(engine.Config{Machines: []machine.Machine{m}, Steps: sim.Steps, Kinds: op.Kinds(), Detect: detect.Detect})
	d := drive(t, nil, func(c *Config) {
		c.Session, c.Steps, c.Purposes, c.Mark = Live(e), sim.Steps, steps.Purposes(), lang.T("SIMULATED", "模拟")
		c.Answers = pairAnswers(sim)
	})
	d.app.header, d.app.warning = (*detect.Facts).Title, detect.Warn
	at := func(page string) {
		see(d, page)
		d.draw([2]int{80, 24}, Rich, lang.EN)
	}
	peek := func(page string, keys ...string) {
		d.keys(keys...)
		at(page)
		d.keys("esc")
	}

	d.at(atMachine)
	at("machine")
	peek("machine-how", "?")
	d.keys("enter").at(atPurpose)
	at("purpose")
	d.keys("up", "enter")
	at("purpose-steps")
	d.keys("enter")
	for i, s := range sim.Steps {
		id := s.ID()
		if d.app.place.stage == atDone {
			t.Fatalf("done before %s", id)
		}
		if i == 2 {
			d.keys("esc").at(atFinished)
			at("finished")
			d.keys("enter")
		}
		at(id + "-ask")
		for range 40 {
			if d.app.place.stage != atAsk {
				break
			}
			if p, ok := d.app.page.(*askPage); ok && p.focus == "host_key" && p.questions[p.index()].Kind == engine.Choice {
				at("peer-key")
				d.keys("down") // it is the one
			}
			d.keys("enter")
		}
		d.at(atDiff)
		at(id + "-diff")
		p := d.app.page.(*diffPage)
		switch {
		case p.err != nil:
			if name != oldWorld {
				t.Fatalf("%s: %s", id, lang.Message(p.err, lang.EN))
			}
			d.keys("s")
			continue
		case p.plan.Changes() == 0:
			d.keys("enter")
			if d.app.place.stage == atResult {
				d.keys("enter")
			}
			continue
		}
		if i == 0 {
			peek("why", "?")
			peek("by-hand", "c")
			peek("keys", "f1")
			d.app.lesson = true
			peek("lesson", "w")
			d.app.lesson = false
			peek("write", "w")
		}
		d.keys("w", "enter").at(atResult)
		if d.app.outcome.err != nil {
			t.Fatalf("%s: %s", id, lang.Message(d.app.outcome.err, lang.EN))
		}
		at(id + "-result")
		d.keys("enter")
	}
	d.at(atDone)
	at("done")
	d.keys("u", "enter").at(atUndo)
	at("undo")
}

// guarded has the demo's machines guard what is done to them.
func guarded(t *testing.T, sim *demo.Demo) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	sim.GuardWith(ctx, func(ctx context.Context, m machine.Machine, id engine.RunID) error {
		return engine.New(engine.Config{Machines: []machine.Machine{m}, Steps: sim.Steps, Kinds: op.Kinds(), Detect: detect.Detect}).Guard(ctx, id)
	})
	t.Cleanup(func() {
		cancel()
		if err := sim.Close(); err != nil {
			t.Error(err)
		}
	})
}

// pairAnswers are those of a demo, without a drill, whose figures nobody can write down
// beforehand.
func pairAnswers(sim *demo.Demo) engine.Answers {
	a := sim.Answers()
	a["ha"]["drill"] = "none"
	return a
}

func TestEveryPageOfEveryStepOnFourMachines(t *testing.T) {
	for _, name := range shown {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := make(map[string]*strings.Builder)
			demonstrated(t, name, func(d *driver, page string) {
				for _, look := range looks {
					for _, size := range windows {
						v := d.draw(size, look.tier, look.lang)
						file := fmt.Sprintf("%s-%dx%d.txt", look.name, size[0], size[1])
						if files[file] == nil {
							files[file] = new(strings.Builder)
						}
						fmt.Fprintf(files[file], "== %s\n%s\n", page, v)
						if p, asks := d.app.page.(*askPage); asks && strings.HasSuffix(page, "-ask") {
							title := wrap(d.app.s(p.questions[0].Title), 30)[0]
							if !strings.Contains(v, title) {
								t.Errorf("%s %s: the question is not on its page: %q\n%s", page, file, title, v)
							}
						}
						checkPage(t, fmt.Sprintf("%s %s", page, file), v, size, look.tier, look.lang)
					}
				}
			})
			for file, b := range files {
				steptest.GoldenFile(t, filepath.Join("..", "testdata", "pages", name, file), b.String())
			}
		})
	}
}

// fileLine is a line of a file in a diff, with its number and whether it comes or goes.
var fileLine = regexp.MustCompile(`\s\d+ [-+ ] `)

// goesOn is what stands in a column of its own further in: after a line of a file, the
// rest of it.
var goesOn = regexp.MustCompile(`\s{5}\S`)

// wrapsFiles are the pages that have the files of two machines beside each other.
var wrapsFiles = regexp.MustCompile(`^(service|ha)-diff `)

// shortened are ends of what is shortened on purpose: a reason that ? tells in full, and the
// entry of a list that leads to a line.
var shortened = strings.NewReplacer("SHA256:…", "", "… (?)", "", "… (F3)", "", "other…", "", "其他…", "")

// checkPage holds the three invariants (no line too wide, no page too long, no byte the
// terminal has no character for) and that a screen speaks one language.
func checkPage(t *testing.T, name, v string, size [2]int, tier Tier, l lang.Lang) {
	t.Helper()
	lines := strings.Split(v, "\n")
	if len(lines) > size[1] {
		t.Errorf("%s: %d lines\n%s", name, len(lines), v)
	}
	for _, line := range lines {
		if w := width(line); w > size[0] {
			t.Errorf("%s: %d cells: %q", name, w, line)
		}
	}
	for _, r := range v {
		if r < ' ' && r != '\n' || tier == Plain && r > 126 && (l == lang.EN || !wide(r)) || tier == VT && r > 126 && !strings.ContainsRune(console.Glyphs, r) {
			t.Errorf("%s: %q", name, r)
			break
		}
	}
	if size == windows[0] && tier == Rich && strings.Contains(shortened.Replace(v), "…") {
		t.Errorf("%s: something is cut at 80 columns:\n%s", name, v)
	}
	ofFile := false
	for _, line := range lines {
		ofFile = fileLine.MatchString(line) || ofFile && goesOn.MatchString(line)
		switch {
		case l == lang.EN:
			if found := langtest.ChineseIn(strings.ReplaceAll(line, "中文 F2", "")); len(found) > 0 {
				t.Errorf("%s: Chinese on an English screen: %q", name, line)
			}
		case size[0] >= pairFrom && size[0] < pairAsideFrom && wrapsFiles.MatchString(name): // a file's long lines go on in their columns
		case !ofFile && !strings.HasPrefix(name, "by-hand"):
			if found := langtest.EnglishIn(line); len(found) > 0 {
				t.Errorf("%s: English on a Chinese screen: %q in %q", name, found, line)
			}
		}
	}
}
