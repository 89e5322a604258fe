package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"goxin/assets/lang"
	"goxin/steps/answers"
	"goxin/steps/engine"
)

// decisions are a step's questions with their answers, in the step's order; answers
// to questions that this goxin does not ask any more stand last, by their keys.
func decisions(s engine.Step, v engine.Values) []Decision {
	out := []Decision{}
	rest := maps.Clone(v)
	if s != nil {
		for _, f := range s.Fields() {
			x, given := v[f.Key]
			delete(rest, f.Key)
			if !given {
				x = f.Default
			}
			if x == nil {
				continue // nobody said anything, and that means nothing
			}
			out = append(out, Decision{Key: f.Key, Title: cleanText(f.Title), Answer: cleanText(answer(f, x)), Default: !given})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rest)) {
		out = append(out, Decision{Key: cleanLine(key), Title: lang.Same(cleanLine(key)), Answer: cleanText(answer(engine.Field{}, rest[key]))})
	}
	return out
}

// answer is a value in words.
func answer(f engine.Field, x any) lang.Text {
	switch v := x.(type) {
	case bool:
		if v {
			return lang.T("yes", "是")
		}
		return lang.T("no", "否")
	case string:
		if f.Kind == engine.Secret {
			if _, err := answers.ParseSecret(v); err != nil {
				return lang.T("not shown", "不显示")
			}
		}
		return option(f, v)
	case []string:
		return list(f, v)
	case []any: // a default of a step may be written so
		var l []string
		for _, e := range v {
			l = append(l, fmt.Sprint(e))
		}
		return list(f, l)
	case map[string]string:
		var l []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			l = append(l, k+" = "+v[k])
		}
		return lang.Same(strings.Join(l, "\n"))
	case nil:
		return lang.T("nothing", "无")
	}
	return lang.Same(fmt.Sprint(x))
}

func list(f engine.Field, l []string) lang.Text {
	if len(l) == 0 {
		return lang.T("none", "无")
	}
	var en, zh []string
	for _, s := range l {
		t := option(f, s)
		en, zh = append(en, t.EN), append(zh, t.ZH)
	}
	return lang.T(strings.Join(en, ", "), strings.Join(zh, "、"))
}

// option is the title of a choice; of anything else, what was written.
func option(f engine.Field, value string) lang.Text {
	for _, o := range f.Options {
		if o.Value == value && !o.Title.Empty() {
			return o.Title
		}
	}
	if value == "" {
		return lang.T("empty", "空")
	}
	return lang.Same(value)
}
