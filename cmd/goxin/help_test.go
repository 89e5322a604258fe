package main

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goxin/assets/lang"
	"goxin/assets/lang/langtest"
)

// TestHelpIsInItsLanguage reads the help of every command as a person sees it, and
// each of its texts for itself: one that is too short to be prose is still to be
// Chinese on a Chinese screen.
func TestHelpIsInItsLanguage(t *testing.T) {
	for _, l := range []lang.Lang{lang.EN, lang.ZH} {
		seen := 0
		each((&app{lang: l}).command(), func(c *cobra.Command) {
			if c.Hidden {
				return
			}
			seen++
			texts := map[string]string{"short": c.Short, "long": c.Long, "example": c.Example, "help": helpOf(t, c)}
			c.Flags().VisitAll(func(f *pflag.Flag) { texts["--"+f.Name] = f.Usage })
			c.PersistentFlags().VisitAll(func(f *pflag.Flag) { texts["--"+f.Name] = f.Usage })
			for what, text := range texts {
				wrong := langtest.ChineseIn(text)
				if l == lang.ZH {
					wrong = langtest.EnglishIn(text)
				}
				if len(wrong) > 0 {
					t.Errorf("%s: %s in %s: %q has %q", c.CommandPath(), what, l, text, wrong)
				}
				if han := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }); text != "" && what != "example" && han != (l == lang.ZH) {
					t.Errorf("%s: %s in %s: %q", c.CommandPath(), what, l, text)
				}
			}
			for _, cobras := range []string{"[flags]", "[command]", "Usage:", "Flags:", "Commands:", "(default "} {
				if l == lang.ZH && strings.Contains(texts["help"], cobras) {
					t.Errorf("%s: %s in the Chinese help", c.CommandPath(), cobras)
				}
			}
			if c.Short == "" {
				t.Errorf("%s says nothing of itself", c.CommandPath())
			}
		})
		if seen < 20 {
			t.Errorf("%s: only %d commands", l, seen)
		}
	}
}

func helpOf(t *testing.T, c *cobra.Command) string {
	t.Helper()
	var b bytes.Buffer
	c.SetOut(&b)
	if err := c.Help(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
