package runtime

import (
	"maps"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
	"goxin/steps/runtime/measure"
)

// Trial is what can be measured of a plan on the machine a run is about, beside Go's
// own defaults.
type Trial struct {
	Tool  measure.Tool // GOROOT is "" where there is no Go
	Knobs []measure.Knob
	Notes []lang.Text // what cannot be measured without changing the machine
}

// Usual are the answers that are tried where none were given: each as an answer of its
// own, against Go's defaults.
func Usual() []engine.Values {
	return []engine.Values{{KeyGOGC: "20"}, {KeyGOGC: "200"}, {KeyLevel: thisCPU}, {}}
}

// NewTrial is the trial of several sets of answers, of each what no set before it had.
func NewTrial(hs engine.Hosts, sv engine.Survey, all ...engine.Values) (*Trial, error) {
	out := new(Trial)
	had := map[string]bool{}
	for _, v := range all {
		a, err := readAnswers(v)
		if err != nil {
			return nil, err
		}
		id, _ := hs.First()
		h, err := newHost(hs, sv, id, a)
		if err != nil {
			return nil, err
		}
		out.Tool = h.tool(h.seen.GOROOT)
		for _, k := range h.knobs() {
			if !had[k.Name.EN] {
				had[k.Name.EN] = true
				out.Knobs = append(out.Knobs, k)
			}
		}
		if n := h.untried(); !n.Empty() && !had[n.EN] {
			had[n.EN] = true
			out.Notes = append(out.Notes, n)
		}
	}
	return out, nil
}

func (h *host) knobs() []measure.Knob {
	var out []measure.Knob
	for _, v := range h.runtimeVars() {
		out = append(out, measure.Knob{ID: v.key, Name: lang.Same(v.String()), Guard: v.guard, After: measure.Setting{Env: []string{v.String()}}})
	}
	if name, value := h.level(); name != "" && value != "v1" && value != "v8.0" {
		out = append(out, measure.Knob{ID: KeyLevel, Name: lang.Same(name + "=" + value), After: measure.Setting{Build: []string{name + "=" + value}}})
	}
	if want := h.thp(); h.seen.THP == "always" && want != "" && want != "always" {
		out = append(out, measure.Knob{
			ID: KeyTHP, Name: lang.F("huge pages %s", "透明大页 %s", want), Guard: h.mips(), After: measure.Setting{NoHugePages: true},
		})
	}
	return out
}

// untried is what huge pages would do if the machine were changed first.
func (h *host) untried() lang.Text {
	if want := h.thp(); want == "always" && h.seen.THP != want {
		return lang.F("huge pages cannot be measured before they are on (now: %s): apply thp: always, measure with --set thp=madvise, and decide then.",
			"透明大页开启之前无法测量（当前：%s）：请先应用 thp: always，再用 --set thp=madvise 测量后决定。", h.seen.THP)
	}
	return lang.Text{}
}

// Keep is what is left of v after a measurement: the answers whose knobs are kept. One
// that was not, or that was tried without being asked for, goes back to what leaves the
// machine alone.
func Keep(v engine.Values, r *measure.Report) engine.Values {
	out := maps.Clone(v)
	if out == nil {
		out = engine.Values{}
	}
	kept := map[string]bool{}
	for _, k := range r.Results {
		if kept[k.ID] {
			continue
		}
		_, value, _ := strings.Cut(k.Name.EN, "=")
		switch {
		case !k.Keep && k.ID == KeyTHP:
			out[k.ID] = keep
		case !k.Keep:
			delete(out, k.ID)
		case k.ID == KeyGOGC:
			kept[k.ID], out[k.ID] = true, value
		case k.ID == KeyLevel:
			kept[k.ID], out[k.ID] = true, thisCPU
		default:
			kept[k.ID] = true
		}
	}
	if out.Text(KeyGOGC, "") == off && out.Text(KeyMemoryMax, "") == "" {
		delete(out, KeyGOGC) // it went with the limit it needs
	}
	return out
}
