// Package answers is the answers file: a person's answers to every step, as
// YAML that replays a run. It reads the file strictly and says everything that
// is wrong with it at once, each with file:line:col; it writes the file so that
// save, load, save changes nothing; it makes the file's JSON Schema and its
// commented template from the steps' Fields. It refuses to hold a secret (only
// where to find it), to judge what only a machine can know, to open files, and
// to let its YAML library be seen from outside.
package answers

import (
	"maps"
	"path"
	"slices"
	"strings"

	"goxin/detect"
	"goxin/steps/engine"
)

// Version is the version of the file that this goxin reads and writes.
const Version = 1

// File is an answers file: what holds for every machine, and what differs on
// some of them.
type File struct {
	Steps engine.Answers
	Hosts []Override // in the order they are applied; a later one wins
}

// Override is answers for the machines that match.
type Override struct {
	Match Match
	Steps engine.Answers
}

// Match says which machines an override is for: those of which everything it
// names is true. "" is not named.
type Match struct {
	Hostname string // path.Match pattern, without regard to case: "web-*"
	Arch     string // uname -m or GOARCH: aarch64, arm64
	OS       string // os-release ID or goxin's product name: kylin, kylin-server
}

// For is what the file answers for one machine, with the overrides that match
// it merged in, in order: a field's value replaces the one before, but a Map
// merges key by key. What f does not know matches nothing; f may be nil. The
// result shares nothing with the file.
func (f *File) For(hostname string, facts *detect.Facts) engine.Answers {
	a := clone(f.Steps)
	for _, o := range f.Hosts {
		if o.Match.is(hostname, facts) {
			merge(a, o.Steps)
		}
	}
	return a
}

func (m Match) is(hostname string, f *detect.Facts) bool {
	if m == (Match{}) {
		return false
	}
	if m.Hostname != "" {
		ok, err := path.Match(strings.ToLower(m.Hostname), strings.ToLower(hostname))
		if err != nil || !ok {
			return false
		}
	}
	if f == nil {
		return m.Arch == "" && m.OS == ""
	}
	return (m.Arch == "" || known(f.Arch.Machine, m.Arch) || known(f.Arch.GOARCH, m.Arch)) &&
		(m.OS == "" || known(f.OS.ID, m.OS) || known(f.OS.Product, m.OS))
}

func known(f detect.Fact[string], want string) bool {
	return f.Known && strings.EqualFold(f.Value, want)
}

func merge(into, from engine.Answers) {
	for step, values := range from {
		have := into[step]
		if have == nil {
			have = engine.Values{}
			into[step] = have
		}
		for key, v := range values {
			m, isMap := v.(map[string]string)
			old, wasMap := have[key].(map[string]string)
			if isMap && wasMap {
				maps.Copy(old, m)
				continue
			}
			have[key] = cloneValue(v)
		}
	}
}

func clone(a engine.Answers) engine.Answers {
	out := make(engine.Answers, len(a))
	merge(out, a)
	return out
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]string:
		return maps.Clone(v)
	case []string:
		return slices.Clone(v)
	}
	return v
}
