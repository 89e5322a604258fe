package tui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

func TestChoose(t *testing.T) {
	utf8, c := "zh_CN.UTF-8", "C"
	for _, tc := range []struct {
		name string
		env  Env
		tier Tier
		han  bool
	}{
		{"a desktop over SSH", Env{"xterm-256color", utf8, "/dev/pts/3", false, 80, 24}, Rich, true},
		{"tmux", Env{"tmux-256color", "C.utf8", "/dev/pts/3", false, 80, 24}, Rich, true},
		{"a locale without UTF-8", Env{"xterm", c, "/dev/pts/3", false, 80, 24}, Plain, false},
		{"GB18030", Env{"xterm", "zh_CN.GB18030", "/dev/pts/3", false, 80, 24}, Plain, false},
		{"--plain", Env{"xterm-256color", utf8, "/dev/pts/3", true, 80, 24}, Plain, true},
		{"the Linux console", Env{"linux", utf8, "/dev/tty1", false, 80, 25}, VT, false},
		{"a serial console", Env{"vt220", utf8, "/dev/ttyS0", false, 0, 0}, Plain, false},
		{"a serial console that calls itself xterm", Env{"xterm", utf8, "/dev/ttyAMA0", false, 80, 24}, Plain, false},
		{"a virtio console", Env{"xterm", utf8, "/dev/hvc0", false, 80, 24}, Plain, false},
		{"a terminal without a size", Env{"xterm", utf8, "/dev/pts/0", false, 0, 0}, Plain, true},
		{"Emacs", Env{"dumb", utf8, "/dev/pts/0", false, 80, 24}, Line, true},
		{"no TERM", Env{"", utf8, "/dev/pts/0", false, 80, 24}, Line, true},
	} {
		if tier, han := Choose(tc.env); tier != tc.tier || han != tc.han {
			t.Errorf("%s: tier %d han %v, want %d %v", tc.name, tier, han, tc.tier, tc.han)
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

func TestPrivateModesAreLeftOut(t *testing.T) {
	in := "\x1b[?25la\x1b[1mb\x1b[?2004;1h\x1b[K\x1b[?1049"
	if got, want := string(withoutPrivateModes([]byte(in))), "a\x1b[1mb\x1b[K\x1b[?1049"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAZeroSizeBecomesAKnownOne(t *testing.T) {
	if got := knownSize(nil, tea.WindowSizeMsg{}); got != (tea.WindowSizeMsg{Width: 80, Height: 24}) {
		t.Error(got)
	}
	if got := knownSize(nil, tea.WindowSizeMsg{Width: 100, Height: 30}); got != (tea.WindowSizeMsg{Width: 100, Height: 30}) {
		t.Error(got)
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
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = unfinished(b)
		if got := withoutPrivateModes(b); len(got) > len(b) {
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
