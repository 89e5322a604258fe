package toolchain

import (
	"maps"
	"slices"
	"strings"

	"goxin/steps/engine"
)

func (a answers) equal(b answers) bool {
	return slices.Equal(a.Versions, b.Versions) && a.Use == b.Use && a.Source == b.Source && slices.Equal(a.Goproxy, b.Goproxy) &&
		a.How == b.How && a.Adopt == b.Adopt && slices.Equal(a.Remove, b.Remove)
}

// Recall notes beside the versions what they came to: 1.26 is another release next
// month.
func (Step) Recall(hs engine.Hosts, sv engine.Survey, v engine.Values) engine.Values {
	id, _ := hs.First()
	s, err := SeenOn(sv, id)
	if err != nil {
		return v
	}
	var gave []string
	for _, w := range s.Wanted {
		if _, one := wish(w.Asked).release(); w.Version == "" || one && w.H1 == "" {
			continue
		}
		gave = append(gave, strings.TrimSpace(w.Version+" "+w.H1))
	}
	if len(gave) == 0 {
		return v
	}
	out := maps.Clone(v)
	if out == nil {
		out = engine.Values{}
	}
	out[keyGave] = strings.Join(gave, ", ")
	return out
}
