package detect

import (
	"strings"
	"unicode/utf8"

	"goxin/assets/lang"
)

// parseOSRelease reads os-release(5): shell-like assignments. It takes what
// real machines have beyond that: CRLF, a byte order mark, blanks round "=",
// unquoted values with blanks. The last assignment of a key wins, as in a shell.
func parseOSRelease(s string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(s, "\ufeff")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(strings.TrimPrefix(key, "export "))
		if !ok || !isKey(key) {
			continue
		}
		m[key] = strings.ToValidUTF8(unquote(strings.TrimSpace(value)), string(utf8.RuneError))
	}
	return m
}

func isKey(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// unquote takes a shell word apart: 'as it is', "with \" \$ \\ \` escapes", or bare.
func unquote(s string) string {
	if s == "" {
		return ""
	}
	quote := s[0]
	switch quote {
	case '\'':
		if end := strings.IndexByte(s[1:], '\''); end >= 0 {
			return s[1 : 1+end]
		}
		return s[1:]
	case '"':
		s = s[1:]
	default:
		quote = 0
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote:
			return b.String()
		case c == '\\' && i+1 < len(s) && (quote == 0 || strings.IndexByte("\"$\\`", s[i+1]) >= 0):
			i++
			b.WriteByte(s[i])
		case quote == 0 && c == '#' && i > 0 && s[i-1] == ' ':
			return strings.TrimSpace(b.String())
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// parseINI reads "key = value" lines of an INI file as os-version, .kyinfo and
// SELinux's config have them: sections are dropped, keys are lower-cased, a
// translated key keeps its bracket ("systemname[zh_cn]"). The first one wins.
func parseINI(s string) map[string]string {
	m := map[string]string{}
	for line := range strings.Lines(strings.TrimPrefix(s, "\ufeff")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == ';' || line[0] == '[' {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.ToLower(strings.TrimSpace(key))
		if _, dup := m[key]; !ok || key == "" || dup {
			continue
		}
		m[key] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return m
}

// osRelease finds the machine's os-release: /etc/ first, since vendors
// (TencentOS) leave their parent's in /usr/lib.
func (h *host) osRelease() (values map[string]string, file string, err error) {
	for _, file = range []string{"/etc/os-release", "/usr/lib/os-release"} {
		s, readErr := h.read(file)
		if readErr != nil {
			if err == nil {
				err = readErr
			}
			continue
		}
		if values = parseOSRelease(s); len(values) > 0 {
			return values, file, nil
		}
		if err == nil {
			err = lang.Errorf(nil, "%s: no KEY=value line", "%s：没有 KEY=value 形式的行", file)
		}
	}
	return nil, "", err
}
