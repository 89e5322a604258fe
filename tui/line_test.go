package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/steptest"
)

// talk is what was said in line mode, from a script of lines.
type talk struct {
	out   string
	res   Result
	err   error
	fake  *fakeSession
	saved []engine.Answers
}

// lineTalk runs the line tier over a script, with a clock that stands.
func lineTalk(t *testing.T, f *fakeSession, l lang.Lang, in io.Reader, configure ...func(*liner)) talk {
	t.Helper()
	k := talk{fake: f}
	c := Config{
		Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: l,
		Save: func(a engine.Answers) (string, error) {
			k.saved = append(k.saved, a)
			return "/var/lib/goxin/answers/kp-01.yaml", nil
		},
	}
	var out bytes.Buffer
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	d := newLiner(ctx, c, in, &out)
	clock := time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)
	d.now = func() time.Time { return clock }
	d.timer = func(time.Duration, tea.Msg) tea.Cmd { return nil }
	d.pause = func(time.Duration) {}
	d.header, d.warning = fakeTitle, fakeWarning
	for _, f := range configure {
		f(d)
	}
	k.res, k.err = d.ends(ctx, cancel, d.talk(ctx))
	k.out = out.String()
	if l = d.App.lang; strings.Contains(k.out, "第") {
		l = lang.ZH // it was spoken at some time
	}
	checkLines(t, k.out, l)
	return k
}

func script(lines ...string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func says(t *testing.T, f *fakeSession, lines ...string) talk {
	t.Helper()
	return lineTalk(t, f, lang.EN, strings.NewReader(script(lines...)))
}

func (k talk) has(t *testing.T, texts ...string) talk {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(k.out, s) {
			t.Fatalf("nothing says %q:\n%s", s, k.out)
		}
	}
	return k
}

// checkLines holds for whatever is said: nothing moves a cursor, nothing is wider
// than a terminal, and English is ASCII.
func checkLines(t *testing.T, out string, l lang.Lang) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("not UTF-8: %q", out)
	}
	for _, line := range strings.Split(out, "\n") {
		if w := ansi.StringWidth(line); w > 80 {
			t.Errorf("%d cells: %q", w, line)
		}
		for _, r := range line {
			switch {
			case r < ' ' || r == 0x7f:
				t.Fatalf("control character %q in %q", r, line)
			case r > 0x7f && (l == lang.EN || !wide(r)):
				t.Fatalf("%q in %q", r, line)
			}
		}
	}
}

var wholeRun = []string{"", "web", "", "w", "yes", "", ""}

// lineScripts are talks whose every word is kept.
func lineScripts() map[string]struct {
	fake  func() *fakeSession
	lines []string
} {
	type s = struct {
		fake  func() *fakeSession
		lines []string
	}
	plain := func() *fakeSession { return &fakeSession{} }
	pending := func(st engine.Status) func() *fakeSession {
		return func() *fakeSession {
			return &fakeSession{pending: &engine.RunInfo{
				ID: 7, Status: st, Owner: "person", Steps: []string{"kernel"}, Changes: 3,
				Time: time.Date(2026, 11, 22, 14, 32, 0, 0, time.Local),
			}}
		}
	}
	return map[string]s{
		"run":      {plain, wholeRun},
		"read":     {plain, []string{"?", "", "?", "2", "help", "a=1", "?", "1", "2", "3", "9", "c", "help", "<", "<", "<", "q"}},
		"refused":  {plain, []string{"", "5", "", "kernel.panic=1", "x", "vm.swappiness=7", "y", "W", "y", "", "no", "", "q", "yes"}},
		"fails":    {func() *fakeSession { return &fakeSession{applyErr: errLock} }, []string{"", "", "", "w", "yes", "l", "r", "w", "yes", "u", "yes", ""}},
		"deviates": {func() *fakeSession { return &fakeSession{deviate: true} }, wholeRun},
		"undo": {func() *fakeSession {
			return &fakeSession{left: []engine.Left{{Target: "vm.swappiness", Reason: lang.T("changed by somebody since, so it was left alone", "之后被他人改动过，因此保持原样")}}}
		}, []string{"", "", "", "w", "yes", "", "u", "<", "u", "yes", ""}},
		"pending":  {pending(engine.StatusInterrupted), []string{"", "f", "q"}},
		"due":      {pending(engine.StatusAwaiting), []string{"u", "yes", "q"}},
		"keep":     {plain, []string{"", "", "", "W", "yes", "k", "", ""}},
		"skip":     {plain, []string{"", "s", ""}},
		"switches": {plain, []string{"zh", "", "en", "zh", "", "!en", "", "zh", "en", "zh", "w", "en", "yes", "", ""}},
		"cut":      {plain, []string{"", "web", ""}},
	}
}

func TestLineTalks(t *testing.T) {
	for name, s := range lineScripts() {
		for _, l := range langs {
			t.Run(name+"-"+string(l), func(t *testing.T) {
				k := lineTalk(t, s.fake(), l, strings.NewReader(script(s.lines...)))
				steptest.GoldenFile(t, filepath.Join("..", "testdata", "lines", string(l)+"-"+name+".txt"),
					fmt.Sprintf("%s\n== what=%d err=%v\n== %s\n", k.out, k.res.What, k.err, k.fake.called()))
			})
		}
	}
}

// TestAnEndOfInputIsNeverAnAnswer breaks each script off after each line, and in
// the middle of each.
func TestAnEndOfInputIsNeverAnAnswer(t *testing.T) {
	for name, s := range lineScripts() {
		whole := script(s.lines...)
		for n := range len(whole) {
			k := lineTalk(t, s.fake(), lang.EN, strings.NewReader(whole[:n]))
			said := strings.Split(whole[:n], "\n")
			said = said[:len(said)-1] // what has no end is not said
			if calls := k.fake.called(); strings.Contains(calls, "apply") || strings.Contains(calls, "undo:") {
				if !slices.Contains(said, "yes") {
					t.Errorf("%s broken off after %q: %s", name, whole[:n], calls)
				}
			} else if k.res.What != Nothing && !strings.Contains(calls, "resume") {
				t.Errorf("%s broken off after %q: what = %d", name, whole[:n], k.res.What)
			}
			if k.err == nil && n < len(whole)-1 && name != "cut" {
				t.Errorf("%s broken off after %q: no error", name, whole[:n])
			}
			if k.err != nil && (!strings.Contains(k.err.Error(), "the input has ended") || lang.Hint(k.err, lang.EN) == "") {
				t.Errorf("%s: %v", name, k.err)
			}
		}
	}
}

func TestOnlyTheWordSaysYesToAWrite(t *testing.T) {
	for _, no := range []string{"", "y", "w", "Y", "ye", "yes please", "<", "no", "1", "ok", "true"} {
		if k := says(t, &fakeSession{}, "", "", "", "w", no); strings.Contains(k.fake.called(), "start") {
			t.Errorf("%q wrote: %s", no, k.fake.called())
		}
	}
	for _, yes := range []string{"yes", "YES", " yes ", "是", "yes\r"} {
		if k := says(t, &fakeSession{}, "", "", "", "w", yes); !strings.Contains(k.fake.called(), "apply") {
			t.Errorf("%q did not write: %s", yes, k.out)
		}
	}
}

func TestAnswersInLineModeAreThoseOfTheForm(t *testing.T) {
	k := says(t, &fakeSession{}, "", "database", "vm.max_map_count = 262144; net.core.somaxconn=1", "q", "yes")
	want := engine.Answers{"kernel": {"profile": "database", "set": map[string]string{"vm.max_map_count": "262144", "net.core.somaxconn": "1"}}}
	if got := k.saved[len(k.saved)-1]; !same(got["kernel"], want["kernel"]) {
		t.Errorf("saved %v", got)
	}
	if k.err != nil || k.res.What != Nothing {
		t.Errorf("%+v %v", k.res, k.err)
	}
}

func TestAListToPickFromTakesAnotherValue(t *testing.T) {
	pick := func(lines ...string) talk {
		return lineTalk(t, &fakeSession{}, lang.EN, strings.NewReader(script(append([]string{""}, lines...)...)), func(d *liner) { d.steps = []engine.Step{race()} })
	}
	last := func(k talk) any { return k.saved[len(k.saved)-1]["mirror"]["source"] }
	if k := pick("3", "no", "q", "yes"); last(k) != "inhouse" || k.saved[len(k.saved)-1]["mirror"]["official"] != false {
		t.Errorf("3, no: %v\n%s", k.saved, k.out)
	}
	if k := pick("http://10.0.0.1/", "", "q", "yes"); last(k) != "http://10.0.0.1/" {
		t.Errorf("an address: %v", k.saved)
	}
	if k := pick("ftp://10.0.0.1/", "", "", "q", "yes").has(t, "Not possible: ftp is not spoken here"); last(k) != "fastest" {
		t.Errorf("a refused address is kept: %v", k.saved)
	}
	if k := pick("http://10.0.0.1/", "<", "", "", "<", "1", "", "q", "yes"); last(k) != "fastest" {
		t.Errorf("back and another: %v\n%s", k.saved, k.out)
	}
	if k := pick("s", ""); len(k.saved[len(k.saved)-1]) != 0 {
		t.Errorf("s does not skip: %v", k.saved)
	}
	if k := pick("\\3", "", "q", "yes"); last(k) != "3" {
		t.Errorf("as it stands: %v", k.saved)
	}
}

// manySteps asks for several at once, and for a number.
type manySteps struct{ fakeStep }

func (s manySteps) Fields() []engine.Field {
	return []engine.Field{
		{Key: "targets", Kind: engine.Many, Title: lang.T("Which?", "哪些？"), Options: []engine.Option{{Value: "arm64"}, {Value: "loong64"}, {Value: "amd64"}}},
		{Key: "ports", Kind: engine.Number, Title: lang.T("How many ports?", "多少个端口？"), Min: 1, Max: 65535},
		{Key: "key", Kind: engine.Secret, Title: lang.T("The key?", "密钥？")},
		{Key: "size", Kind: engine.Choice, Title: lang.T("What size?", "多大？"), Options: []engine.Option{{Value: "2"}, {Value: "4"}, {Value: "1"}}},
	}
}

func (s manySteps) Questions(engine.Hosts, engine.Survey, engine.Values) []engine.Question {
	var qs []engine.Question
	for _, f := range s.Fields() {
		q := engine.Question{Field: f}
		if f.Key == "targets" {
			q.Default = []string{"arm64"}
		}
		qs = append(qs, q)
	}
	return qs
}

func TestEveryKindOfQuestionIsAskedInLines(t *testing.T) {
	k := lineTalk(t, &fakeSession{}, lang.EN, strings.NewReader(script("", "3，1", "none", "0", "8080", "env:KEY", "1", "q", "yes")), func(d *liner) {
		d.steps = []engine.Step{manySteps{fakeStep{"kernel"}}}
	}).has(t, "Numbers separated by commas, Enter for arm64", "Not possible: none is not a whole number", "Not possible: 0 is not between 1 and 65535", "A reference: env:NAME")
	want := engine.Values{"targets": []string{"arm64", "amd64"}, "ports": int64(8080), "key": "env:KEY", "size": "1"}
	if got := k.saved[len(k.saved)-1]["kernel"]; !same(got, want) {
		t.Errorf("saved %v, want %v\n%s", got, want, k.out)
	}
	k = lineTalk(t, &fakeSession{}, lang.EN, strings.NewReader(script("", "arm64, riscv64", "-", "-", "", "4", "<", "!s", "")), func(d *liner) {
		d.steps = []engine.Step{manySteps{fakeStep{"kernel"}}}
	}).has(t, "is not among the answers", "skipped")
	if k.res.What != Nothing || k.err != nil {
		t.Errorf("%+v %v", k.res, k.err)
	}
}

func TestHostileLinesAnswerNothingAndAreBounded(t *testing.T) {
	k := says(t, &fakeSession{}, "", "", "", strings.Repeat("w", 200_000), "w\x1b[A", "\x00w", "\xff\xfe", "\x1b]0;x\x07", strings.Repeat("界", 5000), "q", "yes")
	k.has(t, "longer than 64 KiB", "other characters than text", "is no answer here")
	if len(k.out) > 20_000 {
		t.Errorf("%d bytes were said", len(k.out))
	}
	if c := k.fake.called(); strings.Contains(c, "start") {
		t.Error(c)
	}
}

func FuzzLineTalk(f *testing.F) {
	for _, s := range lineScripts() {
		f.Add(script(s.lines...))
	}
	f.Add("\xff\n\x1b[A\n!\n\\\n!!\n99999999999999999999\n-\n")
	f.Fuzz(func(t *testing.T, in string) {
		var out talk
		for _, l := range langs {
			out = lineTalk(t, &fakeSession{deviate: true}, l, strings.NewReader(in))
			calls := out.fake.called()
			if strings.Contains(calls, "apply") && !strings.Contains(strings.ToLower(in), "yes") && !strings.Contains(in, "是") {
				t.Errorf("written without a yes: %q", in)
			}
		}
	})
}

// TestLineGoesOnInStepWithWhoAnswers answers each prompt once it is there, as a
// person does, so that nothing is asked before the work for it is done.
func TestLineGoesOnInStepWithWhoAnswers(t *testing.T) {
	r, w := io.Pipe()
	c := &conversation{w: w, answers: slices.Clone(wholeRun)}
	f := &fakeSession{pace: 2 * time.Millisecond}
	res, err := RunLine(context.Background(), Config{Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN}, r, c)
	if err != nil || res.What != Applied || len(c.answers) != 0 {
		t.Errorf("%+v %v, not asked for: %q\n%s", res, err, c.answers, c.out.String())
	}
}

// conversation answers what ends in a colon.
type conversation struct {
	mu      sync.Mutex
	w       *io.PipeWriter
	out     bytes.Buffer
	answers []string
	then    func(said string)
}

func (c *conversation) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out.Write(b)
	if bytes.HasSuffix(b, []byte(": ")) && len(c.answers) > 0 {
		a := c.answers[0]
		c.answers = c.answers[1:]
		go func() { _, _ = io.WriteString(c.w, a+"\n") }()
	}
	if c.then != nil {
		c.then(c.out.String())
	}
	return len(b), nil
}

func TestACancelledLineTalkLeavesTheRunToBeFinished(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	f := &fakeSession{hold: make(chan struct{})}
	r, w := io.Pipe()
	told := errors.New("told to stop")
	once := sync.OnceFunc(func() {
		cancel(told)
		time.AfterFunc(10*time.Millisecond, func() { close(f.hold) }) // the operation ends when it ends
	})
	c := &conversation{w: w, answers: []string{"", "", "", "w", "yes"}, then: func(said string) {
		if strings.Contains(said, "done: 1 of 6") {
			once()
		}
	}}
	res, err := RunLine(ctx, Config{Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN}, r, c)
	if res.What != Interrupted || !errors.Is(err, told) || !strings.HasSuffix(f.called(), "leave:1") {
		t.Errorf("%+v %v after %s\n%s", res, err, f.called(), c.out.String())
	}
	if !strings.Contains(c.out.String(), "Stopping once the operation under way has ended.") {
		t.Errorf("does not say that it stops:\n%s", c.out.String())
	}
}

func TestAnOutputThatIsGoneEndsTheTalk(t *testing.T) {
	f := &fakeSession{}
	res, err := RunLine(context.Background(), Config{Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN}, strings.NewReader(script(wholeRun...)), brokenWriter{})
	if err == nil || !strings.Contains(err.Error(), "the output cannot be written to") || res.What != Nothing {
		t.Errorf("%+v %v", res, err)
	}
	if c := f.called(); strings.Contains(c, "start") {
		t.Errorf("written with nobody to read it: %s", c)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestSilenceIsToldAndAProgramsWordsNowAndThen(t *testing.T) {
	f := &fakeSession{hold: make(chan struct{})}
	var mu sync.Mutex
	clock := time.Date(2026, 11, 22, 14, 30, 0, 0, time.UTC)
	r, w := io.Pipe()
	c := &conversation{w: w, answers: slices.Clone(wholeRun)}
	release := sync.OnceFunc(func() { close(f.hold) })
	c.then = func(said string) {
		if strings.Contains(said, "still at work") {
			release()
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	d := newLiner(ctx, Config{Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN}, r, c)
	d.every = time.Millisecond
	d.now = func() time.Time { // as if each look at the clock took its time
		mu.Lock()
		defer mu.Unlock()
		clock = clock.Add(150 * time.Millisecond)
		return clock
	}
	res, err := d.ends(ctx, cancel, d.talk(ctx))
	if err != nil || res.What != Applied {
		t.Fatalf("%+v %v", res, err)
	}
	said := c.out.String()
	for _, want := range []string{"begun: 2 of 6, /etc/sysctl.conf", "  Reading package lists...", "still at work, 00:1", "(2 of 6, /etc/sysctl.conf)", "done: 2 of 6, /etc/sysctl.conf"} {
		if !strings.Contains(said, want) {
			t.Errorf("does not say %q:\n%s", want, said)
		}
	}
}

func TestASurveysTableIsReadOnceItIsComplete(t *testing.T) {
	k := lineTalk(t, &fakeSession{}, lang.EN, strings.NewReader(script("q")), func(d *liner) { d.heard.notify(raceProgress()) })
	if strings.Count(k.out, "Vendor's own:") != 1 || !strings.Contains(k.out, "usable") {
		t.Error(k.out)
	}
}

func TestAPersonStopsARunThatIsAtWork(t *testing.T) {
	f := &fakeSession{hold: make(chan struct{})}
	r, w := io.Pipe()
	c := &conversation{w: w, answers: []string{"", "", "", "w", "yes", "yes", "u", "yes", ""}}
	release := sync.OnceFunc(func() { close(f.hold) })
	stop := sync.OnceFunc(func() { go func() { _, _ = io.WriteString(w, "nonsense\nx\n") }() })
	c.then = func(said string) {
		if strings.Contains(said, "done: 1 of 6") {
			stop()
		}
		if strings.Contains(said, "Kernel: stopping after the operation under way.") {
			release()
		}
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	d := newLiner(ctx, Config{Session: f, Steps: []engine.Step{fakeStep{"kernel"}}, Lang: lang.EN}, r, c)
	d.person = true
	res, err := d.ends(ctx, cancel, d.talk(ctx))
	said := c.out.String()
	if err != nil || res.What != Undone {
		t.Fatalf("%+v %v\n%s", res, err, said)
	}
	for _, want := range []string{"Meanwhile x to stop, l for the log.", "Not now: \"nonsense\" is no answer", "Stop writing?", "Kernel: stopped", "5 changes put back"} {
		if !strings.Contains(said, want) {
			t.Errorf("does not say %q:\n%s", want, said)
		}
	}
}

func TestCommandsAreRunAsBubbleteaRunsThem(t *testing.T) {
	d := newLiner(t.Context(), Config{Session: &fakeSession{}, Lang: lang.EN}, strings.NewReader(""), io.Discard)
	var seen []int
	d.page = probePage{func(m tea.Msg) {
		if n, ok := m.(int); ok {
			seen = append(seen, n)
		}
	}}
	say := func(n int) tea.Cmd { return func() tea.Msg { return n } }
	d.start(tea.Sequence(say(1), say(2), tea.Batch(say(4), tea.ClearScreen, nil), say(3)))
	for d.inFlight > 0 {
		m := <-d.came
		if m.last {
			d.inFlight--
		}
		d.receive(m.msg)
	}
	slices.Sort(seen)
	if !slices.Equal(seen, []int{1, 2, 3, 4}) {
		t.Errorf("seen %v", seen)
	}
}

// probePage sees every message.
type probePage struct{ see func(tea.Msg) }

func (p probePage) Enter() tea.Cmd                    { return nil }
func (p probePage) Refresh() tea.Cmd                  { return nil }
func (p probePage) View(int, int) string              { return "" }
func (p probePage) Keys() []binding                   { return nil }
func (p probePage) Update(msg tea.Msg) (nav, tea.Cmd) { p.see(msg); return stay, nil }

func TestEveryScreenIsReadInLines(t *testing.T) {
	for name, s := range screens(t) {
		for _, l := range langs {
			var out bytes.Buffer
			d := &liner{App: s.app, out: &lineWriter{ctx: t.Context(), w: &out}, heard: newFeed()}
			d.App.lang, d.theme, d.width, d.height = l, lineTheme(l), lineWidth, lineHeight
			d.refresh()
			if err := d.ask(); err != nil {
				t.Fatal(err)
			}
			d.help()
			checkLines(t, out.String(), l)
			for _, mark := range []string{"more lines", "还有", "|", "---"} {
				if strings.Contains(out.String(), mark) && name != "diff-empty" {
					t.Errorf("%s %s: %q is of a screen:\n%s", name, l, mark, out.String())
				}
			}
			if l == lang.ZH {
				text := out.String()
				for _, f := range foreign {
					text = strings.ReplaceAll(text, f, "")
				}
				if m := sentence.FindString(text); m != "" {
					t.Errorf("%s: English in Chinese: %q\n%s", name, m, out.String())
				}
			}
		}
	}
}
