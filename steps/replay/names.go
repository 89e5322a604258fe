package replay

import "strings"

// names are literals and what stands for them, as a tree of their bytes: there may
// be many, and the texts long.
type names struct{ root node }

type node struct {
	next     map[byte]*node
	here     bool // a literal ends here
	standIn  string
	anywhere bool // also within a longer word
}

func (ns *names) add(literal, standIn string, anywhere bool) {
	n := &ns.root
	for i := range len(literal) {
		if n.next == nil {
			n.next = make(map[byte]*node)
		}
		if n.next[literal[i]] == nil {
			n.next[literal[i]] = &node{}
		}
		n = n.next[literal[i]]
	}
	n.here, n.standIn, n.anywhere = true, standIn, anywhere
}

// replace is t with the stand-ins, of several literals at one place that of the
// longest. "kp-01" is not in "kp-011".
func (ns *names) replace(t string) string {
	var b strings.Builder
	done := 0
	for at := 0; at < len(t); {
		var best *node
		end := at
		for n, i := ns.root.next[t[at]], at+1; n != nil; i++ {
			if n.here && (n.anywhere || alone(t, at, i)) {
				best, end = n, i
			}
			if i == len(t) {
				break
			}
			n = n.next[t[i]]
		}
		if best == nil {
			at++
			continue
		}
		b.WriteString(t[done:at] + best.standIn)
		at, done = end, end
	}
	if done == 0 {
		return t
	}
	return b.String() + t[done:]
}

// alone reports whether t[from:to] is no part of a longer word or number.
func alone(t string, from, to int) bool {
	return (from == 0 || !inWord(t[from-1]) || !inWord(t[from])) && (to == len(t) || !inWord(t[to]) || !inWord(t[to-1]))
}

func inWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
