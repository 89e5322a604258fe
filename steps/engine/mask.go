package engine

import (
	"encoding/json"
	"regexp"
	"strings"
)

// What a site wrote beside what goxin changes goes to screens, recordings and reports:
// what is a secret by its name does not.

const secretName = `[\w.-]*(?:passw(?:or)?d|passphrase|_pass|secret|token|private_?key|api_?key|access_?key)[\w.-]*`

var (
	// assigned is a setting: of a repository, of a shell, of a unit, of YAML and JSON.
	assigned = regexp.MustCompile(`(?im)((?:^|[\s"'#;,{(])` + secretName + `["']?\s*[=:]\s*)\S.*`)
	// told is the same in prose, where a colon is but a colon.
	told = regexp.MustCompile(`(?im)((?:^|[\s"'#;])` + secretName + `["']?\s*=\s*)\S.*`)
	// spoken is what fish sets, and what keepalived and netrc(5) have without a sign; not
	// PAM's lines, which begin with "password" and have several words.
	spoken = regexp.MustCompile(`(?im)(^\s*set\s+(?:-\S+\s+)*` + secretName + `\s+|^\s*\w*_pass\s+|\slogin\s+\S+\s+password\s+)\S.*`)
	bare   = regexp.MustCompile(`(?im)(^\s*password\s+)\S+[ \t]*$`)
	// login is what stands before the host in an address: a name and a password, in which
	// there may be any @ but the last, or a token alone.
	login = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)(?:[^\s/?#"'<>@]*:[^\s/?#"'<>]*|[^\s/?#"'<>@]+)@`)
)

// Mask stands for a secret.
const Mask = "********"

// MaskFile is a text of a file, or a line of it, as it may be shown.
func MaskFile(s string) string {
	s = assigned.ReplaceAllString(s, "${1}"+Mask)
	s = spoken.ReplaceAllString(s, "${1}"+Mask)
	s = bare.ReplaceAllString(s, "${1}"+Mask)
	return login.ReplaceAllString(s, "${1}"+Mask+"@")
}

// MaskText is what goxin or a program says, as it may be shown.
func MaskText(s string) string {
	return told.ReplaceAllString(login.ReplaceAllString(s, "${1}"+Mask+"@"), "${1}"+Mask)
}

// MarshalJSON is for people and programs that look at a plan: an op's texts are masked.
func (p Planned) MarshalJSON() ([]byte, error) {
	type plain Planned
	shown := struct {
		plain
		Op any `json:"op,omitempty"`
	}{plain: plain(p)}
	if p.Op == nil {
		return json.Marshal(shown)
	}
	b, err := json.Marshal(p.Op)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var op any
	if err := d.Decode(&op); err != nil {
		return nil, err
	}
	shown.Op = maskStrings(op)
	return json.Marshal(shown)
}

func maskStrings(v any) any {
	switch v := v.(type) {
	case string:
		return MaskFile(v)
	case []any:
		for i := range v {
			v[i] = maskStrings(v[i])
		}
	case map[string]any:
		for k := range v {
			if k != "reason" { // goxin's own prose
				v[k] = maskStrings(v[k])
			}
		}
	}
	return v
}
