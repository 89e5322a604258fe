package cast

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// shortest is the length in bytes below which nothing is masked: shorter words
// stand everywhere, in the terminal's own sequences too.
const shortest = 4

// mask stands in for a secret. It is as long for every secret: the length of one
// says something about it.
const mask = "********"

// masker replaces secrets in a stream, wherever its pieces begin and end. It
// holds back what may be the beginning of a secret until more has come.
type masker struct {
	secrets [][]byte
	held    []byte // may be the beginning of one
	covered int    // bytes of held that belong to a secret already
	masked  bool   // what was given out last was the mask
}

func (m *masker) add(secrets ...string) {
	for _, s := range secrets {
		if len(s) >= shortest && !slices.ContainsFunc(m.secrets, func(b []byte) bool { return string(b) == s }) {
			m.secrets = append(m.secrets, []byte(s))
		}
	}
}

// next is what can be given out once b has come.
func (m *masker) next(b []byte) []byte { return m.take(append(m.held, b...), false) }

// rest is what was held back, when nothing more comes.
func (m *masker) rest() []byte { return m.take(m.held, true) }

// take goes on over all. Secrets may overlap: what belongs to any is masked, and
// two that touch are one mask.
func (m *masker) take(all []byte, last bool) []byte {
	var out []byte
	i := 0
	for ; i < len(all); i++ {
		open := false
		for _, s := range m.secrets {
			switch {
			case bytes.HasPrefix(all[i:], s):
				m.covered = max(m.covered, len(s))
			case !last && bytes.HasPrefix(s, all[i:]):
				open = true
			}
		}
		if open {
			break
		}
		switch {
		case m.covered == 0:
			out, m.masked = append(out, all[i]), false
		case !m.masked:
			out, m.masked = append(out, mask...), true
		}
		m.covered = max(m.covered-1, 0)
	}
	m.held = bytes.Clone(all[i:])
	return out
}

// wholeRunes is how much of b does not end inside a character.
func wholeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && len(b)-i < utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return i
			}
			break
		}
	}
	return len(b)
}
