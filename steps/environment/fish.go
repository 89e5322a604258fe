package environment

import (
	"strings"

	"goxin/steps/goroot"
)

// fish is the file for fish, which says the same as profile; for fish 2.7 and newer.
func fish(settings []setting, direnv bool) string {
	var b strings.Builder
	w := func(lines ...string) {
		for _, l := range lines {
			b.WriteString(l + "\n")
		}
	}
	w(
		"# Written by goxin (environment): where Go is, and its defaults.",
		"# What the environment or `go env -w` says already stays.",
		"",
		"if not contains -- "+goroot.Bin+" $PATH",
		"    set -gx PATH "+goroot.Bin+" $PATH",
		"end",
		"if not contains -- "+goroot.Current+"/bin $PATH",
		"    set -gx PATH "+goroot.Current+"/bin $PATH",
		"    set -qg GOROOT; and set -eg GOROOT # another Go's; this one finds its own",
		"end",
		"if string match -q '/*' -- \"$HOME\"; and not string match -q '*:*' -- \"$HOME\"",
		"    set -l goxin_tools (string replace -r '/$' '' -- \"$HOME\")/go/bin",
		"    if not contains -- $goxin_tools $PATH",
		"        set -gx PATH $PATH $goxin_tools",
		"    end",
		"end",
		"",
		"set -l goxin_own",
		"set -l goxin_file \"$HOME/.config/go/env\"",
		"if test -n \"$GOENV\"",
		"    set goxin_file $GOENV # off is no file",
		"else if test -n \"$XDG_CONFIG_HOME\"",
		"    set goxin_file \"$XDG_CONFIG_HOME/go/env\"",
		"end",
		"if test \"$goxin_file\" != off; and test -f \"$goxin_file\"; and test -r \"$goxin_file\"",
		"    set goxin_own (string match -r '^[A-Z0-9]+(?==)' <$goxin_file)",
		"end",
	)
	for _, s := range settings {
		w("contains -- " + s.name + " $goxin_own; or test -n \"$" + s.name + "\"; or set -gx " + s.name + " '" + s.value + "'")
	}
	w("if test -r " + buildFile)
	for _, l := range levels {
		w(
			"    set -l goxin_level (string replace -rf '^"+l+"=' '' <"+buildFile+")",
			"    if test -n \"$goxin_level\"; and not contains -- "+l+" $goxin_own; and test -z \"$"+l+"\"",
			"        set -gx "+l+" $goxin_level[1]",
			"    end",
		)
	}
	w("end")
	if direnv {
		w(
			"",
			"if status --is-interactive; and type -q direnv",
			"    direnv hook fish | source",
			"end",
		)
	}
	return b.String()
}
