package tui

import (
	"strings"
	"unicode/utf8"

	"goxin/assets/lang"
)

// Tier is how much a terminal can do.
type Tier int

// The tiers, richest first.
const (
	Rich  Tier = iota // UTF-8, 256 colours, alternate screen
	VT                // the Linux console: eight colours, a font without Chinese
	Plain             // a serial line: ASCII, bold and reverse, few bytes
	Line              // no cursor movement
)

// framed reports the tiers that have room and characters for a rail and a frame.
func (t Tier) framed() bool { return t == Rich || t == VT }

// Env is what is known of the terminal before anything is written to it.
type Env struct {
	Term          string // $TERM
	Locale        string // $LC_ALL, else $LC_CTYPE, else $LANG
	TTY           string // name of the terminal's device: /dev/pts/3, /dev/ttyS0
	Console       bool   // it answers KDGKBTYPE, as only the kernel's own console does (ioctl_console(2))
	Piped         bool   // standard input or output is no terminal
	Plain         bool   // --plain
	Width, Height int    // cells; 0, 0: the terminal does not know
}

// Choose picks the tier for a terminal. han says whether it can show Chinese.
// NO_COLOR does not matter here: every tier marks each state with a character.
func Choose(e Env) (t Tier, han bool) {
	han = utf8Locale(e.Locale)
	switch {
	case e.Piped, e.Term == "dumb", e.Term == "":
		return Line, han && !e.linux()
	case e.Plain:
		return Plain, han && !e.linux()
	case monoTerm(e.Term), serial(e.TTY), !han:
		return Plain, false
	case e.linux():
		return VT, false
	case e.Width == 0 && e.Height == 0:
		return Plain, true
	}
	return Rich, true
}

// linux reports a Linux console: the one in front of this machine, or one at
// which somebody sits and has come here over SSH.
func (e Env) linux() bool { return e.Console || linuxTerm(e.Term) }

func linuxTerm(term string) bool { return term == "linux" || strings.HasPrefix(term, "linux-") }

// Advice says what to do about a locale whose Chinese is not UTF-8: goxin would
// draw rubbish, so it speaks English in ASCII. Empty for every other locale.
func Advice(e Env) lang.Text {
	name := chineseCharset(e.Locale)
	if name == "" {
		return lang.Text{}
	}
	return lang.F("the locale %s writes Chinese in %s, goxin in UTF-8; to have it in Chinese set the terminal's encoding to UTF-8 and start `LANG=zh_CN.UTF-8 goxin`",
		"当前 locale %s 的中文编码是 %s，goxin 使用 UTF-8；要显示中文，请把终端编码设为 UTF-8，再执行 `LANG=zh_CN.UTF-8 goxin`", e.Locale, name)
}

// NoHan says why Chinese is not offered on a terminal, and how to get it. Empty
// where it can be shown.
func NoHan(e Env) lang.Text {
	if advice := Advice(e); !advice.Empty() {
		return advice
	}
	_, han := Choose(e)
	switch {
	case han:
		return lang.Text{}
	case !utf8Locale(e.Locale) && !e.linux() && !serial(e.TTY):
		return lang.T("the locale is not UTF-8; start `LANG=zh_CN.UTF-8 goxin`, or goxin with --lang zh if this terminal shows UTF-8",
			"当前 locale 不是 UTF-8；请执行 `LANG=zh_CN.UTF-8 goxin`，若此终端能显示 UTF-8，也可用 --lang zh 启动")
	case e.linux():
		return lang.T("the Linux console's font has no Chinese; log in over SSH from a desktop, or start goxin with --lang zh if something here draws Chinese (zhcon, fbterm)",
			"Linux 控制台的字体没有汉字；请从桌面经 SSH 登录，若此处已运行能显示汉字的程序（zhcon、fbterm），可用 --lang zh 启动")
	}
	return lang.T("what is at the far end of this line is not known; if it shows UTF-8, start goxin with --lang zh",
		"无法得知线路对端的字符集；若对端能显示 UTF-8，请用 --lang zh 启动")
}

func utf8Locale(l string) bool {
	l = strings.ToLower(l)
	return strings.HasSuffix(l, "utf-8") || strings.HasSuffix(l, "utf8") || strings.Contains(l, "utf-8@") || strings.Contains(l, "utf8@")
}

// chineseCharset is the charset of a Chinese locale that is not UTF-8. One that
// names none has that of glibc's SUPPORTED list.
func chineseCharset(locale string) string {
	name, charset, _ := strings.Cut(locale, ".")
	charset, _, _ = strings.Cut(charset, "@")
	name, _, _ = strings.Cut(name, "@")
	switch c := strings.ToLower(strings.ReplaceAll(charset, "-", "")); {
	case c == "gb18030", c == "gbk", c == "gb2312", c == "big5", c == "big5hkscs":
		return strings.ToUpper(charset)
	case c == "euccn":
		return "GB2312"
	case c != "":
		return ""
	}
	return map[string]string{"zh_CN": "GB2312", "zh_SG": "GB2312", "zh_TW": "BIG5", "zh_HK": "BIG5-HKSCS"}[name]
}

// monoTerm reports the terminals that know bold and reverse but no colour, and
// often answer for a serial line.
func monoTerm(term string) bool {
	for _, p := range []string{"vt1", "vt2", "vt3", "vt4", "vt5", "ansi", "att", "cons25", "sun"} {
		if strings.HasPrefix(term, p) {
			return true
		}
	}
	return false
}

// serial reports the devices behind which there is a wire.
func serial(tty string) bool {
	name := tty[strings.LastIndexByte(tty, '/')+1:]
	for _, p := range []string{"ttyS", "ttyAMA", "ttyUSB", "ttyACM", "ttyLP", "ttyPS", "hvc", "hvsi", "xvc", "sclp", "ttysclp", "console"} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// charset is what a tier's terminal can show.
type charset struct {
	tier Tier
	han  bool // Chinese was asked for, whatever the terminal is taken for
}

// vtGlyphs are the characters beside ASCII that the vt tier draws: all of them
// are in every console font (tui/console.Glyphs tells where that is known from).
const vtGlyphs = "─│┌┐└┘├┤┬┴┼█░▒×•·±°µ«»§¶"

// keep is the one character of text that can be shown, if it is one and can.
func (c charset) keep(text []byte) (rune, bool) {
	rs := []rune(string(text))
	if len(rs) != 1 {
		return 0, false
	}
	r := rs[0]
	switch {
	case r >= ' ' && r <= '~':
	case c.tier == VT && strings.ContainsRune(vtGlyphs, r):
	case c.han && wide(r):
	default:
		return 0, false
	}
	return r, true
}

// only is s with question marks for what cannot be shown; lines and styles stay.
func (c charset) only(s string) string {
	var b strings.Builder
	for _, r := range s {
		if _, ok := c.keep(utf8.AppendRune(nil, r)); ok || r < ' ' {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Repeat("?", width(string(r))))
		}
	}
	return b.String()
}

// show is what the terminal shows of a look.
func (c charset) show(l look) look {
	if c.tier != VT {
		l.fg, l.bg = 0, 0
	}
	return l
}
