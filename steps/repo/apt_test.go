package repo

import (
	"strings"
	"testing"
)

// TestWhatAptReads: each case was given to apt 2.6 (apt-get update --print-uris),
// and this is what it took or refused.
func TestWhatAptReads(t *testing.T) {
	const rest = "Suites: s\nComponents: main\n"
	for name, x := range map[string]struct{ content, want string }{
		"list: a plain line":             {"deb http://a/x s main contrib\n", "deb on http://a/x suites=s components=main|contrib"},
		"list: tabs, leading blanks":     {"\t deb\thttp://a/x\ts\tmain\n", "deb on http://a/x suites=s components=main"},
		"list: source packages":          {"deb-src http://a/x s main\n", "deb-src on http://a/x suites=s components=main"},
		"list: comments":                 {"# deb http://a/x s main\n#\n\n  # x\n", ""},
		"list: a comment behind":         {"deb http://a/x s main# c\n", "deb on http://a/x suites=s components=main"},
		"list: a # in the URI":           {"deb http://a/x#y s main\n", "line 1"},
		"list: a # in the options":       {"deb [signed-by=/a#b] http://a/x s main\n", "deb on http://a/x suites=s components=main keys=/a#b"},
		"list: CRLF":                     {"deb http://a/x s main\r\n", "deb on http://a/x suites=s components=main"},
		"list: options":                  {"deb   [ arch=arm64,amd64  trusted=yes ]   http://a/x s main\n", "deb on http://a/x suites=s components=main archs=arm64|amd64 unsigned"},
		"list: options, signed":          {"deb [arch+=i386 signed-by=/k.gpg,/l.gpg] http://a/x s main\n", "deb on http://a/x suites=s components=main archs=+i386 keys=/k.gpg|/l.gpg"},
		"list: trusted=no":               {"deb [trusted=no allow-insecure=no] http://a/x s main\n", "deb on http://a/x suites=s components=main"},
		"list: insecure":                 {"deb [allow-insecure=yes] http://a/x s main\n", "deb on http://a/x suites=s components=main unsigned"},
		"list: options without a blank":  {"deb [arch=amd64]http://a/x s main\n", "line 1"},
		"list: a blank before the ]":     {"deb [arch=amd64 ]http://a/x s main\n", "deb on http://a/x suites=s components=main archs=amd64"},
		"list: an option without =":      {"deb [foo] http://a/x s main\n", "line 1"},
		"list: options without an end":   {"deb [foo=bar http://a/x s main\n", "line 1"},
		"list: a path, not a suite":      {"deb http://a/x ./\n", "deb on http://a/x suites=./"},
		"list: a path with a component":  {"deb http://a/x s/ main\n", "line 1"},
		"list: a suite without":          {"deb http://a/x s\n", "line 1"},
		"list: an unknown type":          {"rpm http://a/x s main\n", "line 1"},
		"list: a type in capitals":       {"DEB http://a/x s main\n", "line 1"},
		"list: no scheme":                {"deb /x s main\n", "line 1"},
		"list: a CD":                     {"deb cdrom:[Debian 12 x]/ s main\n", "deb on cdrom:[Debian 12 x]/ suites=s components=main"},
		"list: quotes":                   {"deb \"http://a/x y\" s main\n", "deb on http://a/x y suites=s components=main"},
		"list: IPv6":                     {"deb http://[::1]/x s main\n", "deb on http://[::1]/x suites=s components=main"},
		"list: a byte order mark":        {bom + "deb http://a/x s main\n", "line 1"},
		"list: GBK in a comment":         {"# \xd6\xd0\ndeb http://a/x s main #\xd6\xd0\n", "deb on http://a/x suites=s components=main"},
		"list: GBK outside one":          {"deb http://a/x s main\n\xd6\xd0\n", "line 2; deb on http://a/x suites=s components=main"},
		"list: a NUL ends the line":      {"deb http://a/x s main\x00 foo\n", "deb on http://a/x suites=s components=main"},
		"822: a stanza":                  {"Types: deb deb-src\nURIs: http://a/x http://b/x\nSuites: s t\nComponents: main\n", "deb+deb-src on http://a/x http://b/x suites=s|t components=main"},
		"822: comments, tabs":            {"# c\nTypes: deb\nURIs:\n http://a/x\n# http://n/x\n\thttp://b/x\n" + rest, "deb on http://a/x http://b/x suites=s components=main"},
		"822: case does not matter":      {"# c\n\n\n# d\ntypes: deb\nuris: http://a/x\nsuites: s\nCOMPONENTS: main\nenabled: no\n", "deb off http://a/x suites=s components=main"},
		"822: nonsense in Enabled":       {"Types: deb\nURIs: http://a/x\n" + rest + "Enabled: nope\n", "deb on http://a/x suites=s components=main"},
		"822: a field twice":             {"Types: deb\nURIs: http://a/x\n" + rest + "URIs: http://b/x\n", "deb on http://b/x suites=s components=main"},
		"822: blanks do not end one":     {"Types: deb\nURIs: http://a/x\n" + rest + "  \nTypes: deb\nURIs: http://b/x\n" + rest, "deb on http://b/x suites=s components=main"},
		"822: a comment does not":        {"Types: deb\nURIs: http://a/x\n" + rest + "#\nTypes: deb\nURIs: http://b/x\n" + rest, "deb on http://b/x suites=s components=main"},
		"822: CRLF ends one":             {"Types: deb\r\nURIs: http://a/x\r\nSuites: s/\r\n\r\nTypes: deb\r\nURIs: http://b/x\r\nSuites: s/\r\n", "deb on http://a/x suites=s/; deb on http://b/x suites=s/"},
		"822: commas do not split URIs":  {"Types: deb\nURIs: http://a/x,http://b/x\n" + rest, "deb on http://a/x,http://b/x suites=s components=main"},
		"822: an indented # is a value":  {"Types: deb\nURIs: http://a/x\n # foo\n" + rest, "line 1; deb on http://a/x # foo suites=s components=main"},
		"822: no final line end":         {"Types: deb\nURIs: http://a/x\nSuites: s\nComponents: main", "deb on http://a/x suites=s components=main"},
		"822: a blank before the colon":  {"Types : deb\nURIs: http://a/x\n" + rest, "deb on http://a/x suites=s components=main"},
		"822: what continues nothing":    {" x\nTypes: deb\nURIs: http://a/x\n" + rest, "deb on http://a/x suites=s components=main"},
		"822: fields without a value":    {"Types: deb\nURIs: http://a/x\nEnabled:\nTrusted:\nX-Repolib-Name: \nSigned-By:\n" + rest, "deb on http://a/x suites=s components=main"},
		"822: comments alone":            {"# hi\n#\n\n", ""},
		"822: architectures and trust":   {"Types: deb\nURIs: http://a/x\n" + rest + "Architectures: amd64 arm64\nTrusted: yes\n", "deb on http://a/x suites=s components=main archs=amd64|arm64 unsigned"},
		"822: keys":                      {"Types: deb\nURIs: http://a/x\n" + rest + "Signed-By: /k.gpg\n", "deb on http://a/x suites=s components=main keys=/k.gpg"},
		"822: no Types":                  {"Foo: bar\n", "line 1;  on"},
		"822: an unknown type, disabled": {"Enabled: no\nTypes: foo\n", "line 1; foo off"},
		"822: no suite, disabled":        {"Enabled: no\nTypes: deb\n", "deb off"},
		"822: no components":             {"Types: deb\nURIs: http://b/x\nSuites: t\n", "line 1; deb on http://b/x suites=t"},
		"822: no colon":                  {"Types: deb\nURIs: http://a/x\nfoo\n" + rest, "line 3; deb on http://a/x suites=s components=main"},
		"822: a byte order mark":         {bom + "Types: deb\nURIs: http://a/x\n" + rest, "line 1;  on http://a/x suites=s components=main"},
	} {
		file := "s.list"
		if strings.HasPrefix(name, "822") {
			file = "s.sources"
		}
		if got := told(parse(t, file, x.content)); got != x.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, x.want)
		}
	}
}

func TestAKeyInsideAStanzaIsAKeyAgain(t *testing.T) {
	f := parse(t, "s.sources", "Types: deb\nURIs: http://a/\nSuites: s/\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n =abcd\n -----END PGP PUBLIC KEY BLOCK-----\n")
	want := "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEY\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
	if k := f.Entries()[0].Keys; len(k) != 1 || k[0] != want {
		t.Errorf("%q", k)
	}
}

func TestEntriesAreCalledByWhatTheyAre(t *testing.T) {
	f := parse(t, "s.sources", "Types: deb\nURIs: http://a/\nSuites: s/\n\nTypes: deb\nEnabled: no\n")
	if a, b := f.Entries()[0], f.Entries()[1]; a.ID != "http://a/ s/" || b.ID != "2" || b.Line != 5 {
		t.Errorf("%q, %q in line %d", a.ID, b.ID, b.Line)
	}
	if e := parse(t, "s.list", "\ndeb http://a/ s main\n").Entries()[0]; e.ID != "http://a/ s" || e.Line != 2 {
		t.Errorf("%q in line %d", e.ID, e.Line)
	}
}
