package engine

import (
	"bytes"
	"encoding/json"

	"goxin/assets/lang"
)

// UnmarshalJSON brings values back in the Go types Values promises.
func (v *Values) UnmarshalJSON(b []byte) error {
	var raw map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&raw); err != nil {
		return err
	}
	*v = make(Values, len(raw))
	for k, x := range raw {
		t, err := typed(x)
		if err != nil {
			return lang.Because(err, "value of %q", "%q 的值", k)
		}
		(*v)[k] = t
	}
	return nil
}

func typed(x any) (any, error) {
	switch t := x.(type) {
	case string, bool, nil:
		return t, nil
	case json.Number:
		return t.Int64()
	case []any:
		l := make([]string, len(t))
		for i, e := range t {
			s, ok := e.(string)
			if !ok {
				return nil, lang.Because(nil, "element %d is no text", "第 %d 个元素不是文本", i+1)
			}
			l[i] = s
		}
		return l, nil
	case map[string]any:
		m := make(map[string]string, len(t))
		for k, e := range t {
			s, ok := e.(string)
			if !ok {
				return nil, lang.Because(nil, "%q is no text", "%q 不是文本", k)
			}
			m[k] = s
		}
		return m, nil
	}
	return nil, lang.Because(nil, "of an unknown type %T", "类型 %T 未知", x)
}

// Text is the string under key, or def.
func (v Values) Text(key, def string) string {
	if s, ok := v[key].(string); ok {
		return s
	}
	return def
}

// Bool is the bool under key, or def.
func (v Values) Bool(key string, def bool) bool {
	if b, ok := v[key].(bool); ok {
		return b
	}
	return def
}

// Number is the int64 under key, or def.
func (v Values) Number(key string, def int64) int64 {
	if n, ok := v[key].(int64); ok {
		return n
	}
	return def
}

// Map is the map under key; nil when absent.
func (v Values) Map(key string) map[string]string {
	m, _ := v[key].(map[string]string)
	return m
}

// List is the list under key; nil when absent.
func (v Values) List(key string) []string {
	l, _ := v[key].([]string)
	return l
}
