//go:build e2e

package main

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"goxin/assets/lang"
	"goxin/cmd/lab/agent"
	"goxin/cmd/lab/screen"
	consoles "goxin/tui/console" // lab has a console of its own
)

// front is a way to sit in front of the wizard.
type front struct {
	name   string
	term   string // "": a pipe
	locale string
	lang   lang.Lang
	undoes bool     // by the wizard's own key, not by command
	steps  []string // what is picked
	shown  []string // the terminals its bytes may have been sent to, as tui/console has them
}

func (f front) env() []string {
	return []string{"TERM=" + f.term, "LANG=" + f.locale, "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
}

// From the first page to the report, by keys or lines alone, on every kind of
// terminal: what is read is in one language, the report too, and in the other one
// later.
func TestTheWizardFromStartToReport(t *testing.T) {
	t.Parallel()
	goxin, _ := programs(t)
	m := NewLab(t).Container(t, "report")
	m.Install(goxin, program)
	before := m.system()
	files, kernel := []string{"environment", "runtime"}, []string{"kernel", "environment", "runtime"}
	for _, f := range []front{
		{"rich, English", "xterm-256color", "en_US.UTF-8", lang.EN, false, kernel, nil},
		{"rich, Chinese", "xterm-256color", "zh_CN.UTF-8", lang.ZH, true, files, nil},
		{"the Linux console", "linux", "zh_CN.UTF-8", lang.EN, false, files, []string{"linux"}},
		{"a serial line", "vt100", "zh_CN.UTF-8", lang.EN, false, files, []string{"vt100", "vt220", "linux"}},
		{"lines, English", "", "en_US.UTF-8", lang.EN, true, files, nil},
		{"lines, Chinese", "", "zh_CN.UTF-8", lang.ZH, false, kernel, nil},
	} {
		if !t.Run(f.name, func(t *testing.T) {
			begin := time.Now()
			b := &Box{t, m.Machine}
			if f.term == "" {
				b.talksThrough(t, f)
			} else {
				b.walksThrough(t, f)
			}
			if !f.undoes {
				b.goxin(t, 0, "undo")
			}
			b.Do("rm", "-r", "/var/lib/goxin")
			same(t, before, b.system())
			t.Logf("in %v", time.Since(begin).Round(time.Millisecond))
		}) {
			return // what it has left is no place to begin
		}
	}
}

// walksThrough is a front with a screen.
func (b *Box) walksThrough(t *testing.T, f front) {
	p, err := b.Pty(context.Background(), agent.Size{Cols: 80, Rows: 24}, f.env(), program)
	ok(t, err)
	line := &tap{Line: p}
	w := &wizard{screen.New(line, 80, 24, screen.Silent), t, f.lang}
	t.Cleanup(func() { _ = w.Close() })
	w.begins()
	isIn(t, f.lang, "the purpose", w.Screen())
	results := w.picks(f.steps...).finishes()
	if len(results) != len(f.steps)+1 {
		t.Errorf("%d steps were written, %d were picked", len(results)-1, len(f.steps))
	}
	for _, r := range results {
		isIn(t, f.lang, "a result", r)
	}
	w.sees("-run-") // the report is made while the page is read
	done := w.Screen()
	t.Logf("the end:\n%s", done)
	w.press("l").sees(w.say("Log", "日志"), w.say("ended", "结束"))
	isIn(t, f.lang, "the log", w.Screen())
	w.press("esc").sees("-run-")
	b.reports(t, f, done)
	if f.undoes {
		w.press("u").sees("enter " + w.say("undo", "撤销"))
		time.Sleep(quiet)
		w.press("enter").sees(w.say("as it was before", "已恢复原状"))
		isIn(t, f.lang, "the undo", w.Screen())
	}
	w.leaves()
	if code, err := p.Wait(); err != nil || code != f.code() {
		t.Errorf("exit code %d, %v", code, err)
	}
	isIn(t, f.lang, "what is told at last", w.Screen())
	for _, kind := range f.shown {
		s := map[string]*consoles.Screen{
			"linux": consoles.NewLinux(80, 24, consoles.Glyphs), "vt100": consoles.NewVT100(80, 24), "vt220": consoles.NewVT220(80, 24),
		}[kind]
		_, _ = s.Write(line.sent())
		for _, stray := range s.Stray() {
			t.Errorf("%s: %s", kind, stray)
		}
		if got, want := trimmed(s.String()), trimmed(w.Screen()); got != want || s.CursorHidden() {
			t.Errorf("%s is left with\n%s\nand not with\n%s", kind, got, want)
		}
	}
}

// code is what the wizard exits with: a container refuses kernel parameters.
func (f front) code() int {
	if f.steps[0] == "kernel" {
		return 6
	}
	return 0
}

// trimmed is a screen without the spaces at the ends of its lines.
func trimmed(s string) string {
	var out []string
	for line := range strings.Lines(s) {
		out = append(out, strings.TrimRight(line, " \n"))
	}
	return strings.TrimRight(strings.Join(out, "\n"), "\n")
}

// tap keeps what a program prints.
type tap struct {
	screen.Line
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *tap) Read(b []byte) (int, error) {
	n, err := l.Line.Read(b)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out.Write(b[:n])
	return n, err
}

func (l *tap) sent() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.out.Bytes())
}

// reports looks for the report that the last page names, has it made in the other
// language, and has the machine compared with what goxin left.
func (b *Box) reports(t *testing.T, f front, done string) {
	t.Helper()
	named := regexp.MustCompile(`/var/lib/goxin/reports/\S+-run-(\d+)\.html`).FindStringSubmatch(done)
	if named == nil {
		t.Fatalf("no report is named:\n%s", done)
	}
	other := lang.ZH
	if f.lang == lang.ZH {
		other = lang.EN
	}
	const again = "/tmp/other.html"
	b.goxin(t, 0, "report", named[1], "--lang", string(other), "-o", again)
	for _, r := range []struct {
		name string
		lang lang.Lang
	}{{named[0], f.lang}, {again, other}} {
		html := b.Read(r.name)
		tag, title := `<html lang="en">`, "Acceptance report"
		if r.lang == lang.ZH {
			tag, title = `<html lang="zh-CN">`, "验收报告"
		}
		if !strings.Contains(html, tag) || !strings.Contains(html, title) || !strings.Contains(html, "/etc/profile.d/goxin.sh") {
			t.Errorf("%s is no report in %s:\n%s", r.name, r.lang, html[:min(len(html), 2000)])
		}
		if text := prose(html); r.lang == lang.EN {
			isIn(t, r.lang, r.name, text)
		}
	}
	b.Do("rm", again)
	b.goxin(t, 0, "check")
}

// prose is what of a page is read.
func prose(html string) string {
	html = regexp.MustCompile(`(?s)<style.*?</style>`).ReplaceAllString(html, "")
	return regexp.MustCompile(`<[^>]*>`).ReplaceAllString(html, "\n")
}

// talk is the line tier at the other end of two pipes.
type talk struct {
	t    *testing.T
	lang lang.Lang
	keys io.Writer

	mu   sync.Mutex
	said bytes.Buffer
	read int // of said, up to the last answer
}

func (k *talk) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.said.Write(b)
}

func (k *talk) say(en, zh string) string { return lang.T(en, zh).In(k.lang) }

// hears waits for a prompt, and gives what was said since the last answer: as one
// line, as it is meant, and as it was printed.
func (k *talk) hears() (meant, printed string) {
	k.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		k.mu.Lock()
		printed = k.said.String()[k.read:]
		k.mu.Unlock()
		if strings.HasSuffix(printed, k.say(": ", "： ")) {
			return strings.ReplaceAll(printed, "\n  ", k.say(" ", "")), printed
		}
		if time.Now().After(deadline) {
			k.t.Fatalf("no prompt comes after:\n%s", printed)
		}
	}
}

func (k *talk) answers(line string) {
	k.t.Helper()
	k.mu.Lock()
	k.read = k.said.Len()
	k.mu.Unlock()
	_, err := io.WriteString(k.keys, line+"\n")
	ok(k.t, err)
}

// talksThrough is a front without a screen, behind pipes.
func (b *Box) talksThrough(t *testing.T, f front) {
	in, keys := io.Pipe()
	defer keys.Close()
	k := &talk{t: t, lang: f.lang, keys: keys}
	var errs bytes.Buffer
	p, err := b.Start(context.Background(), agent.Command{Argv: []string{program, "--line"}, Env: f.env(), Stdin: in, Stdout: k, Stderr: &errs})
	ok(t, err)
	wrote, logged, undone := 0, false, false
	for page := 0; ; page++ {
		meant, printed := k.hears()
		if page > 60 {
			t.Fatalf("it does not come to its end:\n%s", printed)
		}
		asks := func(en, zh string) bool { return strings.Contains(meant, k.say(en, zh)) }
		if !asks("w to write", "w 写入") { // which reads file contents out
			isIn(t, f.lang, "what is said", printed)
		}
		switch {
		case asks("What shall this machine become?", "这台机器将用作什么？"):
			k.answers("let-pick")
		case asks("Which steps?", "选择哪些步骤？"):
			k.answers(strings.Join(f.steps, ", "))
		case asks("w to write", "w 写入"):
			k.answers("w")
			wrote++
		case asks("yes to write", "输入\"是\"写入"), asks("yes to undo", "输入\"是\"撤销"):
			k.answers(k.say("yes", "是"))
		case !asks("Enter to finish", "回车 结束"):
			k.answers("")
		case !logged && !undone:
			if wrote != len(f.steps) {
				t.Errorf("%d steps were written, %d were picked", wrote, len(f.steps))
			}
			b.reports(t, f, printed)
			logged = true
			k.answers("l")
		case f.undoes && !undone:
			undone = true
			k.answers("u")
		default:
			if undone && !asks("as it was before", "已恢复原状") {
				t.Errorf("undone, it says:\n%s", printed)
			}
			k.answers("")
			code, err := p.Wait()
			if err != nil || code != f.code() || errs.Len() == 0 {
				t.Errorf("exit code %d, %v\n%s", code, err, errs.String())
			}
			isIn(t, f.lang, "what is told at last", errs.String())
			return
		}
	}
}
