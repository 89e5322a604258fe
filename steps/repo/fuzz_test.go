package repo

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func FuzzRepo(f *testing.F)    { fuzz(f, ".repo") }
func FuzzList(f *testing.F)    { fuzz(f, ".list") }
func FuzzSources(f *testing.F) { fuzz(f, ".sources") }

// fuzz holds for any bytes: they are printed as they were; an edit of one entry
// changes its own lines alone, says what it was told to, and does nothing the
// second time; and no other entry says anything else for it.
func fuzz(f *testing.F, suffix string) {
	files, err := filepath.Glob("../../testdata/hostile/sources/*" + suffix)
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := Parse("x"+suffix, data)
		if err != nil || string(file.Bytes()) != string(data) {
			t.Fatalf("%v, %q", err, file.Bytes())
		}
		for i := range file.Entries() {
			for _, urls := range [][]string{{a}, {a, b}, file.Entries()[i].URLs} {
				edit(t, suffix, data, i, urls)
			}
		}
	})
}

func edit(t *testing.T, suffix string, data []byte, i int, urls []string) {
	file, _ := Parse("x"+suffix, data)
	e := file.Entries()[i]
	before := lines(file)
	own := append(slices.Clone(e.urls.lines), e.off...)
	if e.Format == OneLine {
		own = []int{e.Line - 1}
	}
	var kept, gone []string
	for n, l := range file.lines {
		if !slices.Contains(own, n) {
			kept = append(kept, bare(l))
		} else {
			gone = append(gone, bare(l))
		}
	}
	was, off := e.URLs, len(e.off)
	err := e.SetURLs(urls...)
	if file.Refused != nil || err != nil {
		if string(file.Bytes()) != string(data) || err == nil {
			t.Fatalf("refused (%v), and changed to %q", err, file.Bytes())
		}
		if file.Refused == nil && (e.Format != OneLine || len(urls) == 1) && len(urls) > 0 {
			t.Fatalf("%q refused for %q: %v", urls, data, err)
		}
		return
	}
	got := string(file.Bytes())
	if slices.Equal(urls, was) && off == 0 && got != string(data) {
		t.Fatalf("its own URLs %q changed %q to %q", urls, data, got)
	}
	if !slices.Equal(e.URLs, urls) || e.Mirrorlist+e.Metalink != "" {
		t.Fatalf("%q says %q", got, e.URLs)
	}
	if strings.HasSuffix(string(data), "\n") && !strings.HasSuffix(got, "\n") {
		t.Fatalf("the final line end: %q was %q", got, data)
	}
	// What was kept is there, in order; what else there is was the entry's own
	// before, is marked, or has a URL.
	n := 0
	for l := range strings.Lines(got) {
		switch {
		case n < len(kept) && bare(l) == kept[n]:
			n++
		case !strings.HasPrefix(l, Mark) && !slices.Contains(gone, bare(l)) && !slices.ContainsFunc(urls, func(u string) bool { return strings.Contains(l, u) }):
			t.Fatalf("%q is new in %q, was %q", l, got, data)
		}
	}
	if n != len(kept) {
		t.Fatalf("%q is gone from %q, was %q", kept[n], got, data)
	}
	again, _ := Parse("x"+suffix, []byte(got))
	others := lines(again)
	if len(others) != len(before) || again.Refused != nil {
		t.Fatalf("%d entries, was %d", len(others), len(before))
	}
	for n, s := range before {
		if n != i && s != others[n] {
			t.Fatalf("another entry: %s, was %s", others[n], s)
		}
	}
	if err := e.SetURLs(urls...); err != nil || string(file.Bytes()) != got {
		t.Fatalf("the second time: %v, %q was %q", err, file.Bytes(), got)
	}
}

func lines(f *File) []string {
	var out []string
	for _, e := range f.Entries() {
		out = append(out, line(e))
	}
	return out
}

// bare is a line without its end, which a last line may gain or lose.
func bare(l string) string { return strings.TrimRight(l, "\r\n") }
