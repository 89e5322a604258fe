package repo

import "strings"

// Vars are what stands for the variables of package sources: of dnf $basearch,
// $arch, $releasever and those of /etc/yum/vars and /etc/dnf/vars; of apt $(ARCH).
type Vars map[string]string

// Expand fills in $name, ${name} and apt's $(NAME). What is not known keeps its $.
func (v Vars) Expand(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, "$")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, length := variable(after)
		if value, ok := v[name]; ok && length > 0 {
			b.WriteString(value)
		} else {
			b.WriteString("$" + after[:length])
		}
		s = after[length:]
	}
}

// variable is the name that s, what follows a $, begins with, and how much of s
// it takes; 0 where there is none.
func variable(s string) (name string, length int) {
	if s == "" {
		return "", 0
	}
	closing := map[byte]byte{'{': '}', '(': ')'}[s[0]]
	from := 0
	if closing != 0 {
		from = 1
	}
	to := from
	for to < len(s) && (isLetter(s[to]) || isDigit(s[to]) || s[to] == '_') {
		to++
	}
	switch {
	case to == from, closing != 0 && (to == len(s) || s[to] != closing):
		return "", 0
	case closing != 0:
		return s[from:to], to + 1
	}
	return s[from:to], to
}
