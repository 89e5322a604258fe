package environment

import "goxin/steps/goroot"

// direnvLib is what a project's .envrc reads; it defines one of direnv's layouts
// (direnv-stdlib(1), "use"). What it changes direnv takes back outside the project.
func direnvLib() string {
	return `# Written by goxin (environment), for a project's .envrc:
#
#   source ` + direnvFile + `
#   use goxin
#
# The Go that .go-version, go.work or go.mod asks for, of those installed.
use_goxin() {
	local goxin_out
	watch_file .go-version go.work go.mod ` + goroot.Base + `
	if ! command -v goxin >/dev/null 2>&1; then
		log_error "goxin is not in PATH"
		return 1
	fi
	goxin_out=$(goxin toolchain env "$PWD") || return
	eval "$goxin_out"
}
`
}
