package mirror

import (
	"maps"

	"goxin/steps/engine"
)

// Recall notes beside source: fastest which mirror that was.
func (Step) Recall(hs engine.Hosts, sv engine.Survey, v engine.Values) engine.Values {
	a, err := readAnswers(v)
	id, _ := hs.First()
	s, err2 := SeenOn(sv, id)
	if err != nil || err2 != nil || a.Source != sourceFastest || !s.Raced || len(s.Race.Results) == 0 || !s.Race.Results[0].Usable {
		return v
	}
	b := s.Race.Results[0]
	out := maps.Clone(v)
	if out == nil {
		out = engine.Values{}
	}
	out[keyGave] = b.ID + ", " + rate(b.Rate).EN + ", " + published(b.Published).EN
	return out
}
