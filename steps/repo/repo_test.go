package repo

import (
	"strings"
	"testing"

	"goxin/assets/lang"
)

const (
	a = "https://mirrors.example.cn/a/$basearch/"
	b = "http://other.example.cn/b/"
)

func parse(t *testing.T, name, content string) *File {
	t.Helper()
	f, err := Parse(name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.Bytes()); got != content {
		t.Fatalf("parsed and printed\n%q\nwas\n%q", got, content)
	}
	return f
}

// TestSetURLsChangesNothingElse has each case's file before and after, and sets
// the same URLs once more.
func TestSetURLsChangesNothingElse(t *testing.T) {
	for name, x := range map[string]struct {
		file, was, want string
		entry           int
		urls            []string
	}{
		"spacing, a trailing blank and comments": {
			"k.repo", "###Kylin - os###\n\n[os]\nname = Kylin 10 - Os \nbaseurl = http://x/$basearch/ \ngpgcheck = 1\n\n[up]\nbaseurl=http://y/\n",
			"###Kylin - os###\n\n[os]\nname = Kylin 10 - Os \nbaseurl = " + a + "\ngpgcheck = 1\n\n[up]\nbaseurl=http://y/\n", 0,
			[]string{a},
		},
		"the second of two": {
			"k.repo", "[a]\nbaseurl=http://x/\n[b]\nbaseurl=http://y/\n", "[a]\nbaseurl=http://x/\n[b]\nbaseurl=" + a + "\n", 1, []string{a},
		},
		"several, indented like those there are": {
			"k.repo", "[a]\nbaseurl=http://x/\n\thttp://y/\n\thttp://z/\nenabled=1\n", "[a]\nbaseurl=" + a + "\n\t" + b + "\nenabled=1\n", 0, []string{a, b},
		},
		"a value that begins on the next line": {
			"k.repo", "[a]\nbaseurl =\n    http://x/\n    http://y/\n", "[a]\nbaseurl =\n    " + a + "\n", 0, []string{a},
		},
		"a comment and an empty line inside a value": {
			"k.repo", "[a]\nbaseurl=http://x/\n# the old one:\n\n  http://y/\nenabled=1\n", "[a]\nbaseurl=" + a + "\n  " + b + "\n# the old one:\n\nenabled=1\n", 0, []string{a, b},
		},
		"a mirrorlist gives way": {
			"k.repo", "[a]\nname=A\nmirrorlist=http://m/\n# a comment of A\n\n# of B\n[b]\n", "[a]\nname=A\n# goxin: mirrorlist=http://m/\nbaseurl=" + a + "\n# a comment of A\n\n# of B\n[b]\n", 0, []string{a},
		},
		"a metalink beside a baseurl, as openEuler has it": {
			"k.repo", "[OS]\nbaseurl=http://x/\nmetalink=https://m?a\nenabled=1\n", "[OS]\nbaseurl=" + a + "\n# goxin: metalink=https://m?a\nenabled=1\n", 0, []string{a},
		},
		"the same baseurl, and still a metalink": {
			"k.repo", "[OS]\nbaseurl=http://x/\nmetalink=https://m?a\n", "[OS]\nbaseurl=http://x/\n# goxin: metalink=https://m?a\n", 0, []string{"http://x/"},
		},
		"a commented baseurl stays a comment": {
			"k.repo", "[a]\nname = A\n#baseurl=http://x/\nmetalink = http://m/\nenabled = 1\n", "[a]\nname = A\n#baseurl=http://x/\n# goxin: metalink = http://m/\nenabled = 1\nbaseurl = " + a + "\n", 0, []string{a},
		},
		"CRLF": {
			"k.repo", "[a]\r\nname=A\r\nmirrorlist=http://m/\r\n\r\n[b]\r\n", "[a]\r\nname=A\r\n# goxin: mirrorlist=http://m/\r\nbaseurl=" + a + "\r\n        " + b + "\r\n\r\n[b]\r\n", 0, []string{a, b},
		},
		"no final line end": {
			"k.repo", "[a]\nname=A", "[a]\nname=A\nbaseurl=" + a, 0, []string{a},
		},
		"no final line end, in the line that changes": {
			"k.repo", "[a]\r\nbaseurl=x", "[a]\r\nbaseurl=" + a + "\r\n        " + b, 0, []string{a, b},
		},
		"an unfinished last line that goes leaves the empty one before it": {
			"k.repo", "[a]\nbaseurl=\n\n x", "[a]\nbaseurl=\n " + a + "\n\n", 0, []string{a},
		},
		"a line that only a stray carriage return indents": {
			"k.repo", "[a]\nbaseurl=\n\rhttp://x/\n", "[a]\nbaseurl=\n        " + a + "\n", 0, []string{a},
		},
		"a byte order mark and GBK": {
			"k.repo", bom + "[a]\nname=\xd6\xd0\xb1\xea\nbaseurl=http://x/\n", bom + "[a]\nname=\xd6\xd0\xb1\xea\nbaseurl=" + a + "\n", 0, []string{a},
		},
		"a section that comes twice: the later value counts": {
			"k.repo", "[a]\nbaseurl=http://x/\nmirrorlist=http://m/\n[b]\n[a]\nbaseurl=http://y/\nenabled=0\n",
			"[a]\nbaseurl=http://x/\n# goxin: mirrorlist=http://m/\n[b]\n[a]\nbaseurl=" + a + "\nenabled=0\n", 0,
			[]string{a},
		},
		"one that only has a head": {"k.repo", "[a]\n\n\n", "[a]\nbaseurl=" + a + "\n\n\n", 0, []string{a}},
		"a list": {
			"s.list", "# deb http://x/ s main\ndeb  [ arch=arm64,amd64 signed-by=/k ]\thttp://x/ s  main contrib # why\ndeb-src http://x/ s main\n",
			"# deb http://x/ s main\ndeb  [ arch=arm64,amd64 signed-by=/k ]\t" + b + " s  main contrib # why\ndeb-src http://x/ s main\n", 0,
			[]string{b},
		},
		"a list's CD":                {"s.list", "deb cdrom:[UOS 20 - x]/ fou main\r\n", "deb " + b + " fou main\r\n", 0, []string{b}},
		"a list without a final end": {"s.list", "\ndeb http://x s main", "\ndeb " + b + " s main", 0, []string{b}},
		"deb822 on one line": {
			"d.sources", "# c\nTypes: deb\nURIs: http://x/ http://y/\nSuites: s\nComponents: main\n\nTypes: deb\nURIs: http://z/\nSuites: t/\n",
			"# c\nTypes: deb\nURIs: " + a + " " + b + "\nSuites: s\nComponents: main\n\nTypes: deb\nURIs: http://z/\nSuites: t/\n", 0,
			[]string{a, b},
		},
		"deb822 on several, with a comment among them": {
			"d.sources", "Types: deb\nURIs:\n  http://x/\n# http://y/\n\thttp://z/\nSuites: s/\n", "Types: deb\nURIs:\n  " + b + "\n# http://y/\nSuites: s/\n", 0, []string{b},
		},
		"deb822, small letters, CRLF": {
			"d.sources", "types: deb\r\nuris : http://x/\r\nsuites: s/\r\n", "types: deb\r\nuris : " + b + "\r\nsuites: s/\r\n", 0, []string{b},
		},
	} {
		f := parse(t, x.file, x.was)
		entries := f.Entries()
		for range 2 {
			if err := entries[x.entry].SetURLs(x.urls...); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := string(f.Bytes()); got != x.want {
				t.Errorf("%s:\n got %q\nwant %q", name, got, x.want)
			}
		}
		e := entries[x.entry]
		if strings.Join(e.URLs, " ") != strings.Join(x.urls, " ") || e.Mirrorlist+e.Metalink != "" {
			t.Errorf("%s: the entry handed out before says %q, %q, %q", name, e.URLs, e.Mirrorlist, e.Metalink)
		}
	}
}

func TestURLsThatWouldBeReadAsSomethingElseAreRefused(t *testing.T) {
	for _, x := range []struct{ file, content string }{
		{"k.repo", "[a]\nbaseurl=http://x/\n"}, {"s.list", "deb http://x/ s main\n"}, {"d.sources", "Types: deb\nURIs: http://x/\nSuites: s/\n"},
	} {
		for _, u := range []string{"", "x", "/srv/repo", "http:", "http://a b/", "http://a/\ngpgcheck=0", "http://a/,http://b/", "http://a/#x", "[trusted=yes]http://a/", "http://a/[", "1http://x/", "http://a/\x00", "http://a/\"x\""} {
			f := parse(t, x.file, x.content)
			if err := f.Entries()[0].SetURLs(u); err == nil || lang.Hint(err, lang.ZH) == "" || string(f.Bytes()) != x.content {
				t.Errorf("%s: %q: %v, %q", x.file, u, err, f.Bytes())
			}
		}
		f := parse(t, x.file, x.content)
		if err := f.Entries()[0].SetURLs(); err == nil {
			t.Errorf("%s: no URLs at all", x.file)
		}
	}
	f := parse(t, "s.list", "deb http://x/ s main\n")
	if err := f.Entries()[0].SetURLs(a, b); err == nil {
		t.Error("two URLs on one line of apt")
	}
}

// TestWhatDnfReads is libdnf's iniparser.cpp, case by case.
func TestWhatDnfReads(t *testing.T) {
	for name, x := range map[string]struct{ content, want string }{
		"defaults":                           {"[a]\nbaseurl=http://x/\n", "a on http://x/"},
		"blanks round =":                     {"[a]\nbaseurl\t=  http://x/ \r\nenabled = 0 \n", "a off http://x/"},
		"commas and lines":                   {"[a]\nbaseurl=http://x/, http://y/\n http://z/\n", "a on http://x/ http://y/ http://z/"},
		"words for numbers":                  {"[a]\nenabled=No\ngpgcheck=TRUE\nrepo_gpgcheck=off\n", "a off gpgcheck=1 repo_gpgcheck=0"},
		"nonsense is the default":            {"[a]\nenabled=perhaps\ngpgcheck=\n", "a on"},
		"signatures off":                     {"[a]\ngpgcheck = 0\n", "a on gpgcheck=0 unsigned"},
		"keys":                               {"[a]\ngpgkey=file:///k1,file:///k2\n  https://k3\n", "a on keys=file:///k1|file:///k2|https://k3"},
		"a comment is in the first column":   {"[a]\nbaseurl=http://x/\n#y\n;z\n  http://y/\n", "a on http://x/ http://y/"},
		"a comment behind is a mistake":      {"[a]\nbaseurl=http://x/ # the mirror\n", "a on http://x/"},
		"an indented head ends a value":      {"[a]\nbaseurl=http://x/\n [b]\n", "a on http://x/; b on"},
		"text in a comment after the head":   {"[a] # x\n[b];y\n", "a on; b on"},
		"keys are not folded":                {"[a]\nBaseURL=http://x/\n", "a on"},
		"the later of two counts":            {"[a]\nbaseurl=http://x/\nbaseurl=http://y/\n", "a on http://y/"},
		"sections of one name are one":       {"[a]\nbaseurl=http://x/\n[b]\n[a]\nenabled=0\n", "a off http://x/; b on"},
		"main is no repository":              {"[main]\ngpgcheck=1\n[a]\n", "a on"},
		"a name dnf does not take":           {"[银河]\nbaseurl=http://x/\n", "银河 off http://x/"},
		"a variable in the name":             {"[x-$releasever]\n", "x-$releasever on"},
		"mirrorlist and metalink":            {"[a]\nmirrorlist=http://m/\nmetalink=http://l/\n", "a on mirrorlist=http://m/ metalink=http://l/"},
		"nothing":                            {"", ""},
		"comments alone":                     {"# a\n\n;b\n", ""},
		"before the first section: refused":  {"x=1\n[a]\n", "line 1; a on"},
		"no bracket: refused":                {"[a\n", "line 1"},
		"an empty name: refused":             {"[]\n", "line 1"},
		"text after the head: refused":       {"[a] text\n", "line 1"},
		"nothing to continue: refused":       {"[a]\n  x\n", "line 2; a on"},
		"no key: refused":                    {"[a]\n=x\n", "line 2; a on"},
		"no =: refused":                      {"[a]\nbaseurl\n", "line 2; a on"},
		"a line of blanks continues nothing": {"[a]\n \t\r\n", "a on"},
		"an unfinished last line":            {"[a]\nbaseurl=http://x/", "a on http://x/"},
		"a byte order mark":                  {bom + "[a]\nbaseurl=http://x/\n", "a on http://x/"},
	} {
		if got := told(parse(t, "k.repo", x.content)); got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}

// told is a file in a line.
func told(f *File) string {
	var all []string
	if f.Refused != nil {
		all = append(all, lang.F("line %d", "", f.Refused.Line).EN)
	}
	for _, e := range f.Entries() {
		all = append(all, line(e))
	}
	return strings.Join(all, "; ")
}

func line(e *Entry) string {
	w := []string{e.ID, "on"}
	if e.Format != RPM {
		w = []string{strings.Join(e.Types, "+"), "on"}
	}
	if !e.Enabled {
		w[1] = "off"
	}
	w = append(w, e.URLs...)
	add := func(name string, values ...string) {
		if s := strings.Join(values, "|"); s != "" {
			w = append(w, name+"="+s)
		}
	}
	add("mirrorlist", e.Mirrorlist)
	add("metalink", e.Metalink)
	add("suites", e.Suites...)
	add("components", e.Components...)
	add("archs", e.Archs...)
	add("gpgcheck", e.GPGCheck)
	add("repo_gpgcheck", e.RepoGPGCheck)
	add("keys", e.Keys...)
	add("shadowed", e.Shadowed)
	if e.Unsigned {
		w = append(w, "unsigned")
	}
	return strings.Join(w, " ")
}

func TestANameThatIsNoSourceIsRefused(t *testing.T) {
	for _, name := range []string{"", "x", "sources.list.save", "a.repo.rpmnew"} {
		if _, err := Parse(name, nil); err == nil || lang.Hint(err, lang.EN) == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAFileThatIsNotTakenIsNotEdited(t *testing.T) {
	f := parse(t, "k.repo", "[a]\n  junk\n")
	if err := f.Entries()[0].SetURLs(a); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
}

func TestExpandKeepsWhatItDoesNotKnow(t *testing.T) {
	v := Vars{"basearch": "aarch64", "releasever": "10", "ARCH": "arm64", "empty": ""}
	for in, want := range map[string]string{
		"":                          "",
		"http://x/$basearch/":       "http://x/aarch64/",
		"$releasever$basearch":      "10aarch64",
		"${releasever}x":            "10x",
		"$releaseverx/$basearch":    "$releaseverx/aarch64",
		"http://x/$(ARCH)/":         "http://x/arm64/",
		"$auth_u ${auth_p} $(X)":    "$auth_u ${auth_p} $(X)",
		"$ $$ ${ ${} $() ${a-b} $(": "$ $$ ${ ${} $() ${a-b} $(",
		"a${empty}b$":               "ab$",
		"${basearch $basearch":      "${basearch aarch64",
	} {
		if got := v.Expand(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
