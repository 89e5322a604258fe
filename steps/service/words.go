package service

import (
	"strings"

	"goxin/assets/lang"
)

// words splits a line as a shell does, with '…', "…" and \, and without expanding
// anything.
func words(s string) ([]string, error) {
	if !printable(s) {
		return nil, lang.Errorf(nil, "it has characters that do not show", "含有不可见字符").WithHint("write one line of plain text", "请填写一行普通文本")
	}
	var out []string
	var word strings.Builder
	quote, inside, escaped := rune(0), false, false
	for _, r := range s {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteRune('\\')
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ':
			if inside {
				out = append(out, word.String())
				word.Reset()
			}
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 || escaped {
		return nil, lang.Errorf(nil, "a quote is not closed", "引号未闭合").WithHint("close it", "请补全引号")
	}
	if inside {
		out = append(out, word.String())
	}
	return out, nil
}

// unitWord is a word of ExecStart= (systemd.service(5), "Command lines"): systemd takes
// % for a specifier and $ for a variable.
func unitWord(s string) string {
	s = strings.NewReplacer("%", "%%", "$", "$$").Replace(s)
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || strings.ContainsRune(`"'\;`, r) }) < 0
	if plain {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// unitText is a value that is text to the end of its line: in it % is a specifier, and a
// \ at the end would join the next line.
func unitText(s string) string {
	s = strings.TrimSpace(strings.ReplaceAll(s, "%", "%%"))
	return strings.TrimRight(s, `\`)
}

// envLine is a line of an EnvironmentFile= (systemd.exec(5)): in double quotes only \ and
// " and what a shell expands there need a \ before them.
func envLine(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "`", "\\`", "$", `\$`).Replace(value) + `"`
}
