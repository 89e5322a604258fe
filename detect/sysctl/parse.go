package sysctl

import "strings"

// Assignment is one line of a file that sets a key, or, where Exclude is set,
// keeps patterns from setting it.
type Assignment struct {
	File    string // the file it stands in, links followed: what to edit
	Via     string // the name a reader finds the file by, which decides its place
	Line    int    // from 1
	Key     string // canonical; may be a pattern: net.ipv4.conf.*.rp_filter
	Value   string // as written, without the white space around it
	Exclude bool   // "-key" without a value
	Ignore  bool   // "-key = value": a failure does not matter
	Text    string // the whole line as it stands, without its line end
}

// Parse reads what both readers understand of a file in the format of
// sysctl.d(5). Lines it does not understand are left out, as the readers do.
func Parse(data string) []Assignment {
	var out []Assignment
	for i, text := range strings.Split(data, "\n") {
		text = strings.TrimSuffix(text, "\r")
		line := strings.Trim(text, white)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		key, value, assigns := strings.Cut(line, "=")
		key, dash := strings.CutPrefix(key, "-")
		if !assigns && !dash {
			continue
		}
		key = Canonical(strings.Trim(key, white))
		if key == "" {
			continue
		}
		out = append(out, Assignment{
			Line: i + 1, Key: key, Value: strings.Trim(value, white),
			Exclude: !assigns, Ignore: dash && assigns, Text: text,
		})
	}
	return out
}

// white is what isspace(3) knows in the C locale.
const white = " \t\r\v\f"
