package whichgo

import "strings"

// Lines are the settings in a file of `go env -w` or a go.env, as cmd/go reads it:
// a line that does not begin with a capital letter or has no "=" means nothing, the
// last of two counts, and nothing is trimmed or unquoted.
func Lines(text string) map[string]string {
	out := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		key, value, ok := strings.Cut(line, "=")
		if ok && key != "" && 'A' <= key[0] && key[0] <= 'Z' {
			out[key] = value
		}
	}
	return out
}

// Directive is what the first line of go.mod or go.work that begins with key says;
// "" where none does. cmd/go reads the two lines it needs this way, before it
// parses the file.
func Directive(text, key string) string {
	for line := range strings.SplitSeq(text, "\n") {
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), key)
		if !ok || rest == "" || rest[0] != ' ' && rest[0] != '\t' {
			continue
		}
		rest, _, _ = strings.Cut(rest, "//")
		return strings.TrimSpace(rest)
	}
	return ""
}

// Pinned is the version a .go-version asks for: "1.26.8" or "1.26", with or without
// a "go" before it; "" where it asks for none that can be read. Blank lines and
// comments are skipped.
func Pinned(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name := "go" + strings.TrimPrefix(line, "go")
		if versionOf(name) != name {
			return ""
		}
		return strings.TrimPrefix(name, "go")
	}
	return ""
}
