package main

import (
	"slices"
	"testing"
)

func TestOneLineSources(t *testing.T) {
	got := oneLineSources(`# deb http://comment/debian bookworm main
deb-src http://sources/debian bookworm main
debug http://no/debian bookworm main
deb http://plain/debian bookworm main # deb http://late/debian x
 	deb [ arch=amd64 signed-by=/a ] https://options/debian/ bookworm main
deb [broken http://broken/debian bookworm
deb http://short
`)
	if want := []string{"http://plain/debian", "https://options/debian/"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestDeb822Sources(t *testing.T) {
	got := deb822Sources(`# a comment
Types: deb-src
URIs: http://sources/debian

Types: deb deb-src
# between
URIs: http://one/debian
 http://two/debian
Suites: bookworm

Enabled: no
Types: deb
URIs: http://off/debian

types: deb
uris: http://last/debian`)
	if want := []string{"http://one/debian", "http://two/debian", "http://last/debian"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestOnlyTheMainArchiveIsAMirror(t *testing.T) {
	for uri, want := range map[string]bool{
		"http://deb.example.org/debian":                          true,
		"https://mirror.example.cn/debian/":                      true,
		"file:/srv/debian":                                       true,
		"http://snapshot.example.org/archive/debian/20250520T0/": true,
		"http://deb.example.org/debian-security":                 false,
		"https://packages.example.com/apt":                       false,
		"cdrom:[Debian]/debian":                                  false,
		"https://deb.example.com/node_20.x":                      false,
	} {
		if got := isDebian(uri); got != want {
			t.Errorf("isDebian(%q) = %v, want %v", uri, got, want)
		}
	}
}

func FuzzSources(f *testing.F) {
	f.Add("deb [a=b] http://x/debian y z\n")
	f.Add("Types: deb\nURIs: http://x\n http://y\n\nEnabled: no\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, uri := range append(oneLineSources(text), deb822Sources(text)...) {
			if uri == "" {
				t.Errorf("an empty URI from %q", text)
			}
			isDebian(uri)
		}
	})
}
