package answers

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"goxin/assets/lang"
	"goxin/steps/engine"
)

const head = "version: 1\nsteps:\n"

func problems(err error) *Problems {
	var p *Problems
	if !errors.As(err, &p) {
		return nil
	}
	return p
}

// first is the first problem of err as a person sees it: place, text, hint.
func first(t *testing.T, err error) (string, string) {
	t.Helper()
	p := problems(err)
	if p == nil {
		t.Fatalf("no problems but %v", err)
	}
	return p.List[0].In(lang.EN), p.List[0].Hint.In(lang.EN)
}

func TestEveryMistakeHasItsPlaceAndItsHint(t *testing.T) {
	for _, c := range []struct{ name, src, want, hint string }{
		{"empty", "", "f: cannot find answers: the file is empty", "goxin answers new prints a file to start from"},
		{"only comments", "# nothing\n\n", "f: cannot find answers: the file is empty", ""},
		{"only an end", "...\n", "f: cannot find answers: the file is empty", ""},
		{"text", "hello\n", "f:1:1: cannot read answers: a map is expected at the top", ""},
		{"list", "- a\n", "f:1:1: cannot read answers: a map is expected at the top", ""},
		{"NUL", "version: 1\nst\x00ps: {}\n", "f:2:3: cannot read answers: the file is binary (it has a NUL byte)", ""},
		{"ELF", "\x7fELF\x02\x00", "f:1:6: cannot read answers: the file is binary", ""},
		{"control", "\x7fELF\x02\x01", "f:1:1: cannot read answers: control character U+007F", ""},
		{"not UTF-8", "version: 1\n# \xc4\xda\xba\xcb\n", "f:2:3: cannot read answers: byte 0xc4 is not UTF-8", "if the file is in GBK: iconv -f GBK -t UTF-8"},
		{"UTF-16LE", "\xff\xfev\x00e\x00", "f:1:1: cannot read answers: they are in UTF-16", "save them as UTF-8, or: iconv -f UTF-16 -t UTF-8"},
		{"UTF-16BE", "\xfe\xff\x00v", "f:1:1: cannot read answers: they are in UTF-16", ""},
		{"escape", "version: 1 # \x1b[31m\n", "f:1:14: cannot read answers: control character U+001B", "remove it"},
		{"tab", head + "\tmirror: {}\n", "f:3:1: cannot read the indentation: it has a tab", "indent with spaces: YAML does not allow tabs"},
		{"tab after blanks", head + "  mirror:\n  \turl: x\n", "f:4:3: cannot read the indentation: it has a tab", ""},
		{"anchor", head + "  mirror: &a {}\n", "f:3:11: cannot use an anchor (&): answers have none", ""},
		{"alias", head + "  mirror: {url: *x}\n", "f:3:17: cannot use an alias (*): answers have none", `a value that begins with * goes in quotes: "*-db"`},
		{"merge", head + "  mirror:\n    <<: {}\n", "f:4:5: cannot use <<: answers have no aliases to merge", ""},
		{"tag", head + "  mirror: {url: !!str 1}\n", "f:3:17: cannot use a tag (!): answers have none", ""},
		{"directive", "%YAML 1.1\n---\nversion: 1\nsteps: {}\n", "f:1:1: cannot use a % directive: answers are plain YAML", ""},
		{"two documents", "version: 1\nsteps: {}\n---\nversion: 1\n", "f:3:1: cannot read a second document", ""},
		{"key with ?", "? version\n: 1\n", "f:1:1: cannot use ? before a key", ""},
		{"open quote", head + "  mirror: {url: \"x}\n", "f:3:17: cannot read YAML: a quote is opened here and never closed", "close it"},
		{"open bracket", head + "  mirror: {url: x\n", "f:3:11: cannot read YAML: brackets do not match", ""},
		{"colon in a value", head + "  mirror:\n    url: a: b\n", "f:4:10: cannot read YAML: this cannot stand here", ""},
		{"bare prompt", head + "  mirror:\n    token: prompt:\n", "f:4:12: cannot read YAML: the colon at the end starts a map", `put it in quotes: "prompt:"`},
		{"reserved", head + "  mirror: {url: @x}\n", "f:3:", "put the value in quotes"},
		{"indentation", head + "  kernel:\n    swap: true\n   limit: 2048\n", "f:5:4: cannot read YAML: this cannot stand here", ""},

		{"no version", "steps: {}\n", "f:1:1: cannot tell the version of these answers: version is missing", "write version: 1 on the first line"},
		{"newer", "version: 2\nsteps: {}\nfuture: 1\n", "f:1:10: cannot read version 2 of answers: this goxin reads version 1", "use the goxin that wrote them, or a newer one"},
		{"never", "version: 0\nsteps: {}\n", "f:1:10: cannot read version 0 of answers: there never was one", "write version: 1"},
		{"negative", "version: -1\nsteps: {}\n", "f:1:10: cannot read version -1", ""},
		{"version in quotes", "version: \"1\"\nsteps: {}\n", "f:1:10: cannot tell the version of these answers: a whole number is expected, not text in quotes", ""},
		{"version as a fraction", "version: 1.0\nsteps: {}\n", "f:1:10: cannot tell the version of these answers: a whole number is expected, not a number", ""},
		{"version empty", "version:\nsteps: {}\n", "f:1:1: cannot tell the version of these answers: a whole number is expected, not nothing", ""},

		{"no version and more", "steps: {x: {}}\n", "f:1:1: cannot tell the version", ""},
		{"no steps", "version: 1\n", "f:1:1: cannot find steps: the file answers nothing", ""},
		{"unknown at the top", "version: 1\nstesp: {}\n", "f:2:1: cannot use stesp: there is no such key", "did you mean steps?"},
		{"step at the top", "version: 1\nsteps: {}\nkernel: {}\n", "f:3:1: cannot use kernel: there is no such key", "kernel is a step: indent it under steps:"},
		{"unknown step", head + "  kernal: {}\n", "f:3:3: cannot use kernal: there is no such step", "did you mean kernel?"},
		{"far off", head + "  zzzzzz: {}\n", "f:3:3: cannot use zzzzzz: there is no such step", "there is: mirror, kernel, devtools, time"},
		{"field as a step", head + "  kernel:\n  profile: web\n", "f:4:3: cannot use profile: there is no such step", "profile is a key of kernel: indent it under that"},
		{"unknown field", head + "  kernel: {Profil: web}\n", "f:3:12: cannot use kernel.Profil: there is no such key", "did you mean profile?"},
		{"field of no step", head + "  time: {zone: x}\n", "f:3:10: cannot use time.zone: there is no such key", "remove it"},
		{"steps as a list", "version: 1\nsteps: [kernel]\n", "f:2:8: cannot read steps: a map of steps is expected, not a list", ""},
		{"step as text", head + "  mirror: yes\n", "f:3:11: cannot read mirror: a map of its answers is expected, not text", "write {} for its defaults"},
		{"step twice", head + "  mirror: {}\n  mirror: {}\n", "f:4:3: cannot use mirror twice: it is on line 3 already", "remove one of them"},
		{"field twice", head + "  kernel: {swap: true, swap: false}\n", "f:3:24: cannot use swap twice: it is on line 3 already", ""},
		{"twice, once in quotes", head + "  kernel:\n    swap: true\n    \"swap\": true\n", "f:5:5: cannot use swap twice: it is on line 4 already", ""},

		{"option", head + "  kernel: {profile: wbe}\n", "f:3:21: cannot use wbe for kernel.profile: there is no such option", "did you mean web?"},
		{"option as a list", head + "  kernel: {profile: [web]}\n", "f:3:21: cannot read kernel.profile: text is expected, not a list", ""},
		{"field without a value", head + "  kernel:\n    profile:\n", "f:4:5: cannot read kernel.profile: it has no value", ""},
		{"null", head + "  mirror: {url: null}\n", "f:3:12: cannot read mirror.url: it has no value", ""},
		{"check", head + "  mirror: {url: \"a b\"}\n", "f:3:17: cannot use \"a b\" for mirror.url: an address has no blanks", "remove them"},
		{"control by escape", head + "  mirror: {url: \"\\e[31m\"}\n", "f:3:17: cannot read mirror.url: it has a control character", ""},
		{"out of range", head + "  kernel: {limit: 10}\n", "f:3:19: cannot use 10 for kernel.limit: it is not from 1024 to 1048576", ""},
		{"not whole", head + "  kernel: {limit: 2048.5}\n", "f:3:19: cannot read kernel.limit: 2048.5 is not a whole number", ""},
		{"exponent", head + "  kernel: {limit: 1e4}\n", "f:3:19: cannot read kernel.limit: 1e4 is not a whole number", ""},
		{"octal", head + "  devtools: {any: 010}\n", "f:3:19: cannot read devtools.any: 010 is one number to some readers of YAML and another to others", "write 10 or 8"},
		{"hexadecimal", head + "  devtools: {any: 0x10}\n", "f:3:19: cannot read devtools.any: 0x10 is not in plain decimal digits", "write 16"},
		{"underscore", head + "  devtools: {any: 1_000}\n", "f:3:19: cannot read devtools.any: 1_000 is not in plain decimal digits", "write 1000"},
		{"too large", head + "  devtools: {any: 99999999999999999999}\n", "f:3:19: cannot use 99999999999999999999 for devtools.any: it does not fit in 64 bits", ""},
		{"number in quotes", head + "  devtools: {any: \"8\"}\n", "f:3:19: cannot read devtools.any: a whole number is expected, not text in quotes", "remove the quotes"},
		{"yes", head + "  kernel: {swap: yes}\n", "f:3:18: cannot read kernel.swap: true or false is expected, not text", "write true, without quotes"},
		{"off", head + "  kernel: {swap: 'off'}\n", "f:3:18: cannot read kernel.swap: true or false is expected, not text in quotes", "write false, without quotes"},
		{"scalar for a list", head + "  devtools: {packages: gcc}\n", "f:3:24: cannot read devtools.packages: a list is expected, not text", "write [gcc]"},
		{"map in a list", head + "  devtools: {packages: [{a: b}]}\n", "f:3:25: cannot read devtools.packages: text is expected, not a map", ""},
		{"unknown in many", head + "  devtools: {sets: [c, gti]}\n", "f:3:24: cannot use gti for devtools.sets: there is no such option", "did you mean git?"},
		{"twice in many", head + "  devtools: {sets: [c, c]}\n", "f:3:24: cannot use c twice in devtools.sets", ""},
		{"list for a map", head + "  kernel: {set: [vm.swappiness=1]}\n", "f:3:17: cannot read kernel.set: a map is expected, not a list", ""},
		{"lines in a map", head + "  kernel:\n    set:\n      a.b: |\n        1\n      c.d: 2\n", "f:5:12: cannot read kernel.set.a.b: its value goes over several lines", "write it on one line"},
		{"folded in a map", head + "  kernel:\n    set:\n      a.b: 1\n        2\n", "f:5:12: cannot read kernel.set.a.b: its value goes over several lines", ""},
		{"map check", head + "  kernel: {set: {nodot: 1}}\n", "f:3:25: cannot use nodot=1 for kernel.set: a parameter has a dot in its name", ""},
		{"map twice", head + "  kernel: {set: {a.b: 1, a.b: 2}}\n", "f:3:26: cannot use a.b twice: it is on line 3 already", ""},

		{"hosts as a map", "version: 1\nhosts: {}\n", "f:2:8: cannot read hosts: a list is expected, not a map", ""},
		{"host without match", "version: 1\nhosts:\n- steps: {}\n", "f:3:3: cannot tell which hosts are meant: match is missing", ""},
		{"empty match", "version: 1\nhosts:\n- match: {}\n", "f:3:3: cannot tell which hosts are meant: match names no condition", `such as {hostname: "web-*", arch: aarch64, os: kylin}`},
		{"match key", "version: 1\nhosts:\n- match: {host: a}\n", "f:3:11: cannot use match.host: there is no such key", "there is: hostname, arch, os"},
		{"pattern", "version: 1\nhosts:\n- match: {hostname: \"web-[\"}\n", "f:3:21: cannot read the pattern web-[", ""},
		{"arch", "version: 1\nhosts:\n- match: {arch: aarch46}\n", "f:3:17: cannot match arch aarch46: there is no such architecture", "did you mean aarch64?"},
		{"star unquoted", "version: 1\nhosts:\n- match: {hostname: *-db}\n", "f:3:21: cannot use an alias (*): answers have none", ""},
		{"step in a host", "version: 1\nhosts:\n- match: {os: kylin}\n  steps: {kernle: {}}\n", "f:4:11: cannot use kernle: there is no such step", "did you mean kernel?"},
		{"empty host", "version: 1\nhosts:\n-\n", "f:3:", "remove it"},

		{"columns count characters", head + "  mirror: {\"url\": 中文, 网址: x}\n", "f:3:23: cannot use mirror.网址: there is no such key", ""},
		{"lines after a quote over lines", head + "  mirror: {url: \"a\n    b\"}\n  x: 1\n", "f:3:17: ", ""},
		{"lines after CRLF", "version: 1\r\nsteps:\r\n  mirror: {}\r\n  krenel: {}\r\n", "f:4:3: cannot use krenel: there is no such step", "did you mean kernel?"},
		{"after a byte order mark", "\xef\xbb\xbfversoin: 1\n", "f:1:1: cannot tell the version", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode("f", []byte(c.src), fakeSteps())
			if err == nil {
				t.Fatal("decoded")
			}
			got, hint := first(t, err)
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if c.hint != "" && hint != c.hint {
				t.Errorf("got hint  %s\nwant hint %s", hint, c.hint)
			}
		})
	}
}

func TestValuesComeInTheirTypesAndAsWritten(t *testing.T) {
	f, err := Decode("f", []byte(`version: 1
steps:
  time:
  mirror: {url: 1_0, token: "prompt:"}
  kernel:
    profile: on
    set:
      vm.swappiness: 010
      a.hex: 0x10
      a.exp: 1e3
      a.yes: yes
      a.true: True
      a.float: 1.0
      a.big: 123456789012345678901234567890
      a.range: 10240 60999 # not this
      a.quoted: '007'
      a.tilde: "~"
      "a.colon:": a:b
      a.time: 12:30
      a.inf: .inf
    limit: 65536
    swap: false
  devtools: {sets: [], packages: [gcc, 1.0, "null"], any: -5}
`), fakeSteps())
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Answers{
		"time":   {},
		"mirror": {"url": "1_0", "token": "prompt:"},
		"kernel": {"profile": "on", "limit": int64(65536), "swap": false, "set": map[string]string{
			"vm.swappiness": "010", "a.hex": "0x10", "a.exp": "1e3", "a.yes": "yes", "a.true": "True", "a.float": "1.0",
			"a.big": "123456789012345678901234567890", "a.range": "10240 60999", "a.quoted": "007", "a.tilde": "~",
			"a.colon:": "a:b", "a.time": "12:30", "a.inf": ".inf",
		}},
		"devtools": {"sets": []string{}, "packages": []string{"gcc", "1.0", "null"}, "any": int64(-5)},
	}
	if !reflect.DeepEqual(f.Steps, want) {
		t.Errorf("got  %#v\nwant %#v", f.Steps, want)
	}
}

func TestAllProblemsComeAtOnceInOrder(t *testing.T) {
	_, err := Decode("f", []byte("version: 1\nhosts:\n- match: {arch: x}\nsteps:\n  kernel: {swap: 1, limit: 1, profile: x}\n  b: 1\n"), fakeSteps())
	var p *Problems
	if !errors.As(err, &p) {
		t.Fatal(err)
	}
	var got []string
	for _, q := range p.List {
		got = append(got, q.Where())
	}
	if want := "f:3:17 f:5:18 f:5:28 f:5:40 f:6:3"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestProblemsReadAsAnyOtherErrorInBothLanguages(t *testing.T) {
	_, err := Decode("f", []byte("version: 2\n"), fakeSteps())
	if got, want := lang.Message(err, lang.ZH), "f:1:10: 无法读取版本 2 的应答文件：本 goxin 只支持版本 1"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := lang.Hint(err, lang.EN), "use the goxin that wrote them, or a newer one"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, err = Decode("f", []byte("version: 1\na: 1\nhost: 1\n"), fakeSteps())
	if got := lang.Message(err, lang.ZH); !strings.Contains(got, "f:2:1: ") || !strings.Contains(got, "\n  提示：是否想写 hosts？") {
		t.Errorf("got %s", got)
	}
}

func TestASecretWrittenOutIsNeverShown(t *testing.T) {
	const secret = "hunter2"
	for _, value := range []string{secret, `"` + secret + `"`, "env:" + secret + "!", "file:" + secret, "[" + secret + "]", "{a: " + secret + "}", "|\n      " + secret, "prompt:" + secret} {
		_, err := Decode("f", []byte(head+"  mirror:\n    token: "+value+"\n"), fakeSteps())
		if err == nil {
			t.Errorf("%s decoded", value)
			continue
		}
		if got := lang.Message(err, lang.EN) + lang.Message(err, lang.ZH) + lang.Hint(err, lang.EN); strings.Contains(got, secret) {
			t.Errorf("%s shows in: %s", value, got)
		}
		if _, hint := first(t, err); !strings.Contains(hint, "env:") && !strings.Contains(hint, "file:") {
			t.Errorf("%s: the hint does not show how: %s", value, hint)
		}
	}
	a := engine.Answers{}
	if err := Set(a, fakeSteps(), "mirror.token="+secret); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("--set: %v", err)
	}
}

func TestSecretReferences(t *testing.T) {
	for ref, want := range map[string]Secret{
		"env:DB_PASSWORD":        {FromEnv, "DB_PASSWORD"},
		"file:/root/db.password": {FromFile, "/root/db.password"},
		"prompt:":                {FromPrompt, ""},
	} {
		got, err := ParseSecret(ref)
		if err != nil || got != want || got.String() != ref {
			t.Errorf("%s: %v, %v", ref, got, err)
		}
	}
	for _, ref := range []string{"", "env", "env:", "env:1A", "env:A-B", "file", "file:", "file:a", "file:/a/../b", "file:/a\nb", "file:/", "prompt", "prompt:x", "ENV:A", "vault:x"} {
		if got, err := ParseSecret(ref); err == nil {
			t.Errorf("%q is %v", ref, got)
		}
	}
}
