package answers

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// Encode writes a as an answers file, in the order of steps and of their
// Fields, with each title as a comment in language l and notes as comments at
// the top. Equal answers give equal bytes. What no step knows is written too,
// at the end, so that nothing is lost unseen; Decode will point at it.
func Encode(a engine.Answers, steps []engine.Step, l lang.Lang, notes ...lang.Text) []byte {
	return (&File{Steps: a}).Encode(steps, l, notes...)
}

// Encode is Encode with the file's overrides.
func (f *File) Encode(steps []engine.Step, l lang.Lang, notes ...lang.Text) []byte {
	w := writer{lang: l, titles: true}
	for _, n := range notes {
		for line := range strings.SplitSeq(n.In(l), "\n") {
			w.line(0, strings.TrimRight("# "+oneLine(line), " "))
		}
	}
	w.line(0, fmt.Sprintf("version: %d", Version))
	w.answers(0, f.Steps, steps)
	if len(f.Hosts) > 0 {
		w.titles = false
		w.line(0, "hosts:")
		for _, o := range f.Hosts {
			w.line(1, "- match:")
			for _, c := range []struct{ key, value string }{{"hostname", o.Match.Hostname}, {"arch", o.Match.Arch}, {"os", o.Match.OS}} {
				if c.value != "" {
					w.line(3, c.key+": "+scalar(c.value))
				}
			}
			w.answers(2, o.Steps, steps)
		}
	}
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	lang   lang.Lang
	titles bool
}

func (w *writer) line(indent int, s string) {
	w.WriteString(strings.Repeat("  ", indent) + s + "\n")
}

func (w *writer) title(indent int, t lang.Text) {
	if s := oneLine(t.In(w.lang)); s != "" && w.titles {
		w.line(indent, "# "+s)
	}
}

func (w *writer) answers(indent int, a engine.Answers, steps []engine.Step) {
	if len(a) == 0 {
		w.line(indent, "steps: {}")
		return
	}
	w.line(indent, "steps:")
	left := maps.Clone(a)
	for _, s := range steps {
		if v, ok := left[s.ID()]; ok {
			w.title(indent+1, s.Title())
			w.values(indent+1, s.ID(), v, s.Fields())
			delete(left, s.ID())
		}
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		w.values(indent+1, id, left[id], nil)
	}
}

func (w *writer) values(indent int, id string, v engine.Values, fields []engine.Field) {
	if len(v) == 0 {
		w.line(indent, scalarKey(id)+": {}")
		return
	}
	w.line(indent, scalarKey(id)+":")
	left := maps.Clone(v)
	for _, f := range fields {
		if x, ok := left[f.Key]; ok {
			w.title(indent+1, f.Title)
			w.value(indent+1, f.Key, x)
			delete(left, f.Key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		w.value(indent+1, key, left[key])
	}
}

// value writes what engine.Values may hold; anything else is a bug of the step
// and shows as quoted text, which Decode refuses.
func (w *writer) value(indent int, key string, v any) {
	key = scalarKey(key) + ":"
	switch v := v.(type) {
	case string:
		w.line(indent, key+" "+scalar(v))
	case bool, int, int64:
		w.line(indent, fmt.Sprint(key, " ", v))
	case []string:
		if len(v) == 0 {
			w.line(indent, key+" []")
			return
		}
		w.line(indent, key)
		for _, s := range v {
			w.line(indent+1, "- "+scalar(s))
		}
	case map[string]string:
		if len(v) == 0 {
			w.line(indent, key+" {}")
			return
		}
		w.line(indent, key)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			s := scalar(v[k])
			if decimal(v[k]) {
				s = v[k]
			}
			w.line(indent+1, scalarKey(k)+": "+s)
		}
	default:
		w.line(indent, key+" "+doubleQuoted(fmt.Sprint(v)))
	}
}
