package environment

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"goxin/detect/machine"
	"goxin/steps/goroot"
	"goxin/steps/whichgo"
)

// rival is a line in a shell's file, or a line of `go env -w`, that says something
// about Go.
type rival struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Name  string `json:"name"`  // the variable
	Value string `json:"value"` // without quotes; a name or password in an address is hidden
	// Late says that it is read after goxin's file.
	Late bool `json:"late,omitempty"`
	// Own says that it is the file of `go env -w`.
	Own bool `json:"own,omitempty"`
}

// watched are the variables that change which Go runs, or what it believes.
var watched = []string{
	"GOROOT", "GOTOOLCHAIN", "GOPROXY", "GOSUMDB", "GOPRIVATE", "GO111MODULE",
	"GONOSUMDB", "GONOSUMCHECK", "GOINSECURE", "GOFLAGS", "PATH",
}

var (
	assignment = regexp.MustCompile(`(?:^|[\s;])(` + strings.Join(watched, "|") + `)=("[^"]*"|'[^']*'|[^\s;#]*)`)
	fishSet    = regexp.MustCompile(`(?:^|[\s;])set\s+(?:-[-a-zA-Z]+\s+)+(` + strings.Join(watched, "|") + `)\s+([^;#]+)`)
	goBin      = regexp.MustCompile(`^(.*/)?(go[^/]*|\$\{?GOROOT\}?)/bin/?$`)
	// toolsBin are directories of what `go install` builds: no Go is in them.
	toolsBin = regexp.MustCompile(`^(\$|~|/root/|/home/[^/]+/)`)
)

// rivals reads the shells' files on m, of the system and of people.
func rivals(m machine.Machine) []rival {
	var out []rival
	read := func(file string, late bool) {
		if data, err := m.ReadFile(file); err == nil {
			out = append(out, lines(file, string(data), late)...)
		}
	}
	for _, f := range []string{"/etc/environment", "/etc/bash.bashrc", "/etc/bashrc", "/etc/zsh/zshenv", "/etc/zshenv"} {
		read(f, false)
	}
	if data, err := m.ReadFile("/etc/profile"); err == nil {
		before, after, _ := strings.Cut(string(data), "/etc/profile.d")
		out = append(out, lines("/etc/profile", before, false)...)
		for _, r := range lines("/etc/profile", after, true) {
			r.Line += strings.Count(before, "\n")
			out = append(out, r)
		}
	}
	names, _ := m.ReadDir(path.Dir(profileFile)) // none: nothing is read
	for _, n := range names {
		if f := path.Join(path.Dir(profileFile), n); strings.HasSuffix(n, ".sh") && f != profileFile {
			read(f, f > profileFile)
		}
	}
	for _, f := range []string{"/etc/zsh/zprofile", "/etc/zsh/zshrc", "/etc/zprofile", "/etc/zshrc"} {
		read(f, true)
	}
	for _, home := range homes(m) {
		for _, n := range []string{".profile", ".bash_profile", ".bash_login", ".bashrc", ".zshenv", ".zprofile", ".zshrc", ".config/fish/config.fish"} {
			read(path.Join(home, n), true)
		}
		file := path.Join(home, ".config/go/env")
		if data, err := m.ReadFile(file); err == nil {
			out = append(out, ownLines(file, string(data))...)
		}
	}
	return out
}

// homes are root's and those below /home.
func homes(m machine.Machine) []string {
	out := []string{"/root"}
	names, _ := m.ReadDir("/home") // none: nobody else lives here
	for _, n := range names {
		out = append(out, path.Join("/home", n))
	}
	return out
}

// lines finds what a shell's file says about Go. It reads line by line: what a
// script works out is not seen.
func lines(file, text string, late bool) []rival {
	var out []rival
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, m := range append(assignment.FindAllStringSubmatch(line, -1), fishSet.FindAllStringSubmatch(line, -1)...) {
			name, value := m[1], strings.TrimSpace(m[2])
			if len(value) > 1 && (value[0] == '"' || value[0] == '\'') && value[len(value)-1] == value[0] {
				value = value[1 : len(value)-1]
			}
			if name == "PATH" && !putsGoFirst(value) {
				continue
			}
			out = append(out, rival{File: file, Line: n, Name: name, Value: whichgo.Masked(value), Late: late})
		}
	}
	return out
}

// ownLines are the lines of a file of `go env -w`.
func ownLines(file, text string) []rival {
	var out []rival
	last := whichgo.Lines(text)
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		name, value, ok := strings.Cut(line, "=")
		if ok && name != "PATH" && slices.Contains(watched, name) && value != "" && last[name] == value {
			out = append(out, rival{File: file, Line: n, Name: name, Value: whichgo.Masked(value), Late: true, Own: true})
		}
	}
	return out
}

// putsGoFirst says whether a value of PATH has the directory of another Go before
// what PATH was.
func putsGoFirst(value string) bool {
	for _, p := range strings.FieldsFunc(value, func(r rune) bool { return r == ':' || r == ' ' }) {
		p = strings.Trim(p, `"'`)
		switch {
		case p == "$PATH", p == "${PATH}", strings.HasPrefix(p, goroot.Top+"/"):
			return false
		case strings.HasPrefix(p, "$GOROOT"), strings.HasPrefix(p, "${GOROOT"):
			return true
		case goBin.MatchString(p) && !toolsBin.MatchString(p):
			return true
		}
	}
	return false
}
