package environment

import (
	"strings"

	"goxin/steps/goroot"
)

// Where things are written.
const (
	profileFile = "/etc/profile.d/goxin.sh"
	fishFile    = "/etc/fish/conf.d/goxin.fish"
	// buildFile is the runtime step's: GOARM64 and GOAMD64 for this processor.
	buildFile  = "/etc/goxin/build.env"
	direnvDir  = goroot.Top + "/share/direnv"
	direnvFile = direnvDir + "/goxin.sh"
)

// setting is one variable and its value.
type setting struct{ name, value string }

// levels are the variables taken from buildFile.
var levels = []string{"GOAMD64", "GOARM64"}

// names are the variables that stay as somebody set them.
func names(settings []setting) []string {
	out := make([]string, 0, len(settings)+len(levels))
	for _, s := range settings {
		out = append(out, s.name)
	}
	return append(out, levels...)
}

// profile is the file for POSIX shells. It starts no program, so that a shell starts
// as fast as before; it is right with `set -eu`, without HOME, and when it is read
// again: then nothing is added twice, and what was put before it since stays there.
func profile(settings []setting, direnv bool) string {
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
		`case ":${PATH-}:" in`,
		"*:"+goroot.Bin+":*) ;;",
		"*) PATH="+goroot.Bin+`"${PATH:+:$PATH}" ;;`,
		"esac",
		`case ":$PATH:" in`,
		"*:"+goroot.Current+"/bin:*) ;;",
		"*)",
		"\tPATH="+goroot.Current+`/bin:"$PATH"`,
		"\tunset GOROOT # another Go's; this one finds its own",
		"\t;;",
		"esac",
		`case ${HOME-} in`,
		"*:*) ;;",
		"/*)",
		"\t"+`case ":$PATH:" in`,
		"\t"+`*":${HOME%/}/go/bin:"*) ;;`,
		"\t"+`*) PATH="$PATH:${HOME%/}/go/bin" ;;`,
		"\tesac",
		"\t;;",
		"esac",
		"export PATH",
		"",
		"goxin_own=",
		"case ${GOENV-} in",
		"off) goxin_file= ;;",
		"?*) goxin_file=$GOENV ;;",
		`*) goxin_file=${XDG_CONFIG_HOME:-${HOME-}/.config}/go/env ;;`,
		"esac",
		`if [ -f "$goxin_file" ] && [ -r "$goxin_file" ]; then`,
		"\t"+`while IFS= read -r goxin_line || [ -n "$goxin_line" ]; do`,
		"\t\tcase $goxin_line in",
		"\t\t"+strings.Join(names(settings), "=*|")+`=*) goxin_own="$goxin_own ${goxin_line%%=*} " ;;`,
		"\t\tesac",
		"\t"+`done <"$goxin_file"`,
		"fi",
		"goxin_default() {",
		"\tcase $goxin_own in",
		"\t"+`*" $1 "*) return 0 ;;`,
		"\tesac",
		"\t"+`if eval "[ -z \"\${$1-}\" ]"; then`,
		"\t\t"+`eval "$1=\$2"`,
		"\t\t"+`export "$1"`,
		"\tfi",
		"}",
	)
	for _, s := range settings {
		w("goxin_default " + s.name + " '" + s.value + "'")
	}
	w(
		"if [ -r "+buildFile+" ]; then",
		"\t"+`while IFS= read -r goxin_line || [ -n "$goxin_line" ]; do`,
		"\t\tcase $goxin_line in",
		"\t\t"+strings.Join(levels, "=?*|")+`=?*) goxin_default "${goxin_line%%=*}" "${goxin_line#*=}" ;;`,
		"\t\tesac",
		"\tdone <"+buildFile,
		"fi",
		"unset -f goxin_default",
		"unset goxin_own goxin_file goxin_line",
	)
	if direnv {
		w(
			"",
			"case $- in",
			"*i*)",
			"\t"+`if [ -n "${BASH_VERSION-}" ] && command -v direnv >/dev/null 2>&1; then`,
			"\t\t"+`eval "$(direnv hook bash)"`,
			"\tfi",
			"\t;;",
			"esac",
		)
	}
	return b.String()
}

// bashLines are for bash's file of shells that are no login shells; those have read
// the profile, and in an order of their own.
func bashLines() []string {
	return []string{
		"if [ -r " + profileFile + " ] && ! shopt -q login_shell; then",
		"  . " + profileFile,
		"fi",
	}
}

// zshLines are for zshenv, which every zsh reads. Where zsh's login shells read
// /etc/profile later on, they are left to it.
func zshLines(loginReadsProfile, direnv bool) []string {
	condition := "if [[ -r " + profileFile + " ]]; then"
	if loginReadsProfile {
		condition = "if [[ -r " + profileFile + " && ! -o login ]]; then"
	}
	out := []string{condition, "  emulate sh -c '. " + profileFile + "'", "fi"}
	if direnv {
		out = append(out,
			"if [[ -o interactive ]] && command -v direnv >/dev/null 2>&1; then",
			`  eval "$(direnv hook zsh)"`,
			"fi")
	}
	return out
}
