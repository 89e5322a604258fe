package tui

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// screens makes a wizard for every page and overlay there is.
func screens(t *testing.T) map[string]*driver {
	to := func(f *fakeSession, keys ...string) *driver { return drive(t, f).keys(keys...) }
	toDiff := []string{"enter", "enter", "enter"}
	write := append(slices.Clone(toDiff), "w", "enter")
	pending := &engine.RunInfo{
		ID: 7, Status: engine.StatusInterrupted, Owner: "person", Steps: []string{"kernel"}, Changes: 3,
		Time: time.Date(2026, 11, 22, 14, 32, 0, 0, time.Local),
	}
	due := *pending
	due.Status = engine.StatusAwaiting

	m := map[string]*driver{
		"machine":         to(&fakeSession{}),
		"machine-how":     to(&fakeSession{}, "?"),
		"machine-failed":  to(&fakeSession{detectErr: errLock}),
		"pending":         to(&fakeSession{pending: pending}),
		"pending-due":     to(&fakeSession{pending: &due}),
		"ask":             to(&fakeSession{}, "enter", "down"),
		"ask-map":         to(&fakeSession{}, "enter", "enter"),
		"ask-refused":     to(&fakeSession{}, "enter", "enter", "kernel.panic=1", "enter"),
		"diff":            to(&fakeSession{}, toDiff...),
		"diff-end":        to(&fakeSession{}, append(slices.Clone(toDiff), "pgdown", "pgdown", "pgdown", "pgdown", "pgdown")...),
		"diff-why":        to(&fakeSession{}, append(slices.Clone(toDiff), "down", "?")...),
		"diff-by-hand":    to(&fakeSession{}, append(slices.Clone(toDiff), "c")...),
		"diff-write":      to(&fakeSession{}, append(slices.Clone(toDiff), "W")...),
		"diff-failed":     to(&fakeSession{planErr: errLock}, toDiff...),
		"diff-empty":      to(&fakeSession{plan: func(s string) *engine.StepPlan { return &engine.StepPlan{Step: s} }}, toDiff...),
		"help":            to(&fakeSession{}, append(slices.Clone(toDiff), "f1")...),
		"leave":           to(&fakeSession{}, append(slices.Clone(toDiff), "ctrl+c")...),
		"result":          to(&fakeSession{}, write...),
		"result-deviates": to(&fakeSession{deviate: true}, write...),
		"result-failed":   to(&fakeSession{applyErr: errLock}, write...),
		"result-due":      to(&fakeSession{}, append(slices.Clone(toDiff), "W", "enter")...),
		"result-log":      to(&fakeSession{deviate: true}, append(slices.Clone(write), "l")...),
		"done":            to(&fakeSession{}, append(slices.Clone(write), "enter")...),
		"done-skipped":    to(&fakeSession{}, append(slices.Clone(toDiff), "s")...),
		"undo":            to(&fakeSession{left: []engine.Left{{Target: "vm.swappiness", Reason: lang.T("changed by somebody since, so it was left alone", "之后被他人改动过，因此保持原样")}}}, append(slices.Clone(write), "u", "enter")...),
		"write":           writing(t, false),
		"write-stop":      writing(t, true),
	}
	busy := &engine.BusyError{Holder: engine.Holder{PID: 1184, Since: pending.Time}}
	out := engine.Outcome{Kind: engine.Clamped, By: lang.T("fs.nr_open is lower", "fs.nr_open 更低"), Got: "1048576"}
	clamped := []engine.StepResult{{Applied: 3, Deviations: []engine.Deviation{{Kind: "sysctl", Target: "fs.file-max", Outcome: out}}}}
	m["pending-busy"] = to(&fakeSession{pending: pending, resumeErr: busy}, "f")
	m["pending-failed"] = to(&fakeSession{pending: pending, resumeErr: errLock}, "f")
	m["pending-deviates"] = to(&fakeSession{pending: pending, results: clamped}, "f")
	m["undo-failed"] = to(&fakeSession{undoErr: errLock}, append(slices.Clone(write), "u", "enter")...)
	m["done-failed"] = to(&fakeSession{applyErr: errLock}, append(slices.Clone(write), "r", "s")...)
	m["done-due"] = to(&fakeSession{applyErr: errLock}, append(slices.Clone(toDiff), "W", "enter", "r", "s")...)
	for name, became := range map[string]engine.Status{"result-lapsed": engine.StatusUndone, "result-lapsed-partly": engine.StatusFailed, "result-overdue": engine.StatusAwaiting} {
		f := &fakeSession{}
		m[name] = to(f, append(slices.Clone(toDiff), "W", "enter")...)
		f.became(1, became)
		m[name].later(121 * time.Second)
	}
	m["survey-table"] = surveying(t, asking, atAsk)
	m["survey-plan"] = surveying(t, func(a *App) page { return &diffPage{App: a} }, atDiff)
	m["ask-pick"] = drive(t, &fakeSession{}, withRace).keys("enter", "down", "down")
	m["ask-other"] = drive(t, &fakeSession{}, withRace).keys("enter", "up", "enter").types("ftp://10.0.0.1").keys("enter")
	m["write-proving"] = trying(t, tryList)
	m["write-proved"] = trying(t, append(append([]engine.Event{tryList, sawList}, whole(engine.Done)...), tryPage)...)
	m["write-silent"] = trying(t, whole(engine.Doing)[0], engine.Event{What: engine.Output, Text: lang.Same("reading back")})
	m["write-silent"].clock = m["write-silent"].clock.Add(40 * time.Second)
	m["write-moving"] = trying(t, whole(engine.Doing)[0], engine.Event{What: engine.Moving, Amount: &engine.Amount{Done: 48_100_000, Total: 68_600_000, Rate: 31e6}})
	m["result-unproved"] = unproven(t)
	m["diff-packages"] = to(&fakeSession{plan: packagesPlan(80)}, toDiff...)
	m["diff-packages-write"] = to(&fakeSession{plan: packagesPlan(80)}, append(slices.Clone(toDiff), "w")...)
	m["purpose"] = drive(t, &fakeSession{}, withPurposes, func(c *Config) { c.Earlier = engine.Answers{"mirror": {}} }).keys("enter", "down")
	m["purpose-steps"] = drive(t, &fakeSession{}, withPurposes).keys("enter", "up", "enter")
	m["finished"] = drive(t, &fakeSession{}, twoSteps).keys(write...).keys("enter", "esc")
	m["finished-undone"] = drive(t, &fakeSession{}, twoSteps).keys(write...).keys("enter", "esc", "u", "enter")
	m["lesson"] = drive(t, &fakeSession{}, func(c *Config) { c.Lesson, c.Mark = true, lang.T("SIMULATED", "模拟") }).keys(append(slices.Clone(toDiff), "w")...)
	m["done-report"] = drive(t, &fakeSession{}, func(c *Config) {
		c.Report = func(context.Context, engine.RunID, lang.Lang) (string, error) {
			return "/var/lib/goxin/reports/2026-11-22-1430-run-1.html", nil
		}
	}).keys(append(slices.Clone(write), "enter")...)
	m["many-steps"] = drive(t, &fakeSession{}, func(c *Config) {
		c.Steps = nil
		for _, id := range []string{"mirror", "a", "b", "c", "kernel", "d", "e", "f", "g", "h"} {
			c.Steps = append(c.Steps, fakeStep{id})
		}
	}).keys("enter", "enter", "enter", "w", "enter", "enter", "enter", "enter", "s")
	return m
}

// writing is a wizard in the middle of a step.
func writing(t *testing.T, stop bool) *driver {
	d := drive(t, &fakeSession{}).toDiff()
	d.app.outcome.plan = fakePlan("kernel")
	p := &writePage{App: d.app}
	d.app.place, d.app.page = place{atWrite, 0}, p
	d.app.epoch++
	p.Enter()
	d.clock = d.clock.Add(14 * time.Second)
	for i, it := range fakePlan("kernel").Items[:3] {
		ev := engine.Event{On: it.On, Kind: it.Kind, Target: it.Target}
		ev.What = engine.Doing
		p.Update(ev)
		if i < 2 {
			ev.What = engine.Done
			p.Update(ev)
		}
	}
	p.Update(engine.Event{What: engine.Output, Text: lang.Same("reading back \x1b[31mnet.core.somaxconn")})
	if stop {
		d.keys("x")
	}
	return d
}

var (
	sizes = [][2]int{{80, 24}, {40, 12}, {132, 43}, {20, 5}}
	tiers = map[string]Tier{"rich": Rich, "plain": Plain}
	langs = []lang.Lang{lang.EN, lang.ZH}
)

func (d *driver) draw(size [2]int, t Tier, l lang.Lang) string {
	d.app.theme, d.app.lang = newTheme(t), l
	d.app.width = 0 // whatever it was: lay out anew
	d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
	return d.app.View()
}

func TestScreens(t *testing.T) {
	for name, d := range screens(t) {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, size := range sizes {
				for _, tier := range []string{"rich", "plain"} {
					for _, l := range langs {
						v := d.draw(size, tiers[tier], l)
						fmt.Fprintf(&b, "== %dx%d %s %s\n%s\n", size[0], size[1], tier, l, v)
						checkScreen(t, fmt.Sprintf("%s %dx%d %s %s", name, size[0], size[1], tier, l), v, size, tier, l)
					}
				}
			}
			steptest.GoldenFile(t, filepath.Join("..", "testdata", "screens", name+".txt"), b.String())
		})
	}
}

// TestNoScreenOverflowsAtAnySize sweeps sizes that have no golden.
func TestNoScreenOverflowsAtAnySize(t *testing.T) {
	for name, d := range screens(t) {
		for _, size := range [][2]int{{41, 13}, {47, 17}, {59, 14}, {79, 23}, {81, 12}, {99, 31}, {119, 18}, {120, 24}, {159, 50}, {160, 24}, {200, 60}, {3, 3}, {1, 1}} {
			for tier, tt := range tiers {
				for _, l := range langs {
					v := d.draw(size, tt, l)
					checkScreen(t, fmt.Sprintf("%s %dx%d %s %s", name, size[0], size[1], tier, l), v, size, tier, l)
				}
			}
		}
	}
}

// foreign is what is quoted as it is in both languages: file content, sources
// of facts, another program's words.
var foreign = []string{
	"goxin: kernel profile web", "dnf is waiting for a lock", "dnf is", "waiting for a lock", "reading back", "safe everywhere",
}

var sentence = regexp.MustCompile(`\b[A-Za-z]?[a-z]+ [a-z]{2,} [a-z]{2,}\b`)

func checkScreen(t *testing.T, name, v string, size [2]int, tier string, l lang.Lang) {
	t.Helper()
	lines := strings.Split(v, "\n")
	if len(lines) > size[1] {
		t.Errorf("%s: %d lines\n%s", name, len(lines), v)
	}
	for _, line := range lines {
		if w := ansi.StringWidth(line); w > size[0] && size[0] > 1 {
			t.Errorf("%s: %d cells: %q", name, w, line)
		}
	}
	for _, r := range v {
		if r < ' ' && r != '\n' {
			t.Errorf("%s: control character %q gets through", name, r)
			break
		}
		if tier == "plain" && r > 126 && (l == lang.EN || !wide(r)) {
			t.Errorf("%s: %q on a plain terminal", name, r)
			break
		}
	}
	text := strings.ReplaceAll(v, "中文 F2", "")
	if l == lang.EN {
		for _, r := range text {
			if unicode.Is(unicode.Han, r) {
				t.Errorf("%s: Chinese on an English screen:\n%s", name, v)
				break
			}
		}
		return
	}
	for _, f := range foreign {
		text = strings.ReplaceAll(text, f, "")
	}
	if m := sentence.FindString(text); m != "" {
		t.Errorf("%s: English on a Chinese screen: %q\n%s", name, m, v)
	}
}
