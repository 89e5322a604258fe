package answers

import (
	"slices"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

// lines are the problems of err, a line each with its hint.
func lines(err error) []string {
	p := problems(err)
	if p == nil {
		return nil
	}
	var out []string
	for _, q := range p.List {
		out = append(out, strings.TrimSuffix(q.In(lang.EN)+" | "+q.Hint.EN, " | "))
	}
	return out
}

func TestAnswersThatAreWrongOnlyTogetherAreFoundAtTheirField(t *testing.T) {
	const swap = "cannot use true for kernel.swap: a database does not swap | write false"
	for _, c := range []struct {
		name, src string
		want      []string
	}{
		{"right together", "steps:\n  kernel: {profile: web, swap: true}\n", nil},
		{"in one place", "steps:\n  kernel:\n    swap: true\n    profile: database\n", []string{"f:4:11: " + swap}},
		{"one name of a map", "steps:\n  kernel:\n    set:\n      a.b: 1\n      b.a: 2\n", []string{
			"f:6:12: cannot use 2 for kernel.set.b.a: it is a.b | write another value, or remove the key",
		}},
		{"an override of the field", "steps:\n  kernel: {profile: database}\nhosts:\n  - match: {arch: arm64}\n    steps:\n      kernel:\n        swap: true\n", []string{"f:8:15: " + swap}},
		{"an override that comes before", "hosts:\n  - match: {arch: arm64}\n    steps:\n      kernel:\n        swap: true\nsteps:\n  kernel: {profile: database}\n", []string{"f:6:15: " + swap}},
		{"an override of the other field", "steps:\n  kernel: {swap: true}\nhosts:\n  - match: {arch: arm64}\n    steps:\n      kernel: {profile: database}\n", []string{
			"f:7:7: cannot use kernel.swap: a database does not swap | write false",
		}},
		{"an override that mends it", "steps:\n  kernel: {swap: true, profile: database}\nhosts:\n  - match: {arch: arm64}\n    steps:\n      kernel: {profile: web}\n", []string{"f:3:18: " + swap}},
		{"an override that has nothing to do with it", "steps:\n  kernel: {swap: true, profile: database}\nhosts:\n  - match: {arch: arm64}\n    steps:\n      kernel: {limit: 2048}\n", []string{"f:3:18: " + swap}},
		{"not while a field is wrong alone", "steps:\n  kernel: {swap: true, profile: database, limit: 1}\n", []string{
			"f:3:50: cannot use 1 for kernel.limit: it is not from 1024 to 1048576 | write at least 1024",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode("f", []byte("version: 1\n"+c.src), fakeSteps())
			if got := lines(err); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestAssignmentsThatAreWrongOnlyTogetherAreBlamedOnTheField(t *testing.T) {
	for _, c := range []struct {
		name string
		have engine.Values
		set  []string
		want []string
	}{
		{"right", engine.Values{}, []string{"kernel.swap=true"}, nil},
		{"both set", engine.Values{}, []string{"kernel.swap=true", "kernel.profile=database"}, []string{"--set kernel.swap=…: cannot use kernel.swap: a database does not swap | write false"}},
		{"the other one set", engine.Values{"swap": true}, []string{"kernel.limit=2048", "kernel.profile=database"}, []string{"--set kernel.profile=…: cannot use kernel.swap: a database does not swap | write false"}},
		{"wrong before", engine.Values{"swap": true, "profile": "database"}, []string{"kernel.limit=2048"}, nil},
		{"one name of a map", engine.Values{"set": map[string]string{"a.b": "1"}}, []string{"kernel.set.b.a=2"}, []string{"--set kernel.set.b.a=…: cannot use kernel.set.b.a: it is a.b | write another value, or remove the key"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := engine.Answers{"kernel": c.have}
			before := clone(a)
			err := Set(a, fakeSteps(), c.set...)
			if got := lines(err); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if err != nil && !same(a, before) {
				t.Errorf("changed all the same: %v", a)
			}
		})
	}
}

func TestEveryProblemSaysWhatToDoNext(t *testing.T) {
	files := hostileFiles(t)
	for name, src := range map[string]string{
		"far out":          "{kernel: {limit: 99999999999999999999}, devtools: {any: -99999999999999999999}}",
		"no number":        "{kernel: {limit: [1]}, devtools: {any: \"x\"}}",
		"no such option":   "{kernel: {profile: zzzzzz}, devtools: {sets: [zzzzzz]}}",
		"refused by check": "{kernel: {set: {x: 1}}}",
		"keys":             "{kernel: {set: {\"\": 1, \"\\t\": 2, [a]: 3}}}",
	} {
		files[name] = []byte("version: 1\nsteps: " + src + "\n")
	}
	for name, data := range files {
		_, err := Decode(name, data, fakeSteps())
		p := problems(err)
		if p == nil {
			t.Errorf("%s was read: %v", name, err)
			continue
		}
		for _, q := range p.List {
			if q.Hint.EN == "" || q.Hint.ZH == "" {
				t.Errorf("%s: no hint: %s", name, q.In(lang.EN))
			}
		}
	}
}

func TestTheNearestNumberIsNamed(t *testing.T) {
	for src, want := range map[string]string{
		"{kernel: {limit: 1}}":                     "write at least 1024",
		"{kernel: {limit: 9999999}}":               "write at most 1048576",
		"{kernel: {limit: 99999999999999999999}}":  "write at most 1048576",
		"{kernel: {limit: -99999999999999999999}}": "write at least 1024",
		"{devtools: {any: 99999999999999999999}}":  "write at most 9223372036854775807",
		"{devtools: {any: many}}":                  "write a number in digits",
		"{kernel: {limit: many}}":                  "write a number from 1024 to 1048576 in digits",
		"{kernel: {profile: wep}}":                 "did you mean web?",
		"{kernel: {profile: virtualisation-host}}": "there is: base, web, database, on",
	} {
		_, err := Decode("f", []byte("version: 1\nsteps: "+src+"\n"), fakeSteps())
		if p := problems(err); p == nil || p.List[0].Hint.EN != want {
			t.Errorf("%s: %q, want hint %q", src, lines(err), want)
		}
	}
}

// Brackets in quotes are no nesting, so they do not say where it is.
func TestBracketsInQuotesAreNotTakenForNesting(t *testing.T) {
	c := &complaints{}
	parse([]byte("a: \""+strings.Repeat("[", 40)+"\"\nb: ["+strings.Repeat("x,", 30000)), c)
	if len(c.list) != 1 || !strings.Contains(c.list[0].Text.EN, "more than 10000 words") {
		t.Errorf("%v", c.list)
	}
}

// However long the file goes on, the place is where the limit is passed, which
// is where the small file has it.
func TestNestingTooDeepIsReportedWhereTheLimitIsPassed(t *testing.T) {
	for name, c := range map[string]struct {
		head, level string
		want        place
	}{
		"maps":             {"", "{a: ", place{2, 65}},
		"maps after a key": {"a: ", "{a: ", place{2, 64}},
		"lists":            {"", "[", place{2, 17}},
		"Chinese":          {"", "{键: ", place{2, 65}},
		"over lines":       {"", "[\n", place{18, 1}},
	} {
		for _, n := range []int{maxDepth + 1, 3000, 20000} {
			got := &complaints{}
			parse([]byte("# deep\n"+c.head+strings.Repeat(c.level, n)), got)
			if len(got.list) != 1 {
				t.Errorf("%s, %d levels: %v", name, n, got.list)
				continue
			}
			p := got.list[0]
			if !strings.Contains(p.Text.EN, "nested deeper than 16") || p.Line != c.want.line || p.Col != c.want.col {
				t.Errorf("%s, %d levels: %s, want %d:%d", name, n, p.In(lang.EN), c.want.line, c.want.col)
			}
		}
	}
}
