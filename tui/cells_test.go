package tui

import "testing"

func TestForeignTextMovesNothingAndTurnsNothingRound(t *testing.T) {
	for in, want := range map[string]string{
		"kp-01 麒麟": "kp-01 麒麟", "\x1b[2J": "?[2J", "\u009b2J": "?2J", "a\u202ecba": "a?cba", "a\u2028b\u2029c": "a?b?c", "\xff\x00\x7f": "???", "a\nb": "a b", "a\tb": "a   b",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
