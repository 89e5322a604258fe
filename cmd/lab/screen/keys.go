package screen

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// namedKey gives what xterm sends for a key in its normal modes (ctlseqs.txt,
// "PC-Style Function Keys").
func namedKey(name string) (string, bool) {
	switch name {
	case "enter":
		return "\r", true
	case "tab":
		return "\t", true
	case "shift+tab":
		return "\x1b[Z", true
	case "esc":
		return "\x1b", true
	case "space":
		return " ", true
	case "backspace":
		return "\x7f", true
	case "up":
		return "\x1b[A", true
	case "down":
		return "\x1b[B", true
	case "right":
		return "\x1b[C", true
	case "left":
		return "\x1b[D", true
	case "home":
		return "\x1b[H", true
	case "end":
		return "\x1b[F", true
	case "insert":
		return "\x1b[2~", true
	case "delete":
		return "\x1b[3~", true
	case "pgup":
		return "\x1b[5~", true
	case "pgdown":
		return "\x1b[6~", true
	case "f1", "f2", "f3", "f4":
		return "\x1bO" + string("PQRS"[name[1]-'1']), true
	case "f5":
		return "\x1b[15~", true
	case "f6", "f7", "f8":
		return fmt.Sprintf("\x1b[%d~", 17+int(name[1]-'6')), true
	case "f9":
		return "\x1b[20~", true
	case "f10":
		return "\x1b[21~", true
	case "f11":
		return "\x1b[23~", true
	case "f12":
		return "\x1b[24~", true
	}
	return "", false
}

func keySequence(name string) (string, error) {
	if s, ok := namedKey(name); ok {
		return s, nil
	}
	if rest, ok := strings.CutPrefix(name, "alt+"); ok {
		s, err := keySequence(rest)
		return "\x1b" + s, err
	}
	if rest, ok := strings.CutPrefix(name, "ctrl+"); ok && len(rest) == 1 && rest[0] >= '@' && rest[0] <= '~' {
		return string(rune(rest[0] & 0x1f)), nil
	}
	if utf8.RuneCountInString(name) == 1 {
		return name, nil
	}
	return "", fmt.Errorf("cannot press %q: no key has that name", name)
}
