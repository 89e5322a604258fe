package answers

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// awkward are strings that some reader of YAML takes for something else.
var awkward = []string{
	"", " ", "yes", "No", "on", "OFF", "y", "true", "False", "null", "~", "1.0", "010", "0x10", "0o7", "0b1", "1_000", "1e3", "-1", "+1",
	".5", ".inf", "-.INF", ".NaN", "12:30", "12:30:45", "2026-11-23", "a: b", "a:", ":a", "a #b", "#a", "- a", "-", "--- ", "---", "...", "? a",
	"[a]", "{a: b}", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a`", "\"a\"", "'a'", "a'b", "a\"b", `a\b`, `\n`, "a\nb", "a\n", "\na", "a\tb", "\ta",
	" a", "a ", "<<", "=", "prompt:", "env:A", "中文", "全角：空格　", "é", "e\u0301", "\u00a0", "\u2028", "\u200b", "\u202e", "\ufeff", "😀", "a,b", "a/b", "/a",
}

func pick(r *rand.Rand) string {
	if r.IntN(3) > 0 {
		return awkward[r.IntN(len(awkward))]
	}
	alphabet := []rune("ab0 :#-?,[]{}&*!|>'\"%@`\\\n\t~.中　\u2028😀\U000E0001")
	s := make([]rune, r.IntN(12))
	for i := range s {
		s[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(s)
}

func several(r *rand.Rand) []string {
	out := []string{}
	for range r.IntN(4) {
		out = append(out, pick(r))
	}
	return out
}

func random(r *rand.Rand) engine.Answers {
	a := engine.Answers{}
	some := func(v engine.Values, key string, value any) {
		if r.IntN(2) == 0 {
			v[key] = value
		}
	}
	for _, id := range []string{"odd", "time"} {
		if r.IntN(4) == 0 {
			continue
		}
		v := engine.Values{}
		if id == "odd" {
			m := map[string]string{}
			for range r.IntN(4) {
				if k, s := pick(r), pick(r); k != "" && !control(k) && !control(s) {
					m[k] = s
				}
			}
			some(v, "text", pick(r))
			some(v, "yes", pick(r))
			some(v, "010", several(r))
			some(v, "map", m)
			some(v, "number", r.Int64()-r.Int64())
			some(v, "confirm", r.IntN(2) == 0)
			some(v, "secret", []string{"env:A", "file:/a b/中", "prompt:"}[r.IntN(3)])
			some(v, "a.b", awkward[r.IntN(len(awkward))])
		}
		a[id] = v
	}
	return a
}

// oddSteps take any value, and some of their keys need quotes.
func oddSteps() []engine.Step {
	var options []engine.Option
	for _, s := range awkward {
		options = append(options, engine.Option{Value: s})
	}
	return []engine.Step{
		fakeStep{id: "odd", title: lang.T("A title\nover lines # and: more", "标题"), fields: []engine.Field{
			{Key: "text", Kind: engine.Text, Title: lang.T("Text: of any kind", "文本")},
			{Key: "yes", Kind: engine.Text},
			{Key: "010", Kind: engine.List},
			{Key: "map", Kind: engine.Map},
			{Key: "number", Kind: engine.Number},
			{Key: "confirm", Kind: engine.Confirm},
			{Key: "secret", Kind: engine.Secret},
			{Key: "a.b", Kind: engine.Choice, Options: options},
		}},
		fakeStep{id: "time"},
	}
}

func TestSaveLoadSaveChangesNothing(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		f := &File{Steps: random(r)}
		for range r.IntN(3) {
			m := Match{Hostname: []string{"", "web-*", "*"}[r.IntN(3)], Arch: []string{"", "arm64"}[r.IntN(2)], OS: "kylin"}
			f.Hosts = append(f.Hosts, Override{m, random(r)})
		}
		note := lang.T("made on "+pick(r), "生成于 "+pick(r))
		saved := f.Encode(oddSteps(), lang.ZH, note)
		loaded, err := Decode("f", saved, oddSteps())
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, saved)
		}
		if !reflect.DeepEqual(loaded, f) {
			t.Fatalf("seed %d: got\n%#v\nwant\n%#v\n%s", seed, loaded, f, saved)
		}
		if again := loaded.Encode(oddSteps(), lang.ZH, note); !bytes.Equal(again, saved) {
			t.Fatalf("seed %d: saved again\n%s\nwas\n%s", seed, again, saved)
		}
	}
}

func TestEveryAwkwardStringSurvivesEverywhere(t *testing.T) {
	for _, s := range awkward {
		a := engine.Answers{"odd": {"text": s, "010": []string{s, s}}}
		if !control(s) {
			a["odd"]["map"] = map[string]string{"k": s}
			if s != "" {
				a["odd"]["map"] = map[string]string{s: s}
			}
		}
		saved := Encode(a, oddSteps(), lang.EN)
		f, err := Decode("f", saved, oddSteps())
		if err != nil || !reflect.DeepEqual(f.Steps, a) {
			t.Errorf("%q: %v\n%s", s, err, saved)
		}
	}
}

func TestASavedFileReadsWell(t *testing.T) {
	f := &File{
		Steps: engine.Answers{
			"mirror": {"token": "prompt:", "url": "https://mirror.example.cn:8080/kylin"},
			"kernel": {"profile": "web", "limit": int64(1048576), "swap": true, "set": map[string]string{
				"vm.swappiness": "1", "net.ipv4.ip_local_port_range": "10240 60999", "kernel.odd": "010",
			}},
			"devtools": {"sets": []string{"c"}, "packages": []string{}},
			"time":     {},
		},
		Hosts: []Override{{Match{Hostname: "*-db", Arch: "arm64"}, engine.Answers{"kernel": {"profile": "database"}}}},
	}
	golden(t, "saved.en.yaml", f.Encode(fakeSteps(), lang.EN, lang.T("Written by goxin; run it again with: goxin apply -f FILE", "")))
	golden(t, "saved.zh.yaml", f.Encode(fakeSteps(), lang.ZH, lang.T("", "由 goxin 写出，再次执行：goxin apply -f FILE")))
}

func TestWhatNoStepKnowsIsWrittenAndPointedAt(t *testing.T) {
	saved := Encode(engine.Answers{"gone": {"key": "v"}, "time": {"old": true}}, fakeSteps(), lang.EN)
	_, err := Decode("f", saved, fakeSteps())
	p := problems(err)
	if p == nil || len(p.List) != 2 {
		t.Fatalf("%v\n%s", err, saved)
	}
}

func TestWhatAnotherReaderOrEyeMistakesIsQuotedOrEscaped(t *testing.T) {
	for _, s := range []string{"", "y", "N", "yes", "No", "on", "Off", "TRUE", "false", "Null", "~", "nan", ".inf", "1", "1.0", "010", "12:30", "2026-11-23", "a:", "a b", "-", "="} {
		if got := scalar(s); got != `"`+s+`"` {
			t.Errorf("%s", got)
		}
	}
	for s, want := range map[string]string{
		"web": "web", "env:A": "env:A", "/etc/x": "/etc/x", "https://a.cn:80/b%20c": "https://a.cn:80/b%20c",
		"a\u202eb": `"a\u202eb"`, "a\u200b": `"a\u200b"`, "a\nb": `"a\nb"`, "a\tb": `"a\tb"`, "\U000E0001": `"\U000e0001"`, `a"\`: `"a\"\\"`, "中文": `"中文"`,
	} {
		if got := scalar(s); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
