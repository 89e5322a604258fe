//go:build e2e

package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
	"goxin/cmd/lab/agent"
	"goxin/cmd/lab/screen"
	"goxin/steps"
)

// wizard is goxin's wizard on a screen, driven by keys alone and read as a person
// reads it.
type wizard struct {
	*screen.Terminal
	t    *testing.T
	lang lang.Lang
}

// Wizard opens the wizard on a colourful terminal of 80x24, in English.
func (b *Box) Wizard(args ...string) (*wizard, *agent.Pty) {
	b.t.Helper()
	s, p := b.Screen(screen.Answers, english, append([]string{program}, args...)...)
	return &wizard{s, b.t, lang.EN}, p
}

var english = []string{"TERM=xterm-256color", "LANG=en_US.UTF-8", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}

// patience is how long a page may take to come: some are surveyed for, and some
// machines are emulated.
const patience = 3 * time.Minute

// quiet is how long no key may have come before one answers what pops up.
const quiet = 500 * time.Millisecond

func (w *wizard) say(en, zh string) string { return lang.T(en, zh).In(w.lang) }

func (w *wizard) sees(texts ...string) *wizard {
	w.t.Helper()
	ok(w.t, w.WaitFor(patience, texts...))
	return w
}

func (w *wizard) press(keys ...string) *wizard {
	w.t.Helper()
	ok(w.t, w.Key(keys...))
	return w
}

// onward presses a key that leads to another page or question.
func (w *wizard) onward(key string) *wizard {
	w.t.Helper()
	now := w.Screen()
	w.press(key)
	ok(w.t, w.Wait("another page", patience, func(then string) bool { return then != now }))
	return w
}

// offers reports whether the footer of a page says that a key does something.
func offers(page, key, does string) bool {
	return strings.Contains(page, key+" "+does) || strings.Contains(page, "["+key+"] "+does)
}

// begins waits for the machine and goes on to what it shall become.
func (w *wizard) begins() *wizard {
	w.t.Helper()
	ok(w.t, w.Wait("the machine", patience, func(now string) bool {
		return strings.Contains(now, w.say("This machine", "本机")) && offers(now, "enter", w.say("go on", "继续"))
	}))
	return w.press("enter").sees(w.say("What shall this machine become?", "这台机器将用作什么？"))
}

// picks has the machine become nothing in particular, by these steps alone.
func (w *wizard) picks(ids ...string) *wizard {
	w.t.Helper()
	letPick := regexp.MustCompile(`[▸»>] ` + w.say("Let me pick", "自行选择"))
	for tries := 0; !letPick.MatchString(w.Screen()); tries++ {
		if tries > 9 {
			w.t.Fatalf("no steps can be picked:\n%s", w.Screen())
		}
		w.onward("down")
	}
	w.press("enter").sees(w.say("Which steps?", "选择哪些步骤？"))
	var keys []string
	for _, s := range steps.All() {
		if !slices.Contains(ids, s.ID()) {
			keys = append(keys, "space")
		}
		keys = append(keys, "down")
	}
	w.press(keys...)
	return w.onward("enter")
}

// settles waits for a page that takes an answer, and gives it.
func (w *wizard) settles() string {
	w.t.Helper()
	page := ""
	ok(w.t, w.Wait("a page that can be answered", patience, func(now string) bool {
		page = now
		return offers(now, "enter", w.say("next", "下一项")) || offers(now, "enter", w.say("go on", "继续")) ||
			offers(now, "enter", w.say("try it out", "开始验证")) || offers(now, "enter", w.say("finish", "结束")) ||
			w.writable(now) || offers(now, "r", w.say("try again", "重试"))
	}))
	if offers(page, "r", w.say("try again", "重试")) {
		w.t.Fatalf("something failed:\n%s", page)
	}
	return page
}

func (w *wizard) writable(page string) bool { return offers(page, "w", w.say("write", "写入")) }

func (w *wizard) over(page string) bool { return offers(page, "enter", w.say("finish", "结束")) }

// diff takes the forms of a step as they stand, up to its diff.
func (w *wizard) diff() *wizard {
	w.t.Helper()
	for page := w.settles(); !w.writable(page); page = w.settles() {
		if w.over(page) {
			w.t.Fatalf("no diff in sight:\n%s", page)
		}
		w.onward("enter")
	}
	return w
}

// writes agrees to the diff, by w or by W, and waits for what comes of it.
func (w *wizard) writes(key string) *wizard {
	w.t.Helper()
	w.press(key).sees("enter " + w.say("write", "写入"))
	time.Sleep(quiet)
	return w.onward("enter")
}

// finishes writes every step that is to come, forms as they stand, and gives the
// pages that said what came of it, the last one at the end.
func (w *wizard) finishes() (results []string) {
	w.t.Helper()
	for page := w.settles(); !w.over(page); page = w.settles() {
		if !w.writable(page) {
			w.onward("enter")
			continue
		}
		w.t.Logf("the diff:\n%s", page)
		results = append(results, w.writes("w").settles())
		w.t.Logf("the result:\n%s", w.Screen())
		w.onward("enter")
	}
	return append(results, w.Screen())
}

// tunes goes from the first page to the diff of the kernel step with the web profile.
func (w *wizard) tunes() *wizard {
	w.t.Helper()
	return w.begins().picks("kernel").sees("question 1").press("down").sees("▸ web").diff()
}

// leaves ends the wizard on its last page.
func (w *wizard) leaves() *wizard {
	w.t.Helper()
	w.press("enter")
	ok(w.t, w.WaitEnd(patience))
	return w
}

// isIn fails unless a text is in a language.
func isIn(t *testing.T, l lang.Lang, what, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if stray := strayIn(l, line); stray != "" {
			t.Errorf("%s: %s is in the other language:\n%s", what, stray, text)
			return
		}
	}
}

// strayIn is what of a line is in the other language.
func strayIn(l lang.Lang, line string) string {
	line = strings.ReplaceAll(line, "中文 F2", "") // what F2 changes to
	found := langtest.ChineseIn(line)
	if l == lang.ZH {
		found = langtest.EnglishIn(line)
	}
	if len(found) == 0 {
		return ""
	}
	return fmt.Sprintf("%q", found)
}
