package tui

import (
	"strings"
)

// Tier is how much a terminal can do.
type Tier int

// The tiers, richest first. VT and Line are chosen but still drawn as Plain.
const (
	Rich  Tier = iota // UTF-8, 256 colours, alternate screen
	VT                // the Linux console: 16 colours, a font without Chinese
	Plain             // a serial line: ASCII, bold and reverse, few bytes
	Line              // no cursor movement
)

// Env is what is known of the terminal before anything is written to it.
type Env struct {
	Term          string // $TERM
	Locale        string // $LC_ALL, else $LC_CTYPE, else $LANG
	TTY           string // name of the terminal's device: /dev/pts/3, /dev/ttyS0
	Plain         bool   // --plain
	Width, Height int    // cells; 0, 0: the terminal does not know
}

// Choose picks the tier for a terminal. han says whether it can show Chinese.
// NO_COLOR does not matter here: every tier marks each state with a character.
func Choose(e Env) (t Tier, han bool) {
	han = utf8Locale(e.Locale)
	switch {
	case e.Term == "dumb" || e.Term == "":
		return Line, han
	case e.Plain:
		return Plain, han && e.Term != "linux"
	case e.Term == "linux":
		return VT, false
	case monoTerm(e.Term), serial(e.TTY), !han, e.Width == 0 && e.Height == 0:
		return Plain, han && !monoTerm(e.Term) && !serial(e.TTY)
	}
	return Rich, true
}

func utf8Locale(l string) bool {
	l = strings.ToLower(l)
	return strings.HasSuffix(l, "utf-8") || strings.HasSuffix(l, "utf8") || strings.Contains(l, "utf-8@") || strings.Contains(l, "utf8@")
}

// monoTerm reports the terminals that know bold and reverse but no colour, and
// often answer for a serial line.
func monoTerm(term string) bool {
	for _, p := range []string{"vt1", "vt2", "vt3", "vt5", "ansi", "att", "cons25", "sun"} {
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
