package detect

import (
	"encoding/json"

	"goxin/assets/lang"
)

// source is how a fact was learnt: a string where both languages write it alike (a
// path, a key of a file, a call), or else a text.
type source interface{ string | lang.Text }

func known[T any, S source](v T, from S) Fact[T] {
	return Fact[T]{Value: v, Known: true, From: textOf(from)}
}

func unknown[T any, S source](why S) Fact[T] { return Fact[T]{From: textOf(why)} }

func textOf[S source](s S) lang.Text {
	if t, ok := any(s).(lang.Text); ok {
		return t
	}
	return lang.Same(any(s).(string))
}

// told is an error as both languages say it: another program's words as they are.
func told(err error) lang.Text {
	return lang.T(lang.Message(err, lang.EN), lang.Message(err, lang.ZH))
}

// remark is a place and what it says.
func remark[A, B source](place A, what B) lang.Text {
	return lang.F("%s: %s", "%s：%s", textOf(place), textOf(what))
}

// and is one way it was learnt, then the other.
func and[A, B source](a A, b B) lang.Text {
	return lang.F("%s; %s", "%s；%s", textOf(a), textOf(b))
}

// butNot is what there is, and what should go with it and is not there.
func butNot(there, absent string) lang.Text {
	return lang.F("%s, but no %s", "有 %s，但没有 %s", there, absent)
}

// lacks is a file without a key.
func lacks(file, key string) lang.Text {
	return lang.F("%s has no %s", "%s 中没有 %s", file, key)
}

// absent is a file that is not there.
func absent(file string) lang.Text { return lang.F("no %s", "没有 %s", file) }

// neither is two files that are not there.
func neither(a, b string) lang.Text {
	return lang.F("neither %s nor %s", "既没有 %s，也没有 %s", a, b)
}

// factJSON is Fact as JSON has it. "from" is English and always there; "from_zh"
// stands beside it where Chinese says it otherwise.
type factJSON[T any] struct {
	Value  T      `json:"value"`
	Known  bool   `json:"known"`
	From   string `json:"from"`
	FromZH string `json:"from_zh,omitempty"`
}

// MarshalJSON writes {"value":…,"known":…,"from":"…","from_zh":"…"}.
func (f Fact[T]) MarshalJSON() ([]byte, error) {
	j := factJSON[T]{Value: f.Value, Known: f.Known, From: f.From.EN}
	if f.From.ZH != f.From.EN {
		j.FromZH = f.From.ZH
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON wrote; a "from" without "from_zh" reads alike
// in both languages.
func (f *Fact[T]) UnmarshalJSON(b []byte) error {
	var j factJSON[T]
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*f = Fact[T]{Value: j.Value, Known: j.Known, From: lang.T(j.From, j.FromZH)}
	if j.FromZH == "" {
		f.From.ZH = j.From
	}
	return nil
}
