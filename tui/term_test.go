package tui

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/tui/console"
)

func TestChoose(t *testing.T) {
	u, c := "zh_CN.UTF-8", "C"
	for _, tc := range []struct {
		name string
		env  Env
		tier Tier
		han  bool
	}{
		{"a desktop over SSH", Env{Term: "xterm-256color", Locale: u, TTY: "/dev/pts/3", Width: 80, Height: 24}, Rich, true},
		{"tmux", Env{Term: "tmux-256color", Locale: "C.utf8", TTY: "/dev/pts/3", Width: 80, Height: 24}, Rich, true},
		{"a locale without UTF-8", Env{Term: "xterm", Locale: c, TTY: "/dev/pts/3", Width: 80, Height: 24}, Plain, false},
		{"GB18030", Env{Term: "xterm", Locale: "zh_CN.GB18030", TTY: "/dev/pts/3", Width: 80, Height: 24}, Plain, false},
		{"--plain", Env{Term: "xterm-256color", Locale: u, TTY: "/dev/pts/3", Plain: true, Width: 80, Height: 24}, Plain, true},
		{"the Linux console", Env{Term: "linux", Locale: u, TTY: "/dev/tty1", Console: true, Width: 80, Height: 25}, VT, false},
		{"the Linux console in the C locale", Env{Term: "linux", Locale: c, TTY: "/dev/tty1", Console: true, Width: 80, Height: 25}, Plain, false},
		{"the Linux console, --plain", Env{Term: "linux", Locale: u, TTY: "/dev/tty1", Console: true, Plain: true, Width: 80, Height: 25}, Plain, false},
		{"a console whose TERM was set by hand", Env{Term: "xterm", Locale: u, TTY: "/dev/tty2", Console: true, Width: 80, Height: 25}, VT, false},
		{"from somebody's console over SSH", Env{Term: "linux", Locale: u, TTY: "/dev/pts/0", Width: 80, Height: 25}, VT, false},
		{"a console of sixteen colours", Env{Term: "linux-16color", Locale: u, TTY: "/dev/tty1", Console: true, Width: 80, Height: 25}, VT, false},
		{"a serial console", Env{Term: "vt220", Locale: u, TTY: "/dev/ttyS0"}, Plain, false},
		{"a serial console that calls itself linux", Env{Term: "linux", Locale: u, TTY: "/dev/ttyAMA0"}, Plain, false},
		{"a serial console that calls itself xterm", Env{Term: "xterm", Locale: u, TTY: "/dev/ttyAMA0", Width: 80, Height: 24}, Plain, false},
		{"a virtio console", Env{Term: "xterm", Locale: u, TTY: "/dev/hvc0", Width: 80, Height: 24}, Plain, false},
		{"a terminal without a size", Env{Term: "xterm", Locale: u, TTY: "/dev/pts/0"}, Plain, true},
		{"Emacs", Env{Term: "dumb", Locale: u, TTY: "/dev/pts/0", Width: 80, Height: 24}, Line, true},
		{"no TERM", Env{Locale: u, TTY: "/dev/pts/0", Width: 80, Height: 24}, Line, true},
		{"a pipe", Env{Term: "xterm", Locale: u, Piped: true, Width: 80, Height: 24}, Line, true},
		{"a pipe on the console", Env{Term: "linux", Locale: u, Console: true, Piped: true}, Line, false},
	} {
		if tier, han := Choose(tc.env); tier != tc.tier || han != tc.han {
			t.Errorf("%s: tier %d han %v, want %d %v", tc.name, tier, han, tc.tier, tc.han)
		}
		if why := NoHan(tc.env); why.Empty() != tc.han {
			t.Errorf("%s: Chinese %v, because %q", tc.name, tc.han, why.EN)
		}
	}
}

func TestChineseInAnotherEncodingGetsAdvice(t *testing.T) {
	for locale, charset := range map[string]string{
		"zh_CN.GBK": "GBK", "zh_CN.gb18030": "GB18030", "zh_CN.GB2312": "GB2312", "zh_CN.eucCN": "GB2312", "zh_CN": "GB2312", "zh_CN@x": "GB2312",
		"zh_TW.Big5": "BIG5", "zh_TW": "BIG5", "zh_HK": "BIG5-HKSCS",
		"zh_CN.UTF-8": "", "zh_CN.utf8": "", "en_US.UTF-8": "", "C": "", "POSIX": "", "": "", "en_US": "", "ja_JP.eucJP": "",
	} {
		e := Env{Term: "xterm", Locale: locale, TTY: "/dev/pts/3", Width: 80, Height: 24}
		got := Advice(e)
		if got.Empty() != (charset == "") || charset != "" && (!strings.Contains(got.EN, " "+charset+",") || !strings.Contains(got.ZH, "LANG=zh_CN.UTF-8 goxin")) {
			t.Errorf("%q: %q, want %s", locale, got.EN, charset)
		}
		if tier, han := Choose(e); charset != "" && (tier != Plain || han) {
			t.Errorf("%q: tier %d, Chinese %v", locale, tier, han)
		}
	}
}

// TestTheConsolesGlyphsAreInItsFonts: what is drawn is no more than what is known
// of the fonts, and themes draw no more than that.
func TestTheConsolesGlyphsAreInItsFonts(t *testing.T) {
	for _, r := range vtGlyphs {
		if !strings.ContainsRune(console.Glyphs, r) {
			t.Errorf("%q is not in every console font", r)
		}
	}
	for tier, c := range map[Tier]charset{VT: {tier: VT}, Plain: {tier: Plain}} {
		g := reflect.ValueOf(newTheme(tier).Glyphs)
		for i := range g.NumField() {
			if !g.Type().Field(i).IsExported() {
				continue
			}
			if s := g.Field(i).String(); c.only(s) != s || s == "" {
				t.Errorf("tier %d: %s is %q, which it cannot show", tier, g.Type().Field(i).Name, s)
			}
		}
	}
}

// TestNoPageNeedsAQuestionMark: goxin's own words never fall to what stands for
// characters that a terminal lacks.
func TestNoPageNeedsAQuestionMark(t *testing.T) {
	for name, d := range screens(t) {
		for _, tier := range []Tier{VT, Plain} {
			for _, l := range langs {
				if tier == VT && l == lang.ZH {
					continue // is in no console font, and not offered
				}
				d.draw([2]int{80, 24}, tier, l)
				if v := d.app.frame(); v != d.app.theme.only(v, l == lang.ZH) {
					t.Errorf("%s, tier %d, %s: something cannot be shown:\n%s", name, tier, l, d.app.View())
				}
			}
		}
	}
}

// TestNothingIsToldByColourAlone: in every tier what is marked apart by a style is
// so by a character too.
func TestNothingIsToldByColourAlone(t *testing.T) {
	for _, tier := range []Tier{Rich, VT, Plain, Line} {
		g := newTheme(tier).Glyphs
		for _, group := range [][]string{
			{g.Done, g.Here, g.Open, g.Skipped, g.Failed, g.Undone, g.Note},
			{g.Best, g.Usable, g.Unusable, g.Waiting},
		} {
			seen := make(map[string]bool)
			for _, s := range group {
				if seen[s] {
					t.Errorf("tier %d: %q stands for two states", tier, s)
				}
				seen[s] = true
			}
		}
	}
}

func TestWhatATerminalAnswers(t *testing.T) {
	for _, tc := range []struct {
		in   string
		w, h int
		rest string
	}{
		{"\x1b[24;80R", 80, 24, ""},
		{"ab\x1b[30;100Rc", 100, 30, "abc"},
		{"\x1b[A\x1b[24;80R\r", 80, 24, "\x1b[A\r"},
		{"\x1b[24;80", 0, 0, "\x1b[24;80"},
		{"\x1b[24R", 0, 0, "\x1b[24R"},
		{"\x1b[1;2R\x1b[24;80R", 2, 1, "\x1b[24;80R"},
		{"\x1b[0;0R", 0, 0, "\x1b[0;0R"},
		{"\x1b[9999;9999R", 0, 0, "\x1b[9999;9999R"},
		{"R;R\x1b[", 0, 0, "R;R\x1b["},
		{"", 0, 0, ""},
	} {
		if w, h, rest := cursorReport([]byte(tc.in)); w != tc.w || h != tc.h || string(rest) != tc.rest {
			t.Errorf("%q: %dx%d and %q, want %dx%d and %q", tc.in, w, h, rest, tc.w, tc.h, tc.rest)
		}
	}
}

func TestWhatWasTypedAheadIsNotLost(t *testing.T) {
	var names []string
	for _, k := range typedKeys([]byte("a 中\r\x1b[B\x1bOA\x1b[15~\x03\x7f\x1b\xff")) {
		names = append(names, k.String())
	}
	if got, want := strings.Join(names, ","), "a, ,中,enter,down,up,ctrl+c,backspace,esc"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAKeypadInApplicationMode(t *testing.T) {
	for in, want := range map[string]string{
		"\x1bOp\x1bOq\x1bOy": "019", "a\x1bOMb": "a\rb", "\x1bOn\x1bOm\x1bOk\x1bOj\x1bOo\x1bOl": ".-+*/,",
		"\x1bOA": "\x1bOA", "\x1bOP": "\x1bOP", "\x1bO": "\x1bO", "Oq": "Oq",
	} {
		if got := string(typed([]byte(in))); got != want {
			t.Errorf("%q is typed as %q, want %q", in, got, want)
		}
	}
}

func TestUnfinishedKeys(t *testing.T) {
	for s, want := range map[string]bool{
		"": false, "a": false, "\r": false,
		"\x1b": true, "\x1b[": true, "\x1b[A": false, "\x1b[1;5": true, "\x1b[1;5C": false, "\x1bO": true, "\x1bOP": false,
		"\x1b[[": true, "\x1b[[A": false, "\x1ba": false, "abc\x1b[B": false, "abc\x1b[": true,
		"\xe4": true, "\xe4\xb8": true, "中": false, "a中\xe6": true,
	} {
		if got := unfinished([]byte(s)); got != want {
			t.Errorf("unfinished(%q) = %v", s, got)
		}
	}
}

func TestAZeroSizeBecomesAKnownOne(t *testing.T) {
	var told [][2]int
	o := newOutput(nil, charset{tier: Plain}, "vt100", 70, 20, nil)
	f := o.sized(70, 20, func(w, h int) { told = append(told, [2]int{w, h}) })
	if got := f(nil, tea.WindowSizeMsg{}); got != (tea.WindowSizeMsg{Width: 70, Height: 20}) {
		t.Error(got)
	}
	if got := f(nil, tea.WindowSizeMsg{Width: 100, Height: 30}); got != (tea.WindowSizeMsg{Width: 100, Height: 30}) {
		t.Error(got)
	}
	if o.want.w != 100 || o.want.h != 30 || len(told) != 2 {
		t.Errorf("the output draws for %dx%d, and %v was told", o.want.w, o.want.h, told)
	}
}

func TestWrapKeepsChinesePunctuationOffTheLineStart(t *testing.T) {
	for _, tc := range []struct {
		text string
		w    int
		want string
	}{
		{"the quick brown fox", 10, "the quick|brown fox"},
		{"麒麟会在之后读取。因此", 16, "麒麟会在之后读|取。因此"},
		{"读取 /etc/sysctl.conf 文件", 12, "读取|/etc/sysctl.|conf 文件"},
		{"重启（tuned）后", 9, "重启|（tuned）|后"},
		{"已读取软件仓库 2 个", 17, "已读取软件仓库|2 个"},
		{"a\n\nb", 10, "a||b"},
	} {
		if got := strings.Join(wrap(tc.text, tc.w), "|"); got != tc.want {
			t.Errorf("wrap(%q, %d) = %q, want %q", tc.text, tc.w, got, tc.want)
		}
	}
}

func TestTheFeedNeverWaitsAndKeepsWhatMatters(t *testing.T) {
	f := newFeed()
	f.notify(engine.Event{What: engine.Doing})
	for range 3 * feedMost {
		f.notify(engine.Event{What: engine.Output})
	}
	f.notify(engine.Event{What: engine.Done})
	evs := f.take()
	if len(evs) > feedMost+1 || evs[0].What != engine.Doing || evs[len(evs)-1].What != engine.Done {
		t.Errorf("%d events, first %s, last %s", len(evs), evs[0].What, evs[len(evs)-1].What)
	}
}

func TestAnOvertakenSaveIsNotWritten(t *testing.T) {
	n := 0
	s := &saver{save: func(engine.Answers) (string, error) { n++; return "f", nil }}
	_, first, _ := s.write(2, nil)
	_, second, _ := s.write(1, nil)
	if !first || second || n != 1 {
		t.Errorf("wrote %v %v, %d times", first, second, n)
	}
}

// FuzzForeignText: whatever a file or a program says, no control character and
// no broken byte reaches the terminal, and wrapping keeps its width.
func FuzzForeignText(f *testing.F) {
	for _, s := range []string{"a\x1b[31mb", "tab\there", "中文，测试。", "\xff\xfe", "long-word-without-any-space-in-it", "\u202ereversed", "e\u0301"} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, w int) {
		c := cleanText(s)
		if !utf8.ValidString(c) {
			t.Fatalf("not UTF-8: %q", c)
		}
		for _, r := range c {
			if r != '\n' && unicode.IsControl(r) {
				t.Fatalf("control character in %q", c)
			}
		}
		w = 4 + w&63
		for _, l := range wrap(c, w) {
			if width(l) > w {
				t.Fatalf("%d cells in %q, want at most %d", width(l), l, w)
			}
		}
	})
}

// FuzzAnswer: a line typed as an answer is understood or refused, never a panic,
// and what was understood is offered again as typed.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{"a=b; c=d", "=;==;", "a=1；b=2", "９", "-1", "a=b=c", ";;;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, k := range []engine.FieldKind{engine.Map, engine.List, engine.Number, engine.Text} {
			q := engine.Question{Field: engine.Field{Key: "k", Kind: k}}
			v, err := newField(q, nil).parse(s, lang.ZH)
			if err != nil || v == nil {
				continue
			}
			if again, err := newField(q, v).value(lang.EN); err != nil || !equalAnswers(again, v) {
				t.Fatalf("%s: %q is read as %#v, then as %#v (%v)", k, s, v, again, err)
			}
		}
	})
}

// FuzzKeyBytes: a sequence that has begun ends at some point.
func FuzzKeyBytes(f *testing.F) {
	f.Add([]byte("\x1b[1;5C"))
	f.Add([]byte("ab\x1b[30;100Rc\x1bOM"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = unfinished(b)
		if w, h, rest := cursorReport(slices.Clone(b)); w > 0 && (w > mostCells || h < 1 || h > mostCells || len(rest) >= len(b)) {
			t.Fatalf("%dx%d and %q", w, h, rest)
		}
		if n := len(typedKeys(b)); n > len(b) {
			t.Fatal("more keys than bytes")
		}
		if got := typed(slices.Clone(b)); len(got) > len(b) {
			t.Fatal("grew")
		}
		long := append([]byte("\x1b["), make([]byte, 64)...)
		for i := range long[2:] {
			long[2+i] = '1'
		}
		if unfinished(append(long, b[:min(len(b), 0)]...)) {
			t.Fatal("waits for ever")
		}
	})
}

func equalAnswers(a, b any) bool {
	switch b := b.(type) {
	case map[string]string:
		a, ok := a.(map[string]string)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range b {
			if a[k] != v {
				return false
			}
		}
		return true
	case []string:
		a, ok := a.([]string)
		return ok && strings.Join(a, "\x00") == strings.Join(b, "\x00")
	}
	return a == b
}
