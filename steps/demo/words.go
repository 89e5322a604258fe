package demo

import "strings"

// shellWords are the words of one simple command, as a shell takes them; ok is false
// where more is meant than words.
func shellWords(line string) (words []string, ok bool) {
	all, ok := shellCommands(line)
	if !ok || len(all) > 1 {
		return nil, false
	}
	if len(all) == 0 {
		return nil, true
	}
	return all[0].argv, all[0].file == ""
}

// command is a simple command of a script, and the file its output goes to.
type command struct {
	argv []string
	file string
}

// shellCommands are the simple commands of a script that run one after the other: what
// stands between ";". What follows "||" is left out, as is what goes to /dev/null; an
// "if … then" is done for what comes behind it. That is all that is asked of it.
func shellCommands(script string) (out []command, ok bool) {
	var words []string
	var plain []bool // the word was not quoted
	word, begun, quoted := "", false, false
	end := func() {
		if begun {
			words, plain = append(words, word), append(plain, !quoted)
		}
		word, begun, quoted = "", false, false
	}
	for i := 0; i < len(script); i++ {
		switch script[i] {
		case '\'':
			j := strings.IndexByte(script[i+1:], '\'')
			if j < 0 {
				return nil, false
			}
			word, begun, quoted = word+script[i+1:i+1+j], true, true
			i += j + 1
		case '"':
			j := strings.IndexByte(script[i+1:], '"')
			if j < 0 {
				return nil, false
			}
			word, begun, quoted = word+script[i+1:i+1+j], true, true
			i += j + 1
		case '\\':
			if i+1 < len(script) {
				i++
				word, begun, quoted = word+script[i:i+1], true, true
			}
		case ' ', '\t':
			end()
		case ';', '\n':
			end()
			words, plain = append(words, ";"), append(plain, true)
		default:
			word, begun = word+script[i:i+1], true
		}
	}
	end()
	return simple(words, plain), true
}

// simple cuts words into commands.
func simple(words []string, plain []bool) (out []command) {
	var c command
	skip := false
	for i := 0; i <= len(words); i++ {
		if i == len(words) || plain[i] && words[i] == ";" {
			if len(c.argv) > 0 {
				out = append(out, c)
			}
			c, skip = command{}, false
			continue
		}
		switch w := words[i]; {
		case plain[i] && w == "||":
			skip = true
		case skip, plain[i] && (w == "fi" || strings.HasSuffix(w, ">/dev/null")):
		case plain[i] && w == "if":
			skip = true // its condition changes nothing
		case plain[i] && w == "then":
			skip = false
		case plain[i] && w == ">" && i+1 < len(words):
			i++
			c.file = words[i]
		default:
			c.argv = append(c.argv, w)
		}
	}
	return out
}
